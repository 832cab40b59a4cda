# SPDX-License-Identifier: Apache-2.0
"""Datums as Python values and back, and partial updates of sets and maps.

A scalar column is an atom, an optional or set column a list, a map a dict. A UUID that
refers to a row is that row; a reference to a row that isn't there is left out, None in
a scalar column. Written values may be lists, tuples, sets, dicts, rows and atoms.
"""

from __future__ import annotations

from ovswitch.ovsdb import datum as data
from ovswitch.ovsdb.atom import to_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeAlias

    from ovswitch.ovsdb.datum import Datum
    from ovswitch.ovsdb.replica import Replica
    from ovswitch.ovsdb.types import BaseType, ColumnType

    Json: TypeAlias = Any
    Converter: TypeAlias = Callable[[Datum, Replica], Any]


def compile_converter(column_type: ColumnType) -> Converter:
    """Return a function (datum, replica) -> Python value for a type."""
    key, value = column_type.key, column_type.value
    if key.ref_table_name is not None or value.ref_table_name is not None:
        return _row_converter(column_type)
    if column_type.is_map():
        return lambda datum, _replica: dict(datum)
    if column_type.is_scalar():
        return lambda datum, _replica: datum[0]
    return lambda datum, _replica: list(datum)


def _row_converter(column_type: ColumnType) -> Converter:
    key, value = column_type.key, column_type.value

    def to_map(datum: Datum, replica: Replica) -> dict[Any, Any]:
        pairs = ((_row(k, key, replica), _row(v, value, replica)) for k, v in datum)
        return {k: v for k, v in pairs if k is not None and v is not None}

    def to_list(datum: Datum, replica: Replica) -> list[Any]:
        rows = [_row(atom, key, replica) for atom in datum]
        return [row for row in rows if row is not None]

    if column_type.is_map():
        return to_map
    if column_type.is_scalar():
        return lambda datum, replica: _row(datum[0], key, replica)
    return to_list


def _row(atom: Any, base: BaseType, replica: Replica) -> Any:
    """The row that an atom refers to, if it is of a referring type."""
    if base.ref_table_name is None:
        return atom
    table = replica.tables.get(base.ref_table_name)
    if table is None:
        raise AttributeError(f"Table {base.ref_table_name} is not registered")
    return table.rows.get(atom)


def from_python(value: Any, column_type: ColumnType) -> Datum:
    """Return a Python value as a datum.

    Whether the column's type allows it is for the server to say.
    """
    key, item = column_type.key, column_type.value
    if column_type.is_map():
        pairs = dict(value).items()
        return tuple(sorted((_atom(k, key), _atom(v, item)) for k, v in pairs))
    if value is None:
        return data.EMPTY
    if not isinstance(value, list | tuple | set | frozenset):
        value = (value,)
    return tuple(sorted({_atom(element, key) for element in value}))


def to_atom(value: Any) -> Any:
    """Return a Python value as an atom: a row stands for its UUID."""
    return value if isinstance(value, str | int | float) else value.uuid


def _atom(value: Any, base: BaseType) -> Any:
    atom = to_atom(value)
    return float(atom) if base.type == "real" else atom


class Mutation:
    """Partial updates of one column: what to insert and what to delete.

    They take effect at commit, whatever others do to the column meanwhile, and never
    make the transaction fail for a concurrent change.
    """

    __slots__ = ("_inserts", "_removes", "_type")

    def __init__(self, column_type: ColumnType) -> None:
        self._type = column_type
        self._inserts: dict[Any, Any] = {}
        self._removes: dict[Any, None] = {}

    def add(self, atom: Any, value: Any) -> None:
        """Insert an atom of a set, or set the key `atom` of a map to `value`."""
        self._removes.pop(atom, None)
        self._inserts[atom] = value

    def remove(self, atom: Any) -> None:
        """Delete an atom of a set or a key of a map."""
        if self._inserts.pop(atom, self) is self or self._type.is_map():
            self._removes[atom] = None

    def applied(self, datum: Datum) -> Datum:
        """What `datum` becomes."""
        if self._type.is_map():
            pairs = dict(datum)
            for key in self._removes:
                pairs.pop(key, None)
            pairs.update(self._inserts)
            return tuple(sorted(pairs.items()))
        return tuple(sorted(set(datum).difference(self._removes) | set(self._inserts)))

    def to_json(self, old: Datum) -> Iterator[tuple[str, Json]]:
        """Yield (mutator, value) for the ``mutate`` operation, given the old value.

        A key whose value changes is deleted and inserted again; deleting what isn't
        there and setting what is there already yield nothing.
        """
        key_type, is_map = self._type.key.type, self._type.is_map()
        known = dict(old) if is_map else dict.fromkeys(old)
        removes = [key for key in self._removes if key in known]
        inserts = dict(self._inserts)
        if is_map:
            inserts = {
                k: v for k, v in inserts.items() if k not in known or known[k] != v
            }
            removes += [key for key in inserts if key in known]
        if removes:
            yield "delete", ["set", [to_json(key_type, key) for key in removes]]
        if not inserts:
            return
        if is_map:
            value_type = self._type.value.type
            yield (
                "insert",
                [
                    "map",
                    [
                        [to_json(key_type, k), to_json(value_type, v)]
                        for k, v in inserts.items()
                    ],
                ],
            )
        else:
            yield "insert", ["set", [to_json(key_type, key) for key in inserts]]
