"""What the compiled filters of ARMA processes share: covariances to start from, the recursion of the errors, products.

Legend: T time steps, LANES points side by side.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = [
    "LANES",
    "SETTLED",
    "by_recursion",
    "first_column",
    "less",
    "more",
    "moving_average",
    "products",
    "put",
    "row",
    "spread",
]

LANES = 8
SETTLED = 1e-14  # a change of the covariance, in variances of the shock, that no longer counts


# LANES numbers side by side, as a tuple: it stays in registers from one step to the next, where an array would be
# written and read again.


@njit(cache=True, nogil=True)
def row(values, t):
    """Return row t of (T, LANES)."""
    return (
        values[t, 0],
        values[t, 1],
        values[t, 2],
        values[t, 3],
        values[t, 4],
        values[t, 5],
        values[t, 6],
        values[t, 7],
    )


@njit(cache=True, nogil=True)
def put(values, t, x):
    """Write row t of (T, LANES)."""
    values[t, 0], values[t, 1], values[t, 2], values[t, 3] = x[0], x[1], x[2], x[3]
    values[t, 4], values[t, 5], values[t, 6], values[t, 7] = x[4], x[5], x[6], x[7]


@njit(cache=True, nogil=True)
def less(x, c, y):
    """Return x - c y."""
    return (
        x[0] - c[0] * y[0], x[1] - c[1] * y[1], x[2] - c[2] * y[2], x[3] - c[3] * y[3],
        x[4] - c[4] * y[4], x[5] - c[5] * y[5], x[6] - c[6] * y[6], x[7] - c[7] * y[7],
    )  # fmt: skip


@njit(cache=True, nogil=True)
def more(x, c, y):
    """Return x + c y."""
    return (
        x[0] + c[0] * y[0], x[1] + c[1] * y[1], x[2] + c[2] * y[2], x[3] + c[3] * y[3],
        x[4] + c[4] * y[4], x[5] + c[5] * y[5], x[6] + c[6] * y[6], x[7] + c[7] * y[7],
    )  # fmt: skip


@njit(cache=True, nogil=True)
def spread(x):
    """Return a number in all lanes."""
    return (x, x, x, x, x, x, x, x)


@njit(cache=True, nogil=True)
def first_column(a, b, out):
    """Covariances of the state at the start with the process, for shocks of variance 1; whether it is stationary."""
    r = len(a)
    p = r
    while p > 0 and a[p - 1] == 0.0:
        p -= 1
    q = r - 1
    while q > 0 and b[q] == 0.0:
        q -= 1
    # Autoregressions of each shorter order, from the longest down.
    ladder = np.zeros((p + 1, p + 1))
    for j in range(p):
        ladder[p, j] = a[j]
    variance = 1.0
    for k in range(p, 0, -1):
        last = ladder[k, k - 1]
        rest = 1.0 - last * last
        if not rest > 0.0:
            return False
        variance /= rest
        for j in range(k - 1):
            ladder[k - 1, j] = (ladder[k, j] + last * ladder[k, k - 2 - j]) / rest
    reach = r + q + 1
    covariance = np.zeros(reach)  # of the autoregression without its moving average
    covariance[0] = variance
    left = variance
    for k in range(1, reach):
        total = 0.0
        if k <= p:
            for j in range(k - 1):
                total += ladder[k - 1, j] * covariance[k - 1 - j]
            last = ladder[k, k - 1]
            total += last * left
            left *= 1.0 - last * last
        else:
            for j in range(p):
                total += a[j] * covariance[k - 1 - j]
        covariance[k] = total
    own = np.zeros(r + 1)
    for m in range(q + 1):
        c = 0.0
        for i in range(q + 1 - m):
            c += b[i] * b[i + m]
        for k in range(r):
            own[k] += c * covariance[k] if m == 0 else c * (covariance[k + m] + covariance[abs(k - m)])
    # Of the process with shocks before: the weights psi.
    psi = np.zeros(r + 1)
    psi[0] = 1.0
    for k in range(1, r + 1):
        total = b[k] if k < r else 0.0
        for j in range(min(k, p)):
            total += a[j] * psi[k - 1 - j]
        psi[k] = total
    out[0] = own[0]
    for i in range(1, r):
        total = 0.0
        for j in range(i, r):
            total += a[j] * own[j - i + 1] + b[j] * psi[j - i]
        out[i] = total
    return True


@njit(cache=True, nogil=True)
def by_recursion(w, t, a_lags, a, b_lags, b, errors):
    """Errors from step t on, where those before it and the readings are all that counts."""
    p = len(a_lags)
    q = len(b_lags)
    steps = len(w)
    longest = max(a_lags[p - 1] if p else 0, b_lags[q - 1] if q else 0)
    head = min(max(t, longest), steps)
    for u in range(t, head):  # before the first reading all is zero
        for lane in range(LANES):
            errors[u, lane] = w[u]
        for i in range(p):
            if a_lags[i] <= u:
                for lane in range(LANES):
                    errors[u, lane] -= a[i, lane] * w[u - a_lags[i]]
        for i in range(q):
            if b_lags[i] <= u:
                for lane in range(LANES):
                    errors[u, lane] -= b[i, lane] * errors[u - b_lags[i], lane]
    t = head
    if p == 2 and a_lags[1] == 2:
        for u in range(t, steps):
            one, two, now = w[u - 1], w[u - 2], w[u]
            for lane in range(LANES):
                errors[u, lane] = now - a[0, lane] * one - a[1, lane] * two
    else:
        for u in range(t, steps):
            for lane in range(LANES):
                errors[u, lane] = w[u]
            for i in range(p):
                past = w[u - a_lags[i]]
                for lane in range(LANES):
                    errors[u, lane] -= a[i, lane] * past
    moving_average(t, steps, b_lags, b, errors)


@njit(cache=True, nogil=True)
def moving_average(t, steps, b_lags, b, errors):
    """Take off from each row what past errors add to it, from step t to `steps`, in place."""
    q = len(b_lags)
    if q == 1 and b_lags[0] == 1:
        first, one = row(b, 0), row(errors, t - 1)
        for u in range(t, steps):
            one = less(row(errors, u), first, one)
            put(errors, u, one)
    elif q == 2 and b_lags[1] == 2:
        first, second, one, two = row(b, 0), row(b, 1), row(errors, t - 1), row(errors, t - 2)
        for u in range(t, steps):
            now = less(less(row(errors, u), second, two), first, one)
            put(errors, u, now)
            two = one
            one = now
    elif q == 3 and b_lags[2] == 3:
        first, second, third = row(b, 0), row(b, 1), row(b, 2)
        one, two, three = row(errors, t - 1), row(errors, t - 2), row(errors, t - 3)
        for u in range(t, steps):
            now = less(less(less(row(errors, u), third, three), second, two), first, one)
            put(errors, u, now)
            three = two
            two = one
            one = now
    elif q == 3:
        first, second, third = b_lags[0], b_lags[1], b_lags[2]
        for u in range(t, steps):
            for lane in range(LANES):
                far = b[2, lane] * errors[u - third, lane] + b[1, lane] * errors[u - second, lane]
                errors[u, lane] -= far + b[0, lane] * errors[u - first, lane]
    else:
        for u in range(t, steps):
            for i in range(q - 1, -1, -1):
                for lane in range(LANES):
                    errors[u, lane] -= b[i, lane] * errors[u - b_lags[i], lane]


@njit(cache=True, nogil=True)
def products(errors, gram, wanted):
    """Products of the errors at the first points with those at all; of each with itself alone where none is wanted."""
    steps = len(errors)
    for i in range(LANES):
        for j in range(LANES):
            gram[i, j] = 0.0
    if wanted == 0:
        own = np.zeros(LANES)
        for t in range(steps):
            for j in range(LANES):
                own[j] += errors[t, j] * errors[t, j]
        for j in range(LANES):
            gram[j, j] = own[j]
    for i in range(wanted):
        total = spread(0.0)
        for t in range(steps):
            total = more(total, spread(errors[t, i]), row(errors, t))
        put(gram, i, total)
