"""The n-gram model with modified Kneser-Ney smoothing: the old way to predict the next token, hard to beat.

The probability of a token after the last n - 1 is its discounted share, mixed with that after one token fewer, down to
the uniform distribution. For all but the longest context what is counted is not how often a token came but after how
many different tokens: *Francisco* is frequent, yet comes after one word only.
Legend: N texts, L tokens, K distinct n-grams.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError

__all__ = ["KneserNey"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
DISCOUNT = 0.75  # where counts of counts are too few to estimate one


@dataclass(frozen=True, eq=False)
class _Order:
    """What is known of n-grams of one length: of each its count, of each context its total and its weight for less."""

    grams_K: IntArray
    count_K: IntArray
    contexts: IntArray
    total: IntArray
    spared: FloatArray
    discount: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class KneserNey:
    """An n-gram model; make one by `fit`.

    Parameters
    ----------
    order : int
        n.
    size : int
        Tokens are 0 to size - 1.
    start : int
        Token before the first one, never predicted.
    silent : int
        Tokens that are never predicted, the start among them: the rest share the uniform distribution.
    orders : tuple
        What is known of n-grams of length 1 to n.

    References
    ----------
    Chen, S. F. and Goodman, J. (1999). An empirical study of smoothing techniques for language modeling. Computer
    Speech and Language 13(4), 359-394.
    Kneser, R. and Ney, H. (1995). Improved backing-off for m-gram language modeling. ICASSP 1, 181-184.

    Examples
    --------
    >>> model = KneserNey.fit([[1, 2, 3], [1, 2, 2, 3]], order=2, size=4, start=0)
    >>> bool(model.losses([[1, 2, 3]])[0] < model.losses([[3, 2, 1]])[0])
    True
    """

    order: int
    size: int
    start: int
    silent: int
    orders: tuple[_Order, ...]

    @classmethod
    def fit(
        cls,
        texts: Sequence[Sequence[int]],
        *,
        order: int,
        size: int,
        start: int,
        silent: int = 1,
        discount: float | None = None,
    ) -> KneserNey:
        """Count.

        Parameters
        ----------
        texts : sequence of sequences of int
            Token ids of each text, without the start; an end, if there is one, is a token like others.
        order : int
            n; n - 1 tokens of context.
        size, start, silent : int
            As above.
        discount : float, optional
            One discount for all counts, 0 to 1 (plain Kneser-Ney). By default three for each order, for counts of 1, of
            2 and above, estimated from counts of counts (modified).

        Returns
        -------
        KneserNey

        Raises
        ------
        InputError
            No tokens, tokens out of range, or n-grams too long to be held in 62 bits.
        """
        order, size = checks.integer("order", order, minimum=1), checks.integer("size", size, minimum=2)
        checks.integer("start", start, minimum=0, maximum=size - 1)
        checks.integer("silent", silent, minimum=1, maximum=size - 1)
        if discount is not None:
            discount = checks.fraction("discount", discount, closed=True)
        if order * int(size).bit_length() > 62:
            raise InputError("order", f"be at most {62 // int(size).bit_length()} with {size} tokens", order)
        key = _packed(texts, order, size, start)[0]
        grams, count = np.unique(key, return_counts=True)
        orders = [_order(grams, count, size, discount)]
        for length in range(order - 1, 0, -1):
            grams, count = np.unique(grams % size**length, return_counts=True)  # after how many different tokens
            orders.append(_order(grams, count, size, discount))
        return cls(order, size, start, silent, tuple(orders[::-1]))

    def losses(self, texts: Sequence[Sequence[int]]) -> FloatArray:
        """Return minus the log probability of each text, the sum over its tokens, in nats, shape (N,)."""
        key, owner = _packed(texts, self.order, self.size, self.start)
        chance = np.full(len(key), 1 / (self.size - self.silent))
        for length, known in enumerate(self.orders, start=1):
            gram = key % self.size**length
            at, hit = _find(known.contexts, gram // self.size)
            place, seen = _find(known.grams_K, gram)
            count = np.where(seen, known.count_K[place], 0)
            cut = np.array([0.0, *known.discount])[np.minimum(count, 3)]
            with np.errstate(divide="ignore", invalid="ignore"):
                mixed = (count - cut) / known.total[at] + known.spared[at] * chance
            chance = np.where(hit, mixed, chance)
        return np.bincount(owner, -np.log(chance), minlength=len(texts)).astype(np.float64)


def _order(grams: IntArray, count: IntArray, size: int, discount: float | None) -> _Order:
    cuts = _discounts(count) if discount is None else (discount, discount, discount)
    contexts, which = np.unique(grams // size, return_inverse=True)
    total = np.bincount(which, count).astype(np.int64)
    spared = np.bincount(which, np.array(cuts)[np.minimum(count, 3) - 1]) / total
    return _Order(grams, count, contexts, total, spared, cuts)


def _discounts(count: IntArray) -> tuple[float, float, float]:
    """Estimate the three discounts from how many n-grams came 1, 2, 3 and 4 times; one for all where any is none."""
    n = [np.count_nonzero(count == k) for k in range(1, 5)]
    if n[0] == 0 or n[1] == 0:
        return DISCOUNT, DISCOUNT, DISCOUNT
    share = n[0] / (n[0] + 2 * n[1])
    found = [k - (k + 1) * share * n[k] / n[k - 1] if n[k - 1] else 0.0 for k in (1, 2, 3)]
    good = all(n) and all(0 < cut <= k for k, cut in zip((1, 2, 3), found, strict=True))
    return (found[0], found[1], found[2]) if good else (share, share, share)


def _packed(texts: Sequence[Sequence[int]], order: int, size: int, start: int) -> tuple[IntArray, IntArray]:
    """Return each token with the n - 1 before it as one number, and the text it belongs to."""
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    if lengths.sum() == 0:
        raise InputError("texts", "hold at least one token", 0)
    pad = order - 1
    flat = np.full(int(lengths.sum()) + pad * len(texts), start, dtype=np.int64)
    owner = np.repeat(np.arange(len(texts)), lengths)
    at = np.arange(len(owner)) + pad * (owner + 1)
    tokens = np.concatenate([np.asarray(text, dtype=np.int64) for text in texts if len(text)])
    if tokens.min() < 0 or tokens.max() >= size:
        raise InputError("texts", f"hold tokens from 0 to {size - 1}", f"{tokens.min()} to {tokens.max()}")
    flat[at] = tokens
    key = np.zeros(len(at), dtype=np.int64)
    for back in range(pad, -1, -1):
        key = key * size + flat[at - back]
    return key, owner


def _find(known: IntArray, wanted: IntArray) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """Return where each is among the sorted `known`, and whether it is."""
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return place, known[place] == wanted
