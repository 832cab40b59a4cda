# SPDX-License-Identifier: Apache-2.0
"""The commands on rows that every control tool has: list, find, get, set, add ...

Each comes in two parts: `_prepare_*` registers the columns that it will read, before
the tool connects, and `_run_*` does the work within the transaction. The last command
of a chain writes sets and maps by partial updates, so that it does not conflict with
others who change the same column.

Sources: ovs-vsctl(8) "Database Commands", lib/db-ctl-base.c.
"""

from __future__ import annotations

from ovswitch.ovsdb import atom, uuids
from ovswitch.ovsdb import datum as data
from ovswitch.ovsdb.ctl.arguments import (
    parse_column_key,
    parse_column_key_value,
    parse_column_name,
    parse_datum,
    parse_key,
    parse_value,
    satisfies,
)
from ovswitch.ovsdb.ctl.commands import UNLIMITED, CtlError, Syntax
from ovswitch.ovsdb.ctl.lookup import find_column, find_row, get_row
from ovswitch.ovsdb.output import Cell
from ovswitch.ovsdb.output import Table as OutputTable
from ovswitch.ovsdb.types import UUID_TYPE, ColumnType
from ovswitch.runtime import vlog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ovswitch.ovsdb.ctl.context import Context
    from ovswitch.ovsdb.datum import Datum
    from ovswitch.ovsdb.replica import Column, Table
    from ovswitch.ovsdb.replica_row import Row
    from ovswitch.ovsdb.symbols import Symbol

_log = vlog.Module("db_ctl_base")


class DatumCell(Cell):
    """A cell of a datum, which has no need to go through JSON."""

    __slots__ = ("_datum", "_type")

    def __init__(self, value: Datum, column_type: ColumnType) -> None:
        self._datum = value
        self._type = column_type
        super().__init__(column_type.to_json_value(value), column_type)

    def to_text(self, style: Any) -> str:
        """Return what the cell shows."""
        if style.data == "string":
            return self._type.to_string(self._datum)
        if style.data == "bare":
            return self._type.to_bare(self._datum)
        return super().to_text(style)


# Common parts.


def _follow_table(ctx: Context) -> Table:
    return ctx.tables.follow(ctx.words[1])


def _find_table(ctx: Context) -> Table:
    return ctx.tables.find(ctx.words[1])


def _find_record(ctx: Context, table: Table) -> Row | None:
    """The row that the second argument names; None only with --if-exists."""
    if ctx.has("--if-exists"):
        return find_row(ctx, table, ctx.words[2])
    return get_row(ctx, table, ctx.words[2])


def _follow_arguments(table: Table, arguments: Sequence[str]) -> None:
    """Follow the columns at the beginning of arguments."""
    for argument in arguments:
        table.add_column(parse_column_name(table, argument)[0].name)


def _check_write(ctx: Context, row: Row, column: Column) -> None:
    """Make sure that a column may be written. Raises: CtlError."""
    if not row.is_mutable(column.name):
        raise CtlError(
            f"cannot modify read-only column {column.name} in table {row._table.name}"
        )
    ctx.note_write(row._table.name, column.name)


def _is_uuid_column(name: str) -> bool:
    return name.lower() in ("_uuid", "-uuid")


def _nouns(column_type: ColumnType) -> str:
    return "pairs" if column_type.is_map() else "values"


def _with_bounds(column_type: ColumnType, *, keys_only: bool = False) -> ColumnType:
    """The type of an argument to add or remove: one element or more."""
    value = column_type.value if column_type.is_map() and not keys_only else None
    return ColumnType(column_type.key, value, 1, 0xFFFFFFFF)


# get


def _prepare_get(ctx: Context) -> None:
    if ctx.option("--id") is None and len(ctx.words) <= 3 and _stdout_is_tty():
        _log.warn('"get" command without row arguments or "--id" is possibly erroneous')
    table = _follow_table(ctx)
    columns = [word for word in ctx.words[3:] if not _is_uuid_column(word)]
    _follow_arguments(table, columns)


def _stdout_is_tty() -> bool:
    import sys

    return sys.stdout.isatty()


def _run_get(ctx: Context) -> None:
    name = ctx.option("--id")
    if name is not None and ctx.has("--if-exists"):
        raise CtlError("--if-exists and --id may not be specified together")
    table = _find_table(ctx)
    row = _find_record(ctx, table)
    if row is None:
        return
    if name is not None:
        _name_row(ctx, name, row)
    for argument in ctx.words[3:]:
        if _is_uuid_column(argument):
            ctx.output.append(f"{row.uuid}\n")
        else:
            ctx.output.append(_value_text(ctx, row, argument) + "\n")


def _name_row(ctx: Context, name: str, row: Row) -> None:
    assert ctx.symbols is not None
    is_new = name not in ctx.symbols
    symbol = create_symbol(ctx, name)
    if not is_new:
        raise CtlError(
            f'row id "{name}" specified on "get" command was used before it was defined'
        )
    symbol.uuid = row.uuid
    symbol.strong_ref = True  # it exists: no warning that it won't


def _value_text(ctx: Context, row: Row, argument: str) -> str:
    column, key_text = parse_column_key(row._table, argument)
    row.verify(column.name)
    value = row.read(column.name)
    if key_text is None:
        return column.type.to_string(value)
    if not column.type.is_map():
        raise CtlError(f"cannot specify key to get for non-map column {column.name}")
    key = parse_key(column, key_text, ctx.symbols)
    for known, item in value:
        if known == key:
            return atom.to_string(column.type.value.type, item)
    if not ctx.has("--if-exists"):
        raise CtlError(
            f'no key "{key_text}" in {row._table.name} record "{ctx.words[2]}" '
            f"column {column.name}"
        )
    return ""


def create_symbol(ctx: Context, name: str) -> Symbol:
    """Define a name for a row. Raises: CtlError."""
    assert ctx.symbols is not None
    if not name.startswith("@"):
        raise CtlError(f'row id "{name}" does not begin with "@"')
    symbol = ctx.symbols.insert(name)
    if symbol.created:
        raise CtlError(f'row id "{name}" may only be specified on one --id option')
    symbol.created = True
    return symbol


# list and find


def _chosen_columns(ctx: Context, table: Table) -> list[Column | None]:
    """The columns of --columns, or all; None stands for "_uuid". Raises: CtlError."""
    names = ctx.option("--columns")
    if names is None:
        return [None, *(table.column(name) for name in sorted(table.column_names))]
    columns = [
        None if name.lower() == "_uuid" else find_column(table, name)
        for name in names.replace(",", " ").split(" ")
        if name
    ]
    if not columns:
        raise CtlError("must specify at least one column name")
    return columns


def _follow_chosen(ctx: Context) -> Table:
    table = _follow_table(ctx)
    for column in _chosen_columns(ctx, table):
        if column is not None:
            table.add_column(column.name)
    return table


def _begin_table(columns: list[Column | None]) -> OutputTable:
    return OutputTable(["_uuid" if c is None else c.name for c in columns])


def _cells(row: Row, columns: list[Column | None]) -> list[Cell | str | None]:
    return [
        DatumCell((row.uuid,), UUID_TYPE)
        if column is None
        else DatumCell(row.read(column.name), column.type)
        for column in columns
    ]


def _prepare_list(ctx: Context) -> None:
    _follow_chosen(ctx)


def _run_list(ctx: Context) -> None:
    table = _find_table(ctx)
    columns = _chosen_columns(ctx, table)
    ctx.table = output = _begin_table(columns)
    rows: list[Row | None] = []
    for record in ctx.words[2:]:
        if ctx.has("--if-exists"):
            rows.append(find_row(ctx, table, record))
        else:
            rows.append(get_row(ctx, table, record))
    if len(ctx.words) == 2:
        rows.extend(ctx.rows(table))
    output.rows.extend(_cells(row, columns) for row in rows if row is not None)


def _prepare_find(ctx: Context) -> None:
    table = _follow_chosen(ctx)
    _follow_arguments(table, ctx.words[2:])


def _run_find(ctx: Context) -> None:
    table = _find_table(ctx)
    columns = _chosen_columns(ctx, table)
    ctx.table = output = _begin_table(columns)
    for row in ctx.rows(table):
        if all(satisfies(row, argument, ctx.symbols) for argument in ctx.words[2:]):
            output.rows.append(_cells(row, columns))


# set, add, remove, clear


def _prepare_set(ctx: Context) -> None:
    _follow_arguments(_follow_table(ctx), ctx.words[3:])


def _run_set(ctx: Context) -> None:
    row = _find_record(ctx, _find_table(ctx))
    if row is not None:
        for argument in ctx.words[3:]:
            set_column(ctx, row, argument, partial=ctx.is_last)


def set_column(ctx: Context, row: Row, argument: str, *, partial: bool) -> None:
    """Carry out one COLUMN[:KEY]=VALUE; a single key `partial` if wished.

    Raises: CtlError.
    """
    column, key_text, _, text = parse_column_key_value(row._table, argument)
    _check_write(ctx, row, column)
    if key_text is None:
        row.write(column.name, parse_datum(column.type, text, ctx.symbols))
        return
    if not column.type.is_map():
        raise CtlError(f"cannot specify key to set for non-map column {column.name}")
    key = parse_key(column, key_text, ctx.symbols)
    value = parse_value(column, text, ctx.symbols)
    if partial:
        row.set_pair(column.name, key, value)
    else:
        pairs = dict(row.read(column.name))
        pairs[key] = value
        row.verify(column.name)
        row.write(column.name, tuple(sorted(pairs.items())))


def _prepare_column(ctx: Context) -> None:
    table = _follow_table(ctx)
    table.add_column(find_column(table, ctx.words[3]).name)


def _find_column_and_record(ctx: Context) -> tuple[Column, Row | None]:
    table = _find_table(ctx)
    column = find_column(table, ctx.words[3])
    row = _find_record(ctx, table)
    if row is not None:
        _check_write(ctx, row, column)
    return column, row


def _run_add(ctx: Context) -> None:
    column, row = _find_column_and_record(ctx)
    if row is None:
        return
    is_map = column.type.is_map()
    argument_type = _with_bounds(column.type)
    added: Datum = data.EMPTY if ctx.is_last else row.read(column.name)
    for argument in ctx.words[4:]:
        new = parse_datum(argument_type, argument, ctx.symbols)
        added = data.union(added, new, is_map)
    if ctx.is_last:
        for element in added:
            if is_map:
                row.set_pair(column.name, *element)
            else:
                row.add_atom(column.name, element)
    else:
        if len(added) > column.type.n_max:
            raise CtlError(
                f'"add" operation would put {len(added)} {_nouns(column.type)} in '
                f"column {column.name} of table {row._table.name} but the maximum "
                f"number is {column.type.n_max}"
            )
        row.verify(column.name)
        row.write(column.name, added)


def _run_remove(ctx: Context) -> None:
    column, row = _find_column_and_record(ctx)
    if row is None:
        return
    rest = row.read(column.name)
    for argument in ctx.words[4:]:
        rest = _without(ctx, column.type, rest, argument)
    if len(rest) < column.type.n_min:
        raise CtlError(
            f'"remove" operation would put {len(rest)} {_nouns(column.type)} in column '
            f"{column.name} of table {row._table.name} but the minimum number is "
            f"{column.type.n_min}"
        )
    row.verify(column.name)
    row.write(column.name, rest)


def _without(
    ctx: Context, column_type: ColumnType, value: Datum, argument: str
) -> Datum:
    """Return `value` without an argument: elements or, of a map, also bare keys."""
    is_map = column_type.is_map()
    try:
        gone = parse_datum(_with_bounds(column_type), argument, ctx.symbols)
    except CtlError:
        if not is_map:
            raise
        keys = parse_datum(
            _with_bounds(column_type, keys_only=True), argument, ctx.symbols
        )
        return data.subtract(value, keys, True, True)
    return data.subtract(value, gone, is_map, False)


def _prepare_clear(ctx: Context) -> None:
    table = _follow_table(ctx)
    for name in ctx.words[3:]:
        table.add_column(find_column(table, name).name)


def _run_clear(ctx: Context) -> None:
    table = _find_table(ctx)
    row = _find_record(ctx, table)
    if row is None:
        return
    for name in ctx.words[3:]:
        column = find_column(table, name)
        _check_write(ctx, row, column)
        if column.type.n_min > 0:
            raise CtlError(
                f'"clear" operation cannot be applied to column {column.name} of table '
                f"{table.name}, which is not allowed to be empty"
            )
        row.write(column.name, data.EMPTY)


# create and destroy


def _prepare_create(ctx: Context) -> None:
    table = _find_table(ctx)
    if ctx.option("--id") is None and not table.is_root:
        _log.warn(
            'applying "create" command to table %s without --id option will have no '
            "effect",
            table.name,
        )


def _run_create(ctx: Context) -> None:
    assert ctx.txn is not None
    table = _find_table(ctx)
    name = ctx.option("--id")
    uuid = None if name is None else uuids.parse(name)
    persist = uuid is not None
    if name is not None and uuid is None:
        symbol = create_symbol(ctx, name)
        if table.is_root:
            symbol.strong_ref = True  # it stays without being referred to
        uuid = symbol.uuid
    row = ctx.txn.insert(table, uuid, persist)
    for argument in ctx.words[2:]:
        set_column(ctx, row, argument, partial=False)
    ctx.output.append(row.uuid)


def _finish_create(ctx: Context) -> None:
    """Print the UUID that the server gave to the row."""
    assert ctx.txn is not None
    assert ctx.command is not None
    provisional = ctx.command.output
    real = ctx.txn.get_insert_uuid(provisional)
    ctx.output.append(f"{real or provisional}\n")


def _prepare_destroy(ctx: Context) -> None:
    _follow_table(ctx)


def _run_destroy(ctx: Context) -> None:
    table = _find_table(ctx)
    records = ctx.words[2:]
    if ctx.has("--all"):
        if records:
            raise CtlError(
                "--all and records argument should not be specified together"
            )
        if ctx.has("--if-exists"):
            raise CtlError("--all and --if-exists should not be specified together")
        for row in list(table.rows.values()):
            row.delete()
    elif not records:
        _log.warn("either --all or records argument should be specified")
        return
    for record in records:
        if ctx.has("--if-exists"):
            found = find_row(ctx, table, record)
        else:
            found = get_row(ctx, table, record)
        if found is not None:
            found.delete()
    ctx.note_write(table.name, None)


# wait-until


def _prepare_wait_until(ctx: Context) -> None:
    _follow_arguments(_follow_table(ctx), ctx.words[3:])


def _run_wait_until(ctx: Context) -> None:
    row = find_row(ctx, _find_table(ctx), ctx.words[2])
    if row is None:
        ctx.try_again = True
        return
    ctx.try_again = not all(
        satisfies(row, argument, ctx.symbols) for argument in ctx.words[3:]
    )


COMMANDS = (
    Syntax("comment", 0, UNLIMITED, "[ARG]...", None, None),
    Syntax(
        "get",
        2,
        UNLIMITED,
        "TABLE RECORD [COLUMN[:KEY]]...",
        _prepare_get,
        _run_get,
        "--if-exists,--id=",
    ),
    Syntax(
        "list",
        1,
        UNLIMITED,
        "TABLE [RECORD]...",
        _prepare_list,
        _run_list,
        "--if-exists,--columns=",
    ),
    Syntax(
        "find",
        1,
        UNLIMITED,
        "TABLE [COLUMN[:KEY]=VALUE]...",
        _prepare_find,
        _run_find,
        "--columns=",
    ),
    Syntax(
        "set",
        3,
        UNLIMITED,
        "TABLE RECORD COLUMN[:KEY]=VALUE...",
        _prepare_set,
        _run_set,
        "--if-exists",
        writes=True,
    ),
    Syntax(
        "add",
        4,
        UNLIMITED,
        "TABLE RECORD COLUMN [KEY=]VALUE...",
        _prepare_column,
        _run_add,
        "--if-exists",
        writes=True,
    ),
    Syntax(
        "remove",
        4,
        UNLIMITED,
        "TABLE RECORD COLUMN KEY|VALUE|KEY=VALUE...",
        _prepare_column,
        _run_remove,
        "--if-exists",
        writes=True,
    ),
    Syntax(
        "clear",
        3,
        UNLIMITED,
        "TABLE RECORD COLUMN...",
        _prepare_clear,
        _run_clear,
        "--if-exists",
        writes=True,
    ),
    Syntax(
        "create",
        2,
        UNLIMITED,
        "TABLE COLUMN[:KEY]=VALUE...",
        _prepare_create,
        _run_create,
        "--id=",
        writes=True,
        finish=_finish_create,
    ),
    Syntax(
        "destroy",
        1,
        UNLIMITED,
        "TABLE [RECORD]...",
        _prepare_destroy,
        _run_destroy,
        "--if-exists,--all",
        writes=True,
    ),
    Syntax(
        "wait-until",
        2,
        UNLIMITED,
        "TABLE RECORD [COLUMN[:KEY]=VALUE]...",
        _prepare_wait_until,
        _run_wait_until,
    ),
)
