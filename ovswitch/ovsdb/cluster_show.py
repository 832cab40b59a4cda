# SPDX-License-Identifier: Apache-2.0
"""What `ovsdb-tool show-log` prints of a clustered database's records.

Source: ovsdb/ovsdb-tool.c.
"""

from __future__ import annotations

from ovswitch.ovsdb import uuids
from ovswitch.ovsdb.cluster_file import (
    COMMIT_INDEX,
    ENTRY,
    LEADER,
    NOTE,
    VOTE,
    Header,
    Record,
    short_id,
)
from ovswitch.ovsdb.error import OvsdbError
from ovswitch.ovsdb.schema import Schema
from ovswitch.ovsdb.show_log import Changes
from ovswitch.runtime import json as _json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


class ShowClusterLog:
    """Turns records into text, at one of three levels of detail."""

    __slots__ = ("_changes", "_number")

    def __init__(self, verbosity: int) -> None:
        self._number = 0
        self._changes = Changes(verbosity)

    def record(self, json: dict[str, Any]) -> Iterator[str]:
        """Yield the text of the next record.

        Raises: OvsdbError: a schema in it makes no sense; other errors are shown.
        """
        yield f"record {self._number}:\n"
        is_first = not self._number
        self._number += 1
        try:
            part = Header.from_json(json) if is_first else Record.from_json(json)
        except OvsdbError as error:
            yield f"{error}\n\n"
            return
        yield from (
            self._header(part) if isinstance(part, Header) else self._record(part)
        )
        yield "\n"

    def _header(self, header: Header) -> Iterator[str]:
        # The reference closes the name with another quote than it opens it with.
        yield f" name: \"{header.name}'\n"
        yield f' local address: "{header.local_address}"\n'
        yield f" server_id: {short_id(header.server_id)}\n"
        if header.cluster_id != uuids.ZERO:
            yield f" cluster_id: {short_id(header.cluster_id)}\n"
        if header.remote_addresses:
            yield f" remote_addresses: {' '.join(header.remote_addresses)}\n"
        if header.index:
            yield f" prev_index: {header.index}\n prev_term: {header.term}\n"
            yield _servers("prev_servers", header.servers)
            if header.eid != uuids.ZERO:
                yield f" prev_eid: {short_id(header.eid)}\n"
            yield from self._contents("prev_", header.data)

    def _record(self, record: Record) -> Iterator[str]:
        if record.comment is not None:
            yield f' comment: "{record.comment}"\n'
        if record.term:
            yield f" term: {record.term}\n"
        if record.kind == ENTRY:
            yield f" index: {record.index}\n"
            yield _servers("servers", record.servers)
            if record.eid != uuids.ZERO:
                yield f" eid: {short_id(record.eid)}\n"
            if record.data is not None:
                yield from self._contents("", record.data)
        elif record.kind in {VOTE, LEADER}:
            yield f" {record.kind}: {short_id(record.sid)}\n"
        elif record.kind == NOTE:
            yield f' note: "{record.note}"\n'
        elif record.kind == COMMIT_INDEX:
            yield f" commit_index: {record.commit_index}\n"

    def _contents(self, prefix: str, contents: Any) -> Iterator[str]:
        """Yield the text of a pair of a schema and a transaction."""
        if not isinstance(contents, list) or len(contents) != 2:
            yield " ***invalid data***\n"
            return
        json, transaction = contents
        if json is not None:
            schema = self._changes.schema = Schema.from_json(json)
            yield (
                f' {prefix}schema: "{schema.name}", version="{schema.version}", '
                f'cksum="{schema.cksum}"\n'
            )
        yield self._changes.text(transaction)


def _servers(name: str, servers: dict[str, Any] | None) -> str:
    if servers is None:
        return ""
    texts = [
        f"{short_id(sid)}({_json.to_string(servers[sid], sort=True)})"
        for sid in sorted(servers)
    ]
    return f" {name}: {', '.join(texts)}\n"
