"""Spatial orders: a place's neighbours, split into what a space-time regression gives a coefficient of its own.

An order is a matrix that makes a map of readings into the map of what each place sees: the mean of its neighbours, of
those two links away, or the reading of one neighbour. Legend: n places.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from citylib import checks
from citylib.errors import InputError
from citylib.spatial.weights import row_standardised

__all__ = ["one_each", "relabelled", "rings", "themselves"]


def themselves(places: int, /) -> sparse.csr_array:
    """Return the order zero: each place sees itself.

    Examples
    --------
    >>> themselves(2).toarray().tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return sparse.csr_array(sparse.eye_array(checks.integer("places", places, minimum=1)))


def one_each(w: sparse.sparray | npt.ArrayLike, /, *, most: int) -> list[sparse.csr_array]:
    """Return one order a neighbour: the k-th picks each place's k-th strongest.

    Parameters
    ----------
    w : sparse matrix or array_like, shape (n, n)
        Weights, none below zero; a place is no neighbour of its own, whatever the diagonal says.
    most : int
        Neighbours of a place, at most. A place with fewer has empty rows in the last orders.

    Returns
    -------
    list of csr_array, shape (n, n)
        At most one 1 a row; among equal weights the first columns go first.

    Raises
    ------
    InputError
        Weights that are not square, negative or not finite.

    Examples
    --------
    >>> first, second = one_each([[0, 0.2, 0.9], [1, 0, 0], [0, 0, 0]], most=2)
    >>> first.toarray().tolist(), second.toarray().tolist()
    ([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]], [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    """
    strength = _square(w).toarray()
    most = checks.integer("most", most, minimum=1)
    np.fill_diagonal(strength, 0.0)
    order = np.argsort(-strength, axis=1, kind="stable")[:, :most]
    there = np.take_along_axis(strength, order, axis=1) > 0
    out = []
    for k in range(order.shape[1]):
        rows = np.flatnonzero(there[:, k])
        out.append(sparse.csr_array((np.ones(len(rows)), (rows, order[rows, k])), shape=strength.shape))
    return out


def rings(w: sparse.sparray | npt.ArrayLike, /, *, most: int) -> list[sparse.csr_array]:
    """Return the orders of a STAR model: the mean over the places exactly one, two, ... links away.

    Parameters
    ----------
    w : sparse matrix or array_like, shape (n, n)
        Weights, none below zero. The first ring keeps their sizes; in the others all places count alike.
    most : int
        Rings.

    Returns
    -------
    list of csr_array, shape (n, n)
        Rows sum to 1; a place with nobody in a ring has an empty row.

    Raises
    ------
    InputError
        Weights that are not square, negative or not finite.

    References
    ----------
    Pfeifer, P. E. and Deutsch, S. J. (1980). A three-stage iterative procedure for space-time modeling. Technometrics
    22(1), 35-47.

    Examples
    --------
    >>> row = np.eye(4, k=1) + np.eye(4, k=-1)
    >>> rings(row, most=2)[1].toarray().tolist()
    [[0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]
    """
    matrix = _square(w)
    most = checks.integer("most", most, minimum=1)
    first = sparse.csr_array(matrix - sparse.diags_array(matrix.diagonal()))
    first.eliminate_zeros()
    link = (first != 0).astype(np.float64)
    reached = (link + sparse.eye_array(link.shape[0])).toarray() > 0
    out, edge = [row_standardised(first)], link
    for _ in range(most - 1):
        ahead = ((edge @ link).toarray() > 0) & ~reached
        reached |= ahead
        edge = sparse.csr_array(ahead.astype(np.float64))
        out.append(row_standardised(edge))
    return out


def relabelled(w: sparse.sparray | npt.ArrayLike, /, *, generator: np.random.Generator) -> sparse.csr_array:
    """Return the same graph with its places dealt out anew: as many neighbours as before, but those of somebody else.

    Parameters
    ----------
    w : sparse matrix or array_like, shape (n, n)
        Weights.
    generator : numpy.random.Generator
        From `citylib.seeds.generator`.

    Returns
    -------
    csr_array, shape (n, n)
        P w P' with a random permutation P.

    Raises
    ------
    InputError
        Weights that are not square, negative or not finite.
    """
    matrix = _square(w)
    dealt = generator.permutation(matrix.shape[0])
    return sparse.csr_array(matrix[dealt][:, dealt])


def _square(w: sparse.sparray | npt.ArrayLike) -> sparse.csr_array:
    matrix = sparse.csr_array(w, dtype=np.float64) if sparse.issparse(w) else sparse.csr_array(checks.matrix("w", w))
    if matrix.shape[0] != matrix.shape[1] or not np.isfinite(matrix.data).all() or (matrix.data < 0).any():
        raise InputError("w", "be a square matrix of finite weights, none below zero", matrix.shape)
    return matrix
