# SPDX-License-Identifier: Apache-2.0
"""What the drop-in's `Idl` is to follow."""

from __future__ import annotations

from ovswitch.bindings import dirs, json
from ovswitch.bindings.db.schema import DbSchema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class SchemaHelper:
    """Which tables and columns to follow, of the schema in a file or as JSON.

    Without either it is Open_vSwitch's, where the system's packages install it.
    """

    def __init__(self, location: str | None = None, schema_json: Any = None) -> None:
        if location and schema_json:
            raise ValueError("both location and schema_json can't be specified")
        if schema_json is None:
            location = location or f"{dirs.PKGDATADIR}/vswitch.ovsschema"
            schema_json = json.from_file(location)
        self.schema_json = schema_json
        self._tables: dict[str, dict[str, None]] = {}  # none stands for all columns
        self._readonly: dict[str, list[str]] = {}
        self._all = False

    def register_columns(
        self, table: str, columns: list[str], readonly: list[str] | None = None
    ) -> None:
        """Follow `columns` of `table`, but `readonly` ones only when fetched."""
        assert isinstance(table, str)
        assert isinstance(columns, list)
        self._tables.setdefault(table, {}).update(dict.fromkeys(columns))
        self._readonly[table] = list(readonly or ())

    def register_table(self, table: str) -> None:
        """Follow all columns of `table`."""
        assert isinstance(table, str)
        self._tables[table] = {}

    def register_all(self) -> None:
        """Follow everything."""
        self._all = True

    def get_idl_schema(self) -> DbSchema:
        """Return the schema without what isn't followed. Raises: error.Error."""
        schema = DbSchema.from_json(self.schema_json)
        if not self._all:
            for name, columns in self._tables.items():
                assert name in schema.tables
                table = schema.tables[name]
                if columns:
                    assert all(column in table.columns for column in columns)
                    table.columns = {
                        column: table.columns[column] for column in columns
                    }
            schema.tables = {name: schema.tables[name] for name in self._tables}
        schema.readonly = self._readonly
        return schema
