# SPDX-License-Identifier: Apache-2.0
"""vtep-ctl's transactions."""

from __future__ import annotations

from ovswitch.ovsdb.ctl import chain
from ovswitch.tools.vtepctl.commands import ROW_IDS
from ovswitch.tools.vtepctl.model import VtepContext, log
from ovswitch.tools.vtepctl.schema import load_schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ovswitch.ovsdb.ctl.commands import Command
    from ovswitch.ovsdb.idl import Transaction
    from ovswitch.ovsdb.replica_row import Row
    from ovswitch.ovsdb.symbols import SymbolTable
    from ovswitch.tools.vtepctl.options import Settings


class Chain(chain.Chain):
    """The commands of one command line of vtep-ctl."""

    root_table = "Global"
    row_ids = ROW_IDS
    log = log

    def __init__(
        self, settings: Settings, commands: Sequence[Command], line: str
    ) -> None:
        super().__init__(settings, commands, line, load_schema())

    def comment(self) -> str:
        """What the transaction says in the database's log."""
        return f"vtep-ctl: {self._line}"

    def context(
        self,
        txn: Transaction | None = None,
        symbols: SymbolTable | None = None,
        root: Row | None = None,
    ) -> VtepContext:
        """What the commands work on."""
        return VtepContext(self._replica, self._tables, txn, symbols, root)
