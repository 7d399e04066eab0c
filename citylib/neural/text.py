"""Texts as tokens: a byte-pair vocabulary learned from training texts, and the scores of what predicts them.

Legend: N texts, B texts in a batch, L tokens, V distinct tokens, P tokens predicted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers
from torch.nn import functional

from citylib import checks
from citylib.errors import InputError
from citylib.neural.models.language_model import LanguageModel

__all__ = ["Texts", "Vocabulary", "grouped", "losses", "masked_token", "next_token", "perplexity"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
SPECIAL = ("[pad]", "[start]", "[mask]", "[end]", "[unknown]")  # the first three are never predicted
PAD, START, MASK, END, UNKNOWN = range(5)
SILENT = 3


@dataclass(frozen=True, eq=False)
class Texts:
    """Texts as tokens.

    Parameters
    ----------
    ids : ndarray of int, shape (N, L + 1)
        Start, tokens, end (where it fits), padding.
    tokens : ndarray of int, shape (N,)
        Predicted in each: all but start and padding.
    characters, words : ndarray of int, shape (N,)
        That these tokens spell, the end counting as one of each, so that models with other tokens can be compared.
    """

    ids: IntArray
    tokens: IntArray
    characters: IntArray
    words: IntArray

    def lists(self) -> list[list[int]]:
        """Return the predicted tokens of each text, as `citylib.neural.ngram` takes them."""
        return [row[1 : 1 + n].tolist() for row, n in zip(self.ids, self.tokens, strict=True)]

    def groups(self, tokens: int, *, generator: np.random.Generator) -> torch.Tensor:
        """Return groups of texts of like length, about as many tokens in each: batches with little padding.

        Parameters
        ----------
        tokens : int
            In a group, padding included.
        generator : numpy.random.Generator
            Decides which of texts of one length go together.

        Returns
        -------
        torch.Tensor of int, shape (groups, most texts in one)
            Rows of texts, -1 where a group has fewer; `grouped` makes a loss that takes them.
        """
        tokens = checks.integer("tokens", tokens, minimum=self.ids.shape[1])
        order = generator.permutation(len(self.ids))
        order = order[np.argsort(self.tokens[order], kind="stable")]
        found: list[list[int]] = [[]]
        for row in order.tolist():
            if found[-1] and (len(found[-1]) + 1) * (self.tokens[row] + 1) > tokens:
                found.append([])
            found[-1].append(row)
        out = torch.full((len(found), max(map(len, found))), -1)
        for group, rows in enumerate(found):
            out[group, : len(rows)] = torch.tensor(rows)
        return out

    def part(self, rows: npt.ArrayLike) -> Texts:
        """Return some of the texts, by their rows or by a mask."""
        at = np.asarray(rows)
        return Texts(self.ids[at], self.tokens[at], self.characters[at], self.words[at])

    def tensor(self) -> torch.Tensor:
        """Return the ids as a tensor, shape (N, L + 1)."""
        return torch.from_numpy(self.ids)


class Vocabulary:
    """A byte-pair vocabulary over words, numbers marks and punctuation; make one by `learn`.

    Parameters
    ----------
    tokenizer : tokenizers.Tokenizer
        Trained.

    Examples
    --------
    >>> words = Vocabulary.learn(["the lamp is out [name]", "the lamp is fixed"] * 4, size=40, marks=["[name]"])
    >>> found = words.encode(["the lamp [name]"], length=6)
    >>> found.tokens.item(), found.characters.item(), found.words.item(), bool(found.ids[0, 0] == START)
    (4, 16, 4, True)
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.size: int = tokenizer.get_vocab_size()

    @classmethod
    def learn(cls, texts: Sequence[str], *, size: int, marks: Sequence[str] = (), least: int = 2) -> Vocabulary:
        """Learn which pairs of signs to join, from training texts only.

        Parameters
        ----------
        texts : sequence of str
            Training texts, masked.
        size : int
            Distinct tokens, at most.
        marks : sequence of str
            Words in brackets that are one token each and never split.
        least : int, default 2
            Times a pair must occur to be joined.

        Returns
        -------
        Vocabulary

        Raises
        ------
        InputError
            No texts, or a size that leaves nothing besides the special tokens.

        References
        ----------
        Sennrich, R., Haddow, B. and Birch, A. (2016). Neural machine translation of rare words with subword units. ACL.
        """
        if not len(texts):
            raise InputError("texts", "hold at least one", 0)
        special = [*SPECIAL, *marks]
        size = checks.integer("size", size, minimum=len(special) + 2)
        tokenizer = Tokenizer(models.BPE(unk_token="[unknown]"))
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Split(Regex(r"\s+"), "removed"), pre_tokenizers.Punctuation("isolated")]
        )
        trainer = trainers.BpeTrainer(vocab_size=size, min_frequency=least, special_tokens=special, show_progress=False)
        tokenizer.train_from_iterator(texts, trainer)
        return cls(tokenizer)

    def encode(self, texts: Sequence[str], *, length: int) -> Texts:
        """Return texts as tokens; what is longer than `length` tokens, the end among them, is cut off.

        Parameters
        ----------
        texts : sequence of str
            Masked as the training texts were.
        length : int
            L.

        Returns
        -------
        Texts

        Raises
        ------
        InputError
            A single text in place of a sequence: it would be taken for a text a letter.
        """
        if isinstance(texts, str):
            raise InputError("texts", "be a sequence of texts, such as a list of one", "a single text")
        length = checks.integer("length", length, minimum=1)
        ids = np.full((len(texts), length + 1), PAD, dtype=np.int64)
        ids[:, 0] = START
        tokens, characters, words = (np.zeros(len(texts), dtype=np.int64) for _ in range(3))
        for row, (text, found) in enumerate(zip(texts, self.tokenizer.encode_batch(list(texts)), strict=True)):
            whole = len(found.ids) < length
            taken = [*found.ids, END] if whole else found.ids[:length]
            ids[row, 1 : 1 + len(taken)] = taken
            spelt = text if whole else text[: found.offsets[length - 1][1]]
            tokens[row] = len(taken)
            characters[row], words[row] = len(spelt) + whole, len(spelt.split()) + whole
        return Texts(ids, tokens, characters, words)


def next_token(model: LanguageModel, x_BL: torch.Tensor) -> torch.Tensor:
    """Return the mean loss of predicting each token from those before it, in nats; padding does not count.

    Parameters
    ----------
    model : LanguageModel
        Causal.
    x_BL : torch.Tensor of int, shape (B, L + 1)
        Start, tokens, padding.

    Returns
    -------
    torch.Tensor
        A single number.
    """
    x_BL = _trimmed(x_BL)
    real_BL = x_BL[:, 1:] != PAD
    return functional.cross_entropy(model(x_BL[:, :-1], real_BL), x_BL[:, 1:][real_BL])


def masked_token(
    generator: torch.Generator, *, share: float = 0.15
) -> Callable[[LanguageModel, torch.Tensor], torch.Tensor]:
    """Return the loss of a masked model: a share of the tokens is hidden at random, afresh each time, and predicted.

    Of those chosen 8 in 10 are replaced by the mask, 1 by a random token, 1 is left as it is, so that the model must
    have an opinion of every token it sees.

    Parameters
    ----------
    generator : torch.Generator
        Draws what is hidden.
    share : float, default 0.15
        Of the tokens, each for itself.

    Returns
    -------
    callable
        ``loss(model, x_BL)``, the mean loss over hidden tokens in nats, as `citylib.neural.train` takes it.

    References
    ----------
    Devlin, J. et al. (2019). BERT: pre-training of deep bidirectional transformers. NAACL.
    """
    share = checks.fraction("share", share)

    def loss(model: LanguageModel, x_BL: torch.Tensor) -> torch.Tensor:
        x_BL = _trimmed(x_BL)
        chance_BL = torch.rand(x_BL.shape, generator=generator)
        kind_BL = torch.rand(x_BL.shape, generator=generator)
        other_BL = torch.randint(SILENT, model.size, x_BL.shape, generator=generator)
        chance_BL, kind_BL, other_BL = (drawn.to(x_BL.device) for drawn in (chance_BL, kind_BL, other_BL))
        real_BL = (x_BL != PAD) & (x_BL != START)
        hidden_BL = real_BL & (chance_BL < share)
        if not hidden_BL.any():
            hidden_BL = real_BL
        given_BL = torch.where(hidden_BL & (kind_BL < 0.8), torch.full_like(x_BL, MASK), x_BL)
        given_BL = torch.where(hidden_BL & (kind_BL >= 0.9), other_BL, given_BL)
        return functional.cross_entropy(model(given_BL, hidden_BL), x_BL[hidden_BL])

    return loss


def grouped(
    loss: Callable[[LanguageModel, torch.Tensor], torch.Tensor], x_NL: torch.Tensor
) -> Callable[[LanguageModel, torch.Tensor], torch.Tensor]:
    """Return `loss` for groups of rows of `x_NL`, as `Texts.groups` makes them, so that `train` draws whole groups.

    Parameters
    ----------
    loss : callable
        ``loss(model, x_BL)``.
    x_NL : torch.Tensor of int, shape (N, L + 1)
        All texts.

    Returns
    -------
    callable
        ``loss(model, rows)``; train with ``batch=1``.
    """

    def of_rows(model: LanguageModel, rows: torch.Tensor) -> torch.Tensor:
        return loss(model, x_NL.to(rows.device)[rows[rows >= 0]])

    return of_rows


def losses(model: LanguageModel, texts: Texts, *, batch: int = 256) -> FloatArray:
    """Return minus the log probability of each text under a causal model, in nats, shape (N,).

    Parameters
    ----------
    model : LanguageModel
        Causal.
    texts : Texts
        Of its vocabulary.
    batch : int, default 256
        Texts at a time.

    Returns
    -------
    ndarray

    Raises
    ------
    InputError
        A masked model: it sees what it is to predict. No texts, or tokens that the model does not know.
    """
    if not model.causal:
        raise InputError("model", "be causal: a masked model sees both sides of a token", "masked")
    if not len(texts.ids):
        raise InputError("texts", "hold at least one", 0)
    if texts.ids.max() >= model.size:
        raise InputError("texts", f"be of the model's vocabulary of {model.size} tokens", f"token {texts.ids.max()}")
    batch = checks.integer("batch", batch, minimum=1)
    out = np.zeros(len(texts.ids))
    where = next(model.parameters()).device
    order = np.argsort(texts.tokens, kind="stable")  # short ones together, so that little padding is worked on
    was = model.training
    model.eval()
    try:
        with torch.no_grad():
            for rows in np.array_split(order, math.ceil(len(order) / batch)):
                x_BL = _trimmed(torch.from_numpy(texts.ids[rows]).to(where))
                real_BL = x_BL[:, 1:] != PAD
                lost_P = functional.cross_entropy(model(x_BL[:, :-1], real_BL), x_BL[:, 1:][real_BL], reduction="none")
                owner_P = real_BL.nonzero()[:, 0].cpu().numpy()
                out[rows] = np.bincount(owner_P, lost_P.cpu().double().numpy(), minlength=len(rows))
    finally:
        model.train(was)
    return out


def perplexity(losses_N: npt.ArrayLike, texts: Texts) -> dict[str, float]:
    """Return how unsure a model is: perplexity by token and by word, and bits by character.

    A perplexity of k says: as unsure as a choice among k that are equally likely. By token it depends on how texts are
    cut; by word and by character models with other tokens can be compared.

    Parameters
    ----------
    losses_N : array_like, shape (N,)
        Minus the log probability of each text, in nats.
    texts : Texts
        The texts.

    Returns
    -------
    dict
        ``token``, ``word`` and ``bits_per_character``.

    Raises
    ------
    InputError
        No losses, some that are missing, or not one a text.

    Examples
    --------
    >>> one = Texts(np.zeros((1, 5), dtype=int), np.array([4]), np.array([8]), np.array([2]))
    >>> perplexity([4 * np.log(2)], one) == {"token": 2.0, "word": 4.0, "bits_per_character": 0.5}
    True
    """
    lost_N = checks.series("losses_N", losses_N)
    checks.same_length(losses_N=lost_N, texts=texts.ids)
    total = float(lost_N.sum())
    return {
        "token": math.exp(total / texts.tokens.sum()),
        "word": math.exp(total / texts.words.sum()),
        "bits_per_character": total / math.log(2) / float(texts.characters.sum()),
    }


def _trimmed(x_BL: torch.Tensor) -> torch.Tensor:
    """Cut off columns that are padding in every text."""
    return x_BL[:, : int((x_BL != PAD).sum(dim=1).max())]
