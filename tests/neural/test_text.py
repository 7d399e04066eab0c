"""Tokens from training texts only; a causal model sees no future, padding counts for nothing, chances add up."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from citylib import seeds
from citylib.errors import InputError
from citylib.neural import losses as of
from citylib.neural import text, train
from citylib.neural.models.language_model import LanguageModel, TextClassifier
from citylib.neural.text_masking import MARKS

TEXTS = ["the lamp is out on [name] street", "the crew fixed the lamp", "trash picked up by the crew [date]"] * 8


@pytest.fixture(scope="module")
def words() -> text.Vocabulary:
    return text.Vocabulary.learn(TEXTS, size=80, marks=MARKS)


def model(words: text.Vocabulary, *, causal: bool, length: int = 13) -> LanguageModel:
    draw = seeds.torch_generator(0, "weights")
    return LanguageModel(words.size, length, causal=causal, pad=text.PAD, generator=draw, width=16, heads=2)


def test_tokens_spell_the_text(words: text.Vocabulary) -> None:
    found = words.encode(["the lamp [name]", ""], length=12)
    assert found.ids.shape == (2, 13)
    assert (found.ids[:, 0] == text.START).all()
    row = found.lists()[0]
    assert row[-1] == text.END
    assert words.tokenizer.id_to_token(row[-2]) == "[name]"
    assert found.characters.tolist() == [16, 1]
    assert found.words.tolist() == [4, 1]
    assert found.tokens.tolist()[1] == 1


def test_long_texts_are_cut_and_counted_as_cut(words: text.Vocabulary) -> None:
    found = words.encode(["the crew fixed the lamp"], length=3)
    assert found.tokens.item() == 3
    assert text.END not in found.ids
    assert found.characters.item() < len("the crew fixed the lamp")


def test_signs_never_seen_are_one_token_unknown(words: text.Vocabulary) -> None:
    assert text.UNKNOWN in words.encode(["§"], length=4).ids


def test_groups_hold_every_text_once_and_little_padding(words: text.Vocabulary) -> None:
    found = words.encode(TEXTS, length=12)
    groups = found.groups(40, generator=seeds.generator(0))
    rows = groups[groups >= 0].numpy()
    assert sorted(rows.tolist()) == list(range(len(TEXTS)))
    for group in groups:
        lengths = found.tokens[group[group >= 0].numpy()]
        assert len(lengths) * (lengths.max() + 1) <= 40 or len(lengths) == 1


def test_a_causal_model_sees_no_future(words: text.Vocabulary) -> None:
    net, x_BL = model(words, causal=True), torch.randint(5, words.size, (2, 12))
    other_BL = x_BL.clone()
    other_BL[:, 7:] = 6
    with torch.no_grad():
        assert torch.allclose(net(x_BL)[:, :7], net(other_BL)[:, :7], atol=1e-6)
        assert not torch.allclose(net(x_BL)[:, 7:], net(other_BL)[:, 7:], atol=1e-6)
        masked = model(words, causal=False)
        assert not torch.allclose(masked(x_BL)[:, :7], masked(other_BL)[:, :7], atol=1e-6)


@pytest.mark.parametrize("causal", [True, False])
def test_padding_changes_nothing(words: text.Vocabulary, causal: bool) -> None:
    net, short_BL = model(words, causal=causal), torch.randint(5, words.size, (2, 6))
    long_BL = torch.cat([short_BL, torch.full((2, 5), text.PAD)], dim=1)
    with torch.no_grad():
        assert torch.allclose(net(short_BL), net(long_BL)[:, :6], atol=1e-5)


def test_losses_are_of_the_tokens_asked_for(words: text.Vocabulary) -> None:
    net, found = model(words, causal=True).eval(), words.encode(TEXTS[:3], length=12)
    lost = text.losses(net, found)
    with torch.no_grad():
        log = torch.log_softmax(net(found.tensor()[:, :-1]), dim=-1)
    by_hand = [-sum(float(log[k, j, t]) for j, t in enumerate(row)) for k, row in enumerate(found.lists())]
    assert lost == pytest.approx(by_hand, rel=1e-4)
    mean = float(text.next_token(net, found.tensor()).detach())
    assert mean == pytest.approx(lost.sum() / found.tokens.sum(), rel=1e-4)
    with pytest.raises(InputError, match="causal"):
        text.losses(model(words, causal=False), found)


def test_perplexity_of_knowing_nothing_is_the_size_of_the_vocabulary(words: text.Vocabulary) -> None:
    found = words.encode(TEXTS, length=12)
    by_token = text.perplexity(found.tokens * np.log(words.size), found)
    assert by_token["token"] == pytest.approx(words.size)
    assert by_token["word"] >= by_token["token"] * (1 - 1e-12)


def test_both_kinds_learn(words: text.Vocabulary) -> None:
    found = words.encode(TEXTS, length=12)
    hide = text.masked_token(seeds.torch_generator(0, "mask"), share=0.3)
    for causal, loss in ((True, text.next_token), (False, hide)):
        net = model(words, causal=causal)
        groups = found.groups(200, generator=seeds.generator(0))
        went = train.train(net, text.grouped(loss, found.tensor()), (groups,), epochs=30, batch=1, rate=0.01,
                           generator=seeds.torch_generator(0, "order"))  # fmt: skip
        assert went.train[-1] < 0.5 * went.train[0]


def test_a_classifier_starts_from_what_was_pre_trained(words: text.Vocabulary) -> None:
    found, body = words.encode(TEXTS, length=12), model(words, causal=False)
    before = {name: value.clone() for name, value in body.state_dict().items()}
    net = TextClassifier(body, 3, generator=seeds.torch_generator(0, "head"))
    assert all(torch.equal(net.body.state_dict()[name], value) for name, value in before.items())
    y_N = torch.arange(len(TEXTS)) % 3
    train.train(net, of.classifying, (found.tensor(), y_N), generator=seeds.torch_generator(0), epochs=20, rate=0.01)
    assert (net(found.tensor()).argmax(dim=1) == y_N).all()


def test_losses_leave_the_model_as_it_was_and_refuse_other_texts(words: text.Vocabulary) -> None:
    net, found = model(words, causal=True).train(), words.encode(TEXTS[:3], length=12)
    after = []
    for mode in (True, False):
        text.losses(net.train(mode), found)
        after.append(net.training)
    assert after == [True, False]
    other = text.Texts(found.ids + words.size, found.tokens, found.characters, found.words)
    for bad, rule in (
        (found.part([False] * 3), "at least one"),
        (other, "vocabulary"),
        (words.encode([], length=3), "one"),
    ):
        with pytest.raises(InputError, match=rule):
            text.losses(net, bad)
    with pytest.raises(InputError, match="at most 13"):
        text.losses(net.train(), words.encode(["the lamp is out " * 9], length=30))
    assert net.training
    with pytest.raises(InputError, match="same length"):
        text.perplexity([1.0, 2.0], found)
    with pytest.raises(InputError, match="sequence of texts"):
        words.encode("lamp", length=6)


def test_refusals(words: text.Vocabulary) -> None:
    draw = seeds.torch_generator(0)
    with pytest.raises(InputError, match="texts"):
        text.Vocabulary.learn([], size=80)
    with pytest.raises(InputError, match="size"):
        text.Vocabulary.learn(TEXTS, size=5)
    with pytest.raises(InputError, match="at most 13 tokens"):
        model(words, causal=True)(torch.ones(1, 20, dtype=torch.long))
    with pytest.raises(InputError, match="heads"):
        LanguageModel(9, 4, causal=True, pad=0, generator=draw, width=10, heads=4)
    with pytest.raises(InputError, match="masked model"):
        TextClassifier(model(words, causal=True), 3, generator=draw)
    with pytest.raises(InputError, match="share"):
        text.masked_token(draw, share=0.0)
