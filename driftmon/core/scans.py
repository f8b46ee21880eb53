"""
The inner loops of learning as LLVM sees them; see `driftmon.core.loops` for why they are written out.

Each goes over float64 values, whatever they are, and leaves those that it cannot place, infinite ones and NaN among them, to
NumPy: few, where the window of a grid fits.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["FIRST", "GOLDEN", "SCANS", "SECOND", "bit_pick", "bit_survey", "hash_pick", "linear_pick", "linear_survey"]

_LINEAR = """
  %from = fsub double %x, %low
  %step = fmul double %from, %scale
  %after = fcmp ogt double %step, -1.0
  %before = fcmp olt double %step, {fine}.0
  %inside = and i1 %after, %before
"""
_LINEAR_CELL = "  %cell = fptosi double %step to i64\n"

_KEY = """
  %plain = fadd double %x, 0.0
  %bits = bitcast double %plain to i64
  %signs = ashr i64 %bits, 63
  %flips = or i64 %signs, {sign}
  %key = xor i64 %bits, %flips
  %exponent = and i64 %bits, {exponent}
  %finite = icmp ne i64 %exponent, {exponent}
"""

_BITS = (
    _KEY
    + """
  %from = sub i64 %key, %origin
  %cell = lshr i64 %from, %shift
  %after = icmp uge i64 %key, %origin
  %before = icmp ult i64 %cell, {fine}
  %both = and i1 %after, %before
  %inside = and i1 %both, %finite
"""
)

_SURVEY = """
define void @{name}(ptr noalias %values, i64 %count, {window}, ptr noalias %counts, ptr noalias %seen, ptr noalias %rest) {{
entry:
  %none = icmp eq i64 %count, 0
  br i1 %none, label %done, label %value
value:
  %i = phi i64 [0, %entry], [%i.next, %next]
  %left = phi i64 [1, %entry], [%left.next, %next]
  %place = getelementptr double, ptr %values, i64 %i
  %x = load double, ptr %place
{inside}
  br i1 %inside, label %count.it, label %leave
count.it:
{cell}
  %count.place = getelementptr i64, ptr %counts, i64 %cell
  %rows = load i64, ptr %count.place
  %rows.next = add i64 %rows, 1
  store i64 %rows.next, ptr %count.place
  %seen.place = getelementptr double, ptr %seen, i64 %cell
  store double %x, ptr %seen.place
  br label %next
leave:
  %rest.place = getelementptr double, ptr %rest, i64 %left
  store double %x, ptr %rest.place
  %left.more = add i64 %left, 1
  br label %next
next:
  %left.next = phi i64 [%left, %count.it], [%left.more, %leave]
  %i.next = add nuw i64 %i, 1
  %more = icmp ult i64 %i.next, %count
  br i1 %more, label %value, label %done
done:
  %total = phi i64 [1, %entry], [%left.next, %next]
  store i64 %total, ptr %rest
  ret void
}}
"""

_PICK = """
define void @{name}(ptr noalias %values, i64 %count, {window}, ptr noalias %table, ptr noalias %rest) {{
entry:
  %none = icmp eq i64 %count, 0
  br i1 %none, label %done, label %value
value:
  %i = phi i64 [0, %entry], [%i.next, %next]
  %left = phi i64 [1, %entry], [%left.next, %next]
  %place = getelementptr double, ptr %values, i64 %i
  %x = load double, ptr %place
  %rest.place = getelementptr double, ptr %rest, i64 %left
  store double %x, ptr %rest.place
{inside}
  br i1 %inside, label %ask, label %next
ask:
{cell}
  %span.place = getelementptr i16, ptr %table, i64 %cell
  %span = load i16, ptr %span.place
  %asked = icmp sge i16 %span, 0
  br label %next
next:
  %keep = phi i1 [true, %value], [%asked, %ask]
  %kept = zext i1 %keep to i64
  %left.next = add i64 %left, %kept
  %i.next = add nuw i64 %i, 1
  %more = icmp ult i64 %i.next, %count
  br i1 %more, label %value, label %done
done:
  %total = phi i64 [1, %entry], [%left.next, %next]
  store i64 %total, ptr %rest
  ret void
}}
"""

_HASH = """
define void @{name}(ptr noalias %values, i64 %count, i64 %most, ptr noalias %rest) {{
entry:
  %none = icmp eq i64 %count, 0
  br i1 %none, label %done, label %value
value:
  %i = phi i64 [0, %entry], [%i.next, %value]
  %left = phi i64 [1, %entry], [%left.next, %value]
  %place = getelementptr double, ptr %values, i64 %i
  %x = load double, ptr %place
  %rest.place = getelementptr double, ptr %rest, i64 %left
  store double %x, ptr %rest.place
{key}
  %a = add i64 %key, {golden}
  %b = lshr i64 %a, 30
  %c = xor i64 %a, %b
  %d = mul i64 %c, {first}
  %e = lshr i64 %d, 27
  %f = xor i64 %d, %e
  %g = mul i64 %f, {second}
  %h = lshr i64 %g, 31
  %hash = xor i64 %g, %h
  %small = icmp ult i64 %hash, %most
  %keep = and i1 %small, %finite
  %kept = zext i1 %keep to i64
  %left.next = add i64 %left, %kept
  %i.next = add nuw i64 %i, 1
  %more = icmp ult i64 %i.next, %count
  br i1 %more, label %value, label %done
done:
  %total = phi i64 [1, %entry], [%left.next, %value]
  store i64 %total, ptr %rest
  ret void
}}
"""

GOLDEN, FIRST, SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
"""What `hash_pick` mixes with; see `driftmon.core.sampled`."""


def linear_survey(name: str, fine: int) -> str:
    """
    ``(values, count, low, scale, counts, seen, rest)``: count the values in the cells of a linear window, and remember one of each.

    All others are left in `rest`, from its second place on; the first, as an integer, tells where they end.

    Parameters
    ----------
    name : str
    fine : int
        Cells of the window.
    """
    return _linear(_SURVEY, name, fine)


def bit_survey(name: str, fine: int) -> str:
    """``(values, count, origin, shift, counts, seen, rest)``: as `linear_survey`, for a window of equally many floats a cell."""
    return _bits(_SURVEY, name, fine)


def linear_pick(name: str, fine: int) -> str:
    """``(values, count, low, scale, table, rest)``: leave values whose cell has a span in a table, and those outside the window."""
    return _linear(_PICK, name, fine)


def bit_pick(name: str, fine: int) -> str:
    """``(values, count, origin, shift, table, rest)``: as `linear_pick`, for a window of equally many floats a cell."""
    return _bits(_PICK, name, fine)


def hash_pick(name: str, key: int) -> str:
    """``(values, count, most, rest)``: leave the finite values whose hash is less than `most`."""
    words = _words(name, key)
    return _HASH.format(
        key=_KEY.format(**words), golden=_signed(GOLDEN), first=_signed(FIRST), second=_signed(SECOND), **words
    )


def _linear(text: str, name: str, fine: int) -> str:
    words = _words(name, fine)
    window = "double %low, double %scale"
    return text.format(window=window, inside=_LINEAR.format(**words), cell=_LINEAR_CELL, **words)


def _bits(text: str, name: str, fine: int) -> str:
    words = _words(name, fine)
    return text.format(window="i64 %origin, i64 %shift", inside=_BITS.format(**words), cell="", **words)


def _words(name: str, fine: int) -> dict[str, Any]:
    return {"name": name, "fine": fine, "sign": _signed(2**63), "exponent": 0x7FF << 52}


def _signed(number: int) -> int:
    return number - 2**64 if number >= 2**63 else number


_POINTER, _NUMBER, _WORD, _REAL = ctypes.c_void_p, ctypes.c_int64, ctypes.c_uint64, ctypes.c_double

SCANS: dict[Callable[[str, Any], str], Sequence[type]] = {
    linear_survey: (_POINTER, _NUMBER, _REAL, _REAL, _POINTER, _POINTER, _POINTER),
    bit_survey: (_POINTER, _NUMBER, _WORD, _WORD, _POINTER, _POINTER, _POINTER),
    linear_pick: (_POINTER, _NUMBER, _REAL, _REAL, _POINTER, _POINTER),
    bit_pick: (_POINTER, _NUMBER, _WORD, _WORD, _POINTER, _POINTER),
    hash_pick: (_POINTER, _NUMBER, _WORD, _POINTER),
}
"""The loops, each with what it takes."""
