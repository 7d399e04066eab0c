"""A small transformer over tokens, causal or masked by argument, and a classifier on it.

A causal model sees the tokens before one and predicts it; a masked model sees both sides and predicts what was hidden.
Legend: B texts, L tokens, W width, A heads, D = W / A numbers a head, V distinct tokens, C classes, P tokens predicted.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from citylib import checks
from citylib.errors import InputError
from citylib.neural.layers.attention import Block

__all__ = ["LanguageModel", "TextClassifier"]


class LanguageModel(nn.Module):
    """Predict tokens: embeddings, blocks of attention, and the embeddings again to score each token of the vocabulary.

    Parameters
    ----------
    size : int
        V.
    length : int
        Longest text, L.
    causal : bool
        Whether a token sees only those before it and itself.
    pad : int
        Token that fills short texts at their end; nothing attends to it.
    generator : torch.Generator
        From `citylib.seeds.torch_generator`; draws the weights.
    width, heads, layers : int
        W, A and the number of blocks.

    References
    ----------
    Vaswani, A. et al. (2017). Attention is all you need. NeurIPS.
    Radford, A. et al. (2018). Improving language understanding by generative pre-training. OpenAI (causal).
    Devlin, J. et al. (2019). BERT: pre-training of deep bidirectional transformers. NAACL (masked).

    Examples
    --------
    >>> from citylib import seeds
    >>> model = LanguageModel(50, 8, causal=True, pad=0, generator=seeds.torch_generator(0), width=16, heads=2)
    >>> model(torch.tensor([[4, 7, 9, 0]])).shape
    torch.Size([1, 4, 50])
    """

    def __init__(
        self,
        size: int,
        length: int,
        *,
        causal: bool,
        pad: int,
        generator: torch.Generator,
        width: int = 64,
        heads: int = 4,
        layers: int = 2,
    ) -> None:
        super().__init__()
        self.causal, self.pad, self.width, self.size = causal, pad, width, size
        self.length = checks.integer("length", length, minimum=1)
        self.tokens = nn.Embedding(checks.integer("size", size, minimum=2), width)
        self.places = nn.Embedding(length, width)
        count = checks.integer("layers", layers, minimum=1)
        self.blocks = nn.ModuleList(Block(width, heads, widen=4) for _ in range(count))
        self.norm = nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(size))
        _draw(self, generator)

    def hidden(self, x_BL: torch.Tensor) -> torch.Tensor:
        """Return what is known of each token in its context, shape (B, L, W)."""
        if x_BL.shape[1] > self.length:
            raise InputError("x_BL", f"have at most {self.length} tokens a text", x_BL.shape[1])
        h_BLW = self.tokens(x_BL) + self.places.weight[: x_BL.shape[1]]
        seen = None if self.causal else x_BL != self.pad
        for block in self.blocks:
            h_BLW = block(h_BLW, seen, causal=self.causal)
        out_BLW: torch.Tensor = self.norm(h_BLW)
        return out_BLW

    def forward(self, x_BL: torch.Tensor, asked_BL: torch.Tensor | None = None) -> torch.Tensor:
        """Return the scores of all tokens before the softmax, shape (B, L, V), or (P, V) for the P places asked."""
        h_BLW = self.hidden(x_BL)
        return functional.linear(h_BLW if asked_BL is None else h_BLW[asked_BL], self.tokens.weight, self.bias)


class TextClassifier(nn.Module):
    """Tell C classes of texts apart by one linear layer on the mean of a masked model's hidden tokens.

    Parameters
    ----------
    body : LanguageModel
        Not causal; its weights learn too. Pre-trained or freshly drawn: that is what fine-tuning compares.
    classes : int
        C.
    generator : torch.Generator
        Draws the weights of the last layer.

    Raises
    ------
    InputError
        A causal body.

    Examples
    --------
    >>> from citylib import seeds
    >>> draw = seeds.torch_generator(0)
    >>> body = LanguageModel(50, 8, causal=False, pad=0, generator=draw, width=16, heads=2)
    >>> TextClassifier(body, 3, generator=draw)(torch.tensor([[4, 7, 9, 0]])).shape
    torch.Size([1, 3])
    """

    def __init__(self, body: LanguageModel, classes: int, *, generator: torch.Generator) -> None:
        super().__init__()
        if body.causal:
            raise InputError("body", "be a masked model: each token must see both sides", "causal")
        self.body = body
        self.head = nn.Linear(body.width, checks.integer("classes", classes, minimum=2))
        with torch.no_grad():
            self.head.weight.normal_(0, 0.02, generator=generator)
            self.head.bias.zero_()

    def forward(self, x_BL: torch.Tensor) -> torch.Tensor:
        """Return the scores of the classes before the softmax, shape (B, C)."""
        kept_BL1 = (x_BL != self.body.pad)[:, :, None].float()
        mean_BW = (self.body.hidden(x_BL) * kept_BL1).sum(dim=1) / kept_BL1.sum(dim=1).clamp(min=1)
        scores_BC: torch.Tensor = self.head(mean_BW)
        return scores_BC


def _draw(model: nn.Module, generator: torch.Generator) -> None:
    """Draw matrices from a normal distribution of standard deviation 0.02, as its authors did; biases start at 0."""
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.dim() > 1:
                value.normal_(0, 0.02, generator=generator)
            elif name.endswith("bias"):
                value.zero_()
