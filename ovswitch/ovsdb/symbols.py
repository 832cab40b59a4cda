# SPDX-License-Identifier: Apache-2.0
"""Names for rows that a transaction inserts: `uuid-name` and `["named-uuid", NAME]`.

A name gets its UUID when it is first seen, be that the insertion or a reference. The
flags record how it was referred to, for ovs-vsctl's warnings.
"""

from __future__ import annotations

from ovswitch.ovsdb import uuids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.ovsdb.types import BaseType


class Symbol:
    """A name's UUID, whether a row of it was made, and how it is referred to."""

    __slots__ = ("created", "strong_ref", "uuid", "weak_ref")

    def __init__(self, uuid: str, created: bool = False) -> None:
        self.uuid = uuid
        self.created = created
        self.strong_ref = False
        self.weak_ref = False

    def note_reference(self, base: BaseType) -> None:
        """Note that a column of type `base` refers to the row."""
        if base.is_strong_ref:
            self.strong_ref = True
        elif base.is_weak_ref:
            self.weak_ref = True


class SymbolTable(dict[str, Symbol]):
    """The names of one transaction."""

    def insert(self, name: str) -> Symbol:
        """Return the symbol called `name`, made now if it is new."""
        symbol = self.get(name)
        if symbol is None:
            symbol = self[name] = Symbol(uuids.generate())
        return symbol
