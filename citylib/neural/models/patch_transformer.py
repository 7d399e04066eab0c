"""A small transformer over patches of one series: it fills what is hidden, and the future is hidden patches too.

Legend: B examples, T steps of a window (history and horizon), P patches, S steps a patch (T = P S), C side channels,
W width.
"""

from __future__ import annotations

import torch
from torch import nn

from citylib import checks
from citylib.errors import InputError
from citylib.neural.layers.attention import Block
from citylib.neural.layers.patches import PatchEmbedding, cut

__all__ = ["PatchTransformer"]


class PatchTransformer(nn.Module):
    """Say every value of a window from those that are seen.

    A window is brought to mean 0 and scale 1 by what is seen of it, cut into patches, and each patch becomes a token,
    a mask token where nothing is seen. Transformer blocks let tokens look at each other; a linear layer turns each
    back into S values. A forecast is a window whose last patches are not seen. Values that are not seen cannot
    influence anything: change them, and the output is the same to the last bit.

    Parameters
    ----------
    patch : int
        S.
    patches : int
        Most patches of a window P; shorter windows stand at its end, so that the last patch is always the last.
    generator : torch.Generator
        From `citylib.seeds.torch_generator`; draws the weights.
    channels : int, default 0
        C numbers known of each patch beforehand, such as its hour (`citylib.neural.calendar`).
    width, heads, layers : int, default 64, 4, 3
        Size.
    floor : float, default 0.1
        Least scale a window is divided by, in the unit of its values: bring series to a common size first.
    dropout : float, default 0
        As in `citylib.neural.layers.attention.Block`.

    References
    ----------
    Nie, Y. et al. (2023). A time series is worth 64 words: long-term forecasting with transformers. ICLR.

    Kim, T. et al. (2022). Reversible instance normalization for accurate time-series forecasting. ICLR.

    Examples
    --------
    >>> from citylib import seeds
    >>> model = PatchTransformer(4, 6, width=16, heads=2, layers=1, generator=seeds.torch_generator(0))
    >>> x = torch.rand(3, 24)
    >>> seen = torch.ones(3, 24, dtype=torch.bool)
    >>> seen[:, -8:] = False
    >>> model(x, seen).shape, model.forecast(x[:, :16], seen[:, :16], 8).shape
    (torch.Size([3, 24]), torch.Size([3, 8]))
    """

    def __init__(
        self,
        patch: int,
        patches: int,
        *,
        generator: torch.Generator,
        channels: int = 0,
        width: int = 64,
        heads: int = 4,
        layers: int = 3,
        floor: float = 0.1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.patch = checks.integer("patch", patch, minimum=1)
        self.patches = checks.integer("patches", patches, minimum=1)
        self.channels = checks.integer("channels", channels, minimum=0)
        self.floor = checks.number("floor", floor, above=0)
        self.embedding = PatchEmbedding(patch, width)
        self.position_PW = nn.Parameter(torch.zeros(patches, width))
        self.side = nn.Linear(channels, width) if channels else None
        self.level = nn.Linear(2, width)
        self.blocks = nn.ModuleList(
            Block(width, heads, dropout=dropout) for _ in range(checks.integer("layers", layers, minimum=1))
        )
        self.last_norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, patch)
        _draw(self, generator)

    def forward(self, x_BT: torch.Tensor, seen_BT: torch.Tensor, c_BPC: torch.Tensor | None = None) -> torch.Tensor:
        """Return every value of the windows, seen or not, shape (B, T).

        Parameters
        ----------
        x_BT : torch.Tensor, shape (B, T)
            Values; whatever, NaN too, where not seen.
        seen_BT : torch.Tensor of bool, shape (B, T)
            Which values the model may use.
        c_BPC : torch.Tensor, shape (B, P, C), optional
            Side channels; needed where the model has any.

        Raises
        ------
        InputError
            NaN among what is seen, a window of which nothing is seen, a shape that does not fit.
        """
        self._check(x_BT, seen_BT, c_BPC)
        mean_B1, scale_B1 = self.measure(x_BT, seen_BT)
        normed_BT = (x_BT - mean_B1) / scale_B1
        token_BPW = self.embedding(cut(normed_BT, self.patch), cut(seen_BT, self.patch))
        token_BPW = token_BPW + self.position_PW[self.patches - token_BPW.shape[1] :]
        token_BPW = token_BPW + self.level(torch.cat([mean_B1 / scale_B1, scale_B1.log()], dim=1))[:, None]
        if self.side is not None:
            token_BPW = token_BPW + self.side(c_BPC)
        for block in self.blocks:
            token_BPW = block(token_BPW)
        out_BT: torch.Tensor = mean_B1 + scale_B1 * self.head(self.last_norm(token_BPW)).flatten(1)
        return out_BT

    def forecast(
        self, x_BL: torch.Tensor, seen_BL: torch.Tensor, horizon: int, c_BPC: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return the next `horizon` values after histories, shape (B, horizon).

        Parameters
        ----------
        x_BL : torch.Tensor, shape (B, L)
            Histories of L steps, a multiple of S.
        seen_BL : torch.Tensor of bool, shape (B, L)
            Which of them are seen.
        horizon : int
            Steps ahead.
        c_BPC : torch.Tensor, shape (B, P, C), optional
            Side channels of the patches of history and horizon.
        """
        steps = -(-checks.integer("horizon", horizon, minimum=1) // self.patch) * self.patch
        x_BT = nn.functional.pad(x_BL, (0, steps))
        seen_BT = nn.functional.pad(seen_BL, (0, steps))
        out_BT: torch.Tensor = self(x_BT, seen_BT, c_BPC)
        return out_BT[:, x_BL.shape[1] : x_BL.shape[1] + horizon]

    def measure(self, x_BT: torch.Tensor, seen_BT: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return mean and scale (standard deviation, at least `floor`) of what is seen, each of shape (B, 1)."""
        nothing = torch.zeros((), dtype=x_BT.dtype, device=x_BT.device)
        count_B1 = seen_BT.sum(dim=1, keepdim=True)
        mean_B1 = torch.where(seen_BT, x_BT, nothing).sum(dim=1, keepdim=True) / count_B1
        square_B1 = torch.where(seen_BT, (x_BT - mean_B1) ** 2, nothing).sum(dim=1, keepdim=True) / count_B1
        return mean_B1, square_B1.sqrt().clamp_min(self.floor)

    def _check(self, x_BT: torch.Tensor, seen_BT: torch.Tensor, c_BPC: torch.Tensor | None) -> None:
        most = self.patches * self.patch
        if x_BT.ndim != 2 or not 0 < x_BT.shape[1] <= most or x_BT.shape[1] % self.patch:
            rule = f"have shape (B, T) with T a multiple of {self.patch}, 1 to {most}"
            raise InputError("x", rule, tuple(x_BT.shape))
        if seen_BT.shape != x_BT.shape or seen_BT.dtype != torch.bool:
            raise InputError("seen", f"be bool of shape {tuple(x_BT.shape)}", f"{seen_BT.dtype} {tuple(seen_BT.shape)}")
        wanted = (x_BT.shape[0], x_BT.shape[1] // self.patch, self.channels)
        given = (*wanted[:2], 0) if c_BPC is None else tuple(c_BPC.shape)
        if given != wanted:
            raise InputError("c", f"have shape {wanted}, a row of channels for each patch", given)
        if c_BPC is not None and not bool(torch.isfinite(c_BPC).all()):
            raise InputError("c", "be finite", "NaN or infinite channels")
        if not bool((torch.isfinite(x_BT) | ~seen_BT).all()):
            bad = int((~torch.isfinite(x_BT) & seen_BT).sum())
            raise InputError(
                "x", "be finite where it is seen", f"{bad} NaN or infinite value(s)", "mask them in `seen`"
            )
        if not bool(seen_BT.any(dim=1).all()):
            empty = int((~seen_BT.any(dim=1)).sum())
            raise InputError("seen", "leave something to see in each window", f"{empty} window(s) without")


def _draw(model: nn.Module, generator: torch.Generator) -> None:
    """Draw weights normally, small; biases start at 0, norms at 1."""
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Linear):
                module.weight.normal_(0.0, module.in_features**-0.5, generator=generator)
                module.bias.zero_()
            elif isinstance(module, PatchEmbedding):
                module.mask_token.normal_(0.0, 0.02, generator=generator)
            elif isinstance(module, PatchTransformer):
                module.position_PW.normal_(0.0, 0.02, generator=generator)
                module.head.weight.zero_()
        if isinstance(model, PatchTransformer):
            model.head.weight.normal_(0.0, 0.02, generator=generator)
            for block in model.blocks:
                assert isinstance(block, Block)
                for last in (block.attention.out, block.fall):
                    last.weight.mul_((2 * len(model.blocks)) ** -0.5)
