# SPDX-License-Identifier: Apache-2.0
"""Flow monitors: a controller is told of changes to flows (OpenFlow 1.5.1 §7.3.5.19).

Nicira's extension brought them to OpenFlow 1.0 to 1.2, one of the ONF to OpenFlow 1.3;
OpenFlow 1.4 made them standard, with other numbers and a way to end a monitor. Here
flags and events are those of OpenFlow 1.4.
"""

from __future__ import annotations

import struct

from ovswitch.flow.match import MATCH_ALL, Match
from ovswitch.flow.names import OFPP_NONE, port_to_ofp11
from ovswitch.openflow import actions as ofpacts
from ovswitch.openflow import matching, oxm
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.base import OFPG_ANY, OFPTT_ALL, Message, port_number
from ovswitch.openflow.version import OF13, OF14

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ovswitch.flow.tun_metadata import TunTable
    from ovswitch.openflow import raws
    from ovswitch.openflow.actions.types import Action
    from ovswitch.openflow.messages.base import Context
    from ovswitch.openflow.wire import Cursor

INITIAL, ADD, REMOVED, MODIFY = 1, 2, 4, 8
INSTRUCTIONS, NO_ABBREV, ONLY_OWN = 0x10, 0x20, 0x40
_FLAGS14 = INITIAL | ADD | REMOVED | MODIFY | INSTRUCTIONS | ONLY_OWN
_NX_OWN = 0x20
_NX_FLAGS = INITIAL | ADD | REMOVED | MODIFY | INSTRUCTIONS | _NX_OWN
_CHANGES = ADD | REMOVED | MODIFY

OFPFMC_ADD, OFPFMC_MODIFY, OFPFMC_DELETE = range(3)

(OFPFME_INITIAL, OFPFME_ADDED, OFPFME_REMOVED, OFPFME_MODIFIED, OFPFME_ABBREV,
 OFPFME_PAUSED, OFPFME_RESUMED) = range(7)  # fmt: skip

# Nicira has no "initial".
_TO_NX = {
    OFPFME_INITIAL: 0,
    OFPFME_ADDED: 0,
    OFPFME_REMOVED: 1,
    OFPFME_MODIFIED: 2,
    OFPFME_ABBREV: 3,
}
_FROM_NX = (OFPFME_ADDED, OFPFME_REMOVED, OFPFME_MODIFIED, OFPFME_ABBREV)

_NX_REQUEST = struct.Struct("!IHHHB5s")
_ONF_REQUEST = struct.Struct("!IHHIB3s")
_REQUEST14 = struct.Struct("!IIIHBB")
_CANCEL = struct.Struct("!I")
_UPDATE = struct.Struct("!HH")
_SHORT_UPDATE = struct.Struct("!HHI")
_NX_FULL = struct.Struct("!HHHHHHHBxQ")
_FULL14 = struct.Struct("!HHBBHHH4xQ")


def form_of(version: int) -> str:
    """Return which form a version's requests and replies have."""
    if version >= OF14:
        return ""
    return "ONFST13" if version == OF13 else "NXST"


class FlowMonitor:
    """A monitor that is asked for.

    Attributes:
        id: the controller's number for it.
        command: OFPFMC_*; only OpenFlow 1.4+ has others than `OFPFMC_ADD`.
        flags: which changes are told, and how.
        match, table_id, out_port, out_group: of which flows.
    """

    __slots__ = (
        "command", "flags", "id", "match", "out_group", "out_port", "table_id",
    )  # fmt: skip

    def __init__(
        self,
        monitor_id: int,
        command: int = OFPFMC_ADD,
        flags: int = 0,
        match: Match = MATCH_ALL,
        table_id: int = OFPTT_ALL,
        out_port: int = OFPP_NONE,
        out_group: int = OFPG_ANY,
    ) -> None:
        self.id = monitor_id
        self.command = command
        self.flags = flags
        self.match = match
        self.table_id = table_id
        self.out_port = out_port
        self.out_group = out_group

    def encode(self, version: int) -> bytes:
        """Return the request's octets."""
        if version >= OF14:
            fixed = _REQUEST14.pack(
                self.id, port_to_ofp11(self.out_port), self.out_group, self.flags,
                self.table_id, self.command,
            )  # fmt: skip
            return fixed + matching.put11(self.match, version)
        flags = self.flags & (_NX_FLAGS & ~_NX_OWN)
        if self.flags & ONLY_OWN:
            flags |= _NX_OWN
        if version == OF13:
            match = matching.put11(self.match, version)
            size = int.from_bytes(match[2:4], "big")
            port = port_to_ofp11(self.out_port)
            fixed = _ONF_REQUEST.pack(self.id, flags, size, port, self.table_id, b"")
        else:
            match, size = oxm.put_nxm(self.match)
            fixed = _NX_REQUEST.pack(
                self.id, flags, self.out_port, size, self.table_id, b""
            )
        return fixed + match


def take_request(
    header: raws.Header, cursor: Cursor, tun: TunTable | None = None
) -> FlowMonitor:
    """Take one of the monitors of a request.

    Raises:
        OpenFlowError: OFPMOFC_BAD_FLAGS, NXBRC_MUST_BE_ZERO, or nearly any other.
    """
    if header.raw.form == "OFPST14":
        number, port, group, flags, table_id, command = cursor.unpack(_REQUEST14)
        monitor = FlowMonitor(number, command)
        if command != OFPFMC_DELETE:
            monitor.flags = _check_flags(flags, _FLAGS14)
            monitor.out_port = port_number(port)
            monitor.out_group = group
            monitor.table_id = table_id
        monitor.match = matching.take11(cursor, tun)
        return monitor
    is_nx = header.raw.form == "NXST"
    fixed = _NX_REQUEST if is_nx else _ONF_REQUEST
    octets = cursor.take(fixed.size)
    if is_nx:
        number, flags, port, size, table_id, zeros = fixed.unpack(octets)
    else:
        number, flags, size, port, table_id, zeros = fixed.unpack(octets)
    flags = _check_flags(flags, _NX_FLAGS)
    if any(zeros):
        raise OpenFlowError("NXBRC_MUST_BE_ZERO")
    if flags & _NX_OWN:
        flags = flags & ~_NX_OWN | ONLY_OWN
    monitor = FlowMonitor(number, OFPFMC_ADD, flags, MATCH_ALL, table_id)
    if is_nx:
        monitor.out_port = port
        monitor.match = oxm.take_nxm(cursor, size, tun=tun).match
    else:
        monitor.out_port = port_number(port)
        monitor.match = matching.take11(cursor, tun)
    return monitor


def _check_flags(flags: int, known: int) -> int:
    if not flags & _CHANGES or flags & ~known:
        raise OpenFlowError("OFPMOFC_BAD_FLAGS")
    return flags


class FlowMonitorRequest(Message):
    """A request for monitors, or for their end."""

    __slots__ = ("monitors",)

    type = "FLOW_MONITOR_STATS_REQUEST"

    def __init__(self, monitors: list[FlowMonitor]) -> None:
        self.monitors = monitors
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body for a version."""
        return form_of(version), b"".join(one.encode(version) for one in self.monitors)


def _decode_request(
    header: raws.Header, cursor: Cursor, context: Context
) -> FlowMonitorRequest:
    monitors = []
    while cursor.left:
        monitors.append(take_request(header, cursor, context.tun))
    return FlowMonitorRequest(monitors)


class FlowMonitorCancel(Message):
    """A request to end a monitor, before OpenFlow 1.4."""

    __slots__ = ("id",)

    type = "FLOW_MONITOR_CANCEL"

    def __init__(self, monitor_id: int) -> None:
        self.id = monitor_id
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body for a version."""
        form = "ONFT13" if version == OF13 else "NXT"
        return form, _CANCEL.pack(self.id)


def _decode_cancel(
    header: raws.Header, cursor: Cursor, context: Context
) -> FlowMonitorCancel:
    return FlowMonitorCancel(cursor.u32())


class FlowUpdate:
    """A change that a monitor tells.

    Attributes:
        event: OFPFME_*.
        xid: of the flow mod, in `OFPFME_ABBREV`, which tells nothing else.
        reason: OFPRR_*, in `OFPFME_REMOVED`.
        match, priority, table_id, cookie, idle_timeout, hard_timeout, actions: the
            flow's, as in `FlowMod`; not in `OFPFME_PAUSED` and `OFPFME_RESUMED`.
    """

    __slots__ = (
        "actions", "cookie", "event", "hard_timeout", "idle_timeout", "match",
        "priority", "reason", "table_id", "xid",
    )  # fmt: skip

    def __init__(
        self,
        event: int,
        match: Match = MATCH_ALL,
        priority: int = 0x8000,
        table_id: int = 0,
        actions: tuple[Action, ...] = (),
        cookie: int = 0,
    ) -> None:
        self.event = event
        self.match = match
        self.priority = priority
        self.table_id = table_id
        self.actions = actions
        self.cookie = cookie
        self.idle_timeout = self.hard_timeout = 0
        self.reason = 0
        self.xid = 0

    def encode(self, version: int) -> bytes:
        """Return the entry's octets.

        Raises:
            KeyError: the event needs OpenFlow 1.4.
        """
        event = self.event if version >= OF14 else _TO_NX[self.event]
        if self.event >= OFPFME_ABBREV:
            return _SHORT_UPDATE.pack(_SHORT_UPDATE.size, event, self.xid)
        if version >= OF13:
            rest = matching.put11(self.match, version)
            match_size = int.from_bytes(rest[2:4], "big")
        else:
            rest, match_size = oxm.put_nxm(self.match)
        rest += ofpacts.encode(self.actions, version, instructions=version >= OF13)
        size = _FULL14.size + len(rest)
        timeouts = (self.idle_timeout, self.hard_timeout)
        if version >= OF14:
            fixed = _FULL14.pack(
                size, event, self.table_id, self.reason, *timeouts, self.priority,
                self.cookie,
            )  # fmt: skip
        else:
            fixed = _NX_FULL.pack(
                size, event, self.reason, self.priority, *timeouts, match_size,
                self.table_id, self.cookie,
            )  # fmt: skip
        return fixed + rest


def take_update(header: raws.Header, cursor: Cursor) -> FlowUpdate:
    """Take one entry of a reply.

    Raises:
        OpenFlowError: OFPBRC_BAD_LEN, NXBRC_FM_BAD_EVENT, or nearly any other.
    """
    if cursor.left < _UPDATE.size:
        raise OpenFlowError("OFPBRC_BAD_LEN")
    size, event = _UPDATE.unpack_from(cursor.octets, cursor.offset)
    if size > cursor.left or size % 8:
        raise OpenFlowError("OFPBRC_BAD_LEN")
    is_14 = header.raw.form == "OFPST14"
    if event > (OFPFME_RESUMED if is_14 else len(_FROM_NX) - 1):
        raise OpenFlowError("NXBRC_FM_BAD_EVENT")
    update = FlowUpdate(event if is_14 else _FROM_NX[event])
    if update.event >= OFPFME_ABBREV:
        if size != _SHORT_UPDATE.size:
            raise OpenFlowError("OFPBRC_BAD_LEN")
        update.xid = cursor.unpack(_SHORT_UPDATE)[2]
        return update
    if size < _FULL14.size:
        raise OpenFlowError("OFPBRC_BAD_LEN")
    end = cursor.offset + size
    if is_14:
        (_, _, update.table_id, update.reason, update.idle_timeout,
         update.hard_timeout, update.priority,
         update.cookie) = cursor.unpack(_FULL14)  # fmt: skip
        update.match = matching.take11(cursor)
    else:
        (_, _, update.reason, update.priority, update.idle_timeout,
         update.hard_timeout, match_size, update.table_id,
         update.cookie) = cursor.unpack(_NX_FULL)  # fmt: skip
        if _NX_FULL.size + match_size > size:
            raise OpenFlowError("OFPBRC_BAD_LEN")
        if header.raw.form == "NXST":
            update.match = oxm.take_nxm(cursor, match_size).match
        else:
            update.match = matching.take11(cursor)
    has_instructions = header.version >= OF13
    if cursor.offset > end:
        raise OpenFlowError("OFPBIC_BAD_LEN" if has_instructions else "OFPBRC_BAD_LEN")
    update.actions = ofpacts.decode(
        cursor.take(end - cursor.offset), header.version, instructions=has_instructions
    )
    return update


class FlowMonitorReply(Message):
    """Updates: one part of a reply, or later, by themselves, with transaction 0."""

    __slots__ = ("more", "updates")

    type = "FLOW_MONITOR_STATS_REPLY"

    def __init__(self, updates: list[FlowUpdate], more: bool = False) -> None:
        self.updates = updates
        self.more = more
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body for a version."""
        return form_of(version), b"".join(self.entries("", version))

    def entries(self, form: str, version: int) -> Iterator[bytes]:
        """Yield each entry's octets."""
        return (update.encode(version) for update in self.updates)


def _decode_reply(
    header: raws.Header, cursor: Cursor, context: Context
) -> FlowMonitorReply:
    updates = []
    while cursor.left:
        updates.append(take_update(header, cursor))
    return FlowMonitorReply(updates, header.more)


DECODERS = {
    "FLOW_MONITOR_STATS_REQUEST": _decode_request,
    "FLOW_MONITOR_STATS_REPLY": _decode_reply,
    "FLOW_MONITOR_CANCEL": _decode_cancel,
}
