"""One network for all sensors: what a sensor and its neighbours just read, who it is and what time it is.

Legend: B examples (a sensor at a moment each), F numbers that describe one, N sensors, S slots of a day, H steps ahead,
E numbers of an embedding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn

from citylib import checks
from citylib.errors import InputError

__all__ = ["SensorMLP"]


class SensorMLP(nn.Module):
    """Forecast by a multilayer perceptron on F numbers, an embedding of the sensor and one of the time of day.

    The last layer starts at zero: an untrained network forecasts no change, the rule that is hard to beat.

    Parameters
    ----------
    inputs : int
        F.
    sensors : int
        N.
    slots : int
        S.
    horizon : int
        H.
    hidden : sequence of int, default (256, 128)
        Units of the hidden layers.
    embedding : int, default 8
        E, of the sensor and of the slot alike.
    generator : torch.Generator
        From `citylib.seeds.torch_generator`; draws the weights.

    References
    ----------
    Shao, Z. et al. (2022). Spatial-temporal identity: a simple yet effective baseline for multivariate time series
    forecasting. CIKM 2022, 4454-4458.

    Examples
    --------
    >>> from citylib import seeds
    >>> model = SensorMLP(20, 5, 24, 3, hidden=(8,), generator=seeds.torch_generator(0))
    >>> model(torch.rand(7, 20), torch.arange(7) % 5, torch.arange(7)).shape, model.multiply_adds
    (torch.Size([7, 3]), 312)
    """

    def __init__(
        self,
        inputs: int,
        sensors: int,
        slots: int,
        horizon: int,
        *,
        hidden: Sequence[int] = (256, 128),
        embedding: int = 8,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        width = checks.integer("inputs", inputs, minimum=1) + 2 * checks.integer("embedding", embedding, minimum=1)
        self.sensor = nn.Embedding(checks.integer("sensors", sensors, minimum=1), embedding)
        self.slot = nn.Embedding(checks.integer("slots", slots, minimum=1), embedding)
        if not hidden:
            raise InputError("hidden", "name at least one hidden layer", hidden)
        layers = []
        for units in hidden:
            layers.append(nn.Linear(width, checks.integer("hidden", units, minimum=1)))
            width = units
        self.layers = nn.ModuleList(layers)
        self.head = nn.Linear(width, checks.integer("horizon", horizon, minimum=1))
        self._draw(generator)

    def forward(self, x_BF: torch.Tensor, sensor_B: torch.Tensor, slot_B: torch.Tensor) -> torch.Tensor:
        """Return the change over the last reading, scaled, shape (B, H)."""
        change_BH: torch.Tensor = self.head(self.states(x_BF, sensor_B, slot_B)[-1])
        return change_BH

    def states(self, x_BF: torch.Tensor, sensor_B: torch.Tensor, slot_B: torch.Tensor) -> list[torch.Tensor]:
        """Return what enters each layer, shape (B, D) each: the description, then the hidden units."""
        found = [torch.cat([x_BF, self.sensor(sensor_B), self.slot(slot_B)], dim=1)]
        for layer in self.layers:
            found.append(torch.relu(layer(found[-1])))
        return found

    @property
    def inputs(self) -> int:
        """Return F."""
        return int(self.linears[0].in_features - 2 * self.sensor.embedding_dim)

    @property
    def hidden(self) -> tuple[int, ...]:
        """Return the units of the hidden layers."""
        return tuple(int(layer.out_features) for layer in self.linears[:-1])

    @property
    def multiply_adds(self) -> int:
        """Return the multiplications (each with its addition) that one example takes."""
        return sum(layer.weight.numel() for layer in self.linears)

    @property
    def parameters_held(self) -> int:
        """Return the number of weights, embeddings included."""
        return sum(parameter.numel() for parameter in self.parameters())

    @property
    def linears(self) -> list[nn.Linear]:
        """Return the layers with the head, in order."""
        return [layer for layer in (*self.layers, self.head) if isinstance(layer, nn.Linear)]

    def _draw(self, generator: torch.Generator) -> None:
        with torch.no_grad():
            for table in (self.sensor, self.slot):
                table.weight.normal_(0, 0.1, generator=generator)
            for layer in self.linears[:-1]:
                bound = math.sqrt(1 / layer.in_features)
                layer.weight.uniform_(-bound, bound, generator=generator)
                layer.bias.uniform_(-bound, bound, generator=generator)
            self.head.weight.zero_()
            self.head.bias.zero_()
