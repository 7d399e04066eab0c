"""Attacks keep to the ball and find what theory says; adversarial training pays; bad input is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from citylib import seeds
from citylib.allocation import attack, learn, policy, problem
from citylib.allocation.policies.deep_sets import DeepSets
from citylib.allocation.policies.equal import equal
from citylib.allocation.policies.network import Network
from citylib.allocation.policies.pointwise import Pointwise
from citylib.errors import InputError

EPS = 0.25


def known(part, count=60, resources=6):
    return problem.contexts(count, resources, seed=0, part=part)


def seen(of, *, true=True, mask=None):
    a = of.scale_BN if true else of.observed_BN
    return learn.examples(of.features_BNF, of.budget_B, a, of.rate_BN, mask_BN=mask)


@pytest.fixture(scope="module")
def trained():
    model = Network(DeepSets(8, 32, generator=seeds.torch_generator(0)), "water-filling")
    how = {"generator": seeds.torch_generator(1), "epochs": 12, "rate": 1e-2, "decay": 0.1}
    learn.fit(model, seen(known("train", 1500, 12), true=False), way="two-stage", **how)
    return model


def first(x, mask, budget):
    return torch.softmax(x[:, :, 0].masked_fill(~mask, -torch.inf), dim=1)


ATTACKS = {
    "fgsm": lambda p, s, **more: attack.fgsm(p, s, eps=EPS, **more),
    "pgd": lambda p, s, **more: attack.pgd(p, s, eps=EPS, generator=seeds.torch_generator(0), **more),
    "random": lambda p, s, **more: attack.random_points(
        p, s, eps=EPS, generator=seeds.torch_generator(0), points=20, **more
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_they_keep_to_the_ball_and_to_the_features_asked_for(name, trained):
    mask = np.ones((60, 6), bool)
    mask[:, 5] = False
    given = seen(known("test"), mask=mask)
    off = ATTACKS[name](trained, given) - given[0]
    assert float(off.abs().max()) <= EPS + 1e-6
    assert float(off[:, 5].abs().max()) == 0, "nothing is wrong behind the mask"
    some = ATTACKS[name](trained, given, features=[1, 3]) - given[0]
    assert float(some[:, :, [0, 2, 4, 5, 6, 7]].abs().max()) == 0
    assert float(some.abs().max()) > 0


def test_a_rule_of_one_feature_is_led_to_the_corner():
    """With shares that rise in one feature alone, the worst is known: take from the best, give to the worst."""
    given = (torch.zeros(1, 2, 3), torch.ones(1, 2, dtype=torch.bool), torch.ones(1), torch.tensor([[3.0, 1.0]]),
             torch.ones(1, 2))  # fmt: skip
    for name in ("fgsm", "pgd"):
        off = ATTACKS[name](first, given)[0]
        assert off[:, 0].tolist() == pytest.approx([-EPS, EPS])


def test_pgd_is_worse_than_fgsm_and_that_worse_than_chance(trained):
    given = seen(known("test"))
    value = {name: attack.benefit(trained, made(trained, given), given) for name, made in ATTACKS.items()}
    clean = attack.benefit(trained, given[0], given)
    means = {name: float(v.detach().mean()) for name, v in value.items()}
    assert means["pgd"] < means["fgsm"] < float(clean.detach().mean())
    assert means["pgd"] < means["random"] < float(clean.detach().mean())


def test_pgd_gives_the_worst_point_it_met(trained):
    given = seen(known("test"))
    one = attack.pgd(trained, given, eps=EPS, generator=seeds.torch_generator(4), steps=1)
    start = 2 * torch.rand(given[0].shape, generator=seeds.torch_generator(4)) - 1
    begun = attack.benefit(trained, given[0] + EPS * start, given)
    assert bool((attack.benefit(trained, one, given) <= begun + 1e-6).all())


def test_no_ball_is_no_attack(trained):
    given = seen(known("test"))
    for made in (attack.fgsm(trained, given, eps=0), attack.pgd(trained, given, eps=0, generator=torch.Generator())):
        assert torch.equal(made, given[0])


def test_the_state_of_torch_and_of_the_policy_stays(trained):
    given, before = seen(known("test", 5)), torch.default_generator.get_state()
    ATTACKS["pgd"](trained, given)
    assert torch.equal(before, torch.default_generator.get_state())
    assert all(p.grad is None or not p.grad.isnan().any() for p in trained.parameters())


def test_adversarial_training_pays_and_repeats(trained):
    rows = known("train", 600, 12)
    told = learn.without_noise(trained, seen(rows, true=False))
    models = []
    for _ in range(2):
        model = Network(DeepSets(8, 32, generator=seeds.torch_generator(0)), "water-filling")
        model.load_state_dict(trained.state_dict())
        learn.fit_robust(model, told, eps=EPS, generator=seeds.torch_generator(2), epochs=3, steps=3)
        models.append(model)
    ends = [list(model.state_dict().values()) for model in models]
    assert all(torch.equal(a, b) for a, b in zip(*ends, strict=True))
    test = known("test", 200, 12)
    given = seen(test)
    lost = {}
    for name, model in {"plain": trained, "robust": models[0]}.items():
        wrong = attack.pgd(model, given, eps=EPS, generator=seeds.torch_generator(3))
        state = policy.state(wrong.double().numpy(), test.budget_B)
        lost[name] = problem.regret(policy.shares(model, state), test).mean()
    assert lost["robust"] < 0.93 * lost["plain"]


def test_what_a_teacher_says_replaces_only_a(trained):
    rows = seen(known("train", 30), true=False)
    told = learn.without_noise(trained, rows, batch=7)
    assert all(torch.equal(told[k], rows[k]) for k in (0, 1, 2, 4))
    spread = [float((part[3].log() - seen(known("train", 30))[3].log()).abs().mean()) for part in (told, rows)]
    assert spread[0] < 0.5 * spread[1], "nearer the true a than what was observed"


def test_refusals(trained):
    given = seen(known("test", 3))
    with pytest.raises(InputError, match="eps must be at least 0"):
        attack.fgsm(trained, given, eps=-0.1)
    with pytest.raises(InputError, match="steps"):
        attack.pgd(trained, given, eps=0.1, generator=torch.Generator(), steps=0)
    with pytest.raises(InputError, match="feature"):
        attack.fgsm(trained, given, eps=0.1, features=[8])
    with pytest.raises(InputError, match="policy must pass gradients"):
        attack.pgd(equal, given, eps=0.1, generator=torch.Generator())
    with pytest.raises(InputError, match="points"):
        attack.random_points(equal, given, eps=0.1, generator=torch.Generator(), points=0)
    soft = Network(Pointwise(9, 4, generator=torch.Generator()), "softmax")
    with pytest.raises(InputError, match="teacher must have a water-filling head"):
        learn.without_noise(soft, given)
    for wrong in ({"eps": 0.0}, {"eps": 0.1, "clean": 1.5}, {"eps": 0.1, "steps": 0}):
        with pytest.raises(InputError, match=r"eps|clean|steps"):
            learn.fit_robust(soft, given, generator=torch.Generator(), epochs=1, **wrong)
