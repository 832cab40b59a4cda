# SPDX-License-Identifier: Apache-2.0
"""Data: what a cell of the database holds, as JSON, as text, and their differences.

A datum is an immutable tuple: of atoms for a set, of (key, value) pairs for a map,
sorted and without duplicate keys; an optional column holds () or one atom, a scalar
column a tuple of one. So two data are equal when their tuples are, a datum can be a
dictionary's key, and rows share data freely.

Sources: RFC 7047 section 5.1, lib/ovsdb-data.c.
"""

from __future__ import annotations

from sys import intern

from ovswitch.ovsdb import atom as atoms
from ovswitch.ovsdb.error import OvsdbError, ParseError, syntax_error
from ovswitch.ovsdb.parser import kind_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ovswitch.ovsdb.symbols import SymbolTable
    from ovswitch.ovsdb.types import ColumnType

    # The elements are atoms or pairs of them: the column's type says which.
    Datum = tuple[Any, ...]
    DatumParser = Callable[[Any, SymbolTable | None], Datum]
    DatumPrinter = Callable[[Datum], Any]

EMPTY: Datum = ()
_DELIMITERS = ":=, []{}!<>"
_SPACES = " \t\n\v\f\r"


# JSON


def compile_parser(column_type: ColumnType) -> DatumParser:
    """Return a function (json, symbols) -> datum for that type.

    It raises OvsdbError for JSON of the wrong form or what the type forbids.
    """
    if not column_type.is_map():
        return _set_parser(column_type)
    if atoms.is_plain_string(column_type.key) and atoms.is_plain_string(
        column_type.value
    ):
        return _text_map_parser(column_type)
    return _map_parser(column_type)


def _set_parser(column_type: ColumnType) -> DatumParser:
    parse_key = column_type.key.parse

    def from_json(json: Any, symbols: SymbolTable | None = None) -> Datum:
        if isinstance(json, list) and json and json[0] == "set":
            elements = _members(json, "set", column_type)
            if len(elements) == 1:
                return (parse_key(elements[0], symbols),)
            return _sorted_set([parse_key(element, symbols) for element in elements])
        return (parse_key(json, symbols),)

    return from_json


def _map_parser(column_type: ColumnType) -> DatumParser:
    parse_key, parse_value = column_type.key.parse, column_type.value.parse

    def from_json(json: Any, symbols: SymbolTable | None = None) -> Datum:
        pairs = []
        for element in _members(json, "map", column_type):
            if not isinstance(element, list) or len(element) != 2:
                raise syntax_error(element, "expected 2-element array")
            pairs.append(
                (parse_key(element[0], symbols), parse_value(element[1], symbols))
            )
        return _sorted_map(pairs)

    return from_json


def _text_map_parser(column_type: ColumnType) -> DatumParser:
    """Parse a map of strings, the most frequent type of all: ASCII ones need no check.

    Keys come from a small vocabulary: each is kept in memory once.
    """
    parse_any = _map_parser(column_type)

    def from_json(json: Any, symbols: SymbolTable | None = None) -> Datum:
        pairs = []
        for element in _members(json, "map", column_type):
            if not isinstance(element, list) or len(element) != 2:
                return parse_any(json, symbols)
            key, value = element
            if (
                key.__class__ is not str
                or value.__class__ is not str
                or not (key.isascii() and value.isascii())
            ):
                return parse_any(json, symbols)
            pairs.append((intern(key), value))
        return _sorted_map(pairs)

    return from_json


def _members(json: Any, word: str, column_type: ColumnType) -> list[Any]:
    """Return the list within ["set", [...]] or ["map", [...]]."""
    if not (
        isinstance(json, list)
        and len(json) == 2
        and json[0] == word
        and isinstance(json[1], list)
    ):
        raise syntax_error(json, f'expected ["{word}", <{kind_name([])}>]')
    elements = json[1]
    count = len(elements)
    n_min, n_max = column_type.n_min, column_type.n_max
    if not n_min <= count <= n_max:
        if n_min == n_max == 1:
            wanted = f"exactly one member but {count} are present"
        else:
            wanted = f"{n_min} to {n_max} members but {count} are present"
        raise syntax_error(json, f"{word} must have {wanted}")
    return elements


def _sorted_set(elements: list[Any]) -> Datum:
    if len(elements) > 1:
        distinct = set(elements)
        if len(distinct) != len(elements):
            raise OvsdbError(None, "set contains duplicate")
        elements.sort()
    return tuple(elements)


def _sorted_map(pairs: list[tuple[Any, Any]]) -> Datum:
    if len(pairs) > 1:
        pairs.sort()
        previous = pairs[0]
        for pair in pairs[1:]:
            if pair[0] == previous[0]:
                raise OvsdbError(None, "map contains duplicate key")
            previous = pair
    return tuple(pairs)


def compile_printer(column_type: ColumnType) -> DatumPrinter:
    """Return a function datum -> JSON for that type."""
    key_is_uuid = column_type.key.type == atoms.UUID
    if column_type.is_map():
        return _map_printer(key_is_uuid, column_type.value.type == atoms.UUID)
    if key_is_uuid:
        return _uuid_set_to_json
    return _set_to_json


def _set_to_json(datum: Datum) -> Any:
    if len(datum) == 1:
        return datum[0]
    return ["set", datum]


def _uuid_set_to_json(datum: Datum) -> Any:
    if len(datum) == 1:
        return ["uuid", datum[0]]
    return ["set", [["uuid", element] for element in datum]]


def _map_printer(key_is_uuid: bool, value_is_uuid: bool) -> DatumPrinter:
    if not key_is_uuid and not value_is_uuid:
        return lambda datum: ["map", datum]

    def to_json(datum: Datum) -> Any:
        return [
            "map",
            [
                [
                    ["uuid", key] if key_is_uuid else key,
                    ["uuid", value] if value_is_uuid else value,
                ]
                for key, value in datum
            ],
        ]

    return to_json


# Differences: what `update2` and the log's `_is_diff` records carry.


def diff(old: Datum, new: Datum, column_type: ColumnType) -> Datum:
    """Return what turns `old` into `new`; applied to `new`, it gives `old` again.

    For a set of more than one it's the elements that only one of both has; for such
    a map, likewise the pairs, and for keys of both the new value if that differs.
    For any other type it's the new value.
    """
    if column_type.n_max == 1:
        return new
    if not column_type.is_map():
        return tuple(sorted(set(old).symmetric_difference(new)))
    before, after = dict(old), dict(new)
    changed = [pair for pair in old if pair[0] not in after]
    changed += [
        pair for pair in new if pair[0] not in before or before[pair[0]] != pair[1]
    ]
    changed.sort()
    return tuple(changed)


def apply_diff(old: Datum, difference: Datum, column_type: ColumnType) -> Datum:
    """Return the datum that `difference` leads to from `old`.

    Raises: OvsdbError: the result has more or fewer elements than the type allows.
    """
    if column_type.n_max == 1:
        return difference
    if column_type.is_map():
        new = _apply_map_diff(old, difference)
    else:
        new = tuple(sorted(set(old).symmetric_difference(difference)))
    if not column_type.n_min <= len(new) <= column_type.n_max:
        raise OvsdbError(None, "Datum crated by diff has size error")
    return new


def _apply_map_diff(old: Datum, difference: Datum) -> Datum:
    pairs = dict(old)
    for key, value in difference:
        if key in pairs and pairs[key] == value:
            del pairs[key]
        else:
            pairs[key] = value
    return tuple(sorted(pairs.items()))


# Set algebra, for mutations and conditions


def union(old: Datum, added: Datum, is_map: bool) -> Datum:
    """Return `old` with the elements of `added`; an existing key keeps its value."""
    if is_map:
        pairs = dict(added)
        pairs.update(old)
        return old if len(pairs) == len(old) else tuple(sorted(pairs.items()))
    elements = set(old).union(added)
    return old if len(elements) == len(old) else tuple(sorted(elements))


def subtract(old: Datum, removed: Datum, old_is_map: bool, by_key: bool) -> Datum:
    """Return `old` without what is in `removed`: elements, pairs or, `by_key`, keys."""
    gone = set(removed)
    if old_is_map and by_key:
        return tuple(pair for pair in old if pair[0] not in gone)
    return tuple(element for element in old if element not in gone)


# Text


def to_string(column_type: ColumnType, datum: Datum) -> str:
    """Return a datum as `from_string` reads it and ovs-vsctl prints it."""
    text = ", ".join(_element_strings(column_type, datum))
    if column_type.n_max > 1 or not datum:
        return f"{{{text}}}" if column_type.is_map() else f"[{text}]"
    return text


def _element_strings(column_type: ColumnType, datum: Datum) -> list[str]:
    to_text, key = atoms.to_string, column_type.key.type
    if column_type.is_map():
        value = column_type.value.type
        return [f"{to_text(key, k)}={to_text(value, v)}" for k, v in datum]
    return [to_text(key, element) for element in datum]


def to_bare(column_type: ColumnType, datum: Datum) -> str:
    """Return a datum without quotes and brackets, for scripts."""
    to_text, key = atoms.to_bare, column_type.key.type
    if column_type.is_map():
        value = column_type.value.type
        return " ".join(f"{to_text(key, k)}={to_text(value, v)}" for k, v in datum)
    return " ".join(to_text(key, element) for element in datum)


def from_string(
    column_type: ColumnType, text: str, symbols: SymbolTable | None = None
) -> Datum:
    """Parse a datum that a user typed. Raises: ParseError."""
    elements = _Text(column_type, text, symbols).parse()
    count = len(elements)
    noun = "pair(s)" if column_type.is_map() else "value(s)"
    for bound, word, wrong in (
        (column_type.n_min, "minimum", count < column_type.n_min),
        (column_type.n_max, "maximum", count > column_type.n_max),
    ):
        if wrong:
            raise ParseError(
                f"{text}: {count} {noun} specified but the {word} number is {bound}"
            )
    try:
        sort = _sorted_map if column_type.is_map() else _sorted_set
        return sort(elements)
    except OvsdbError:
        what = "map contains duplicate key"
        if not column_type.is_map():
            what = "set contains duplicate value"
        raise ParseError(f"{text}: {what}") from None


class _Text:
    """A cursor over a user's text: elements, optionally within brackets."""

    __slots__ = ("_index", "_is_map", "_symbols", "_text", "_type")

    def __init__(
        self, column_type: ColumnType, text: str, symbols: SymbolTable | None
    ) -> None:
        self._type = column_type
        self._is_map = column_type.is_map()
        self._symbols = symbols
        self._text = text
        self._index = 0

    def parse(self) -> list[Any]:
        opening, closing = "{}" if self._is_map else "[]"
        elements: list[Any] = []
        end = ""
        self._skip_spaces()
        if self._peek() == opening:
            end = closing
            self._advance()
        elif not self._peek():
            noun = "map" if self._is_map else "set"
            raise ParseError(f'use "{opening}{closing}" to specify the empty {noun}')
        while self._peek() and self._peek() != end:
            elements += self._element()
            self._skip_spaces()
            if self._peek() == ",":
                self._advance()
        if self._peek() != end:
            raise ParseError(f'{self._text}: missing "{end}" at end of data')
        if end:
            self._advance()
            if self._peek():
                raise ParseError(f'{self._text}: trailing garbage after "{end}"')
        return elements

    def _peek(self) -> str:
        return self._text[self._index : self._index + 1]

    def _advance(self) -> None:
        self._index += 1
        self._skip_spaces()

    def _skip_spaces(self) -> None:
        while self._peek() and self._peek() in _SPACES:
            self._index += 1

    def _token(self) -> str:
        word, self._index = token(self._text, self._index)
        return word

    def _element(self) -> list[Any]:
        """Parse one element, which for integers may be a range of them."""
        character = self._peek()
        if character in _DELIMITERS:
            raise ParseError(
                f'{self._text}: unexpected "{character}" parsing '
                f"{self._type.to_english()}"
            )
        start = self._index
        keys = atoms.range_from_string(self._type.key, self._token(), self._symbols)
        if not self._is_map:
            return keys
        self._skip_spaces()
        if self._peek() != "=":
            raise ParseError(
                f'{self._text[start:]}: syntax error at "{self._peek()}" expecting "="'
            )
        self._advance()
        value = atoms.from_string(self._type.value, self._token(), self._symbols)
        return [(key, value) for key in keys]


def token(text: str, start: int = 0) -> tuple[str, int]:
    """Return the token that begins at `start`, and the index after it.

    It ends at a delimiter that is neither quoted nor after a backslash. Quotes stay
    in it, and backslashes within them. Raises: ParseError.
    """
    word: list[str] = []
    quoted = False
    index, size = start, len(text)
    while index < size:
        character = text[index]
        index += 1
        if character == "\\":
            if quoted:
                word.append("\\")
            if index == size:
                raise ParseError(f"{text[start:]}: backslash at end of argument")
            word.append(text[index])
            index += 1
        elif not quoted and character in _DELIMITERS:
            index -= 1
            break
        else:
            word.append(character)
            quoted ^= character == '"'
    if quoted:
        raise ParseError(f"{text[start:]}: quoted string extends past end of argument")
    return "".join(word), index


def is_delimiter(character: str) -> bool:
    """Return whether a character ends a token; the empty string does."""
    return character in _DELIMITERS
