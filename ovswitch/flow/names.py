# SPDX-License-Identifier: Apache-2.0
"""Names of ports and tables in text, and OpenFlow's port numbers.

Inside the program a port is OpenFlow 1.0's 16-bit number in every version; OpenFlow
1.1's 32-bit reserved numbers map onto it (openflow-1.1.h). A name counts only when it
is unambiguous: two ports with one name, or two names for one port, make it unusable.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.runtime import vlog

OFPP_MAX = 0xFF00
OFPP_FIRST_RESV = 0xFFF7
OFPP_UNSET = 0xFFF7
OFPP_IN_PORT = 0xFFF8
OFPP_TABLE = 0xFFF9
OFPP_NORMAL = 0xFFFA
OFPP_FLOOD = 0xFFFB
OFPP_ALL = 0xFFFC
OFPP_CONTROLLER = 0xFFFD
OFPP_LOCAL = 0xFFFE
OFPP_NONE = 0xFFFF

OFPP11_MAX = 0xFFFFFF00
OFPP11_OFFSET = OFPP11_MAX - OFPP_MAX

RESERVED_PORTS = {
    OFPP_IN_PORT: "IN_PORT",
    OFPP_TABLE: "TABLE",
    OFPP_NORMAL: "NORMAL",
    OFPP_FLOOD: "FLOOD",
    OFPP_ALL: "ALL",
    OFPP_CONTROLLER: "CONTROLLER",
    OFPP_LOCAL: "LOCAL",
    OFPP_NONE: "ANY",
    OFPP_UNSET: "UNSET",
}
_RESERVED_NUMBERS = {name: number for number, name in RESERVED_PORTS.items()}
_RESERVED_NUMBERS["NONE"] = OFPP_NONE

OFPTT_ALL = 0xFF

_warned: list[int] = []  # the deprecation of reserved numbers is told once


class NameMap:
    """Numbers and their names, both ways."""

    __slots__ = ("_ambiguous", "_names", "_numbers")

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._numbers: dict[str, int] = {}
        self._ambiguous: set[int] = set()

    def put(self, number: int, name: str) -> None:
        """Note that `number` is called `name`."""
        known = self._numbers.get(name)
        if known is not None:
            if known != number:
                self._ambiguous.add(known)
        elif number in self._names:
            self._ambiguous.add(number)
        else:
            self._names[number] = name
            self._numbers[name] = number

    def name(self, number: int) -> str | None:
        """Return the name to print for `number`, unquoted, or None."""
        return None if number in self._ambiguous else self._names.get(number)

    def number(self, name: str) -> int | None:
        """Return the number that `name` means, or None."""
        number = self._numbers.get(name)
        return None if number in self._ambiguous else number


class Names:
    """The names that text may use; either map may be missing."""

    __slots__ = ("ports", "tables")

    def __init__(
        self, ports: NameMap | None = None, tables: NameMap | None = None
    ) -> None:
        self.ports = ports
        self.tables = tables


def port_from_ofp11(number: int) -> int | None:
    """Return the 16-bit port for OpenFlow 1.1's 32-bit number; None: out of range."""
    if number < OFPP_MAX:
        return number
    if number >= OFPP11_MAX:
        return number - OFPP11_OFFSET
    _warn_of_port(number)
    return None


_port_limit: vlog.RateLimit | None = None


def _warn_of_port(number: int) -> None:
    # Rare enough that a tool that meets no such port needn't load the log.
    from ovswitch.runtime import vlog

    global _port_limit
    _port_limit = _port_limit or vlog.RateLimit(1, 5)
    vlog.Module("ofp_port").warn_rl(
        _port_limit,
        "port %d is outside the supported range 0 through %d or 0x%x through 0x%x",
        *(number, OFPP_MAX - 1, OFPP11_MAX, 0xFFFFFFFF),
    )


def port_to_ofp11(port: int) -> int:
    """Return OpenFlow 1.1's 32-bit number for a 16-bit port."""
    return port if port < OFPP_MAX else port + OFPP11_OFFSET


def quote(name: str) -> str:
    """Return `name` as text prints it: bare if alphanumeric and not like a number."""
    if name.isascii() and name.isalnum() and name[0].isalpha():
        return name
    # Rare enough that a tool which prints no such name needn't load it.
    from ovswitch.runtime import json

    return json.to_string(name)


def unquote(text: str) -> str | None:
    """Return the name that a quoted or bare `text` stands for, None if malformed."""
    if not text.startswith('"'):
        return text
    from ovswitch.runtime import json

    try:
        # A document is an object or an array.
        value = json.from_string(f"[{text}]")
    except ValueError:
        return None
    if not isinstance(value, list) or len(value) != 1:
        return None
    name = value[0]
    return name if isinstance(name, str) else None


def parse_uint(text: str, bits: int = 32) -> int | None:
    """Return a plain decimal number's value, None if malformed or out of range."""
    if not text.isascii() or not text.isdigit():
        return None
    value = int(text) if len(text) <= 20 else 1 << 64
    return value if value < 1 << bits else None


def parse_port(text: str, names: NameMap | None = None) -> int | None:
    """Return the 16-bit port that `text` means: a number, a reserved or a known name.

    A 32-bit number of OpenFlow 1.1 is accepted for a reserved port. None: no port.
    """
    if text.startswith("-"):
        _log().warn("Negative value %s is not a valid port number.", text)
        return None
    number = parse_uint(text)
    if number is None:
        reserved = _RESERVED_NUMBERS.get(text.upper())
        if reserved is not None or names is None:
            return reserved
        name = unquote(text)
        return None if name is None else names.number(name)
    if number >= OFPP11_MAX:
        return number - OFPP11_OFFSET
    if number >= OFPP_MAX:
        _warn_reserved(number)
    return number if number <= OFPP_NONE else None


def _log() -> vlog.Module:
    from ovswitch.runtime import vlog

    return vlog.Module("ofp_port")


def _warn_reserved(number: int) -> None:
    """Warn about a number that means something else since OpenFlow 1.1."""
    if number < OFPP_FIRST_RESV:
        _log().warn(
            "port %u is a reserved OF1.0 port number that will be translated to %u "
            "when talking to an OF1.1 or later controller",
            number,
            number + OFPP11_OFFSET,
        )
    elif number > OFPP_NONE:
        _log().warn(
            "port %u is outside the supported range 0 through %x or 0x%x through 0x%x",
            number,
            OFPP_NONE,
            OFPP11_MAX,
            0xFFFFFFFF,
        )
    elif not _warned:
        _warned.append(number)
        _log().warn(
            "referring to port %s as %u is deprecated for compatibility with "
            "OpenFlow 1.1 and later",
            RESERVED_PORTS[number],
            number,
        )


def format_port(port: int, names: NameMap | None = None) -> str:
    """Return a 16-bit port as text: reserved name, known name, or number."""
    reserved = RESERVED_PORTS.get(port)
    if reserved is not None:
        return reserved
    if names is not None:
        name = names.name(port)
        if name is not None:
            return quote(name)
    return str(port)


def parse_table(text: str, names: NameMap | None = None) -> int | None:
    """Return the table that `text` means: a number up to 255, or a known name."""
    number = parse_uint(text)
    if number is not None:
        return number if number <= OFPTT_ALL else None
    if names is None:
        return None
    name = unquote(text)
    return None if name is None else names.number(name)


def format_table(table: int, names: NameMap | None = None) -> str:
    """Return a table as text: known name or number."""
    if names is not None:
        name = names.name(table)
        if name is not None:
            return quote(name)
    return str(table)
