# SPDX-License-Identifier: Apache-2.0
"""Commands on bridges, real and fake."""

from __future__ import annotations

from ovswitch.ovsdb.ctl.commands import CtlError, ExitError
from ovswitch.ovsdb.ctl.numbers import atoi
from ovswitch.tools.vsctl.model import MAX_VLAN, follow_model
from ovswitch.tools.vsctl.ports import delete_port

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.ovsdb.replica_row import Row
    from ovswitch.tools.vsctl.model import Bridge, VsctlContext


def add_br(ctx: VsctlContext) -> None:
    """Add a bridge, or a fake bridge to a parent and VLAN."""
    name, parent, vlan = _parse_add_br(ctx)
    if ctx.has("--may-exist"):
        bridge = ctx.find_bridge(name)
        if bridge is not None:
            _check_existing(bridge, parent, vlan)
            return
    ctx.check_conflicts(name, f"cannot create a bridge named {name}")
    if parent is None:
        iface = _insert_bridge(ctx, name)
    else:
        iface = _insert_fake_bridge(ctx, name, parent, vlan)
    ctx.new_ifaces.append(iface.uuid)
    ctx.invalidate()


def _parse_add_br(ctx: VsctlContext) -> tuple[str, str | None, int]:
    words = ctx.words
    if not words[1]:
        raise CtlError("bridge name must not be empty string")
    if len(words) == 2:
        return words[1], None, 0
    if len(words) != 4:
        raise CtlError(f"'{words[0]}' command takes exactly 1 or 3 arguments")
    vlan = atoi(words[3])
    if not 0 <= vlan <= MAX_VLAN:
        raise CtlError(f"{words[0]}: vlan must be between 0 and 4095")
    return words[1], words[2], vlan


def _check_existing(bridge: Bridge, parent: str | None, vlan: int) -> None:
    """Make sure that an existing bridge is what --may-exist asks for."""
    name = bridge.name
    if parent is None:
        if bridge.parent is not None:
            raise CtlError(
                f'"--may-exist add-br {name}" but {name} is a VLAN bridge for VLAN '
                f"{bridge.vlan}"
            )
        return
    command = f'"--may-exist add-br {name} {parent} {vlan}" but {name}'
    if bridge.parent is None:
        raise CtlError(f"{command} is not a VLAN bridge")
    if bridge.parent.name != parent:
        raise CtlError(f"{command} has the wrong parent {bridge.parent.name}")
    if bridge.vlan != vlan:
        raise CtlError(f"{command} is a VLAN bridge for the wrong VLAN {bridge.vlan}")


def _insert_local_port(ctx: VsctlContext, name: str) -> tuple[Row, Row]:
    iface = ctx.insert("Interface")
    iface.name = name
    iface.type = "internal"
    port = ctx.insert("Port")
    port.name = name
    port.interfaces = [iface]
    return port, iface


def _insert_bridge(ctx: VsctlContext, name: str) -> Row:
    port, iface = _insert_local_port(ctx, name)
    bridge = ctx.insert("Bridge")
    bridge.name = name
    bridge.ports = [port]
    ctx.ovs.bridges = [*ctx.ovs.bridges, bridge]
    return iface


def _insert_fake_bridge(
    ctx: VsctlContext, name: str, parent_name: str, vlan: int
) -> Row:
    parent = ctx.find_bridge(parent_name)
    if parent is None:
        raise CtlError(f"parent bridge {parent_name} does not exist")
    if parent.parent is not None:
        raise CtlError("cannot create bridge with fake bridge as parent")
    conflict = parent.children.get(vlan)
    if conflict is not None:
        raise CtlError(
            f"bridge {parent_name} already has a child VLAN bridge {conflict.name} on "
            f"VLAN {vlan}"
        )
    port, iface = _insert_local_port(ctx, name)
    port.fake_bridge = True
    port.tag = [vlan]
    parent.real_row.ports = [*parent.real_row.ports, port]
    return iface


def del_br(ctx: VsctlContext) -> None:
    """Delete a bridge with its ports and its fake bridges."""
    if ctx.has("--if-exists"):
        bridge = ctx.find_bridge(ctx.words[1])
    else:
        bridge = ctx.get_bridge(ctx.words[1])
    if bridge is not None:
        _delete_bridge(ctx, bridge)


def _delete_bridge(ctx: VsctlContext, bridge: Bridge) -> None:
    for child in list(bridge.children.values()):
        _delete_bridge(ctx, child)
    for port in list(bridge.ports):
        delete_port(ctx, port)
    _delete_collector_sets(ctx, bridge)
    if bridge.parent is not None:
        bridge.parent.children.pop(bridge.vlan, None)
    if bridge.row is not None:
        others = [row for row in ctx.ovs.bridges if row is not bridge.row]
        bridge.row.delete()
        ctx.ovs.bridges = others
    ctx.model.bridges.pop(bridge.name, None)


def _delete_collector_sets(ctx: VsctlContext, bridge: Bridge) -> None:
    """Delete the Flow_Sample_Collector_Sets of a bridge, as far as they are known."""
    table = ctx.replica.tables.get("Flow_Sample_Collector_Set")
    if table is None or not table.column("bridge").monitored:
        return
    for row in list(table.rows.values()):
        if bridge.row is not None and row.bridge is bridge.row:
            row.delete()


def list_br(ctx: VsctlContext) -> None:
    """Print the names of bridges, or only of the real or the fake ones."""
    real, fake = ctx.has("--real"), ctx.has("--fake")
    if not real and not fake:
        real = fake = True
    ctx.print_sorted(
        [
            bridge.name
            for bridge in ctx.model.bridges.values()
            if (real if bridge.parent is None else fake)
        ]
    )


def br_exists(ctx: VsctlContext) -> None:
    """End with status 2 if there is no such bridge."""
    if ctx.find_bridge(ctx.words[1]) is None:
        raise ExitError(2)


def br_to_vlan(ctx: VsctlContext) -> None:
    """Print a fake bridge's VLAN, or 0."""
    ctx.output.append(f"{ctx.get_bridge(ctx.words[1]).vlan}\n")


def br_to_parent(ctx: VsctlContext) -> None:
    """Print the name of the real bridge."""
    ctx.output.append(f"{ctx.get_bridge(ctx.words[1]).real.name}\n")


# External ids: a fake bridge's are in its port, with a prefix.

_FAKE_PREFIX = "fake-bridge-"


def prepare_external_ids(ctx: VsctlContext) -> None:
    """Follow external ids."""
    follow_model(ctx)
    ctx.follow("Bridge", "external_ids")
    ctx.follow("Port", "external_ids")


def _external_ids_row(ctx: VsctlContext) -> tuple[Row, str]:
    bridge = ctx.get_bridge(ctx.words[1])
    if bridge.row is not None:
        return bridge.row, ""
    return ctx.model.ports[bridge.name].row, _FAKE_PREFIX


def br_set_external_id(ctx: VsctlContext) -> None:
    """Set a key, or remove it."""
    row, prefix = _external_ids_row(ctx)
    ids = row.external_ids
    row.verify("external_ids")
    key = prefix + ctx.words[2]
    if len(ctx.words) >= 4:
        ids[key] = ctx.words[3]
    else:
        ids.pop(key, None)
    row.external_ids = ids


def br_get_external_id(ctx: VsctlContext) -> None:
    """Print one value, or all keys and values."""
    row, prefix = _external_ids_row(ctx)
    row.verify("external_ids")
    ids = row.external_ids
    if len(ctx.words) >= 3:
        value = ids.get(prefix + ctx.words[2])
        if value is not None:
            ctx.output.append(f"{value}\n")
        return
    for key in sorted(ids):
        if key.startswith(prefix):
            ctx.output.append(f"{key[len(prefix) :]}={ids[key]}\n")


# Fail modes.


def get_fail_mode(ctx: VsctlContext) -> None:
    """Print the fail mode, if one is set."""
    row = ctx.get_bridge(ctx.words[1]).real_row
    row.verify("fail_mode")
    for mode in row.fail_mode:
        if mode:
            ctx.output.append(f"{mode}\n")


def del_fail_mode(ctx: VsctlContext) -> None:
    """Unset the fail mode."""
    ctx.get_real_bridge(ctx.words[1]).real_row.fail_mode = []


def set_fail_mode(ctx: VsctlContext) -> None:
    """Set the fail mode."""
    bridge = ctx.get_real_bridge(ctx.words[1])
    if ctx.words[2] not in ("standalone", "secure"):
        raise CtlError('fail-mode must be "standalone" or "secure"')
    bridge.real_row.fail_mode = [ctx.words[2]]
