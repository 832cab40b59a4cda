# SPDX-License-Identifier: Apache-2.0
"""A table's rows and what is derived from them.

`rows` is what a transaction in progress sees: it changes rows in place and puts them
back if it fails. The other members change at commit only:

- `indexes`: for each index of the schema, the row of each combination of values;
- `n_refs`: how many strong references each row has, those from itself left out;
- `weak_refs`: for each row, which rows refer to it weakly, and how often.

What the schema says about references is worked out once, into `strong_columns` and
`weak_columns`. A table `is_plain` if no rule looks beyond a single row of it, as long
as no row is deleted.
"""

from __future__ import annotations

from ovswitch.ovsdb.atom import UINT_MAX
from ovswitch.ovsdb.error import OvsdbError
from ovswitch.ovsdb.schema import UUID_COLUMN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ovswitch.ovsdb.datum import Datum
    from ovswitch.ovsdb.row import Row
    from ovswitch.ovsdb.schema import ColumnSchema, TableSchema

    Source = tuple["Table", str]


class Reference:
    """A column's key or value that refers to rows of `target`.

    `position` tells where an element holds the UUID: None for the element itself, 0
    or 1 within a map's pair.
    """

    __slots__ = ("column", "index", "position", "target")

    def __init__(
        self, column: ColumnSchema, position: int | None, target: Table
    ) -> None:
        self.column = column
        self.index = column.index
        self.position = position
        self.target = target

    def uuids(self, datum: Datum) -> Datum:
        """Return the UUIDs that `datum` refers to, one for each reference."""
        if self.position is None:
            return datum
        return tuple(pair[self.position] for pair in datum)


class Table:
    """Rows by UUID."""

    __slots__ = (
        "all_columns",
        "defaults",
        "indexes",
        "is_plain",
        "log",
        "map_indexes",
        "n_refs",
        "name",
        "persistent_columns",
        "rows",
        "schema",
        "strong_columns",
        "suspect_defaults",
        "weak_columns",
        "weak_refs",
    )

    def __init__(self, schema: TableSchema) -> None:
        self.schema = schema
        self.name = schema.name
        self.log = False
        self.rows: dict[str, Row] = {}
        self.indexes: tuple[dict[tuple[Datum, ...], Row], ...] = tuple(
            {} for _ in schema.indexes
        )
        self.n_refs: dict[str, int] = {}
        self.weak_refs: dict[str, dict[Source, int]] = {}
        self.strong_columns: tuple[Reference, ...] = ()
        self.weak_columns: tuple[Reference, ...] = ()
        self.is_plain = False
        self.defaults = [column.type.default for column in schema.ordered]
        self.all_columns = frozenset(range(len(schema.ordered)))
        self.map_indexes = [c.index for c in schema.ordered if c.type.is_map()]
        self.persistent_columns = [
            column
            for column in schema.ordered
            if column.persistent and column.index != UUID_COLUMN
        ]
        self.suspect_defaults = [
            (column, error)
            for column in schema.ordered
            if (error := _default_error(column)) is not None
        ]

    def resolve(self, tables: dict[str, Table]) -> None:
        """Find the tables that the columns refer to."""
        strong: list[Reference] = []
        weak: list[Reference] = []
        for column in self.schema.ordered:
            is_map = column.type.is_map()
            for position, base in enumerate((column.type.key, column.type.value)):
                if base.ref_table_name is None:
                    continue
                target = tables[base.ref_table_name]
                place = position if is_map else None
                reference = Reference(column, place, target)
                (strong if base.is_strong_ref else weak).append(reference)
        self.strong_columns = tuple(strong)
        self.weak_columns = tuple(weak)
        self.is_plain = (
            self.schema.is_root
            and self.schema.max_rows == UINT_MAX
            and not (strong or weak or self.schema.indexes)
        )

    def count_atoms(self, row: Row) -> int:
        """Return how many atoms a row holds."""
        fields = row.fields
        count = sum(map(len, fields))
        for index in self.map_indexes:
            count += len(fields[index])
        return count

    def index_keys(self, row: Row) -> Iterator[tuple[Datum, ...]]:
        """Yield the row's key in each index."""
        for columns in self.schema.indexes:
            yield row.key(columns)


def _default_error(column: ColumnSchema) -> OvsdbError | None:
    """Return why a new row can't leave that column at its default, if so."""
    from ovswitch.ovsdb.atom import check

    for element in column.type.default:
        atoms = element if column.type.is_map() else (element,)
        try:
            for atom, base in zip(
                atoms, (column.type.key, column.type.value), strict=False
            ):
                check(atom, base)
        except OvsdbError as error:
            return error
    return None
