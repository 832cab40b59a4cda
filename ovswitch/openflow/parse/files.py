# SPDX-License-Identifier: Apache-2.0
"""Files with a flow a line: comments begin with "#", "-" is the standard input."""

from __future__ import annotations

import posix

from ovswitch.openflow import protocol
from ovswitch.openflow.parse.flow import parse_flow_mod
from ovswitch.openflow.parse.tokens import ParseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ovswitch.flow.names import Names
    from ovswitch.openflow.messages.flow_mod import FlowMod


def preprocessed_lines(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield (number from 1, line) without comments; skip lines without a word."""
    for number, line in enumerate(lines, 1):
        if "#" in line:
            line = line[: line.index("#")]
        line = line.rstrip("\n")
        if line.strip(" \t\n"):
            yield number, line


def open_lines(name: str) -> Iterable[str]:
    """Return the lines of a file, or of the standard input for "-".

    Raises:
        OSError: the file can't be read.
    """
    if name == "-":
        import sys

        return sys.stdin
    with open(name, encoding="utf-8", errors="surrogateescape") as file:
        return file.readlines()


def parse_flow_file(
    name: str, command: int, names: Names | None = None
) -> tuple[list[FlowMod], int]:
    """Return a file's flows, and the protocols that can say them all.

    Raises:
        ValueError: with the text for the user: file, line and what is wrong there.
    """
    try:
        lines = open_lines(name)
    except OSError as error:
        text = posix.strerror(error.errno or 0)
        raise ParseError(f"{name}: open failed ({text})") from None
    flows: list[FlowMod] = []
    usable = protocol.ANY
    for number, line in preprocessed_lines(lines):
        try:
            flow, protocols = parse_flow_mod(line, command, names)
        except ValueError as error:
            raise ParseError(f"{name}:{number}: {error}") from None
        flows.append(flow)
        usable &= protocols
    return flows, usable
