# SPDX-License-Identifier: Apache-2.0
"""Tables and columns of the drop-in's `Idl`: the schema's, with rows and settings."""

from __future__ import annotations

import uuid

from ovswitch.bindings.db import parser, types
from ovswitch.bindings.db.custom_index import IndexedRows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ovswitch.bindings.db.idl import Idl
    from ovswitch.bindings.db.schema import ColumnSchema, DbSchema, TableSchema
    from ovswitch.ovsdb import replica
    from ovswitch.ovsdb.cs import Condition
    from ovswitch.ovsdb.datum import Datum

    Converter = Callable[[Any, Idl], Any]


class ConditionState:
    """Which rows of a table are wanted: what was asked for, and how far it got."""

    def __init__(self, idl: Idl | None = None, table: str = "") -> None:
        self._idl = idl
        self._table = table

    @property
    def _known(self) -> Condition | None:
        if self._idl is None:
            return None
        return self._idl.core.cs.conditions.get(self._table)

    @property
    def new(self) -> Any:
        """What has not been sent yet, or None."""
        return None if self._known is None else self._known.new

    @property
    def requested(self) -> Any:
        """What the server hasn't acknowledged yet, or None."""
        return None if self._known is None else self._known.requested

    @property
    def acked(self) -> Any:
        """What the server has acknowledged."""
        return [True] if self._known is None else self._known.acknowledged

    @property
    def latest(self) -> Any:
        """What the program asked for last."""
        return [True] if self._known is None else self._known.latest

    @staticmethod
    def is_true(condition: Any) -> bool:
        """Whether a condition lets all rows through."""
        return bool(condition == [True])


class IdlColumn:
    """A column as the program follows it; the rest is its schema's.

    Changes of a column whose `alert` is False don't count as changes.
    """

    def __init__(self, column: ColumnSchema) -> None:
        self._column = column
        self._alert: bool = getattr(column, "alert", True)
        self._core: replica.Column | None = None
        self.convert = _converter(column.type)

    def __getattr__(self, attr: str) -> Any:
        return getattr(self._column, attr)

    @property
    def alert(self) -> bool:
        """Whether its changes count as changes."""
        return self._alert

    @alert.setter
    def alert(self, alert: bool) -> None:
        self._alert = alert
        if self._core is not None:
            self._core.alert = alert

    def follow(self, core: replica.Column, *, monitored: bool) -> None:
        """Follow the replica's column, or only be able to write and fetch it."""
        self._core = core
        core.monitored = monitored
        core.alert = self._alert


class IdlTable:
    """A table as the program follows it; the rest is its schema's.

    `rows` has the rows by `uuid.UUID`, the one that changed last at the end.
    """

    def __init__(self, idl: Idl, table: TableSchema) -> None:
        self._table = table
        self.idl = idl
        self.need_table = False
        self.columns = {name: IdlColumn(c) for name, c in table.columns.items()}
        self.rows = IndexedRows(self)
        self.condition_state = ConditionState(idl, table.name)

    def __getattr__(self, attr: str) -> Any:
        return getattr(self._table, attr)

    @property
    def condition(self) -> Any:
        """Which rows are wanted: clauses, of which a row must satisfy one."""
        return self.condition_state.latest

    @condition.setter
    def condition(self, condition: list[Any]) -> None:
        assert isinstance(condition, list)
        self.idl.cond_change(self.name, condition)

    @classmethod
    def schema_tables(cls, idl: Idl, schema: DbSchema) -> dict[str, IdlTable]:
        """Return a schema's tables by name."""
        return {name: cls(idl, table) for name, table in schema.tables.items()}

    def follow(self, core: replica.Table, readonly: list[str]) -> None:
        """Follow the replica's table, but `readonly` columns only when fetched."""
        core.add()
        for name, column in self.columns.items():
            column.follow(core.column(name), monitored=name not in readonly)


# From the library's data, tuples with UUIDs as text, to Python values.


def _converter(type_: types.Type) -> Callable[[Datum, Idl], Any]:
    """Return a function (datum, idl) -> Python value for a type."""
    key = _atom_converter(type_.key)
    if type_.value is not None:
        return _map_converter(key, _atom_converter(type_.value))
    if type_.is_scalar():
        return _scalar_converter(key, type_.key)
    if key is None:
        return lambda datum, _idl: list(datum)

    def to_list(datum: Datum, idl: Idl) -> list[Any]:
        values = [key(atom, idl) for atom in datum]
        return [value for value in values if value is not None]

    return to_list


def _scalar_converter(
    key: Converter | None, base: types.BaseType
) -> Callable[[Datum, Idl], Any]:
    if key is None:
        return lambda datum, _idl: datum[0]

    def to_scalar(datum: Datum, idl: Idl) -> Any:
        value = key(datum[0], idl)
        return base.default() if value is None else value

    return to_scalar


def _map_converter(
    key: Converter | None, value: Converter | None
) -> Callable[[Datum, Idl], Any]:
    if key is None and value is None:
        return lambda datum, _idl: dict(datum)

    def to_dict(datum: Datum, idl: Idl) -> dict[Any, Any]:
        pairs = (
            (k if key is None else key(k, idl), v if value is None else value(v, idl))
            for k, v in datum
        )
        return {k: v for k, v in pairs if k is not None and v is not None}

    return to_dict


def _atom_converter(base: types.BaseType) -> Converter | None:
    """Return a function (atom, idl) -> value, None if atoms are values already."""
    if base.type is types.RealType:
        return lambda atom, _idl: parser.float_to_int(atom)
    if base.type is not types.UuidType:
        return None
    name = base.ref_table_name
    if name is None:
        return lambda atom, _idl: uuid.UUID(atom)

    def to_row(atom: Any, idl: Idl) -> Any:
        table = idl.tables.get(name)
        if table is None:
            raise AttributeError(f"Table {name} is not registered")
        return table.rows.data.get(uuid.UUID(atom))

    return to_row
