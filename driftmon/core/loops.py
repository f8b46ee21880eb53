"""
The inner loops as LLVM sees them: text that llvmlite turns into vector instructions of this machine.

Five loops, each for the types it is asked for. Written out because they are short, and because loading them takes a tenth of what a
compiler of Python takes to load (decision 20). What they compute is written next to each in Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

__all__ = ["LANES", "MONDAY", "WEEK", "bin_loop", "code_loop", "reach_loop", "table_loop", "week_loop"]

BLOCK = 2_048
"""Values that are compared with one cut after the other: few enough for the first-level cache, and for sums of 16 bits."""

WEEK, MONDAY = 168, 72
"""Hours of a week, and those from a Monday to the start of 1970, a Thursday."""

LANES = 16
"""Values that are told apart at once."""

_REACH = """
define void @{name}(ptr noalias %values, i64 %count, ptr noalias %cuts, i64 %many, ptr noalias %out) {{
entry:
  %none = icmp eq i64 %count, 0
  %nothing = icmp eq i64 %many, 0
  %idle = or i1 %none, %nothing
  br i1 %idle, label %done, label %block
block:
  %start = phi i64 [0, %entry], [%end, %next]
  %left = sub i64 %count, %start
  %short = icmp ult i64 %left, {block}
  %length = select i1 %short, i64 %left, i64 {block}
  %end = add i64 %start, %length
  %first = getelementptr {type}, ptr %values, i64 %start
  br label %cut
cut:
  %j = phi i64 [0, %block], [%j.next, %cut.done]
  %cut.place = getelementptr {type}, ptr %cuts, i64 %j
  %least = load {type}, ptr %cut.place
  br label %value
value:
  %i = phi i64 [0, %cut], [%i.next, %value]
  %sum = phi {sum_type} [0, %cut], [%sum.next, %value]
  %place = getelementptr {type}, ptr %first, i64 %i
  %x = load {type}, ptr %place
  %reached = {compare} {type} %x, %least
  %one = zext i1 %reached to {sum_type}
  %sum.next = add {sum_type} %sum, %one
  %i.next = add nuw i64 %i, 1
  %more = icmp ult i64 %i.next, %length
  br i1 %more, label %value, label %cut.done
cut.done:
  {widen}
  %out.place = getelementptr i64, ptr %out, i64 %j
  %before = load i64, ptr %out.place
  %after = add i64 %before, %wide
  store i64 %after, ptr %out.place
  %j.next = add nuw i64 %j, 1
  %again = icmp ult i64 %j.next, %many
  br i1 %again, label %cut, label %next
next:
  %on = icmp ult i64 %end, %count
  br i1 %on, label %block, label %done
done:
  ret void
}}
"""

_BINS = """
define void @{name}(ptr noalias %values, i64 %count, ptr noalias %cuts, i64 %many, ptr noalias %out) {{
entry:
  %none = icmp eq i64 %count, 0
  br i1 %none, label %done, label %block
block:
  %start = phi i64 [0, %entry], [%end, %next]
  %place = getelementptr {type}, ptr %values, i64 %start
  %x = load <{lanes} x {type}>, ptr %place, align 1
  %bins.place = getelementptr i8, ptr %out, i64 %start
  %before = load <{lanes} x i8>, ptr %bins.place, align 1
  %nothing = icmp eq i64 %many, 0
  br i1 %nothing, label %next, label %cut
cut:
  %j = phi i64 [0, %block], [%j.next, %cut]
  %sum = phi <{lanes} x {sum_type}> [zeroinitializer, %block], [%sum.next, %cut]
  %cut.place = getelementptr {type}, ptr %cuts, i64 %j
  %least = load {type}, ptr %cut.place
  %one = insertelement <{lanes} x {type}> poison, {type} %least, i64 0
  %all = shufflevector <{lanes} x {type}> %one, <{lanes} x {type}> poison, <{lanes} x i32> zeroinitializer
  %reached = {compare} <{lanes} x {type}> %x, %all
  %ones = sext <{lanes} x i1> %reached to <{lanes} x {sum_type}>
  %sum.next = sub <{lanes} x {sum_type}> %sum, %ones
  %j.next = add nuw i64 %j, 1
  %again = icmp ult i64 %j.next, %many
  br i1 %again, label %cut, label %next
next:
  %total = phi <{lanes} x {sum_type}> [zeroinitializer, %block], [%sum.next, %cut]
  {narrow}
  %after = add <{lanes} x i8> %before, %bytes
  store <{lanes} x i8> %after, ptr %bins.place, align 1
  %end = add i64 %start, {lanes}
  %on = icmp ult i64 %end, %count
  br i1 %on, label %block, label %done
done:
  ret void
}}
"""

_CODES = """
define void @{name}(ptr noalias %codes, i64 %count, i64 %many, ptr noalias %out) {{
entry:
  %none = icmp eq i64 %count, 0
  %row = add i64 %many, 1
  br i1 %none, label %done, label %value
value:
  %i = phi i64 [0, %entry], [%i.next, %value]
  %place = getelementptr {type}, ptr %codes, i64 %i
  %code = load {type}, ptr %place
  {widen}
  %known = icmp ult i64 %wide, %many
  %slot = select i1 %known, i64 %wide, i64 %many
  %turn = and i64 %i, 3
  %skip = mul i64 %turn, %row
  %at = add i64 %skip, %slot
  %out.place = getelementptr i64, ptr %out, i64 %at
  %before = load i64, ptr %out.place
  %after = add i64 %before, 1
  store i64 %after, ptr %out.place
  %i.next = add nuw i64 %i, 1
  %more = icmp ult i64 %i.next, %count
  br i1 %more, label %value, label %done
done:
  ret void
}}
"""

_TABLE = """
define void @{name}(ptr noalias %groups, ptr noalias %bins, i64 %count, i64 %size, ptr noalias %out) {{
entry:
  %none = icmp eq i64 %count, 0
  br i1 %none, label %done, label %value
value:
  %i = phi i64 [0, %entry], [%i.next, %value]
  %group.place = getelementptr i64, ptr %groups, i64 %i
  %group = load i64, ptr %group.place
  %bin.place = getelementptr {type}, ptr %bins, i64 %i
  %bin = load {type}, ptr %bin.place
  %wide = zext {type} %bin to i64
  %row = mul i64 %group, %size
  %at = add i64 %row, %wide
  %out.place = getelementptr i64, ptr %out, i64 %at
  %before = load i64, ptr %out.place
  %after = add i64 %before, 1
  store i64 %after, ptr %out.place
  %i.next = add nuw i64 %i, 1
  %more = icmp ult i64 %i.next, %count
  br i1 %more, label %value, label %done
done:
  ret void
}}
"""

_WEEK = """
define void @{name}(ptr noalias %times, i64 %count, ptr noalias %out) {{
entry:
  %none = icmp eq i64 %count, 0
  br i1 %none, label %done, label %value
value:
  %i = phi i64 [0, %entry], [%i.next, %value]
  %place = getelementptr i64, ptr %times, i64 %i
  %time = load i64, ptr %place
  %quotient = sdiv i64 %time, {hour}
  %rest = srem i64 %time, {hour}
  %early = ashr i64 %rest, 63
  %hours = add i64 %quotient, %early
  %since = add i64 %hours, {monday}
  %turn = srem i64 %since, {week}
  %before = ashr i64 %turn, 63
  %whole = and i64 %before, {week}
  %hour = add i64 %turn, %whole
  %byte = trunc i64 %hour to i8
  %out.place = getelementptr i8, ptr %out, i64 %i
  store i8 %byte, ptr %out.place
  %i.next = add nuw i64 %i, 1
  %more = icmp ult i64 %i.next, %count
  br i1 %more, label %value, label %done
done:
  ret void
}}
"""


def reach_loop(name: str, dtype: np.dtype[Any]) -> str:
    """``(values, count, cuts, many, out)``: ``out[j] += sum(value >= cuts[j] for value in values)``."""
    words = _words(name, dtype)
    # Sums as wide as the values keep as many of them in a vector register.
    bits = max(16, 8 * dtype.itemsize)
    words["sum_type"] = f"i{bits}"
    words["widen"] = "%wide = add i64 %sum.next, 0" if bits == 64 else f"%wide = zext i{bits} %sum.next to i64"
    return _REACH.format(block=BLOCK, **words)


def bin_loop(name: str, dtype: np.dtype[Any]) -> str:
    """
    ``(values, count, cuts, many, out)``: ``out[i] += sum(values[i] >= cut for cut in cuts)``.

    Bytes, fewer than 256 cuts, and a multiple of `LANES` values: as many are compared at once, cut after cut.
    """
    words, bits = _words(name, dtype), 8 * dtype.itemsize
    narrow = f"%bytes = {'add' if bits == 8 else 'trunc'} <{LANES} x i{bits}> %total"
    words["narrow"] = f"{narrow}, zeroinitializer" if bits == 8 else f"{narrow} to <{LANES} x i8>"
    return _BINS.format(**words, lanes=LANES, sum_type=f"i{bits}")


def code_loop(name: str, dtype: np.dtype[Any]) -> str:
    """
    ``(codes, count, many, out)``: ``out[i % 4, code if 0 <= code < many else many] += 1`` for each code, the i-th.

    Four rows, so that equal codes in a row need not wait for each other.
    """
    words = _words(name, dtype)
    if dtype.itemsize == 8:
        words["widen"] = "%wide = add i64 %code, 0"
    else:
        words["widen"] = f"%wide = {'sext' if dtype.kind == 'i' else 'zext'} {words['type']} %code to i64"
    return _CODES.format(**words)


def table_loop(name: str, dtype: np.dtype[Any]) -> str:
    """``(groups, bins, count, size, out)``: ``out[groups[i] * size + bins[i]] += 1``; groups are int64, bins of no sign."""
    return _TABLE.format(**_words(name, dtype))


def week_loop(name: str, hour: int) -> str:
    """``(times, count, out)``: ``out[i] = (times[i] // hour + MONDAY) % WEEK``; times are int64, out are bytes."""
    return _WEEK.format(name=name, hour=hour, monday=MONDAY, week=WEEK)


def _words(name: str, dtype: np.dtype[Any]) -> dict[str, str]:
    bits = 8 * dtype.itemsize
    if dtype.kind == "f":
        return {"name": name, "type": "double" if bits == 64 else "float", "compare": "fcmp oge"}
    return {"name": name, "type": f"i{bits}", "compare": "icmp sge" if dtype.kind == "i" else "icmp uge"}
