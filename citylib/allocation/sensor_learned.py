"""Selectors that learn: how much surer or less sure than the filter says one should be, from what is believed now.

A Kalman filter's covariance does not depend on what is read. Where the city is calmer at one time than at another, it
is wrong by a factor that can be learned from past errors: ln of it is linear in some features, or what a set
transformer makes of all sensors. Errors enter as they are judged: absolute ones for an aim of standard deviations,
squared ones for one of variances. The choice is greedy on the covariance so corrected; where there is nothing to
correct, it is the plain greedy choice. Legend: B runs, T steps, N sensors, F features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from citylib import checks, seeds
from citylib.allocation.policies.attention import SetAttention
from citylib.allocation.sensor_choice import AIMS, Alternating, Chance, Greedy, corrected
from citylib.allocation.sensor_dynamics import Dynamics
from citylib.allocation.sensor_filter import FloatArray, IntArray, Rule, State, watch
from citylib.errors import InputError
from citylib.neural.train import History, train

__all__ = ["FEATURES", "Attentive", "Collected", "Index", "collect", "features", "fit_attentive", "fit_index", "learn"]

FEATURES = (
    "log_variance", "log_worth", "log_age", "level", "level_squared", "low", "away", "surprise", "surprise_squared",
    "surprise_near", "of_the_sensor",
)  # fmt: skip
FORGOTTEN, FARTHEST, LARGEST = 0.9, 4.0, 3.0
MOST = 20.0  # an error is no further above what is expected than so many times that
NearArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Collected:
    """What selectors learn from: features of each sensor before each choice, and by how much the belief was off.

    Parameters
    ----------
    tokens_BNF : ndarray, shape (B, N, F)
        Features, a row a step and run.
    ratio_BN : ndarray, shape (B, N)
        Squared error over the filter's variance; NaN where nothing is known.
    own_N : ndarray, shape (N,)
        ln of the mean ratio of each sensor.
    near_NN : ndarray, shape (N, N)
        What a neighbour's surprise counts; rows sum to 1.
    """

    tokens_BNF: FloatArray
    ratio_BN: FloatArray
    own_N: FloatArray
    near_NN: NearArray


def features(state: State, own_N: FloatArray, near_NN: NearArray) -> FloatArray:
    """Return what selectors are told of each sensor, shape (B, N, F); names are in `FEATURES`.

    Parameters
    ----------
    state : State
        What is known before the choice.
    own_N, near_NN : ndarray
        As in `Collected`.

    Returns
    -------
    ndarray
    """
    variance = np.diagonal(state.cov_BNN, axis1=1, axis2=2)
    worth = (state.cov_BNN**2).sum(axis=2) / (variance + state.noise**2)
    level = np.clip(state.mean_BN + state.usual_N, -FARTHEST, FARTHEST)
    faded = np.clip(state.surprise_BN, -FARTHEST, FARTHEST) * FORGOTTEN ** (state.age_BN - 1)
    columns = [
        np.log(variance + 1e-9), np.log(worth + 1e-9), np.log(state.age_BN), level, level**2 / FARTHEST, level < -1,
        np.clip(state.mean_BN, -FARTHEST, FARTHEST), faded, faded**2 / FARTHEST, np.abs(faded) @ near_NN.T,
        np.broadcast_to(own_N, level.shape),
    ]  # fmt: skip
    return np.stack([np.asarray(c, dtype=np.float64) for c in columns], axis=-1)


def collect(
    values_TN: npt.ArrayLike,
    moves: Dynamics,
    rule: Rule,
    *,
    reads: int,
    noise: float,
    generator: np.random.Generator,
    usual_TN: npt.ArrayLike | None = None,
) -> Collected:
    """Watch the past by a rule, and note before each choice what was believed and how wrong it was.

    Parameters
    ----------
    values_TN : array_like, shape (T, N)
        Past readings; none of those that are judged later.
    moves : Dynamics
        How departures move.
    rule : Rule
        What chooses.
    reads, noise, generator, usual_TN : int, float, numpy.random.Generator, array_like
        As in `citylib.allocation.sensor_filter.watch`.

    Returns
    -------
    Collected
    """
    values = checks.matrix("values", values_TN, missing=True)
    states: list[State] = []
    watch(
        values[None],
        moves,
        rule,
        reads=reads,
        noise=noise,
        generator=generator,
        usual_TN=usual_TN,
        before=states.append,
    )
    ratio = np.empty(values.shape)
    for t, state in enumerate(states):
        ratio[t] = (values[t] - state.usual_N - state.mean_BN[0]) ** 2 / state.cov_BNN[0].diagonal()
    known = ~np.isnan(ratio)
    own = np.log((np.nansum(ratio, axis=0) + 10) / (known.sum(axis=0) + 10))  # ten readings that are as the filter says
    spread = np.sqrt(moves.start_NN.diagonal())
    near = np.abs(moves.start_NN) / np.outer(spread, spread)
    np.fill_diagonal(near, 0)
    near = near**2 / np.maximum((near**2).sum(axis=1, keepdims=True), 1e-9)
    tokens = np.concatenate([features(state, own, near) for state in states])
    return Collected(tokens, ratio, own, near)


@dataclass(frozen=True, eq=False)
class Index:
    """The linear index: ln of the ratio is a weighted sum of the features.

    Parameters
    ----------
    weight_F : ndarray, shape (F + 1,)
        The first is the constant.
    own_N, near_NN : ndarray
        As in `Collected`.
    aim : {"variance", "deviation"}
        What the choice is to bring down.
    """

    weight_F: FloatArray
    own_N: FloatArray
    near_NN: NearArray
    aim: str = "variance"

    def ratio(self, state: State) -> FloatArray:
        """Return by what factor the filter's variance is taken to be wrong, shape (B, N)."""
        said = self.weight_F[0] + features(state, self.own_N, self.near_NN) @ self.weight_F[1:]
        return _ratio(said, self.aim)

    def pick(self, state: State, reads: int) -> IntArray:
        """Return the greedy choice on the corrected covariance."""
        return corrected(state, self.ratio(state), reads, aim=self.aim)


def fit_index(seen: Collected, *, aim: str = "variance", ridge: float = 100.0) -> Index:
    """Learn the linear index: a gamma regression with logarithmic link, by Newton's steps with expected curvature.

    An error of more than 21 times what is expected counts as 21 times: one jam is not to decide, and where tails are
    heavy the index lies below the mean for it.

    Parameters
    ----------
    seen : Collected
        The past.
    aim : {"variance", "deviation"}
        What the choice is to bring down, and so whether squared or absolute errors are learned.
    ridge : float, default 100
        What weights, not the constant, are held back by, in readings.

    Returns
    -------
    Index

    Raises
    ------
    InputError
        Fewer known errors than features.

    References
    ----------
    McCullagh, P. and Nelder, J. A. (1989). Generalized Linear Models. Chapter 8.
    """
    known = ~np.isnan(seen.ratio_BN)
    x, y = seen.tokens_BNF[known], _target(seen.ratio_BN, aim)[known]
    if len(y) <= x.shape[1]:
        raise InputError("seen", f"hold more than {x.shape[1]} known errors", len(y))
    design = np.column_stack([np.ones(len(y)), x])
    held = checks.number("ridge", ridge, minimum=0) * np.diag([0.0, *np.ones(x.shape[1])]) + 1e-9 * np.eye(
        design.shape[1]
    )
    curve = design.T @ design + held
    weight = np.zeros(design.shape[1])
    for _ in range(100):
        mean = np.exp(np.clip(design @ weight, -2 * LARGEST, 2 * LARGEST))
        step = np.linalg.solve(curve, design.T @ np.minimum(y / mean - 1, MOST) - held @ weight)
        weight = weight + 0.5 * step
        if np.abs(step).max() < 1e-6:
            break
    return Index(weight, seen.own_N, seen.near_NN, aim)


class Attentive:
    """The learned selector: a set transformer over the sensors says ln of each ratio.

    Parameters
    ----------
    body : SetAttention
        Takes F features.
    own_N, near_NN : ndarray
        As in `Collected`.
    centre_F, spread_F : ndarray, shape (F,)
        Mean and standard deviation of the features learned from.
    aim : {"variance", "deviation"}
        What the choice is to bring down.
    """

    def __init__(
        self,
        body: SetAttention,
        own_N: FloatArray,
        near_NN: NearArray,
        centre_F: FloatArray,
        spread_F: FloatArray,
        *,
        aim: str = "variance",
    ) -> None:
        self.body, self.own_N, self.near_NN, self.aim = body, own_N, near_NN, aim
        self.centre_F, self.spread_F = centre_F, spread_F

    def ratio(self, state: State) -> FloatArray:
        """Return by what factor the filter's variance is taken to be wrong, shape (B, N)."""
        tokens = (features(state, self.own_N, self.near_NN) - self.centre_F) / self.spread_F
        with torch.no_grad():
            said = self.body(torch.tensor(tokens, dtype=torch.float32), torch.tensor(state.can_BN))[..., 0]
        return _ratio(said.double().numpy(), self.aim)

    def pick(self, state: State, reads: int) -> IntArray:
        """Return the greedy choice on the corrected covariance."""
        return corrected(state, self.ratio(state), reads, aim=self.aim)


def ratio_loss(
    model: SetAttention, tokens_BNF: torch.Tensor, there_BN: torch.Tensor, ratio_BN: torch.Tensor
) -> torch.Tensor:
    """Return how far what is said, ln m, is from what came, y: the mean gamma deviance y / m + ln m.

    Parameters
    ----------
    model : SetAttention
        Called.
    tokens_BNF, there_BN, ratio_BN : torch.Tensor
        Features, what is known, squared error over variance.
    """
    said_BN = model(tokens_BNF, there_BN)[..., 0].clamp(-2 * LARGEST, 2 * LARGEST)
    off_BN = ratio_BN * torch.exp(-said_BN) + said_BN
    return torch.where(there_BN, off_BN, 0.0).sum() / there_BN.sum().clamp(min=1)


def fit_attentive(
    seen: Collected,
    *,
    generator: torch.Generator,
    aim: str = "variance",
    epochs: int = 10,
    width: int = 16,
    held: float = 0.2,
) -> tuple[Attentive, History]:
    """Learn the set transformer; the last steps only say when to stop.

    Parameters
    ----------
    seen : Collected
        The past, in the order of time.
    generator : torch.Generator
        Draws the weights and the order of the examples.
    aim : {"variance", "deviation"}
        As in `fit_index`.
    epochs : int, default 10
        At most so many passes.
    width : int, default 16
        Of the network; even.
    held : float, default 0.2
        Share of the steps, the last, that say when to stop.

    Returns
    -------
    Attentive, History
    """
    known = ~np.isnan(seen.ratio_BN)
    rows = known.any(axis=1)
    tokens, ratio, there = seen.tokens_BNF[rows], seen.ratio_BN[rows], known[rows]
    cut = len(tokens) - int(checks.fraction("held", held) * len(tokens))
    if cut < 2 or cut == len(tokens):
        raise InputError("seen", "hold 10 steps or more", len(tokens))
    centre, spread = tokens[:cut].mean(axis=(0, 1)), tokens[:cut].std(axis=(0, 1)) + 1e-6
    x = torch.tensor((tokens - centre) / spread, dtype=torch.float32)
    y = torch.tensor(np.nan_to_num(_target(ratio, aim)), dtype=torch.float32)
    m = torch.tensor(there)
    body = SetAttention(x.shape[2], width, 2, 1, generator=generator)
    history = train(
        body, ratio_loss, (x[:cut], m[:cut], y[:cut]), generator=generator, epochs=epochs, rate=3e-3, batch=16,
        decay=1e-3, validation=(x[cut:], m[cut:], y[cut:]), patience=3, schedule="cosine", clip=1.0,
    )  # fmt: skip
    body.eval()
    return Attentive(body, seen.own_N, seen.near_NN, centre, spread, aim=aim), history


def learn(
    values_TN: npt.ArrayLike,
    moves: Dynamics,
    *,
    reads: int,
    noise: float,
    seed: int,
    usual_TN: npt.ArrayLike | None = None,
    aim: str = "deviation",
    epochs: int = 6,
) -> tuple[Index, Attentive, History]:
    """Learn both selectors from the past, in two rounds.

    The first round watches the past by the plain greedy rule and by chance, a step each; the second by the index that
    came of it and by chance. So what is learned from is like what a learned selector meets, and no sensor is out of
    sight.

    Parameters
    ----------
    values_TN, moves, reads, noise, usual_TN
        As in `collect`.
    seed : int
        The run's seed.
    aim, epochs
        As in `fit_attentive`.

    Returns
    -------
    Index, Attentive, History

    References
    ----------
    Ross, S., Gordon, G. and Bagnell, D. (2011). A reduction of imitation learning and structured prediction to
    no-regret online learning. AISTATS.
    """
    first: Rule = Greedy(checks.one_of("aim", aim, AIMS))
    for turn in ("first", "second"):
        draw, chance = (seeds.generator(seed, "selectors", turn, what) for what in ("noise", "chance"))
        told = {"reads": reads, "noise": noise, "generator": draw, "usual_TN": usual_TN}
        seen = collect(values_TN, moves, Alternating((first, Chance(chance))), **told)  # type: ignore[arg-type]
        first = index = fit_index(seen, aim=aim)
    draws = seeds.torch_generator(seed, "selectors")
    network, history = fit_attentive(seen, generator=draws, aim=aim, epochs=epochs)
    return index, network, history


def _target(ratio_BN: FloatArray, aim: str) -> FloatArray:
    """Return what is learned, with mean 1 where the filter is right: the ratio, or its root over that of a normal."""
    bounded = np.minimum(ratio_BN, np.exp(2 * LARGEST))
    return bounded if checks.one_of("aim", aim, AIMS) == "variance" else np.sqrt(bounded * np.pi / 2)


def _ratio(said_BN: FloatArray, aim: str) -> FloatArray:
    """Return the ratio of variances from what was learned."""
    return np.exp(np.clip(said_BN if aim == "variance" else 2 * said_BN, -LARGEST, LARGEST))
