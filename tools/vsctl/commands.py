# SPDX-License-Identifier: Apache-2.0
"""The table of ovs-vsctl's commands, and what it says about the database.

A command's functions are named "module.function" and imported when they are called: a
tool that runs for one command pays for that one.
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
    "AutoAttach": RowId("Bridge", "name", "auto_attach"),
    "Bridge": RowId("Bridge", "name"),
    "Controller": RowId("Bridge", "name", "controller"),
    "Flow_Sample_Collector_Set": RowId("Flow_Sample_Collector_Set", "id"),
    "Flow_Table": RowId("Flow_Table", "name"),
    "IPFIX": RowId("Bridge", "name", "ipfix"),
    "Interface": RowId("Interface", "name"),
    "Manager": RowId("Manager", "target"),
    "Mirror": RowId("Mirror", "name"),
    "NetFlow": RowId("Bridge", "name", "netflow"),
    "Port": RowId("Port", "name"),
    "QoS": RowId("Port", "name", "qos"),
    "sFlow": RowId("Bridge", "name", "sflow"),
}

SHOWN = (
    ShowTable("Open_vSwitch", None, ("manager_options", "bridges", "ovs_version")),
    ShowTable("Bridge", "name", ("controller", "fail_mode", "datapath_type", "ports")),
    ShowTable("Port", "name", ("tag", "trunks", "interfaces")),
    ShowTable("Interface", "name", ("type", "options", "error", "bfd_status")),
    ShowTable("Controller", "target", ("is_connected",)),
    ShowTable("Manager", "target", ("is_connected",)),
)

_MODEL = "model.follow_model"
_CONTROLLERS = "settings.prepare_controllers"
_MANAGERS = "settings.prepare_managers"
_IDS = "bridges.prepare_external_ids"
_MAPPINGS = "datapaths.prepare_mappings"
_ZONES = "datapaths.prepare_zones"
_SETTING = "[COLUMN[:KEY]=VALUE]..."
RO, RW = False, True  # whether a command may write to the database

# name, least and most arguments, arguments, what to follow, what to do, options, mode
_COMMANDS = (
    ("init", 0, 0, "", "", "", "", RW),
    (
        "add-br",
        1,
        3,
        "NEW-BRIDGE [PARENT] [NEW-VLAN]",
        _MODEL,
        "bridges.add_br",
        "--may-exist",
        RW,
    ),
    ("del-br", 1, 1, "BRIDGE", _MODEL, "bridges.del_br", "--if-exists", RW),
    ("list-br", 0, 0, "", _MODEL, "bridges.list_br", "--real,--fake", RO),
    ("br-exists", 1, 1, "BRIDGE", _MODEL, "bridges.br_exists", "", RO),
    ("br-to-vlan", 1, 1, "BRIDGE", _MODEL, "bridges.br_to_vlan", "", RO),
    ("br-to-parent", 1, 1, "BRIDGE", _MODEL, "bridges.br_to_parent", "", RO),
    (
        "br-set-external-id",
        2,
        3,
        "BRIDGE KEY [VALUE]",
        _IDS,
        "bridges.br_set_external_id",
        "",
        RW,
    ),
    (
        "br-get-external-id",
        1,
        2,
        "BRIDGE [KEY]",
        _IDS,
        "bridges.br_get_external_id",
        "",
        RO,
    ),
    ("list-ports", 1, 1, "BRIDGE", _MODEL, "ports.list_ports", "", RO),
    (
        "add-port",
        2,
        UNLIMITED,
        f"BRIDGE NEW-PORT {_SETTING}",
        _MODEL,
        "ports.add_port",
        "--may-exist",
        RW,
    ),
    (
        "del-port",
        1,
        2,
        "[BRIDGE] PORT|IFACE",
        _MODEL,
        "ports.del_port",
        "--if-exists,--with-iface",
        RW,
    ),
    ("port-to-br", 1, 1, "PORT", _MODEL, "ports.port_to_br", "", RO),
    (
        "add-bond",
        4,
        UNLIMITED,
        f"BRIDGE BOND IFACE... {_SETTING}",
        _MODEL,
        "ports.add_bond",
        "--may-exist,--fake-iface",
        RW,
    ),
    (
        "add-bond-iface",
        2,
        2,
        "BOND IFACE",
        _MODEL,
        "ports.add_bond_iface",
        "--may-exist",
        RW,
    ),
    (
        "del-bond-iface",
        1,
        2,
        "[BOND] IFACE",
        _MODEL,
        "ports.del_bond_iface",
        "--if-exists",
        RW,
    ),
    ("list-ifaces", 1, 1, "BRIDGE", _MODEL, "ports.list_ifaces", "", RO),
    ("iface-to-br", 1, 1, "IFACE", _MODEL, "ports.iface_to_br", "", RO),
    ("get-controller", 1, 1, "BRIDGE", _CONTROLLERS, "settings.get_controller", "", RO),
    ("del-controller", 1, 1, "BRIDGE", _CONTROLLERS, "settings.del_controller", "", RW),
    (
        "set-controller",
        1,
        UNLIMITED,
        "BRIDGE TARGET...",
        _CONTROLLERS,
        "settings.set_controller",
        "--inactivity-probe=",
        RW,
    ),
    ("get-fail-mode", 1, 1, "BRIDGE", _MODEL, "bridges.get_fail_mode", "", RO),
    ("del-fail-mode", 1, 1, "BRIDGE", _MODEL, "bridges.del_fail_mode", "", RW),
    ("set-fail-mode", 2, 2, "BRIDGE MODE", _MODEL, "bridges.set_fail_mode", "", RW),
    ("get-manager", 0, 0, "", _MANAGERS, "settings.get_manager", "", RO),
    ("del-manager", 0, 0, "", _MANAGERS, "settings.del_manager", "", RW),
    (
        "set-manager",
        1,
        UNLIMITED,
        "TARGET...",
        _MANAGERS,
        "settings.set_manager",
        "--inactivity-probe=",
        RW,
    ),
    ("get-ssl", 0, 0, "", "settings.prepare_get_ssl", "settings.get_ssl", "", RO),
    ("del-ssl", 0, 0, "", "settings.prepare_ssl", "settings.del_ssl", "", RW),
    (
        "set-ssl",
        3,
        3,
        "PRIVATE-KEY CERTIFICATE CA-CERT",
        "settings.prepare_ssl",
        "settings.set_ssl",
        "--bootstrap",
        RW,
    ),
    (
        "add-aa-mapping",
        3,
        3,
        "BRIDGE ARG ARG",
        _MAPPINGS,
        "datapaths.add_aa_mapping",
        "",
        RW,
    ),
    (
        "del-aa-mapping",
        3,
        3,
        "BRIDGE ARG ARG",
        _MAPPINGS,
        "datapaths.del_aa_mapping",
        "",
        RW,
    ),
    ("get-aa-mapping", 1, 1, "BRIDGE", _MAPPINGS, "datapaths.get_aa_mapping", "", RO),
    (
        "emer-reset",
        0,
        0,
        "",
        "settings.prepare_emer_reset",
        "settings.emer_reset",
        "",
        RW,
    ),
    (
        "add-zone-tp",
        3,
        UNLIMITED,
        "",
        _ZONES,
        "datapaths.add_zone_tp",
        "--may-exist",
        RW,
    ),
    ("del-zone-tp", 2, 2, "", _ZONES, "datapaths.del_zone_tp", "--if-exists", RW),
    ("list-zone-tp", 1, 1, "", _ZONES, "datapaths.list_zone_tp", "", RO),
    (
        "list-dp-cap",
        1,
        1,
        "",
        "datapaths.prepare_capabilities",
        "datapaths.list_dp_cap",
        "",
        RO,
    ),
)


def _step(name: str) -> Step | None:
    """The function "module.function" of this package, imported when called."""
    if not name:
        return None
    module_name, _, function = name.partition(".")

    def call(ctx: Any) -> None:
        module = __import__(f"ovswitch.tools.vsctl.{module_name}", fromlist=(function,))
        getattr(module, function)(ctx)

    return call


def _syntax(row: tuple[str, int, int, str, str, str, str, bool]) -> Syntax:
    name, least, most, arguments, prepare, run, options, writes = row
    return Syntax(
        name, least, most, arguments, _step(prepare), _step(run), options, writes=writes
    )


def command_table() -> CommandTable:
    """All of ovs-vsctl's commands."""
    return CommandTable(
        database.COMMANDS,
        (show_command(SHOWN),),
        [_syntax(row) for row in _COMMANDS],
    )
