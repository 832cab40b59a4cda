# SPDX-License-Identifier: Apache-2.0
"""Running a chain of commands as one transaction, again if somebody was faster.

Sources: utilities/ovs-vsctl.c, do_vsctl().
"""

from __future__ import annotations

import posix

from ovswitch.ovsdb.ctl.commands import CtlError
from ovswitch.ovsdb.ctl.lookup import Tables
from ovswitch.ovsdb.ctl.order import hash_order, string_hash
from ovswitch.ovsdb.idl import Idl, SchemaHelper, Transaction
from ovswitch.ovsdb.symbols import SymbolTable
from ovswitch.runtime import dirs, fatal
from ovswitch.tools.vsctl.commands import ROW_IDS
from ovswitch.tools.vsctl.model import VsctlContext, log
from ovswitch.tools.vsctl.options import write
from ovswitch.tools.vsctl.schema import load_schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ovswitch.ovsdb.ctl.commands import Command
    from ovswitch.ovsdb.replica_row import Row
    from ovswitch.tools.vsctl.options import Settings


class Chain:
    """The commands of one command line, and the database that they run on.

    `line` is the command line as text, for the transaction's comment.
    """

    def __init__(
        self, settings: Settings, commands: Sequence[Command], line: str
    ) -> None:
        self._settings = settings
        self._commands = commands
        self._line = line
        helper = SchemaHelper(schema_json=load_schema())
        self._idl = Idl(
            settings.db,
            helper,
            leader_only=settings.leader_only,
            retry=settings.retry,
            shuffle=settings.shuffle_remotes,
            eager=True,
        )
        self._replica = self._idl.core.replica
        self._tables = Tables(self._replica, ROW_IDS)
        self._prepare()

    def close(self) -> None:
        """Leave the server."""
        self._idl.close()

    def _prepare(self) -> None:
        """Follow what the commands need to see. Raises: CtlError."""
        root = self._replica.table("Open_vSwitch")
        root.add()
        if self._settings.wait_for_reload:
            root.add_column("cur_cfg")
        ctx = VsctlContext(self._replica, self._tables)
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
        self._print()
        if self._settings.wait_for_reload and status == Transaction.SUCCESS:
            self._wait_for_reload(txn, ctx)
        return True

    def _run_commands(self, txn: Transaction) -> VsctlContext | None:
        """Run the commands; return None if one of them wants to be run again later."""
        txn.dry_run = self._settings.dry_run
        txn.add_comment(f"ovs-vsctl{_invoker()}: {self._line}")
        ovs = self._replica.table("Open_vSwitch").first()
        if ovs is None:
            ovs = txn.insert(self._replica.table("Open_vSwitch"))
        if self._settings.wait_for_reload:
            txn.increment(ovs, "next_cfg", force=False)
        symbols = SymbolTable()
        ctx = VsctlContext(self._replica, self._tables, txn, symbols, ovs)
        for command in self._commands:
            ctx.begin(command, is_last=command is self._commands[-1])
            if command.syntax.run is not None:
                command.syntax.run(ctx)
            ctx.end()
            if ctx.try_again:
                return None
        _check_symbols(symbols)
        return ctx

    def _finish(self, ctx: VsctlContext) -> None:
        for command in self._commands:
            if command.syntax.finish is not None:
                ctx.begin(command)
                command.syntax.finish(ctx)
                ctx.end()

    # Output.

    def _print(self) -> None:
        write("".join(self._text(command) for command in self._commands))

    def _text(self, command: Command) -> str:
        if command.table is not None:
            return command.table.to_text(self._settings.style)
        if not self._settings.oneline:
            return command.output
        text = command.output.removesuffix("\n").replace("\\", "\\\\")
        return text.replace("\n", "\\n") + "\n"

    # Waiting for ovs-vswitchd.

    def _wait_for_reload(self, txn: Transaction, ctx: VsctlContext) -> None:
        """Wait until ovs-vswitchd has done what was committed; report what failed."""
        if self._settings.dry_run:
            return  # nothing was committed
        next_cfg = txn.get_increment_new_value()
        self._idl.enable_reconnect()
        rows = self._replica.table("Open_vSwitch").rows
        while not any(row.cur_cfg >= next_cfg for row in rows.values()):
            self._idl.wait()
        self._report_failed_ifaces(txn, ctx.new_ifaces)

    def _report_failed_ifaces(self, txn: Transaction, uuids: Sequence[str]) -> None:
        rows = self._replica.table("Interface").rows
        failed = []
        for provisional in uuids:
            row = rows.get(txn.get_insert_uuid(provisional) or "")
            if row is not None and row.ofport in ([], [-1]):
                failed.append(row)
        for row in failed:
            fatal.report(_iface_failure(row))
        if failed:
            fatal.report(f'The default log directory is "{dirs.logdir()}".')


def _iface_failure(row: Row) -> str:
    reason = "".join(f": {error}" for error in row.error if error)
    return (
        f"Error detected while setting up '{row.name}'{reason}.  "
        "See ovs-vswitchd log for details."
    )


def _failure(txn: Transaction, status: str) -> str:
    if status == Transaction.ABORTED:
        return "transaction aborted"
    if status == Transaction.NOT_LOCKED:
        return "database not locked"
    return f"transaction error: {txn.get_error()}"


def _check_symbols(symbols: SymbolTable) -> None:
    """Complain about names that were used and not defined, or the other way round."""
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
            log.warn(
                'row id "%s" was created but only a weak reference to it was inserted, '
                "so it will not actually appear in the database",
                name,
            )
        else:
            log.warn(
                'row id "%s" was created but no reference to it was inserted, so it '
                "will not actually appear in the database",
                name,
            )


def _invoker() -> str:
    """Who ran us: the parent's program, as far as its command line tells."""
    parent = posix.getppid()
    line = b"init"
    if parent:
        try:
            with open(f"/proc/{parent}/cmdline", "rb", buffering=0) as file:
                line = file.read(4096).partition(b"\n")[0]
        except OSError:
            line = b""
    text, nul, _ = line.partition(b"\0")
    name = text.decode("utf-8", "surrogateescape")
    return f" (invoked by {name}" + (")" if nul else f" (pid {parent}))")
