# SPDX-License-Identifier: Apache-2.0
"""Database schemas: tables, columns, and the rules that no single cell can break.

`Schema.from_json()` reads and validates a <database-schema>; `TableSchema.from_json()`
reads one table of it, for clients that need few. Every table has the columns `_uuid`
and `_version` at indexes 0 and 1. A schema doesn't change once it's made.

Sources: RFC 7047 section 3.2, ovsdb/{ovsdb,table,column}.c.
"""

from __future__ import annotations

from ovswitch.ovsdb.atom import UINT_MAX
from ovswitch.ovsdb.error import OvsdbError, syntax_error
from ovswitch.ovsdb.parser import (
    ARRAY,
    BOOLEAN,
    ID,
    INTEGER,
    OBJECT,
    STRING,
    Parser,
    is_id,
)
from ovswitch.ovsdb.types import UUID_TYPE, ColumnType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ovswitch.ovsdb.types import BaseType
    from ovswitch.runtime.json import Value as Json

UUID_COLUMN = 0
VERSION_COLUMN = 1


class ColumnSchema:
    """A column: its place in the row, its type, and whether it can change."""

    __slots__ = ("index", "mutable", "name", "persistent", "type")

    def __init__(
        self,
        name: str,
        type_: ColumnType,
        mutable: bool = True,
        persistent: bool = True,
        index: int = -1,
    ) -> None:
        self.name = name
        self.type = type_
        self.mutable = mutable
        self.persistent = persistent
        self.index = index

    @classmethod
    def from_json(cls, json: object, name: str) -> ColumnSchema:
        """Parse a <column-schema>. Raises: OvsdbError."""
        parser = Parser(json, f"schema for column {name}")
        mutable = parser.member("mutable", BOOLEAN, True, optional=True)
        ephemeral = parser.member("ephemeral", BOOLEAN, False, optional=True)
        type_json = parser.member("type", STRING | OBJECT)
        parser.finish()
        type_ = ColumnType.from_json(type_json)
        # A weak reference changes when its row goes, so it can't be immutable.
        if type_.key.is_weak_ref or type_.value.is_weak_ref:
            mutable = True
        return cls(name, type_, mutable, not ephemeral)

    def to_json(self) -> Json:
        """Return the <column-schema>."""
        json: dict[str, Json] = {}
        if not self.mutable:
            json["mutable"] = False
        if not self.persistent:
            json["ephemeral"] = True
        json["type"] = self.type.to_json()
        return json


class TableSchema:
    """A table: its columns by name, and `indexes`, tuples of columns that are unique.

    `ordered` has the columns by index.
    """

    __slots__ = (
        "columns",
        "indexes",
        "is_root",
        "max_rows",
        "mutable",
        "name",
        "ordered",
    )

    def __init__(
        self,
        name: str,
        columns: Iterable[ColumnSchema],
        mutable: bool = True,
        max_rows: int = UINT_MAX,
        is_root: bool = False,
    ) -> None:
        self.name = name
        self.mutable = mutable
        self.max_rows = max_rows
        self.is_root = is_root
        self.ordered = [
            ColumnSchema("_uuid", UUID_TYPE, mutable=False),
            ColumnSchema("_version", UUID_TYPE, mutable=False, persistent=False),
            *columns,
        ]
        for index, column in enumerate(self.ordered):
            column.index = index
        self.columns = {column.name: column for column in self.ordered}
        self.indexes: tuple[tuple[ColumnSchema, ...], ...] = ()

    @classmethod
    def from_json(cls, json: object, name: str) -> TableSchema:
        """Parse a <table-schema>. Raises: OvsdbError."""
        parser = Parser(json, f"table schema for table {name}")
        columns = parser.member("columns", OBJECT)
        mutable = parser.member("mutable", BOOLEAN, True, optional=True)
        max_rows = parser.member("maxRows", INTEGER, UINT_MAX, optional=True)
        is_root = parser.member("isRoot", BOOLEAN, False, optional=True)
        indexes = parser.member("indexes", ARRAY, [], optional=True)
        parser.finish()
        if max_rows <= 0:
            raise syntax_error(json, "maxRows must be at least 1")
        if not columns:
            raise syntax_error(json, "table must have at least one column")
        parsed = []
        for column_name, column in columns.items():
            _check_name(column_name, json)
            parsed.append(ColumnSchema.from_json(column, column_name))
        table = cls(name, parsed, mutable, min(max_rows, UINT_MAX), is_root)
        table.indexes = tuple(table._index_from_json(index, json) for index in indexes)
        return table

    def _index_from_json(self, index: Any, json: object) -> tuple[ColumnSchema, ...]:
        columns = self.column_set(index)
        if not columns:
            raise syntax_error(json, "index must have at least one column")
        for column in columns:
            if not column.persistent:
                raise syntax_error(
                    json,
                    f"ephemeral columns (such as {column.name}) may not be indexed",
                )
        return columns

    def column_set(self, json: Any) -> tuple[ColumnSchema, ...]:
        """Parse an array of distinct column names; None means all columns.

        Raises: OvsdbError.
        """
        if json is None:
            return tuple(self.ordered)
        columns: list[ColumnSchema] = []
        for name in json if isinstance(json, list) else [None]:
            column = self.columns.get(name) if isinstance(name, str) else None
            if column is None and isinstance(name, str):
                raise syntax_error(json, f"{name} is not a valid column name")
            if column is None or column in columns:
                raise syntax_error(json, "array of distinct column names expected")
            columns.append(column)
        return tuple(columns)

    def to_json(self, default_is_root: bool = False) -> Json:
        """Return the <table-schema>.

        "isRoot" is in it where it differs from `default_is_root`.
        """
        json: dict[str, Json] = {}
        if not self.mutable:
            json["mutable"] = False
        if self.is_root != default_is_root:
            json["isRoot"] = self.is_root
        json["columns"] = {c.name: c.to_json() for c in self.ordered[2:]}
        if self.max_rows != UINT_MAX:
            json["maxRows"] = self.max_rows
        if self.indexes:
            json["indexes"] = [[c.name for c in index] for index in self.indexes]
        return json


class Schema:
    """A database schema. `version` and `cksum` are "" where they aren't given."""

    __slots__ = ("cksum", "name", "tables", "version")

    def __init__(
        self,
        name: str,
        tables: dict[str, TableSchema],
        version: str = "",
        cksum: str = "",
    ) -> None:
        self.name = name
        self.tables = tables
        self.version = version
        self.cksum = cksum

    @classmethod
    def from_json(cls, json: object) -> Schema:
        """Parse and validate a <database-schema>. Raises: OvsdbError."""
        parser = Parser(json, "database schema")
        name = parser.member("name", ID)
        version = parser.member("version", STRING, "", optional=True)
        cksum = parser.member("cksum", STRING, "", optional=True)
        tables_json = parser.member("tables", OBJECT)
        has_version = isinstance(json, dict) and "version" in json
        parser.finish()
        if has_version and parse_version(version) is None:
            raise syntax_error(json, f'schema version "{version}" not in format x.y.z')
        tables = {}
        for table_name, table in tables_json.items():
            _check_name(table_name, json)
            tables[table_name] = TableSchema.from_json(table, table_name)
        schema = cls(name, tables, version, cksum)
        schema._settle()
        return schema

    def _settle(self) -> None:
        """Apply the rules that span tables.

        A schema without any root table is from before garbage collection: all its
        tables are roots. A strong reference to a table that isn't one must survive a
        restart, or the row would be collected when the log is read again.
        """
        if not any(table.is_root for table in self.tables.values()):
            for table in self.tables.values():
                table.is_root = True
        for table in self.tables.values():
            for column in table.ordered:
                self._settle_reference(column, column.type.key, "key")
                self._settle_reference(column, column.type.value, "value")

    def _settle_reference(
        self, column: ColumnSchema, base: BaseType, base_name: str
    ) -> None:
        if base.ref_table_name is None:
            return
        table = self.tables.get(base.ref_table_name)
        if table is None:
            raise syntax_error(
                None,
                f"column {column.name} {base_name} refers to undefined table "
                f"{base.ref_table_name}",
            )
        if base.is_strong_ref and not table.is_root:
            column.persistent = True

    def to_json(self) -> dict[str, Json]:
        """Return the <database-schema>."""
        json: dict[str, Json] = {"name": self.name}
        if self.version:
            json["version"] = self.version
        if self.cksum:
            json["cksum"] = self.cksum
        default_is_root = all(table.is_root for table in self.tables.values())
        json["tables"] = {
            name: table.to_json(default_is_root) for name, table in self.tables.items()
        }
        return json

    @classmethod
    def from_file(cls, path: str) -> Schema:
        """Read a schema file. Raises: OvsdbError."""
        from ovswitch.runtime import json as _json

        try:
            with open(path, "rb") as file:
                json = _json.from_string(file.read())
        except OSError as error:
            reason = f'error opening "{path}": {error.strerror}'
            raise _unreadable(path, reason) from error
        except _json.JsonError as error:
            raise _unreadable(path, str(error)) from error
        try:
            return cls.from_json(json)
        except OvsdbError as error:
            raise error.wrap(f'failed to parse "{path}" as ovsdb schema') from error


def _unreadable(path: str, reason: str) -> OvsdbError:
    return OvsdbError(
        "failed to read schema", f'"{path}" could not be read as JSON ({reason})'
    )


def _check_name(name: str, json: object) -> None:
    if name.startswith("_"):
        raise syntax_error(json, 'names beginning with "_" are reserved')
    if not is_id(name):
        raise syntax_error(json, "name must be a valid id")


def parse_version(text: str) -> tuple[int, int, int] | None:
    """Return the numbers of "x.y.z", or None."""
    parts = text.split(".")
    if len(parts) != 3 or not all(p.isascii() and p.isdigit() for p in parts):
        return None
    x, y, z = (int(part) for part in parts)
    return x, y, z
