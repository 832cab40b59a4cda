# SPDX-License-Identifier: Apache-2.0
"""Octets for people: offset, sixteen octets in hexadecimal, their characters."""

from __future__ import annotations

_PER_LINE = 16


def hex_dump(octets: bytes, start: int = 0, *, ascii_too: bool = False) -> str:
    """Return lines of sixteen octets, each ended by a newline.

    Args:
        octets: what to show.
        start: the number of the first.
        ascii_too: whether characters follow.
    """
    lines = []
    end = start + len(octets)
    line = start - start % _PER_LINE
    while line < end:
        cells = letters = ""
        for at in range(line, line + _PER_LINE):
            if start <= at < end:
                octet = octets[at - start]
                cells += f"{octet:02x}{'-' if at % _PER_LINE == 7 else ' '}"
                letters += chr(octet) if 32 <= octet < 127 else "."
            elif at < start or ascii_too:
                cells += "   "
                letters += " "
        tail = f"|{letters}|" if ascii_too else ""
        lines.append(
            f"{line:08x}  {cells if ascii_too else cells.removesuffix(' ')}{tail}\n"
        )
        line += _PER_LINE
    return "".join(lines)
