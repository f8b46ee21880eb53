"""
The inner loops as machine code, where llvmlite is installed and there is enough to count; nothing depends on them but time.

Loading them takes a fifth of a second, so that it is done when a process has counted some millions of values, and not before. They
are compiled in memory, for this machine's processor: no file is written, and a read-only installation has them like any other.
"""

from __future__ import annotations

import ctypes
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from driftmon.core.loops import LANES, bin_loop, code_loop, reach_loop, table_loop, week_loop
from driftmon.core.scans import SCANS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Path", "available", "counting_by", "loops"]

Path: TypeAlias = Literal["auto", "numpy", "compiled"]
Loop: TypeAlias = "Callable[[str, Any], str]"

WORTH = 2**24
"""Values that a process counts before it loads the loops: about as long as loading takes."""


class Loops:
    """
    Compiled loops, each of them compiled when it is first called for a type. Arrays are as `driftmon.core.cuts.native` gives them.

    Raises
    ------
    ImportError
        If llvmlite is not installed.
    RuntimeError
        If it does not know this machine.
    """

    def __init__(self) -> None:
        import llvmlite.binding as llvm  # type: ignore[import-untyped] # noqa: PLC0415 - optional, loaded only if it pays

        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        target = llvm.Target.from_default_triple()
        self._llvm: Any = llvm
        self._machine: Any = target.create_target_machine(
            cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3, jit=True
        )
        self._engine: Any = llvm.create_mcjit_compiler(llvm.parse_assembly(""), self._machine)
        self._lock = Lock()
        self._compiled: dict[tuple[Loop, Any], Callable[..., None]] = {}

    def reach(self, values: NDArray[Any], cuts: NDArray[Any], out: NDArray[np.int64]) -> None:
        """Add to ``out[j]`` how many values are at least ``cuts[j]``."""
        self._of(reach_loop, values.dtype)(_at(values), len(values), _at(cuts), len(cuts), _at(out))

    def bins(self, values: NDArray[Any], cuts: NDArray[Any], out: NDArray[np.uint8]) -> int:
        """Add to ``out[i]`` how many cuts ``values[i]`` reaches, fewer than 256; tells of how many values, all but the last few."""
        rows = len(values) // LANES * LANES
        self._of(bin_loop, values.dtype)(_at(values), rows, _at(cuts), len(cuts), _at(out))
        return rows

    def codes(self, codes: NDArray[Any], out: NDArray[np.int64]) -> None:
        """Add to ``out`` of shape (4, codes + 1) the rows of each code; the last place is for codes outside."""
        self._of(code_loop, codes.dtype)(_at(codes), len(codes), out.shape[1] - 1, _at(out))

    def table(self, groups: NDArray[np.int64], bins: NDArray[np.uint8], out: NDArray[np.int64]) -> None:
        """Add one to ``out[groups[i], bins[i]]`` for each i; both have to be within."""
        self._of(table_loop, bins.dtype)(_at(groups), _at(bins), len(bins), out.shape[1], _at(out))

    def week_hours(self, times: NDArray[np.int64], hour: int, out: NDArray[np.uint8]) -> None:
        """Tell the hours since Monday, 0 to 167, of times since 1970 in units of which `hour` make an hour."""
        self._of(week_loop, hour)(_at(times), len(times), _at(out))

    def scan(self, loop: Loop, fine: int, values: NDArray[np.float64], *others: Any) -> None:  # noqa: ANN401 - arrays and numbers
        """Run one of `driftmon.core.scans` over values; what the others are it says itself."""
        self._of(loop, fine)(_at(values), len(values), *(_at(one) if hasattr(one, "dtype") else one for one in others))

    def _of(self, loop: Loop, key: np.dtype[Any] | int) -> Callable[..., None]:
        """The machine code of a loop for a type, or whatever else it is made for."""
        known = self._compiled.get((loop, key))
        if known is not None:
            return known
        with self._lock:
            if (loop, key) not in self._compiled:
                name = f"loop_{len(self._compiled)}"
                self._compiled[loop, key] = self._function(name, loop(name, key), _TAKES[loop])
        return self._compiled[loop, key]

    def _function(self, name: str, text: str, takes: Sequence[type]) -> Callable[..., None]:
        llvm, machine = self._llvm, self._machine
        module = llvm.parse_assembly(text)
        module.verify()
        tuning = llvm.create_pipeline_tuning_options(speed_level=3)
        tuning.loop_vectorization = tuning.loop_unrolling = tuning.loop_interleaving = True
        passes = llvm.create_pass_builder(machine, tuning)
        passes.getModulePassManager().run(module, passes)
        self._engine.add_module(module)
        self._engine.finalize_object()
        # Runs without the lock of the interpreter, as every function of ctypes does: other threads go on.
        return ctypes.CFUNCTYPE(None, *takes)(self._engine.get_function_address(name))


_POINTER, _NUMBER = ctypes.c_void_p, ctypes.c_int64
_TAKES: dict[Loop, Sequence[type]] = {
    reach_loop: (_POINTER, _NUMBER, _POINTER, _NUMBER, _POINTER),
    bin_loop: (_POINTER, _NUMBER, _POINTER, _NUMBER, _POINTER),
    code_loop: (_POINTER, _NUMBER, _NUMBER, _POINTER),
    table_loop: (_POINTER, _POINTER, _NUMBER, _NUMBER, _POINTER),
    week_loop: (_POINTER, _NUMBER, _POINTER),
    **SCANS,
}


def _at(values: NDArray[Any]) -> int:
    address: int = values.__array_interface__["data"][0]
    return address


class _Choice:
    """Which path counts in this process, and what it has counted so far."""

    def __init__(self) -> None:
        self.path: Path = "auto"
        self.values = 0
        self.loops: Loops | None = None
        self.missing = False
        self.lock = Lock()

    def load(self) -> Loops | None:
        with self.lock:
            if self.loops is None and not self.missing:
                try:
                    self.loops = Loops()
                except (ImportError, OSError, RuntimeError):
                    self.missing = True
        return self.loops


_choice = _Choice()


def loops(values: int) -> Loops | None:
    """
    The compiled loops, or None if NumPy is to count, with the very same result.

    Parameters
    ----------
    values : int
        How many are about to be counted. The loops are loaded once a process has counted `WORTH` of them.
    """
    choice = _choice
    if choice.loops is not None and choice.path != "numpy":
        return choice.loops
    choice.values += values
    if choice.path == "compiled" or (choice.path == "auto" and choice.values > WORTH):
        return choice.load()
    return None


def available() -> bool:
    """True if this machine can have compiled loops."""
    return _choice.load() is not None


@contextmanager
def counting_by(path: Path) -> Iterator[None]:
    """Count by one path whatever there is to count, for those who compare them; ``compiled`` means NumPy where there is no other."""
    before, _choice.path = _choice.path, path
    try:
        yield
    finally:
        _choice.path = before
