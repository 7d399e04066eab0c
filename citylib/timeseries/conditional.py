"""Starts for the exact likelihood, compiled: the conditional sum of squares climbed down from eight points at a time.

With all that came before the first reading taken for zero, the errors of an ARMA follow by its recursion, and their
derivatives by the same recursion once more: with u = w / theta(B) and v = e / theta(B), an AR coefficient at lag l
moves e_t by -u_{t-l} and an MA coefficient by -v_{t-l}. A step of Gauss and Newton takes one pass through the readings.
The optimum is not that of the exact likelihood, but lies on the same hill.
Legend: T time steps, k parameters, m = p + q coefficients at lags.

References
----------
Box, G. E. P., Jenkins, G. M. and Reinsel, G. C. (1994). Time Series Analysis: Forecasting and Control, 3rd ed.
Prentice Hall, chapter 7.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from citylib.timeseries.coefficients import at_lags, slopes
from citylib.timeseries.lanes import LANES, less, more, put, row, spread
from citylib.timeseries.recursion import moving_average

__all__ = ["damped_step", "descend", "room_for", "rough"]

SHORT = 3  # lags up to which all products are had in one pass
FARTHEST = 3.5  # from zero, where an exact climb sets out
BEYOND = 10.0  # the same for a series far from zero, which only a root near 1 holds there
LONGEST = 1.5  # of a step
ENOUGH = 1e-2  # a gain of log-likelihood that a rough climb cares for
MUCH = 60.0  # log-likelihood by which another stands higher after some turns
TOGETHER = 0.02  # partial autocorrelations of points that have met


@njit(cache=True, nogil=True)
def _two(w, first, a, b, inner, moment, squares, edge, sums):
    """Products where no lag is over 2, in one pass; coefficients (2, LANES), zero where there is none."""
    nothing = spread(0.0)
    a1, a2, b1, b2 = row(a, 0), row(a, 1), row(b, 0), row(b, 1)
    u1, u2, v1, v2 = nothing, nothing, nothing, nothing
    ee, uu, uu1, uu2, vv, vv1, vv2 = nothing, nothing, nothing, nothing, nothing, nothing, nothing
    u1v1, u1v2, u2v1 = nothing, nothing, nothing
    for t in range(len(w)):
        u = less(less(spread(w[t]), b2, u2), b1, u1)
        e = less(less(u, a2, u2), a1, u1)
        v = less(less(e, b2, v2), b1, v1)
        if t == first:
            for i, one in enumerate((u1, u2, v1, v2)):
                put(edge[0], i, one)
        if t >= first:
            ee, uu, uu1, uu2 = more(ee, e, e), more(uu, u, u), more(uu1, u1, u), more(uu2, u2, u)
            vv, vv1, vv2 = more(vv, v, v), more(vv1, v1, v), more(vv2, v2, v)
            u1v1, u1v2, u2v1 = more(u1v1, u1, v1), more(u1v2, u1, v2), more(u2v1, u2, v1)
        u2, u1, v2, v1 = u1, u, v1, v
    for i, one in enumerate((u1, u2, v1, v2)):
        put(edge[1], i, one)
    for i, one in enumerate((uu, uu1, uu2)):
        put(sums[0], i, one)
    for i, one in enumerate((vv, vv1, vv2)):
        put(sums[1], i, one)
    put(squares, 0, ee)
    put(inner[0], 2, u1v1)
    put(inner[0], 3, u1v2)
    put(inner[1], 2, u2v1)
    _fill(2, a, b, inner, moment, edge, sums)


@njit(cache=True, nogil=True)
def _three(w, first, a, b, inner, moment, squares, edge, sums):
    """Products where no lag is over 3, in one pass; coefficients (3, LANES), zero where there is none."""
    nothing = spread(0.0)
    a1, a2, a3, b1, b2, b3 = row(a, 0), row(a, 1), row(a, 2), row(b, 0), row(b, 1), row(b, 2)
    u1, u2, u3, v1, v2, v3 = nothing, nothing, nothing, nothing, nothing, nothing
    ee, uu, uu1, uu2, uu3 = nothing, nothing, nothing, nothing, nothing
    vv, vv1, vv2, vv3 = nothing, nothing, nothing, nothing
    u1v1, u1v2, u1v3, u2v1, u3v1 = nothing, nothing, nothing, nothing, nothing
    for t in range(len(w)):
        u = less(less(less(spread(w[t]), b3, u3), b2, u2), b1, u1)
        e = less(less(less(u, a3, u3), a2, u2), a1, u1)
        v = less(less(less(e, b3, v3), b2, v2), b1, v1)
        if t == first:
            for i, one in enumerate((u1, u2, u3, v1, v2, v3)):
                put(edge[0], i, one)
        if t >= first:
            ee, uu, uu1, uu2, uu3 = more(ee, e, e), more(uu, u, u), more(uu1, u1, u), more(uu2, u2, u), more(uu3, u3, u)
            vv, vv1, vv2, vv3 = more(vv, v, v), more(vv1, v1, v), more(vv2, v2, v), more(vv3, v3, v)
            u1v1, u1v2, u1v3 = more(u1v1, u1, v1), more(u1v2, u1, v2), more(u1v3, u1, v3)
            u2v1, u3v1 = more(u2v1, u2, v1), more(u3v1, u3, v1)
        u3, u2, u1, v3, v2, v1 = u2, u1, u, v2, v1, v
    for i, one in enumerate((u1, u2, u3, v1, v2, v3)):
        put(edge[1], i, one)
    for i, one in enumerate((uu, uu1, uu2, uu3)):
        put(sums[0], i, one)
    for i, one in enumerate((vv, vv1, vv2, vv3)):
        put(sums[1], i, one)
    put(squares, 0, ee)
    for i, one in enumerate((u1v1, u1v2, u1v3)):
        put(inner[0], 3 + i, one)
    put(inner[1], 3, u2v1)
    put(inner[2], 3, u3v1)
    _fill(3, a, b, inner, moment, edge, sums)


@njit(cache=True, nogil=True)
def _fill(n, a, b, inner, moment, edge, sums):
    """Fill in the products from those one lag less far back, from which they differ at their two ends alone.

    `sums` (2, n + 1, LANES) holds the sums of u_t u_{t-i} and of v_t v_{t-i}, `edge` (2, 2 n, LANES) what lies up to
    n before the first step and the end. With u_t - sum a_j u_{t-j} = e_t = v_t + sum b_j v_{t-j} all else follows.
    """
    for x in range(2):
        for j in range(n):
            begun = more(row(sums[x], j), row(edge[0], x * n), row(edge[0], x * n + j))
            put(inner[x * n], x * n + j, less(begun, row(edge[1], x * n), row(edge[1], x * n + j)))
        for y in range(x, 2):
            for i in range(1, n):
                for j in range(i if x == y else 1, n):
                    known = row(inner[x * n + i - 1], y * n + j - 1)
                    begun = more(known, row(edge[0], x * n + i), row(edge[0], y * n + j))
                    put(inner[x * n + i], y * n + j, less(begun, row(edge[1], x * n + i), row(edge[1], y * n + j)))
    for i in range(n):
        of_u, of_v = row(sums[0], i + 1), row(sums[1], i + 1)
        for j in range(n):
            before, after = min(i, j), max(i, j)
            of_u = less(of_u, row(a, j), row(inner[before], after))
            of_v = more(of_v, row(b, j), row(inner[n + before], n + after))
        put(moment, i, of_u)
        put(moment, n + i, of_v)


@njit(cache=True, nogil=True)
def _product(x, i, y, j, begin):
    """Sum of x_{t-i} y_{t-j} from row `begin` on."""
    even, odd = spread(0.0), spread(0.0)
    steps = len(x)
    for t in range(begin, steps - 1, 2):
        even = more(even, row(x, t - i), row(y, t - j))
        odd = more(odd, row(x, t + 1 - i), row(y, t + 1 - j))
    if (steps - begin) % 2:
        even = more(even, row(x, steps - 1 - i), row(y, steps - 1 - j))
    return more(even, spread(1.0), odd)


@njit(cache=True, nogil=True)
def _long(w, first, a_lags, a, b_lags, b, room, inner, moment, squares):
    """Products at any lags; `room` (3, pad + T, LANES), its first rows zero."""
    u, e, v = room[0], room[1], room[2]
    p, q = len(a_lags), len(b_lags)
    pad = u.shape[0] - len(w)
    for t in range(len(w)):
        put(u, pad + t, spread(w[t]))
    if q:
        moving_average(pad, len(u), b_lags, b, u)
    for t in range(pad, len(u)):
        now = row(u, t)
        for i in range(p):
            now = less(now, row(a, i), row(u, t - a_lags[i]))
        put(e, t, now)
    if q:
        v[pad:] = e[pad:]
        moving_average(pad, len(v), b_lags, b, v)
    begin = pad + first
    put(squares, 0, _product(e, 0, e, 0, begin))
    for i in range(p):
        put(moment, i, _product(u, a_lags[i], e, 0, begin))
        for j in range(i, p):
            put(inner[i], j, _product(u, a_lags[i], u, a_lags[j], begin))
        for j in range(q):
            put(inner[i], p + j, _product(u, a_lags[i], v, b_lags[j], begin))
    for i in range(q):
        put(moment, p + i, _product(v, b_lags[i], e, 0, begin))
        for j in range(i, q):
            put(inner[p + i], p + j, _product(v, b_lags[i], v, b_lags[j], begin))


@njit(cache=True, nogil=True)
def _in_free(moves, rows, inner, moment, lane, half, curve, slope):
    """Fill in curvature (k, k) and slope (k,) of half the sum of squares at one point, free of bounds."""
    k, m = moves.shape
    for i in range(k):
        slope[i] = 0.0
        for x in range(m):
            slope[i] -= moves[i, x] * moment[rows[x], lane]
            total = 0.0
            for y in range(m):
                total += inner[rows[min(x, y)], rows[max(x, y)], lane] * moves[i, y]
            half[x] = total
        for j in range(i, k):
            total = 0.0
            for x in range(m):
                total += half[x] * moves[j, x]
            curve[i, j] = total
            curve[j, i] = total


@njit(cache=True, nogil=True)
def damped_step(curve, slope, damping, root, step):
    """Fill in -(curve + damping diag(curve))^-1 slope; what hardly curves is held; `root` (k, k) is room to work in."""
    k = len(slope)
    top = 0.0
    for i in range(k):
        top = max(top, curve[i, i])
    floor = 1e-10 * top + 1e-300
    for j in range(k):
        pivot = curve[j, j] * (1.0 + damping) + floor
        for m in range(j):
            pivot -= root[j, m] * root[j, m]
        pivot = np.sqrt(max(pivot, floor))
        root[j, j] = pivot
        for i in range(j + 1, k):
            left = curve[i, j]
            for m in range(j):
                left -= root[i, m] * root[j, m]
            root[i, j] = left / pivot
    for i in range(k):
        left = -slope[i]
        for m in range(i):
            left -= root[i, m] * step[m]
        step[i] = left / root[i, i]
    for i in range(k - 1, -1, -1):
        left = step[i]
        for m in range(i + 1, k):
            left -= root[m, i] * step[m]
        step[i] = left / root[i, i]


@njit(cache=True, nogil=True)
def descend(w, sizes, a_lags, b_lags, at, turns, room, squares):
    """Go down from LANES points to where the conditional sum of squares is about least.

    Parameters
    ----------
    w : ndarray, shape (T,)
        Differenced series.
    sizes : ndarray of int, shape (4,)
        p, q, P, Q.
    a_lags, b_lags : ndarray of int
        Lags at which the multiplied polynomials have coefficients.
    at : ndarray, shape (k, LANES)
        Points without bounds; moved in place.
    turns : int
        At most so many passes through the readings.
    room : ndarray, shape (3, longest lag + T, LANES)
        Room to work in, its first rows zero; of no rows where no lag is over `SHORT`.
    squares : ndarray, shape (LANES,)
        Filled in: the sum of squares; infinite for a point that has met a better one.

    Returns
    -------
    int
        Passes it took.
    """
    k, p, q = len(at), len(a_lags), len(b_lags)
    short = room.shape[1] == 0
    first = a_lags[p - 1] if p else 0
    steps = len(w) - first
    farthest = BEYOND if abs(w.mean()) > 3.0 * w.std() else FARTHEST
    n = max(2, p, q) if short else 0  # lags that a short pass keeps
    m = 2 * n if short else p + q
    a, b, edge = np.zeros((max(n, p), LANES)), np.zeros((max(n, q), LANES)), np.zeros((2, m, LANES))
    sums = np.zeros((2, n + 1, LANES))
    inner, moment, found = np.zeros((m, m, LANES)), np.zeros((m, LANES)), np.zeros((1, LANES))
    curve, slope, step = np.zeros((LANES, k, k)), np.zeros((LANES, k)), np.zeros(k)
    damping, over = np.full(LANES, 1e-2), np.zeros(LANES, dtype=np.bool_)
    squares[:] = np.inf
    tried, root, moves = at.copy(), np.zeros((k, k)), np.zeros((k, p + q))
    here, partial, natural, lower, half = np.zeros(k), np.zeros(k), np.zeros(k), np.zeros(p + q), np.zeros(p + q)
    rows = np.arange(p + q)  # where the products of each coefficient lie
    if short:
        rows[p:] = n + np.arange(q)
    for turn in range(turns):
        at_lags(tried, sizes, a[:p], b[:q])
        if n == 2:
            _two(w, first, a, b, inner, moment, found, edge, sums)
        elif n == 3:
            _three(w, first, a, b, inner, moment, found, edge, sums)
        else:
            _long(w, first, a_lags, a, b_lags, b, room, inner, moment, found)
        left = 0
        for lane in range(LANES):
            if over[lane]:
                continue
            if found[0, lane] < squares[lane]:
                gain = 0.5 * steps * np.log(squares[lane] / found[0, lane]) if turn else np.inf
                squares[lane] = found[0, lane]
                for i in range(k):
                    at[i, lane] = here[i] = tried[i, lane]
                slopes(here, sizes, partial, natural, lower, moves)
                _in_free(moves, rows, inner, moment, lane, half, curve[lane], slope[lane])
                damping[lane] = max(0.1 * damping[lane], 1e-8)
                over[lane] = gain < ENOUGH
            else:
                damping[lane] *= 10.0
                over[lane] = damping[lane] > 1e4
            if not over[lane]:
                left += 1
                damped_step(curve[lane], slope[lane], damping[lane], root, step)
                longest = 1e-300
                for i in range(k):
                    longest = max(longest, abs(step[i]))
                share = min(1.0, LONGEST / longest)
                for i in range(k):
                    tried[i, lane] = min(max(at[i, lane] + share * step[i], -farthest), farthest)
        if turn % 3 == 2:
            left -= _meet(at, squares, over)
        if turn >= 5:
            bound = squares.min() * np.exp(2.0 * MUCH / steps)
            for lane in range(LANES):
                if not over[lane] and squares[lane] > bound:
                    over[lane] = True
                    left -= 1
        if left <= 0:
            break
    return turn + 1


@njit(cache=True, nogil=True)
def room_for(a_lags, b_lags, steps):
    """Return the room that `descend` works in."""
    p, q = len(a_lags), len(b_lags)
    longest = max(a_lags[p - 1] if p else 0, b_lags[q - 1] if q else 0)
    return np.zeros((3, 0 if longest <= SHORT else longest + steps, LANES))


@njit(cache=True, nogil=True)
def rough(w_nT, sizes, a_lags, b_lags, starts_Sk, turns, at_nSk, squares_nS):
    """Descend from the same starts for each series.

    Parameters
    ----------
    w_nT : ndarray, shape (n, T)
        Differenced series, gaps filled in.
    sizes, a_lags, b_lags, turns :
        As for `descend`.
    starts_Sk : ndarray, shape (S, k)
        Points without bounds.
    at_nSk, squares_nS : ndarray, shapes (n, S, k) and (n, S)
        Filled in: where each ended, and its sum of squares, infinite for one that has met a better one.
    """
    n, steps = w_nT.shape
    starts, k = starts_Sk.shape
    room = room_for(a_lags, b_lags, steps)
    free, squares = np.empty((k, LANES)), np.empty(LANES)
    for series in range(n):
        for begin in range(0, starts, LANES):
            for lane in range(LANES):
                free[:, lane] = starts_Sk[min(begin + lane, starts - 1)]
            descend(w_nT[series], sizes, a_lags, b_lags, free, turns, room, squares)
            for lane in range(min(LANES, starts - begin)):
                at_nSk[series, begin + lane] = free[:, lane]
                squares_nS[series, begin + lane] = squares[lane]


@njit(cache=True, nogil=True)
def _meet(at, squares, over):
    """Drop points that have met a better one; return how many of them were still on their way."""
    k = len(at)
    dropped = 0
    for lane in range(LANES):
        for other in range(LANES):
            better = squares[other] < squares[lane] or (squares[other] == squares[lane] and other < lane)
            if other == lane or not better or not np.isfinite(squares[lane]):
                continue
            apart = 0.0
            for i in range(k):
                apart = max(apart, abs(np.tanh(at[i, lane]) - np.tanh(at[i, other])))
            if apart < TOGETHER:
                squares[lane] = np.inf
                dropped += 0 if over[lane] else 1
                over[lane] = True
                break
    return dropped
