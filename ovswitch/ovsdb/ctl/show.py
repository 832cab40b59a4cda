# SPDX-License-Identifier: Apache-2.0
"""The `show` command: an overview of the database as an indented tree.

A table of `ShowTable`s says which tables take part, the column that names a row of
each, and the columns to print: plain ones where they aren't at their default,
references as the rows that they refer to. The first table's rows are the roots.
"""

from __future__ import annotations

from ovswitch.ovsdb.ctl.commands import Syntax

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ovswitch.ovsdb.ctl.context import Context
    from ovswitch.ovsdb.replica_row import Row

_INDENT = "    "


class ShowTable:
    """One table of the overview. Without a `name` column its rows show their UUIDs."""

    __slots__ = ("columns", "name", "table")

    def __init__(self, table: str, name: str | None, columns: Sequence[str]) -> None:
        self.table = table
        self.name = name
        self.columns = columns


def show_command(tables: Sequence[ShowTable]) -> Syntax:
    """Make the command from a description of the overview."""
    by_name = {show.table: show for show in tables}

    def prepare(ctx: Context) -> None:
        for show in tables:
            table = ctx.replica.table(show.table)
            table.add()
            for column in (show.name, *show.columns):
                if column is not None:
                    table.add_column(column)

    def run(ctx: Context) -> None:
        printer = _Printer(ctx, by_name)
        for row in ctx.rows(ctx.replica.table(tables[0].table)):
            printer.print_row(row, 0)

    return Syntax("show", 0, 0, "", prepare, run)


class _Printer:
    """Walks the tree; a table within itself shows the names of its rows only."""

    def __init__(self, ctx: Context, tables: dict[str, ShowTable]) -> None:
        self._ctx = ctx
        self._tables = tables
        self._open: set[str] = set()

    def print_row(self, row: Row, level: int) -> None:
        table = row._table
        show = self._tables[table.name]
        title = row.uuid
        if show.name is not None:
            title = f"{table.name} {self._text(row, show.name)}"
        self._ctx.output.append(f"{_INDENT * level}{title}\n")
        if table.name in self._open:
            return
        self._open.add(table.name)
        for column in show.columns:
            self._print_column(row, column, level + 1)
        self._open.discard(table.name)

    def _text(self, row: Row, column: str) -> str:
        return row._table.column(column).type.to_string(row.read(column))

    def _print_column(self, row: Row, name: str, level: int) -> None:
        column_type = row._table.column(name).type
        value = row.read(name)
        if column_type.is_map():
            referred = self._tables.get(column_type.value.ref_table_name or "")
            if referred is not None and referred.name is not None:
                self._print_map(row, name, referred, level)
                return
        else:
            referred = self._tables.get(column_type.key.ref_table_name or "")
            if referred is not None:
                rows = self._ctx.replica.table(referred.table).rows
                for uuid in value:
                    if uuid in rows:
                        self.print_row(rows[uuid], level)
                return
        if not column_type.is_default(value):
            self._ctx.output.append(
                f"{_INDENT * level}{name}: {column_type.to_string(value)}\n"
            )

    def _print_map(self, row: Row, name: str, referred: ShowTable, level: int) -> None:
        """Print a map to rows as key and name of each row."""
        assert referred.name is not None
        rows = self._ctx.replica.table(referred.table).rows
        key_type = row._table.column(name).type.with_key_only()
        self._ctx.output.append(f"{_INDENT * level}{name}:\n")
        for key, uuid in row.read(name):
            target = rows.get(uuid)
            shown = '"<null>"' if target is None else self._text(target, referred.name)
            text = key_type.to_bare((key,))
            self._ctx.output.append(f"{_INDENT * (level + 1)}{text}={shown}\n")
