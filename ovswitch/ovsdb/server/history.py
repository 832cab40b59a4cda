# SPDX-License-Identifier: Apache-2.0
"""The last transactions of a database, for clients that reconnect.

A client that says which transaction it saw last is told only what came after
(`monitor_cond_since`, ovsdb-server(7) section 4.1.15). Transactions are known by the
ids that a cluster gives them; a relay passes these on. A database without such ids has
no history: its last id is zero, and its clients are told everything.

At most 100 transactions are kept, and no more atoms than the database itself has,
beyond which telling everything is cheaper; but always the last one, for its id.

Source: ovsdb/transaction.c.
"""

from __future__ import annotations

from collections import deque
from itertools import islice

from ovswitch.ovsdb import uuids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ovswitch.ovsdb.database import Database
    from ovswitch.ovsdb.transaction import Change, Transaction

MAX_TRANSACTIONS = 100


class _Entry:
    __slots__ = ("changes", "id", "n_atoms")

    def __init__(self, transaction_id: str, transaction: Transaction) -> None:
        self.id = transaction_id
        self.changes = list(transaction.all_changes())
        self.n_atoms = sum(
            change.table.count_atoms(row)
            for change in self.changes
            for row in (change.old, change.new)
            if row is not None
        )


class History:
    """Committed transactions, oldest first."""

    __slots__ = ("_entries", "n_atoms")

    def __init__(self) -> None:
        self._entries: deque[_Entry] = deque()
        self.n_atoms = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def last_id(self) -> str:
        """The id of the last transaction; zero if there is none."""
        return self._entries[-1].id if self._entries else uuids.ZERO

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self.n_atoms = 0

    def add(
        self, transaction_id: str, transaction: Transaction, database: Database
    ) -> None:
        """Keep a transaction that was committed to `database`."""
        entry = _Entry(transaction_id, transaction)
        self._entries.append(entry)
        self.n_atoms += entry.n_atoms
        while len(self._entries) > 1 and (
            len(self._entries) > MAX_TRANSACTIONS or self.n_atoms > database.n_atoms
        ):
            self.n_atoms -= self._entries.popleft().n_atoms

    def changes_after(self, transaction_id: str) -> Iterator[Change] | None:
        """Return what was changed after a transaction; None if it isn't known."""
        for number, entry in enumerate(self._entries):
            if entry.id == transaction_id and transaction_id != uuids.ZERO:
                later = islice(self._entries, number + 1, None)
                return (change for entry in later for change in entry.changes)
        return None
