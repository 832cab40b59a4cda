# SPDX-License-Identifier: Apache-2.0
"""Commands on ports, bonds and interfaces."""

from __future__ import annotations

from ovswitch.ovsdb.ctl.commands import CtlError
from ovswitch.ovsdb.ctl.database import set_column
from ovswitch.ovsdb.ctl.escape import escape_words
from ovswitch.ovsdb.ctl.order import hash_order, string_hash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ovswitch.tools.vsctl.model import Port, VsctlContext


def list_ports(ctx: VsctlContext) -> None:
    """Print the names of a bridge's ports, without its local port."""
    bridge = ctx.get_bridge(ctx.words[1])
    bridge.real_row.verify("ports")
    names = [port.row.name for port in bridge.ports]
    ctx.print_sorted([name for name in names if name != bridge.name])


def list_ifaces(ctx: VsctlContext) -> None:
    """Print the names of a bridge's interfaces, without its local interface."""
    bridge = ctx.get_bridge(ctx.words[1])
    ctx.verify_ports()
    names = [iface.row.name for port in bridge.ports for iface in port.ifaces]
    ctx.print_sorted([name for name in names if name != bridge.name])


def port_to_br(ctx: VsctlContext) -> None:
    """Print the name of a port's bridge."""
    ctx.output.append(f"{ctx.get_port(ctx.words[1]).bridge.name}\n")


def iface_to_br(ctx: VsctlContext) -> None:
    """Print the name of an interface's bridge."""
    ctx.output.append(f"{ctx.get_iface(ctx.words[1]).port.bridge.name}\n")


def add_port(ctx: VsctlContext) -> None:
    """Add a port with one interface of the same name."""
    bridge, port = ctx.words[1:3]
    _add_port(ctx, bridge, port, [port], ctx.words[3:])


def add_bond(ctx: VsctlContext) -> None:
    """Add a port with several interfaces; settings follow the interfaces."""
    bridge, port = ctx.words[1:3]
    rest = ctx.words[3:]
    count = next((i for i, word in enumerate(rest) if "=" in word), len(rest))
    if count < 2:
        raise CtlError(
            f"add-bond requires at least 2 interfaces, but only {count} were specified"
        )
    _add_port(ctx, bridge, port, rest[:count], rest[count:])


def _add_port(
    ctx: VsctlContext,
    bridge_name: str,
    name: str,
    iface_names: Sequence[str],
    settings: Sequence[str],
) -> None:
    if not name:
        raise CtlError("port name must not be empty string")
    if not all(iface_names):
        raise CtlError("interface name must not be empty string")
    if ctx.has("--may-exist"):
        existing = ctx.find_port(name)
        if existing is not None:
            _check_existing(ctx, existing, bridge_name, iface_names)
            return
    ctx.check_conflicts(name, f"cannot create a port named {name}")
    for iface_name in iface_names:
        purpose = f"cannot create an interface named {iface_name}"
        ctx.check_conflicts(iface_name, purpose)
    bridge = ctx.get_bridge(bridge_name)
    model = ctx.model  # settings may make it obsolete

    ifaces = []
    for iface_name in iface_names:
        iface = ctx.insert("Interface")
        iface.name = iface_name
        ifaces.append(iface)
        ctx.new_ifaces.append(iface.uuid)
    row = ctx.insert("Port")
    row.name = name
    row.interfaces = ifaces
    row.bond_fake_iface = ctx.has("--fake-iface")
    if bridge.parent is not None:
        row.tag = [bridge.vlan]
    for setting in settings:
        set_column(ctx, row, setting, partial=False)
    owner = bridge.real_row
    owner.ports = [*owner.ports, row]
    port = model.add_port(row, bridge)
    for iface in ifaces:
        model.add_iface(iface, port)


def _command_text(ctx: VsctlContext) -> str:
    """The command as it was given, options first, for error messages."""
    assert ctx.command is not None
    options = hash_order(ctx.command.options, string_hash)
    return escape_words([*options, *ctx.words])


def _check_existing(
    ctx: VsctlContext, port: Port, bridge_name: str, iface_names: Sequence[str]
) -> None:
    """Make sure that an existing port is what --may-exist asks for."""
    name = port.row.name
    if port.bridge.name != bridge_name:
        raise CtlError(
            f'"{_command_text(ctx)}" but {name} is actually attached to bridge '
            f"{port.bridge.name}"
        )
    have = sorted(iface.name for iface in port.row.interfaces)
    if have != sorted(iface_names):
        raise CtlError(
            f'"{_command_text(ctx)}" but {name} actually has interface(s) '
            f"{', '.join(have)}"
        )


def add_bond_iface(ctx: VsctlContext) -> None:
    """Add an interface to a port."""
    port = ctx.get_port(ctx.words[1])
    name = ctx.words[2]
    if ctx.has("--may-exist"):
        existing = ctx.find_iface(name)
        if existing is not None:
            if existing.port is port:
                return
            raise CtlError(
                f'"{_command_text(ctx)}" but {name} is actually attached to port '
                f"{existing.port.row.name}"
            )
    ctx.check_conflicts(name, f"cannot create an interface named {name}")
    iface = ctx.insert("Interface")
    iface.name = name
    port.row.addvalue("interfaces", iface)
    ctx.new_ifaces.append(iface.uuid)
    ctx.model.add_iface(iface, port)


def del_bond_iface(ctx: VsctlContext) -> None:
    """Remove an interface from a port."""
    name = ctx.words[-1]
    if ctx.has("--if-exists"):
        iface = ctx.find_iface(name)
        if iface is None:
            return
    else:
        iface = ctx.get_iface(name)
    port = iface.port
    if len(ctx.words) > 2 and ctx.get_port(ctx.words[1]) is not port:
        raise CtlError(f"port {ctx.words[1]} does not have an interface {name}")
    if len(port.ifaces) < 2:
        raise CtlError(f"cannot delete last interface from port {port.row.name}")
    port.row.delvalue("interfaces", iface.row)
    port.ifaces.remove(iface)
    del ctx.model.ifaces[name]
    iface.row.delete()


def del_port(ctx: VsctlContext) -> None:
    """Delete a port, found by its name or, with --with-iface, that of an interface."""
    port = _find_port_to_delete(ctx)
    if port is None:
        return
    if len(ctx.words) == 3:
        bridge = ctx.get_bridge(ctx.words[1])
        if port.bridge is not bridge:
            text = f"bridge {ctx.words[1]} does not have a port {ctx.words[2]}"
            if port.bridge.parent is bridge:
                text += f" (although its child bridge {port.bridge.name} does)"
            raise CtlError(text)
    delete_port(ctx, port)


def _find_port_to_delete(ctx: VsctlContext) -> Port | None:
    name = ctx.words[-1]
    must_exist = not ctx.has("--if-exists")
    if ctx.find_bridge(name) is not None:
        if must_exist:
            raise CtlError(
                f"cannot delete port {name} because it is the local port for bridge "
                f"{name} (deleting this port requires deleting the entire bridge)"
            )
        return None
    port = ctx.find_port(name)
    if not ctx.has("--with-iface"):
        if must_exist and port is None:
            raise CtlError(f"no port named {name}")
        return port
    if port is None:
        iface = ctx.find_iface(name)
        port = iface.port if iface is not None else None
    if must_exist and port is None:
        raise CtlError(f"no port or interface named {name}")
    return port


def delete_port(ctx: VsctlContext, port: Port) -> None:
    """Delete a port and its interfaces."""
    owner = port.bridge.real_row
    owner.ports = [row for row in owner.ports if row is not port.row]
    for iface in port.ifaces:
        del ctx.model.ifaces[iface.row.name]
        iface.row.delete()
    port.ifaces.clear()
    port.bridge.ports.remove(port)
    del ctx.model.ports[port.row.name]
    port.row.delete()
