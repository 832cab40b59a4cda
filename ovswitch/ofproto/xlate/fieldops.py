# SPDX-License-Identifier: Apache-2.0
"""Reading and writing fields in a translation.

Most fields are a window on the flow, and reading or writing one is a shift and a mask
that are computed when the action is compiled. The others go through `flow.access`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.flow import access, prereqs
from ovswitch.flow.fields import FIELDS, NONE
from ovswitch.flow.values import format_value
from ovswitch.ofproto.xlate import context as c
from ovswitch.ofproto.xlate import headers as h

if TYPE_CHECKING:
    from collections.abc import Callable

    from ovswitch.flow.fields import Field
    from ovswitch.ofproto.xlate.context import Context
    from ovswitch.openflow.actions.types import Subfield

# Fields whose presence the IP protocol (the ARP operation) vouches for.
_IP_FIELDS = frozenset(
    FIELDS[name].index
    for name in (
        "ip_src", "ip_dst", "ipv6_src", "ipv6_dst", "ipv6_label", "nw_tos", "nw_ecn",
        "nw_ttl",
    )
)  # fmt: skip
_ARP_FIELDS = frozenset(
    FIELDS[name].index
    for name in ("arp_op", "arp_sha", "arp_tha", "arp_spa", "arp_tpa")
)


def has_field(ctx: Context, field: Field) -> bool:
    """Return whether the packet has `field`; what told so has been looked at."""
    if field.prereq == NONE:
        return True
    present, looked_at = prereqs.look(field, ctx.flow)
    ctx.wildcards |= looked_at
    return present


def look_at_protocol(ctx: Context, field: Field) -> None:
    """Count the protocol as looked at when an address or the like is written."""
    if field.index in _IP_FIELDS:
        if h.is_ip_any(ctx.flow):
            ctx.wildcards |= h.NW_PROTO.mask
    elif field.index in _ARP_FIELDS and h.DL_TYPE.get(ctx.flow) == h.ETH_TYPE_ARP:
        ctx.wildcards |= h.NW_PROTO.mask


def bits_of(subfield: Subfield) -> int:
    """Return a subfield's bits within its field."""
    return ((1 << subfield.n_bits) - 1) << subfield.ofs


def read(ctx: Context, subfield: Subfield) -> int:
    """Return a subfield's value."""
    value = access.get(subfield.field, ctx.flow, ctx.bridge.tun_table)
    return value >> subfield.ofs & ((1 << subfield.n_bits) - 1)


def look_at(ctx: Context, subfield: Subfield) -> None:
    """Count a subfield as looked at."""
    ctx.wildcards |= access.wildcards(
        subfield.field, bits_of(subfield), ctx.bridge.tun_table
    )


def write(ctx: Context, subfield: Subfield, value: int) -> None:
    """Write a subfield, whose field the packet has."""
    mask = bits_of(subfield)
    ctx.flow = access.put_masked(
        subfield.field,
        ctx.flow,
        value << subfield.ofs & mask,
        mask,
        ctx.bridge.tun_table,
    )


def load(ctx: Context, subfield: Subfield, value: int) -> None:
    """Write a subfield, if the packet has its field, and count it as looked at."""
    if has_field(ctx, subfield.field):
        look_at(ctx, subfield)
        write(ctx, subfield, value)


def report_subfield(ctx: Context, subfield: Subfield) -> None:
    """Tell the trace a subfield's value."""
    if ctx.trace is None:
        return
    value = read(ctx, subfield)
    field = subfield.field
    if subfield.ofs == 0 and subfield.n_bits >= field.n_bits:
        text = format_value(field, value)
    else:
        text = f"{value:#x}" if value else "0"
    ctx.report(c.DETAIL, f"{subfield} is now {text}")


def setter(field: Field, value: int, mask: int) -> Callable[[Context], None]:
    """Return what sets the bits of `mask` in a field that the packet has."""
    if field.index in access.SPECIAL:

        def set_special(ctx: Context) -> None:
            tun = ctx.bridge.tun_table
            ctx.wildcards |= access.wildcards(field, mask, tun)
            ctx.flow = access.put_masked(field, ctx.flow, value, mask, tun)

        return set_special

    in_place = (mask & field.ones) << field.shift
    bits = (value & mask & field.ones) << field.shift
    clear = h.without(in_place)

    def set_plain(ctx: Context) -> None:
        ctx.wildcards |= in_place
        ctx.flow = ctx.flow & clear | bits

    return set_plain
