# SPDX-License-Identifier: Apache-2.0
"""802.1Q in the pipeline: which VLANs a packet is in, inside and outside.

A packet's VLANs are a pair of tags, the outer first; a tag is (TPID, VLAN id, priority)
with the priority in its place in the TCI, and (0, 0, 0) is no tag. A bundle translates
between the tags on the wire and those inside the switch, where every packet has the
VLAN it belongs to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.flow.layout import VLAN_CFI, VLAN_PCP_MASK, VLAN_VID_MASK
from ovswitch.ofproto import bundle as b
from ovswitch.ofproto.xlate import headers as h

if TYPE_CHECKING:
    from ovswitch.ofproto.bundle import Bundle
    from ovswitch.ofproto.xlate.context import Context

Tag = tuple[int, int, int]
Tags = tuple[Tag, Tag]

NO_TAG: Tag = (0, 0, 0)
NO_TAGS: Tags = (NO_TAG, NO_TAG)


def extract(flow: int) -> Tags:
    """Return the tags on the wire."""
    both = h.vlans(flow)
    if not both:
        return NO_TAGS
    outer = _tag(both >> 32)
    if outer is NO_TAG:
        return NO_TAGS
    return outer, _tag(both & 0xFFFFFFFF)


def _tag(qtag: int) -> Tag:
    if not qtag & VLAN_CFI or not h.is_vlan_type(qtag >> 16):
        return NO_TAG
    return qtag >> 16, qtag & VLAN_VID_MASK, qtag & VLAN_PCP_MASK


def put(flow: int, tags: Tags, use_priority_tags: int) -> int:
    """Return `flow` with `tags` on the wire."""
    old = h.vlans(flow)
    new = _qtag(tags[0], old >> 32, use_priority_tags) << 32
    new |= _qtag(tags[1], old & 0xFFFFFFFF, use_priority_tags)
    return h.put_vlans(flow, new)


def _qtag(tag: Tag, old: int, use_priority_tags: int) -> int:
    """Return a tag as it stands in a flow; without one the old TPID stays, as there."""
    tpid, vid, pcp = tag
    tci = vid | pcp
    if tci or (use_priority_tags == b.PRIORITY_TAGS_ALWAYS and tpid):
        return (tpid or h.ETH_TYPE_VLAN_8021Q) << 16 | tci | VLAN_CFI
    return old & 0xFFFF0000


def is_valid_input(ctx: Context, vid: int, bundle: Bundle) -> bool:
    """Return whether a packet tagged with `vid` (0: none) may come in here."""
    if bundle is b.NONE_BUNDLE:
        return True
    mode = bundle.vlan_mode
    if mode == b.ACCESS:
        if vid:
            ctx.report_error(
                f"dropping VLAN {vid} tagged packet received on port {bundle.name}"
                f" configured as VLAN {bundle.vlan} access port"
            )
        return not vid
    if mode == b.DOT1Q_TUNNEL:
        if bundle.allows_cvlan(vid):
            return True
        ctx.report_error(
            f"dropping VLAN {vid} packet received on dot1q-tunnel port {bundle.name}"
            " that excludes this VLAN"
        )
        return False
    if mode != b.TRUNK and not vid:
        return True  # the native VLAN is always carried
    if bundle.trunks_vlan(vid):
        return True
    ctx.report_error(
        f"dropping VLAN {vid} packet received on port {bundle.name} not configured for"
        f" trunking VLAN {vid}"
    )
    return False


def from_input(bundle: Bundle, tags: Tags) -> Tags:
    """Return the tags inside the switch of a packet that came with `tags`."""
    outer = tags[0]
    mode = bundle.vlan_mode
    if mode == b.TRUNK:
        return tags
    if mode == b.ACCESS:
        return (outer[0] or h.ETH_TYPE_VLAN_8021Q, bundle.vlan, outer[2]), NO_TAG
    if mode == b.DOT1Q_TUNNEL:
        return (bundle.qinq_ethtype, bundle.vlan, 0), outer
    if outer[1]:
        return tags
    return (outer[0] or h.ETH_TYPE_VLAN_8021Q, bundle.vlan, outer[2]), tags[1]


def to_output(bundle: Bundle, tags: Tags) -> Tags:
    """Return the tags on the wire of a packet that has `tags` inside the switch."""
    mode = bundle.vlan_mode
    if mode in {b.TRUNK, b.NATIVE_TAGGED}:
        return tags
    if mode == b.ACCESS:
        return NO_TAGS
    if mode == b.DOT1Q_TUNNEL or tags[0][1] == bundle.vlan:
        return tags[1], NO_TAG
    return tags
