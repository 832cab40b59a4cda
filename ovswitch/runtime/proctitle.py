# SPDX-License-Identifier: Apache-2.0
"""The process's name and command line as ps, pidof and pgrep see them.

The kernel shows the memory that held the arguments at start, so the program's own
command line, without the interpreter, is written over it. Where that can't be done,
the interpreter's command line is what is seen.
"""

from __future__ import annotations

import os

from ovswitch.runtime import program

_title = b""


def _area() -> tuple[int, int]:
    """Return where the kernel looks for the arguments: start and end."""
    with open("/proc/self/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    return int(fields[45]), int(fields[46])


def _show(title: bytes) -> None:
    try:
        start, end = _area()
        size = end - start
        if size < 8:
            return
        if len(title) >= size:
            title = title[: size - 4] + b"..."
        fd = os.open("/proc/self/mem", os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.pwrite(fd, title.ljust(size, b"\0"), start)
        finally:
            os.close(fd)
    except (OSError, ValueError, IndexError):
        pass  # it is only looks


def init(argv: list[str]) -> None:
    """Show the program's own command line and name."""
    global _title
    _title = b"\0".join(os.fsencode(word) for word in argv)
    _show(_title)
    try:
        with open("/proc/self/comm", "w") as file:
            file.write(program.name[:15])
    except OSError:
        pass


def show(text: str) -> None:
    """Show "PROGRAM: TEXT" for a while."""
    _show(os.fsencode(f"{program.name}: {text}"))


def restore() -> None:
    """Show the command line again."""
    if _title:
        _show(_title)
