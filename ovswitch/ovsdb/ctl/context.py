# SPDX-License-Identifier: Apache-2.0
"""What a command of a control tool works on: its words, the replica, the transaction.

Preparing commands get a context without a transaction; they register the tables and
columns to follow. Commands that run find rows, write to them and add to `output`.
"""

from __future__ import annotations

from ovswitch.ovsdb.ctl.order import row_order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ovswitch.ovsdb.ctl.commands import Command
    from ovswitch.ovsdb.ctl.lookup import Tables
    from ovswitch.ovsdb.idl_transaction import TransactionCore
    from ovswitch.ovsdb.output import Table as OutputTable
    from ovswitch.ovsdb.replica import Replica, Table
    from ovswitch.ovsdb.replica_row import Row
    from ovswitch.ovsdb.symbols import SymbolTable


class Context:
    """The state of a chain of commands and, within it, of the command at hand."""

    __slots__ = (
        "command",
        "is_last",
        "output",
        "replica",
        "symbols",
        "table",
        "tables",
        "try_again",
        "txn",
    )

    def __init__(
        self,
        replica: Replica,
        tables: Tables,
        txn: TransactionCore | None,
        symbols: SymbolTable | None,
    ) -> None:
        self.replica = replica
        self.tables = tables
        self.txn = txn
        self.symbols = symbols
        self.command: Command | None = None
        self.is_last = False
        self.output: list[str] = []
        self.table: OutputTable | None = None
        self.try_again = False

    def begin(self, command: Command, *, is_last: bool = False) -> None:
        """Turn to a command."""
        self.command = command
        self.is_last = is_last
        self.output = []
        self.table = None
        self.try_again = False

    def end(self) -> None:
        """Leave what the command has written with it."""
        assert self.command is not None
        self.command.output = "".join(self.output)
        self.command.table = self.table

    def note_write(self, table: str, column: str | None) -> None:
        """A column of a row is about to change, or with None a whole row.

        For tools that keep a view of the rows.
        """

    @property
    def words(self) -> Sequence[str]:
        """The command's name and arguments."""
        assert self.command is not None
        return self.command.words

    def has(self, option: str) -> bool:
        """Whether the command has the option, spelled with its dashes."""
        assert self.command is not None
        return option in self.command.options

    def option(self, option: str) -> str | None:
        """The argument of an option, None without the option."""
        assert self.command is not None
        return self.command.options.get(option)

    def insert(self, table: str, uuid: str | None = None) -> Row:
        """Insert a row."""
        assert self.txn is not None
        return self.txn.insert(self.replica.table(table), uuid)

    def rows(self, table: Table) -> list[Row]:
        """The rows of a table in the reference's order."""
        return [table.rows[uuid] for uuid in row_order(table.rows)]
