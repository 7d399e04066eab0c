"""Pre-training without labels: parts of a picture are hidden, and the network fills them in.

Half of the masks hide the last columns, so that the network learns what comes next; half hide whole rows, so that it
learns what neighbours tell of each other. Where a pixel is hidden, the usual value is shown.

Legend: B pictures, R rows, L columns, F features.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from citylib import checks
from citylib.errors import InputError
from citylib.neural.models.picture_resnet import PictureResNet
from citylib.neural.pictures import Pictures

__all__ = ["Rebuilder", "masks", "rebuilding"]


def masks(count: int, rows: int, columns: int, *, generator: np.random.Generator, tails: float = 0.5) -> torch.Tensor:
    """Draw which pixels are hidden.

    Parameters
    ----------
    count : int
        Pictures B.
    rows, columns : int
        R and L.
    generator : numpy.random.Generator
        From `citylib.seeds.generator`.
    tails : float, default 0.5
        Share of the pictures whose last columns are hidden, a sixth to two thirds of them; in the others each row is
        hidden with probability a half.

    Returns
    -------
    torch.Tensor of bool, shape (B, R, L)
        True where hidden; at least one pixel of each picture.

    Examples
    --------
    >>> from citylib import seeds
    >>> hidden = masks(50, 9, 12, generator=seeds.generator(0), tails=1.0)
    >>> bool(hidden[:, :, -2:].all()), bool(hidden[:, :, 0].any())
    (True, False)
    """
    count, tails = checks.integer("count", count, minimum=1), checks.fraction("tails", tails, closed=True)
    rows, columns = checks.integer("rows", rows, minimum=1), checks.integer("columns", columns, minimum=2)
    shortest, longest = max(1, columns // 6), max(1, 2 * columns // 3)
    length = generator.integers(shortest, longest + 1, count)
    tail = np.arange(columns) >= columns - length[:, None]
    silent = generator.random((count, rows)) < 0.5
    silent[np.arange(count), generator.integers(0, rows, count)] = True
    is_tail = (generator.random(count) < tails)[:, None, None]
    return torch.as_tensor(np.where(is_tail, tail[:, None, :], silent[:, :, None]))


class Rebuilder(nn.Module):
    """Fill in what is hidden of a picture's first channel, from the features of a network that sees the rest.

    Parameters
    ----------
    network : PictureResNet
        Whose body learns; its head has no part in it.
    rows, columns : int
        R and L.
    generator : torch.Generator
        Draws the layer that fills in, which is thrown away afterwards.
    """

    def __init__(self, network: PictureResNet, rows: int, columns: int, *, generator: torch.Generator) -> None:
        super().__init__()
        self.network = network
        was = network.training
        network.eval()
        with torch.no_grad():
            places = network.maps(torch.zeros(1, network.channels, rows, columns))[0].numel()
        network.train(was)
        with torch.random.fork_rng(devices=[]):
            self.fill = nn.Linear(places, rows * columns)
        with torch.no_grad():
            self.fill.weight.normal_(0, 0.01, generator=generator)
            self.fill.bias.zero_()

    def forward(self, x_BCRL: torch.Tensor, hidden_BRL: torch.Tensor) -> torch.Tensor:
        """Return the first channel as it is believed to be, shape (B, R, L): the usual value and what is added to it.

        Raises
        ------
        InputError
            Masks of another shape than the pictures.
        """
        if hidden_BRL.shape != (len(x_BCRL), *x_BCRL.shape[2:]):
            raise InputError("hidden_BRL", "have the pictures, rows and columns of x_BCRL", tuple(hidden_BRL.shape))
        shown_BRL = torch.where(hidden_BRL, x_BCRL[:, 1], x_BCRL[:, 0])
        x_BCRL = torch.cat([shown_BRL[:, None], x_BCRL[:, 1:]], dim=1)
        added: torch.Tensor = self.fill(self.network.maps(x_BCRL).flatten(1)).view_as(shown_BRL)
        return shown_BRL + added


def rebuilding(
    pictures: Pictures,
) -> Callable[[nn.Module, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]:
    """Return the loss ``loss(rebuilder, at, sensor, hidden)``: the mean squared error over hidden pixels.

    Parameters
    ----------
    pictures : Pictures
        From which they are drawn.

    Returns
    -------
    callable
        As `citylib.neural.train.train` takes it; no level enters.
    """

    def loss(model: nn.Module, at_B: torch.Tensor, sensor_B: torch.Tensor, hidden_BRL: torch.Tensor) -> torch.Tensor:
        x_BCRL = pictures.gather(at_B, sensor_B)
        off_BRL: torch.Tensor = model(x_BCRL, hidden_BRL) - x_BCRL[:, 0]
        return (off_BRL[hidden_BRL] ** 2).mean()

    return loss
