# SPDX-License-Identifier: Apache-2.0
"""Printing groups' statistics and features."""

from __future__ import annotations

from ovswitch.openflow import action_bits
from ovswitch.openflow.codec import decode_body
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages import group_stats as groups
from ovswitch.openflow.messages.base import OFPG_ANY, U32, U64
from ovswitch.openflow.text.output import duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow import raws
    from ovswitch.openflow.text.output import Out
    from ovswitch.openflow.wire import Cursor

_TYPES = ("all", "select", "indirect", "fast failover")


def format_group_id(group_id: int) -> str:
    """Return a group's name or number."""
    names = {groups.OFPG_ALL: "ALL", OFPG_ANY: "ANY"}
    return names.get(group_id) or str(group_id)


def format_stats(stats: groups.GroupStats) -> str:
    """Return a group's statistics, a line with the line feed in front."""
    text = f"\n group_id={stats.group_id},"
    if stats.duration_sec != U32:
        text += f"duration={duration(stats.duration_sec, stats.duration_nsec)},"
    text += f"ref_count={stats.ref_count},packet_count={stats.packet_count},"
    text += f"byte_count={stats.byte_count}"
    for i, (packets, octets) in enumerate(stats.buckets):
        if packets != U64:
            text += f",bucket{i}:packet_count={packets},byte_count={octets}"
    return text


def _request(out: Out, header: raws.Header, cursor: Cursor) -> None:
    request = decode_body(header, cursor)
    assert isinstance(request, (groups.GroupStatsRequest, groups.GroupDescRequest))
    out.put(f" group_id={format_group_id(request.group_id)}")


def _stats_reply(out: Out, header: raws.Header, cursor: Cursor) -> None:
    while cursor.left:
        try:
            stats = groups.take_stats(header, cursor)
        except OpenFlowError:
            out.put(" ***parse error***")
            raise
        out.put(format_stats(stats))


def _features(out: Out, header: raws.Header, cursor: Cursor) -> None:
    features = decode_body(header, cursor)
    assert isinstance(features, groups.GroupFeatures)
    text = f"\n Group table:\n    Types:  0x{features.types:x}\n"
    text += f"    Capabilities:  0x{features.capabilities:x}\n"
    for i, name in enumerate(_TYPES):
        if features.types >> i & 1:
            limit = features.max_groups[i]
            actions = action_bits.decode(features.actions[i], header.version)
            text += f"    {name} group:\n       max_groups="
            text += f"{limit:#x}\n" if limit else "0\n"
            text += f"       actions: {action_bits.format_names(actions)}\n"
    out.put(text)


PRINTERS = {
    "GROUP_STATS_REQUEST": _request,
    "GROUP_DESC_STATS_REQUEST": _request,
    "GROUP_STATS_REPLY": _stats_reply,
    "GROUP_FEATURES_STATS_REPLY": _features,
}
