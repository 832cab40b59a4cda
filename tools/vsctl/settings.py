# SPDX-License-Identifier: Apache-2.0
"""Commands on controllers, managers and SSL, and the emergency reset."""

from __future__ import annotations

from ovswitch.ovsdb.ctl.numbers import atoll
from ovswitch.runtime import target
from ovswitch.tools.vsctl.model import follow_model, log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ovswitch.ovsdb.replica_row import Row
    from ovswitch.tools.vsctl.model import VsctlContext


def _insert_targets(ctx: VsctlContext, table: str, targets: Sequence[str]) -> list[Row]:
    """Insert a row for each target; an odd one is worth a warning."""
    probe = ctx.option("--inactivity-probe")
    rows = []
    for name in targets:
        if not target.is_active(name) and not target.is_passive(name):
            log.warn('target type "%s" is possibly erroneous', name)
        row = ctx.insert(table)
        row.target = name
        if probe is not None:
            row.inactivity_probe = [atoll(probe)]
        rows.append(row)
    return rows


# Controllers.


def prepare_controllers(ctx: VsctlContext) -> None:
    """Follow controllers."""
    follow_model(ctx)
    ctx.follow("Controller", "target", "inactivity_probe")


def _verify_controllers(bridge: Row) -> None:
    bridge.verify("controller")
    for controller in bridge.controller:
        controller.verify("target")


def get_controller(ctx: VsctlContext) -> None:
    """Print the targets of a bridge's controllers."""
    bridge = ctx.get_bridge(ctx.words[1]).real_row
    _verify_controllers(bridge)
    ctx.print_sorted([controller.target for controller in bridge.controller])


def del_controller(ctx: VsctlContext) -> None:
    """Delete a bridge's controllers."""
    bridge = ctx.get_real_bridge(ctx.words[1]).real_row
    _verify_controllers(bridge)
    controllers = bridge.controller
    if controllers:
        _delete(controllers)
        bridge.controller = []


def set_controller(ctx: VsctlContext) -> None:
    """Replace a bridge's controllers."""
    bridge = ctx.get_real_bridge(ctx.words[1]).real_row
    _verify_controllers(bridge)
    _delete(bridge.controller)
    bridge.controller = _insert_targets(ctx, "Controller", ctx.words[2:])


def _delete(rows: Sequence[Row]) -> None:
    for row in rows:
        row.delete()


# Managers.


def prepare_managers(ctx: VsctlContext) -> None:
    """Follow managers."""
    ctx.follow("Open_vSwitch", "manager_options")
    ctx.follow("Manager", "target", "inactivity_probe")


def _verify_managers(ovs: Row) -> None:
    ovs.verify("manager_options")
    for manager in ovs.manager_options:
        manager.verify("target")


def get_manager(ctx: VsctlContext) -> None:
    """Print the managers' targets."""
    _verify_managers(ctx.ovs)
    ctx.print_sorted(list({manager.target for manager in ctx.ovs.manager_options}))


def del_manager(ctx: VsctlContext) -> None:
    """Delete the managers."""
    _verify_managers(ctx.ovs)
    _delete(ctx.ovs.manager_options)
    ctx.ovs.manager_options = []


def set_manager(ctx: VsctlContext) -> None:
    """Replace the managers."""
    del_manager(ctx)
    ctx.ovs.manager_options = _insert_targets(ctx, "Manager", ctx.words[1:])


# SSL.

_SSL_COLUMNS = ("private_key", "certificate", "ca_cert", "bootstrap_ca_cert")


def prepare_ssl(ctx: VsctlContext) -> None:
    """Follow which SSL configuration there is."""
    ctx.follow("Open_vSwitch", "ssl")


def prepare_get_ssl(ctx: VsctlContext) -> None:
    """Follow the SSL configuration."""
    prepare_ssl(ctx)
    ctx.follow("SSL", *_SSL_COLUMNS)


def get_ssl(ctx: VsctlContext) -> None:
    """Print the SSL configuration."""
    ctx.ovs.verify("ssl")
    for ssl in ctx.ovs.ssl:
        for column in _SSL_COLUMNS:
            ssl.verify(column)
        ctx.output.append(
            f"Private key: {ssl.private_key}\n"
            f"Certificate: {ssl.certificate}\n"
            f"CA Certificate: {ssl.ca_cert}\n"
            f"Bootstrap: {'true' if ssl.bootstrap_ca_cert else 'false'}\n"
        )


def del_ssl(ctx: VsctlContext) -> None:
    """Delete the SSL configuration."""
    rows = ctx.ovs.ssl
    if rows:
        ctx.ovs.verify("ssl")
        _delete(rows)
        ctx.ovs.ssl = []


def set_ssl(ctx: VsctlContext) -> None:
    """Replace the SSL configuration."""
    ctx.ovs.verify("ssl")
    _delete(ctx.ovs.ssl)
    ssl = ctx.insert("SSL")
    ssl.private_key, ssl.certificate, ssl.ca_cert = ctx.words[1:4]
    ssl.bootstrap_ca_cert = ctx.has("--bootstrap")
    ctx.ovs.ssl = [ssl]


# Emergency reset.

_RESET_BRIDGE = (
    "controller",
    "fail_mode",
    "mirrors",
    "netflow",
    "sflow",
    "ipfix",
    "flood_vlans",
)
_RESET_IFACE = ("ingress_policing_rate", "ingress_policing_burst")
_RESET_TABLES = (
    "Mirror",
    "Controller",
    "Manager",
    "NetFlow",
    "SSL",
    "sFlow",
    "IPFIX",
    "Flow_Sample_Collector_Set",
)


def prepare_emer_reset(ctx: VsctlContext) -> None:
    """Follow what the reset changes."""
    ctx.follow("Open_vSwitch", "manager_options", "ssl")
    ctx.follow("Bridge", *_RESET_BRIDGE, "other_config")
    ctx.replica.table("Port").add_column("other_config")
    for column in _RESET_IFACE:
        ctx.replica.table("Interface").add_column(column)


def emer_reset(ctx: VsctlContext) -> None:
    """Take back all but bridges, ports and the bridges' Ethernet addresses."""
    ctx.ovs.manager_options = []
    ctx.ovs.ssl = []
    for bridge in ctx.replica.table("Bridge").rows.values():
        for column in _RESET_BRIDGE:
            setattr(bridge, column, [])
        kept = bridge.other_config.get("hwaddr")
        bridge.other_config = {} if kept is None else {"hwaddr": kept}
    for port in ctx.replica.table("Port").rows.values():
        port.other_config = {}
    for iface in ctx.replica.table("Interface").rows.values():
        for column in _RESET_IFACE:
            setattr(iface, column, 0)
    for name in _RESET_TABLES:
        _delete(list(ctx.replica.table(name).rows.values()))
    ctx.invalidate()
