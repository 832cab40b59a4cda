# SPDX-License-Identifier: Apache-2.0
"""Changes of flow tables (OpenFlow 1.5.1 §7.3.4.2, `struct ofp_flow_mod`)."""

from __future__ import annotations

import struct

from ovswitch.flow import names
from ovswitch.flow.layout import SLOTS
from ovswitch.flow.match import MATCH_ALL, Match
from ovswitch.flow.normalize import normalize
from ovswitch.flow.prereqs import ETH_TYPE_IP, ETH_TYPE_IPV6
from ovswitch.openflow import actions as ofpacts
from ovswitch.openflow import fixed_match, matching, oxm
from ovswitch.openflow import protocol as protocols
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.base import (
    NO_BUFFER,
    OFPG_ANY,
    OFPTT_ALL,
    U16,
    U64,
    Message,
    port_number,
)
from ovswitch.openflow.version import OF10, OF11, OF12, OF13, OF14

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow import raws
    from ovswitch.openflow.actions.types import Action
    from ovswitch.openflow.messages.base import Context
    from ovswitch.openflow.wire import Cursor

OFPFC_ADD, OFPFC_MODIFY, OFPFC_MODIFY_STRICT, OFPFC_DELETE, OFPFC_DELETE_STRICT = range(
    5
)
_DELETES = (OFPFC_DELETE, OFPFC_DELETE_STRICT)
_MODIFIES = (OFPFC_MODIFY, OFPFC_MODIFY_STRICT)

# Flags, as OpenFlow 1.3 has them on the wire.
SEND_FLOW_REM = 1 << 0
CHECK_OVERLAP = 1 << 1
RESET_COUNTS = 1 << 2
NO_PKT_COUNTS = 1 << 3
NO_BYT_COUNTS = 1 << 4
_EMERG10 = 1 << 2

_FLOW_MOD10 = struct.Struct("!QHHHHIHH")
_FLOW_MOD11 = struct.Struct("!QQBBHHHIIIHH")
_NX_FLOW_MOD = struct.Struct("!QHHHHIHHH6x")

_ALL_WILDCARDS10 = (1 << 22) - 1

_CT_NW = SLOTS["ct_nw_src"].mask | SLOTS["ct_nw_dst"].mask
_CT_IPV6 = SLOTS["ct_ipv6_src"].mask | SLOTS["ct_ipv6_dst"].mask
_DL_TYPE = SLOTS["dl_type"]


def valid_flags(version: int) -> int:
    """Return the flags that `version` has."""
    flags = SEND_FLOW_REM | CHECK_OVERLAP
    if version >= OF12:
        flags |= RESET_COUNTS
    if version >= OF13:
        flags |= NO_PKT_COUNTS | NO_BYT_COUNTS
    return flags


class FlowMod(Message):
    """A change of flow tables.

    Attributes:
        command: OFPFC_*.
        match, priority, table_id: which flow; `table_id` 255 is all or any.
        cookie, cookie_mask: which flows modify and delete apply to.
        new_cookie: of a new flow; all ones for "don't add one" in modify.
        modify_cookie: whether modify also changes the cookies.
        idle_timeout, hard_timeout: seconds, 0 for never.
        importance: for eviction.
        buffer_id: a buffered packet to treat, `NO_BUFFER` for none.
        out_port, out_group: delete only flows that send there.
        flags: SEND_FLOW_REM and so on, as OpenFlow 1.3 has them.
        actions: actions and instructions.
    """

    __slots__ = (
        "actions", "buffer_id", "command", "cookie", "cookie_mask", "flags",
        "hard_timeout", "idle_timeout", "importance", "match", "modify_cookie",
        "new_cookie", "out_group", "out_port", "priority", "table_id",
    )  # fmt: skip

    type = "FLOW_MOD"

    def __init__(
        self,
        command: int = OFPFC_ADD,
        match: Match = MATCH_ALL,
        priority: int = 0x8000,
        table_id: int = OFPTT_ALL,
        actions: tuple[Action, ...] = (),
    ) -> None:
        self.command = command
        self.match = match
        self.priority = priority
        self.table_id = table_id
        self.cookie = self.cookie_mask = 0
        self.new_cookie = U64 if command in _MODIFIES else 0
        self.modify_cookie = False
        self.idle_timeout = self.hard_timeout = self.importance = 0
        self.buffer_id = NO_BUFFER
        self.out_port = names.OFPP_NONE
        self.out_group = OFPG_ANY
        self.flags = 0
        self.actions = actions
        self.xid = self.version = 0

    def _tid_command(self, protocol: int) -> int:
        if protocol & protocols.TID:
            return self.command & 0xFF | self.table_id << 8
        return self.command

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body for a protocol."""
        flags = self.flags & valid_flags(version)
        if version >= OF11:
            return "", self._body11(version, flags)
        actions = ofpacts.encode(self.actions, version, instructions=False)
        command = self._tid_command(protocol)
        timeouts = (self.idle_timeout, self.hard_timeout)
        if protocol & protocols.OF10_NXM_ANY:
            match, size = oxm.put_nxm(self.match, self.cookie, self.cookie_mask)
            fixed = _NX_FLOW_MOD.pack(
                self.new_cookie, command, *timeouts, self.priority, self.buffer_id,
                self.out_port, flags, size,
            )  # fmt: skip
            return "NXT", fixed + match + actions
        fixed = _FLOW_MOD10.pack(
            self.new_cookie, command, *timeouts, self.priority, self.buffer_id,
            self.out_port, flags,
        )  # fmt: skip
        return "OFPT10", fixed_match.encode10(self.match) + fixed + actions

    def _body11(self, version: int, flags: int) -> bytes:
        is_modify = self.command in _MODIFIES
        if self.command == OFPFC_ADD or (
            version == OF11 and is_modify and not self.cookie_mask
        ):
            cookie = self.new_cookie
        else:
            cookie = self.cookie & self.cookie_mask
        table_id = self.table_id
        if table_id == OFPTT_ALL and (version == OF11 or self.command not in _DELETES):
            table_id = 0
        is_add14 = version >= OF14 and self.command == OFPFC_ADD
        fixed = _FLOW_MOD11.pack(
            cookie, self.cookie_mask, table_id, self.command, self.idle_timeout,
            self.hard_timeout, self.priority, self.buffer_id,
            names.port_to_ofp11(self.out_port), self.out_group, flags,
            self.importance if is_add14 else 0,
        )  # fmt: skip
        actions = ofpacts.encode(self.actions, version, instructions=True)
        return fixed + matching.put11(self.match, version) + actions


def decode(header: raws.Header, cursor: Cursor, context: Context) -> FlowMod:
    """Decode a flow mod, and check that its actions fit its match.

    Raises:
        OpenFlowError: nearly any.
    """
    flow_mod = FlowMod()
    form = header.raw.form
    protocol = context.protocol_for(header.version)
    if form == "OFPT11":
        flags = _take11(flow_mod, header.version, cursor, context)
    elif form == "NXT":
        flags = _take_nx(flow_mod, cursor, context, protocol)
    else:
        flags = _take10(flow_mod, cursor, protocol)
    _check_ct_tuple(flow_mod.match)
    if flow_mod.command > OFPFC_DELETE_STRICT:
        raise OpenFlowError("OFPFMFC_BAD_COMMAND")
    flow_mod.actions = ofpacts.decode(cursor.rest(), header.version, instructions=True)
    flow_mod.flags = decode_flags(flags, header.version)
    if header.version == OF10 and flags & _EMERG10:
        timeouts = flow_mod.hard_timeout or flow_mod.idle_timeout
        raise OpenFlowError(
            "OFPFMFC_BAD_EMERG_TIMEOUT" if timeouts else "OFPFMFC_TABLE_FULL"
        )
    if header.version <= OF11 and flow_mod.command == OFPFC_ADD:
        flow_mod.flags |= RESET_COUNTS
    flow_mod.actions = ofpacts.check(
        flow_mod.actions,
        flow_mod.match,
        protocol,
        max_ports=context.max_ports,
        table_id=flow_mod.table_id,
        n_tables=context.n_tables,
    )
    return flow_mod


def decode_flags(flags: int, version: int) -> int:
    """Return a flow's flags.

    Raises:
        OpenFlowError: OFPFMFC_BAD_FLAGS.
    """
    known = valid_flags(version)
    if flags & ~(known | _EMERG10 if version == OF10 else known):
        raise OpenFlowError("OFPFMFC_BAD_FLAGS")
    return flags & known


def _take11(flow_mod: FlowMod, version: int, cursor: Cursor, context: Context) -> int:
    (cookie, cookie_mask, table_id, command, flow_mod.idle_timeout,
     flow_mod.hard_timeout, flow_mod.priority, flow_mod.buffer_id, out_port,
     out_group, flags, importance) = cursor.unpack(_FLOW_MOD11)  # fmt: skip
    flow_mod.match = matching.take11(cursor, context.tun)
    flow_mod.command = command
    if command == OFPFC_ADD or (
        version == OF11 and command in _MODIFIES and not cookie_mask
    ):
        # In OpenFlow 1.1 a modify that matches on no cookie adds, if need be.
        flow_mod.new_cookie = cookie
    else:
        flow_mod.cookie, flow_mod.cookie_mask = cookie, cookie_mask
        flow_mod.new_cookie = U64
    flow_mod.table_id = table_id
    if table_id == OFPTT_ALL and (version == OF11 or command not in _DELETES):
        raise OpenFlowError("OFPFMFC_BAD_TABLE_ID")
    if version >= OF14 and command == OFPFC_ADD:
        flow_mod.importance = importance
    flow_mod.out_port = port_number(out_port)
    if command in _DELETES:
        flow_mod.out_group = out_group
    return flags


def _take10(flow_mod: FlowMod, cursor: Cursor, protocol: int) -> int:
    octets = cursor.take(fixed_match.MATCH10_SIZE)
    (flow_mod.new_cookie, command, flow_mod.idle_timeout, flow_mod.hard_timeout,
     flow_mod.priority, flow_mod.buffer_id, flow_mod.out_port,
     flags) = cursor.unpack(_FLOW_MOD10)  # fmt: skip
    flow_mod.match = normalize(fixed_match.decode10(octets))
    if not int.from_bytes(octets[:4], "big") & _ALL_WILDCARDS10:
        # OpenFlow 1.0 gives exact matches the highest priority.
        flow_mod.priority = U16
    _set_tid_command(flow_mod, command, protocol)
    return flags


def _take_nx(flow_mod: FlowMod, cursor: Cursor, context: Context, protocol: int) -> int:
    (flow_mod.new_cookie, command, flow_mod.idle_timeout, flow_mod.hard_timeout,
     flow_mod.priority, flow_mod.buffer_id, flow_mod.out_port, flags,
     size) = cursor.unpack(_NX_FLOW_MOD)  # fmt: skip
    decoded = oxm.take_nxm(cursor, size, allow_cookie=True, tun=context.tun)
    flow_mod.match = decoded.match
    flow_mod.cookie, flow_mod.cookie_mask = decoded.cookie, decoded.cookie_mask
    if command & 0xFF == OFPFC_ADD and decoded.cookie_mask:
        raise OpenFlowError("NXBRC_NXM_INVALID")
    _set_tid_command(flow_mod, command, protocol)
    return flags


def _set_tid_command(flow_mod: FlowMod, command: int, protocol: int) -> None:
    flow_mod.modify_cookie = flow_mod.new_cookie != U64
    if protocol & protocols.TID:
        flow_mod.command = command & 0xFF
        flow_mod.table_id = command >> 8
    else:
        flow_mod.command = command
        flow_mod.table_id = OFPTT_ALL


def _check_ct_tuple(match: Match) -> None:
    """Check that addresses of a connection are of the packet's kind."""
    if not match.mask & (_CT_NW | _CT_IPV6):
        return
    eth_type = _DL_TYPE.get(match.value)
    if (match.mask & _CT_NW and eth_type != ETH_TYPE_IP) or (
        match.mask & _CT_IPV6 and eth_type != ETH_TYPE_IPV6
    ):
        raise OpenFlowError("OFPBAC_MATCH_INCONSISTENT")


DECODERS = {"FLOW_MOD": decode}
