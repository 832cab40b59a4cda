# SPDX-License-Identifier: Apache-2.0
"""Commands on logical switches and routers, and on bindings of ports to them."""

from __future__ import annotations

from ovswitch.ovsdb.ctl.commands import CtlError, ExitError
from ovswitch.ovsdb.ctl.numbers import strtoll

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.ovsdb.replica_row import Row
    from ovswitch.tools.vtepctl.model import Port, VtepContext

_MODES = ("service_node", "source_node")


def _add(ctx: VtepContext, table: str, noun: str, *, exists: bool) -> None:
    name = ctx.words[1]
    if exists:
        if not ctx.has("--may-exist"):
            raise CtlError(f"cannot create {noun} {name} because it already exists")
        return
    ctx.insert(table).name = name
    ctx.invalidate()


# Logical switches.


def add_ls(ctx: VtepContext) -> None:
    """Add a logical switch."""
    exists = ctx.words[1] in ctx.model.logical
    _add(ctx, "Logical_Switch", "logical switch", exists=exists)


def del_ls(ctx: VtepContext) -> None:
    """Delete a logical switch."""
    name = ctx.words[1]
    if name not in ctx.model.logical and ctx.has("--if-exists"):
        return
    ctx.get_logical(name).row.delete()
    ctx.invalidate()


def list_ls(ctx: VtepContext) -> None:
    """Print the names of the logical switches."""
    ctx.print_sorted(ctx.model.logical)


def ls_exists(ctx: VtepContext) -> None:
    """End with status 2 if there is no such logical switch."""
    if ctx.words[1] not in ctx.model.logical:
        raise ExitError(2)


def set_replication_mode(ctx: VtepContext) -> None:
    """Say who replicates a logical switch's broadcasts."""
    _, name, mode = ctx.words
    model = ctx.model
    if mode not in _MODES:
        raise CtlError("Replication mode must be 'service_node' or 'source_node'")
    ctx.find_logical(model, name).row.replication_mode = [mode]
    ctx.invalidate()


def get_replication_mode(ctx: VtepContext) -> None:
    """Print who replicates a logical switch's broadcasts."""
    mode = ctx.get_logical(ctx.words[1]).row.replication_mode
    # Without a mode the reference prints what its C library makes of a null pointer.
    ctx.output.append(f"{mode[0] if mode else '(null)'}\n")


# Bindings of a port's VLANs to logical switches.


def list_bindings(ctx: VtepContext) -> None:
    """Print which VLANs of a port belong to which logical switches."""
    port = ctx.get_port(ctx.words[1], ctx.words[2])
    ctx.print_sorted(
        f"{strtoll(vlan):04d} {switch.name}" for vlan, switch in port.bindings.items()
    )


def bind_ls(ctx: VtepContext) -> None:
    """Bind a VLAN of a port to a logical switch."""
    _, switch_name, port_name, vlan, name = ctx.words
    port = ctx.get_port(switch_name, port_name)
    switch = ctx.get_logical(name)
    if vlan in port.bindings:
        raise CtlError(f"multiple bindings for vlan {vlan}")
    port.bindings[vlan] = switch
    _write_bindings(ctx, port)


def unbind_ls(ctx: VtepContext) -> None:
    """Take back the binding of a VLAN of a port."""
    _, switch_name, port_name, vlan = ctx.words
    port = ctx.get_port(switch_name, port_name)
    if vlan not in port.bindings:
        raise CtlError(f"no binding for vlan {vlan}")
    del port.bindings[vlan]
    _write_bindings(ctx, port)


def _write_bindings(ctx: VtepContext, port: Port) -> None:
    """Write a port's bindings; of two texts for one VLAN the lower UUID counts."""
    by_uuid = sorted(port.bindings.items(), key=lambda item: item[1].row.uuid)
    bindings: dict[int, Row] = {}
    for vlan, switch in by_uuid:
        bindings.setdefault(strtoll(vlan), switch.row)
    port.row.vlan_bindings = bindings
    ctx.invalidate()


# Logical routers.


def add_lr(ctx: VtepContext) -> None:
    """Add a logical router."""
    exists = ctx.words[1] in ctx.model.routers
    _add(ctx, "Logical_Router", "logical router", exists=exists)


def del_lr(ctx: VtepContext) -> None:
    """Delete a logical router."""
    name = ctx.words[1]
    router = ctx.model.routers.get(name)
    if router is None:
        if ctx.has("--if-exists"):
            return
        raise CtlError(f"no logical router named {name}")
    router.delete()
    ctx.invalidate()


def list_lr(ctx: VtepContext) -> None:
    """Print the names of the logical routers."""
    ctx.print_sorted(ctx.model.routers)


def lr_exists(ctx: VtepContext) -> None:
    """End with status 2 if there is no such logical router."""
    if ctx.words[1] not in ctx.model.routers:
        raise ExitError(2)
