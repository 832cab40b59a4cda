# SPDX-License-Identifier: Apache-2.0
"""The table of vtep-ctl's commands, and what it says about the database.

As in ovs-vsctl, a command's function is named "module.function" and imported when it
is called.
"""

from __future__ import annotations

from ovswitch.ovsdb.ctl import database
from ovswitch.ovsdb.ctl.commands import UNLIMITED, CommandTable, Syntax
from ovswitch.ovsdb.ctl.lookup import RowId
from ovswitch.ovsdb.ctl.show import ShowTable, show_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ovswitch.ovsdb.ctl.commands import Step

ROW_IDS = {
    "Logical_Router": RowId("Logical_Router", "name"),
    "Logical_Switch": RowId("Logical_Switch", "name"),
    "Manager": RowId("Manager", "target"),
    "Physical_Port": RowId("Physical_Port", "name"),
    "Physical_Switch": RowId("Physical_Switch", "name"),
}

SHOWN = (
    ShowTable("Global", None, ("managers", "switches")),
    ShowTable("Manager", "target", ("is_connected",)),
    ShowTable("Physical_Switch", "name", ("management_ips", "tunnel_ips", "ports")),
    ShowTable("Physical_Port", "name", ("vlan_bindings",)),
    ShowTable("Logical_Switch", "name", ()),
)

_MODEL = "model.follow_model"
_MANAGERS = "managers.prepare_managers"
_MAY_EXIST, _IF_EXISTS = "--may-exist", "--if-exists"
RO, RW = False, True  # whether a command is logged as one that may write

# name, least and most arguments, what to follow, what to do, options, mode
_COMMANDS = (
    ("add-ps", 1, 1, _MODEL, "switches.add_ps", _MAY_EXIST, RW),
    ("del-ps", 1, 1, _MODEL, "switches.del_ps", _IF_EXISTS, RW),
    ("list-ps", 0, 0, _MODEL, "switches.list_ps", "", RO),
    ("ps-exists", 1, 1, _MODEL, "switches.ps_exists", "", RO),
    ("list-ports", 1, 1, _MODEL, "switches.list_ports", "", RO),
    ("add-port", 2, 2, _MODEL, "switches.add_port", _MAY_EXIST, RW),
    ("del-port", 2, 2, _MODEL, "switches.del_port", _IF_EXISTS, RW),
    ("add-ls", 1, 1, _MODEL, "logical.add_ls", _MAY_EXIST, RW),
    ("del-ls", 1, 1, _MODEL, "logical.del_ls", _IF_EXISTS, RW),
    ("list-ls", 0, 0, _MODEL, "logical.list_ls", "", RO),
    ("ls-exists", 1, 1, _MODEL, "logical.ls_exists", "", RO),
    ("list-bindings", 2, 2, _MODEL, "logical.list_bindings", "", RO),
    ("bind-ls", 4, 4, _MODEL, "logical.bind_ls", "", RO),
    ("unbind-ls", 3, 3, _MODEL, "logical.unbind_ls", "", RO),
    ("set-replication-mode", 2, 2, _MODEL, "logical.set_replication_mode", "", RW),
    ("get-replication-mode", 1, 1, _MODEL, "logical.get_replication_mode", "", RO),
    ("add-lr", 1, 1, _MODEL, "logical.add_lr", _MAY_EXIST, RW),
    ("del-lr", 1, 1, _MODEL, "logical.del_lr", _IF_EXISTS, RW),
    ("list-lr", 0, 0, _MODEL, "logical.list_lr", "", RO),
    ("lr-exists", 1, 1, _MODEL, "logical.lr_exists", "", RO),
    ("add-ucast-local", 3, 4, _MODEL, "macs.add_ucast", "", RW),
    ("del-ucast-local", 2, 2, _MODEL, "macs.del_ucast", "", RW),
    ("add-mcast-local", 3, 4, _MODEL, "macs.add_mcast", "", RW),
    ("del-mcast-local", 3, 4, _MODEL, "macs.del_mcast", "", RW),
    ("clear-local-macs", 1, 1, _MODEL, "macs.clear", "", RO),
    ("list-local-macs", 1, 1, _MODEL, "macs.list_macs", "", RO),
    ("add-ucast-remote", 3, 4, _MODEL, "macs.add_ucast", "", RW),
    ("del-ucast-remote", 2, 2, _MODEL, "macs.del_ucast", "", RW),
    ("add-mcast-remote", 3, 4, _MODEL, "macs.add_mcast", "", RW),
    ("del-mcast-remote", 3, 4, _MODEL, "macs.del_mcast", "", RW),
    ("clear-remote-macs", 1, 1, _MODEL, "macs.clear", "", RO),
    ("list-remote-macs", 1, 1, _MODEL, "macs.list_macs", "", RO),
    ("get-manager", 0, 0, _MANAGERS, "managers.get_manager", "", RO),
    ("del-manager", 0, 0, _MANAGERS, "managers.del_manager", "", RW),
    (
        "set-manager",
        1,
        UNLIMITED,
        _MANAGERS,
        "managers.set_manager",
        "--inactivity-probe=",
        RW,
    ),
)


def _step(name: str) -> Step:
    """The function "module.function" of this package, imported when called."""
    module_name, _, function = name.partition(".")

    def call(ctx: Any) -> None:
        module = __import__(
            f"ovswitch.tools.vtepctl.{module_name}", fromlist=(function,)
        )
        getattr(module, function)(ctx)

    return call


def _syntax(row: tuple[str, int, int, str, str, str, bool]) -> Syntax:
    name, least, most, prepare, run, options, writes = row
    return Syntax(
        name, least, most, "", _step(prepare), _step(run), options, writes=writes
    )


def command_table() -> CommandTable:
    """All of vtep-ctl's commands."""
    return CommandTable(
        database.COMMANDS,
        (show_command(SHOWN),),
        [_syntax(row) for row in _COMMANDS],
    )
