# SPDX-License-Identifier: Apache-2.0
"""What printers print to, and the pieces of text that many of them need."""

from __future__ import annotations

from ovswitch.flow.names import format_port, format_table
from ovswitch.flow.text import format_match
from ovswitch.openflow.actions.colors import colors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.flow.match import Match
    from ovswitch.flow.names import NameMap, Names

OFP_DEFAULT_PRIORITY = 0x8000


class Out:
    """Text in the making.

    Attributes:
        verbosity: how much is asked for.
        names, ports, tables: names to use, or None.
    """

    __slots__ = ("names", "parts", "ports", "tables", "verbosity")

    def __init__(self, verbosity: int = 0, names: Names | None = None) -> None:
        self.verbosity = verbosity
        self.names = names
        self.ports: NameMap | None = names.ports if names is not None else None
        self.tables: NameMap | None = names.tables if names is not None else None
        self.parts: list[str] = []

    def put(self, text: str) -> None:
        """Add text."""
        self.parts.append(text)

    def text(self) -> str:
        """Return all that was put."""
        return "".join(self.parts)

    def port(self, port: int) -> str:
        """Return a port's name or number."""
        return format_port(port, self.ports)

    def table(self, table_id: int) -> str:
        """Return a table's name or number."""
        return format_table(table_id, self.tables)

    def has_table_name(self, table_id: int) -> bool:
        """Return whether a table has a name."""
        return self.tables is not None and self.tables.name(table_id) is not None

    def match(self, match: Match, priority: int = OFP_DEFAULT_PRIORITY) -> str:
        """Return a match as text."""
        return format_match(match, self.ports, priority, colors)


def duration(seconds: int, nanoseconds: int) -> str:
    """Return "5.25s": three decimals if they are exact, else as many as there are."""
    text = str(seconds)
    if nanoseconds:
        if not nanoseconds % 1_000_000:
            text += f".{nanoseconds // 1_000_000:03}"
        else:
            text += f".{nanoseconds:09}".rstrip("0")
    return text + "s"


def bit_names(bits: int, names: dict[int, str], separator: str = " ") -> str:
    """Return the names of the bits set, unknown ones as one number; "0" for none."""
    if not bits:
        return "0"
    parts = []
    for bit, name in names.items():
        if bits & bit:
            parts.append(name)
            bits &= ~bit
    if bits:
        parts.append(f"{bits:#x}")
    return separator.join(parts)


def eth(address: int) -> str:
    """Return an Ethernet address."""
    return address.to_bytes(6, "big").hex(":")


def hex_dump(octets: bytes, ascii_column: bool = True) -> str:
    """Return octets 16 a line, with their offsets and perhaps as ASCII."""
    lines = []
    for start in range(0, len(octets), 16):
        row = octets[start : start + 16]
        cells = "".join(
            f"{octet:02x}{'-' if i == 7 else ' '}" for i, octet in enumerate(row)
        )
        if ascii_column:
            shown = "".join(chr(c) if 32 <= c < 127 else "." for c in row)
            cells = f"{cells:<48}|{shown:<16}|"
        else:
            cells = cells.removesuffix(" ")
        lines.append(f"{start:08x}  {cells}\n")
    return "".join(lines)


def printable(octets: bytes) -> str:
    """Return octets as ASCII, others as octal escapes."""
    return "".join(
        chr(c) if 0x20 <= c <= 0x7E and c not in b'\\"' else f"\\{c:03o}"
        for c in octets
    )
