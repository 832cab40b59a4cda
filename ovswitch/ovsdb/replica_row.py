# SPDX-License-Identifier: Apache-2.0
"""A row of a replica, with the changes that a transaction in progress lays over it.

Values stay the JSON that arrived until somebody reads them, and then are datums: in
`Row._data` a tuple is a datum and anything else is JSON. `_data` is None in a row that
the transaction inserts. Creating a row costs a microsecond, whatever its columns.

A row's changes are `_changes` (whole columns written), `_mutations` (partial updates)
and `_prereqs` (columns that must not have changed meanwhile); each None if empty.
"""

from __future__ import annotations

from ovswitch.ovsdb import datum as data
from ovswitch.ovsdb.error import OvsdbError
from ovswitch.ovsdb.replica_values import Mutation, from_python, to_atom
from ovswitch.runtime import vlog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from ovswitch.ovsdb.datum import Datum
    from ovswitch.ovsdb.idl_transaction import TransactionCore
    from ovswitch.ovsdb.replica import Column, Table

    Json: TypeAlias = Any

_log = vlog.Module("ovsdb_idl")
_syntax_rl = vlog.RateLimit(1, 5)


class Row:
    """One row. Attributes named as columns read and write Python values.

    A column's Python value is an atom, a list if optional or a set, a dict if a map; a
    UUID that refers to a row is that `Row`.
    `read` and `write` work on datums.
    """

    __slots__ = (
        "__weakref__",
        "_changes",
        "_data",
        "_deleted",
        "_mutations",
        "_persist_uuid",
        "_prereqs",
        "_table",
        "uuid",
    )

    _table: Table
    uuid: str
    _data: dict[str, Any] | None
    _changes: dict[str, Datum] | None
    _mutations: dict[str, Mutation] | None
    _prereqs: dict[str, None] | None
    _persist_uuid: bool
    _deleted: bool

    def __init__(self, table: Table, uuid: str, data: dict[str, Any] | None) -> None:
        _set_table(self, table)
        _set_uuid(self, uuid)
        _set_data(self, data)
        _set_changes(self, None)
        _set_mutations(self, None)
        _set_prereqs(self, None)
        _set_persist_uuid(self, False)
        _set_deleted(self, False)

    def __getattr__(self, name: str) -> Any:
        table = self._table
        column = table.find_column(name)
        if column is None:
            raise AttributeError(f"table {table.name} has no column '{name}'")
        return column.to_python(self.read(name), table.replica)

    def __setattr__(self, name: str, value: Any) -> None:
        if name[0] == "_":
            object.__setattr__(self, name, value)
            return
        column = self._table.find_column(name)
        if column is None:
            raise AttributeError(f"table {self._table.name} has no column '{name}'")
        self.write(name, from_python(value, column.type))

    def __repr__(self) -> str:
        return f"<{self._table.name} row {self.uuid}>"

    # Datums.

    def read(self, name: str) -> Datum:
        """The value of a column, with the changes of the transaction in progress."""
        if self._changes is None and self._mutations is None:
            return self.original(name)
        datum = self.base(name)
        if self._mutations is not None and name in self._mutations:
            return self._mutations[name].applied(datum)
        return datum

    def base(self, name: str) -> Datum:
        """The value of a column as written or received, without partial updates."""
        if self._changes is not None and name in self._changes:
            return self._changes[name]
        return self.original(name)

    def original(self, name: str) -> Datum:
        """The value of a column in the database; its default in a new row."""
        values = self._data
        if values is None:
            return self._table.column(name).type.default
        value = values.get(name)
        if type(value) is tuple:
            return value
        datum = self._parse(name, value) if name in values else None
        if datum is None:
            datum = self._table.column(name).type.default
        values[name] = datum
        return datum

    def write(self, name: str, datum: Datum) -> None:
        """Set a column's value. A transaction must be in progress."""
        column = self._table.column(name)
        if not column.alert and self._data is not None and datum == self.base(name):
            return  # written over and over, rarely changed: the switch's status columns
        self._txn().note(self)
        if self._changes is None:
            self._changes = {}
        assert self._changes is not None
        self._changes[name] = datum

    def verify(self, name: str) -> None:
        """Commit only if the column still has the value that is known here.

        To be called before the first write of a read-modify-write. Without effect for a
        new row or a column that was written already.
        """
        if self._data is None or (self._changes is not None and name in self._changes):
            return
        self._txn().note(self)
        if self._prereqs is None:
            self._prereqs = {}
        assert self._prereqs is not None
        self._prereqs[name] = None

    def delete(self) -> None:
        """Delete the row in the transaction in progress."""
        txn = self._txn()
        self._table.rows.pop(self.uuid, None)
        if self._data is None:
            txn.forget(self)
        else:
            txn.note(self)
            self._deleted = True

    def is_new(self) -> bool:
        """Whether the transaction in progress inserts the row."""
        return self._data is None

    def is_mutable(self, name: str) -> bool:
        """Whether a column may be written: always in a new row."""
        return self._data is None or self._table.column(name).mutable

    def add_atom(self, name: str, atom: Any) -> None:
        """Add one atom to a set at commit, whatever others do to the set meanwhile."""
        self._mutation(name).add(atom, None)

    def remove_atom(self, name: str, atom: Any) -> None:
        """Remove one atom of a set, or a key of a map, at commit."""
        self._mutation(name).remove(atom)

    def set_pair(self, name: str, key: Any, value: Any) -> None:
        """Set one key of a map at commit."""
        self._mutation(name).add(key, value)

    # Python values, with the names of the official bindings.

    def addvalue(self, column_name: str, key: Any) -> None:
        """Add a value to a set column, as a partial update."""
        for atom in self._convert(column_name, [key]):
            self.add_atom(column_name, atom)

    def delvalue(self, column_name: str, key: Any) -> None:
        """Remove a value from a set column, as a partial update."""
        for atom in self._convert(column_name, [key]):
            self.remove_atom(column_name, atom)

    def setkey(self, column_name: str, key: Any, value: Any) -> None:
        """Set a key of a map column, as a partial update."""
        for atom, other in self._convert(column_name, {key: value}):
            self.set_pair(column_name, atom, other)

    def delkey(self, column_name: str, key: Any, value: Any = None) -> None:
        """Remove a key of a map column, if it has that value, as a partial update."""
        if value is not None and getattr(self, column_name).get(key) != value:
            return
        self.remove_atom(column_name, to_atom(key))

    def fetch(self, column_name: str) -> None:
        """Read a column that isn't followed at commit; then the attribute has it."""
        self._txn().fetch(self, column_name)

    def increment(self, column_name: str) -> None:
        """Add 1 to an integer column at commit; never fails for a concurrent change."""
        self._txn().increment(self, column_name)

    # Inside.

    def _txn(self) -> TransactionCore:
        txn = self._table.replica.txn
        if txn is None:
            raise RuntimeError("no transaction is in progress")
        return txn

    def _convert(self, name: str, value: Any) -> Datum:
        return from_python(value, self._table.column(name).type)

    def _mutation(self, name: str) -> Mutation:
        self._txn().note(self)
        if self._mutations is None:
            self._mutations = {}
        assert self._mutations is not None
        mutation = self._mutations.get(name)
        if mutation is None:
            mutation = Mutation(self._table.column(name).type)
            self._mutations[name] = mutation
        return mutation

    def _parse(self, name: str, value: Json, *, is_diff: bool = False) -> Datum | None:
        column = self._table.column(name)
        column_type = column.diff_type if is_diff else column.type
        try:
            return column_type.from_json_value(value, None)
        except OvsdbError as error:
            _log.warn_rl(
                _syntax_rl,
                "error parsing column %s in row %s in table %s: %s",
                name,
                self.uuid,
                self._table.name,
                error,
            )
            return None

    def _drop_changes(self) -> None:
        """Take the transaction's changes off."""
        self._changes = None
        self._mutations = None
        self._prereqs = None

    def _apply(self, values: dict[str, Json], *, diff: bool) -> dict[str, Json]:
        """Change columns as the server says; return the former values of those."""
        changed: dict[str, Json] = {}
        assert self._data is not None
        for name, value in values.items():
            column = self._table.find_column(name)
            if column is None:
                _log.warn_rl(
                    _syntax_rl, "unknown column %s updating row %s", name, self.uuid
                )
                continue
            old = self._data.get(name, column.type.default)
            if diff and column.type.is_composite():
                if not self._apply_diff(name, column, value):
                    continue
            elif not diff and self._is_same(name, column, value):
                continue
            else:
                self._data[name] = value
            changed[name] = old
        return changed

    def _apply_diff(self, name: str, column: Column, value: Json) -> bool:
        difference = self._parse(name, value, is_diff=True)
        if difference is None:
            return False
        assert self._data is not None
        try:
            self._data[name] = data.apply_diff(
                self.original(name), difference, column.type
            )
        except OvsdbError as error:
            _log.warn_rl(_syntax_rl, "%s", error)
            return False
        return True

    def _is_same(self, name: str, column: Column, value: Json) -> bool:
        assert self._data is not None
        known = self._data.get(name)
        if type(known) is not tuple:
            if known == value and name in self._data:
                return True
            known = self.original(name)
        return known == (value if type(value) is tuple else self._parse(name, value))


_set_table = Row.__dict__["_table"].__set__
_set_uuid = Row.__dict__["uuid"].__set__
_set_data = Row.__dict__["_data"].__set__
_set_changes = Row.__dict__["_changes"].__set__
_set_mutations = Row.__dict__["_mutations"].__set__
_set_prereqs = Row.__dict__["_prereqs"].__set__
_set_persist_uuid = Row.__dict__["_persist_uuid"].__set__
_set_deleted = Row.__dict__["_deleted"].__set__
