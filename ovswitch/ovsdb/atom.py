# SPDX-License-Identifier: Apache-2.0
"""Atoms: the scalar values of the database, as JSON and as text.

An atom is an `int` ("integer", 64 bits), a `float` ("real"), a `bool`, or a `str`: a
string or a canonical UUID (see `uuids`). Only the column's type tells the last two
apart, so every function takes the base type. Atoms of one type are ordered as Python
orders them: strings by code point, which is their order in UTF-8.

Text is what ovs-vsctl reads and prints. Sources: RFC 7047 section 5.1,
lib/ovsdb-data.c.
"""

from __future__ import annotations

from ovswitch.ovsdb import uuids
from ovswitch.ovsdb.error import (
    OvsdbError,
    ParseError,
    constraint_violation,
    syntax_error,
)
from ovswitch.ovsdb.parser import is_id
from ovswitch.runtime import json as _json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ovswitch.ovsdb.symbols import SymbolTable
    from ovswitch.ovsdb.types import BaseType

    Atom = int | float | bool | str
    Json = _json.Value
    AtomParser = Callable[[Any, SymbolTable | None], Any]

INTEGER = "integer"
REAL = "real"
BOOLEAN = "boolean"
STRING = "string"
UUID = "uuid"
VOID = "void"  # the value type of a set

DEFAULTS: dict[str, Atom] = {
    INTEGER: 0,
    REAL: 0.0,
    BOOLEAN: False,
    STRING: "",
    UUID: uuids.ZERO,
}

INT64_MIN = -(1 << 63)
INT64_MAX = (1 << 63) - 1
DBL_MAX = 1.7976931348623157e308
UINT_MAX = 0xFFFFFFFF
MAX_RANGE_SIZE = 4096

_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")


# JSON


def compile_parser(base: BaseType) -> AtomParser:
    """Return a function (json, symbols) -> atom for that base type.

    It raises OvsdbError for JSON of the wrong form or a value that `base` forbids.
    """
    if base.type == UUID:
        return lambda json, symbols: _uuid_from_json(json, symbols, base)
    if base.type == STRING:
        return _string_parser(base)
    if base.type == INTEGER:
        return _integer_parser(base)
    if base.type == REAL:
        return lambda json, _symbols: _real_from_json(json, base)
    return lambda json, _symbols: _boolean_from_json(json, base)


def _string_parser(base: BaseType) -> AtomParser:
    constrained = base.has_constraints

    def from_json(json: object, _symbols: SymbolTable | None) -> str:
        if not isinstance(json, str):
            raise syntax_error(json, "expected string")
        if constrained or not json.isascii():
            check(json, base)
        return json

    return from_json


def is_plain_string(base: BaseType) -> bool:
    """Return whether every ASCII string is an atom of that type."""
    return base.type == STRING and not base.has_constraints


def _integer_parser(base: BaseType) -> AtomParser:
    low, high, enum = base.min, base.max, base.enum

    def from_json(json: object, _symbols: SymbolTable | None) -> int:
        if isinstance(json, float) and json.is_integer():
            json = int(json)  # "1.0" and "1e3" are integers
        if not isinstance(json, int) or json is True or json is False:
            raise syntax_error(json, "expected integer")
        if not INT64_MIN <= json <= INT64_MAX:
            raise syntax_error(float(json), "expected integer")
        if enum is not None or not low <= json <= high:
            check(json, base)
        return json

    return from_json


def _real_from_json(json: object, base: BaseType) -> float:
    if not isinstance(json, int | float) or isinstance(json, bool):
        raise syntax_error(json, "expected real")
    value = float(json)
    check(value, base)
    return value


def _boolean_from_json(json: object, base: BaseType) -> bool:
    if not isinstance(json, bool):
        raise syntax_error(json, "expected boolean")
    check(json, base)
    return json


def _uuid_from_json(json: object, symbols: SymbolTable | None, base: BaseType) -> str:
    word, text = json if isinstance(json, list) and len(json) == 2 else (None, None)
    if word == "uuid" and isinstance(text, str):
        if not uuids.is_valid(text):
            raise syntax_error(json, f'"{text}" is not a valid UUID')
        atom = text.lower()
    elif word == "named-uuid" and isinstance(text, str) and symbols is not None:
        if not is_id(text):
            raise syntax_error(json, "named-uuid string is not a valid <id>")
        symbol = symbols.insert(text)
        symbol.note_reference(base)
        atom = symbol.uuid
    else:
        raise syntax_error(json, 'expected ["uuid", <string>]')
    if base.enum is not None:
        check(atom, base)
    return atom


def to_json(kind: str, atom: Atom) -> Json:
    """Return an atom of type `kind` as JSON."""
    return ["uuid", atom] if kind == UUID else atom


# Constraints


def check(atom: Any, base: BaseType) -> None:
    """Raise OvsdbError if `base` forbids `atom`. References are checked at commit."""
    if base.enum is not None and atom not in base.enum:
        allowed = ", ".join(to_string(base.type, valid) for valid in base.enum)
        raise constraint_violation(
            f"{to_string(base.type, atom)} is not one of the allowed values "
            f"([{allowed}])"
        )
    if base.type == STRING:
        _check_string(atom, base)
    elif base.type in {INTEGER, REAL} and not base.min <= atom <= base.max:
        raise _range_violation(atom, base)


def _check_string(atom: str, base: BaseType) -> None:
    if not atom.isascii():
        _check_utf8(atom)
    length = len(atom)
    if length < base.min_length:
        raise constraint_violation(
            f'"{atom}" length {length} is less than minimum allowed length '
            f"{base.min_length}"
        )
    if length > base.max_length:
        raise constraint_violation(
            f'"{atom}" length {length} is greater than maximum allowed length '
            f"{base.max_length}"
        )


def _check_utf8(atom: str) -> None:
    try:
        atom.encode()
    except UnicodeEncodeError as error:
        octets = atom[error.start :].encode("utf-8", "surrogateescape")
        raise constraint_violation(
            f"not a valid UTF-8 string: {_invalid_sequence(octets)}"
        ) from None


def _invalid_sequence(octets: bytes) -> str:
    """Describe the sequence that `octets` begin with and that isn't UTF-8."""
    size = 1
    try:
        octets.decode()
    except UnicodeDecodeError as error:
        # Up to and with the first octet that can't continue the sequence.
        lead = octets[0]
        size = error.end - error.start + (1 if 0xC2 <= lead <= 0xF4 else 0)
    listed = " ".join(f"0x{octet:02x}" for octet in octets[:size])
    return f"invalid UTF-8 sequence {listed}"


def _range_violation(atom: Any, base: BaseType) -> OvsdbError:
    is_real = base.type == REAL
    low, high = (-DBL_MAX, DBL_MAX) if is_real else (INT64_MIN, INT64_MAX)
    value, least, most = (to_string(base.type, v) for v in (atom, base.min, base.max))
    if base.min == low:
        text = f"{value} is greater than maximum allowed value {most}"
    elif base.max == high:
        text = f"{value} is less than minimum allowed value {least}"
    else:
        text = f"{value} is not in the valid range {least} to {most} (inclusive)"
    return constraint_violation(text)


# Text


def to_string(kind: str, atom: Any) -> str:
    """Return an atom as `from_string` reads it."""
    if kind == STRING:
        return _json.to_string(atom) if needs_quotes(atom) else str(atom)
    if kind == BOOLEAN:
        return "true" if atom else "false"
    if kind == REAL:
        return f"{atom:.15g}"
    return str(atom)


def to_bare(kind: str, atom: Any) -> str:
    """Return an atom without quotes, for scripts."""
    return str(atom) if kind == STRING else to_string(kind, atom)


def needs_quotes(text: str) -> bool:
    """Return whether a string could be taken for something else without quotes."""
    if not text.isascii() or not (text[:1].isalpha() or text[:1] == "_"):
        return True
    word = text.replace("_", "").replace("-", "").replace(".", "")
    if word and not word.isalnum():
        return True
    return text in {"true", "false"} or uuids.is_valid(text)


def from_string(base: BaseType, text: str, symbols: SymbolTable | None = None) -> Any:
    """Parse one atom. Raises: ParseError."""
    return _checked(_parse_one(base, text, symbols), base)


def range_from_string(
    base: BaseType, text: str, symbols: SymbolTable | None = None
) -> list[Any]:
    """Parse one atom or, for integers, a range "FIRST-LAST". Raises: ParseError."""
    if base.type == INTEGER:
        bounds = _split_range(text)
        if bounds is not None:
            return _expand_range(base, text, *bounds)
    return [from_string(base, text, symbols)]


def _checked(atom: Any, base: BaseType) -> Any:
    try:
        check(atom, base)
    except OvsdbError as error:
        raise ParseError(str(error)) from error
    return atom


def _parse_one(base: BaseType, text: str, symbols: SymbolTable | None) -> Any:
    if base.type == STRING:
        return _parse_string(text)
    if base.type == INTEGER:
        number = _parse_integer(text)
        if number is None:
            raise ParseError(f'"{text}" is not a valid integer or range')
        return number
    if base.type == BOOLEAN:
        return _parse_boolean(text)
    if base.type == REAL:
        return _parse_real(text)
    return _parse_uuid(base, text, symbols)


def _parse_string(text: str) -> str:
    if not text:
        raise ParseError(
            'An empty string is not valid as input; use "" to represent the '
            "empty string"
        )
    if text[0] != '"':
        return text
    if len(text) < 2 or text[-1] != '"':
        raise ParseError(f"{text}: missing quote at end of quoted string")
    inner = text[1:-1]
    if "\\" not in inner and '"' not in inner:
        return inner
    from ovswitch.runtime import json_slow

    try:
        return json_slow.unescape(inner)
    except ValueError as error:
        raise ParseError(f"{text}: {error}") from None


def _parse_boolean(text: str) -> bool:
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ParseError(f'"{text}" is not a valid boolean (use "true" or "false")')


def _parse_real(text: str) -> float:
    try:
        if "_" in text or not text.isascii() or text != text.rstrip():
            raise ValueError
        hexadecimal = "x" in text or "X" in text
        value = float.fromhex(text) if hexadecimal else float(text)
        if value in {float("inf"), float("-inf")} and "n" not in text.lower():
            raise ValueError  # it overflowed
    except (ValueError, OverflowError):
        raise ParseError(f'"{text}" is not a valid real number') from None
    return value or 0.0  # no negative zero, as in JSON


def _parse_uuid(base: BaseType, text: str, symbols: SymbolTable | None) -> str:
    if text.startswith("@") and symbols is not None:
        symbol = symbols.insert(text)
        symbol.note_reference(base)
        return symbol.uuid
    if not uuids.is_valid(text):
        raise ParseError(f'"{text}" is not a valid UUID')
    return text.lower()


def _scan_integer(text: str) -> tuple[int, str] | None:
    """Parse an integer as strtoll() does; return it and the rest."""
    start = len(text) - len(text.lstrip(" \t\n\v\f\r"))
    end = start + (text[start : start + 1] in {"+", "-"})
    first_digit = end
    while end < len(text) and text[end] in "0123456789":
        end += 1
    if end == first_digit:
        return None
    value = int(text[start:end])
    if not INT64_MIN <= value <= INT64_MAX:
        return None
    return value, text[end:]


def _parse_integer(text: str) -> int | None:
    scanned = _scan_integer(text)
    return scanned[0] if scanned and not scanned[1] else None


def _split_range(text: str) -> tuple[int, int] | None:
    scanned = _scan_integer(text)
    if scanned is None or not scanned[1].startswith("-"):
        return None
    last = _parse_integer(scanned[1][1:])
    return None if last is None else (scanned[0], last)


def _expand_range(base: BaseType, text: str, first: int, last: int) -> list[int]:
    if last < first:
        raise ParseError(
            f'"{text}" is not a valid range. Range end cannot be before start.'
        )
    _checked(first, base)
    if base.enum is None:
        _checked(last, base)
    if last - first >= MAX_RANGE_SIZE:
        raise ParseError(
            f'constraint violation: Range "{first}-{last}" is too big. '
            f"Maximum allowed size is {MAX_RANGE_SIZE}."
        )
    if base.enum is not None:
        for value in range(first, last + 1):
            _checked(value, base)
    return list(range(first, last + 1))
