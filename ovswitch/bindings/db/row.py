# SPDX-License-Identifier: Apache-2.0
"""Rows of the drop-in's `Idl`: the library's rows with the official bindings' values.

A `Row` stands for one row of the replica, which has the values and the changes that the
transaction in progress makes to it. What is read is converted each time, what is
written is checked against the column's type: a value that doesn't fit is logged and
otherwise ignored, as upstream's bindings do.
"""

from __future__ import annotations

import functools
import uuid as _uuid

from ovswitch.bindings.db import error
from ovswitch.bindings.db.data import Atom, Datum
from ovswitch.bindings.db.table import IdlTable
from ovswitch.bindings.vlog import Vlog
from ovswitch.ovsdb.replica_row import Row as CoreRow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ovswitch.bindings.db.idl import Idl
    from ovswitch.bindings.db.table import IdlColumn
    from ovswitch.bindings.db.transaction import Transaction

_vlog = Vlog("idl")


@functools.total_ordering
class Row:
    """One row. Attributes named as columns read and write Python values.

    A column reads as an atom, a list if optional or a set, a dict if a map; a UUID that
    refers to a row as that `Row`, any other as a `uuid.UUID`. What is read is a copy:
    to change a column, assign to it. In a row that the transaction in progress has
    inserted, only columns that it has set can be read.
    """

    __slots__ = ("_core", "_idl", "_is_partial", "_table", "uuid")

    _core: CoreRow
    _idl: Idl
    _is_partial: bool
    _table: IdlTable
    uuid: _uuid.UUID

    def __init__(
        self,
        idl: Idl,
        table: IdlTable | str,
        uuid: _uuid.UUID,
        data: dict[str, Datum] | None,
        persist_uuid: bool = False,
    ) -> None:
        """Make a row with the columns in `data`; None if it is to be inserted."""
        if not isinstance(table, IdlTable):  # in a program's tests: an identity only
            self._set(idl, table, uuid)
            return
        values = None
        if data is not None:
            values = {name: datum.to_core() for name, datum in data.items()}
        core = CoreRow(idl.core.replica.table(table.name), str(uuid), values)
        core._persist_uuid = persist_uuid
        self._set(idl, table, uuid)
        self._set_core(core, is_partial=data is not None)

    @classmethod
    def over(
        cls, idl: Idl, table: IdlTable, core: CoreRow, *, is_partial: bool = False
    ) -> Row:
        """Return the row that stands for one of the replica's.

        A partial one has no other columns than those whose values are there.
        """
        self = cls.__new__(cls)
        self._set(idl, table, _uuid.UUID(core.uuid))
        self._set_core(core, is_partial=is_partial)
        return self

    def _set(self, idl: Idl, table: IdlTable | str, uuid: _uuid.UUID) -> None:
        object.__setattr__(self, "_idl", idl)
        object.__setattr__(self, "_table", table)
        object.__setattr__(self, "uuid", uuid)

    def _set_core(self, core: CoreRow, *, is_partial: bool) -> None:
        object.__setattr__(self, "_core", core)
        object.__setattr__(self, "_is_partial", is_partial)

    @classmethod
    def from_json(
        cls, idl: Idl, table: IdlTable, uuid: _uuid.UUID, row_json: dict[str, Any]
    ) -> Row:
        """Return a row with the columns of a <row>; what is wrong in it is logged."""
        data = {}
        for name, json in row_json.items():
            column = table.columns.get(name)
            if column is None:
                _vlog.warn(f"unknown column {name} in table {table.name}")
                continue
            try:
                data[name] = Datum.from_json(column.type, json)
            except error.Error as e:
                _vlog.warn(f"error parsing column {name} in table {table.name}: {e}")
        return cls(idl, table, uuid, data)

    # Identity: rows are sorted by UUID.

    def __lt__(self, other: object) -> bool:
        return self.uuid < other.uuid if isinstance(other, Row) else NotImplemented

    def __eq__(self, other: object) -> bool:
        return self.uuid == other.uuid if isinstance(other, Row) else NotImplemented

    def __hash__(self) -> int:
        return int(self.uuid)

    def __str__(self) -> str:
        columns = ", ".join(
            f"{name}={getattr(self, name)}"
            for name in sorted(self._table.columns)
            if hasattr(self, name)
        )
        return f"{self._table.name}({columns})"

    # What upstream's rows show of their inside.

    @property
    def _data(self) -> _Data | None:
        return None if self._core._data is None else _Data(self)

    @property
    def _changes(self) -> dict[str, Datum] | None:
        """The columns that the transaction has written; None if it deletes the row."""
        if self._is_deleted():
            return None
        return {
            name: Datum.from_core(self._table.columns[name].type, known)
            for name, known in (self._core._changes or {}).items()
        }

    def _is_deleted(self) -> bool:
        return self._idl.txn is not None and self._idl.txn.deletes(self)

    # Columns.

    def __getattr__(self, column_name: str) -> Any:
        column = self._table.columns.get(column_name)
        if column is None or not self._has(column_name):
            name = type(self).__name__
            raise AttributeError(f"{name} instance has no attribute '{column_name}'")
        assert not self._is_deleted()
        return column.convert(self._core.read(column_name), self._idl)

    def _has(self, column_name: str) -> bool:
        core = self._core
        if core._data is None:
            return any(
                known is not None and column_name in known
                for known in (core._changes, core._mutations)
            )
        return not self._is_partial or column_name in core._data

    def __setattr__(self, column_name: str, value: Any) -> None:
        txn = self._txn()
        column = self._table.columns[column_name]
        if column_name in self._idl.readonly.get(self._table.name, ()):
            _vlog.warn(f"attempting to write to readonly column {column_name}")
            return
        datum = self._datum("write bad value to", column_name, column, value)
        if datum is not None:
            self._core.write(column_name, datum.to_core())
            if self._core._mutations is not None:
                self._core._mutations.pop(column_name, None)
            txn.wrote(self, column_name)

    def addvalue(self, column_name: str, key: Any) -> None:
        """Add a value to a set at commit, whatever others do to the set meanwhile."""
        txn = self._txn()
        column = self._table.columns[column_name]
        if self._datum("write bad value to", column_name, column, key) is not None:
            self._core.add_atom(column_name, self._atom(column, key))
            txn.wrote(self, column_name)

    def delvalue(self, column_name: str, key: Any) -> None:
        """Remove a value from a set at commit."""
        txn = self._txn()
        column = self._table.columns[column_name]
        if self._datum("delete bad value from", column_name, column, key) is not None:
            self._core.remove_atom(column_name, self._atom(column, key))
            txn.wrote(self, column_name)

    def setkey(self, column_name: str, key: Any, value: Any) -> None:
        """Set a key of a map at commit."""
        txn = self._txn()
        column = self._table.columns[column_name]
        pair = self._datum("write bad value to", column_name, column, {key: value})
        if pair is not None:
            for atom, other in pair.to_core():
                self._core.set_pair(column_name, atom, other)
            txn.wrote(self, column_name)

    def delkey(self, column_name: str, key: Any, value: Any = None) -> None:
        """Remove a key of a map at commit; with `value` only if it has that now."""
        txn = self._txn()
        column = self._table.columns[column_name]
        if value:
            known = column.convert(self._core.original(column_name), self._idl)
            if key not in known or known[key] != value:
                return
        self._core.remove_atom(column_name, self._atom(column, key))
        txn.wrote(self, column_name)

    def verify(self, column_name: str) -> None:
        """Commit only if the column still has the value that is known here."""
        self._txn()
        self._core.verify(column_name)

    def delete(self) -> None:
        """Delete the row."""
        txn = self._txn()
        assert not self._is_deleted()
        del self._table.rows[self.uuid]
        self._core.delete()
        txn.deleted(self)

    def fetch(self, column_name: str) -> None:
        """Read a column that isn't followed, at commit."""
        self._txn().core.fetch(self._core, column_name)

    def increment(self, column_name: str) -> None:
        """Add 1 to an integer column, if the transaction changes anything else."""
        self._txn().core.increment(self._core, column_name, force=False)

    # Inside.

    def _txn(self) -> Transaction:
        txn = self._idl.txn
        assert txn is not None
        return txn

    def _datum(
        self, what: str, column_name: str, column: IdlColumn, value: Any
    ) -> Datum | None:
        try:
            return Datum.from_python(column.type, value, _row_to_uuid)
        except error.Error as e:
            _vlog.err(f"attempting to {what} column {column_name} ({e})")
            return None

    @staticmethod
    def _atom(column: IdlColumn, key: Any) -> Any:
        return Atom.from_python(column.type.key, _row_to_uuid(key)).to_core()


class _Data:
    """A row's values in the database as `Datum` objects, by column."""

    def __init__(self, row: Row) -> None:
        self._row = row

    def __getitem__(self, name: str) -> Datum:
        column = self._row._table.columns[name]
        return Datum.from_core(column.type, self._row._core.original(name))

    def get(self, name: str, default: Any = None) -> Any:
        """Return a column's value, `default` without such a column."""
        try:
            return self[name]
        except KeyError:
            return default

    def keys(self) -> list[str]:
        """Return the columns' names."""
        return [name for name in self._row._table.columns if self._row._has(name)]

    def values(self) -> list[Datum]:
        """Return the columns' values."""
        return [self[name] for name in self.keys()]

    def items(self) -> list[tuple[str, Datum]]:
        """Return names and values."""
        return [(name, self[name]) for name in self.keys()]

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())

    def __contains__(self, name: object) -> bool:
        return name in self.keys()


def _row_to_uuid(value: Any) -> Any:
    return value.uuid if isinstance(value, Row) else value
