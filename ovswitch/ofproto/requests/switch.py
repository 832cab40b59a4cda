# SPDX-License-Identifier: Apache-2.0
"""Requests about the switch as a whole: features, configuration, description."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.ofproto import port_desc
from ovswitch.ofproto.xlate.pipeline import FRAG_REASM
from ovswitch.openflow import action_bits
from ovswitch.openflow.messages import features as f
from ovswitch.openflow.messages.core import (
    FRAGS,
    DescStatsReply,
    GetConfigReply,
    SetConfig,
)
from ovswitch.openflow.messages.role import SECONDARY
from ovswitch.openflow.version import OF13
from ovswitch.runtime import vlog

if TYPE_CHECKING:
    from ovswitch.ofproto.ofconn import Ofconn
    from ovswitch.ofproto.requests.request import Request

_log = vlog.Module("ofproto")
_limit = vlog.RateLimit(1, 5)

_CAPABILITIES = (
    f.FLOW_STATS | f.TABLE_STATS | f.PORT_STATS | f.QUEUE_STATS | f.GROUP_STATS
    | f.BUNDLES | f.ARP_MATCH_IP
)  # fmt: skip


def _features(ofconn: Ofconn, request: Request) -> None:
    ofproto = ofconn.ofproto
    reply = f.FeaturesReply(
        ofproto.datapath_id,
        n_tables=sum(not table.hidden for table in ofproto.tables),
        capabilities=_CAPABILITIES,
        actions=action_bits.ORDER,
    )
    if ofconn.version < OF13:
        reply.ports = [port_desc.describe(port) for port in port_desc.in_order(ofproto)]
    ofconn.reply(reply, request.xid)


def _get_config(ofconn: Ofconn, request: Request) -> None:
    reply = GetConfigReply(
        ofconn.ofproto.frag_handling,
        ofconn.miss_send_len,
        ofconn.invalid_ttl_to_controller,
    )
    ofconn.reply(reply, request.xid)


def _set_config(ofconn: Ofconn, request: Request) -> None:
    message = request.decode()
    assert isinstance(message, SetConfig)
    if not ofconn.is_primary or ofconn.role != SECONDARY:
        _set_frag_handling(ofconn, message.frag)
    if ofconn.version < OF13:
        ofconn.invalid_ttl_to_controller = message.invalid_ttl_to_controller
    ofconn.miss_send_len = message.miss_send_len


def _set_frag_handling(ofconn: Ofconn, frag: int) -> None:
    ofproto = ofconn.ofproto
    if frag == ofproto.frag_handling:
        return
    if frag == FRAG_REASM:
        _log.warn_rl(
            _limit,
            "%s: unsupported fragment handling mode %s",
            ofproto.name,
            FRAGS[frag],
        )
        return
    ofproto.frag_handling = frag
    ofproto.backer.need_revalidate("reconfigure")


def _desc(ofconn: Ofconn, request: Request) -> None:
    ofproto = ofconn.ofproto
    reply = DescStatsReply(
        ofproto.mfr_desc,
        ofproto.hw_desc,
        ofproto.sw_desc,
        ofproto.serial_desc,
        ofproto.dp_desc,
    )
    ofconn.reply(reply, request.xid)


HANDLERS = {
    "FEATURES_REQUEST": _features,
    "GET_CONFIG_REQUEST": _get_config,
    "SET_CONFIG": _set_config,
    "DESC_STATS_REQUEST": _desc,
}
