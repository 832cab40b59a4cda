# SPDX-License-Identifier: Apache-2.0
"""Changes of flow tables that may still be taken back.

While a journal is open the tables change at once, so that later flow mods and packets
of the same transaction meet what earlier ones did, but nobody is told. Then either
`roll_back()` undoes all changes, the last one first, or `publish()` tells the tables'
observers of them in the order they were made. Packets and other requests wait
meanwhile, hence the changes come into force all at once.

A rule that was replaced or removed is put back as the same object: its statistics and
whoever refers to it (datapath flows, cached translations) stay valid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self

    from ovswitch.ofproto.rule import Rule
    from ovswitch.ofproto.tables import FlowTables

_ADDED, _MODIFIED, _REMOVED = range(3)


class Journal:
    """A transaction on flow tables, open until rolled back or closed.

    It is the only observer of the tables while it is open.
    """

    __slots__ = ("_changes", "_observers", "_published", "is_open", "tables")

    def __init__(self, tables: FlowTables) -> None:
        """Begin. There can be only one at a time."""
        self.tables = tables
        self._changes: list[tuple[int, Rule, Rule | None, object | None]] = []
        self._published = 0
        self.is_open = True
        self._observers = tables.replace_observers([self])

    @property
    def position(self) -> int:
        """How many changes have been made so far."""
        return len(self._changes)

    def close(self) -> None:
        """End the transaction: changes are told directly again."""
        self.is_open = False
        self.tables.replace_observers(self._observers)

    def roll_back(self) -> None:
        """Undo all changes and end the transaction."""
        self.close()
        for kind, rule, other, _ in reversed(self._changes):
            if kind == _REMOVED:
                self.tables.undo(None, rule)
            else:
                self.tables.undo(rule, other)
        self._changes.clear()

    def publish(self, position: int) -> None:
        """Tell the observers of the changes up to a position."""
        for kind, rule, other, requester in self._changes[self._published : position]:
            for observer in self._observers:
                if kind == _REMOVED:
                    observer.rule_removed(rule, requester)
                elif kind == _MODIFIED:
                    assert other is not None
                    observer.rule_modified(rule, other, requester)
                else:
                    observer.rule_added(rule, other, requester)
        self._published = position

    # The tables' observer.

    def rule_added(
        self, rule: Rule, replaced: Rule | None, requester: object | None
    ) -> None:
        """Note a change."""
        self._changes.append((_ADDED, rule, replaced, requester))

    def rule_modified(self, rule: Rule, old: Rule, requester: object | None) -> None:
        """Note a change."""
        self._changes.append((_MODIFIED, rule, old, requester))

    def rule_removed(self, rule: Rule, requester: object | None) -> None:
        """Note a change."""
        self._changes.append((_REMOVED, rule, None, requester))


class Journals:
    """The journal of one switch's tables, and of others that packets teach flows.

    As a context manager it rolls back what wasn't closed.
    """

    __slots__ = ("_others", "main")

    def __init__(self, tables: FlowTables) -> None:
        self.main = Journal(tables)
        self._others: dict[FlowTables, Journal] = {}

    def cover(self, tables: FlowTables) -> None:
        """Keep a journal of `tables` too."""
        if tables is not self.main.tables and tables not in self._others:
            self._others[tables] = Journal(tables)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.main.is_open:
            self.roll_back()

    def roll_back(self) -> None:
        """Undo all changes and end the transaction."""
        for journal in (self.main, *self._others.values()):
            journal.roll_back()

    def close(self) -> None:
        """End the transaction: changes are told directly again."""
        for journal in (self.main, *self._others.values()):
            journal.close()

    def publish_others(self) -> None:
        """Tell the other tables' observers of all changes."""
        for journal in self._others.values():
            journal.publish(journal.position)
