# SPDX-License-Identifier: Apache-2.0
"""Conditions: which rows a `where` clause selects, and which a monitor's.

A condition is compiled into predicates over a row's fields when it is parsed. In a
transaction a row must satisfy every clause; in a monitor any clause does, and no
clause at all selects everything.

Sources: RFC 7047 section 5.1, ovsdb-server(7), ovsdb/condition.c.
"""

from __future__ import annotations

from ovswitch.ovsdb.atom import INTEGER, REAL, UINT_MAX
from ovswitch.ovsdb.error import syntax_error
from ovswitch.ovsdb.schema import UUID_COLUMN
from ovswitch.ovsdb.types import ColumnType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from ovswitch.ovsdb.datum import Datum
    from ovswitch.ovsdb.row import Row
    from ovswitch.ovsdb.schema import ColumnSchema, TableSchema
    from ovswitch.ovsdb.symbols import SymbolTable
    from ovswitch.ovsdb.table import Table

    Predicate = Callable[[Datum, Datum], bool]

_PREDICATES: dict[str, Predicate] = {
    "==": lambda field, argument: field == argument,
    "!=": lambda field, argument: field != argument,
    "includes": lambda field, argument: set(argument).issubset(field),
    "excludes": lambda field, argument: set(argument).isdisjoint(field),
    # An optional column that is empty compares false.
    "<": lambda field, argument: bool(field) and field < argument,
    "<=": lambda field, argument: bool(field) and field <= argument,
    ">": lambda field, argument: bool(field) and field > argument,
    ">=": lambda field, argument: bool(field) and field >= argument,
}
_ORDERINGS = ("<", "<=", ">", ">=")
# The clauses that are likely to leave fewest rows stand first.
_RANK = {
    False: 0,
    True: 1,
    "==": 2,
    "includes": 3,
    "<=": 4,
    "<": 5,
    ">=": 6,
    ">": 7,
    "excludes": 8,
    "!=": 9,
}


class Clause:
    """One comparison of a column with an argument, or a constant truth value."""

    __slots__ = ("argument", "column", "function", "index", "predicate")

    def __init__(
        self, column: ColumnSchema, function: str | bool, argument: Datum
    ) -> None:
        self.column = column
        self.index = column.index
        self.function = function
        self.argument = argument
        self.predicate: Predicate = (
            (lambda _field, _argument: bool(function))
            if isinstance(function, bool)
            else _PREDICATES[function]
        )

    @classmethod
    def from_json(
        cls, schema: TableSchema, json: Any, symbols: SymbolTable | None
    ) -> Clause:
        """Parse a <condition> or a boolean. Raises: OvsdbError."""
        if json is True or json is False:
            column = schema.columns["_uuid"]
            return cls(column, json, column.type.default)
        if (
            not isinstance(json, list)
            or len(json) != 3
            or not isinstance(json[0], str)
            or not isinstance(json[1], str)
        ):
            raise syntax_error(json, "Parse error in condition.")
        name, function, argument = json
        found = schema.columns.get(name)
        if found is None:
            raise syntax_error(
                json, f"No column {name} in table {schema.name}.", "unknown column"
            )
        if function not in _PREDICATES:
            raise syntax_error(
                None, f"No function named {function}.", "unknown function"
            )
        type_ = _argument_type(found, function, json)
        return cls(found, function, type_.from_json_value(argument, symbols))

    def matches(self, fields: list[Datum]) -> bool:
        """Return whether the clause holds for those fields."""
        return self.predicate(fields[self.index], self.argument)

    def to_json(self) -> Any:
        """Return the <condition>."""
        if isinstance(self.function, bool):
            return self.function
        argument = self.column.type.to_json_value(self.argument)
        return [self.column.name, self.function, argument]

    def sort_key(self) -> Any:
        """Return what orders clauses: the most selective ones first."""
        is_standard = self.index < 2
        return (
            _RANK[self.function],
            not is_standard,
            self.index if is_standard else 0,
            self.column.name,
            len(self.argument),
            self.argument,
        )


def _argument_type(column: ColumnSchema, function: str, json: Any) -> ColumnType:
    """Return the type that the argument must have. Raises: OvsdbError."""
    type_ = column.type
    if function in _ORDERINGS:
        comparable = (
            (type_.is_scalar() or type_.is_optional())
            and not type_.is_map()
            and type_.key.type in {INTEGER, REAL}
        )
        if not comparable:
            raise syntax_error(
                json,
                f'Type mismatch: "{function}" operator may not be applied to column '
                f"{column.name} of type {type_.to_english()}.",
            )
        return ColumnType(type_.key)
    if type_.is_scalar() or function in {"==", "!="}:
        return type_
    value = type_.value if type_.is_map() else None
    n_max = UINT_MAX if function == "excludes" else type_.n_max
    return ColumnType(type_.key, value, 0, n_max)


class Condition:
    """Clauses in the order in which they are tried."""

    __slots__ = ("clauses", "is_true")

    def __init__(self, clauses: Iterable[Clause] = ()) -> None:
        self.clauses = list(clauses)
        if len(self.clauses) > 1:
            self.clauses.sort(key=Clause.sort_key)
        # Whether `matches_any` holds for every row.
        self.is_true = not self.clauses or any(
            clause.function is True for clause in self.clauses[:2]
        )

    @classmethod
    def from_json(
        cls, schema: TableSchema, json: list[Any], symbols: SymbolTable | None = None
    ) -> Condition:
        """Parse an array of conditions. Raises: OvsdbError."""
        return cls([Clause.from_json(schema, clause, symbols) for clause in json])

    @property
    def is_false(self) -> bool:
        """Whether `matches_any` holds for no row."""
        return len(self.clauses) == 1 and self.clauses[0].function is False

    def matches_every(self, row: Row) -> bool:
        """Return whether the row satisfies all clauses."""
        fields = row.fields
        return all(
            clause.predicate(fields[clause.index], clause.argument)
            for clause in self.clauses
        )

    def matches_any(self, row: Row) -> bool:
        """Return whether a monitor with this condition sees the row."""
        if self.is_true:
            return True
        fields = row.fields
        return any(
            clause.predicate(fields[clause.index], clause.argument)
            for clause in self.clauses
        )

    def query(self, table: Table) -> list[Row]:
        """Return the rows that satisfy all clauses."""
        if not self.clauses:
            return list(table.rows.values())
        first = self.clauses[0]
        if first.index == UUID_COLUMN and first.function == "==":
            row = table.rows.get(first.argument[0])
            return [row] if row is not None and self.matches_every(row) else []
        return [row for row in table.rows.values() if self.matches_every(row)]

    def to_json(self) -> list[Any]:
        """Return the array of conditions."""
        return [clause.to_json() for clause in self.clauses]

    def key(self) -> tuple[Any, ...]:
        """Return what is equal for conditions that are the same."""
        return tuple((c.column.name, c.function, c.argument) for c in self.clauses)
