"""The archive of this package that a session sends to its executors: they count with the code of the driver, whatever they have."""

from __future__ import annotations

import atexit
import hashlib
import sys
import tempfile
from functools import cache
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING
from weakref import WeakSet
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

if TYPE_CHECKING:
    from driftmon.sources.spark.session import Session

__all__ = ["send_package"]

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file in the archive: equal code is an equal archive, of an equal name."""


_sent: WeakSet[Session] = WeakSet()
"""Sessions that have it; each time more would make every task longer."""


def send_package(session: Session) -> None:
    """Give the executors of a session this package. Sending it again does nothing."""
    if session in _sent:
        return
    archive = _archive()
    session.addArtifacts(str(archive), pyfile=True)
    _sent.add(session)
    # Spark puts the archive into the driver's own path, too, where it would stand before the installed package.
    sys.path[:] = [entry for entry in sys.path if not entry.endswith(archive.name)]


@cache
def _archive() -> Path:
    """The sources of this package as an archive, made once a process and deleted when it ends."""
    package = Path(__file__).parents[2]
    files = {file.relative_to(package.parent).as_posix(): file.read_bytes() for file in package.rglob("*.py")}
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name} {len(content)} ".encode())
        digest.update(content)
    # Executors that come later fetch it from here: it has to stay as long as any session.
    folder = Path(tempfile.mkdtemp(prefix="driftmon-"))
    atexit.register(rmtree, folder, ignore_errors=True)
    path = folder / f"driftmon-{digest.hexdigest()[:16]}.zip"
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(ZipInfo(name, EPOCH), content, ZIP_DEFLATED)
    return path
