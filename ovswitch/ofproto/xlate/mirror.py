# SPDX-License-Identifier: Apache-2.0
"""Mirrors: copies of packets to a port or a VLAN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.flow.layout import VLAN_CFI, VLAN_VID_MASK
from ovswitch.ofproto.bundle import NONE_BUNDLE
from ovswitch.ofproto.xlate import headers as h
from ovswitch.ofproto.xlate import normal, vlan

if TYPE_CHECKING:
    from ovswitch.ofproto.bundle import Bundle
    from ovswitch.ofproto.xlate.context import Context


def mirror_ingress(ctx: Context) -> None:
    """Copy a packet that came in to the mirrors of its port."""
    if not ctx.bridge.mirrors:
        return
    bundle, _ = normal.input_bundle(ctx, h.IN_PORT.get(ctx.flow))
    if bundle is not None:
        mirror_packet(ctx, bundle, bundle.src_mirrors)


def mirror_packet(ctx: Context, bundle: Bundle, mirrors: int) -> None:
    """Copy the packet to `mirrors`, but those that have it already.

    `bundle` is where the packet came in or is going out.
    """
    tags = vlan.extract(ctx.flow)
    if not vlan.is_valid_input(ctx, tags[0][1], bundle):
        return
    tags = tags if bundle is NONE_BUNDLE else vlan.from_input(bundle, tags)
    used = 0
    mirrors &= ~ctx.mirrors
    while mirrors:
        bit = mirrors & -mirrors
        mirror = ctx.bridge.mirrors.get(bit.bit_length() - 1)
        if mirror is None:
            mirrors ^= bit
            continue
        if mirror.vlans is not None:
            ctx.wildcards |= (VLAN_CFI | VLAN_VID_MASK) << h.TCI0.shift
            if tags[0][1] not in mirror.vlans:
                mirrors ^= bit
                continue
        used |= bit
        # Before the output, which may come here again for other mirrors.
        ctx.mirrors |= mirror.dup_mirrors
        ctx.mirror_snaplen = mirror.snaplen
        if mirror.out is not None:
            normal.output_bundle(ctx, mirror.out, tags)
        elif tags[0][1] != mirror.out_vlan and not normal.is_reserved_address(
            h.DL_DST.get(ctx.flow)
        ):
            _output_vlan(ctx, tags, mirror.out_vlan)
        mirrors &= ~ctx.mirrors
        ctx.mirror_snaplen = 0
    if used:
        ctx.cache.mirrors.append((ctx.bridge, used))


def _output_vlan(ctx: Context, tags: vlan.Tags, vid: int) -> None:
    outer = (tags[0][0], vid, tags[0][2])
    for bundle in ctx.bridge.bundles:
        if bundle.includes(vid, tags[1][1]) and not bundle.mirror_out:
            normal.output_bundle(ctx, bundle, (outer, tags[1]))
