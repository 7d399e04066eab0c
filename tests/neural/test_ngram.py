"""Kneser-Ney by hand, by a plain form, and by the law that chances add up to one."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citylib.errors import InputError
from citylib.neural.ngram import KneserNey

Texts = list[list[int]]


def chance(model: KneserNey, before: list[int], token: int) -> float:
    """Return the probability of a token, as the quotient of two texts'."""
    both = model.losses([[*before, token]])[0]
    return float(np.exp((model.losses([before])[0] if before else 0.0) - both))


def test_by_hand() -> None:
    """Two texts, ``1 2`` and ``1 3``, bigrams, one discount of a half, start 0, so tokens 1, 2, 3 can come.

    Bigrams: 01 twice, 12 and 13 once. Tokens come after so many others: 1 after one (0), 2 after one, 3 after one, of
    three in all. Unigrams: (1 - 1/2) / 3 + (3 * 1/2 / 3) * 1/3 = 1/6 + 1/6 = 1/3 each. After 1: 2 came once of two:
    (1 - 1/2) / 2 + (2 * 1/2 / 2) * 1/3 = 1/4 + 1/6 = 5/12, as much for 3, and 1 gets 1/6. After 0: 1 came twice of
    two: (2 - 1/2) / 2 + (1/2 / 2) * 1/3 = 3/4 + 1/12 = 5/6.
    """
    model = KneserNey.fit([[1, 2], [1, 3]], order=2, size=4, start=0, discount=0.5)
    assert chance(model, [], 1) == pytest.approx(5 / 6)
    assert chance(model, [], 2) == pytest.approx(1 / 12)
    assert chance(model, [1], 2) == pytest.approx(5 / 12)
    assert chance(model, [1], 1) == pytest.approx(1 / 6)
    assert chance(model, [1, 3], 2) == pytest.approx(1 / 3)  # 3 was followed by nothing: the unigrams alone


def plain(texts: Texts, order: int, size: int, cuts: list[tuple[float, float, float]]) -> object:
    """Return the model as the formula has it, with dictionaries."""
    grams = [Counter[tuple[int, ...]]() for _ in range(order + 1)]
    for text in texts:
        whole = [0] * (order - 1) + text
        for at in range(order - 1, len(whole)):
            grams[order][tuple(whole[at - order + 1 : at + 1])] += 1
    for length in range(order - 1, 0, -1):
        grams[length] = Counter(gram[1:] for gram in grams[length + 1])

    def probability(context: tuple[int, ...], token: int) -> float:
        length = len(context) + 1
        less = probability(context[1:], token) if context else 1 / (size - 1)
        followers = {gram: n for gram, n in grams[length].items() if gram[:-1] == context}
        if not followers:
            return less
        total = sum(followers.values())
        cut = [0.0, *cuts[length - 1]]
        count = followers.get((*context, token), 0)
        spared = sum(cut[min(n, 3)] for n in followers.values()) / total
        return (count - cut[min(count, 3)]) / total + spared * less

    return probability


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    texts=st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=8), min_size=1, max_size=12),
    order=st.integers(1, 4),
    discount=st.sampled_from([None, 0.3, 0.75]),
)
def test_fast_and_plain_agree(texts: Texts, order: int, discount: float | None) -> None:
    model = KneserNey.fit(texts, order=order, size=6, start=0, discount=discount)
    probability = plain(texts, order, 6, [known.discount for known in model.orders])
    new = [[1, 2, 3, 1], [5, 5, 4]]
    for text, lost in zip(new, model.losses(new), strict=True):
        whole = [0] * (order - 1) + text
        chances = [
            probability(tuple(whole[k - order + 1 : k]), whole[k])  # type: ignore[operator]
            for k in range(order - 1, len(whole))
        ]
        assert lost == pytest.approx(-np.log(chances).sum(), rel=1e-9)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    texts=st.lists(st.lists(st.integers(1, 7), min_size=1, max_size=9), min_size=2, max_size=20),
    before=st.lists(st.integers(1, 7), max_size=4),
)
def test_chances_add_up_to_one(texts: Texts, before: list[int]) -> None:
    model = KneserNey.fit(texts, order=3, size=8, start=0)
    assert sum(chance(model, before, token) for token in range(1, 8)) == pytest.approx(1)


def test_an_unknown_token_has_a_chance_and_more_context_helps() -> None:
    text = [1, 2, 3, 4] * 10
    found = [KneserNey.fit([text], order=n, size=9, start=0).losses([text])[0] for n in (1, 2, 3)]
    assert found[0] > found[1]
    assert np.isfinite(KneserNey.fit([text], order=3, size=9, start=0).losses([[8, 8]])[0])


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"texts": [[]]}, "at least one token"),
        ({"texts": [[9]]}, "tokens from 0"),
        ({"order": 30}, "order"),
        ({"order": 0}, "order"),
        ({"start": 9}, "start"),
        ({"discount": 1.5}, "discount"),
    ],
)
def test_refusals(change: dict[str, object], match: str) -> None:
    given_ = {"texts": [[1, 2]], "order": 2, "size": 8, "start": 0} | change
    with pytest.raises(InputError, match=match):
        KneserNey.fit(given_.pop("texts"), **given_)  # type: ignore[arg-type]
