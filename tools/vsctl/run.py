# SPDX-License-Identifier: Apache-2.0
"""ovs-vsctl's transactions: what is around the commands, and waiting for the switch.

Sources: utilities/ovs-vsctl.c, do_vsctl().
"""

from __future__ import annotations

import posix

from ovswitch.ovsdb.ctl import chain
from ovswitch.runtime import dirs, fatal
from ovswitch.tools.vsctl.commands import ROW_IDS
from ovswitch.tools.vsctl.model import VsctlContext, log
from ovswitch.tools.vsctl.schema import load_schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ovswitch.ovsdb.ctl.commands import Command
    from ovswitch.ovsdb.ctl.context import Context
    from ovswitch.ovsdb.idl import Transaction
    from ovswitch.ovsdb.replica import Table
    from ovswitch.ovsdb.replica_row import Row
    from ovswitch.ovsdb.symbols import SymbolTable
    from ovswitch.tools.vsctl.options import Settings


class Chain(chain.Chain):
    """The commands of one command line of ovs-vsctl."""

    root_table = "Open_vSwitch"
    row_ids = ROW_IDS
    log = log

    def __init__(
        self, settings: Settings, commands: Sequence[Command], line: str
    ) -> None:
        self._wait_for_reload = settings.wait_for_reload
        super().__init__(settings, commands, line, load_schema())

    def comment(self) -> str:
        """What the transaction says in the database's log."""
        return f"ovs-vsctl{_invoker()}: {self._line}"

    def context(
        self,
        txn: Transaction | None = None,
        symbols: SymbolTable | None = None,
        root: Row | None = None,
    ) -> VsctlContext:
        """What the commands work on."""
        return VsctlContext(self._replica, self._tables, txn, symbols, root)

    def follow_root(self, root: Table) -> None:
        """Follow what ovs-vswitchd has done."""
        if self._wait_for_reload:
            root.add_column("cur_cfg")

    def begin(self, txn: Transaction, root: Row) -> None:
        """Ask ovs-vswitchd to do what is committed."""
        if self._wait_for_reload:
            txn.increment(root, "next_cfg", force=False)

    def committed(self, txn: Transaction, ctx: Context) -> None:
        """Wait until ovs-vswitchd has done what was committed; report what failed."""
        if not self._wait_for_reload or self._settings.dry_run:
            return
        next_cfg = txn.get_increment_new_value()
        self._idl.enable_reconnect()
        rows = self._replica.table("Open_vSwitch").rows
        while not any(row.cur_cfg >= next_cfg for row in rows.values()):
            self._idl.wait()
        assert isinstance(ctx, VsctlContext)
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
