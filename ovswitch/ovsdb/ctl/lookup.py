# SPDX-License-Identifier: Apache-2.0
"""How a user names tables, columns and rows.

Names of tables and columns match without regard to case and with "-" for "_", and may
be cut short where that is unambiguous. A row is named by its UUID or the first digits
of it, by "." if it is its table's only row, or as its table's `RowId` says: a Port by
its name, a Controller by the name of the Bridge that uses it.
"""

from __future__ import annotations

from ovswitch.ovsdb import uuids
from ovswitch.ovsdb.ctl.commands import CtlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from ovswitch.ovsdb.ctl.context import Context
    from ovswitch.ovsdb.replica import Column, Replica, Table
    from ovswitch.ovsdb.replica_row import Row

_EXACT = 1 << 32
_SHORTEST_UUID = 4


class RowId:
    """A way to name rows: by the column `name` of `table`.

    If `via` is set, the row so found refers with that column to the row meant.
    """

    __slots__ = ("name", "table", "via")

    def __init__(self, table: str, name: str, via: str | None = None) -> None:
        self.table = table
        self.name = name
        self.via = via


class Tables:
    """The tables of a replica, and how their rows are named."""

    __slots__ = ("_names", "_row_ids", "replica")

    def __init__(self, replica: Replica, row_ids: Mapping[str, RowId]) -> None:
        self.replica = replica
        self._row_ids = row_ids
        self._names = sorted(replica.table_names)

    def find(self, name: str) -> Table:
        """The table that a user means. Raises: CtlError."""
        matches = best_matches(self._names, name)
        if not matches:
            raise CtlError(f'unknown table "{name}"')
        if len(matches) > 1:
            raise CtlError(
                f'"{name}" matches multiple table names: {", ".join(matches)}'
            )
        return self.replica.table(matches[0])

    def follow(self, name: str) -> Table:
        """Find a table and follow its rows and what they are named by.

        Raises: CtlError.
        """
        table = self.find(name)
        table.add()
        row_id = self._row_ids.get(table.name)
        if row_id is not None:
            owner = self.replica.table(row_id.table)
            owner.add_column(row_id.name)
            if row_id.via is not None:
                owner.add_column(row_id.via)
        return table

    def row_id(self, table: str) -> RowId | None:
        """How a table's rows are named, besides by UUID."""
        return self._row_ids.get(table)


def best_matches(names: Iterable[str], text: str) -> list[str]:
    """Return those of `names` that `text` matches best, sorted; usually one or none."""
    best: list[str] = []
    best_score = 1
    folded_text = _folded(text)
    for name in names:
        score = _EXACT if name == text else _score(_folded(name), folded_text)
        if score > best_score:
            best, best_score = [name], score
        elif score == best_score:
            best.append(name)
    return sorted(best)


def _folded(name: str) -> str:
    return name.lower().replace("-", "_")


def _score(name: str, text: str) -> int:
    if name == text:
        return _EXACT - 1
    return len(text) if name.startswith(text) else 0


def find_column(table: Table, text: str) -> Column:
    """The column of a table that a user means. Raises: CtlError."""
    matches = best_matches(table.column_names, text)
    if not matches:
        raise CtlError(
            f'{table.name} does not contain a column whose name matches "{text}"'
        )
    if len(matches) > 1:
        raise CtlError(
            f"{table.name} contains more than one column whose name matches "
            f'"{text}": {", ".join(matches)}'
        )
    return table.column(matches[0])


def find_row(ctx: Context, table: Table, record: str) -> Row | None:
    """The row of a table that a user means, or None.

    Raises: CtlError: it could be several.
    """
    row = None
    uuid = uuids.parse(record)
    if uuid is not None:
        row = table.rows.get(uuid)
    if row is None and record == "." and len(table.rows) == 1:
        row = table.first()
    if row is None:
        row_id = ctx.tables.row_id(table.name)
        if row_id is not None:
            row = _find_named(ctx, table, row_id, record)
    if row is None and _is_partial_uuid(record):
        row = _find_by_partial_uuid(ctx, table, record)
    return row


def get_row(ctx: Context, table: Table, record: str) -> Row:
    """The row of a table that a user means. Raises: CtlError."""
    row = find_row(ctx, table, record)
    if row is None:
        raise CtlError(f'no row "{record}" in table {table.name}')
    return row


def _find_named(ctx: Context, table: Table, row_id: RowId, record: str) -> Row | None:
    owner = ctx.replica.table(row_id.table)
    is_integer = owner.column(row_id.name).type.key.type == "integer"
    if is_integer and not (record.isascii() and record.isdigit()):
        return None
    found = None
    for row in owner.rows.values():
        datum = row.read(row_id.name)
        if len(datum) != 1 or not _is_named(datum[0], record, is_integer=is_integer):
            continue
        if found is not None:
            raise CtlError(f'multiple rows in {owner.name} match "{record}"')
        found = row
    if found is None or row_id.via is None:
        return found
    found.verify(row_id.via)
    reference = found.read(row_id.via)
    return table.rows.get(reference[0]) if len(reference) == 1 else None


def _is_named(name: Any, record: str, *, is_integer: bool) -> bool:
    if is_integer:
        return bool(name == int(record))
    if name == record:
        return True
    return (
        len(record) >= _SHORTEST_UUID
        and str(name).startswith(record)
        and uuids.is_valid(name)
    )


def _is_partial_uuid(text: str) -> bool:
    """Whether `text` begins like a UUID, for as many characters as it has."""
    rest = uuids.ZERO[len(text) :]
    return len(text) >= _SHORTEST_UUID and uuids.is_valid(text + rest)


def _find_by_partial_uuid(ctx: Context, table: Table, record: str) -> Row | None:
    start = record.lower()
    found = [row for row in table.rows.values() if row.uuid.startswith(start)]
    if len(found) > 1:
        first, second = [r for r in ctx.rows(table) if r.uuid.startswith(start)][:2]
        raise CtlError(
            f"{table.name} contains 2 or more rows whose UUIDs begin with {record}: "
            f"at least {first.uuid} and {second.uuid}"
        )
    return found[0] if found else None
