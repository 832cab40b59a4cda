# SPDX-License-Identifier: Apache-2.0
"""Column types with the names of `ovs.db.types`, over `ovswitch.ovsdb.types`."""

from __future__ import annotations

import sys
import uuid

from ovswitch.bindings.db import error
from ovswitch.ovsdb import types as core_types
from ovswitch.ovsdb.atom import DBL_MAX, INT64_MAX, INT64_MIN, UINT_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ovswitch.bindings.db.data import Atom, Datum
    from ovswitch.bindings.db.schema import TableSchema

UNLIMITED = sys.maxsize


class AtomicType:
    """One of the five types of atoms, or "void" for the value of a set."""

    def __init__(self, name: str, default: Any, python_types: tuple[type, ...]) -> None:
        self.name = name
        self.default = default
        self.python_types = python_types

    @staticmethod
    def from_string(s: str) -> AtomicType:
        """Return the type called `s`. Raises: error.Error."""
        found = BY_NAME.get(s)
        if found is None or found is VoidType:
            raise error.Error(f'"{s}" is not an atomic-type', s)
        return found

    @staticmethod
    def from_json(json: Any) -> AtomicType:
        """Return a type from its name in JSON. Raises: error.Error."""
        if not isinstance(json, str):
            raise error.Error("atomic-type expected", json)
        return AtomicType.from_string(json)

    def __str__(self) -> str:
        return self.name

    def to_string(self) -> str:
        """Return the type's name."""
        return self.name

    def to_json(self) -> str:
        """Return the type's name."""
        return self.name

    def default_atom(self) -> Atom:
        """Return the atom that a new row holds."""
        from ovswitch.bindings.db.data import Atom

        return Atom(self, self.default)


REAL_PYTHON_TYPES = (int, float)

VoidType = AtomicType("void", None, ())
IntegerType = AtomicType("integer", 0, (int,))
RealType = AtomicType("real", 0.0, REAL_PYTHON_TYPES)
BooleanType = AtomicType("boolean", False, (bool,))
StringType = AtomicType("string", "", (str,))
UuidType = AtomicType("uuid", uuid.UUID(int=0), (uuid.UUID,))

ATOMIC_TYPES = [VoidType, IntegerType, RealType, BooleanType, StringType, UuidType]
BY_NAME = {each.name: each for each in ATOMIC_TYPES}


class BaseType:
    """An atomic type and its constraints; what isn't constrained is None."""

    def __init__(
        self,
        type_: AtomicType,
        enum: Datum | None = None,
        min: float | None = None,  # noqa: A002  the official name
        max: float | None = None,  # noqa: A002  the official name
        min_length: int = 0,
        max_length: int = UNLIMITED,
        ref_table_name: str | None = None,
    ) -> None:
        self.type = type_
        self.enum = enum
        self.min = min
        self.max = max
        self.min_length = min_length
        self.max_length = max_length
        self.ref_table_name = ref_table_name
        self.ref_type = "strong" if ref_table_name else None
        self.ref_table: TableSchema | None = None
        self._core: core_types.BaseType | None = None

    @property
    def core(self) -> core_types.BaseType:
        """The library's own type, which checks and prints atoms."""
        if self._core is None:
            with error.translated():
                self._core = core_types.BaseType.from_json(self.to_json())
        return self._core

    @staticmethod
    def from_json(json: Any) -> BaseType:
        """Parse a <base-type>. Raises: error.Error."""
        with error.translated(json):
            return BaseType.from_core(core_types.BaseType.from_json(json))

    @staticmethod
    def from_core(known: core_types.BaseType) -> BaseType:
        """Return the library's type in the bindings' form."""
        from ovswitch.bindings.db.data import Datum

        base = BaseType(
            BY_NAME[known.type],
            min_length=known.min_length,
            max_length=UNLIMITED if known.max_length == UINT_MAX else known.max_length,
            ref_table_name=known.ref_table_name,
        )
        if known.type in {"integer", "real"}:
            is_real = known.type == "real"
            low, high = (-DBL_MAX, DBL_MAX) if is_real else (INT64_MIN, INT64_MAX)
            base.min = None if known.min == low else known.min
            base.max = None if known.max == high else known.max
        if known.ref_table_name is not None:
            base.ref_type = known.ref_type
        if known.enum is not None:
            enum_type = BaseType.get_enum_type(base.type)
            base.enum = Datum.from_core(enum_type, known.enum)
        base._core = known
        return base

    def to_json(self) -> Any:
        """Return the <base-type>, in its short form where there is no constraint."""
        if not self.has_constraints():
            return self.type.to_json()
        json: dict[str, Any] = {"type": self.type.to_json()}
        if self.enum is not None:
            json["enum"] = self.enum.to_json()
        suffix = "Integer" if self.type is IntegerType else "Real"
        if self.min is not None:
            json["min" + suffix] = self.min
        if self.max is not None:
            json["max" + suffix] = self.max
        if self.min_length:
            json["minLength"] = self.min_length
        if self.max_length != UNLIMITED:
            json["maxLength"] = self.max_length
        if self.ref_table_name:
            json["refTable"] = self.ref_table_name
            if self.ref_type != "strong":
                json["refType"] = self.ref_type
        return json

    def default(self) -> Atom:
        """Return the atom that a new row holds."""
        return self.type.default_atom()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BaseType):
            return NotImplemented
        return self._parts() == other._parts()

    __hash__ = None  # type: ignore[assignment]  # may change, as upstream's

    def _parts(self) -> tuple[Any, ...]:
        return (
            self.type,
            self.enum,
            self.min,
            self.max,
            self.min_length,
            self.max_length,
            self.ref_table_name,
        )

    def copy(self) -> BaseType:
        """Return another one like this."""
        enum = None if self.enum is None else self.enum.copy()
        base = BaseType(self.type, enum, *self._parts()[2:])
        base.ref_type, base.ref_table = self.ref_type, self.ref_table
        return base

    def is_valid(self) -> bool:
        """Whether the constraints can be fulfilled."""
        if self.min is not None and self.max is not None and self.min > self.max:
            return False
        return self.min_length <= self.max_length

    def has_constraints(self) -> bool:
        """Whether anything is said beyond the atomic type."""
        return self._parts()[1:] != (None, None, None, 0, UNLIMITED, None)

    def without_constraints(self) -> BaseType:
        """Return the atomic type alone."""
        return BaseType(self.type)

    @staticmethod
    def get_enum_type(atomic_type: AtomicType) -> Type:
        """Return the type of `enum` for an atomic type."""
        return Type(BaseType(atomic_type), None, 1, UNLIMITED)

    def is_ref(self) -> bool:
        """Whether it refers to rows."""
        return self.type is UuidType and self.ref_table_name is not None

    def is_strong_ref(self) -> bool:
        """Whether it refers to rows and keeps them alive."""
        return self.is_ref() and self.ref_type == "strong"

    def is_weak_ref(self) -> bool:
        """Whether it refers to rows and vanishes with them."""
        return self.is_ref() and self.ref_type == "weak"


class Type:
    """A column's type: `n_min` to `n_max` keys, or pairs of key and value."""

    DEFAULT_MIN = 1
    DEFAULT_MAX = 1

    def __init__(
        self,
        key: BaseType,
        value: BaseType | None = None,
        n_min: int = DEFAULT_MIN,
        n_max: int = DEFAULT_MAX,
    ) -> None:
        self.key = key
        self.value = value
        self.n_min = n_min
        self.n_max = n_max

    @staticmethod
    def from_json(json: Any) -> Type:
        """Parse a <type>. Raises: error.Error."""
        with error.translated(json):
            known = core_types.ColumnType.from_json(json)
        value = BaseType.from_core(known.value) if known.is_map() else None
        n_max = UNLIMITED if known.n_max == UINT_MAX else known.n_max
        return Type(BaseType.from_core(known.key), value, known.n_min, n_max)

    def to_json(self) -> Any:
        """Return the <type>, in its short form where that suffices."""
        if self.is_scalar() and not self.key.has_constraints():
            return self.key.to_json()
        json: dict[str, Any] = {"key": self.key.to_json()}
        if self.value is not None:
            json["value"] = self.value.to_json()
        if self.n_min != Type.DEFAULT_MIN:
            json["min"] = self.n_min
        if self.n_max == UNLIMITED:
            json["max"] = "unlimited"
        elif self.n_max != Type.DEFAULT_MAX:
            json["max"] = self.n_max
        return json

    def copy(self) -> Type:
        """Return another one like this."""
        value = None if self.value is None else self.value.copy()
        return Type(self.key.copy(), value, self.n_min, self.n_max)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Type):
            return NotImplemented
        mine = (self.key, self.value, self.n_min, self.n_max)
        return mine == (other.key, other.value, other.n_min, other.n_max)

    __hash__ = None  # type: ignore[assignment]  # may change, as upstream's

    def is_valid(self) -> bool:
        """Whether a column can have the type."""
        return (
            self.key.type is not VoidType
            and self.key.is_valid()
            and (self.value is None or self.value.is_valid())
            and self.n_min <= 1 <= self.n_max
        )

    def is_scalar(self) -> bool:
        """Exactly one atom."""
        return self.n_min == 1 and self.n_max == 1 and not self.value

    def is_optional(self) -> bool:
        """One element or none."""
        return self.n_min == 0 and self.n_max == 1

    def is_composite(self) -> bool:
        """Room for more than one element."""
        return self.n_max > 1

    def is_set(self) -> bool:
        """A set, optional or larger, and not a scalar."""
        return self.value is None and (self.n_min != 1 or self.n_max != 1)

    def is_map(self) -> bool:
        """Pairs of key and value."""
        return self.value is not None

    def is_smap(self) -> bool:
        """A map from strings to strings."""
        return (
            self.is_map()
            and self.key.type is StringType
            and self.value is not None
            and self.value.type is StringType
        )

    def is_optional_pointer(self) -> bool:
        """An optional string or reference."""
        return (
            self.is_optional()
            and not self.value
            and (self.key.type is StringType or self.key.ref_table_name is not None)
        )
