# SPDX-License-Identifier: Apache-2.0
"""Column types: what the schema language can say about a cell.

A `BaseType` is an atomic type with constraints (enum, ranges, lengths, reference); a
`ColumnType` is a key, an optional value, and how many of them. Both are immutable once
made. Each compiles its JSON reader and writer once, so that nothing looks at the
type again for a cell.

Sources: RFC 7047 section 3.2, lib/ovsdb-types.c.
"""

from __future__ import annotations

from ovswitch.ovsdb import atom, datum
from ovswitch.ovsdb.atom import (
    BOOLEAN,
    DBL_MAX,
    INT64_MAX,
    INT64_MIN,
    INTEGER,
    REAL,
    STRING,
    UINT_MAX,
    UUID,
    VOID,
)
from ovswitch.ovsdb.error import syntax_error
from ovswitch.ovsdb.parser import ANY, ID, NUMBER, OBJECT, Parser
from ovswitch.ovsdb.parser import INTEGER as JSON_INTEGER
from ovswitch.ovsdb.parser import STRING as JSON_STRING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ovswitch.ovsdb.datum import Datum
    from ovswitch.ovsdb.symbols import SymbolTable
    from ovswitch.runtime.json import Value as Json

ATOMIC_TYPES = (INTEGER, REAL, BOOLEAN, STRING, UUID)


class BaseType:
    """An atomic type and its constraints.

    `type` is "integer", "real", "boolean", "string", "uuid" or, for a set's value,
    "void". `parse(json, symbols)` gives an atom.
    """

    __slots__ = (
        "enum",
        "max",
        "max_length",
        "min",
        "min_length",
        "parse",
        "ref_table_name",
        "ref_type",
        "type",
    )

    def __init__(
        self,
        type_: str,
        *,
        enum: Datum | None = None,
        min_: float | None = None,
        max_: float | None = None,
        min_length: int = 0,
        max_length: int = UINT_MAX,
        ref_table_name: str | None = None,
        ref_type: str = "strong",
    ) -> None:
        low, high = (-DBL_MAX, DBL_MAX) if type_ == REAL else (INT64_MIN, INT64_MAX)
        self.type = type_
        self.enum = enum
        self.min: float = low if min_ is None else min_
        self.max: float = high if max_ is None else max_
        self.min_length = min_length
        self.max_length = max_length
        self.ref_table_name = ref_table_name
        self.ref_type = ref_type
        self.parse = atom.compile_parser(self)

    @classmethod
    def from_json(cls, json: object) -> BaseType:
        """Parse a <base-type>. Raises: OvsdbError."""
        if isinstance(json, str):
            return cls(_atomic_type(json))
        parser = Parser(json, "ovsdb type")
        name = parser.member("type", JSON_STRING)
        if parser.error is not None:
            parser.finish()
        type_ = _atomic_type(name)
        constraints = _constraints(parser, type_, json)
        parser.finish()
        return cls(type_, **constraints)

    def to_json(self) -> Json:
        """Return the <base-type>, in its short form where there's no constraint."""
        if not self.has_constraints:
            return self.type
        json: dict[str, Json] = {"type": self.type}
        if self.enum is not None:
            enum_type = ColumnType(BaseType(self.type), n_max=UINT_MAX)
            json["enum"] = enum_type.to_json_value(self.enum)
        low, high = (-DBL_MAX, DBL_MAX) if self.type == REAL else (INT64_MIN, INT64_MAX)
        suffix = "Real" if self.type == REAL else "Integer"
        if self.min != low:
            json["min" + suffix] = self.min
        if self.max != high:
            json["max" + suffix] = self.max
        if self.min_length:
            json["minLength"] = self.min_length
        if self.max_length != UINT_MAX:
            json["maxLength"] = self.max_length
        if self.ref_table_name is not None:
            json["refTable"] = self.ref_table_name
            if self.ref_type == "weak":
                json["refType"] = "weak"
        return json

    @property
    def has_constraints(self) -> bool:
        """Whether anything is said beyond the atomic type."""
        low, high = (-DBL_MAX, DBL_MAX) if self.type == REAL else (INT64_MIN, INT64_MAX)
        return (
            self.enum is not None
            or self.min != low
            or self.max != high
            or self.min_length != 0
            or self.max_length != UINT_MAX
            or self.ref_table_name is not None
        )

    @property
    def is_strong_ref(self) -> bool:
        """Whether it refers to rows and keeps them alive."""
        return self.ref_table_name is not None and self.ref_type == "strong"

    @property
    def is_weak_ref(self) -> bool:
        """Whether it refers to rows and vanishes with them."""
        return self.ref_table_name is not None and self.ref_type == "weak"


_VOID = BaseType(VOID)


class ColumnType:
    """A column's type: `n_min` to `n_max` keys or (key, value) pairs.

    `n_max` of UINT_MAX means unlimited. `from_json(json, symbols=None)` reads a datum
    and raises OvsdbError; `to_json_value(datum)` writes one.
    """

    __slots__ = (
        "default",
        "from_json_value",
        "key",
        "n_max",
        "n_min",
        "to_json_value",
        "value",
    )

    def __init__(
        self,
        key: BaseType,
        value: BaseType | None = None,
        n_min: int = 1,
        n_max: int = 1,
    ) -> None:
        self.key = key
        self.value = value or _VOID
        self.n_min = n_min
        self.n_max = n_max
        self.from_json_value = datum.compile_parser(self)
        self.to_json_value = datum.compile_printer(self)
        self.default = self._make_default()

    def _make_default(self) -> Datum:
        if self.n_min == 0:
            return datum.EMPTY
        key = atom.DEFAULTS[self.key.type]
        return ((key, atom.DEFAULTS[self.value.type]) if self.is_map() else key,)

    @classmethod
    def from_json(cls, json: object) -> ColumnType:
        """Parse a <type>. Raises: OvsdbError."""
        if isinstance(json, str):
            return cls(BaseType.from_json(json))
        if not isinstance(json, dict):
            raise syntax_error(json, "ovsdb type expected")
        parser = Parser(json, "ovsdb type")
        key = parser.member("key", JSON_STRING | OBJECT)
        value = parser.member("value", JSON_STRING | OBJECT, optional=True)
        n_min = parser.member("min", JSON_INTEGER, 1, optional=True)
        n_max = parser.member("max", JSON_INTEGER | JSON_STRING, 1, optional=True)
        parser.finish()
        key_type = BaseType.from_json(key)
        value_type = None if value is None else BaseType.from_json(value)
        _check_count(n_min)
        if n_max == "unlimited":
            n_max = UINT_MAX
        else:
            _check_count(n_max)
        if n_min > 1 or n_max < 1:
            raise syntax_error(json, "ovsdb type fails constraint checks")
        return cls(key_type, value_type, n_min, n_max)

    def to_json(self) -> Json:
        """Return the <type>, in its short form where that suffices."""
        if self.is_scalar() and not self.key.has_constraints:
            return self.key.to_json()
        json: dict[str, Json] = {"key": self.key.to_json()}
        if self.is_map():
            json["value"] = self.value.to_json()
        if self.n_min != 1:
            json["min"] = self.n_min
        if self.n_max == UINT_MAX:
            json["max"] = "unlimited"
        elif self.n_max != 1:
            json["max"] = self.n_max
        return json

    def is_scalar(self) -> bool:
        """Exactly one atom."""
        return self.n_min == 1 and self.n_max == 1 and self.value.type == VOID

    def is_optional(self) -> bool:
        """One element or none."""
        return self.n_min == 0 and self.n_max == 1

    def is_composite(self) -> bool:
        """Room for more than one element."""
        return self.n_max > 1

    def is_set(self) -> bool:
        """A set, optional or larger, and not a scalar."""
        return self.value.type == VOID and (self.n_min != 1 or self.n_max != 1)

    def is_map(self) -> bool:
        """Pairs of key and value."""
        return self.value.type != VOID

    def is_default(self, value: Datum) -> bool:
        """Whether `value` is what a new row holds."""
        return value == self.default

    def to_string(self, value: Datum) -> str:
        """Return a datum as ovs-vsctl prints it."""
        return datum.to_string(self, value)

    def to_bare(self, value: Datum) -> str:
        """Return a datum without quotes and brackets."""
        return datum.to_bare(self, value)

    def from_string(self, text: str, symbols: SymbolTable | None = None) -> Datum:
        """Parse a datum that a user typed. Raises: ParseError."""
        return datum.from_string(self, text, symbols)

    def with_key_only(self) -> ColumnType:
        """Return the type of a set of this map's keys."""
        return ColumnType(self.key, None, self.n_min, self.n_max)

    def relaxed(self) -> ColumnType:
        """Return the type with any number of elements."""
        value = self.value if self.is_map() else None
        return ColumnType(self.key, value, 0, UINT_MAX)

    def to_english(self) -> str:
        """Describe the type for a message: "set of up to 3 integers"."""
        if self.is_scalar():
            return self.key.type
        noun = "map" if self.is_map() else "set"
        if self.n_max == UINT_MAX:
            count = f" of {self.n_min} or more" if self.n_min else " of"
        elif self.n_min:
            count = f" of {self.n_min} to {self.n_max}"
        else:
            count = f" of up to {self.n_max}"
        if self.is_map():
            return f"{noun}{count} ({self.key.type}, {self.value.type}) pairs"
        return f"{noun}{count} {self.key.type}s"


def _atomic_type(name: Any) -> str:
    if name not in ATOMIC_TYPES:
        raise syntax_error(name, f'"{name}" is not an atomic-type')
    return str(name)


def _check_count(count: Any) -> None:
    if not isinstance(count, int) or not 0 <= count < UINT_MAX:
        raise syntax_error(count, "bad min or max value")


def _constraints(parser: Parser, type_: str, json: object) -> dict[str, Any]:
    """Return the constraints that a <base-type> of `type_` may have."""
    enum = parser.member("enum", ANY, optional=True)
    if enum is not None:
        enum_type = ColumnType(BaseType(type_), n_max=UINT_MAX)
        return {"enum": enum_type.from_json_value(enum, None)}
    if type_ in {INTEGER, REAL}:
        return _range_constraints(parser, type_, json)
    if type_ == STRING:
        return _length_constraints(parser, json)
    if type_ == UUID:
        return _reference(parser)
    return {}


def _range_constraints(parser: Parser, type_: str, json: object) -> dict[str, Any]:
    suffix = "Real" if type_ == REAL else "Integer"
    kinds = NUMBER if type_ == REAL else JSON_INTEGER
    low = parser.member("min" + suffix, kinds, optional=True)
    high = parser.member("max" + suffix, kinds, optional=True)
    if low is not None and high is not None and low > high:
        raise syntax_error(json, f"min{suffix} exceeds max{suffix}")
    if type_ == REAL:
        low, high = (None if x is None else float(x) for x in (low, high))
    return {"min_": low, "max_": high}


def _length_constraints(parser: Parser, json: object) -> dict[str, Any]:
    lengths = {}
    for name, default in (("minLength", 0), ("maxLength", UINT_MAX)):
        length = parser.member(name, JSON_INTEGER, default, optional=True)
        if not 0 <= length <= UINT_MAX:
            raise syntax_error(length, f"{name} out of valid range 0 to {UINT_MAX}")
        lengths[name] = length
    if lengths["minLength"] > lengths["maxLength"]:
        raise syntax_error(json, "minLength exceeds maxLength")
    return {"min_length": lengths["minLength"], "max_length": lengths["maxLength"]}


def _reference(parser: Parser) -> dict[str, Any]:
    table = parser.member("refTable", ID, optional=True)
    if table is None:
        return {}
    kind = parser.member("refType", ID, "strong", optional=True)
    if kind not in {"strong", "weak"}:
        raise syntax_error(kind, f'refType must be "strong" or "weak" (not "{kind}")')
    return {"ref_table_name": table, "ref_type": kind}


UUID_TYPE = ColumnType(BaseType(UUID))
STRING_TYPE = ColumnType(BaseType(STRING))
INTEGER_TYPE = ColumnType(BaseType(INTEGER))
REAL_TYPE = ColumnType(BaseType(REAL))
BOOLEAN_TYPE = ColumnType(BaseType(BOOLEAN))
