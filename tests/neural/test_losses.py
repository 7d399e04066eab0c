"""Losses against their formulas."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from citylib.neural.losses import classifying, rebuilding


def test_rebuilding_is_the_mean_square() -> None:
    x = torch.tensor([[0.0, 2.0], [1.0, 1.0]])
    half = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        half.weight.copy_(0.5 * torch.eye(2))
    assert rebuilding(half, x).item() == 0.375


def test_classifying_is_minus_the_log_of_the_softmax() -> None:
    scores, wanted = torch.tensor([[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]]), torch.tensor([1, 2])
    share = np.exp(scores.numpy()) / np.exp(scores.numpy()).sum(axis=1, keepdims=True)
    by_hand = -np.log(share[[0, 1], [1, 2]]).mean()
    np.testing.assert_allclose(classifying(nn.Identity(), scores, wanted).item(), by_hand, rtol=1e-6)
