# SPDX-License-Identifier: Apache-2.0
"""What `ovsdb-tool show-log` prints of a standalone database's records.

Rows are called by the `name` that they were given last, if they have that column.
Source: ovsdb/ovsdb-tool.c.
"""

from __future__ import annotations

from ovswitch.ovsdb import timestamp
from ovswitch.ovsdb.ctl.order import hash_order, string_hash
from ovswitch.ovsdb.error import OvsdbError
from ovswitch.ovsdb.schema import Schema
from ovswitch.runtime import json as _json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ovswitch.ovsdb.schema import TableSchema

_INT32_MAX = 0x7FFFFFFF


class ShowLog:
    """Turns records into text, at one of three levels of detail."""

    __slots__ = ("_changes", "_number")

    def __init__(self, verbosity: int) -> None:
        self._number = 0
        self._changes = Changes(verbosity)

    def record(self, record: dict[str, Any]) -> Iterator[str]:
        """Yield the text of the next record. Raises: OvsdbError."""
        yield f"record {self._number}:"
        self._number += 1
        if self._changes.schema is None:
            schema = self._changes.schema = Schema.from_json(record)
            yield (
                f' "{schema.name}" schema, version="{schema.version}", '
                f'cksum="{schema.cksum}"\n'
            )
        else:
            yield self._changes.text(record)
        yield "\n"


class Changes:
    """Turns transactions into text; `schema` says what they are about."""

    __slots__ = ("_names", "_verbosity", "schema")

    def __init__(self, verbosity: int) -> None:
        self._verbosity = verbosity
        self.schema: Schema | None = None
        self._names: dict[str, str] = {}

    def text(self, record: object) -> str:
        """Return the text of a transaction."""
        if not isinstance(record, dict):
            return ""
        return self._annotations(record) + self._tables(record)

    def _annotations(self, record: dict[str, Any]) -> str:
        text = ""
        date = record.get("_date")
        if isinstance(date, int) and not isinstance(date, bool):
            # Old versions wrote seconds.
            ms = date * 1000 if date < _INT32_MAX else date
            text += f" {timestamp.format_ms(ms)}"
        comment = record.get("_comment")
        if isinstance(comment, str):
            text += f' "{comment}"'
        return text

    def _tables(self, record: dict[str, Any]) -> str:
        if not self._verbosity:
            return ""
        is_diff = record.get("_is_diff") is True
        tables = [
            "".join(
                self._row(table, uuid, columns, is_diff)
                for uuid, columns in _in_hash_order(rows)
            )
            for table, rows in _in_hash_order(record)
            if not table.startswith("_") and isinstance(rows, dict)
        ]
        return "\n" + "".join(tables) if tables else ""

    def _row(self, table: str, uuid: str, columns: Any, is_diff: bool) -> str:
        old_name = self._names.get(uuid)
        new_name = None
        if isinstance(columns, dict) and "name" in columns:
            new_name = _json.to_string(columns["name"], sort=True)
        text = f"  table {table}"
        if old_name is not None:
            text += f" row {old_name} ({uuid[:8]}){' diff' if is_diff else ''}:\n"
        elif new_name is not None:
            text += f" insert row {new_name} ({uuid[:8]}):\n"
        else:
            text += f" insert row {uuid[:8]}:\n"
        if columns is None:
            self._names.pop(uuid, None)
            return text + "    delete row\n"
        if isinstance(columns, dict):
            if self._verbosity > 1:
                text += self._columns(table, columns)
            if new_name is not None:
                self._names[uuid] = new_name
            elif old_name is None:
                self._names[uuid] = uuid[:8]
        return text

    def _columns(self, table: str, columns: dict[str, Any]) -> str:
        schema = self.schema.tables.get(table) if self.schema is not None else None
        return "".join(
            f"    {name}={_value(schema, name, value)}\n"
            for name, value in _in_hash_order(columns)
        )


def _value(schema: TableSchema | None, name: str, value: Any) -> str:
    column = schema.columns.get(name) if schema is not None else None
    if column is not None:
        try:
            return column.type.to_string(column.type.from_json_value(value, None))
        except OvsdbError:
            pass  # a difference may hold more or less than the type allows
    return _json.to_string(value, sort=True)


def _in_hash_order(json: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in hash_order(json, string_hash):
        yield name, json[name]
