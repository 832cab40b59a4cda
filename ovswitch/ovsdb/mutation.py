# SPDX-License-Identifier: Apache-2.0
"""Mutations: arithmetic on numbers, insertion into and deletion from sets and maps.

A mutation is parsed against its column, which settles the argument's type, and then
applied to each row. Integers are of 64 bits: a result outside is a range error.

Sources: RFC 7047 section 5.1, ovsdb/mutation.c.
"""

from __future__ import annotations

from ovswitch.ovsdb import datum
from ovswitch.ovsdb.atom import DBL_MAX, INT64_MAX, INT64_MIN, INTEGER, REAL, UINT_MAX
from ovswitch.ovsdb.atom import check as check_atom
from ovswitch.ovsdb.error import OvsdbError, constraint_violation, syntax_error
from ovswitch.ovsdb.types import BaseType, ColumnType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ovswitch.ovsdb.datum import Datum
    from ovswitch.ovsdb.schema import ColumnSchema, TableSchema
    from ovswitch.ovsdb.symbols import SymbolTable

    Number = int | float


def _divide(x: Number, y: Number) -> Number:
    """Divide towards zero, as C does with integers."""
    if isinstance(x, float):
        return x / y
    quotient = abs(x) // abs(y)
    return quotient if (x < 0) == (y < 0) else -quotient


def _remainder(x: Number, y: Number) -> Number:
    """Return what `_divide` leaves: it has the sign of `x`."""
    return x - _divide(x, y) * y


_ARITHMETIC: dict[str, Callable[[Any, Any], Number]] = {
    "+=": lambda x, y: x + y,
    "-=": lambda x, y: x - y,
    "*=": lambda x, y: x * y,
    "/=": _divide,
    "%=": _remainder,
}


class Mutation:
    """A change to one column."""

    __slots__ = ("argument", "argument_type", "column", "mutator")

    def __init__(
        self,
        column: ColumnSchema,
        mutator: str,
        argument: Datum,
        argument_type: ColumnType,
    ) -> None:
        self.column = column
        self.mutator = mutator
        self.argument = argument
        self.argument_type = argument_type

    @classmethod
    def from_json(
        cls, schema: TableSchema, json: Any, symbols: SymbolTable | None
    ) -> Mutation:
        """Parse a <mutation>. Raises: OvsdbError."""
        if (
            not isinstance(json, list)
            or len(json) != 3
            or not isinstance(json[0], str)
            or not isinstance(json[1], str)
        ):
            raise syntax_error(json, "Parse error in mutation.")
        name, mutator, argument = json
        column = schema.columns.get(name)
        if column is None:
            raise syntax_error(
                json, f"No column {name} in table {schema.name}.", "unknown column"
            )
        if not column.mutable:
            raise syntax_error(
                json,
                f"Cannot mutate immutable column {name} in table {schema.name}.",
                "constraint violation",
            )
        if mutator in _ARITHMETIC:
            return cls._arithmetic(column, mutator, argument, json)
        if mutator in {"insert", "delete"}:
            return cls._membership(column, mutator, argument, json, symbols)
        raise syntax_error(None, f"No mutator named {mutator}.", "unknown mutator")

    @classmethod
    def _arithmetic(
        cls, column: ColumnSchema, mutator: str, argument: Any, json: Any
    ) -> Mutation:
        type_ = column.type
        if (
            type_.is_map()
            or type_.key.type not in {INTEGER, REAL}
            or (mutator == "%=" and type_.key.type == REAL)
        ):
            raise _mismatch(column, mutator, json)
        number = ColumnType(BaseType(type_.key.type))
        return cls(column, mutator, number.from_json_value(argument, None), number)

    @classmethod
    def _membership(
        cls,
        column: ColumnSchema,
        mutator: str,
        argument: Any,
        json: Any,
        symbols: SymbolTable | None,
    ) -> Mutation:
        type_ = column.type
        if not type_.is_set() and not type_.is_map():
            raise _mismatch(column, mutator, json)
        n_max = UINT_MAX if mutator == "delete" else type_.n_max
        value = type_.value if type_.is_map() else None
        wanted = ColumnType(type_.key, value, 0, n_max)
        try:
            parsed = wanted.from_json_value(argument, symbols)
        except OvsdbError:
            if mutator != "delete" or not type_.is_map():
                raise
            # A map's pairs may be deleted by their keys alone.
            wanted = ColumnType(type_.key, None, 0, n_max)
            parsed = wanted.from_json_value(argument, symbols)
        return cls(column, mutator, parsed, wanted)

    def apply(self, old: Datum) -> Datum:
        """Return the mutated datum. Raises: OvsdbError."""
        if self.mutator == "insert":
            new = datum.union(old, self.argument, self.column.type.is_map())
        elif self.mutator == "delete":
            by_key = not self.argument_type.is_map()
            new = datum.subtract(old, self.argument, self.column.type.is_map(), by_key)
        else:
            return self._calculate(old)
        type_ = self.column.type
        if not type_.n_min <= len(new) <= type_.n_max:
            raise constraint_violation(
                f"Attempted to store {len(new)} elements in {type_.to_english()}."
            )
        return new

    def _calculate(self, old: Datum) -> Datum:
        operand = self.argument[0]
        if old and operand == 0 and self.mutator in {"/=", "%="}:
            raise OvsdbError("domain error", "Division by zero.")
        calculate = _ARITHMETIC[self.mutator]
        base = self.column.type.key
        low, high = (-DBL_MAX, DBL_MAX) if base.type == REAL else (INT64_MIN, INT64_MAX)
        results = [calculate(element, operand) for element in old]
        for result in results:
            if not low <= result <= high:
                raise OvsdbError(
                    "range error",
                    f'Result of "{self.mutator}" operation is out of range.',
                )
        for result in results:
            check_atom(result, base)
        if len(set(results)) != len(results):
            raise constraint_violation(
                f'Result of "{self.mutator}" operation contains duplicates.'
            )
        return tuple(sorted(results))


def _mismatch(column: ColumnSchema, mutator: str, json: Any) -> OvsdbError:
    return syntax_error(
        json,
        f'Type mismatch: "{mutator}" operator may not be applied to column '
        f"{column.name} of type {column.type.to_english()}.",
    )
