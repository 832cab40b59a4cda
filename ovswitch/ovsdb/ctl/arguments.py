# SPDX-License-Identifier: Apache-2.0
"""Arguments of the form COLUMN[:KEY][OPERATOR VALUE], and conditions on rows."""

from __future__ import annotations

from ovswitch.ovsdb import atom, datum
from ovswitch.ovsdb.ctl.commands import CtlError
from ovswitch.ovsdb.ctl.lookup import find_column
from ovswitch.ovsdb.error import ParseError
from ovswitch.ovsdb.types import ColumnType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ovswitch.ovsdb.datum import Datum
    from ovswitch.ovsdb.replica import Column, Table
    from ovswitch.ovsdb.replica_row import Row
    from ovswitch.ovsdb.symbols import SymbolTable
    from ovswitch.ovsdb.types import BaseType

EQUALS = ("=",)
_AT_END = 'syntax error at "'
RELATIONS = (
    "=",
    "!=",
    "<",
    ">",
    "<=",
    ">=",
    "{=}",
    "{!=}",
    "{<}",
    "{>}",
    "{<=}",
    "{>=}",
    "{in}",
    "{not-in}",
)


def parse_datum(
    column_type: ColumnType, text: str, symbols: SymbolTable | None
) -> Datum:
    """Parse a column's value. Raises: CtlError."""
    try:
        return column_type.from_string(text, symbols)
    except ValueError as error:
        # At the end of the text the reference prints a NUL, which ends its message.
        message = _message(text, error)
        raise CtlError(
            message.replace('syntax error at "" expecting "="', _AT_END)
        ) from None


def parse_key(column: Column, text: str, symbols: SymbolTable | None) -> Any:
    """Parse a key of a map. Raises: CtlError."""
    return _parse_atom(column.type.key, text, symbols)


def parse_value(column: Column, text: str, symbols: SymbolTable | None) -> Any:
    """Parse a value of a map. Raises: CtlError."""
    return _parse_atom(column.type.value, text, symbols)


def _parse_atom(base: BaseType, text: str, symbols: SymbolTable | None) -> Any:
    try:
        return atom.from_string(base, text, symbols)
    except ValueError as error:
        raise CtlError(_message(text, error)) from None


def _message(text: str, error: ValueError) -> str:
    """What is wrong with a text; errors of quoted strings don't quote it themselves."""
    return str(error) if isinstance(error, ParseError) else f"{text}: {error}"


def parse_column_name(table: Table, argument: str) -> tuple[Column, int]:
    """Parse the column at the beginning; return it and the index after its name.

    Raises: CtlError.
    """
    name, index = _token(argument, 0)
    if not name:
        raise CtlError(f"{argument}: missing column name")
    return find_column(table, name), index


def parse_column_key(table: Table, argument: str) -> tuple[Column, str | None]:
    """Parse COLUMN[:KEY]. Raises: CtlError."""
    column, key, index = _parse_start(table, argument)
    if index < len(argument):
        raise CtlError(f'{argument}: trailing garbage "{argument[index:]}" in argument')
    return column, key


def parse_column_key_value(
    table: Table, argument: str, operators: tuple[str, ...] = EQUALS
) -> tuple[Column, str | None, str, str]:
    """Parse COLUMN[:KEY]OPERATOR VALUE; the longest operator counts.

    Raises: CtlError.
    """
    column, key, index = _parse_start(table, argument)
    rest = argument[index:]
    best = ""
    for operator in operators:
        if (
            len(operator) > len(best)
            and rest.startswith(operator)
            and len(rest) > len(operator)
        ):
            best = operator
    if not best:
        raise CtlError(_missing_operator(argument, operators))
    return column, key, best, rest[len(best) :]


def _parse_start(table: Table, argument: str) -> tuple[Column, str | None, int]:
    column, index = parse_column_name(table, argument)
    key = None
    if argument[index : index + 1] == ":":
        key, index = _token(argument, index + 1)
    return column, key, index


def _token(text: str, start: int) -> tuple[str, int]:
    try:
        return datum.token(text, start)
    except ParseError as error:
        raise CtlError(str(error)) from None


def _missing_operator(argument: str, operators: tuple[str, ...]) -> str:
    quoted = [f'"{operator}"' for operator in operators]
    listed = quoted[0]
    if len(quoted) == 2:
        listed = " or ".join(quoted)
    elif len(quoted) > 2:
        listed = ", ".join(quoted[:-1]) + f", or {quoted[-1]}"
    return f"{argument}: argument does not end in {listed} followed by a value."


def satisfies(row: Row, argument: str, symbols: SymbolTable | None) -> bool:
    """Whether a row satisfies COLUMN[:KEY]RELATION VALUE. Raises: CtlError."""
    column, key_text, relation, text = parse_column_key_value(
        row._table, argument, RELATIONS
    )
    have = row.read(column.name)
    if key_text is None:
        want = parse_datum(column.type, text, symbols)
        return _holds(have, want, relation, is_map=column.type.is_map())
    if not column.type.is_map():
        raise CtlError(f"cannot specify key to check for non-map column {column.name}")
    key = parse_key(column, key_text, symbols)
    value_type = ColumnType(column.type.value, None, column.type.n_min, atom.UINT_MAX)
    want = parse_datum(value_type, text, symbols)
    values = tuple(value for known, value in have if known == key)
    if not values and not relation.startswith("{"):
        return False
    return _holds(values, want, relation, is_map=False)


def _holds(have: Datum, want: Datum, relation: str, *, is_map: bool) -> bool:
    match relation:
        case "=" | "{=}":
            return have == want
        case "!=" | "{!=}":
            return have != want
        case "<" | ">" | "<=" | ">=":
            return _is_ordered(have, want, relation, is_map=is_map)
        case "{not-in}":
            return not set(have) & set(want)
    subset, superset = set(have) <= set(want), set(have) >= set(want)
    match relation:
        case "{<}":
            return subset and len(want) > len(have)
        case "{>}":
            return superset and len(have) > len(want)
        case "{>=}":
            return superset
    return subset  # "{<=}" and "{in}"


def _is_ordered(have: Datum, want: Datum, relation: str, *, is_map: bool) -> bool:
    """Compare data in their order: fewer elements first, then the keys, the values."""
    left, right = (_sort_key(d, is_map=is_map) for d in (have, want))
    if relation == "<":
        return left < right
    if relation == ">":
        return left > right
    return left <= right if relation == "<=" else left >= right


def _sort_key(value: Datum, *, is_map: bool) -> tuple[Any, ...]:
    if is_map:
        return len(value), [key for key, _ in value], [item for _, item in value]
    return len(value), value
