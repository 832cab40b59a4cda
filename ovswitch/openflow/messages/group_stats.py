# SPDX-License-Identifier: Apache-2.0
"""Groups' statistics and features (OpenFlow 1.3.5 §7.3.5.9-11).

Nicira's extension has them in OpenFlow 1.0, its features in OpenFlow 1.1, too.
"""

from __future__ import annotations

import struct

from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.base import U32, Message
from ovswitch.openflow.version import OF10, OF11, OF13, OF15

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ovswitch.openflow import raws
    from ovswitch.openflow.messages.base import Context
    from ovswitch.openflow.wire import Cursor

OFPG_ALL = 0xFFFFFFFC

N_GROUP_TYPES = 4

_REQUEST = struct.Struct("!I4x")
_STATS11 = struct.Struct("!H2xII4xQQ")
_STATS13 = struct.Struct("!H2xII4xQQII")
_BUCKET = struct.Struct("!QQ")
_FEATURES = struct.Struct("!II4I4I")


class GroupStatsRequest(Message):
    """A request for a group's statistics, `OFPG_ALL` for all."""

    __slots__ = ("group_id",)

    type = "GROUP_STATS_REQUEST"

    def __init__(self, group_id: int = OFPG_ALL) -> None:
        self.group_id = group_id
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body for a version."""
        return "NXST" if version == OF10 else "", _REQUEST.pack(self.group_id)


class GroupDescRequest(Message):
    """A request for groups' description; one only in OpenFlow 1.0 and 1.5."""

    __slots__ = ("group_id",)

    type = "GROUP_DESC_STATS_REQUEST"

    def __init__(self, group_id: int = OFPG_ALL) -> None:
        self.group_id = group_id
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body for a version."""
        if OF11 <= version < OF15:
            return "", b""
        return "NXST" if version == OF10 else "", _REQUEST.pack(self.group_id)


def _decode_stats_request(
    header: raws.Header, cursor: Cursor, context: Context
) -> GroupStatsRequest:
    return GroupStatsRequest(cursor.u32())


def _decode_desc_request(
    header: raws.Header, cursor: Cursor, context: Context
) -> GroupDescRequest:
    return GroupDescRequest(cursor.u32() if cursor.left else OFPG_ALL)


class GroupStats:
    """What a group has seen.

    Attributes:
        group_id: which group.
        ref_count: how many flows and groups use it.
        packet_count, byte_count: what came.
        duration_sec, duration_nsec: since it is there; all ones if unknown.
        buckets: (packets, octets) of each bucket.
    """

    __slots__ = (
        "buckets", "byte_count", "duration_nsec", "duration_sec", "group_id",
        "packet_count", "ref_count",
    )  # fmt: skip

    def __init__(
        self, group_id: int, buckets: tuple[tuple[int, int], ...] = ()
    ) -> None:
        self.group_id = group_id
        self.buckets = buckets
        self.ref_count = self.packet_count = self.byte_count = 0
        self.duration_sec = self.duration_nsec = U32

    def encode(self, version: int) -> bytes:
        """Return the entry's octets."""
        has_duration = version == OF10 or version >= OF13
        fixed = _STATS13 if has_duration else _STATS11
        duration = (self.duration_sec, self.duration_nsec) if has_duration else ()
        size = fixed.size + len(self.buckets) * _BUCKET.size
        return fixed.pack(
            size, self.group_id, self.ref_count, self.packet_count, self.byte_count,
            *duration,
        ) + b"".join(_BUCKET.pack(*bucket) for bucket in self.buckets)  # fmt: skip


def take_stats(header: raws.Header, cursor: Cursor) -> GroupStats:
    """Take one entry of a reply.

    Raises:
        OpenFlowError: OFPBRC_BAD_LEN.
    """
    has_duration = header.raw.form != "OFPST11"
    fixed = _STATS13 if has_duration else _STATS11
    size, group_id, ref_count, packet_count, byte_count, *duration = cursor.unpack(
        fixed
    )
    # What isn't a whole bucket belongs to the next entry, as in the reference.
    n_buckets, rest = divmod(size - fixed.size, _BUCKET.size)
    if n_buckets < 0 and rest:
        raise OpenFlowError("OFPBRC_BAD_LEN")
    inner = cursor.sub(n_buckets * _BUCKET.size)
    buckets = []
    while inner.left:
        packets, octets = inner.unpack(_BUCKET)
        buckets.append((packets, octets))
    stats = GroupStats(group_id, tuple(buckets))
    stats.ref_count = ref_count
    stats.packet_count, stats.byte_count = packet_count, byte_count
    if has_duration:
        stats.duration_sec, stats.duration_nsec = duration
    return stats


class GroupStatsReply(Message):
    """Groups' statistics: one part of a reply."""

    __slots__ = ("groups", "more")

    type = "GROUP_STATS_REPLY"

    def __init__(self, groups: list[GroupStats], more: bool = False) -> None:
        self.groups = groups
        self.more = more
        self.xid = self.version = 0

    def entries(self, form: str, version: int) -> Iterator[bytes]:
        """Yield each entry's octets."""
        return (group.encode(version) for group in self.groups)


def _decode_stats_reply(
    header: raws.Header, cursor: Cursor, context: Context
) -> GroupStatsReply:
    groups = []
    while cursor.left:
        groups.append(take_stats(header, cursor))
    return GroupStatsReply(groups, header.more)


class GroupFeatures(Message):
    """What kinds of groups a switch can have.

    Attributes:
        types, capabilities: bitmaps.
        max_groups: by type: all, select, indirect, fast failover.
        actions: by type, a bitmap of the version's actions.
    """

    __slots__ = ("actions", "capabilities", "max_groups", "types")

    type = "GROUP_FEATURES_STATS_REPLY"

    def __init__(
        self,
        types: int = 0,
        capabilities: int = 0,
        max_groups: tuple[int, ...] = (0,) * N_GROUP_TYPES,
        actions: tuple[int, ...] = (0,) * N_GROUP_TYPES,
    ) -> None:
        self.types = types
        self.capabilities = capabilities
        self.max_groups = max_groups
        self.actions = actions
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body for a version."""
        form = "NXST" if version <= OF11 else ""
        head = (self.types, self.capabilities)
        return form, _FEATURES.pack(*head, *self.max_groups, *self.actions)


def _decode_features(
    header: raws.Header, cursor: Cursor, context: Context
) -> GroupFeatures:
    types, capabilities, *rest = cursor.unpack(_FEATURES)
    limits, actions = rest[:N_GROUP_TYPES], rest[N_GROUP_TYPES:]
    return GroupFeatures(types, capabilities, tuple(limits), tuple(actions))


DECODERS = {
    "GROUP_STATS_REQUEST": _decode_stats_request,
    "GROUP_DESC_STATS_REQUEST": _decode_desc_request,
    "GROUP_STATS_REPLY": _decode_stats_reply,
    "GROUP_FEATURES_STATS_REPLY": _decode_features,
}
