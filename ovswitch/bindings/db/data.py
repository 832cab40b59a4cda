# SPDX-License-Identifier: Apache-2.0
"""Atoms and data as objects, with the names of `ovs.db.data`.

A `Datum` has its atoms in the dictionary `values`: from key to value for a map, from
element to None for a set or scalar. The library itself keeps data as plain tuples
(`ovswitch.ovsdb.datum`); `Datum.from_core` and `Datum.to_core` go between the two.
"""

from __future__ import annotations

import functools
import uuid

from ovswitch.bindings import ovsuuid
from ovswitch.bindings.db import error, parser, types
from ovswitch.ovsdb import atom as core_atom
from ovswitch.ovsdb import datum as core_datum
from ovswitch.ovsdb.atom import DBL_MAX, INT64_MAX, INT64_MIN
from ovswitch.ovsdb.error import OvsdbError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Symbols = dict[str, uuid.UUID]


class ConstraintViolation(error.Error):
    """A value that its type forbids."""

    def __init__(self, msg: str, json: Any = None) -> None:
        super().__init__(msg, json, tag="constraint violation")


@functools.total_ordering
class Atom:
    """One value and its atomic type; a UUID is a `uuid.UUID`."""

    __slots__ = ("type", "value")

    def __init__(self, type_: types.AtomicType, value: Any = None) -> None:
        self.type = type_
        self.value = type_.default if value is None else value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Atom) or self.type is not other.type:
            return NotImplemented
        return bool(self.value == other.value)

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Atom) or self.type is not other.type:
            return NotImplemented
        return bool(self.value < other.value)

    def __hash__(self) -> int:
        return hash(self.value)

    def __repr__(self) -> str:
        return f"<Atom {self.to_string()}>"

    @staticmethod
    def default(type_: types.AtomicType) -> Atom:
        """Return the atom that a new row holds: 0, 0.0, False, "" or the zero UUID."""
        return Atom(type_)

    def is_default(self) -> bool:
        """Whether it is what a new row holds."""
        return bool(self.value == self.type.default)

    @staticmethod
    def from_json(
        base: types.BaseType, json: Any, symtab: Symbols | None = None
    ) -> Atom:
        """Parse an <atom>. Raises: error.Error."""
        if base.type is types.UuidType:
            return Atom(base.type, ovsuuid.from_json(json, symtab))
        json = parser.float_to_int(json)
        if not isinstance(json, base.type.python_types):
            raise error.Error(f"expected {base.type}", json)
        return Atom(base.type, json).checked(base)

    @staticmethod
    def from_python(base: types.BaseType, value: Any) -> Atom:
        """Return a Python value as an atom. Raises: error.Error."""
        value = parser.float_to_int(value)
        if not isinstance(value, base.type.python_types):
            raise error.Error(f"expected {base.type}, got {type(value)}")
        if isinstance(value, int | float) and not _is_sendable(value):
            raise error.Error(f"{value} is out of range")
        return Atom(base.type, value).checked(base)

    def checked(self, base: types.BaseType) -> Atom:
        """Return the atom if `base` allows it. Raises: error.Error."""
        self.check_constraints(base)
        return self

    def check_constraints(self, base: types.BaseType) -> None:
        """Raise `error.Error` if `base` forbids the atom; references may dangle."""
        if base.type is types.UuidType or not base.has_constraints():
            return
        try:
            core_atom.check(self.value, base.core)
        except OvsdbError as violation:
            text = violation.details or violation.tag
            raise ConstraintViolation(text) from violation

    def to_core(self) -> Any:
        """Return the library's atom: a UUID is a string, a number no boolean."""
        if self.type is types.UuidType:
            return str(self.value)
        return int(self.value) if self.type is types.IntegerType else self.value

    def to_json(self) -> Any:
        """Return the <atom>."""
        return core_atom.to_json(self.type.name, self.to_core())

    def to_string(self) -> str:
        """Return the atom as ovs-vsctl prints it."""
        return core_atom.to_string(self.type.name, self.to_core())

    @staticmethod
    def new(x: Any) -> Atom:
        """Return a Python value as an atom of the type that fits. Raises: TypeError."""
        for type_ in (types.BooleanType, types.IntegerType, types.RealType):
            if isinstance(x, type_.python_types):
                return Atom(type_, x)
        for type_ in (types.StringType, types.UuidType):
            if isinstance(x, type_.python_types):
                return Atom(type_, x)
        raise TypeError(f"{x!r} is no atom")


@functools.total_ordering
class Datum:
    """What a cell holds, and its type."""

    __slots__ = ("type", "values")

    def __init__(
        self, type_: types.Type, values: dict[Atom, Atom | None] | None = None
    ) -> None:
        self.type = type_
        self.values: dict[Atom, Atom | None] = {} if values is None else values

    @staticmethod
    def from_core(type_: types.Type, known: core_datum.Datum) -> Datum:
        """Return the library's datum in the bindings' form."""
        key, value = type_.key.type, type_.value
        if value is None:
            return Datum(type_, {_atom(key, element): None for element in known})
        return Datum(type_, {_atom(key, k): _atom(value.type, v) for k, v in known})

    def to_core(self) -> core_datum.Datum:
        """Return the library's datum: a sorted tuple, UUIDs as strings."""
        if self.type.value is None:
            return tuple(sorted(atom.to_core() for atom in self.values))
        pairs = ((k.to_core(), _value(v).to_core()) for k, v in self.values.items())
        return tuple(sorted(pairs))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Datum):
            return NotImplemented
        return self.values == other.values

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Datum):
            return NotImplemented
        return bool(self.to_core() < other.to_core())

    __hash__ = None  # type: ignore[assignment]  # may change, as upstream's

    def __contains__(self, item: object) -> bool:
        return item in self.values

    def __str__(self) -> str:
        return self.to_string()

    def copy(self) -> Datum:
        """Return another one like this."""
        return Datum(self.type, dict(self.values))

    @staticmethod
    def default(type_: types.Type) -> Datum:
        """Return what a new row's column of that type holds."""
        if type_.n_min == 0:
            return Datum(type_)
        value = None if type_.value is None else type_.value.default()
        return Datum(type_, {type_.key.default(): value})

    def is_default(self) -> bool:
        """Whether it is what a new row holds."""
        return self == Datum.default(self.type)

    def check_constraints(self) -> None:
        """Raise `error.Error` if the type forbids one of the atoms."""
        for key, value in self.values.items():
            key.check_constraints(self.type.key)
            if value is not None and self.type.value is not None:
                value.check_constraints(self.type.value)

    def conforms_to_type(self) -> bool:
        """Whether the number of elements is one that the type allows."""
        return self.type.n_min <= len(self.values) <= self.type.n_max

    # JSON.

    @staticmethod
    def from_json(type_: types.Type, json: Any, symtab: Symbols | None = None) -> Datum:
        """Parse a <value>; `symtab` lets it have named UUIDs. Raises: error.Error."""
        word = "map" if type_.is_map() else "set"
        if word == "set" and not (isinstance(json, list | tuple) and json[:1]):
            return Datum(type_, {Atom.from_json(type_.key, json, symtab): None})
        if word == "set" and json[0] != "set":
            return Datum(type_, {Atom.from_json(type_.key, json, symtab): None})
        elements = parser.unwrap_json(json, word, (list, tuple), "array")
        if not type_.n_min <= len(elements) <= type_.n_max:
            raise error.Error(
                f"{word} must have {type_.n_min} to {type_.n_max} members but "
                f"{len(elements)} are present",
                json,
            )
        datum = Datum(type_)
        for element in elements:
            datum._take(element, symtab)
        return datum

    def _take(self, element: Any, symtab: Symbols | None) -> None:
        value = None
        if self.type.value is not None:
            element, value_json = parser.parse_json_pair(element)
            value = Atom.from_json(self.type.value, value_json, symtab)
        key = Atom.from_json(self.type.key, element, symtab)
        if key in self.values:
            what = "set contains duplicate" if value is None else "map contains "
            raise error.Error(what if value is None else f"{what}duplicate key")
        self.values[key] = value

    def to_json(self) -> Any:
        """Return the <value>, sorted."""
        if self.type.is_map():
            pairs = sorted(self.values.items(), key=lambda pair: pair[0])
            return ["map", [[k.to_json(), _value(v).to_json()] for k, v in pairs]]
        if len(self.values) == 1:
            return next(iter(self.values)).to_json()
        return ["set", [key.to_json() for key in sorted(self.values)]]

    def to_string(self) -> str:
        """Return the datum as ovs-vsctl prints it."""
        texts = []
        for key in sorted(self.values):
            value = self.values[key]
            text = key.to_string()
            texts.append(text if value is None else f"{text}={value.to_string()}")
        inside = ", ".join(texts)
        if self.type.n_max <= 1 and texts:
            return inside
        return f"{{{inside}}}" if self.type.is_map() else f"[{inside}]"

    def diff(self, datum: Datum) -> Datum:
        """Apply the difference that an ``update2`` brings; return the result."""
        if self.type.n_max <= 1 and self.values:
            return datum
        for key, value in datum.values.items():
            if key in self.values and self.values[key] == value:
                del self.values[key]
            else:
                self.values[key] = value
        return self

    # Python values.

    def as_list(self) -> list[Any]:
        """Return the elements' values; [key, value] lists for a map."""
        if self.type.is_map():
            return [[k.value, _value(v).value] for k, v in self.values.items()]
        return [key.value for key in self.values]

    def as_dict(self) -> dict[Atom, Atom | None]:
        """Return the atoms."""
        return dict(self.values)

    def as_scalar(self) -> Any:
        """Return the only element's value, None unless there is exactly one."""
        return self.as_list()[0] if len(self.values) == 1 else None

    def to_python(self, uuid_to_row: Callable[[Any, types.BaseType], Any]) -> Any:
        """Return an atom for a scalar type, a dict for a map, else a sorted list.

        `uuid_to_row(value, base)` may replace each value; None leaves it out.
        """
        key_type, value_type = self.type.key, self.type.value
        if self.type.is_scalar():
            found = uuid_to_row(self.as_scalar(), key_type)
            return key_type.default() if found is None else found
        if value_type is not None:
            pairs = (
                (
                    uuid_to_row(k.value, key_type),
                    uuid_to_row(_value(v).value, value_type),
                )
                for k, v in self.values.items()
            )
            return {k: v for k, v in pairs if k is not None and v is not None}
        found = {uuid_to_row(key.value, key_type) for key in self.values}
        return sorted(found - {None})

    @staticmethod
    def from_python(
        type_: types.Type, value: Any, row_to_uuid: Callable[[Any], Any]
    ) -> Datum:
        """Return what `to_python` gives as a datum. Raises: error.Error.

        `row_to_uuid(value)` may replace each value, a row by its UUID.
        """
        key_type, value_type = type_.key, type_.value
        datum = Datum(type_)
        if isinstance(value, dict):
            for k, v in value.items():
                key = Atom.from_python(key_type, row_to_uuid(k))
                if value_type is None:
                    raise error.Error("expected a set, got a map")
                datum.values[key] = Atom.from_python(value_type, row_to_uuid(v))
        else:
            if not isinstance(value, list | set | frozenset | tuple):
                value = (value,)
            if value_type is not None and value:
                raise error.Error("expected a map")
            for element in value:
                key = Atom.from_python(key_type, row_to_uuid(element))
                datum.values[key] = None
        if not datum.conforms_to_type():
            raise error.Error(
                f"{len(datum.values)} values when type requires between "
                f"{type_.n_min} and {type_.n_max}"
            )
        return datum

    def __getitem__(self, key: Any) -> Any:
        if not self.type.is_map():
            raise IndexError
        return _value(
            self.values[key if isinstance(key, Atom) else Atom.new(key)]
        ).value

    def get(self, key: Any, default: Any = None) -> Any:
        """Return a map's value for a key."""
        found = self.values.get(key if isinstance(key, Atom) else Atom.new(key))
        return default if found is None else found.value

    def __iter__(self) -> Iterator[Atom]:
        return iter(self.values)


def _atom(type_: types.AtomicType, known: Any) -> Atom:
    return Atom(type_, uuid.UUID(known) if type_ is types.UuidType else known)


def _is_sendable(value: float) -> bool:
    """Whether a number can be in JSON that the server takes."""
    if isinstance(value, int):
        return INT64_MIN <= value <= INT64_MAX
    return -DBL_MAX <= value <= DBL_MAX


def _value(atom: Atom | None) -> Atom:
    assert atom is not None  # only a set's elements have none
    return atom
