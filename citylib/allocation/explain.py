"""Why a resource got its share, asked of the policy itself: where it looks, how its answer moves with its inputs.

Each candidate gives a score to every resource of an instance, for the share of one of them. None is an explanation
because of its name: `citylib.allocation.explain_judge` holds them against what is planted.

Legend: B instances, N resources, F features, A heads.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from citylib import checks
from citylib.allocation.policies.attention import SetAttention
from citylib.allocation.policies.network import Network
from citylib.allocation.policy import Policy, State
from citylib.errors import InputError

__all__ = ["MAPS", "attention", "background", "gradient", "gradient_times_input", "shares_of", "target"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
MAPS = ("first", "last", "rollout")


def target(of: npt.ArrayLike, given: State) -> IntArray:
    """Return which resource's share is explained in each instance, checked to be there.

    Parameters
    ----------
    of : array_like of int, shape (B,)
        Positions of resources.
    given : State
        B instances.

    Returns
    -------
    ndarray of int, shape (B,)

    Raises
    ------
    InputError
        Another number of them than instances; a resource that is not there.
    """
    raw = np.asarray(of)
    count, n = given.mask_BN.shape
    if raw.shape != (count,) or raw.dtype.kind not in "iu":
        raise InputError("of", f"be {count} positions of resources, one an instance", raw.shape)
    inside = (raw >= 0) & (raw < n)
    there = inside & given.mask_BN.numpy()[np.arange(count), np.where(inside, raw, 0)]
    if not there.all():
        row = int(there.argmin())
        raise InputError("of", "name a resource that is there", f"resource {raw[row]} in instance {row}")
    return raw.astype(np.int64)


def background(value: npt.ArrayLike, given: State) -> FloatArray:
    """Return the features that stand for "nothing known", checked: one of each, shape (F,)."""
    found = checks.series("background", value)
    if len(found) != given.tokens_BNF.shape[2]:
        raise InputError("background", f"hold the {given.tokens_BNF.shape[2]} features of a resource", len(found))
    return found


def shares_of(
    policy: Policy, tokens_BNF: torch.Tensor, mask_BN: torch.Tensor, budget_B: torch.Tensor, of: IntArray
) -> torch.Tensor:
    """Return the share of one resource in each instance, with its gradients.

    Parameters
    ----------
    policy : Policy
        In its mode for use.
    tokens_BNF, mask_BN, budget_B : torch.Tensor
        B states.
    of : ndarray of int, shape (B,)
        Which resource, from `target`.

    Returns
    -------
    torch.Tensor, shape (B,)
    """
    return policy(tokens_BNF, mask_BN, budget_B)[torch.arange(len(of)), torch.from_numpy(of)]


def gradient(policy: Policy, given: State, of: npt.ArrayLike) -> FloatArray:
    """Return how far a share moves with the features of each resource: the length of its gradient.

    Parameters
    ----------
    policy : Policy
        Differentiable, in its mode for use.
    given : State
        B instances.
    of : array_like of int, shape (B,)
        The resource whose share is explained.

    Returns
    -------
    ndarray, shape (B, N)

    References
    ----------
    Simonyan, K., Vedaldi, A. and Zisserman, A. (2014). Deep inside convolutional networks: visualising image
    classification models and saliency maps. ICLR workshop.
    """
    return np.asarray(np.sqrt((_slopes(policy, given, of) ** 2).sum(axis=2)))


def gradient_times_input(policy: Policy, given: State, of: npt.ArrayLike) -> FloatArray:
    """Return the gradient times the features, summed over features and without its sign, shape (B, N).

    Parameters
    ----------
    policy : Policy
        Differentiable, in its mode for use.
    given : State
        B instances.
    of : array_like of int, shape (B,)
        The resource whose share is explained.

    References
    ----------
    Shrikumar, A., Greenside, P. and Kundaje, A. (2017). Learning important features through propagating activation
    differences. ICML.
    """
    slopes = _slopes(policy, given, of)
    return np.asarray(np.abs((slopes * given.tokens_BNF.double().numpy()).sum(axis=2)))


def attention(model: Network, given: State, of: npt.ArrayLike, *, which: str = "rollout") -> FloatArray:
    """Return how much the resource looks at each, by the attention maps of a set transformer.

    Parameters
    ----------
    model : Network
        Its body is a `SetAttention`.
    given : State
        B instances.
    of : array_like of int, shape (B,)
        The resource whose share is explained.
    which : {"first", "last", "rollout"}
        The map of the first or last block, mean over heads; or those of all blocks multiplied, each mixed half and
        half with what a token keeps of itself.

    Returns
    -------
    ndarray, shape (B, N)
        Rows add up to 1.

    Raises
    ------
    InputError
        A model without attention maps.

    References
    ----------
    Abnar, S. and Zuidema, W. (2020). Quantifying attention flow in transformers. ACL.
    """
    checks.one_of("which", which, MAPS)
    body = model.body
    if not isinstance(body, SetAttention):
        raise InputError("model", "have attention maps", type(body).__name__)
    rows = target(of, given)
    with torch.no_grad():
        maps = [m_BANN.mean(dim=1) for m_BANN in body.maps(_inputs(model, given), given.mask_BN)]
    if which == "rollout":
        own_NN = torch.eye(maps[0].shape[-1], dtype=maps[0].dtype)
        flow_BNN = own_NN.expand_as(maps[0])
        for map_BNN in maps:
            flow_BNN = (0.5 * map_BNN + 0.5 * own_NN) @ flow_BNN
    else:
        flow_BNN = maps[0 if which == "first" else -1]
    return flow_BNN[torch.arange(len(rows)), torch.from_numpy(rows)].double().numpy()


def _inputs(model: Network, given: State) -> torch.Tensor:
    """Return what the body of a network is given: the features, and for softmax the units a resource."""
    if model.head == "water-filling":
        return given.tokens_BNF
    units_B = torch.log(given.budget_B / given.mask_BN.sum(dim=1).to(given.budget_B.dtype))
    count, n, _ = given.tokens_BNF.shape
    return torch.cat([given.tokens_BNF, units_B[:, None, None].expand(count, n, 1)], dim=2)


def _slopes(policy: Policy, given: State, of: npt.ArrayLike) -> FloatArray:
    """Return the derivative of the explained share to every feature, shape (B, N, F)."""
    rows = target(of, given)
    tokens_BNF = given.tokens_BNF.detach().clone().requires_grad_(True)
    share_B = shares_of(policy, tokens_BNF, given.mask_BN, given.budget_B, rows)
    if not share_B.requires_grad:
        raise InputError("policy", "be differentiable in the features", type(policy).__name__)
    (found,) = torch.autograd.grad(share_B.sum(), tokens_BNF)
    return found.double().numpy()
