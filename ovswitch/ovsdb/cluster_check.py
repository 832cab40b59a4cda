# SPDX-License-Identifier: Apache-2.0
"""Whether the files of a cluster's servers fit together: `ovsdb-tool check-cluster`.

Each file's log is followed record by record; then the leaders and commit indexes that
the servers saw, term by term, and the entries that logs have in common are compared.
What is checked are the properties of figure 3.2 in Ongaro's thesis on RAFT: election
safety, leader append-only, log matching and leader completeness.

Source: ovsdb/ovsdb-tool.c.
"""

from __future__ import annotations

from ovswitch.ovsdb import log, uuids
from ovswitch.ovsdb.cluster_file import (
    COMMIT_INDEX,
    ENTRY,
    LEADER,
    NOTE,
    VOTE,
    ClusterError,
    Header,
    Record,
    in_hash_order,
    short_id,
)
from ovswitch.runtime import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class _Server:
    """A server's file: its header, and the entries of its log from `start` on."""

    def __init__(self, name: str, file: log.Log, header: Header) -> None:
        self.name = name
        self.file = file
        self.header = header
        self.start = header.index + 1
        self.entries: list[Record] = []

    @property
    def end(self) -> int:
        """The index after the last."""
        return self.start + len(self.entries)

    def last_term(self) -> int:
        """Return the term of the last entry, or of the snapshot before it."""
        return self.entries[-1].term if self.entries else self.header.term


class _Leadership:
    """Who leads in a term as `reporter` tells it.

    `end` is where the leader's own log ended when it was elected, 0 if unknown.
    """

    def __init__(self, reporter: _Server, leader: str) -> None:
        self.reporter = reporter
        self.leader = leader
        self.end = 0


class Checker:
    """Checks files; `report` is given what is unusual and no error."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._servers: list[_Server] = []
        self._leaders: dict[int, _Leadership] = {}
        self._commits: dict[int, tuple[int, _Server]] = {}
        self._terms: set[int] = set()

    def check(self, names: list[str]) -> None:
        """Check a cluster's files. Raises: OvsdbError, ClusterError."""
        for name in names:
            self._open(name)
        for server in self._servers:
            _Follower(self, server, self._report).run()
            server.file.close()
        self._check_completeness()
        for one in self._servers:
            for other in self._servers:
                if one is not other:
                    _check_matching(one, other)
        for server in self._servers:
            _check_membership(server)

    def _open(self, name: str) -> None:
        file = log.open_log(name, log.CLUSTER_MAGIC)
        header = Header.from_json(file.read())
        if header.joining:
            self._report(f"{name} has not joined the cluster, omitting\n")
            file.close()
            return
        for other in self._servers:
            if other.header.server_id == header.server_id:
                raise ClusterError(
                    f"Duplicate server ID {short_id(header.server_id)} in {name} and "
                    f"{other.name}."
                )
        if self._servers:
            _check_headers(self._servers[0], name, header)
        self._servers.append(_Server(name, file, header))

    def name_of(self, sid: str) -> str:
        """Return what messages call a server: its file if there is one."""
        for server in self._servers:
            if server.header.server_id == sid:
                return server.name
        return short_id(sid)

    # What servers saw

    def note_term(self, term: int) -> None:
        """Note that a server was in a term."""
        self._terms.add(term)

    def note_leader(self, term: int, server: _Server, leader: str) -> None:
        """Note what a server says about a term's leader."""
        known = self._leaders.get(term)
        if known is None:
            known = self._leaders[term] = _Leadership(server, leader)
        elif known.leader != leader:
            raise ClusterError(
                f"term {term} has two different leaders: {known.reporter.name} says "
                f"that the leader is {self.name_of(known.leader)} and {server.name} "
                f"says that the leader is {self.name_of(leader)}"
            )
        if server.header.server_id == leader:
            known.end = max(known.end, server.end)

    def note_commit(self, term: int, server: _Server, index: int) -> None:
        """Note a commit index that a server knew in a term."""
        if term not in self._commits or index > self._commits[term][0]:
            self._commits[term] = index, server

    def _check_completeness(self) -> None:
        """Check that leaders had all that was committed in terms before theirs."""
        if not self._terms or max(self._terms) == 0:
            raise ClusterError("all logs are empty")
        committed: tuple[int, _Server] | None = None
        for term in sorted({*self._leaders, *self._commits}):
            leader = self._leaders.get(term)
            if leader and leader.end and committed and committed[0] >= leader.end:
                raise ClusterError(
                    f"leader {leader.reporter.name} for term {term} has log "
                    f"entries only up to index {leader.end - 1}, but index "
                    f"{committed[0]} was committed in a previous term (e.g. by "
                    f"{committed[1].name})"
                )
            found = self._commits.get(term)
            if found and (committed is None or found[0] > committed[0]):
                committed = found


class _Follower:
    """Goes through one server's log."""

    def __init__(
        self, checker: Checker, server: _Server, report: Callable[[str], None]
    ) -> None:
        self._checker = checker
        self._server = server
        self._report = report
        self._number = 0
        self._term = 0
        self._vote = uuids.ZERO
        self._leader = uuids.ZERO
        self._leader_number = 0
        self._commit_index = server.header.index

    def run(self) -> None:
        """Follow the log to its end."""
        steps = {
            ENTRY: self._on_entry,
            VOTE: self._on_vote,
            NOTE: self._on_note,
            COMMIT_INDEX: self._on_commit_index,
            LEADER: self._on_leader,
        }
        while (json := self._server.file.read()) is not None:
            self._number += 1
            record = Record.from_json(json)
            if record.term > self._term:
                self._term = record.term
                self._vote = self._leader = uuids.ZERO
                self._leader_number = 0
            self._checker.note_term(self._term)
            step = steps.get(record.kind)
            if step is not None:
                step(record)

    @property
    def _where(self) -> str:
        return f"{self._server.name}: record {self._number}"

    def _on_entry(self, record: Record) -> None:
        server, index = self._server, record.index
        if index < self._commit_index:
            raise ClusterError(
                f"{self._where} attempts to truncate log from {server.end} to {index} "
                f"entries, but commit index is already {self._commit_index}"
            )
        if index > server.end:
            raise ClusterError(
                f"{self._where} with index {index} skips past expected index "
                f"{server.end}"
            )
        if index < server.end:
            self._truncate(index)
        previous = server.last_term()
        if record.term < previous:
            raise ClusterError(
                f"{self._where} with index {index} term {record.term} precedes "
                f"previous entry's term {previous}"
            )
        server.entries.append(record)

    def _truncate(self, index: int) -> None:
        server = self._server
        what = f"{self._where} truncates log from {server.end} to {index} entries"
        if server.header.server_id == self._leader:
            raise ClusterError(f"{what} while server is leader")
        self._report(f"{what}\n")
        del server.entries[max(index - server.start, 0) :]

    def _on_vote(self, record: Record) -> None:
        if record.term < self._term:
            raise ClusterError(
                f"{self._where} votes for term {record.term} but current term is "
                f"{self._term}"
            )
        if self._vote not in {uuids.ZERO, record.sid}:
            name_of = self._checker.name_of
            raise ClusterError(
                f"{self._where} votes for {name_of(self._vote)} in term {record.term} "
                "but a previous record for the same term voted for "
                f"{name_of(record.sid)}"
            )
        self._vote = record.sid

    def _on_note(self, record: Record) -> None:
        if record.note == "left":
            self._report(f"{self._where} shows that the server left the cluster\n")

    def _on_commit_index(self, record: Record) -> None:
        index = record.commit_index
        if index < self._commit_index:
            raise ClusterError(
                f"{self._where} regresses commit index from {self._commit_index} to "
                f"{index}"
            )
        if index >= self._server.end:
            raise ClusterError(
                f"{self._where} advances commit index to {index} but last log index "
                f"is {self._server.end - 1}"
            )
        self._commit_index = index
        self._checker.note_commit(self._term, self._server, index)

    def _on_leader(self, record: Record) -> None:
        if self._leader == uuids.ZERO:
            self._leader, self._leader_number = record.sid, self._number
        elif record.sid != self._leader:
            name_of = self._checker.name_of
            raise ClusterError(
                f"{self._where} reports leader {name_of(record.sid)} for term "
                f"{self._term} but record {self._leader_number} previously reported "
                f"the leader as {name_of(self._leader)} in that term"
            )
        self._checker.note_leader(self._term, self._server, record.sid)


def _check_headers(first: _Server, name: str, header: Header) -> None:
    """Check that two files are of the same cluster and database."""
    mine, its = first.header.cluster_id, header.cluster_id
    if mine != its:
        raise ClusterError(
            f"{first.name} has cluster ID {short_id(mine)} but {name} has cluster ID "
            f"{short_id(its)}"
        )
    if first.header.name != header.name:
        raise ClusterError(
            f'{first.name} is named "{first.header.name}" but {name} is named '
            f'"{header.name}"'
        )


def _check_matching(one: _Server, other: _Server) -> None:
    """Check that logs agree below each entry that has the same term in both."""
    must_equal = False
    start = max(one.start, other.start)
    for index in range(min(one.end, other.end) - 1, start - 1, -1):
        mine = one.entries[index - one.start]
        its = other.entries[index - other.start]
        must_equal = must_equal or mine.term == its.term
        if must_equal and _identity(mine) != _identity(its):
            raise ClusterError(
                f"log entries with index {index} differ:\n"
                f"{one.name} has {_entry_text(mine)}\n"
                f"{other.name} has {_entry_text(its)}"
            )


def _identity(entry: Record) -> tuple[Any, ...]:
    return entry.term, entry.eid, entry.servers, entry.data


def _entry_text(entry: Record) -> str:
    members = []
    if entry.data is not None:
        # What the database wrote keeps its order.
        members.append(f'"data":{json.to_string(in_hash_order(entry.data))}')
        members.append(f'"eid":"{entry.eid}"')
    if entry.servers is not None:
        members.append(f'"servers":{json.to_string(entry.servers, sort=True)}')
    members.append(f'"term":{entry.term}')
    return f"{{{','.join(members)}}}"


def _check_membership(server: _Server) -> None:
    """Check that a server is among those it knows, by its id's first digits."""
    sid = short_id(server.header.server_id)
    known = [server.header.servers, *(entry.servers for entry in server.entries)]
    if not any(name.startswith(sid) for servers in known for name in servers or ()):
        raise ClusterError(f"{server.name}: server {sid} not found in server list")
