# SPDX-License-Identifier: Apache-2.0
"""Running a chain of commands as one transaction, again if somebody was faster.

A tool says by a subclass what it is for and what happens around the commands.

Sources: utilities/ovs-vsctl.c, do_vsctl(); vtep/vtep-ctl.c, do_vtep_ctl().
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from ovswitch.ovsdb.ctl.commands import CtlError
from ovswitch.ovsdb.ctl.lookup import Tables
from ovswitch.ovsdb.ctl.options import write
from ovswitch.ovsdb.ctl.order import hash_order, string_hash
from ovswitch.ovsdb.idl import Idl, SchemaHelper, Transaction
from ovswitch.ovsdb.symbols import SymbolTable
from ovswitch.runtime import fatal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, ClassVar

    from ovswitch.ovsdb.ctl.commands import Command
    from ovswitch.ovsdb.ctl.context import Context
    from ovswitch.ovsdb.ctl.lookup import RowId
    from ovswitch.ovsdb.ctl.options import Settings
    from ovswitch.ovsdb.replica import Table
    from ovswitch.ovsdb.replica_row import Row
    from ovswitch.runtime import vlog


class Chain(ABC):
    """The commands of one command line, and the database that they run on.

    `line` is the command line as text, for the transaction's comment. `root_table` has
    at most one row, which is inserted when it is missing.
    """

    root_table: ClassVar[str]
    row_ids: ClassVar[Mapping[str, RowId]]
    log: ClassVar[vlog.Module]

    def __init__(
        self, settings: Settings, commands: Sequence[Command], line: str, schema: Any
    ) -> None:
        self._settings = settings
        self._commands = commands
        self._line = line
        self._idl = Idl(
            settings.db,
            SchemaHelper(schema_json=schema),
            leader_only=settings.leader_only,
            retry=settings.retry,
            shuffle=settings.shuffle_remotes,
            eager=True,
        )
        self._replica = self._idl.core.replica
        self._tables = Tables(self._replica, self.row_ids)
        self._prepare()

    def close(self) -> None:
        """Leave the server."""
        self._idl.close()

    # What tools differ in.

    @abstractmethod
    def comment(self) -> str:
        """What the transaction says in the database's log."""

    @abstractmethod
    def context(
        self,
        txn: Transaction | None = None,
        symbols: SymbolTable | None = None,
        root: Row | None = None,
    ) -> Context:
        """What the commands work on; without arguments, for preparing them."""

    def follow_root(self, root: Table) -> None:  # noqa: B027 (most need nothing)
        """Follow what the tool itself needs to see, besides the root row."""

    def begin(self, txn: Transaction, root: Row) -> None:  # noqa: B027
        """Add to the transaction what doesn't come from a command."""

    def committed(self, txn: Transaction, ctx: Context) -> None:  # noqa: B027
        """Do what is left after the output, when the database has changed."""

    # Running.

    def _prepare(self) -> None:
        """Follow what the commands need to see. Raises: CtlError."""
        root = self._replica.table(self.root_table)
        root.add()
        self.follow_root(root)
        ctx = self.context()
        for command in self._commands:
            if command.syntax.prepare is not None:
                ctx.begin(command)
                command.syntax.prepare(ctx)

    def run(self) -> None:
        """Run the commands until they have been committed, and print their output.

        Raises: CtlError.
        """
        if not self._idl.wait_until_connected():
            raise self._connection_failed()
        while True:
            seqno = self._idl.change_seqno
            if self._attempt():
                return
            # Nothing will be different before the contents are.
            while self._idl.change_seqno == seqno:
                if not self._idl.is_alive:
                    raise self._connection_failed()
                self._idl.wait()

    def _connection_failed(self) -> CtlError:
        error = fatal.retval_text(self._idl.last_error)
        return CtlError(f"{self._settings.db}: database connection failed ({error})")

    def _attempt(self) -> bool:
        """Run the commands once; return False if they have to be run again."""
        txn = Transaction(self._idl)
        ctx = None
        try:
            ctx = self._run_commands(txn)
            status = txn.commit_block() if ctx is not None else Transaction.TRY_AGAIN
        finally:
            txn.abort()
        if ctx is None or status == Transaction.TRY_AGAIN:
            return False
        if status not in (Transaction.UNCHANGED, Transaction.SUCCESS):
            raise CtlError(_failure(txn, status))
        self._finish(ctx)
        write("".join(self._text(command) for command in self._commands))
        if status == Transaction.SUCCESS:
            self.committed(txn, ctx)
        return True

    def _run_commands(self, txn: Transaction) -> Context | None:
        """Run the commands; return None if one of them wants to be run again later."""
        txn.dry_run = self._settings.dry_run
        txn.add_comment(self.comment())
        table = self._replica.table(self.root_table)
        root = table.first() or txn.insert(table)
        self.begin(txn, root)
        symbols = SymbolTable()
        ctx = self.context(txn, symbols, root)
        for command in self._commands:
            ctx.begin(command, is_last=command is self._commands[-1])
            if command.syntax.run is not None:
                command.syntax.run(ctx)
            ctx.end()
            if ctx.try_again:
                return None
        self._check_symbols(symbols)
        return ctx

    def _finish(self, ctx: Context) -> None:
        for command in self._commands:
            if command.syntax.finish is not None:
                ctx.begin(command)
                command.syntax.finish(ctx)
                ctx.end()

    def _text(self, command: Command) -> str:
        if command.table is not None:
            return command.table.to_text(self._settings.style)
        if not self._settings.oneline:
            return command.output
        text = command.output.removesuffix("\n").replace("\\", "\\\\")
        return text.replace("\n", "\\n") + "\n"

    def _check_symbols(self, symbols: SymbolTable) -> None:
        """Complain about names that were used and not defined, or the reverse."""
        for name in hash_order(symbols, string_hash):
            symbol = symbols[name]
            if not symbol.created:
                raise CtlError(
                    f'row id "{name}" is referenced but never created (e.g. with '
                    f'"-- --id={name} create ...")'
                )
            if symbol.strong_ref:
                continue
            if symbol.weak_ref:
                self.log.warn(
                    'row id "%s" was created but only a weak reference to it was '
                    "inserted, so it will not actually appear in the database",
                    name,
                )
            else:
                self.log.warn(
                    'row id "%s" was created but no reference to it was inserted, so '
                    "it will not actually appear in the database",
                    name,
                )


def _failure(txn: Transaction, status: str) -> str:
    if status == Transaction.ABORTED:
        return "transaction aborted"
    if status == Transaction.NOT_LOCKED:
        return "database not locked"
    return f"transaction error: {txn.get_error()}"
