"""Attributions against closed forms: of a line all are known, and each axiom holds where it must."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from citylib import seeds
from citylib.errors import InputError
from citylib.neural import attribution, deletion
from citylib.neural.attention_maps import attention_maps, rollout
from citylib.neural.integrated_gradients import integrated_gradients
from citylib.neural.layers.attention import Block
from citylib.neural.models.mlp import MLP
from citylib.neural.models.patch_transformer import PatchTransformer
from citylib.neural.occlusion import occlusion

TWO = torch.float64


def random(*shape: int, key: str = "x") -> torch.Tensor:
    return torch.randn(*shape, generator=seeds.torch_generator(0, key), dtype=TWO)


def network(bend: str = "tanh") -> attribution.Answer:
    model = MLP((6, 12, 1), generator=seeds.torch_generator(1), bend=bend).double()
    return lambda x: model(x)[:, 0]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_of_a_line_all_three_are_known_exactly(seed: int) -> None:
    draw = seeds.torch_generator(seed)
    x, base, slope = (torch.randn(k, 6, generator=draw, dtype=TWO) for k in (4, 4, 1))
    line = lambda z: z @ slope[0] + 3  # noqa: E731
    known = slope * (x - base)
    group = torch.tensor([0, 0, 1, 1, 2, 2])
    left = attribution.replaced(line, x, base, group)
    found = integrated_gradients(line, x, baseline_BD=base, steps=1)
    torch.testing.assert_close(found.score_BD, known)
    torch.testing.assert_close(found.gap_B, torch.zeros(4, dtype=TWO), atol=1e-12, rtol=0)
    by_group = attribution.by_group(known, group)
    torch.testing.assert_close(occlusion(left, examples=4, groups=3), by_group)
    order = attribution.order_of(by_group)
    curve = deletion.deletion_curve(left, order)
    fallen = torch.cat([torch.zeros(4, 1, dtype=TWO), by_group.gather(1, order).cumsum(dim=1)[:, :-1]], dim=1)
    torch.testing.assert_close(curve, line(x)[:, None] - fallen)


def test_completeness_and_how_the_gap_closes() -> None:
    x, base = random(8, 6), random(8, 6, key="base")
    gaps = [integrated_gradients(network(), x, baseline_BD=base, steps=k).gap_B.abs().max() for k in (1, 4, 16)]
    assert gaps[0] > gaps[1] > gaps[2]
    assert gaps[2] < 1e-8
    bent = integrated_gradients(network("relu"), x, baseline_BD=base, steps=256)  # its slope jumps
    assert bent.gap_B.abs().max() < 0.02 * bent.change_B.abs().max()


def test_a_quadratic_has_its_integral() -> None:
    x = random(5, 2)
    found = integrated_gradients(lambda z: z[:, 0] ** 2 * z[:, 1], x, baseline_BD=torch.zeros_like(x), steps=2)
    whole = x[:, 0] ** 2 * x[:, 1]
    torch.testing.assert_close(found.score_BD, torch.stack([whole * 2 / 3, whole / 3], dim=1))


def test_what_is_not_used_scores_nothing_and_what_is_alike_scores_alike() -> None:
    x, base = random(5, 4), torch.zeros(5, 4, dtype=TWO)
    x[:, 1] = x[:, 0]
    alike = lambda z: torch.tanh(z[:, 0] + z[:, 1]) * (1 + z[:, 2] ** 2)  # noqa: E731
    score = integrated_gradients(alike, x, baseline_BD=base, steps=64).score_BD
    torch.testing.assert_close(score[:, 0], score[:, 1])
    assert bool((score[:, 3] == 0).all())
    left = attribution.replaced(alike, x, base, torch.arange(4))
    assert bool((occlusion(left, examples=5, groups=4)[:, 3] == 0).all())


def test_twins_hide_each_other_from_occlusion_but_not_from_gradients() -> None:
    x, base = torch.ones(1, 2, dtype=TWO), torch.zeros(1, 2, dtype=TWO)
    either = lambda z: z.max(dim=1).values  # noqa: E731
    left = attribution.replaced(either, x, base, torch.arange(2))
    assert occlusion(left, examples=1, groups=2).tolist() == [[0.0, 0.0]]
    assert integrated_gradients(either, x, baseline_BD=base).score_BD.sum().item() == pytest.approx(1)


def test_scores_of_groups_still_add_up() -> None:
    x = random(3, 6)
    found = integrated_gradients(network(), x, baseline_BD=torch.zeros_like(x))
    grouped = attribution.by_group(found.score_BD, attribution.groups_of(6, 2))
    torch.testing.assert_close(grouped.sum(dim=1), found.change_B, atol=1e-10, rtol=0)


def test_the_best_order_of_a_line_of_one_sign_has_the_largest_area() -> None:
    x = random(40, 6).abs()
    left = attribution.replaced(lambda z: z.sum(dim=1), x, torch.zeros_like(x), torch.arange(6))
    known = deletion.area(deletion.deletion_curve(left, attribution.order_of(x)))
    for k in range(5):
        order = deletion.random_order(40, 6, generator=seeds.torch_generator(k))
        assert bool((deletion.area(deletion.deletion_curve(left, order)) <= known + 1e-12).all())


def test_many_answers_at_once_are_each_by_itself() -> None:
    x, base, slope = random(4, 6), random(4, 6, key="base"), random(6, 3, key="slope")
    many = attribution.replaced(lambda z: z @ slope, x, base, torch.arange(6))
    order = deletion.random_order(4, 6, generator=seeds.torch_generator(0))
    for k in range(3):
        one = attribution.replaced(lambda z, k=k: z @ slope[:, k], x, base, torch.arange(6))
        torch.testing.assert_close(
            occlusion(many, examples=4, groups=6)[..., k], occlusion(one, examples=4, groups=6), rtol=0, atol=1e-12
        )
        torch.testing.assert_close(deletion.deletion_curve(many, order)[..., k], deletion.deletion_curve(one, order))
    assert deletion.area(deletion.deletion_curve(many, order)).shape == (4,)


def test_attention_maps_are_those_of_the_layers_and_rows_add_up() -> None:
    block = Block(8, 2)
    x = torch.rand(3, 5, 8, generator=seeds.torch_generator(0))
    maps = attention_maps(nn.Sequential(block), x)
    torch.testing.assert_close(maps[:, 0], block.attention.map(block.before_attention(x)).detach())
    model = PatchTransformer(4, 6, width=16, heads=2, layers=3, generator=seeds.torch_generator(0))
    maps = attention_maps(model, torch.rand(2, 24), torch.ones(2, 24, dtype=torch.bool))
    assert maps.shape == (2, 3, 2, 6, 6)
    flow = rollout(maps)
    torch.testing.assert_close(flow.sum(dim=2), torch.ones(2, 6))
    assert not model.blocks[0].attention._forward_pre_hooks  # nothing is left behind


def test_rollout_of_layers_that_look_at_themselves_stays() -> None:
    torch.testing.assert_close(rollout(torch.eye(4).expand(2, 3, 2, 4, 4)), torch.eye(4).expand(2, 4, 4))


def test_refusals() -> None:
    x = torch.zeros(2, 4)
    with pytest.raises(InputError, match=r"answer must give one number an example, shape \(2,\)"):
        integrated_gradients(lambda z: z, x, baseline_BD=x)
    with pytest.raises(InputError, match="x, baseline must have one shape"):
        integrated_gradients(lambda z: z[:, 0], x, baseline_BD=torch.zeros(1, 4))
    with pytest.raises(InputError, match="x, baseline must be finite"):
        integrated_gradients(lambda z: z[:, 0], x / 0, baseline_BD=x)
    with pytest.raises(InputError, match="group must name the group of each of 4 numbers"):
        attribution.by_group(x, torch.tensor([0, 2, 2, 0]))
    with pytest.raises(InputError, match="baseline must have the shape of the examples"):
        attribution.replaced(lambda z: z[:, 0], x, x[:1], torch.arange(4))
    with pytest.raises(InputError, match="numbers must be a multiple of 3"):
        attribution.groups_of(4, 3)
    with pytest.raises(InputError, match="score must be finite"):
        attribution.order_of(x / 0)
    with pytest.raises(InputError, match="order must hold each of the groups 0 to 1 once"):
        deletion.deletion_curve(lambda keep: keep[:, 0].float(), torch.tensor([[0, 0]]))
    with pytest.raises(InputError, match=r"left must give shape \(1,\) or \(1, K\)"):
        deletion.deletion_curve(lambda keep: keep.float().mean(), torch.tensor([[0, 1]]))
    with pytest.raises(InputError, match=r"left must give shape \(2,\) or \(2, K\)"):
        occlusion(lambda keep: keep.float().mean(), examples=2, groups=2)
    with pytest.raises(InputError, match="at least two groups"):
        deletion.area(torch.zeros(2, 1))
    with pytest.raises(InputError, match="model must have a layer of self-attention"):
        attention_maps(nn.Linear(2, 2), torch.zeros(1, 2))
    with pytest.raises(InputError, match=r"map must have shape \(B, L, A, P, P\)"):
        rollout(torch.zeros(2, 2))
