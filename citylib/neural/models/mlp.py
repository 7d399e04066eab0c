"""The multilayer perceptron: weighted sums with a bend between them, as many layers as are asked for.

Legend: B examples, D numbers in, H hidden units, K numbers out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from citylib import checks
from citylib.errors import InputError

__all__ = ["MLP"]


class MLP(nn.Module):
    """Map D numbers to K through hidden layers: f(x) = W2 s(W1 x + b1) + b2, with s the bend; more layers repeat it.

    Weights are drawn so that the signal keeps its size from layer to layer, forward and backward; biases start at 0.
    With D inputs of variance 1, a sum has variance D Var(w). A tanh is near the line s(z) = z about 0, so Var(w) = 1/D
    keeps the signal and 1/H the gradients that come back: 2/(D + H) is between them (Glorot and Bengio, 2010).
    A ReLU cuts off half the signal, so Var(w) = 2/D makes up for it (He et al., 2015). The last layer has no bend
    and is drawn as for tanh. Equal weights would do worse than badly: all hidden units would learn the same.

    Parameters
    ----------
    sizes : sequence of int
        Units of each layer, inputs first and outputs last: ``(5, 10, 1)`` is the network 5-10-1.
    generator : torch.Generator
        From `citylib.seeds.torch_generator`; draws the weights.
    bend : {"tanh", "relu"}
        The function s between layers.

    Raises
    ------
    InputError
        Fewer than two layers, a layer without units, a bend that is not known.

    References
    ----------
    Glorot, X. and Bengio, Y. (2010). Understanding the difficulty of training deep feedforward neural networks.
    AISTATS, 249-256.

    He, K., Zhang, X., Ren, S. and Sun, J. (2015). Delving deep into rectifiers. ICCV, 1026-1034.

    Rumelhart, D. E., Hinton, G. E. and Williams, R. J. (1986). Learning representations by back-propagating errors.
    Nature 323, 533-536.

    Examples
    --------
    >>> from citylib import seeds
    >>> model = MLP((5, 10, 1), generator=seeds.torch_generator(0))
    >>> model(torch.zeros(3, 5)).shape, sum(p.numel() for p in model.parameters())
    (torch.Size([3, 1]), 71)
    """

    def __init__(self, sizes: Sequence[int], *, generator: torch.Generator, bend: str = "tanh") -> None:
        super().__init__()
        if len(sizes) < 2:
            raise InputError("sizes", "name the inputs and the outputs, with hidden layers between", list(sizes))
        units = [checks.integer("sizes", size, minimum=1) for size in sizes]
        self.bend = checks.one_of("bend", bend, ("tanh", "relu"))
        self.layers = nn.ModuleList(nn.Linear(d, h) for d, h in pairwise(units))
        for k, layer in enumerate(self.layers):
            assert isinstance(layer, nn.Linear)
            _draw(layer, generator, cut=self.bend == "relu" and k < len(self.layers) - 1)

    def forward(self, x_BD: torch.Tensor) -> torch.Tensor:
        """Return the outputs, shape (B, K)."""
        h_BH = x_BD
        for layer in self.layers[:-1]:
            h_BH = torch.tanh(layer(h_BH)) if self.bend == "tanh" else torch.relu(layer(h_BH))
        y_BK: torch.Tensor = self.layers[-1](h_BH)
        return y_BK


def _draw(layer: nn.Linear, generator: torch.Generator, *, cut: bool) -> None:
    """Draw weights uniformly, with the variance of He et al. where the bend cuts, else of Glorot and Bengio."""
    variance = 2 / layer.in_features if cut else 2 / (layer.in_features + layer.out_features)
    bound = math.sqrt(3 * variance)  # a uniform law on (-a, a) has variance a^2 / 3
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound, generator=generator)
        layer.bias.zero_()
