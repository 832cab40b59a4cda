# SPDX-License-Identifier: Apache-2.0
"""What ovsdb-client's monitors print: a table for each table's changes.

Anything in a server's answer may be wrong; that is told on stderr and left out.
"""

from __future__ import annotations

from ovswitch.ovsdb import timestamp
from ovswitch.ovsdb.client import settings
from ovswitch.ovsdb.client.schema_commands import in_hash_order
from ovswitch.ovsdb.output import Cell, Table
from ovswitch.runtime import clock, fatal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ovswitch.ovsdb.schema import ColumnSchema, TableSchema

    Line = list[Cell | str | None]

_OPERATIONS = ("delete", "initial", "modify", "insert")


class MonitorOutput:
    """Prints updates of the tables in `tables`, with the columns that go with each."""

    def __init__(self) -> None:
        self.tables: list[tuple[TableSchema, list[ColumnSchema]]] = []

    def updates(self, updates: Any, *, is_initial: bool) -> None:
        """Print <table-updates>."""

        def lines(uuid: str, update: Any, columns: list[ColumnSchema]) -> list[Line]:
            return _row_lines(uuid, update, columns, is_initial)

        self._print(updates, "", lines)

    def updates2(self, updates: Any) -> None:
        """Print <table-updates2>."""
        self._print(updates, "2", _row_lines2)

    def reply3(self, result: Any) -> None:
        """Print the answer to monitor_cond_since."""
        if not isinstance(result, list):
            fatal.report("<result> is not array")
            return
        if len(result) != 3:
            fatal.report(
                f"<result> should have 3 elements, but has {len(result)}.",
            )
            return
        found, last_id, updates = result
        word = "true" if found is True else "false"
        settings.write(f"found: {word}, last_id: {last_id}\n")
        self.updates2(updates)

    def update3(self, last_id: Any, updates: Any) -> None:
        """Print what an `update3` notification brings."""
        settings.write(f"\nlast_id: {last_id}")
        self.updates2(updates)

    def _print(
        self,
        updates: Any,
        version: str,
        lines: Callable[[str, Any, list[ColumnSchema]], list[Line]],
    ) -> None:
        if not isinstance(updates, dict):
            fatal.report(f"<table-updates{version}> is not object")
            return
        for schema, columns in self.tables:
            if schema.name not in updates:
                continue
            update = updates[schema.name]
            if not isinstance(update, dict):
                fatal.report(f"<table-update> for table {schema.name} is not object")
                continue
            rows: list[Line] = []
            for uuid in in_hash_order(update):
                if isinstance(update[uuid], dict):
                    rows += lines(uuid, update[uuid], columns)
                else:
                    fatal.report(f"<row-update{version}> is not object")
            self._print_table(schema, columns, rows)

    def _print_table(
        self, schema: TableSchema, columns: list[ColumnSchema], rows: list[Line]
    ) -> None:
        headings = ["row", "action", *(column.name for column in columns)]
        table = Table(headings, schema.name if len(self.tables) > 1 else None)
        if settings.timestamp:
            table.timestamp = timestamp.format_ms(clock.wall())
        table.rows = rows
        settings.write(table.to_text(settings.style))


def _row_lines(
    uuid: str, update: dict[str, Any], columns: list[ColumnSchema], is_initial: bool
) -> list[Line]:
    """Return the lines for a <row-update>: two for a modified row."""
    if is_initial:
        return _line(uuid, "initial", update, "new", columns)
    if "old" not in update:
        return _line(uuid, "insert", update, "new", columns)
    if "new" not in update:
        return _line(uuid, "delete", update, "old", columns)
    return [
        *_line(uuid, "old", update, "old", columns),
        *_line("", "new", update, "new", columns),
    ]


def _row_lines2(
    uuid: str, update: dict[str, Any], columns: list[ColumnSchema]
) -> list[Line]:
    """Return the line for a <row-update2>."""
    for operation in _OPERATIONS:
        if operation not in update:
            continue
        if operation != "delete":
            return _line(uuid, operation, update, operation, columns)
        if update[operation] is None:
            return _line(uuid, operation, {operation: {}}, operation, columns)
        fatal.report("delete method does not expect <row>")
        break
    return []


def _line(
    uuid: str,
    action: str,
    update: dict[str, Any],
    member: str,
    columns: list[ColumnSchema],
) -> list[Line]:
    """Return the line for the row in a member of an update, none if it's wrong."""
    row = update.get(member)
    if member not in update:
        fatal.report(f"missing {action} row")
        return []
    if not isinstance(row, dict):
        fatal.report("<row> is not object")
        return []
    cells: Line = [uuid, action]
    cells += [
        Cell(row[column.name], column.type) if column.name in row else None
        for column in columns
    ]
    return [cells]
