# SPDX-License-Identifier: Apache-2.0
"""Role-based access control: which rows a client may write.

A client has a role (from the remote that it came by) and an id (the common name in its
certificate). The table RBAC_Role maps a role's name and a table's name to a row of
permissions: `authorization` names columns, one of which must hold the client's id (""
is everyone, "COLUMN:KEY" looks into a map), `insert_delete` allows to insert and delete
rows, `update` lists the columns that may be changed.

Clients without a role, and databases without that table, are not restricted.

Source: ovsdb(7), "RBAC"; ovsdb/rbac.c.
"""

from __future__ import annotations

from ovswitch.ovsdb.atom import STRING, UINT_MAX, UUID
from ovswitch.ovsdb.error import OvsdbError
from ovswitch.runtime import vlog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ovswitch.ovsdb.database import Database
    from ovswitch.ovsdb.row import Row
    from ovswitch.ovsdb.schema import ColumnSchema
    from ovswitch.ovsdb.table import Table

_log = vlog.Module("ovsdb_rbac")
_role_limit = vlog.RateLimit(1, 1)
_authorization_limit = vlog.RateLimit(1, 1)
_update_limit = vlog.RateLimit(1, 1)


class Client:
    """Who asks: a role, none for one that may do everything, and an id or None."""

    __slots__ = ("client_id", "role")

    def __init__(self, role: str | None = None, client_id: str | None = None) -> None:
        self.role = role or ""
        self.client_id = client_id

    def __str__(self) -> str:
        shown = "(null)" if self.client_id is None else self.client_id
        return f'client "{shown}" role "{self.role}"'

    def check_insert(self, database: Database, row: Row) -> None:
        """Check that a row may be inserted. Raises: OvsdbError."""
        permissions = self._permissions(database, row.table)
        if permissions is not None and not permissions.may_own(row):
            name = row.table.name
            raise self._refusal(f'row insertion into table "{name}".')

    def check_delete(
        self, database: Database, table: Table, rows: Iterable[Row]
    ) -> None:
        """Check that rows may be deleted. Raises: OvsdbError."""
        permissions = self._permissions(database, table)
        if permissions is not None and not permissions.may_delete(rows):
            raise self._refusal(f'row deletion from table "{table.name}".')

    def check_change(
        self,
        database: Database,
        table: Table,
        rows: Iterable[Row],
        columns: Iterable[ColumnSchema],
        verb: str,
    ) -> None:
        """Check that columns of rows may be changed, by "update" or "mutate".

        Raises: OvsdbError.
        """
        permissions = self._permissions(database, table)
        if permissions is not None and not permissions.may_change(rows, columns, verb):
            what = "modification of" if verb == "update" else "mutate operation on"
            raise self._refusal(f'{what} table "{table.name}".')

    def check_convert(self, name: str) -> None:
        """Check that a database may be converted. Raises: OvsdbError."""
        if self.role:
            raise self._refusal(
                f'"convert" of database {name} (only the root role may convert '
                "databases)"
            )

    def _refusal(self, what: str) -> OvsdbError:
        details = f"RBAC rules for {self} prohibit {what}"
        return OvsdbError("permission error", details)

    def _permissions(self, database: Database, table: Table) -> _Permissions | None:
        """Return what the client may do with a table, None for everything."""
        if not self.role or "RBAC_Role" not in database.tables:
            return None
        row = None
        if self.client_id is not None:
            row = _find_permissions(database, self.role, table.name)
        return _Permissions(row, self.client_id or "")


class _Permissions:
    """A row of permissions, None for no permission at all, seen by one client."""

    __slots__ = ("client_id", "row")

    def __init__(self, row: Row | None, client_id: str) -> None:
        self.row = row
        self.client_id = client_id

    def may_own(self, row: Row) -> bool:
        """Return whether the client may insert or delete the row."""
        if self.row is None or not self._is_authorized(self.row, row):
            return False
        return _scalar(self.row, "insert_delete") is True

    def may_delete(self, rows: Iterable[Row]) -> bool:
        """Return whether the client may delete all of the rows."""
        return self.row is not None and all(self.may_own(row) for row in rows)

    def may_change(
        self, rows: Iterable[Row], columns: Iterable[ColumnSchema], verb: str
    ) -> bool:
        """Return whether the client may change those columns in all of the rows."""
        permissions = self.row
        if permissions is None:
            return False
        modifiable = _strings(permissions, "update")
        if modifiable is None:
            text = 'ovsdb_rbac_%s: could not read "update" column'
            _log.info_rl(_update_limit, text, verb)
            return False
        allowed = all(column.name in modifiable for column in columns)
        return all(allowed and self._is_authorized(permissions, row) for row in rows)

    def _is_authorized(self, permissions: Row, row: Row) -> bool:
        names = _strings(permissions, "authorization")
        if names is None:
            _log.info_rl(
                _authorization_limit, "rbac: error reading authorization column"
            )
            return False
        # The empty string means everyone.
        return any(not n or _holder(row, n) == self.client_id for n in names)


def _find_permissions(database: Database, role: str, table_name: str) -> Row | None:
    roles = database.tables["RBAC_Role"]
    row = _find_role(roles, role)
    if row is None:
        _log.info_rl(_role_limit, 'rbac: role "%s" not found in rbac roles table', role)
        return None
    column = roles.schema.columns.get("permissions")
    if column is None:
        _log.info_rl(
            _role_limit, 'rbac: "permissions" column not present in rbac roles table'
        )
        return None
    key, value = column.type.key, column.type.value
    if (key.type, value.type) != (STRING, UUID) or value.ref_table_name is None:
        return None
    uuid = dict(row.fields[column.index]).get(table_name)
    return (
        None if uuid is None else database.tables[value.ref_table_name].rows.get(uuid)
    )


def _find_role(roles: Table, role: str) -> Row | None:
    column = roles.schema.columns.get("name")
    if column is None:
        return None
    for row in roles.rows.values():
        if role in row.fields[column.index]:
            return row
    return None


def _strings(row: Row, name: str) -> Iterable[str] | None:
    """Return an unbounded set of strings, None if the column isn't one."""
    column = row.table.schema.columns.get(name)
    if column is None or column.type.key.type != STRING or column.type.is_map():
        return None
    if column.type.n_max != UINT_MAX:
        return None
    return row.fields[column.index]


def _scalar(row: Row, name: str) -> Any:
    """Return what a column of at most one value holds, or None."""
    column = row.table.schema.columns.get(name)
    if column is None or column.type.is_map() or column.type.n_max != 1:
        return None
    datum = row.fields[column.index]
    return datum[0] if datum else None


def _holder(row: Row, name: str) -> str | None:
    """Return the id that a column "NAME", or a map's value "NAME:KEY", holds."""
    words = [word for word in name.split(":") if word]
    if ":" not in name:
        value = _scalar(row, name)
        return value if isinstance(value, str) else None
    column = row.table.schema.columns.get(words[0]) if len(words) > 1 else None
    if (
        column is None
        or (column.type.key.type, column.type.value.type) != (STRING,) * 2
    ):
        return None
    value = dict(row.fields[column.index]).get(words[1])
    return value if isinstance(value, str) else None
