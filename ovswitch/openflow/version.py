# SPDX-License-Identifier: Apache-2.0
"""OpenFlow versions by their number on the wire: 1 is OpenFlow 1.0, 6 is 1.5.

A set of versions is a bitmap with bit N set for wire version N, as it travels in the
version bitmap of a hello message.
"""

from __future__ import annotations

OF10, OF11, OF12, OF13, OF14, OF15 = 1, 2, 3, 4, 5, 6
VERSIONS = (OF10, OF11, OF12, OF13, OF14, OF15)

ALL_VERSIONS = 0x7E
DEFAULT_PORT = 6653

#: As configuration and command lines write them.
NAMES = {version: f"OpenFlow1{version - 1}" for version in VERSIONS}
_NUMBERS = {name.lower(): version for version, name in NAMES.items()}


def from_name(name: str) -> int | None:
    """Return the wire version called `name` ("OpenFlow13", in any case), or None."""
    return _NUMBERS.get(name.lower())


def label(version: int) -> str:
    """Return what follows a message's name in print: "" for 1.0, else " (OF1.3)"."""
    if version == OF10:
        return ""
    if version in NAMES:
        return f" (OF1.{version - 1})"
    return f" (OF 0x{version:02x})"


def bitmap(versions: list[int]) -> int:
    """Return the set of `versions`."""
    result = 0
    for version in versions:
        result |= 1 << version
    return result


def members(bits: int) -> list[int]:
    """Return the versions in the set `bits`, lowest first."""
    return [version for version in range(bits.bit_length()) if bits >> version & 1]


def highest(bits: int) -> int:
    """Return the greatest version in a set, 0 for the empty set."""
    return bits.bit_length() - 1 if bits else 0


def format_bitmap(bits: int) -> str:
    """Return "0x01, 0x04": how messages about negotiation write a set."""
    return ", ".join(f"0x{version:02x}" for version in members(bits))


def format_names(bits: int) -> str:
    """Return "OpenFlow10, OpenFlow13" (only known versions may be in the set)."""
    return ", ".join(NAMES[version] for version in members(bits))
