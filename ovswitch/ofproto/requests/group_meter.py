# SPDX-License-Identifier: Apache-2.0
"""Questions about groups, meters, TLV tables and exports, of a switch without any."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ovswitch.openflow import action_bits, raws
from ovswitch.openflow.errors import OpenFlowError

if TYPE_CHECKING:
    from ovswitch.ofproto.ofconn import Ofconn
    from ovswitch.ofproto.requests.request import Request

_ALL_METERS = 0xFFFFFFFF
_METER_ID = struct.Struct("!I4x")
_METER_FEATURES = struct.Struct("!IIIBB2x")
_GROUP_FEATURES = struct.Struct("!II4I4I")

_TLV_TABLE = struct.Struct("!IH10x")
_MAX_OPTION_SPACE, _MAX_TLV_FIELDS = 256, 64

_MAX_GROUPS = 0xFFFFFF00
_N_GROUP_TYPES = 4
_GROUP_TYPES = (1 << _N_GROUP_TYPES) - 1
_SELECT_WEIGHT, _SELECT_LIVENESS, _CHAINING = 1, 2, 4

# What the userspace datapath can do with meters.
_MAX_METERS = 1 << 18
_BAND_TYPES = 1 << 1  # drop
_METER_FLAGS = 0xF  # kbps, pktps, burst, stats
_MAX_BANDS = 8


def _nothing(ofconn: Ofconn, request: Request) -> None:
    """Answer with a list that is empty."""
    kind = request.header.raw.type.removesuffix("REQUEST") + "REPLY"
    ofconn.reply_entries(kind, request.stats_form, request.xid, ())


def _no_meter(ofconn: Ofconn, request: Request) -> None:
    """Answer for all meters, refuse for one."""
    (meter_id,) = _METER_ID.unpack_from(request.octets, request.header.body)
    if meter_id != _ALL_METERS:
        raise OpenFlowError("OFPMMFC_UNKNOWN_METER")
    _nothing(ofconn, request)


def _reply(ofconn: Ofconn, request: Request, kind: str, body: bytes) -> None:
    raw = raws.find(kind, ofconn.version, request.stats_form)
    ofconn.send(raws.put(raw, ofconn.version, request.xid, body))


def _group_features(ofconn: Ofconn, request: Request) -> None:
    actions = action_bits.encode(action_bits.ORDER, ofconn.version)
    body = _GROUP_FEATURES.pack(
        _GROUP_TYPES,
        _SELECT_WEIGHT | _SELECT_LIVENESS | _CHAINING,
        *(_MAX_GROUPS,) * _N_GROUP_TYPES,
        *(actions,) * _N_GROUP_TYPES,
    )
    _reply(ofconn, request, "GROUP_FEATURES_STATS_REPLY", body)


def _meter_features(ofconn: Ofconn, request: Request) -> None:
    body = _METER_FEATURES.pack(_MAX_METERS, _BAND_TYPES, _METER_FLAGS, _MAX_BANDS, 0)
    _reply(ofconn, request, "METER_FEATURES_STATS_REPLY", body)


def _tlv_table(ofconn: Ofconn, request: Request) -> None:
    body = _TLV_TABLE.pack(_MAX_OPTION_SPACE, _MAX_TLV_FIELDS)
    _reply(ofconn, request, "NXT_TLV_TABLE_REPLY", body)


def _not_configured(ofconn: Ofconn, request: Request) -> None:
    raise OpenFlowError("NXST_NOT_CONFIGURED")


HANDLERS = {
    "IPFIX_BRIDGE_STATS_REQUEST": _not_configured,
    "IPFIX_FLOW_STATS_REQUEST": _not_configured,
    "NXT_TLV_TABLE_REQUEST": _tlv_table,
    "GROUP_STATS_REQUEST": _nothing,
    "GROUP_DESC_STATS_REQUEST": _nothing,
    "GROUP_FEATURES_STATS_REQUEST": _group_features,
    "METER_STATS_REQUEST": _no_meter,
    "METER_CONFIG_STATS_REQUEST": _no_meter,
    "METER_FEATURES_STATS_REQUEST": _meter_features,
}
