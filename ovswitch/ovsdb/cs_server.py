# SPDX-License-Identifier: Apache-2.0
"""What a server says about its databases, in its database `_Server`.

A client that follows a clustered database asks there whether this member of the cluster
is of use: whether it has joined, is connected, leads, and knows what the client knows.

Sources: ovsdb-server(5), lib/ovsdb-cs.c.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Json: TypeAlias = Any

SERVER_COLUMNS = ("name", "model", "connected", "leader", "schema", "cid", "index")
STALE = "clustered database server has stale data"
_EMPTY = ["set", []]


class ServerDatabase:
    """The rows of `_Server`'s table Database.

    `cluster_id` selects a database besides its name. `min_index` is the newest state of
    the cluster that was seen, over all connections.
    """

    __slots__ = ("_rows", "cluster_id", "min_index")

    def __init__(self) -> None:
        self.cluster_id: str | None = None
        self.min_index = 0
        self._rows: dict[str, dict[str, Json]] = {}

    def clear(self) -> None:
        """Forget the rows: another server will have its own."""
        self._rows.clear()

    def update(self, updates: Json) -> None:
        """Take the body of an ``update2``; its columns hold one atom at most."""
        rows = updates.get("Database") if isinstance(updates, dict) else None
        for uuid, update in rows.items() if isinstance(rows, dict) else ():
            if not isinstance(update, dict):
                continue
            if "delete" in update:
                self._rows.pop(uuid, None)
                continue
            row = self._rows.setdefault(uuid, {})
            for kind in ("initial", "insert", "modify"):
                values = update.get(kind)
                if isinstance(values, dict):
                    row.update(values)

    def find(self, database: str) -> dict[str, Json] | None:
        """The row of a database, or None if the server doesn't have it."""
        for row in self._rows.values():
            if self.cluster_id is None:
                if row.get("name") == database:
                    return row
            elif self._has_cluster_id(row):
                return row
        return None

    def _has_cluster_id(self, row: dict[str, Json]) -> bool:
        """Whether the id is that of the row's cluster, or its first characters."""
        match row.get("cid"):
            case ["uuid", str(cid)]:
                return cid.startswith(self.cluster_id or "?")
        return False

    def problem(self, database: str, *, leader_only: bool) -> str | None:
        """Say why the server is of no use, or None."""
        row = self.find(database) or {}
        match row.get("model"):
            case "clustered":
                return self._cluster_problem(row, leader_only=leader_only)
            case "relay":
                return _relay_problem(row, leader_only=leader_only)
        return None

    def _cluster_problem(
        self, row: dict[str, Json], *, leader_only: bool
    ) -> str | None:
        if row.get("schema") == _EMPTY:
            return "clustered database server has not yet joined cluster"
        if row.get("connected") is not True:
            return "clustered database server is disconnected from cluster"
        if leader_only and row.get("leader") is not True:
            return "clustered database server is not cluster leader"
        index = row.get("index")
        index = index if isinstance(index, int) else 0
        if index < self.min_index:
            return STALE
        self.min_index = index
        return None


def _relay_problem(row: dict[str, Json], *, leader_only: bool) -> str | None:
    if row.get("schema") == _EMPTY:
        return "relay database server has not yet connected to the relay source"
    if row.get("connected") is not True:
        return "relay database server is disconnected from the relay source"
    if leader_only:
        return "relay database server cannot be a leader"
    return None
