# SPDX-License-Identifier: Apache-2.0
"""From a packet that the pipeline sends to controllers to the message for it.

The metadata is what the packet's octets don't tell: the port, and whatever of the
tunnel, the registers, the packet mark and connection tracking isn't zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.flow.layout import N_REGS, SLOTS
from ovswitch.flow.match import Match
from ovswitch.flow.prereqs import ETH_TYPE_IP, ETH_TYPE_IPV6
from ovswitch.ofproto.xlate.recirc import UnrollXlate
from ovswitch.openflow.messages.packet_in import Continuation, PacketIn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ovswitch.ofproto.ofproto import Ofproto
    from ovswitch.ofproto.packet_in import PacketInEvent
    from ovswitch.ofproto.xlate.recirc import FrozenState
    from ovswitch.openflow.actions.types import Action

_ALWAYS = SLOTS["in_port"].mask
_IF_SET = tuple(
    SLOTS[name].mask
    for name in (
        "tun_id", "tun_src", "tun_dst", "tun_ipv6_src", "tun_ipv6_dst", "tun_gbp_id",
        "tun_gbp_flags", "tun_erspan_ver", "tun_erspan_idx", "tun_erspan_dir",
        "tun_erspan_hwid", "tun_gtpu_flags", "tun_gtpu_msgtype",
        "tun_metadata_present", "metadata", "pkt_mark", "packet_type", "ct_zone",
        "ct_mark", "ct_label",
    )
) + tuple(SLOTS[f"reg{i}"].mask for i in range(N_REGS))  # fmt: skip
_TUN_FLAGS = SLOTS["tun_flags"]
_TUN_OPTIONS = SLOTS["tun_metadata"].mask
_TUN_PRESENT = SLOTS["tun_metadata_present"].mask
_FLAG_OAM = 1  # the only flag of a tunnel that OpenFlow has

_CT_STATE = SLOTS["ct_state"].mask
_CT_PROTO = SLOTS["ct_nw_proto"].mask
_DL_TYPE = SLOTS["dl_type"]
_CT_PORTS = _CT_PROTO | SLOTS["ct_tp_src"].mask | SLOTS["ct_tp_dst"].mask
_CT_ADDRESSES = {
    ETH_TYPE_IP: SLOTS["ct_nw_src"].mask | SLOTS["ct_nw_dst"].mask,
    ETH_TYPE_IPV6: SLOTS["ct_ipv6_src"].mask | SLOTS["ct_ipv6_dst"].mask,
}


def metadata_of(ofproto: Ofproto, flow: int) -> Match:
    """Return the fields of `flow` that a packet-in tells."""
    mask = _ALWAYS
    for bits in _IF_SET:
        if flow & bits:
            mask |= bits
    if _TUN_FLAGS.get(flow) & _FLAG_OAM:
        mask |= _FLAG_OAM << _TUN_FLAGS.shift
    if flow & _TUN_PRESENT:
        mask |= _TUN_OPTIONS
    if flow & _CT_STATE:
        mask |= _CT_STATE | _DL_TYPE.mask
        if flow & _CT_PROTO:
            addresses = _CT_ADDRESSES.get(_DL_TYPE.get(flow))
            if addresses is not None:
                mask |= addresses | _CT_PORTS
    return Match(flow, mask, ofproto.tun_table)


def message_of(ofproto: Ofproto, event: PacketInEvent) -> PacketIn:
    """Return the packet-in message for a packet."""
    message = PacketIn(
        event.packet,
        metadata_of(ofproto, event.flow),
        event.reason,
        event.table_id,
        event.cookie,
    )
    message.userdata = event.userdata
    if event.state is not None:
        message.continuation = _continuation(ofproto, event.flow, event.state)
    return message


def _continuation(ofproto: Ofproto, flow: int, state: FrozenState) -> Continuation:
    """Return what a controller brings back to let the pipeline go on."""
    result = Continuation()
    result.bridge = ofproto.uuid
    result.stack = [
        value.to_bytes((bits + 7) // 8, "big") for value, bits in reversed(state.stack)
    ]
    result.mirrors = state.mirrors
    result.conntracked = state.conntracked
    result.actions = list(_groups(state.actions))
    result.action_set = state.action_set
    port = ofproto.ports.get(SLOTS["in_port"].get(flow))
    if port is not None and port.odp_port is not None:
        result.odp_port = port.odp_port
    return result


def _groups(
    actions: tuple[Action, ...],
) -> Iterator[tuple[int, int, tuple[Action, ...]]]:
    """Yield (table, cookie, actions): what is left to do of each rule."""
    table_id = cookie = 0
    group: list[Action] = []
    for action in actions:
        if isinstance(action, UnrollXlate):
            if group:
                yield table_id, cookie, tuple(group)
            table_id, cookie = action.table_id, action.rule_cookie
            group = []
        else:
            group.append(action)
    if group:
        yield table_id, cookie, tuple(group)
