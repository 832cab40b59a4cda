# SPDX-License-Identifier: Apache-2.0
"""dump-table-features, mod-table: what tables can do, and how they do it."""

from __future__ import annotations

import sys

from ovswitch.openflow import raws
from ovswitch.openflow import version as versions
from ovswitch.openflow.actions import context
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages import table, table_features
from ovswitch.openflow.messages.base import OFPTT_ALL
from ovswitch.openflow.messages.table import TableDesc, TableMod, take_desc
from ovswitch.openflow.parse.tokens import ParseError, whole_int
from ovswitch.openflow.wire import Cursor
from ovswitch.runtime import fatal
from ovswitch.tools.ofctl import names
from ovswitch.tools.ofctl.connection import (
    Connection,
    encode,
    encode_message,
    has_more,
    open_switch,
    print_message,
    xid_of,
)
from ovswitch.tools.ofctl.settings import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ovswitch.flow.names import Names

_LAST_TABLE = 0xFE
_N_TABLES = 254  # that a switch's users may see
_MAX_NAME = 32
_REQUEST_FEATURES = "TABLE_FEATURES_STATS_REQUEST"
_MORE = b"\0\1"

_OLD = 1 << versions.OF11 | 1 << versions.OF12
_NEW = 1 << versions.OF14 | 1 << versions.OF15

_MISSES = {
    "controller": table.MISS_CONTROLLER,
    "continue": table.MISS_CONTINUE,
    "drop": table.MISS_DROP,
}
_EVICTIONS = {"evict": table.ON, "noevict": table.OFF}


# Features.


def _features_replies(connection: Connection) -> Iterator[bytes]:
    """Ask for tables' features; yield the messages of the reply."""
    request = encode(_REQUEST_FEATURES, connection.version)
    for reply in connection.replies(request):
        try:
            kind = raws.parse(reply, partial=True).raw.type
        except OpenFlowError as error:
            fatal.die(f"decode error: {error.name}")
        if kind == "ERROR":
            yield reply
            return
        if kind != "TABLE_FEATURES_STATS_REPLY":
            from ovswitch.openflow.text import format_message

            text = format_message(reply, settings.verbosity + 1)
            fatal.die(f"received bad reply: {text}")
        yield reply


def dump_table_features(words: list[str]) -> None:
    """dump-table-features SWITCH."""
    from ovswitch.openflow.text import Out
    from ovswitch.openflow.text.table import TablePrinter

    connection = open_switch(words[1])
    if connection.version < versions.OF13:
        fatal.die("dump-table-features needs OpenFlow 1.3 or later ('-O OpenFlow13')")
    out = Out(settings.verbosity + 1)
    printer = TablePrinter(out)
    for reply in _features_replies(connection):
        header = raws.parse(reply, partial=True)
        if header.raw.type == "ERROR":
            print_message(reply, None, 1)
            break
        cursor = Cursor(reply[header.body :])
        try:
            while cursor.left:
                printer.put(table_features.take_features(header.version, cursor))
        except OpenFlowError as error:
            fatal.die(f"decode error: {error.name}")
    printer.finish()
    sys.stdout.write(out.text().removeprefix("\n") + "\n")
    connection.close()


# mod-table.


def _parse_vacancy(mod: TableMod, text: str) -> None:
    parts = [part for part in text.split(":", 1)[-1].split(",") if part]
    if ":" not in text or not parts:
        raise ParseError("Vacancy down value missing")
    down = whole_int(parts[0])
    if down is None or not 0 <= down <= 100:
        raise ParseError(f'Invalid vacancy down value "{parts[0]}"')
    if len(parts) < 2:
        raise ParseError("Vacancy up value missing")
    up = whole_int(parts[1])
    if up is None or not 0 <= up <= 100:
        raise ParseError(f'Invalid vacancy up value "{parts[1]}"')
    if down > up:
        raise ParseError(
            "Invalid vacancy range, vacancy up should be greater than vacancy down "
            "(OFPBPC_BAD_VALUE)"
        )
    mod.vacancy_down, mod.vacancy_up = down, up


def parse_table_mod(
    table_text: str, setting: str, known: Names | None = None
) -> tuple[TableMod, str | None, int]:
    """Return the change, a table's new name, and the versions that can say it.

    Raises:
        ParseError: with the text for the user.
    """
    number: int | None = OFPTT_ALL
    if table_text.lower() != "all":
        number = context.Parsing(known).table(table_text)
        if number is None:
            raise ParseError(f'unknown table "{table_text}"')
    assert number is not None
    mod = TableMod(number)
    if setting in _MISSES:
        mod.miss = _MISSES[setting]
        if number == _LAST_TABLE and mod.miss == table.MISS_CONTINUE:
            raise ParseError("last table's flow miss handling can not be continue")
        return mod, None, _OLD
    if setting in _EVICTIONS:
        mod.eviction = _EVICTIONS[setting]
        return mod, None, _NEW
    if "vacancy".startswith(setting.split(":", 1)[0]):  # as the reference: a prefix
        mod.vacancy = table.ON
        _parse_vacancy(mod, setting)
        return mod, None, _NEW
    if setting == "novacancy":
        mod.vacancy = table.OFF
        return mod, None, _NEW
    if number != OFPTT_ALL and setting.startswith("name:"):
        return mod, setting.removeprefix("name:"), _NEW | 1 << versions.OF13
    raise ParseError(f"invalid table_mod setting {setting}")


def _fetch_desc(connection: Connection, number: int) -> TableDesc:
    request = encode("TABLE_DESC_REQUEST", connection.version)
    found = None
    for reply in connection.replies(request):
        header = raws.parse(reply, partial=True)
        if header.raw.type != "TABLE_DESC_REPLY":
            from ovswitch.openflow.text import format_message

            text = format_message(reply, settings.verbosity + 1)
            fatal.die(f"received bad reply: {text}")
        cursor = Cursor(reply[header.body :])
        while found is None and cursor.left:
            desc = take_desc(header.version, cursor)
            if desc.table_id == number:
                found = desc
    return found or TableDesc(number)


def _modify(connection: Connection, mod: TableMod, number: int) -> None:
    """Change one setting of a table and keep the others."""
    mod.table_id = number
    desc = _fetch_desc(connection, number)
    if mod.eviction != table.DEFAULT:
        mod.vacancy = desc.vacancy
        mod.vacancy_down, mod.vacancy_up = desc.vacancy_down, desc.vacancy_up
    elif mod.vacancy != table.DEFAULT:
        mod.eviction = desc.eviction
        mod.eviction_flags = desc.eviction_flags
    connection.tell([encode_message(mod, connection.protocol)])


def _entries(connection: Connection) -> dict[int, bytes]:
    """Return each table's features, as the switch said them."""
    entries: dict[int, bytes] = {}
    for reply in _features_replies(connection):
        header = raws.parse(reply, partial=True)
        if header.raw.type == "ERROR":
            print_message(reply, None, 1, sys.stderr.write)
            raise SystemExit(1)
        body = reply[header.body :]
        start = 0
        while start + 64 <= len(body):
            size = max(int.from_bytes(body[start : start + 2], "big"), 64)
            entries[body[start + 2]] = body[start : start + size]
            start += size
    return entries


def _renamed(entry: bytes, name: str) -> bytes:
    octets = name.encode("utf-8", "surrogateescape")[: _MAX_NAME - 1]
    return entry[:8] + octets.ljust(_MAX_NAME, b"\0") + entry[8 + _MAX_NAME :]


def _rename(connection: Connection, number: int, name: str) -> None:
    entries = _entries(connection)
    if number not in entries:
        fatal.die(f"switch does not have table {number}")
    entry = _renamed(entries[number], name)
    if connection.version >= versions.OF15:
        modify = bytes((table_features.MODIFY,))
        bare = (64).to_bytes(2, "big") + entry[2:3] + modify + entry[4:64]
        entries = {number: bare}
    else:
        entries[number] = entry
    for reply in _transact_parts(connection, [entries[n] for n in sorted(entries)]):
        kind = raws.parse(reply, partial=True).raw.type
        if kind == "ERROR":
            print_message(reply, None, 1, sys.stderr.write)
            raise SystemExit(1)


def _transact_parts(connection: Connection, entries: list[bytes]) -> Iterator[bytes]:
    """Send a request in as many messages as it needs; yield the reply's messages."""
    first = encode(_REQUEST_FEATURES, connection.version)
    messages = []
    body = b""
    for entry in entries:
        if len(first) + len(body) + len(entry) > raws.MAX_MESSAGE_SIZE:
            messages.append(body)
            body = b""
        body += entry
    messages.append(body)
    for i, part in enumerate(messages):
        size = (len(first) + len(part)).to_bytes(2, "big")
        flags = _MORE if i + 1 < len(messages) else b"\0\0"
        head = first[:2] + size + first[4:10] + flags + first[12:]
        connection.send(head + part)
    more = True
    while more:
        reply = connection.receive_reply(xid_of(first))
        yield reply
        more = has_more(reply)


def mod_table(words: list[str]) -> None:
    """mod-table SWITCH TABLE SETTING."""
    try:
        mod, name, usable = parse_table_mod(
            words[2], words[3], names.names_to_accept(words[1])
        )
    except ParseError as error:
        names.insist(words[1])
        fatal.die(str(error))
    allowed = settings.versions
    if not allowed & usable:
        names.insist(words[1])
        fatal.die(
            f"table_mod '{words[3]}' requires one of the OpenFlow versions "
            f"{versions.format_names(usable)}"
        )
    settings.restrict_versions(usable)
    connection = open_switch(words[1])
    if name is not None:
        _rename(connection, mod.table_id, name)
    elif not allowed & _NEW:
        connection.tell([encode_message(mod, connection.protocol)])
    else:
        numbers = range(_N_TABLES) if mod.table_id == OFPTT_ALL else [mod.table_id]
        for number in numbers:
            _modify(connection, mod, number)
    connection.close()
