# SPDX-License-Identifier: Apache-2.0
"""Writes a module of a schema's tables for type checkers: a class a table.

    python -m ovswitch.ovsdb.row_types vswitch.ovsschema > vswitch_rows.py

A class has the columns as attributes with the types that they read as; its `rows_of`
gives a table's rows of an `Idl` or `AioIdl` by UUID, `insert_with` a new row of a
transaction. At run time these are plain `Row` objects: the classes are never made.

    from vswitch_rows import Bridge

    for bridge in Bridge.rows_of(idl).values():
        print(bridge.name, bridge.external_ids.get("key"))
"""

from __future__ import annotations

import keyword
import sys

from ovswitch.ovsdb.schema import Schema
from ovswitch.runtime import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ovswitch.ovsdb.schema import ColumnSchema, TableSchema
    from ovswitch.ovsdb.types import BaseType, ColumnType

_ATOMS = {
    "integer": "int",
    "real": "float",
    "boolean": "bool",
    "string": "str",
    "uuid": "str",
}
_HIDDEN = ("_uuid", "_version")


def module_text(schema: Schema) -> str:
    """Return the module for a schema."""
    return "\n".join(_lines(schema)) + "\n"


def _lines(schema: Schema) -> Iterator[str]:
    database = f"{schema.name} {schema.version}"
    yield f'"""Rows of the database {database}, for type checkers."""'
    yield ""
    yield "from __future__ import annotations"
    yield ""
    yield "from typing import TYPE_CHECKING, cast"
    yield ""
    yield "from ovswitch.ovsdb.idl import Row"
    yield ""
    yield "if TYPE_CHECKING:"
    yield "    from ovswitch.ovsdb.idl_core import IdlBase"
    yield "    from ovswitch.ovsdb.idl_transaction import TransactionCore"
    for _, table in sorted(schema.tables.items()):
        yield from ("", "")
        yield from _class_lines(table)


def _class_lines(table: TableSchema) -> Iterator[str]:
    name = _safe(table.name)
    yield f"class {name}(Row):"
    yield f'    """A row of table {table.name}."""'
    yield ""
    for column in sorted(table.columns.values(), key=lambda column: column.name):
        if column.name not in _HIDDEN:
            yield from _column_lines(column)
    yield ""
    yield "    @staticmethod"
    yield f"    def rows_of(idl: IdlBase) -> dict[str, {name}]:"
    yield '        """Return the rows that are followed, by UUID."""'
    yield f'        rows = idl.tables["{table.name}"].rows'
    yield f'        return cast("dict[str, {name}]", rows)'
    yield ""
    yield "    @staticmethod"
    yield f"    def insert_with(txn: TransactionCore) -> {name}:"
    yield '        """Insert and return a new row."""'
    yield f'        row = txn.insert(txn.replica.table("{table.name}"))'
    yield f'        return cast("{name}", row)'


def _column_lines(column: ColumnSchema) -> Iterator[str]:
    if not keyword.iskeyword(column.name):  # or only getattr() reaches it
        yield f"    {column.name}: {python_type(column.type)}"


def python_type(column_type: ColumnType) -> str:
    """Return what a column of that type reads as, as an annotation."""
    key = _atom(column_type.key)
    if column_type.is_map():
        return f"dict[{key}, {_atom(column_type.value)}]"
    if not column_type.is_scalar():
        return f"list[{key}]"
    is_reference = column_type.key.ref_table_name is not None
    return f"{key} | None" if is_reference else key


def _atom(base: BaseType) -> str:
    if base.ref_table_name is not None:
        return _safe(base.ref_table_name)
    return _ATOMS[base.type]


def _safe(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) or name == "Row" else name


def main(argv: list[str]) -> int:
    """Write the module for the schema in a file."""
    if len(argv) != 2:
        sys.stderr.write(f"usage: {argv[0]} SCHEMA\n")
        return 2
    with open(argv[1], "rb") as file:
        schema = Schema.from_json(json.from_string(file.read()))
    sys.stdout.write(module_text(schema))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
