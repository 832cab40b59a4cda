# SPDX-License-Identifier: Apache-2.0
"""Schemas with the names of `ovs.db.schema`.

`DbSchema.from_json` reads one; tables and columns may then be taken out of it.
"""

from __future__ import annotations

import sys

from ovswitch.bindings.db import error, types
from ovswitch.bindings.db.parser import Parser, is_identifier

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def _check_id(name: str, json: Any) -> None:
    if name.startswith("_"):
        raise error.Error('names beginning with "_" are reserved', json)
    if not is_identifier(name):
        raise error.Error("name must be a valid id", json)


class DbSchema:
    """A database's schema.

    A schema without root tables is older than garbage collection: all are roots then.
    Raises: error.Error: a column refers to a table that isn't there.
    """

    def __init__(
        self,
        name: str,
        version: str | None,
        tables: dict[str, TableSchema],
        allow_extensions: bool = False,
    ) -> None:
        self.name = name
        self.version = version
        self.tables = tables
        self.allow_extensions = allow_extensions
        self.readonly: dict[str, list[str]] = {}
        if not any(table.is_root for table in tables.values()):
            for table in tables.values():
                table.is_root = True
        for table in tables.values():
            for column in table.columns.values():
                self._link(column, column.type.key, "key")
                if column.type.value is not None:
                    self._link(column, column.type.value, "value")

    def _link(self, column: ColumnSchema, base: types.BaseType, role: str) -> None:
        """Find the table that a column refers to."""
        if not base.is_ref():
            return
        base.ref_table = self.tables.get(base.ref_table_name or "")
        if base.ref_table is None:
            raise error.Error(
                f"column {column.name} {role} refers to undefined table "
                f"{base.ref_table_name}",
                tag="syntax error",
            )
        if base.is_strong_ref() and not base.ref_table.is_root:
            column.persistent = True  # or the row would be lost at a restart

    @staticmethod
    def from_json(json: Any, allow_extensions: bool = False) -> DbSchema:
        """Parse a <database-schema>. Raises: error.Error."""
        parser = Parser(json, "database schema")
        name = parser.get("name", ["id"])
        version = parser.get_optional("version", (str,))
        parser.get_optional("cksum", (str,))
        tables_json = parser.get("tables", [dict])
        parser.finish()
        if version is not None and not _is_version(version):
            raise error.Error(f'schema version "{version}" not in format x.y.z')
        tables = {}
        for table_name, table_json in tables_json.items():
            _check_id(table_name, json)
            tables[table_name] = TableSchema.from_json(
                table_json, table_name, allow_extensions
            )
        return DbSchema(name, version, tables, allow_extensions)

    def to_json(self) -> Any:
        """Return the <database-schema>."""
        all_roots = all(table.is_root for table in self.tables.values())
        tables = {name: table.to_json(all_roots) for name, table in self.tables.items()}
        json: dict[str, Any] = {"name": self.name, "tables": tables}
        if self.version:
            json["version"] = self.version
        return json

    def copy(self) -> DbSchema:
        """Return another one like this."""
        return DbSchema.from_json(self.to_json(), self.allow_extensions)


class TableSchema:
    """A table: its columns by name; `indexes` are tuples of columns that are unique."""

    def __init__(
        self,
        name: str,
        columns: dict[str, ColumnSchema],
        mutable: bool = True,
        max_rows: int = sys.maxsize,
        is_root: bool = True,
        indexes: list[tuple[ColumnSchema, ...]] | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.columns = columns
        self.mutable = mutable
        self.max_rows = max_rows
        self.is_root = is_root
        self.indexes = indexes or []
        self.extensions = extensions or {}

    @staticmethod
    def from_json(json: Any, name: str, allow_extensions: bool = False) -> TableSchema:
        """Parse a <table-schema>. Raises: error.Error."""
        parser = Parser(json, f"table schema for table {name}")
        columns_json = parser.get("columns", [dict])
        mutable = parser.get_optional("mutable", [bool], True)
        max_rows = parser.get_optional("maxRows", [int], sys.maxsize)
        is_root = parser.get_optional("isRoot", [bool], False)
        indexes_json = parser.get_optional("indexes", [list], [])
        extensions = (
            parser.get_optional("extensions", [dict], {}) if allow_extensions else {}
        )
        parser.finish()
        if max_rows <= 0:
            raise error.Error("maxRows must be at least 1", json)
        if not columns_json:
            raise error.Error("table must have at least one column", json)
        columns = {}
        for column_name, column_json in columns_json.items():
            _check_id(column_name, json)
            columns[column_name] = ColumnSchema.from_json(
                column_json, column_name, allow_extensions
            )
        indexes = [_index(index, columns, json) for index in indexes_json]
        return TableSchema(
            name, columns, mutable, max_rows, is_root, indexes, extensions
        )

    def to_json(self, default_is_root: bool = False) -> Any:
        """Return the <table-schema>; "isRoot" only if it isn't `default_is_root`."""
        json: dict[str, Any] = {}
        if not self.mutable:
            json["mutable"] = False
        if default_is_root != self.is_root:
            json["isRoot"] = self.is_root
        json["columns"] = {
            name: column.to_json()
            for name, column in self.columns.items()
            if not name.startswith("_")
        }
        if self.max_rows != sys.maxsize:
            json["maxRows"] = self.max_rows
        if self.indexes:
            json["indexes"] = [[column.name for column in i] for i in self.indexes]
        return json


class ColumnSchema:
    """A column; `unique` if an index has it alone."""

    def __init__(
        self,
        name: str,
        mutable: bool,
        persistent: bool,
        type_: types.Type,
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.mutable = mutable
        self.persistent = persistent
        self.type = type_
        self.unique = False
        self.extensions = extensions or {}

    @staticmethod
    def from_json(json: Any, name: str, allow_extensions: bool = False) -> ColumnSchema:
        """Parse a <column-schema>. Raises: error.Error."""
        parser = Parser(json, f"schema for column {name}")
        mutable = parser.get_optional("mutable", [bool], True)
        ephemeral = parser.get_optional("ephemeral", [bool], False)
        type_ = types.Type.from_json(parser.get("type", [str, dict]))
        extensions = (
            parser.get_optional("extensions", [dict], {}) if allow_extensions else {}
        )
        parser.finish()
        bases = (type_.key, type_.value)
        if any(base is not None and base.is_weak_ref() for base in bases):
            mutable = True  # it changes when the row that it refers to goes
        return ColumnSchema(name, mutable, not ephemeral, type_, extensions)

    def to_json(self) -> Any:
        """Return the <column-schema>."""
        json: dict[str, Any] = {"type": self.type.to_json()}
        if not self.mutable:
            json["mutable"] = False
        if not self.persistent:
            json["ephemeral"] = True
        if self.extensions:
            json["extensions"] = dict(self.extensions)
        return json


def column_set_from_json(
    json: Any, columns: dict[str, ColumnSchema]
) -> tuple[ColumnSchema, ...]:
    """Return the columns that a list of names names; all for None.

    Raises: error.Error.
    """
    if json is None:
        return tuple(columns.values())
    if not isinstance(json, list) or not all(isinstance(name, str) for name in json):
        raise error.Error("array of distinct column names expected", json)
    for name in json:
        if name not in columns:
            raise error.Error(f"{name} is not a valid column name", json)
    if len(set(json)) != len(json):
        raise error.Error("array of distinct column names expected", json)
    return tuple(columns[name] for name in json)


def _index(
    json: Any, columns: dict[str, ColumnSchema], context: Any
) -> tuple[ColumnSchema, ...]:
    index = column_set_from_json(json, columns)
    if not index:
        raise error.Error("index must have at least one column", context)
    if len(index) == 1:
        index[0].unique = True
    for column in index:
        if not column.persistent:
            raise error.Error(
                f"ephemeral columns (such as {column.name}) may not be indexed", context
            )
    return index


def _is_version(text: str) -> bool:
    parts = text.split(".")
    return len(parts) == 3 and all(p.isascii() and p.isdigit() for p in parts)
