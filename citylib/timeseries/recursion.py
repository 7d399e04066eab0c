"""What the compiled filters of ARMA processes share: covariances to start from, the recursion of the errors, products.

Legend: T time steps, LANES points side by side.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from citylib.timeseries.lanes import LANES, less, more, put, row, spread

__all__ = ["SETTLED", "by_recursion", "first_column", "first_column_in", "moving_average", "products"]

SETTLED = 1e-14  # a change of the covariance, in variances of the shock, that no longer counts


@njit(cache=True, nogil=True)
def first_column(a, b, out):
    """Covariances of the state at the start with the process, for shocks of variance 1; whether it is stationary."""
    return first_column_in(a, b, out, np.empty((len(a) + 1, len(a) + 1)), np.empty((3, 2 * len(a) + 1)))


@njit(cache=True, nogil=True)
def first_column_in(a, b, out, ladder, room):
    """Fill in the first column of the covariance; `ladder` (r + 1, r + 1) and `room` (3, 2 r + 1) are to work in."""
    r = len(a)
    p = r
    while p > 0 and a[p - 1] == 0.0:
        p -= 1
    q = r - 1
    while q > 0 and b[q] == 0.0:
        q -= 1
    # Autoregressions of each shorter order, from the longest down.
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
    covariance = room[0]  # of the autoregression without its moving average
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
    own = room[1]
    own[: r + 1] = 0.0
    for m in range(q + 1):
        c = 0.0
        for i in range(q + 1 - m):
            c += b[i] * b[i + m]
        for k in range(r):
            own[k] += c * covariance[k] if m == 0 else c * (covariance[k + m] + covariance[abs(k - m)])
    # Of the process with shocks before: the weights psi.
    psi = room[2]
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
        now = spread(w[u])
        for i in range(p):
            if a_lags[i] <= u:
                now = less(now, row(a, i), spread(w[u - a_lags[i]]))
        for i in range(q):
            if b_lags[i] <= u:
                now = less(now, row(b, i), row(errors, u - b_lags[i]))
        put(errors, u, now)
    if head == steps:
        return
    if longest <= 3 and q and b_lags[q - 1] == q and (p == 0 or a_lags[p - 1] == p):  # no lag left out
        if p == 2 and q == 2:
            _two_lags(w, head, a, b, errors)
        else:
            _three_lags(w, head, a, b, errors)
        return
    for u in range(head, steps):
        now = spread(w[u])
        for i in range(p):
            now = less(now, row(a, i), spread(w[u - a_lags[i]]))
        put(errors, u, now)
    moving_average(head, steps, b_lags, b, errors)


@njit(cache=True, nogil=True)
def _two_lags(w, head, a, b, errors):
    """Errors of the commonest process, ARMA(2,2), all in registers."""
    a1, a2, b1, b2 = row(a, 0), row(a, 1), row(b, 0), row(b, 1)
    w1, w2, one, two = spread(w[head - 1]), spread(w[head - 2]), row(errors, head - 1), row(errors, head - 2)
    for u in range(head, len(w)):
        reading = spread(w[u])
        now = less(less(less(less(reading, a1, w1), a2, w2), b2, two), b1, one)
        put(errors, u, now)
        w2, w1, two, one = w1, reading, one, now


@njit(cache=True, nogil=True)
def _three_lags(w, head, a, b, errors):
    """Errors of a process with up to three lags, all in registers."""
    nothing = spread(0.0)
    a1 = row(a, 0) if len(a) > 0 else nothing
    a2 = row(a, 1) if len(a) > 1 else nothing
    a3 = row(a, 2) if len(a) > 2 else nothing
    b1 = row(b, 0)
    b2 = row(b, 1) if len(b) > 1 else nothing
    b3 = row(b, 2) if len(b) > 2 else nothing
    w1, one = spread(w[head - 1]), row(errors, head - 1)
    w2 = spread(w[head - 2]) if head > 1 else nothing
    w3 = spread(w[head - 3]) if head > 2 else nothing
    two = row(errors, head - 2) if head > 1 else nothing
    three = row(errors, head - 3) if head > 2 else nothing
    for u in range(head, len(w)):
        reading = spread(w[u])
        now = less(less(less(reading, a1, w1), a2, w2), a3, w3)
        now = less(less(less(now, b3, three), b2, two), b1, one)
        put(errors, u, now)
        w3, w2, w1, three, two, one = w2, w1, reading, two, one, now


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
            two, one = one, now
    elif q == 3:
        first, second, third = row(b, 0), row(b, 1), row(b, 2)
        one, two, three = b_lags[0], b_lags[1], b_lags[2]
        for u in range(t, steps):
            now = less(less(row(errors, u), third, row(errors, u - three)), second, row(errors, u - two))
            put(errors, u, less(now, first, row(errors, u - one)))
    else:
        for u in range(t, steps):
            now = row(errors, u)
            for i in range(q - 1, -1, -1):
                now = less(now, row(b, i), row(errors, u - b_lags[i]))
            put(errors, u, now)


@njit(cache=True, nogil=True)
def products(errors, gram, wanted):
    """Products of the errors at the first points with those at all, and of each with itself."""
    gram[:, :] = 0.0
    own = np.empty((1, LANES))
    if wanted > 5:
        _eight(errors, gram)
        return
    if wanted > 0:
        _five(errors, gram, wanted - 1, own)
    else:
        even, odd = spread(0.0), spread(0.0)
        steps = len(errors)
        for t in range(0, steps - 1, 2):
            x, y = row(errors, t), row(errors, t + 1)
            even, odd = more(even, x, x), more(odd, y, y)
        if steps % 2:
            x = row(errors, steps - 1)
            even = more(even, x, x)
        put(own, 0, more(even, spread(1.0), odd))
    for j in range(LANES):
        gram[j, j] = own[0, j]


@njit(cache=True, nogil=True)
def _five(errors, gram, last, own):
    """Fill in the first five rows of the products, rows beyond the last as it, and those of each with itself."""
    i, j, k, m = min(1, last), min(2, last), min(3, last), min(4, last)
    one, two, three, four, five = spread(0.0), spread(0.0), spread(0.0), spread(0.0), spread(0.0)
    each = spread(0.0)
    for t in range(len(errors)):
        x = row(errors, t)
        each = more(each, x, x)
        one, two, three = (
            more(one, spread(errors[t, 0]), x),
            more(two, spread(errors[t, i]), x),
            more(three, spread(errors[t, j]), x),
        )
        four, five = more(four, spread(errors[t, k]), x), more(five, spread(errors[t, m]), x)
    for at, total in ((0, one), (i, two), (j, three), (k, four), (m, five)):
        put(gram, at, total)
    put(own, 0, each)


@njit(cache=True, nogil=True)
def _eight(errors, gram):
    """Fill in all rows of the products."""
    g0, g1, g2, g3, g4, g5, g6, g7 = (
        spread(0.0), spread(0.0), spread(0.0), spread(0.0), spread(0.0), spread(0.0), spread(0.0), spread(0.0)
    )  # fmt: skip
    for t in range(len(errors)):
        x = row(errors, t)
        g0, g1, g2 = (
            more(g0, spread(errors[t, 0]), x),
            more(g1, spread(errors[t, 1]), x),
            more(g2, spread(errors[t, 2]), x),
        )
        g3, g4, g5 = (
            more(g3, spread(errors[t, 3]), x),
            more(g4, spread(errors[t, 4]), x),
            more(g5, spread(errors[t, 5]), x),
        )
        g6, g7 = more(g6, spread(errors[t, 6]), x), more(g7, spread(errors[t, 7]), x)
    for at, total in ((0, g0), (1, g1), (2, g2), (3, g3), (4, g4), (5, g5), (6, g6), (7, g7)):
        put(gram, at, total)
