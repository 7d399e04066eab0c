"""A residual network on pictures of traffic: a body that others may have trained, and a head for the levels.

Legend: B pictures, C channels, R rows, L columns, F features, K levels.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn
from tqdm import TqdmWarning

from citylib import checks
from citylib.errors import InputError, SourceMissingError

__all__ = ["PictureResNet"]

WEIGHTS, PICKLES = "*.safetensors", ("*.bin", "*.pt", "*.pth", "*.ckpt")


class PictureResNet(nn.Module):
    """Tell K levels apart by one linear layer on what a residual network sees in a picture.

    Each block adds what it learned to what it was given, y = s(F(x) + x), so that a block with nothing to say can pass
    its picture on (He et al., 2016). The body is that of `transformers`, without the pooling of its first layer, for
    which these pictures are too small; its features are averaged over the picture.

    Parameters
    ----------
    classes : int
        K.
    generator : torch.Generator
        From `citylib.seeds.torch_generator`; draws the weights.
    channels : int, default 3
        C.
    widths : tuple of int, default (16, 32, 64)
        Features of each stage; from the second on each halves the picture.
    dropout : float, default 0
        Share of the features that is left out of each step of training.
    enlarge : int, default 1
        Times that each pixel is repeated, down and across.

    References
    ----------
    He, K., Zhang, X., Ren, S. and Sun, J. (2016). Deep residual learning for image recognition. CVPR, 770-778.

    Examples
    --------
    >>> from citylib import seeds
    >>> PictureResNet(4, generator=seeds.torch_generator(0))(torch.zeros(2, 3, 9, 12)).shape
    torch.Size([2, 4])
    """

    def __init__(
        self,
        classes: int,
        *,
        generator: torch.Generator,
        channels: int = 3,
        widths: tuple[int, ...] = (16, 32, 64),
        dropout: float = 0.0,
        enlarge: int = 1,
        body: nn.Module | None = None,
    ) -> None:
        super().__init__()
        drawn = body is None
        with torch.random.fork_rng(devices=[]):  # layers draw from the global state when made, and are drawn again
            made: Any = _drawn(checks.integer("channels", channels, minimum=1), widths) if body is None else body
            self.body = made
            self.channels = int(made.config.num_channels)
            self.features = int(made.config.hidden_sizes[-1])
            self.head = nn.Linear(self.features, checks.integer("classes", classes, minimum=2))
        self.enlarge = checks.integer("enlarge", enlarge, minimum=1)
        self.dropout = nn.Dropout(checks.number("dropout", dropout, minimum=0, maximum=0.95))
        _draw(self if drawn else self.head, generator)

    @classmethod
    def from_pretrained(
        cls, weights: str, classes: int, *, generator: torch.Generator, enlarge: int = 4, dropout: float = 0.0
    ) -> PictureResNet:
        """Return a network whose body was trained by others, on other pictures, with a new head.

        Parameters
        ----------
        weights : str
            A folder with ``config.json`` and weights as safetensors, as `save_pretrained` of `transformers` writes it,
            or a name on its hub, ``owner/name``, which is downloaded where it isn't at hand.
        classes : int
            K.
        generator : torch.Generator
            Draws the head.
        enlarge : int, default 4
            Times that each pixel is repeated, down and across: such networks were made for large pictures.
        dropout : float, default 0
            As above.

        Returns
        -------
        PictureResNet

        Raises
        ------
        SourceMissingError
            No such folder, and no such name to be had from the hub.
        InputError
            A folder of pickles, which could run anything; weights of something else than a residual network.
        """
        return cls(classes, generator=generator, enlarge=enlarge, dropout=dropout, body=_read(weights))

    def maps(self, x_BCRL: torch.Tensor) -> torch.Tensor:
        """Return the features of each place that is left of a picture, shape (B, F, fewer rows, fewer columns).

        Raises
        ------
        InputError
            No pictures, or of another number of channels.
        """
        if x_BCRL.ndim != 4 or x_BCRL.shape[1] != self.channels:
            raise InputError("x_BCRL", f"have shape (pictures, {self.channels}, rows, columns)", tuple(x_BCRL.shape))
        if self.enlarge > 1:
            x_BCRL = x_BCRL.repeat_interleave(self.enlarge, dim=2).repeat_interleave(self.enlarge, dim=3)
        found: torch.Tensor = self.body(x_BCRL).last_hidden_state
        return found

    def forward(self, x_BCRL: torch.Tensor) -> torch.Tensor:
        """Return the scores of the levels before the softmax, shape (B, K)."""
        scores_BK: torch.Tensor = self.head(self.dropout(self.maps(x_BCRL).mean(dim=(2, 3))))
        return scores_BK


@contextmanager
def _quiet() -> Iterator[None]:
    """Import what looks for a progress bar of notebooks without a word on the page where there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TqdmWarning)
        yield


def _drawn(channels: int, widths: tuple[int, ...]) -> nn.Module:
    with _quiet():
        from transformers import ResNetConfig, ResNetModel

    sizes = [checks.integer("widths", width, minimum=1) for width in widths]
    if not sizes:
        raise InputError("widths", "name at least one stage", widths)
    config = ResNetConfig(
        num_channels=channels, embedding_size=sizes[0], hidden_sizes=sizes, depths=[1] * len(sizes), layer_type="basic"
    )
    body: nn.Module = ResNetModel(config)
    body.embedder.pooler = nn.Identity()  # type: ignore[union-attr]
    return body


def _draw(model: nn.Module, generator: torch.Generator) -> None:
    """Draw weights so that signals keep their size through s(z) = max(z, 0) (He et al., 2015); heads start small."""
    with torch.no_grad():
        for layer in model.modules():
            if isinstance(layer, nn.Conv2d):
                fan = layer.out_channels * layer.kernel_size[0] * layer.kernel_size[1]
                layer.weight.normal_(0, math.sqrt(2 / fan), generator=generator)
            elif isinstance(layer, nn.Linear):
                layer.weight.normal_(0, 0.01, generator=generator)
                layer.bias.zero_()


def _read(weights: str) -> nn.Module:
    with _quiet():
        from transformers import AutoConfig, ResNetModel

    folder = Path(weights)
    if folder.is_dir():
        if not any(folder.glob(WEIGHTS)):
            pickles = sorted(p.name for pattern in PICKLES for p in folder.glob(pattern))
            found = f"{folder.name} with {', '.join(pickles) or 'no weights'}"
            raise InputError("weights", "be a folder with weights as safetensors", found, "pickles are not read")
    elif not re.fullmatch(r"[\w.-]+/[\w.-]+", weights) or weights.startswith("."):
        raise SourceMissingError(f"weights: there is no folder {weights!r}, and a name on the hub is owner/name")
    asked: dict[str, Any] = {"local_files_only": folder.is_dir()}
    text = f"weights: {weights!r} cannot be read as a folder, nor had from the hub"
    try:
        config = AutoConfig.from_pretrained(weights, **asked)
    except (OSError, ImportError, ValueError) as reason:
        raise SourceMissingError(text) from reason
    if config.model_type != "resnet":
        raise InputError("weights", "be of a residual network (model type resnet)", config.model_type)
    try:
        body: nn.Module = ResNetModel.from_pretrained(weights, use_safetensors=True, **asked)
    except (OSError, ImportError, ValueError, RuntimeError, SafetensorError) as reason:
        raise SourceMissingError(text) from reason
    return body
