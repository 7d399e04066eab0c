"""A small network that mends the forecasts of another model, for all sensors at once.

Legend: B moments, N sensors, F inputs of each, E numbers that tell a sensor from the others, H steps ahead.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn

from citylib import checks

__all__ = ["ResidualNet", "mending"]


class ResidualNet(nn.Module):
    """What is to be added to a forecast: a multilayer perceptron on the inputs of a sensor and on who it is.

    All sensors share the weights; each has E numbers of its own among the inputs. The last layer starts at zero, so
    that an untrained net leaves the forecast as it is. Without hidden layers it is a linear regression on the same
    inputs: what the layers are worth is the difference.

    Parameters
    ----------
    inputs : int
        F.
    sensors : int
        N, always in the same order.
    steps : int
        H.
    hidden : sequence of int
        Units of each hidden layer, with rectifiers; none: linear.
    generator : torch.Generator
        From `citylib.seeds.torch_generator`; draws the weights (He et al., 2015).
    own : int, default 8
        E.

    References
    ----------
    Zhang, G. P. (2003). Time series forecasting using a hybrid ARIMA and neural network model. Neurocomputing 50,
    159-175.

    He, K., Zhang, X., Ren, S. and Sun, J. (2015). Delving deep into rectifiers. ICCV.

    Examples
    --------
    >>> from citylib import seeds
    >>> net = ResidualNet(10, 4, 3, hidden=[16], generator=seeds.torch_generator(0))
    >>> added = net(torch.rand(5, 4, 10))
    >>> added.shape, bool((added == 0).all())
    (torch.Size([5, 4, 3]), True)
    """

    def __init__(
        self,
        inputs: int,
        sensors: int,
        steps: int,
        *,
        hidden: Sequence[int],
        generator: torch.Generator,
        own: int = 8,
    ) -> None:
        super().__init__()
        inputs = checks.integer("inputs", inputs, minimum=1)
        sensors, own = checks.integer("sensors", sensors, minimum=1), checks.integer("own", own, minimum=1)
        self.own_NE = nn.Parameter(0.3 * torch.randn(sensors, own, generator=generator))
        layers: list[nn.Module] = []
        width = inputs + own
        for units in (checks.integer("hidden", units, minimum=1) for units in hidden):
            layers += [_drawn(nn.Linear(width, units), generator), nn.ReLU()]
            width = units
        last = nn.Linear(width, checks.integer("steps", steps, minimum=1))
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(*layers, last)

    def forward(self, x_BNF: torch.Tensor) -> torch.Tensor:
        """Return what is to be added to the forecasts, shape (B, N, H)."""
        own_BNE = self.own_NE.expand(len(x_BNF), -1, -1)
        added_BNH: torch.Tensor = self.layers(torch.cat([x_BNF, own_BNE], dim=-1))
        return added_BNH


def mending(model: nn.Module, x_BNF: torch.Tensor, left_BNH: torch.Tensor, *, turn: float = 0.5) -> torch.Tensor:
    """Return Huber's loss of what a forecast leaves, the mean over what was read.

    Errors up to `turn` count by half their square, larger ones by their size: a jam nobody can foresee does not
    outweigh the rest of the day.

    Parameters
    ----------
    model : torch.nn.Module
        Gives what is to be added, shape (B, N, H).
    x_BNF : torch.Tensor, shape (B, N, F)
        Inputs.
    left_BNH : torch.Tensor, shape (B, N, H)
        What the forecast left; NaN where nothing was read.
    turn : float, default 0.5
        Where the square turns into the size, in the unit of `left_BNH`.

    Returns
    -------
    torch.Tensor
        A single number; 0 where nothing was read.

    References
    ----------
    Huber, P. J. (1964). Robust estimation of a location parameter. Annals of Mathematical Statistics 35(1), 73-101.

    Examples
    --------
    >>> from citylib import seeds
    >>> net = ResidualNet(2, 1, 3, hidden=[], generator=seeds.torch_generator(0))
    >>> left = torch.tensor([[[0.5, 4.0, float("nan")]]])
    >>> float(mending(net, torch.zeros(1, 1, 2), left, turn=1.0).detach())
    1.8125
    """
    read = ~torch.isnan(left_BNH)
    off = torch.where(read, left_BNH, 0.0) - torch.where(read, model(x_BNF), 0.0)
    loss: torch.Tensor = nn.functional.huber_loss(off, torch.zeros_like(off), delta=turn, reduction="sum")
    return loss / read.sum().clamp(min=1)


def _drawn(layer: nn.Linear, generator: torch.Generator) -> nn.Linear:
    bound = math.sqrt(6 / layer.in_features)
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound, generator=generator)
        layer.bias.zero_()
    return layer
