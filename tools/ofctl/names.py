# SPDX-License-Identifier: Apache-2.0
"""The names of a switch's ports and tables, asked for when first needed.

The reference asks before it reads anything that might hold a name. Here the switch is
asked only if a name does turn up, which saves two connections in nearly every run; the
transaction ids that those would have taken are left out, since users see ids.
"""

from __future__ import annotations

from ovswitch.flow.names import NameMap, Names
from ovswitch.openflow import raws, version
from ovswitch.openflow.wire import Cursor
from ovswitch.runtime import fatal, target
from ovswitch.tools.ofctl.connection import (
    Connection,
    encode,
    has_more,
    open_switch,
    skip_xids,
    xid_of,
)
from ovswitch.tools.ofctl.settings import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ovswitch.openflow.messages.port import PhyPort

_XIDS_PER_MAP = 2  # a hello and a request
_TABLE_NAME_SIZE = 32


def _die_of(message: bytes) -> None:
    from ovswitch.openflow.text import format_message

    text = format_message(message, settings.verbosity + 1)
    fatal.die(f"received bad reply: {text}")


def _bodies(connection: Connection, kind: str, body: bytes = b"") -> Iterator[bytes]:
    """Ask for statistics; yield the bodies of the messages that answer."""
    request = encode(kind, connection.version, body)
    connection.send(request)
    more = True
    while more:
        reply = connection.receive_reply(xid_of(request), "OpenFlow receive failed")
        header = raws.parse(reply)
        if header.raw.type != kind.replace("_REQUEST", "_REPLY"):
            _die_of(reply)
        yield reply[header.body :]
        more = has_more(reply)


def _features_ports(connection: Connection) -> bytes | None:
    """Return the ports in the reply about features; None if they are elsewhere."""
    request = encode("FEATURES_REQUEST", connection.version)
    reply = connection.transact(request)
    header = raws.parse(reply, partial=True)
    if header.raw.type != "FEATURES_REPLY":
        fatal.die(f"{connection.target}: received bad features reply")
    port_size = 48 if connection.version == version.OF10 else 64
    if len(reply) + port_size > raws.MAX_MESSAGE_SIZE:
        return None  # there may be more of them than fit
    return reply[header.body + 24 :]


def ports_of(connection: Connection) -> Iterator[PhyPort]:
    """Yield the descriptions of a switch's ports."""
    from ovswitch.openflow.messages.port import take_ports

    number = connection.version
    if number < version.OF13:
        octets = _features_ports(connection)
        if octets is not None:
            yield from take_ports(number, Cursor(octets))
            return
    body = b"\xff\xff\xff\xff\0\0\0\0" if number >= version.OF15 else b""
    for octets in _bodies(connection, "PORT_DESC_STATS_REQUEST", body):
        yield from take_ports(number, Cursor(octets))


def _tables_of(connection: Connection) -> Iterator[tuple[int, str]]:
    """Yield the numbers and names of a switch's tables."""
    number = connection.version
    if number < version.OF13:
        sizes = {1: (64, 4, 32), 2: (88, 8, 32), 3: (128, 8, 32)}
        size, at, length = sizes[number]
        for octets in _bodies(connection, "TABLE_STATS_REQUEST"):
            for start in range(0, len(octets) - size + 1, size):
                name = octets[start + at : start + at + length]
                yield octets[start], _text(name)
        return
    for octets in _bodies(connection, "TABLE_FEATURES_STATS_REQUEST"):
        start = 0
        while start + 64 <= len(octets):
            size = int.from_bytes(octets[start : start + 2], "big")
            name = octets[start + 8 : start + 8 + _TABLE_NAME_SIZE]
            yield octets[start + 2], _text(name)
            start += max(size, 64)


def _text(name: bytes) -> str:
    return name.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


class LazyMap(NameMap):
    """Names that are asked for when one is looked up."""

    __slots__ = ("_fetch", "_fetched", "_spent", "_switch")

    def __init__(
        self, switch: str, fetch: Callable[[Connection, NameMap], None]
    ) -> None:
        super().__init__()
        self._switch = switch
        self._fetch = fetch
        self._fetched = ":" in switch and not target.is_active(switch)
        self._spent = self._fetched

    def spend(self) -> None:
        """Leave out the ids that asking takes, in case it isn't done later."""
        if not self._spent:
            self._spent = True
            skip_xids(_XIDS_PER_MAP)

    def load(self) -> None:
        """Ask the switch, if that isn't done."""
        if not self._fetched:
            self._fetched = True
            if self._spent:
                skip_xids(-_XIDS_PER_MAP)
            self._spent = True
            connection = open_switch(self._switch)
            self._fetch(connection, self)
            connection.close()

    def name(self, number: int) -> str | None:
        """Return the name to print for `number`, unquoted, or None."""
        self.load()
        return super().name(number)

    def number(self, name: str) -> int | None:
        """Return the number that `name` means, or None."""
        self.load()
        return super().number(name)


def _fetch_ports(connection: Connection, names: NameMap) -> None:
    for port in ports_of(connection):
        names.put(port.port_no, port.name)


def _fetch_tables(connection: Connection, names: NameMap) -> None:
    for number, name in _tables_of(connection):
        if name:
            names.put(number, name)


class SwitchNames(Names):
    """A switch's names, both kinds asked for when first needed."""

    def __init__(self, switch: str) -> None:
        self.lazy_ports = LazyMap(switch, _fetch_ports)
        self.lazy_tables = LazyMap(switch, _fetch_tables)
        super().__init__(self.lazy_ports, self.lazy_tables)


_known: dict[str, SwitchNames] = {}
_NONE = Names()


def _names_of(switch: str) -> SwitchNames:
    names = _known.get(switch)
    if names is None:
        names = _known[switch] = SwitchNames(switch)
    return names


def names_to_accept(switch: str) -> Names:
    """Return the names that the user may use for a switch's ports and tables."""
    if not settings.accept_names:
        return _NONE
    names = _names_of(switch)
    names.lazy_ports.spend()
    names.lazy_tables.spend()
    return names


def names_to_show(switch: str) -> Names:
    """Return the names to print for a switch's ports and tables."""
    if not settings.show_names:
        return _NONE
    names = _names_of(switch)
    names.lazy_ports.load()
    names.lazy_tables.load()
    return names


def insist(switch: str) -> None:
    """See that the switch is there, before the user is told of other errors."""
    if settings.accept_names and not (":" in switch and not target.is_active(switch)):
        open_switch(switch).close()


def parse_port(switch: str, text: str) -> int:
    """Return the port that `text` means on a switch; die if there is none."""
    from ovswitch.flow import names

    port = names.parse_port(text)
    if port is None and settings.accept_names:
        found = _names_of(switch).lazy_ports
        found.spend()
        port = names.parse_port(text, found)
    if port is None:
        return fatal.die(f"{switch}: unknown port `{text}'")
    return port
