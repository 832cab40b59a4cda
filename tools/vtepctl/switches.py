# SPDX-License-Identifier: Apache-2.0
"""Commands on physical switches and their ports."""

from __future__ import annotations

from ovswitch.ovsdb.ctl.commands import CtlError, ExitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.tools.vtepctl.model import Port, VtepContext


def add_ps(ctx: VtepContext) -> None:
    """Add a physical switch."""
    name = ctx.words[1]
    if ctx.find_physical(name) is not None:
        if not ctx.has("--may-exist"):
            raise CtlError(
                f"cannot create physical switch {name} because it already exists"
            )
        return
    switch = ctx.insert("Physical_Switch")
    switch.name = name
    ctx.root.switches = [*ctx.root.switches, switch]
    ctx.invalidate()


def del_ps(ctx: VtepContext) -> None:
    """Delete a physical switch with its ports."""
    name = ctx.words[1]
    if ctx.has("--if-exists"):
        switch = ctx.find_physical(name)
    else:
        switch = ctx.get_physical(name)
    if switch is None:
        return
    for port in list(switch.ports):
        _delete_port(port)
    others = [row for row in ctx.root.switches if row is not switch.row]
    switch.row.delete()
    ctx.root.switches = others
    ctx.invalidate()


def list_ps(ctx: VtepContext) -> None:
    """Print the names of the physical switches."""
    ctx.print_sorted(ctx.model.physical)


def ps_exists(ctx: VtepContext) -> None:
    """End with status 2 if there is no such physical switch."""
    if ctx.find_physical(ctx.words[1]) is None:
        raise ExitError(2)


def list_ports(ctx: VtepContext) -> None:
    """Print the names of a physical switch's ports."""
    switch = ctx.get_physical(ctx.words[1])
    switch.row.verify("ports")
    names = [port.row.name for port in switch.ports]
    ctx.print_sorted(name for name in names if name != switch.name)


def add_port(ctx: VtepContext) -> None:
    """Add a port to a physical switch."""
    _, switch_name, name = ctx.words
    if ctx.find_port(switch_name, name) is not None:
        if not ctx.has("--may-exist"):
            raise CtlError(
                f"cannot create a port named {name} on {switch_name} because a port "
                "with that name already exists"
            )
        return
    switch = ctx.get_physical(switch_name)
    port = ctx.insert("Physical_Port")
    port.name = name
    switch.row.ports = [*switch.row.ports, port]
    ctx.invalidate()


def del_port(ctx: VtepContext) -> None:
    """Delete a port."""
    _, switch_name, name = ctx.words
    if ctx.has("--if-exists"):
        port = ctx.find_port(switch_name, name)
    else:
        port = ctx.get_port(switch_name, name)
    if port is None:
        return
    if port.switch is not ctx.get_physical(switch_name):
        raise CtlError(f"physical switch {switch_name} does not have a port {name}")
    _delete_port(port)
    ctx.invalidate()


def _delete_port(port: Port) -> None:
    switch = port.switch.row
    switch.ports = [row for row in switch.ports if row is not port.row]
    port.row.delete()
