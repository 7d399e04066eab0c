"""Attention maps: where the tokens of a transformer look, layer by layer, and where they look through all layers.

Legend: B examples, L layers, A heads, P tokens, W width.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from citylib.errors import InputError
from citylib.neural.layers.attention import SelfAttention

__all__ = ["attention_maps", "rollout"]


def attention_maps(model: nn.Module, *inputs: Any) -> torch.Tensor:
    """Return how much each token takes of each other while the model answers, shape (B, L, A, P, P); rows add up to 1.

    Parameters
    ----------
    model : torch.nn.Module
        With layers `citylib.neural.layers.attention.SelfAttention`, all of one number of heads.
    *inputs
        What the model is called with.

    Raises
    ------
    InputError
        A model without such a layer.

    Examples
    --------
    >>> from citylib.neural.layers.attention import Block
    >>> stack = nn.Sequential(Block(8, 2), Block(8, 2))
    >>> attention_maps(stack, torch.rand(3, 5, 8)).shape
    torch.Size([3, 2, 2, 5, 5])
    """
    layers = [module for module in model.modules() if isinstance(module, SelfAttention)]
    if not layers:
        raise InputError("model", "have a layer of self-attention", type(model).__name__)
    caught: list[torch.Tensor] = []
    hooks = [
        layer.register_forward_pre_hook(lambda layer, given: caught.append(layer.map(given[0]))) for layer in layers
    ]
    was = model.training
    model.eval()
    try:
        with torch.no_grad():
            model(*inputs)
    finally:
        model.train(was)
        for hook in hooks:
            hook.remove()
    return torch.stack(caught, dim=1)


def rollout(map_BLAPP: torch.Tensor) -> torch.Tensor:
    """Return where each token's content comes from through all layers, shape (B, P, P); rows add up to 1.

    Heads are averaged, and half of each layer is taken to pass a token on unchanged, which stands for what is added
    around the attention: (I + mean over heads) / 2, multiplied from the first layer to the last.

    Parameters
    ----------
    map_BLAPP : torch.Tensor, shape (B, L, A, P, P)
        From `attention_maps`.

    References
    ----------
    Abnar, S. and Zuidema, W. (2020). Quantifying attention flow in transformers. ACL, 4190-4197.

    Examples
    --------
    >>> rollout(torch.full((1, 1, 1, 2, 2), 0.5)).tolist()
    [[[0.75, 0.25], [0.25, 0.75]]]
    """
    if map_BLAPP.ndim != 5 or map_BLAPP.shape[-1] != map_BLAPP.shape[-2]:
        raise InputError("map", "have shape (B, L, A, P, P)", tuple(map_BLAPP.shape))
    tokens = map_BLAPP.shape[-1]
    layer_BLPP = (torch.eye(tokens, dtype=map_BLAPP.dtype, device=map_BLAPP.device) + map_BLAPP.mean(dim=2)) / 2
    flow_BPP = layer_BLPP[:, 0]
    for k in range(1, layer_BLPP.shape[1]):
        flow_BPP = layer_BLPP[:, k] @ flow_BPP
    return flow_BPP
