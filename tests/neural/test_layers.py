"""Attention against its formula, patches, low-rank adapters."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from citylib import seeds
from citylib.errors import InputError
from citylib.neural.layers.attention import Block, SelfAttention
from citylib.neural.layers.lora import LowRank, merge
from citylib.neural.layers.patches import PatchEmbedding, cut, spread


def test_attention_is_its_formula() -> None:
    layer = SelfAttention(6, 2).double()
    x = torch.rand(2, 5, 6, dtype=torch.float64)
    q, k, v = (part.view(2, 5, 2, 3) for part in layer.query_key_value(x).split(6, dim=-1))
    found = torch.zeros(2, 5, 2, 3, dtype=torch.float64)
    for b in range(2):
        for head in range(2):
            weights = torch.softmax(q[b, :, head] @ k[b, :, head].T / math.sqrt(3), dim=-1)
            torch.testing.assert_close(layer.map(x)[b, head], weights)
            found[b, :, head] = weights @ v[b, :, head]
    torch.testing.assert_close(layer(x), layer.out(found.view(2, 5, 6)))


def test_tokens_in_another_order_come_out_in_that_order() -> None:
    block = Block(6, 2).double()
    x = torch.rand(2, 5, 6, dtype=torch.float64)
    order = torch.randperm(5)
    torch.testing.assert_close(block(x[:, order]), block(x)[:, order])


def test_nobody_looks_at_what_is_not_seen_nor_ahead_where_causal() -> None:
    block = Block(6, 2).double()
    x, other = torch.rand(2, 5, 6, dtype=torch.float64), torch.rand(2, 5, 6, dtype=torch.float64)
    seen = torch.tensor([[True, True, True, False, False], [True] * 5])
    torch.testing.assert_close(block(x, seen)[0, :3], block(x[:1, :3])[0])
    torch.testing.assert_close(block(x, seen)[1], block(x)[1])
    ahead = torch.cat([x[:, :3], other[:, 3:]], dim=1)
    for mask in (None, seen):
        torch.testing.assert_close(block(x, mask, causal=True)[:, :3], block(ahead, mask, causal=True)[:, :3])
    assert not torch.allclose(block(x)[:, :3], block(ahead)[:, :3])
    none = torch.ones(2, 5, dtype=torch.bool)
    torch.testing.assert_close(block(x, none, causal=True), block(x, causal=True))


def test_width_is_a_multiple_of_heads() -> None:
    with pytest.raises(InputError, match="width must be a multiple of the 4 heads, got 6"):
        SelfAttention(6, 4)


def test_a_patch_of_which_nothing_is_seen_is_the_mask_token() -> None:
    layer = PatchEmbedding(3, 4)
    nn.init.normal_(layer.mask_token)
    seen = torch.zeros(1, 2, 3, dtype=torch.bool)
    seen[0, 0, 1] = True
    x = torch.full((1, 2, 3), float("nan"))
    x[0, 0, 1] = 2.0
    token = layer(x, seen)
    assert torch.equal(token[0, 1], layer.mask_token)
    hand = layer.linear(torch.tensor([0.0, 2.0, 0.0, 0.0, 1.0, 0.0]))
    torch.testing.assert_close(token[0, 0], hand)


def test_cut_and_spread() -> None:
    x = torch.arange(12).view(2, 6)
    assert torch.equal(cut(x, 2).flatten(1), x)
    assert torch.equal(cut(spread(x[:, :3], 2), 2)[:, :, 1], x[:, :3])
    with pytest.raises(InputError, match="x must be examples of a multiple of 4 steps"):
        cut(x, 4)


def test_low_rank_starts_as_it_was_learns_in_its_thin_part_only_and_merges() -> None:
    plain = nn.Linear(6, 4).double()
    before = plain.weight.clone()
    model = nn.Sequential(LowRank(plain, 2, generator=seeds.torch_generator(0), scale=3.0))
    x = torch.rand(5, 6, dtype=torch.float64)
    torch.testing.assert_close(model(x), plain(x), rtol=0, atol=0)
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.1)
    for _ in range(3):
        optimiser.zero_grad()
        model(x).square().sum().backward()
        optimiser.step()
    assert torch.equal(plain.weight, before)
    assert plain.weight.grad is None
    after = model(x)
    assert not torch.allclose(after, plain(x))
    assert isinstance(merge(model)[0], nn.Linear)  # type: ignore[index]
    torch.testing.assert_close(model(x), after, rtol=1e-12, atol=1e-12)
    with pytest.raises(InputError, match="rank must be at most 4"):
        LowRank(plain, 5, generator=seeds.torch_generator(0))
