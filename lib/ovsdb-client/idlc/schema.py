# SPDX-License-Identifier: Apache-2.0
"""Schemas, as far as the generator needs them: RFC 7047 section 3.2.

Each column knows its C members: what a row's structure holds for it, and what the
functions that set it take.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

UNLIMITED = 2**32 - 1

_WORDS = """
alignas alignof and and_eq asm auto bitand bitor bool break case catch char
char16_t char32_t class compl concept const const_cast constexpr continue
decltype default delete do double dynamic_cast else enum explicit export extern
false float for friend goto if inline int long mutable namespace new noexcept
not not_eq nullptr operator or or_eq private protected public register
reinterpret_cast requires restrict return short signed sizeof static
static_assert static_cast struct switch template this thread_local throw true try
typedef typeid typename union unsigned using virtual void volatile wchar_t while
xor xor_eq
"""
_KEYWORDS = frozenset(_WORDS.split())

# With these, set_COLUMN or get_COLUMN would be functions that each table has.
_COLLISIONS = frozenset({"condition", "seqno", "for_uuid"})
_C_TYPES = {
    "integer": "int64_t ",
    "real": "double ",
    "boolean": "bool ",
    "string": "char *",
    "uuid": "struct uuid ",
}


class SchemaError(Exception):
    """The schema isn't one, or uses what cannot be translated."""


def c_name(name: str) -> str:
    """Return a column's name in C and C++."""
    return f"{name}_" if name in _KEYWORDS | _COLLISIONS else name


def _constant(c_type: str) -> str:
    """Return the type as the functions that don't change it take it."""
    if c_type.endswith("*") and (c_type == "char **" or not c_type.endswith("**")):
        return f"const {c_type}"
    return c_type


_FIXED_PARAMETERS = frozenset({"row", "function"})


def _parameter(c_type: str, name: str) -> Member:
    return Member(c_type, f"{name}_" if name in _FIXED_PARAMETERS else name)


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a structure or a parameter: type, with its space, and name."""

    c_type: str
    name: str

    def __str__(self) -> str:
        return f"{self.c_type}{self.name}"


class Base:
    """The type of a key or value."""

    def __init__(self, document: Any) -> None:
        if isinstance(document, str):
            document = {"type": document}
        if not isinstance(document, dict) or document.get("type") not in _C_TYPES:
            raise SchemaError(f"bad base type {document!r}")
        self.type: str = document["type"]
        self.ref_table: str | None = document.get("refTable")
        self._document = document

    def c_type(self, prefix: str) -> str:
        """Return the C type of one element."""
        if self.ref_table is not None:
            return f"struct {prefix}{self.ref_table.lower()} *"
        return _C_TYPES[self.type]

    def constraints(self) -> str:
        """Return what values are allowed, in English; "" if all."""
        enum = self._document.get("enum")
        if enum is not None:
            values = enum[1] if isinstance(enum, list) else [enum]
            return "one of " + ", ".join(str(value) for value in values)
        for kind, noun in (("Integer", ""), ("Real", ""), ("Length", "length ")):
            low = self._document.get(f"min{kind}")
            high = self._document.get(f"max{kind}")
            if low is not None and high is not None:
                return f"{noun}in range {low} to {high}"
            if low is not None:
                return f"{noun}at least {low}"
            if high is not None:
                return f"{noun}at most {high}"
        return ""


class Column:
    """A column."""

    def __init__(self, name: str, document: Any, table: str) -> None:
        if not isinstance(document, dict) or "type" not in document:
            raise SchemaError(f"table {table} column {name} has no type")
        extensions = document.get("extensions", {})
        if extensions.get("synthetic"):
            raise SchemaError(f"table {table} column {name}: synthetic columns cannot")
        kind = document["type"]
        kind = kind if isinstance(kind, dict) else {"key": kind}
        self.schema_name = name
        self.name = c_name(name)
        self.mutable = bool(document.get("mutable", True))
        self.key = Base(kind["key"])
        self.value = Base(kind["value"]) if "value" in kind else None
        self.n_min = int(kind.get("min", 1))
        n_max = kind.get("max", 1)
        self.n_max = UNLIMITED if n_max == "unlimited" else int(n_max)

    @property
    def is_smap(self) -> bool:
        """Whether it maps strings to strings."""
        return (
            self.value is not None
            and self.key.type == "string"
            and self.value.type == "string"
        )

    @property
    def is_scalar(self) -> bool:
        """Whether it has exactly one element, always."""
        return self.n_min == self.n_max == 1

    @property
    def is_optional_pointer(self) -> bool:
        """Whether it's a pointer that may be NULL."""
        return (
            (self.n_min, self.n_max) == (0, 1)
            and self.value is None
            and (self.key.type == "string" or self.key.ref_table is not None)
        )

    @property
    def is_array(self) -> bool:
        """Whether it consists of arrays and a number."""
        return not (self.is_smap or self.is_scalar or self.is_optional_pointer)

    @property
    def is_partial(self) -> bool:
        """Whether single elements may be added and removed."""
        return self.value is not None or not self.is_scalar

    @property
    def key_member(self) -> str:
        """The name of the member with the keys."""
        return f"key_{self.name}" if self.value and not self.is_smap else self.name

    @property
    def value_member(self) -> str | None:
        """The name of the member with the values, if it's a map."""
        return f"value_{self.name}" if self.value and not self.is_smap else None

    def members(self, prefix: str) -> list[Member]:
        """Return the members of the structure."""
        if self.is_smap:
            return [Member("struct smap ", self.name)]
        pointer = "*" if self.is_array else ""
        members = [Member(self.key.c_type(prefix) + pointer, self.key_member)]
        if self.value is not None:
            c_type = self.value.c_type(prefix) + pointer
            members.append(Member(c_type, f"value_{self.name}"))
        if self.is_array:
            members.append(Member("size_t ", f"n_{self.name}"))
        return members

    def parameters(self, prefix: str) -> list[Member]:
        """Return the parameters of a function that sets the column."""
        if self.is_smap:
            return [_parameter("const struct smap *", self.name)]
        return [
            _parameter(_constant(member.c_type), member.name)
            for member in self.members(prefix)
        ]

    def clause_parameters(self, prefix: str) -> list[Member]:
        """Return those of a condition, where rows are UUIDs."""
        if self.value is not None or self.key.ref_table is None:
            return self.parameters(prefix)
        members = [_parameter("const struct uuid *", self.name)]
        if self.is_array:
            members.append(Member("size_t ", f"n_{self.name}"))
        return members

    def element(self, base: Base, prefix: str) -> str:
        """Return the type of one element as a parameter."""
        return _constant(base.c_type(prefix))

    def comment(self) -> str:
        """Return what a reader of the header should know of the values."""
        text = self.key.constraints()
        if self.value is not None and self.value.constraints():
            text = f"key {text or 'any'}, value {self.value.constraints()}"
        if self.is_array and self.n_max == 1:
            text = f"optional, {text}" if text else "optional"
        return text.replace("*/", "* /")


class Table:
    """A table."""

    def __init__(self, name: str, document: Any) -> None:
        if not isinstance(document, dict) or "columns" not in document:
            raise SchemaError(f"table {name} has no columns")
        self.name = name
        self.is_root = bool(document.get("isRoot", False))
        self.is_singleton = document.get("maxRows") == 1
        self.columns = [
            Column(column, description, name)
            for column, description in sorted(document["columns"].items())
            if not column.startswith("_")
        ]


class Schema:
    """A database schema, with the annotations for C."""

    def __init__(self, document: Any) -> None:
        if not isinstance(document, dict) or "tables" not in document:
            raise SchemaError("not a database schema")
        self.name = str(document["name"])
        self.version = str(document.get("version", ""))
        self.prefix = str(document.get("idlPrefix", f"{self.name.lower()}_"))
        self.header = str(document.get("idlHeader", f'"{self.name.lower()}-idl.h"'))
        self.c_declarations = str(document.get("cDecls", ""))
        self.h_declarations = str(document.get("hDecls", ""))
        self.tables = [
            Table(name, table) for name, table in sorted(document["tables"].items())
        ]
        if not any(table.is_root for table in self.tables):
            for table in self.tables:
                table.is_root = True
        self._check()

    def _check(self) -> None:
        names = {table.name for table in self.tables}
        for table in self.tables:
            for column in table.columns:
                for base in (column.key, column.value):
                    if base and base.ref_table and base.ref_table not in names:
                        raise SchemaError(
                            f"column {column.schema_name} of table {table.name} "
                            f"refers to {base.ref_table}, which isn't there"
                        )

    def struct(self, table: Table | str) -> str:
        """Return the name of a table's structure."""
        name = table.name if isinstance(table, Table) else table
        return f"{self.prefix}{name.lower()}"
