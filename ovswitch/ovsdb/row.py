# SPDX-License-Identifier: Apache-2.0
"""A version of a row: its data by column index.

A committed row never changes; a transaction works on a copy, so monitors and
iterators may keep rows as long as they like. Data are shared between versions.
"""

from __future__ import annotations

from ovswitch.ovsdb.error import syntax_error
from ovswitch.ovsdb.schema import UUID_COLUMN, VERSION_COLUMN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ovswitch.ovsdb.datum import Datum
    from ovswitch.ovsdb.schema import ColumnSchema
    from ovswitch.ovsdb.symbols import SymbolTable
    from ovswitch.ovsdb.table import Table
    from ovswitch.runtime.json import Value as Json


class Row:
    """The data of a row, `fields[column.index]`."""

    __slots__ = ("fields", "table", "uuid")

    def __init__(self, table: Table, uuid: str, fields: list[Datum]) -> None:
        self.table = table
        self.uuid = uuid
        self.fields = fields

    @classmethod
    def default(cls, table: Table, uuid: str) -> Row:
        """Return a row that has the default in every column."""
        fields = table.defaults.copy()
        fields[UUID_COLUMN] = (uuid,)
        return cls(table, uuid, fields)

    def copy(self) -> Row:
        """Return a version that a transaction may change."""
        return Row(self.table, self.uuid, self.fields.copy())

    @property
    def version(self) -> str:
        """The UUID of this version of the row."""
        return str(self.fields[VERSION_COLUMN][0])

    def to_json(self, columns: Iterable[ColumnSchema]) -> dict[str, Json]:
        """Return those columns as a <row>."""
        fields = self.fields
        return {
            column.name: column.type.to_json_value(fields[column.index])
            for column in columns
        }

    def key(self, columns: Iterable[ColumnSchema]) -> tuple[Datum, ...]:
        """Return the data of those columns, to compare or look up."""
        fields = self.fields
        return tuple(fields[column.index] for column in columns)

    def columns_to_string(self, columns: tuple[ColumnSchema, ...]) -> str:
        """Return data for a message: '1, "xyz", and [1, 2]'."""
        return english_list(
            column.type.to_string(self.fields[column.index]) for column in columns
        )

    def to_string(self) -> str:
        """Return all columns for a log line."""
        return ",".join(
            f"{column.name}:{column.type.to_string(self.fields[column.index])}"
            for column in self.table.schema.ordered
        )


def data_from_json(
    table: Table, json: Any, symbols: SymbolTable | None
) -> dict[ColumnSchema, Datum]:
    """Parse a <row>. Raises: OvsdbError."""
    if not isinstance(json, dict):
        raise syntax_error(json, "row must be JSON object")
    columns = table.schema.columns
    data = {}
    for name, value in json.items():
        column = columns.get(name)
        if column is None:
            raise syntax_error(
                json, f"No column {name} in table {table.name}.", "unknown column"
            )
        data[column] = column.type.from_json_value(value, symbols)
    return data


def english_list(items: Iterable[str]) -> str:
    """Join words: "a", "a and b", "a, b, and c"."""
    words = list(items)
    if len(words) < 3:
        return " and ".join(words)
    return f"{', '.join(words[:-1])}, and {words[-1]}"
