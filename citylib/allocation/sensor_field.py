"""The problem of which sensors to read, `sensors-v1`: a smooth field on a graph, with jams that nobody foresees.

N = 40 points uniform in the unit square; those nearer than 0.25 are joined, and the minimum spanning tree joins what is
left apart. An AR(1) field with coefficient 0.9 and stationary covariance (0.5 I + L)^-2, scaled to mean variance 1,
where L is the Laplacian of the graph. Jams start by a Poisson law, 0.02 a node and step; each adds 2 to its node and
decays by 0.8 a step.

Legend: T steps, N sensors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csgraph
from scipy.spatial.distance import cdist

from citylib import checks, seeds

__all__ = ["JAM", "KEPT", "NOISE", "READ", "SENSORS", "Field", "field"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
SENSORS, NEAR, KEPT, NOISE, READ, STEPS = 40, 0.25, 0.9, 0.3, 4, 2000
JAM = {"rate": 0.02, "size": 2.0, "kept": 0.8}


@dataclass(frozen=True, eq=False)
class Field:
    """A field, the part to learn from and the part to be read, one after the other.

    Parameters
    ----------
    learned_TN, values_TN : ndarray, shape (T, N)
        What every sensor would have told without noise.
    jams_TN : ndarray, shape (T, N)
        What jams add to `values_TN`.
    places_N2 : ndarray, shape (N, 2)
        Where sensors stand.
    joined_NN : ndarray of bool, shape (N, N)
        The graph.
    covariance_NN : ndarray, shape (N, N)
        Stationary covariance of the field without jams.
    """

    learned_TN: FloatArray
    values_TN: FloatArray
    jams_TN: FloatArray
    places_N2: FloatArray
    joined_NN: BoolArray
    covariance_NN: FloatArray


def field(*, seed: int, steps: int = STEPS, sensors: int = SENSORS, learned: int = STEPS, jams: bool = True) -> Field:
    """Draw a graph and a field on it.

    Parameters
    ----------
    seed : int
        The run's seed.
    steps, learned : int, default 2000
        Steps to be read, and steps before them to learn from.
    sensors : int, default 40
        N.
    jams : bool, default True
        Whether there are any. The field below them is the same either way.

    Returns
    -------
    Field

    Raises
    ------
    InputError
        No steps, fewer than 2 sensors.

    References
    ----------
    Lindgren, F., Rue, H. and Lindström, J. (2011). An explicit link between Gaussian fields and Gaussian Markov random
    fields. Journal of the Royal Statistical Society B 73(4).

    Examples
    --------
    >>> drawn = field(seed=0, steps=5, learned=3)
    >>> drawn.values_TN.shape, drawn.learned_TN.shape, round(float(drawn.covariance_NN.diagonal().mean()), 12)
    ((5, 40), (3, 40), 1.0)
    """
    checks.integer("sensors", sensors, minimum=2)
    before, after = checks.integer("learned", learned, minimum=1), checks.integer("steps", steps, minimum=1)
    draw = {what: seeds.generator(seed, "sensors-v1", what) for what in ("places", "field", "jams")}
    places_N2 = draw["places"].random((sensors, 2))
    joined_NN = graph(places_N2)
    laplacian = np.diag(joined_NN.sum(axis=1)) - joined_NN.astype(np.float64)
    root = np.linalg.inv(0.5 * np.eye(sensors) + laplacian)
    root /= np.sqrt((root**2).sum() / sensors)  # root @ root has mean variance 1
    e_TN = draw["field"].standard_normal((before + after, sensors)) @ root
    starts_TN = draw["jams"].poisson(JAM["rate"], (before + after, sensors))
    field_TN, jams_TN = e_TN.copy(), np.asarray(JAM["size"] * starts_TN, dtype=np.float64)
    for t in range(1, before + after):
        field_TN[t] = KEPT * field_TN[t - 1] + np.sqrt(1 - KEPT**2) * e_TN[t]
        jams_TN[t] += JAM["kept"] * jams_TN[t - 1]
    jams_TN *= float(jams)
    whole_TN = field_TN + jams_TN
    return Field(whole_TN[:before], whole_TN[before:], jams_TN[before:], places_N2, joined_NN, root @ root)


def graph(places_N2: npt.ArrayLike, *, near: float = NEAR) -> BoolArray:
    """Return who is joined to whom: pairs nearer than `near`, and the minimum spanning tree.

    Parameters
    ----------
    places_N2 : array_like, shape (N, 2)
        Where sensors stand.
    near : float, default 0.25
        Distance.

    Returns
    -------
    ndarray of bool, shape (N, N)
        Symmetric, nobody joined to himself.

    Examples
    --------
    >>> graph([[0.0, 0.0], [0.1, 0.0], [0.9, 0.0]]).astype(int).tolist()
    [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    """
    places = checks.matrix("places", places_N2, at_least=2)
    apart = cdist(places, places)
    tree = csgraph.minimum_spanning_tree(apart).toarray() > 0
    joined = (apart < checks.number("near", near, above=0)) | tree | tree.T
    np.fill_diagonal(joined, False)
    return np.asarray(joined)
