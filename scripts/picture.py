"""
Take the pictures of the documents: what ``driftmon check`` and ``explain`` print on the data of the demo, as SVGs.

Run after ``make demo``:
    .venv/bin/python scripts/picture.py docs/images/check.svg check flights --window 2013-05-23
    .venv/bin/python scripts/picture.py docs/images/explain.svg explain flights dep_delay --window 2013-05-23
"""

from __future__ import annotations

import os
import pty
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH = 140


def main() -> None:
    """Run a driftmon command in a terminal and save what it shows."""
    target, *arguments = sys.argv[1:]
    os.environ |= {"COLUMNS": str(WIDTH), "TERM": "xterm-256color", "DRIFTMON_HOME": ".demo"}
    shown = bytearray()

    def read(descriptor: int) -> bytes:
        part = os.read(descriptor, 65536)
        shown.extend(part)
        return part

    # Standard error has the progress bar, which a picture does not need.
    pty.spawn(["sh", "-c", '"$@" 2>/dev/null', "sh", sys.executable, "-m", "driftmon", *arguments], read)
    screen = Console(record=True, width=WIDTH, file=Path(os.devnull).open("w"))  # noqa: SIM115 - ends with the script
    screen.print(Text.from_ansi(f"$ driftmon {' '.join(arguments)}\n" + shown.decode().replace("\r\n", "\n").rstrip()))
    picture = screen.export_svg(title="driftmon")
    # No font from elsewhere: a picture must not call home.
    picture = re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL)
    picture = picture.replace("Fira Code, monospace", "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace")
    picture = re.sub(r"<!--.*?-->", "", picture, flags=re.DOTALL)
    Path(target).write_text(picture.replace("font-family: Fira Code", "font-family: monospace"), encoding="utf-8")


if __name__ == "__main__":
    main()
