# SPDX-License-Identifier: Apache-2.0
"""The records of a clustered database's file: its header and the entries of its log.

Such a file is a log with magic "CLUSTER". Its first record is a `Header`: who the
server is and a snapshot of the database up to some index. Each further one is a
`Record` of one of six kinds: an entry (a transaction, servers or the election timer at
an index), a new term, a vote, a leader, a commit index or a note.

Both are read with `from_json` and written with `to_json`, whose members come in the
reference's order. Numbers are unsigned and have 64 bits; JSON's are signed, and the
upper half stands as negative ones there. Only what works on files is here: no server
of ours takes part in a cluster.

Sources: ovsdb(5), ovsdb/raft-private.c.
"""

from __future__ import annotations

from ovswitch.ovsdb import uuids
from ovswitch.ovsdb.ctl.order import hash_order, string_hash
from ovswitch.ovsdb.error import OvsdbError, syntax_error
from ovswitch.ovsdb.parser import ANY, ARRAY, INTEGER, OBJECT, STRING, Parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

ELECTION_MIN_MS = 100
ELECTION_MAX_MS = 600_000

ENTRY = "entry"
TERM = "term"
VOTE = "vote"
LEADER = "leader"
NOTE = "note"
COMMIT_INDEX = "commit_index"

_UINT64 = 1 << 64
_INT64_MAX = (1 << 63) - 1


class ClusterError(Exception):
    """Files aren't those of a sound cluster; `str()` is the message."""


def short_id(uuid: str) -> str:
    """Return what messages call a server, a cluster or an entry: four digits."""
    return uuid[:4]


def address_set(addresses: Iterable[str]) -> list[str]:
    """Return different addresses, in the order of the reference's set of them."""
    return hash_order(dict.fromkeys(addresses), string_hash)


def validate_address(address: str) -> None:
    """Raise OvsdbError unless a server can have that address."""
    if address.startswith("unix:"):
        return
    if not address.startswith(("ssl:", "tcp:")):
        raise OvsdbError(None, f'{address}: expected "tcp" or "ssl" address')
    from ovswitch.runtime import target

    try:
        host = target.parse_active(address).host
    except OSError as error:
        raise OvsdbError(None, f"{address}: syntax error in address") from error
    if ":" in host and target.literal_address(host, 0) is None:
        raise OvsdbError(None, f"{address}: syntax error in address")


def validate_election_timer(ms: int) -> None:
    """Raise OvsdbError unless elections can wait for so long."""
    if not ELECTION_MIN_MS <= ms <= ELECTION_MAX_MS:
        raise OvsdbError(
            None,
            f"election timer must be between {ELECTION_MIN_MS} and {ELECTION_MAX_MS}, "
            "in msec.",
        )


def in_hash_order(json: Any) -> Any:
    """Return JSON with its objects' members as the reference would write them."""
    if isinstance(json, dict):
        return {
            name: in_hash_order(json[name]) for name in hash_order(json, string_hash)
        }
    if isinstance(json, list):
        return [in_hash_order(element) for element in json]
    return json


class _Members(Parser):
    """The members of a record, by the types that occur in them."""

    __slots__ = ()

    def number(self, name: str, *, optional: bool = False) -> int:
        """Return an unsigned number, 0 if there is none."""
        value: int = self.member(name, INTEGER, 0, optional=optional)
        return value % _UINT64

    def uuid(self, name: str, *, optional: bool = False) -> str:
        """Return a UUID, the one of zeros if there is none."""
        text = self.member(name, STRING, optional=optional)
        uuid = None if text is None else uuids.parse(text)
        if text is not None and uuid is None:
            self.fail(f"{name} is not a valid UUID")
        return uuid or uuids.ZERO

    def servers(self, name: str, *, optional: bool) -> dict[str, Any] | None:
        """Return an object from server ids to addresses."""
        servers: dict[str, Any] | None = self.member(name, OBJECT, optional=optional)
        if servers is not None:
            try:
                _validate_servers(servers)
            except OvsdbError as error:
                self.put_error(error)
        return servers

    def put_error(self, error: OvsdbError) -> None:
        """Note an error, unless there is one."""
        if self._error is None:
            self._error = error


class Header:
    """The first record of a file.

    A server that is `joining` knows `remote_addresses` only. Any other knows the
    `servers` and, if `index` isn't 0, the snapshot: [schema, contents] in `data`.
    """

    __slots__ = (
        "cluster_id",
        "data",
        "eid",
        "election_timer",
        "index",
        "joining",
        "local_address",
        "name",
        "remote_addresses",
        "server_id",
        "servers",
        "term",
    )

    def __init__(self, name: str, local_address: str, server_id: str) -> None:
        self.name = name
        self.local_address = local_address
        self.server_id = server_id
        self.cluster_id = uuids.ZERO
        self.joining = False
        self.remote_addresses: list[str] = []
        self.servers: dict[str, Any] | None = None
        self.index = 0
        self.term = 0
        self.eid = uuids.ZERO
        self.data: Any = None
        self.election_timer = 0

    @classmethod
    def from_json(cls, json: object) -> Header:
        """Parse the record. Raises: OvsdbError."""
        members = _Members(json, "raft header")
        server_id = members.uuid("server_id")
        name = members.member("name", STRING, "")
        header = cls(name, members.member("local_address", STRING, ""), server_id)
        remotes = members.member("remote_addresses", ARRAY, optional=True)
        header.joining = remotes is not None
        if remotes is not None:
            header._take_remotes(members, remotes)
        else:
            header._take_snapshot(members)
        header.cluster_id = members.uuid("cluster_id", optional=header.joining)
        members.finish()
        return header

    def _take_remotes(self, members: _Members, remotes: list[Any]) -> None:
        try:
            if not remotes:
                raise syntax_error(remotes, "at least one remote address is required")
            for address in remotes:
                _validate_json_address(address)
        except OvsdbError as error:
            members.put_error(error)
            return
        others = [a for a in address_set(remotes) if a != self.local_address]
        self.remote_addresses = others
        if not others:
            members.fail(
                "at least one remote address (other than the local address) is required"
            )

    def _take_snapshot(self, members: _Members) -> None:
        self.servers = members.servers("prev_servers", optional=False)
        self.index = members.number("prev_index", optional=True)
        if self.index:
            self.data = members.member("prev_data", ANY)
            self.eid = members.uuid("prev_eid")
            self.term = members.number("prev_term")
            self.election_timer = members.number("prev_election_timer", optional=True)

    def to_json(self) -> dict[str, Any]:
        """Return the record."""
        json: dict[str, Any] = {"server_id": self.server_id}
        if self.cluster_id != uuids.ZERO:
            json["cluster_id"] = self.cluster_id
        json["local_address"] = self.local_address
        json["name"] = self.name
        if self.remote_addresses:
            json["remote_addresses"] = self.remote_addresses
        if self.servers is not None:
            json["prev_servers"] = self.servers
        if self.index:
            json["prev_index"] = _signed(self.index)
            json["prev_term"] = _signed(self.term)
            json["prev_data"] = self.data
            json["prev_eid"] = self.eid
            if self.election_timer:
                json["prev_election_timer"] = self.election_timer
        return {name: json[name] for name in hash_order(json, string_hash)}


class Record:
    """A record after the first; `kind` says which of the others mean something.

    `sid` is the server that was voted for or that leads. `data` is [schema or null,
    transaction or null] or None. Entries may have `servers` and `election_timer`.
    """

    __slots__ = (
        "comment",
        "commit_index",
        "data",
        "eid",
        "election_timer",
        "index",
        "kind",
        "note",
        "servers",
        "sid",
        "term",
    )

    def __init__(self, kind: str, term: int = 0) -> None:
        self.kind = kind
        self.term = term
        self.comment: str | None = None
        self.note = ""
        self.commit_index = 0
        self.sid = uuids.ZERO
        self.index = 0
        self.eid = uuids.ZERO
        self.servers: dict[str, Any] | None = None
        self.election_timer = 0
        self.data: Any = None

    @classmethod
    def from_json(cls, json: object) -> Record:
        """Parse the record. Raises: OvsdbError."""
        members = _Members(json, "raft log record")
        record = cls(TERM)
        record.comment = members.member("comment", STRING, optional=True)
        record._take(members)
        members.finish()
        return record

    def _take(self, members: _Members) -> None:
        """Find out the kind, and take its members."""
        note = members.member("note", STRING, optional=True)
        if note is not None:
            self.kind, self.note = NOTE, note
            return
        self.commit_index = members.number("commit_index", optional=True)
        if self.commit_index:
            self.kind = COMMIT_INDEX
            return
        self.term = members.number("term")
        for kind, what in (
            (LEADER, "record says leader is all-zeros SID"),
            (VOTE, "record votes for all-zeros SID"),
        ):
            if self._take_sid(members, kind, what):
                return
        self.index = members.number("index", optional=True)
        if self.index:
            self._take_entry(members)

    def _take_sid(self, members: _Members, kind: str, complaint: str) -> bool:
        error = members.error
        self.sid = members.uuid(kind, optional=True)
        if kind not in (members.json or {}) or members.error is not error:
            return False
        self.kind = kind
        if self.sid == uuids.ZERO:
            members.fail(complaint)
        return True

    def _take_entry(self, members: _Members) -> None:
        self.kind = ENTRY
        self.servers = members.servers("servers", optional=True)
        self.election_timer = members.number("election_timer", optional=True)
        self.data = members.member("data", OBJECT | ARRAY, optional=True)
        if self.data is not None:
            self.eid = members.uuid("eid")

    def to_json(self) -> dict[str, Any]:
        """Return the record."""
        json: dict[str, Any] = {}
        if self.comment:
            json["comment"] = self.comment
        if self.kind == NOTE:
            json["note"] = self.note
        elif self.kind == COMMIT_INDEX:
            json["commit_index"] = _signed(self.commit_index)
        else:
            json["term"] = _signed(self.term)
        if self.kind in {VOTE, LEADER}:
            json[self.kind] = self.sid
        elif self.kind == ENTRY:
            json["index"] = _signed(self.index)
            if self.data is not None:
                json["data"] = self.data
            if self.servers is not None:
                json["servers"] = self.servers
            if self.election_timer:
                json["election_timer"] = self.election_timer
            if self.eid != uuids.ZERO:
                json["eid"] = self.eid
        return {name: json[name] for name in hash_order(json, string_hash)}


def _signed(number: int) -> int:
    return number if number <= _INT64_MAX else number - _UINT64


def _validate_json_address(address: object) -> None:
    if not isinstance(address, str):
        raise syntax_error(address, "server address is not string")
    validate_address(address)


def _validate_servers(servers: dict[str, Any]) -> None:
    if not servers:
        raise syntax_error(servers, "must have at least one server")
    for sid in hash_order(servers, string_hash):
        if not uuids.is_valid(sid):
            raise syntax_error(servers, f"{sid} is not a UUID")
        _validate_json_address(servers[sid])
