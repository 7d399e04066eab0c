"""The autoencoder f(x) = s(W2 s(W1 x + b1) + b2), and a classifier on its first half.

Legend: B examples, D numbers in one, H hidden units, C classes. s is the logistic function.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from citylib import checks

__all__ = ["Autoencoder", "Classifier"]


class Autoencoder(nn.Module):
    """Press an example of D numbers through H and rebuild it: f(x) = s(W2 s(W1 x + b1) + b2).

    What it rebuilds well it has seen the like of; what it rebuilds badly is odd. Its output lies between 0 and 1,
    so its examples must.

    Parameters
    ----------
    inputs : int
        D.
    hidden : int
        H, below D if the model is to learn more than to copy.
    generator : torch.Generator
        From `citylib.seeds.torch_generator`; draws the weights (Glorot and Bengio, 2010).

    References
    ----------
    Hinton, G. E. and Salakhutdinov, R. R. (2006). Reducing the dimensionality of data with neural
    networks. Science 313(5786), 504-507.

    Examples
    --------
    >>> from citylib import seeds
    >>> model = Autoencoder(24, 6, generator=seeds.torch_generator(0))
    >>> model(torch.rand(5, 24)).shape, model.encode(torch.rand(5, 24)).shape
    (torch.Size([5, 24]), torch.Size([5, 6]))
    """

    def __init__(self, inputs: int, hidden: int, *, generator: torch.Generator) -> None:
        super().__init__()
        self.encoder = nn.Linear(
            checks.integer("inputs", inputs, minimum=1), checks.integer("hidden", hidden, minimum=1)
        )
        self.decoder = nn.Linear(hidden, inputs)
        for layer in (self.encoder, self.decoder):
            _draw(layer, generator)

    def encode(self, x_BD: torch.Tensor) -> torch.Tensor:
        """Return the hidden units s(W1 x + b1), shape (B, H)."""
        return torch.sigmoid(self.encoder(x_BD))

    def forward(self, x_BD: torch.Tensor) -> torch.Tensor:
        """Return the rebuilt examples, shape (B, D)."""
        return torch.sigmoid(self.decoder(self.encode(x_BD)))

    def errors(self, x_BD: torch.Tensor) -> torch.Tensor:
        """Return the mean squared error of each rebuilt example, shape (B,): the score of an anomaly."""
        with torch.no_grad():
            squared: torch.Tensor = (self(x_BD) - x_BD) ** 2
            return squared.mean(dim=1)


class Classifier(nn.Module):
    """Tell C classes apart by one linear layer on H hidden units: softmax(V s(W1 x + b1) + c).

    Parameters
    ----------
    inputs, hidden, classes : int
        D, H and C.
    generator : torch.Generator
        Draws the weights.
    start : Autoencoder, optional
        Takes over W1 and b1, the rest is drawn: this is what pre-training hands on. By default all is drawn.

    Examples
    --------
    >>> from citylib import seeds
    >>> Classifier(24, 6, 3, generator=seeds.torch_generator(0))(torch.rand(5, 24)).shape
    torch.Size([5, 3])
    """

    def __init__(
        self, inputs: int, hidden: int, classes: int, *, generator: torch.Generator, start: Autoencoder | None = None
    ) -> None:
        super().__init__()
        self.encoder = nn.Linear(inputs, hidden)
        self.head = nn.Linear(hidden, checks.integer("classes", classes, minimum=2))
        for layer in (self.encoder, self.head):
            _draw(layer, generator)
        if start is not None:
            self.encoder.load_state_dict(start.encoder.state_dict())

    def forward(self, x_BD: torch.Tensor) -> torch.Tensor:
        """Return the scores of the classes before the softmax, shape (B, C)."""
        scores_BC: torch.Tensor = self.head(torch.sigmoid(self.encoder(x_BD)))
        return scores_BC


def _draw(layer: nn.Linear, generator: torch.Generator) -> None:
    """Draw weights uniformly so that signals keep their size (Glorot and Bengio, 2010); biases start at 0."""
    bound = math.sqrt(6 / (layer.in_features + layer.out_features))
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound, generator=generator)
        layer.bias.zero_()
