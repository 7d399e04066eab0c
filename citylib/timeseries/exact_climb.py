"""The exact likelihood of complete series climbed in compiled code, from what a rough descent leaves.

A turn is one pass through the readings with eight points side by side: where the last step leads, its neighbours a
hair away for the next one, and the same step shortened, stretched and damped.
Legend: T time steps, k parameters, S starts.

References
----------
Ansley, C. F. (1979). An algorithm for the exact likelihood of a mixed autoregressive-moving average process.
Biometrika 66(1), 59-65.
Nocedal, J. and Wright, S. J. (2006). Numerical Optimization, 2nd ed. Springer, chapter 10.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from citylib.timeseries.coefficients import at_lags
from citylib.timeseries.conditional import damped_step, descend, room_for
from citylib.timeseries.fast_filter import one_series
from citylib.timeseries.lanes import LANES
from citylib.timeseries.recursion import products

__all__ = ["MOST", "highest"]

MOST = LANES - 1  # parameters that a turn has room for
WIDTH = 1e-4  # of the differences in errors
FARTHEST, FARTHEST_MA = 12.0, 9.0  # from zero
LONGEST = 3.0  # of a step
# Of a moving average: from where on nothing changes and it is held, from where on a rough point is tried on the edge,
# and where it is looked whether what is held there stands higher off it.
FLAT = 7.0
EDGE, BEYOND = 3.4, 8.0
INSIDE = (4.5, 3.7, 5.5)
ROUGH_TURNS = 14
FIRST_TURNS = 4  # after which a hill much lower than another is left
MUCH = 2.0  # log-likelihood
HOPE = 8.0  # times what a step promises, that a climb can be expected to gain
FAR = 5.0  # log-likelihood that a rough point can be expected to gain
TOGETHER = 0.05  # partial autocorrelations of points on one hill
# How the steps beside Newton's go: how far, and how damped.
REACH = (2.5, 0.4, 1.0)
DAMPING = (0.0, 0.0, 0.1)


@njit(cache=True, nogil=True)
def _heights(w, sizes, a_lags, b_lags, r, free, wanted, errors, weights, gram, log_F, heights):
    """Fill in log-likelihoods at LANES points (k, LANES), the variance at its best; NaN where there is none."""
    a, b = np.zeros((len(a_lags), LANES)), np.zeros((len(b_lags), LANES))
    at_lags(free, sizes, a, b)
    one_series(w, a_lags, a, b_lags, b, r, errors, log_F, weights)
    products(errors, gram, wanted)
    count = len(w)
    for lane in range(LANES):
        heights[lane] = -0.5 * (count * (np.log(2.0 * np.pi * gram[lane, lane] / count) + 1.0) + log_F[lane])


@njit(cache=True, nogil=True)
def _slopes(gram, log_F, count, curve, slope):
    """Fill in minus the curvature and minus the slope of the log-likelihood at the first point."""
    k = len(slope)
    squares = gram[0, 0]
    for i in range(k):
        size_i = np.exp((log_F[i + 1] - log_F[0]) / (2.0 * count))  # only ratios to the first point's matter
        slope[i] = count * (gram[0, i + 1] * size_i - squares) / (squares * WIDTH)
        for j in range(i + 1):
            size_j = np.exp((log_F[j + 1] - log_F[0]) / (2.0 * count))
            shared = gram[j + 1, i + 1] * size_i * size_j - gram[0, i + 1] * size_i - gram[0, j + 1] * size_j + squares
            curve[i, j] = count * shared / (squares * WIDTH * WIDTH)
            curve[j, i] = curve[i, j]


@njit(cache=True, nogil=True)
def _bent(bend, curve, moved, turned):
    """Correct in place what the products of the slopes leave out of the curvature, by what the last move showed."""
    k = len(moved)
    along, stretch, before = 0.0, 0.0, 0.0
    shown, known = np.empty(k), np.empty(k)
    for i in range(k):
        shown[i], known[i] = turned[i], 0.0
        for j in range(k):
            shown[i] -= curve[i, j] * moved[j]
            known[i] += bend[i, j] * moved[j]
        along += turned[i] * moved[i]
        stretch += shown[i] * moved[i]
        before += known[i] * moved[i]
    size = 0.0
    for i in range(k):
        for j in range(k):
            size += curve[i, j] * moved[i] * moved[j]
    if not along > 1e-4 * size:
        bend *= 0.5
        return
    share = min(1.0, abs(stretch) / abs(before)) if before != 0.0 else 1.0
    bend *= share
    rest = 0.0
    for i in range(k):
        shown[i] -= share * known[i]
        rest += shown[i] * moved[i]
    for i in range(k):
        for j in range(k):
            bend[i, j] += (shown[i] * turned[j] + turned[i] * shown[j]) / along
            bend[i, j] -= rest * turned[i] * turned[j] / (along * along)


@njit(cache=True, nogil=True)
def _held(at, moving, curve, slope):
    """Hold what lies on the edge, where no slope is left; return whether there is any."""
    k, any_held = len(at), False
    for i in range(k):
        if moving[i] and abs(at[i]) >= FLAT:
            any_held = True
            slope[i] = 0.0
            for j in range(k):
                curve[i, j] = 0.0
                curve[j, i] = 0.0
            curve[i, i] = 1.0
    return any_held


@njit(cache=True, nogil=True)
def _at_edges(at, moving, edge, distance, out):
    """Fill in the point with what lies beyond the edge at some distance from zero; return whether anything does."""
    some = False
    for i in range(len(at)):
        far = moving[i] and abs(at[i]) >= edge
        some = some or far
        out[i] = np.copysign(distance, at[i]) if far else at[i]
    return some


@njit(cache=True, nogil=True)
def _moved(at, moving, step, share, out):
    longest = 1e-300
    for i in range(len(at)):
        longest = max(longest, abs(share * step[i]))
    share *= min(1.0, LONGEST / longest)
    for i in range(len(at)):
        farthest = FARTHEST_MA if moving[i] else FARTHEST
        out[i] = min(max(at[i] + share * step[i], -farthest), farthest)


@njit(cache=True, nogil=True)
def _climb(w, sizes, a_lags, b_lags, r, at, value, turns, tolerance, tops, tops_value, least, errors, weights):
    """Climb from a point (k,), in place; return its height, the turns taken and whether it is a top.

    It is left when it comes to one of the tops (S, k) no higher than that one's value (S,), or still stands much lower
    than `least` after a few turns.
    """
    k = len(at)
    gram, log_F, heights = np.zeros((LANES, LANES)), np.zeros(LANES), np.zeros(LANES)
    curve, slope, step, other = np.zeros((k, k)), np.zeros(k), np.zeros(k), np.zeros(k)
    bend, whole, root = np.zeros((k, k)), np.zeros((k, k)), np.zeros((k, k))
    steepness, moved, known = np.zeros(k), np.zeros(k), at.copy()
    free, damping, fresh = np.empty((k, LANES)), 0.0, False
    moving = np.zeros(k, dtype=np.bool_)  # parameters of the moving averages
    moving[sizes[0] : sizes[0] + sizes[1]] = True
    moving[k - sizes[3] :] = sizes[3] > 0
    held, looking, looked, sloped = False, False, False, False
    for lane in range(LANES):
        free[:, lane] = at
    if k + 1 < LANES and len(tops) == 0 and _at_edges(at, moving, EDGE, BEYOND, other):  # others may go another way
        free[:, k + 1] = other
    for turn in range(turns):
        for i in range(k):
            free[:, i + 1] = free[:, 0]
            free[i, i + 1] += WIDTH
        _heights(w, sizes, a_lags, b_lags, r, free, k + 1, errors, weights, gram, log_F, heights)
        before, best = value, 0
        for lane in range(k + 1, LANES):
            if heights[lane] > heights[best] or not np.isfinite(heights[best]):
                best = lane
        if best and heights[best] > max(value, heights[0] if np.isfinite(heights[0]) else -np.inf) + tolerance:
            # Beside the step: go there, look how it slopes, and further the same way.
            step[:] = free[:, best] - at
            at[:] = free[:, best]
            value = heights[best]
            fresh = False
            free[:, 0] = at
            for lane in range(k + 1, LANES):
                _moved(at, moving, step, 1.5 ** (lane - k) - 0.5, other)
                free[:, lane] = other
            looking = False
            continue
        if looking:
            return max(value, heights[0]), turn + 1, True
        done = False
        if heights[0] > value or (not fresh and heights[0] >= value - 1e-9 * abs(value)):
            arrived = not fresh and turn > 0 and heights[0] <= value
            value = max(value, heights[0])
            steepness[:] = slope
            moved[:] = free[:, 0] - known
            at[:] = free[:, 0]
            _slopes(gram, log_F, len(w), curve, slope)
            held = _held(at, moving, curve, slope)
            if sloped:
                for i in range(k):
                    still = moving[i] and abs(at[i]) >= FLAT
                    steepness[i] = 0.0 if still else slope[i] - steepness[i]
                    moved[i] = 0.0 if still else moved[i]
                _bent(bend, curve, moved, steepness)
            sloped = True
            known[:] = at
            for i in range(k):
                for j in range(k):
                    whole[i, j] = curve[i, j] + bend[i, j]
            damping = 0.1 * damping if damping > 1e-6 else 0.0
            done = fresh and not arrived and value - before < tolerance
            fresh = True
        elif not fresh:
            return value, turn + 1, False
        elif damping > 1e3:
            done = True
        else:
            damping = max(1e-3, 30.0 * damping)
        if turn + 1 >= FIRST_TURNS and value < least - MUCH:
            return value, turn + 1, False
        for one in range(len(tops)):
            if value <= tops_value[one] and _together(at, tops[one]):
                return value, turn + 1, False
        if not done:
            damped_step(whole, slope, damping, root, step)
            promised = 0.0
            for i in range(k):
                promised -= 0.5 * step[i] * slope[i]
            if value + HOPE * promised < least - 1.0:
                return value, turn + 1, False
            _moved(at, moving, step, 1.0, other)
            free[:, 0] = other
            if promised < 3.0 * tolerance:  # too little for a look
                done = True
                if damping == 0.0:
                    at[:] = other
        if not done:
            for lane in range(k + 1, LANES):
                which = (lane - k - 1) % len(REACH)
                if DAMPING[which] > 0.0:
                    damped_step(curve, slope, max(DAMPING[which], 30.0 * damping), root, step)
                _moved(at, moving, step, REACH[which], other)
                free[:, lane] = other
        elif held and not looked and k + 1 < LANES:
            looking, looked = True, True
            free[:, 0] = at
            for lane in range(k + 1, LANES):
                _at_edges(at, moving, FLAT, INSIDE[(lane - k - 1) % len(INSIDE)], other)
                free[:, lane] = other
        else:
            return value, turn + 1, True
    return value, turns, False


@njit(cache=True, nogil=True)
def highest(w_nT, sizes, a_lags, b_lags, r, starts_Sk, turns, tolerance, at_nk, value_n, turns_n, top_n):
    """Find the highest top of each series that a climb from the starts reaches.

    Parameters
    ----------
    w_nT : ndarray, shape (n, T)
        Differenced series without gaps.
    sizes : ndarray of int, shape (4,)
        p, q, P, Q.
    a_lags, b_lags : ndarray of int
        Lags at which the multiplied polynomials have coefficients.
    r : int
        States.
    starts_Sk : ndarray, shape (S, k)
        Points without bounds; k at most `MOST`.
    turns : int
        At most so many of each climb.
    tolerance : float
        A climb is at the top when a turn gains less.
    at_nk, value_n, turns_n, top_n : ndarray, shapes (n, k), (n,), (n,) and (n,)
        Filled in: the points, their log-likelihoods, passes through the readings, and whether it is a top.
    """
    n, steps = w_nT.shape
    starts, k = starts_Sk.shape
    room = room_for(a_lags, b_lags, steps)
    errors, weights = np.empty((steps + r, LANES)), np.empty((steps, LANES))
    gram, log_F, heights = np.zeros((LANES, LANES)), np.zeros(LANES), np.zeros(LANES)
    free, squares = np.empty((k, LANES)), np.empty(LANES)
    groups = -(-starts // LANES)
    rough, rough_value = np.empty((groups * LANES, k)), np.empty(groups * LANES)
    tops, tops_value = np.empty((groups * LANES, k)), np.empty(groups * LANES)
    for series in range(n):
        w, turns_n[series] = w_nT[series], 0
        for group in range(groups):
            for lane in range(LANES):
                free[:, lane] = starts_Sk[min(group * LANES + lane, starts - 1)]
            turns_n[series] += descend(w, sizes, a_lags, b_lags, free, ROUGH_TURNS, room, squares)
            _heights(w, sizes, a_lags, b_lags, r, free, 0, errors, weights, gram, log_F, heights)
            for lane in range(LANES):
                good = np.isfinite(squares[lane]) and np.isfinite(heights[lane])
                rough[group * LANES + lane] = free[:, lane]
                rough_value[group * LANES + lane] = heights[lane] if good else -np.inf
        value_n[series], top_n[series] = -np.inf, False
        found = 0
        for one in np.argsort(-rough_value):
            if rough_value[one] < value_n[series] - FAR or not np.isfinite(rough_value[one]):
                break
            at = rough[one].copy()
            met = False
            for other in range(found):
                met = met or _together(at, tops[other])
            if met:
                continue
            value, taken, top = _climb(w, sizes, a_lags, b_lags, r, at, rough_value[one], turns, tolerance,
                                       tops[:found], tops_value[:found], value_n[series], errors, weights)  # fmt: skip
            turns_n[series] += taken
            if top:
                tops[found], tops_value[found] = at, value
                found += 1
            if value > value_n[series]:
                value_n[series], top_n[series] = value, top
                at_nk[series] = at


@njit(cache=True, nogil=True)
def _together(one, other):
    apart = 0.0
    for i in range(len(one)):
        apart = max(apart, abs(np.tanh(one[i]) - np.tanh(other[i])))
    return apart < TOGETHER
