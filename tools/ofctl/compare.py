# SPDX-License-Identifier: Apache-2.0
"""replace-flows, diff-flows: flows of files and switches against each other.

A flow's identity is its table, match and priority; what else it has makes a version.
Two sources are read into one dictionary, whose entries hold up to two versions.

Where flows differ, the reference lists them table by table, and in a table by match
as its classifier holds them: sets of fields by their greatest priority, and within a
set as the flows were met.
"""

from __future__ import annotations

import posix
import sys

from ovswitch.flow.match import Match
from ovswitch.flow.text import format_match
from ovswitch.openflow import actions as ofpacts
from ovswitch.openflow import protocol as protocols
from ovswitch.openflow.actions.colors import colors
from ovswitch.openflow.messages.flow_mod import (
    OFPFC_ADD,
    OFPFC_DELETE_STRICT,
    SEND_FLOW_REM,
    FlowMod,
)
from ovswitch.openflow.parse.files import open_lines, preprocessed_lines
from ovswitch.openflow.parse.flow import parse_flow
from ovswitch.runtime import fatal
from ovswitch.tools.ofctl import names
from ovswitch.tools.ofctl.connection import Connection, encode_message, open_switch
from ovswitch.tools.ofctl.dump import read_flows, request_all
from ovswitch.tools.ofctl.protocol import set_for_dump
from ovswitch.tools.ofctl.settings import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ovswitch.flow.names import Names
    from ovswitch.openflow.actions.action import Actions

_ALL_TABLES = 255
_DIFFERENT = 2


class _Version:
    """What a flow is in one source, beside its identity."""

    __slots__ = (
        "actions", "cookie", "flags", "hard_timeout", "idle_timeout", "importance",
    )  # fmt: skip

    def __init__(
        self,
        cookie: int,
        idle_timeout: int,
        hard_timeout: int,
        importance: int,
        flags: int,
        actions: Actions,
    ) -> None:
        self.cookie = cookie
        self.idle_timeout = idle_timeout
        self.hard_timeout = hard_timeout
        self.importance = importance
        self.flags = flags
        self.actions = actions

    def same_as(self, other: _Version) -> bool:
        """Return whether both are one to a user: actions count as they are written."""
        return (
            self.cookie == other.cookie
            and self.idle_timeout == other.idle_timeout
            and self.hard_timeout == other.hard_timeout
            and self.importance == other.importance
            and (
                self.actions == other.actions
                or ofpacts.format_actions(self.actions)
                == ofpacts.format_actions(other.actions)
            )
        )


class _Entry:
    """A flow's identity with its version in each source."""

    __slots__ = ("match", "priority", "table_id", "versions")

    def __init__(self, table_id: int, match: Match, priority: int) -> None:
        self.table_id = table_id
        self.match = match
        self.priority = priority
        self.versions: list[_Version | None] = [None, None]

    def flow_mod(self, index: int, command: int) -> FlowMod:
        """Return the change that brings a version in or takes it out."""
        version = self.versions[index]
        assert version is not None
        flow = FlowMod(command, self.match, self.priority, self.table_id)
        flow.new_cookie = version.cookie
        flow.modify_cookie = True
        flow.idle_timeout = version.idle_timeout
        flow.hard_timeout = version.hard_timeout
        flow.importance = version.importance
        flow.flags = version.flags
        if command == OFPFC_ADD:
            flow.actions = version.actions
        return flow

    def format(self, index: int, shown: Names | None) -> str:
        """Return a version as a line of text."""
        version = self.versions[index]
        assert version is not None
        table = f"table={self.table_id} " if self.table_id else ""
        ports = shown.ports if shown else None
        match = format_match(self.match, ports, self.priority, colors)
        parts = [f"{table}{match}"]
        if version.cookie:
            parts.append(f"cookie={version.cookie:#x}")
        if version.idle_timeout:
            parts.append(f"idle_timeout={version.idle_timeout}")
        if version.hard_timeout:
            parts.append(f"hard_timeout={version.hard_timeout}")
        if version.importance:
            parts.append(f"importance={version.importance}")
        parts.append(f"actions={ofpacts.format_actions(version.actions, shown)}")
        return " ".join(parts) + "\n"


def _rank(entries: list[_Entry]) -> int:
    """Return what sorts lists of entries by falling priority of their first."""
    return -max(entry.priority for entry in entries)


class _Flows:
    """The flows of two sources."""

    def __init__(self) -> None:
        self._entries: dict[tuple[int, Match, int], _Entry] = {}
        self.shown: Names | None = None

    def add(
        self, table_id: int, match: Match, priority: int, version: _Version, index: int
    ) -> None:
        """Note a flow of source `index`."""
        key = table_id, match, priority
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = _Entry(table_id, match, priority)
        entry.versions[index] = version

    def __iter__(self) -> Iterator[_Entry]:
        """Yield the entries as the reference's tables hold them."""
        tables: dict[int, dict[int, list[_Entry]]] = {}
        for entry in self._entries.values():
            masks = tables.setdefault(entry.table_id, {})
            masks.setdefault(entry.match.mask, []).append(entry)
        for table_id in sorted(tables):
            for entries in sorted(tables[table_id].values(), key=_rank):
                yield from entries

    def read_file(self, name: str, index: int, accepted: Names | None) -> int:
        """Read a file's flows; return the protocols that can say them all."""
        try:
            lines = open_lines(name)
        except OSError as error:
            fatal.die(f"{name}: open", error=error.errno or 0)
        usable = protocols.ANY
        for number, line in preprocessed_lines(lines):
            try:
                flow, possible = parse_flow(line, OFPFC_ADD, accepted)
            except ValueError as error:
                fatal.die(f"{name}:{number}: {error}")
            usable &= possible
            version = _Version(
                flow.new_cookie,
                flow.idle_timeout,
                flow.hard_timeout,
                flow.importance,
                flow.flags & SEND_FLOW_REM,
                flow.actions,
            )
            table = 0 if flow.table_id == _ALL_TABLES else flow.table_id
            self.add(table, flow.match, flow.priority, version, index)
        return usable

    def read_switch(self, connection: Connection, protocol: int, index: int) -> None:
        """Read a switch's flows."""
        for flow in read_flows(connection, request_all(protocol)):
            version = _Version(
                flow.cookie,
                flow.idle_timeout,
                flow.hard_timeout,
                flow.importance,
                0,
                flow.actions,
            )
            self.add(flow.table_id, flow.match, flow.priority, version, index)

    def read(self, source: str, index: int) -> None:
        """Read the flows of a file or a switch, whatever `source` looks like."""
        if source[:1] in ("/", ".") or (":" not in source and _exists(source)):
            self.read_file(source, index, None)
            return
        connection = open_switch(source)
        protocol = set_for_dump(connection, protocols.ANY)
        self.read_switch(connection, protocol, index)
        connection.close()
        if self.shown is None and settings.show_names:
            self.shown = names.names_to_show(source)


def _exists(path: str) -> bool:
    try:
        posix.stat(path)
    except OSError:
        return False
    return True


def _changes(flows: _Flows) -> Iterator[FlowMod]:
    """Yield what makes a switch (source 1) hold the flows of a file (source 0)."""
    by_table: dict[int, list[_Entry]] = {}
    for entry in flows:
        by_table.setdefault(entry.table_id, []).append(entry)
    for entries in by_table.values():
        for entry in entries:
            wanted, present = entry.versions
            if present and not wanted:
                yield entry.flow_mod(1, OFPFC_DELETE_STRICT)
        for entry in entries:
            wanted, present = entry.versions
            if wanted and (
                settings.readd or not present or not present.same_as(wanted)
            ):
                yield entry.flow_mod(0, OFPFC_ADD)


def replace_flows(words: list[str]) -> None:
    """replace-flows SWITCH FILE."""
    flows = _Flows()
    accepted = names.names_to_accept(words[1])
    usable = flows.read_file(words[2], 0, accepted)
    connection = open_switch(words[1])
    protocol = set_for_dump(connection, usable)
    flows.read_switch(connection, protocol, 1)
    requests = [encode_message(flow, protocol) for flow in _changes(flows)]
    if settings.bundle:
        from ovswitch.tools.ofctl.bundles import commit

        commit(connection, requests)
    else:
        connection.tell(requests)
    connection.close()


def diff_flows(words: list[str]) -> int:
    """diff-flows SOURCE1 SOURCE2."""
    flows = _Flows()
    flows.read(words[1], 0)
    flows.read(words[2], 1)
    status = 0
    for entry in flows:
        first, second = entry.versions
        if first and second and first.same_as(second):
            continue
        status = _DIFFERENT
        if first:
            sys.stdout.write("-" + entry.format(0, flows.shown))
        if second:
            sys.stdout.write("+" + entry.format(1, flows.shown))
    return status
