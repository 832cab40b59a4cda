# SPDX-License-Identifier: Apache-2.0
"""Indexes of a replica's tables, with the names of the official bindings.

`index = idl.index_create("Port", "by_tag")`, `index.add_column("name")`; then
`idl.index_equal("Port", "by_tag", value)` and `idl.index_irange` find rows, where a
value is anything with the columns as attributes: a row, or a `RowLike`.

An index is a sorted list, made anew when it is asked after the contents changed: cheap
for what is asked often between changes, O(n log n) otherwise.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ovswitch.ovsdb.replica import Table
    from ovswitch.ovsdb.replica_row import Row

INDEX_ASC = "ASC"
INDEX_DESC = "DESC"


class RowLike:
    """Values to look for."""

    def __init__(self, **columns: Any) -> None:
        self.__dict__.update(columns)


class _Reversed:
    """A key that sorts the other way round."""

    __slots__ = ("key",)

    def __init__(self, key: Any) -> None:
        self.key = key

    def __lt__(self, other: _Reversed) -> bool:
        return bool(other.key < self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Reversed) and bool(self.key == other.key)

    def __hash__(self) -> int:
        return hash(self.key)


class Index:
    """The rows of a table in the order of some of its columns."""

    def __init__(self, table: Table, name: str) -> None:
        self.table = table
        self.name = name
        self._columns: list[tuple[str, str, Callable[[Any], Any] | None]] = []
        self._seqno = -1
        self._keys: list[tuple[Any, ...]] = []
        self._rows: list[Row] = []

    @classmethod
    def create(cls, table: Table, name: str) -> Index:
        """Make an index. Raises: ValueError: there is one of that name."""
        if name in table.indexes:
            raise ValueError(f"An index named {name} already exists")
        index = table.indexes[name] = cls(table, name)
        return index

    @staticmethod
    def find(table: Table, name: str) -> Index:
        """The index called `name`. Raises: KeyError."""
        return table.indexes[name]

    def add_column(
        self,
        column: str,
        direction: str = INDEX_ASC,
        key: Callable[[Any], Any] | None = None,
    ) -> None:
        """Sort by another column; `key(row)` may give what to sort by."""
        self._columns.append((column, direction, key))
        self._seqno = -1

    def irange(self, start: Any = None, end: Any = None) -> Iterator[Row]:
        """Return the rows from `start` to `end`, both included; None is no bound."""
        self._refresh()
        low = 0 if start is None else bisect_left(self._keys, self._key(start))
        high = len(self._keys)
        if end is not None:
            high = bisect_right(self._keys, self._key(end))
        return iter(self._rows[low:high])

    def _key(self, row: Any) -> tuple[Any, ...]:
        parts = []
        for column, direction, key in self._columns:
            part = key(row) if key is not None else getattr(row, column)
            parts.append(_Reversed(part) if direction == INDEX_DESC else part)
        return tuple(parts)

    def _refresh(self) -> None:
        seqno = self.table.replica.change_seqno
        if self._seqno == seqno and self.table.replica.txn is None:
            return
        pairs = [(self._key(row), row) for row in self.table.rows.values()]
        pairs.sort(key=lambda pair: pair[0])
        self._keys = [key for key, _ in pairs]
        self._rows = [row for _, row in pairs]
        self._seqno = -1 if self.table.replica.txn is not None else seqno
