# SPDX-License-Identifier: Apache-2.0
"""Commands on the addresses of a logical switch.

"local" addresses are those behind the VTEP, "remote" ones those that a controller has
learned elsewhere. A unicast address has one physical locator; a multicast address has a
set of them, and such a set is immutable: a changed one is a new row.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.ovsdb.replica_row import Row
    from ovswitch.tools.vtepctl.model import VtepContext

_DEFAULT_ENCAP = "vxlan_over_ipv4"


def _side(ctx: VtepContext) -> str:
    """Whether a command is about "local" or "remote" addresses."""
    return "local" if "local" in ctx.words[0] else "remote"


def _table(ctx: VtepContext, kind: str) -> str:
    return f"{kind}_Macs_{_side(ctx).capitalize()}"


def _locator_words(ctx: VtepContext) -> tuple[str, str]:
    """The encapsulation and address of [ENCAP] IP."""
    words = ctx.words[3:]
    return (_DEFAULT_ENCAP, words[0]) if len(words) == 1 else (words[0], words[1])


def _find_or_add_locator(ctx: VtepContext) -> Row:
    encap, address = _locator_words(ctx)
    row = ctx.model.locators.get(f"{encap}+{address}")
    if row is None:
        row = ctx.insert("Physical_Locator")
        row.dst_ip = address
        row.encapsulation_type = encap
    return row


def _find_or_add_mac(ctx: VtepContext, table: str) -> Row:
    switch, mac = ctx.get_logical(ctx.words[1]), ctx.words[2]
    row = switch.macs[table].get(mac)
    if row is None:
        row = ctx.insert(table)
        row.MAC = mac
        row.logical_switch = switch.row
    return row


def add_ucast(ctx: VtepContext) -> None:
    """Add a unicast address, or move it to another locator."""
    mac = _find_or_add_mac(ctx, _table(ctx, "Ucast"))
    mac.locator = _find_or_add_locator(ctx)
    ctx.invalidate()


def del_ucast(ctx: VtepContext) -> None:
    """Delete a unicast address, if it is there."""
    switch = ctx.get_logical(ctx.words[1])
    mac = switch.macs[_table(ctx, "Ucast")].get(ctx.words[2])
    if mac is not None:
        mac.delete()
        ctx.invalidate()


def _set_locators(ctx: VtepContext, mac: Row, locators: list[Row]) -> None:
    locator_set = ctx.insert("Physical_Locator_Set")
    locator_set.locators = locators
    mac.locator_set = locator_set


def add_mcast(ctx: VtepContext) -> None:
    """Add a locator to a multicast address."""
    mac = _find_or_add_mac(ctx, _table(ctx, "Mcast"))
    _set_locators(ctx, mac, [*ctx.locators(mac), _find_or_add_locator(ctx)])
    ctx.invalidate()


def del_mcast(ctx: VtepContext) -> None:
    """Remove a locator from a multicast address, and the address with the last."""
    switch = ctx.get_logical(ctx.words[1])
    mac = switch.macs[_table(ctx, "Mcast")].get(ctx.words[2])
    locator = ctx.model.locators.get("+".join(_locator_words(ctx)))
    if mac is None or locator is None:
        return
    rest = [row for row in ctx.locators(mac) if row is not locator]
    if rest:
        _set_locators(ctx, mac, rest)
    else:
        mac.delete()
    ctx.invalidate()


def clear(ctx: VtepContext) -> None:
    """Delete all local or remote addresses of a logical switch."""
    switch = ctx.get_logical(ctx.words[1])
    for kind in ("Ucast", "Mcast"):
        for row in switch.macs[_table(ctx, kind)].values():
            row.delete()
    ctx.invalidate()


def list_macs(ctx: VtepContext) -> None:
    """Print the local or remote addresses of a logical switch."""
    switch = ctx.get_logical(ctx.words[1])
    side = _side(ctx)
    unicast = [
        (mac, locator)
        for mac, row in switch.macs[_table(ctx, "Ucast")].items()
        for locator in ctx.referred(row, "locator")
    ]
    multicast = [
        (mac, locator)
        for mac, row in switch.macs[_table(ctx, "Mcast")].items()
        for locator in ctx.locators(row)
    ]
    for kind, entries in (("ucast", unicast), ("mcast", multicast)):
        ctx.output.append(f"{kind}-mac-{side}\n")
        ctx.print_sorted(
            f"  {mac} -> {locator.encapsulation_type}/{locator.dst_ip}"
            for mac, locator in entries
        )
        ctx.output.append("\n")
