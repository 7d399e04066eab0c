"""The likelihood of complete series of few states, compiled: errors of the recursion, and what came before them.

Were the state before the first reading known, the errors of an ARMA would follow by its recursion alone. They depend
on that state linearly, through the weights of the inverted moving average, and it is normal with a covariance that is
known: so it is estimated and integrated out in closed form, as Ljung and Box do. Nowhere is a variance stepped through
time, and a moving average on the edge of what can be inverted costs no more than two such recursions.
Legend: T time steps, r states, LANES points side by side.

References
----------
Ljung, G. M. and Box, G. E. P. (1979). The likelihood function of stationary autoregressive-moving average models.
Biometrika 66(2), 265-270.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from citylib.timeseries.lanes import LANES, less, more, put, row, spread
from citylib.timeseries.recursion import by_recursion, first_column_in, moving_average

__all__ = ["FEW", "whitened"]

FEW = 6  # states up to which this is the faster way
FADED = 1e-13  # a weight that no longer counts
NOTHING = 1e-13  # a share of a variance that rounding leaves
OFTEN = 32  # steps, or a quarter of those so far, between two looks at whether they count


@njit(cache=True, nogil=True)
def _covariance(a, b, root, first, whole, room):
    """Fill in a lower root of the covariance of the state expected before the first reading; False: not stationary."""
    r = len(a)
    if not first_column_in(a, b, first, whole, room):
        return False
    whole[r, :] = 0.0  # of the state with its shock
    whole[:, r] = 0.0
    for i in range(r - 1, -1, -1):
        for j in range(r - 1, -1, -1):
            below_i = first[i + 1] if i + 1 < r else 0.0
            below_j = first[j + 1] if j + 1 < r else 0.0
            rest = a[i] * a[j] * first[0] + a[i] * below_j + below_i * a[j] + whole[i + 1, j + 1]
            root[i, j] = rest
            whole[i, j] = rest + b[i] * b[j]
    for j in range(r):
        pivot = root[j, j]
        size = pivot
        for k in range(j):
            pivot -= root[j, k] * root[j, k]
        if pivot <= NOTHING * size:
            for i in range(r):
                if i >= j:
                    root[i, j] = 0.0
        else:
            pivot = np.sqrt(pivot)
            root[j, j] = pivot
            for i in range(j + 1, r):
                left = root[i, j]
                for k in range(j):
                    left -= root[i, k] * root[j, k]
                root[i, j] = left / pivot
        for i in range(j):
            root[i, j] = 0.0
    return True


@njit(cache=True, nogil=True)
def _weights(b_lags, b, r, weights):
    """Fill in the weights of the inverted moving average, a stretch at a time, as far as they count; return how far."""
    steps = len(weights)
    longest = b_lags[len(b_lags) - 1] if len(b_lags) else 0
    weights[: longest + 1] = 0.0
    weights[0] = 1.0
    for t in range(1, longest + 1):
        for i in range(len(b_lags)):
            if b_lags[i] <= t:
                for lane in range(LANES):
                    weights[t, lane] -= b[i, lane] * weights[t - b_lags[i], lane]
    done = longest + 1
    while done < steps:
        largest = 0.0
        for t in range(max(0, done - r), done):
            for lane in range(LANES):
                largest = max(largest, abs(weights[t, lane]))
        if largest < FADED:
            return done
        ahead = min(done + max(OFTEN, done // 4), steps)
        weights[done:ahead] = 0.0
        moving_average(done, ahead, b_lags, b, weights)
        done = ahead
    return steps


@njit(cache=True, nogil=True)
def whitened(w, a_lags, a, b_lags, b, r, errors, log_F, weights):
    """Fill in whitened errors (T + r, LANES) of one series at LANES points, and logarithms of their determinant.

    Parameters
    ----------
    w : ndarray, shape (T,)
        Differenced series.
    a_lags, b_lags : ndarray of int, shapes (p,) and (q,)
        Lags at which the polynomials may have coefficients.
    a, b : ndarray, shapes (p, LANES) and (q, LANES)
        Coefficients as on the right-hand side.
    r : int
        States.
    errors : ndarray, shape (T + r, LANES)
        Filled in: their squares add up to the sum that the likelihood has.
    log_F : ndarray, shape (LANES,)
        Filled in; NaN where a point is not stationary.
    weights : ndarray, shape (T, LANES)
        Room to work in.
    """
    steps = len(w)
    roots = np.zeros((LANES, r, r))
    A, B = np.zeros((LANES, r)), np.zeros((LANES, r))
    first, whole, room = np.empty(r), np.empty((r + 1, r + 1)), np.empty((3, 2 * r + 1))
    for lane in range(LANES):
        B[lane, 0] = 1.0
        for i in range(len(a_lags)):
            A[lane, a_lags[i] - 1] = a[i, lane]
        for i in range(len(b_lags)):
            B[lane, b_lags[i]] = b[i, lane]
        log_F[lane] = 0.0 if _covariance(A[lane], B[lane], roots[lane], first, whole, room) else np.nan
    by_recursion(w, 0, a_lags, a, b_lags, b, errors)
    moment, shared, state = np.zeros((r, LANES)), np.zeros((r, LANES)), np.zeros((r, LANES))
    q = len(b_lags)
    if r <= 4 and q <= 3 and (q == 0 or b_lags[q - 1] == q):
        reach = _weighed(b, errors, steps, weights, moment, shared)
    else:
        reach = _weights(b_lags, b, r, weights)
        for j in range(0, r, 4):
            _four_products(weights, errors, j, reach, steps, moment)
            _four_products(weights, weights, j, reach, reach, shared)
    gram, system = np.zeros((r, r)), np.zeros((r, r))
    for lane in range(LANES):
        for j in range(r):
            for i in range(j + 1):
                total = shared[j - i, lane]
                if reach == steps:  # a column that begins later ends with the others
                    for t in range(steps - j, steps - j + i):
                        total -= weights[t, lane] * weights[t + j - i, lane]
                gram[i, j] = total
                gram[j, i] = total
        log_F[lane] += _solved(roots[lane], gram, system, moment[:, lane], state[:, lane], errors[steps:, lane])
    for j in range(0, r, 4):
        _take_four(weights, state, j, reach, steps, errors)


@njit(cache=True, nogil=True)
def _weighed(b, errors, steps, weights, moment, shared):
    """Do what `_weights` and `_four_products` do, in one pass, for up to three MA lags and four states."""
    r, nothing = len(moment), spread(0.0)
    b1 = row(b, 0) if len(b) > 0 else nothing
    b2 = row(b, 1) if len(b) > 1 else nothing
    b3 = row(b, 2) if len(b) > 2 else nothing
    m1, m2, m3, m4, s1, s2, s3, s4 = nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing
    w1, w2, w3, now = nothing, nothing, nothing, spread(1.0)
    y1, y2, y3 = row(errors, 0), row(errors, 1), row(errors, 2)
    done, inner = 0, steps - 3
    while done < steps:
        ahead = min(done + max(OFTEN, done // 4), steps)
        for t in range(done, min(ahead, inner)):
            y4 = row(errors, t + 3)
            put(weights, t, now)
            m1, m2, m3, m4 = more(m1, now, y1), more(m2, now, y2), more(m3, now, y3), more(m4, now, y4)
            s1, s2, s3, s4 = more(s1, now, now), more(s2, now, w1), more(s3, now, w2), more(s4, now, w3)
            w3, w2, w1 = w2, w1, now
            now = less(less(less(nothing, b3, w3), b2, w2), b1, w1)
            y1, y2, y3 = y2, y3, y4
        for t in range(max(done, inner), ahead):  # what lies beyond the last reading is none
            put(weights, t, now)
            m1 = more(m1, now, y1)
            m2 = more(m2, now, y2) if t + 1 < steps else m2
            m3 = more(m3, now, y3) if t + 2 < steps else m3
            s1, s2, s3, s4 = more(s1, now, now), more(s2, now, w1), more(s3, now, w2), more(s4, now, w3)
            w3, w2, w1 = w2, w1, now
            now = less(less(less(nothing, b3, w3), b2, w2), b1, w1)
            y1, y2, y3 = y2, y3, nothing
        done = ahead
        largest = 0.0
        for t in range(done - 3, done):  # three nothings in a row, and all to come is nothing
            for lane in range(LANES):
                largest = max(largest, abs(weights[t, lane]))
        if largest < FADED:
            break
    for i, total in enumerate((m1, m2, m3, m4)):
        if i < r:
            put(moment, i, total)
    for i, total in enumerate((s1, s2, s3, s4)):
        if i < r:
            put(shared, i, total)
    return done


@njit(cache=True, nogil=True)
def _four_products(x, y, j, reach, steps, out):
    """Fill in rows j to j + 3 of sums over t of x_t y_{t+j}, as far as x counts and y has `steps` rows."""
    one, two, three, four = spread(0.0), spread(0.0), spread(0.0), spread(0.0)
    together = max(min(reach, steps - j - 3), 0)
    if together:
        y1, y2, y3 = row(y, j), row(y, j + 1), row(y, j + 2)
        for t in range(together):
            now, y4 = row(x, t), row(y, t + j + 3)
            one, two, three, four = more(one, now, y1), more(two, now, y2), more(three, now, y3), more(four, now, y4)
            y1, y2, y3 = y2, y3, y4
    for t in range(together, min(reach, steps - j)):
        one = more(one, row(x, t), row(y, t + j))
    for t in range(together, min(reach, steps - j - 1)):
        two = more(two, row(x, t), row(y, t + j + 1))
    for t in range(together, min(reach, steps - j - 2)):
        three = more(three, row(x, t), row(y, t + j + 2))
    for i, total in enumerate((one, two, three, four)):
        if j + i < len(out):
            put(out, j + i, total)


@njit(cache=True, nogil=True)
def _take_four(weights, state, j, reach, steps, errors):
    """Take from the errors what rows j to j + 3 of the state before them add, each a step later than the last."""
    r, nothing = len(state), spread(0.0)
    one = row(state, j)
    two = row(state, j + 1) if j + 1 < r else nothing
    three = row(state, j + 2) if j + 2 < r else nothing
    four = row(state, j + 3) if j + 3 < r else nothing
    w1, w2, w3 = nothing, nothing, nothing
    together = min(reach, steps - j)
    for t in range(together):
        now = row(weights, t)
        left = less(less(row(errors, t + j), one, now), two, w1)
        put(errors, t + j, less(less(left, three, w2), four, w3))
        w3, w2, w1 = w2, w1, now
    for t in range(together + j, min(together + j + 3, steps)):
        put(errors, t, less(less(less(row(errors, t), two, w1), three, w2), four, w3))
        w3, w2, w1 = w2, w1, nothing


@njit(cache=True, nogil=True)
def _solved(root, gram, system, moment, state, free):
    """Fill in the state's estimate and its coordinates free of correlation; return the log determinant."""
    r = len(moment)
    for i in range(r):
        for j in range(i + 1):
            total = 1.0 if i == j else 0.0
            for k in range(i, r):
                for m in range(j, r):
                    total += root[k, i] * gram[k, m] * root[m, j]
            system[i, j] = total
    logarithm = 0.0
    for j in range(r):
        pivot = system[j, j]
        for k in range(j):
            pivot -= system[j, k] * system[j, k]
        logarithm += np.log(pivot)
        pivot = np.sqrt(pivot)
        system[j, j] = pivot
        for i in range(j + 1, r):
            left = system[i, j]
            for k in range(j):
                left -= system[i, k] * system[j, k]
            system[i, j] = left / pivot
    for i in range(r):
        total = 0.0
        for k in range(i, r):
            total += root[k, i] * moment[k]
        for k in range(i):
            total -= system[i, k] * free[k]
        free[i] = total / system[i, i]
    for i in range(r - 1, -1, -1):
        total = free[i]
        for k in range(i + 1, r):
            total -= system[k, i] * free[k]
        free[i] = total / system[i, i]
    for i in range(r):
        total = 0.0
        for k in range(i + 1):
            total += root[i, k] * free[k]
        state[i] = total
    return logarithm
