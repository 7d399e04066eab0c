"""How a network learns to share: the effects first (two-stage), the decision itself, or the decision under attack.

Legend: B instances, N resources, F features.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
import torch

from citylib import checks
from citylib.allocation import attack
from citylib.allocation.policies.network import Network
from citylib.errors import InputError
from citylib.neural.train import History, train

__all__ = ["WAYS", "decision_loss", "effects_loss", "examples", "fit", "fit_robust", "robust_loss", "without_noise"]

WAYS = ("two-stage", "decision-focused")
Examples = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


def examples(
    tokens_BNF: npt.ArrayLike,
    budget_B: npt.ArrayLike,
    scale_BN: npt.ArrayLike,
    rate_BN: npt.ArrayLike,
    *,
    mask_BN: npt.ArrayLike | None = None,
) -> Examples:
    """Return what `fit` learns from as tensors: tokens, mask, budget, and the a and b that were observed.

    Parameters
    ----------
    tokens_BNF : array_like, shape (B, N, F)
        Features.
    budget_B : array_like, shape (B,)
        R.
    scale_BN, rate_BN : array_like, shape (B, N)
        a, with noise of mean 1 or without, and b; above 0 where there is a resource.
    mask_BN : array_like of bool, shape (B, N), optional
        Which resources there are.

    Raises
    ------
    InputError
        As `citylib.allocation.policy.state`; effects that are not above 0.
    """
    from citylib.allocation.policy import state

    given = state(tokens_BNF, budget_B, mask=mask_BN)
    there = given.mask_BN.numpy()
    seen = []
    for name, value in (("scale", scale_BN), ("rate", rate_BN)):
        raw = np.asarray(value, dtype=np.float64)
        if raw.shape != there.shape:
            raise InputError(name, f"have the shape {there.shape}", raw.shape)
        known = checks.array(name, np.where(there, raw, 1.0))
        if (known <= 0).any():
            raise InputError(name, "be above 0 where there is a resource", float(known.min()))
        seen.append(torch.tensor(known, dtype=given.tokens_BNF.dtype))
    return given.tokens_BNF, given.mask_BN, given.budget_B, seen[0], seen[1]


def effects_loss(
    model: Network,
    tokens_BNF: torch.Tensor,
    mask_BN: torch.Tensor,
    budget_B: torch.Tensor,
    scale_BN: torch.Tensor,
    rate_BN: torch.Tensor,
) -> torch.Tensor:
    """Return how far the effects said are from those observed: the first stage of two.

    a is judged by the gamma deviance a / m + ln m, which is least at the mean of a whatever its noise; a squared error
    of ln a would be drawn below it, most where the noise is largest. ln b is judged by its squared error.

    Parameters
    ----------
    model : Network
        Any head; `effects` is called.
    tokens_BNF, mask_BN, budget_B, scale_BN, rate_BN : torch.Tensor
        As `examples` gives them.

    References
    ----------
    McCullagh, P. and Nelder, J. A. (1989). Generalized Linear Models. Chapter 8.
    """
    log_a_BN, log_b_BN = model.effects(tokens_BNF, mask_BN, budget_B)
    off_BN = scale_BN * torch.exp(-log_a_BN) + log_a_BN + (log_b_BN - torch.log(rate_BN)) ** 2
    return torch.where(mask_BN, off_BN, 0.0).sum() / mask_BN.sum()


def decision_loss(
    model: Network,
    tokens_BNF: torch.Tensor,
    mask_BN: torch.Tensor,
    budget_B: torch.Tensor,
    scale_BN: torch.Tensor,
    rate_BN: torch.Tensor,
) -> torch.Tensor:
    """Return minus the benefit of the shares given, under the effects observed: the decision judged by its outcome.

    The benefit is linear in a, so a noise of mean 1 leaves the best policy what it is.

    Parameters
    ----------
    model : Network
        Called.
    tokens_BNF, mask_BN, budget_B, scale_BN, rate_BN : torch.Tensor
        As `examples` gives them.

    References
    ----------
    Elmachtoub, A. N. and Grigas, P. (2022). Smart "predict, then optimize". Management Science 68(1).
    """
    amount_BN = model(tokens_BNF, mask_BN, budget_B) * budget_B[:, None]
    gain_BN = -scale_BN * torch.expm1(-rate_BN * amount_BN)
    return -torch.where(mask_BN, gain_BN, 0.0).sum() / mask_BN.sum()


def fit(
    model: Network,
    seen: Examples,
    *,
    way: str,
    generator: torch.Generator,
    epochs: int,
    validation: Examples | None = None,
    rate: float = 3e-3,
    batch: int = 128,
    decay: float = 1e-4,
    patience: int = 10,
    schedule: str = "cosine",
) -> History:
    """Train a network in place, one of two ways.

    Parameters
    ----------
    model : Network
        A two-stage one must have a water-filling head, which is its second stage.
    seen : tuple of torch.Tensor
        Of `examples`.
    way : {"two-stage", "decision-focused"}
        Which loss is made small.
    generator : torch.Generator
        Draws the order of the examples.
    epochs : int
        At most so many passes.
    validation : tuple of torch.Tensor, optional
        Examples that only say when to stop, by the same loss.
    rate, batch, decay, patience, schedule : optional
        As in `citylib.neural.train.train`.

    Returns
    -------
    History

    Raises
    ------
    InputError
        An unknown way, a two-stage network without a water-filling head.
    """
    losses: dict[str, Callable[..., torch.Tensor]] = {"two-stage": effects_loss, "decision-focused": decision_loss}
    loss = losses[checks.one_of("way", way, WAYS)]
    if way == "two-stage" and model.head != "water-filling":
        raise InputError("model", "have a water-filling head to be trained in two stages", model.head)
    more = {"rate": rate, "batch": batch, "decay": decay, "patience": patience, "schedule": schedule, "clip": 1.0}
    return train(model, loss, seen, generator=generator, epochs=epochs, validation=validation, **more)  # type: ignore[arg-type]


def robust_loss(model: Network, *seen: torch.Tensor, eps: float, steps: int, clean: float) -> torch.Tensor:
    """Return minus the benefit of the shares given on the worst report that PGD finds, mixed with that on the truth.

    Parameters
    ----------
    model : Network
        Called, and attacked as it stands.
    *seen : torch.Tensor
        As `examples` gives them.
    eps, steps : float, int
        As for `citylib.allocation.attack.pgd`; where the steps start is drawn from the state of torch's own generator,
        which training sets before each step.
    clean : float
        Weight of the truth, 0 to 1.

    References
    ----------
    Madry, A. et al. (2018). Towards deep learning models resistant to adversarial attacks. ICLR.
    """
    given: Examples = seen  # type: ignore[assignment]
    draw = torch.Generator().manual_seed(int(torch.randint(2**62, (1,))))
    wrong = attack.pgd(model, given, eps=eps, generator=draw, steps=steps)
    loss = -(1 - clean) * attack.benefit(model, wrong, given).mean()
    return loss - clean * attack.benefit(model, given[0], given).mean() if clean else loss


def without_noise(teacher: Network, seen: Examples, *, batch: int = 1024) -> Examples:
    """Return examples with what a network with a water-filling head says of a in place of what was observed.

    An attack on the observed a goes where their noise was high, and defends against what no attacker sees.

    Parameters
    ----------
    teacher : Network
        Trained in two stages, on these examples or others.
    seen : tuple of torch.Tensor
        As `examples` gives them.
    batch : int, default 1024
        Instances a call.

    Raises
    ------
    InputError
        A teacher without a water-filling head.
    """
    if teacher.head != "water-filling":
        raise InputError("teacher", "have a water-filling head, which says effects", teacher.head)
    tokens_BNF, mask_BN, budget_B, _, rate_BN = seen
    parts = []
    with torch.no_grad():
        for k in range(0, len(budget_B), checks.integer("batch", batch, minimum=1)):
            rows = slice(k, k + batch)
            parts.append(teacher.effects(tokens_BNF[rows], mask_BN[rows], budget_B[rows])[0])
    scale_BN = torch.cat(parts).exp()
    return tokens_BNF, mask_BN, budget_B, scale_BN, rate_BN


def fit_robust(
    model: Network,
    seen: Examples,
    *,
    eps: float,
    generator: torch.Generator,
    epochs: int,
    steps: int = 4,
    clean: float = 0.3,
    rate: float = 3e-3,
    batch: int = 128,
    decay: float = 1e-2,
    schedule: str = "cosine",
) -> History:
    """Train a network in place on the worst reports of each step: adversarial training.

    Parameters
    ----------
    model : Network
        Best one that has learned to share already.
    seen : tuple of torch.Tensor
        Of `examples`, or of `without_noise`, which gives the attacker nothing to overfit.
    eps : float
        Largest error of a feature that it is made safe against, above 0.
    generator : torch.Generator
        Draws the order of the examples and where attacks start.
    epochs : int
        Passes; each costs `steps` + 2 of ordinary training.
    steps : int, default 4
        Of PGD.
    clean : float, default 0.3
        Weight of the truth in the loss, 0 to 1.
    rate, batch, decay, schedule : optional
        As in `citylib.neural.train.train`.

    Returns
    -------
    History

    Raises
    ------
    InputError
        An eps that is not above 0, a weight out of bounds.

    References
    ----------
    Madry, A. et al. (2018). Towards deep learning models resistant to adversarial attacks. ICLR. Zhang, H. et al.
    (2019). Theoretically principled trade-off between robustness and accuracy. ICML.
    """
    told = {"eps": checks.number("eps", eps, above=0), "steps": checks.integer("steps", steps, minimum=1)}
    told["clean"] = checks.fraction("clean", clean, closed=True)
    more = {"rate": rate, "batch": batch, "decay": decay, "schedule": schedule, "clip": 1.0}
    return train(model, partial(robust_loss, **told), seen, generator=generator, epochs=epochs, **more)  # type: ignore[arg-type]
