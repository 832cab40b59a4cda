# SPDX-License-Identifier: Apache-2.0
"""Rows of a table by UUID, and indexes over them, as `ovs.db.custom_index`.

An index is a sorted list of entries, kept up to date with every change of a row: a
search is O(log n), a change moves part of the list, which for a million rows still
takes less than a millisecond. What a row was filed under is remembered, so it is found
again however its columns have changed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import UserDict, namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    import uuid
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from ovswitch.bindings.db.idl import Row

OVSDB_INDEX_ASC = "ASC"
OVSDB_INDEX_DESC = "DESC"
ColumnIndex = namedtuple("ColumnIndex", ["column", "direction", "key"])


class _Descending:
    """A key that sorts the other way round."""

    __slots__ = ("key",)

    def __init__(self, key: Any) -> None:
        self.key = key

    def __lt__(self, other: _Descending) -> bool:
        return bool(other.key < self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Descending) and bool(self.key == other.key)

    def __hash__(self) -> int:
        return hash(self.key)


class Entries:
    """An index's entries in its order; an entry has the indexed columns and `uuid`."""

    def __init__(self, key: Callable[[Any], tuple[Any, ...]]) -> None:
        self._key = key
        self._keys: list[tuple[Any, ...]] = []
        self._entries: list[Any] = []

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entry: Any) -> None:
        """Add an entry behind its equals."""
        key = self._key(entry)
        at = bisect_right(self._keys, key)
        self._keys.insert(at, key)
        self._entries.insert(at, entry)

    def remove(self, entry: Any) -> None:
        """Remove the entry of the same row. Raises: ValueError."""
        at = bisect_left(self._keys, self._key(entry))
        while self._entries[at : at + 1] and self._entries[at].uuid != entry.uuid:
            at += 1
        if at == len(self._entries):
            raise ValueError(f"{entry} is not in the index")
        del self._keys[at], self._entries[at]

    def irange(self, start: Any = None, end: Any = None) -> Iterator[Any]:
        """Return the entries from `start` to `end`, both included; None is no bound."""
        low = 0 if start is None else bisect_left(self._keys, self._key(start))
        high = len(self._keys)
        if end is not None:
            high = bisect_right(self._keys, self._key(end))
        return iter(self._entries[low:high])


class MultiColumnIndex:
    """The rows of a table in the order of some of its columns.

    A row is in it once it has values in all of them. `rows` are filed again whenever a
    column is added.
    """

    def __init__(self, name: str, rows: Mapping[uuid.UUID, Row] | None = None) -> None:
        self.name = name
        self.columns: list[ColumnIndex] = []
        self._rows = {} if rows is None else rows
        self.clear()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name})"

    def __str__(self) -> str:
        values = [str(entry) for entry in self.values]
        return f"{self!r} columns={self.columns} values={values}"

    def add_column(
        self,
        column: str,
        direction: str = OVSDB_INDEX_ASC,
        key: Callable[[Any], Any] | None = None,
    ) -> None:
        """Sort by another column, or by what `key(row)` makes of it."""
        self.columns.append(ColumnIndex(column, direction, key or _getter(column)))
        self.clear()
        for row in self._rows.values():
            self.add(row)

    def add_columns(self, *columns: str) -> None:
        """Sort by more columns, ascending."""
        for column in columns:
            self.add_column(column)

    def index_entry_from_row(self, row: Row) -> Any:
        """Return what stands for a row in the index."""
        values = {each.column: getattr(row, each.column) for each in self.columns}
        return row._table.rows.IndexEntry(uuid=row.uuid, **values)

    def add(self, row: Row) -> None:
        """File a row, anew if it is in the index."""
        self.remove(row)
        if all(hasattr(row, each.column) for each in self.columns):
            entry = self._filed[row.uuid] = self.index_entry_from_row(row)
            self.values.add(entry)

    def remove(self, row: Row) -> None:
        """Take a row out, if it is in."""
        entry = self._filed.pop(row.uuid, None)
        if entry is not None:
            self.values.remove(entry)

    def clear(self) -> None:
        """Take all rows out."""
        self.values = Entries(self._key)
        self._filed: dict[uuid.UUID, Any] = {}

    def irange(self, start: Any, end: Any) -> Iterator[Row]:
        """Return the rows from `start` to `end`, both included; None is no bound."""
        return (e._table.rows[e.uuid] for e in self.values.irange(start, end))

    def __iter__(self) -> Iterator[Row]:
        return (e._table.rows[e.uuid] for e in self.values)

    def _key(self, entry: Any) -> tuple[Any, ...]:
        return tuple(
            key(entry) if direction == OVSDB_INDEX_ASC else _Descending(key(entry))
            for _, direction, key in self.columns
        )


class IndexedRows(UserDict["uuid.UUID", "Row"]):
    """A table's rows by `uuid.UUID`, and its indexes by name."""

    def __init__(self, table: Any) -> None:
        self.indexes: dict[str, MultiColumnIndex] = {}
        super().__init__()
        self.table = table
        self.IndexEntry = IndexEntryClass(table)

    def index_create(self, name: str) -> MultiColumnIndex:
        """Make an index. Raises: ValueError: there is one of that name."""
        if name in self.indexes:
            raise ValueError(f"An index named {name} already exists")
        index = self.indexes[name] = MultiColumnIndex(name, self)
        return index

    def __setitem__(self, key: uuid.UUID, item: Row) -> None:
        self.data[key] = item
        for index in self.indexes.values():
            index.add(item)

    def __delitem__(self, key: uuid.UUID) -> None:
        row = self.data.pop(key)
        for index in self.indexes.values():
            index.remove(row)

    def clear(self) -> None:
        """Forget all rows."""
        self.data.clear()
        for index in self.indexes.values():
            index.clear()


def _getter(column: str) -> Callable[[Any], Any]:
    return lambda row: getattr(row, column)


def IndexEntryClass(table: Any) -> Any:  # noqa: N802  the official name
    """Make the class of a table's index entries: what to search for.

    Its members are the table's columns, by default as in a new row, and `uuid`.
    """
    from ovswitch.bindings.db.data import Datum

    columns = table.columns
    defaults = [
        Datum.default(column.type).to_python(lambda value, _base: value)
        for column in columns.values()
    ]
    make: Any = namedtuple  # its name and fields are known only here
    made = make(table.name, ["uuid", *columns], defaults=[None, *defaults])
    made._table = table
    return made
