"""Eight numbers side by side in compiled code: one instruction of the processor works on all of them.

Left to itself the compiler works through eight parameters of a recursion one after the other. Here they are a type of
its own, which stays in a register from one step to the next. A product and a sum are one operation, rounded once, on
every machine.

    x = row(values, t)        # LANES numbers of (T, LANES)
    y = more(x, c, z)         # x + c z
    y = less(x, c, z)         # x - c z
    y = times(x, z)           # x z
    put(values, t, y)

Rows are contiguous; no bound is checked.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic as _intrinsic
from numba.extending import models, register_model

__all__ = ["LANES", "less", "more", "put", "row", "spread", "times"]

LANES = 8

intrinsic: Any = _intrinsic  # what it makes is called without the context that it is written with

_VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_FUSED = f"llvm.fma.v{LANES}f64"


class Lanes(types.Type):
    """The type of LANES numbers side by side."""

    def __init__(self) -> None:
        super().__init__(name=f"Lanes({LANES})")


lanes = Lanes()


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, _VECTOR)


def _place(context, builder, kind, array, t):
    made = context.make_array(kind)(context, builder, array)
    stride = cgutils.unpack_tuple(builder, made.strides)[0]
    start = builder.bitcast(made.data, ir.IntType(8).as_pointer())
    return builder.bitcast(builder.gep(start, [builder.mul(t, stride)]), _VECTOR.as_pointer())


def _fused(builder, one, two, three):
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(_VECTOR, [_VECTOR] * 3), _FUSED)
    return builder.call(function, [one, two, three])


@intrinsic
def row(typingctx, values, t):
    """Return row t of (T, LANES)."""

    def make(context, builder, signature, args):
        return builder.load(_place(context, builder, signature.args[0], *args), align=8)

    return lanes(values, types.intp), make


@intrinsic
def put(typingctx, values, t, x):
    """Write row t of (T, LANES)."""

    def make(context, builder, signature, args):
        builder.store(args[2], _place(context, builder, signature.args[0], args[0], args[1]), align=8)

    return types.void(values, types.intp, lanes), make


@intrinsic
def spread(typingctx, x):
    """Return a number in all lanes."""

    def make(context, builder, signature, args):
        empty = ir.Constant(_VECTOR, ir.Undefined)
        first = builder.insert_element(empty, args[0], ir.Constant(ir.IntType(32), 0))
        everywhere = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        return builder.shuffle_vector(first, empty, everywhere)

    return lanes(types.float64), make


@intrinsic
def more(typingctx, x, c, y):
    """Return x + c y, rounded once."""

    def make(context, builder, signature, args):
        return _fused(builder, args[1], args[2], args[0])

    return lanes(lanes, lanes, lanes), make


@intrinsic
def less(typingctx, x, c, y):
    """Return x - c y, rounded once."""

    def make(context, builder, signature, args):
        return _fused(builder, builder.fneg(args[1]), args[2], args[0])

    return lanes(lanes, lanes, lanes), make


@intrinsic
def times(typingctx, x, y):
    """Return x y."""

    def make(context, builder, signature, args):
        return builder.fmul(args[0], args[1])

    return lanes(lanes, lanes), make
