# SPDX-License-Identifier: Apache-2.0
"""What OpenFlow requests do: one module a family, one function a type of message.

`handle()` finds the function in `HANDLERS`. It gets the connection and the request, and
answers through the connection or raises OpenFlowError, which becomes an error message.
A request is complete when its function returns, but for long statistics, whose rest is
sent by and by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.ofproto import multipart
from ovswitch.ofproto.requests import (
    bundle,
    flow_mod,
    flow_stats,
    group_meter,
    monitor,
    packet_out,
    port,
    queue,
    resume,
    session,
    switch,
    table,
)
from ovswitch.ofproto.requests.request import Request
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.role import SECONDARY
from ovswitch.runtime import vlog

if TYPE_CHECKING:
    from collections.abc import Callable

    from ovswitch.ofproto.ofconn import Ofconn

    Handler = Callable[[Ofconn, Request], None]

_log = vlog.Module("ofp_msgs")
_limit = vlog.RateLimit(1, 5)

HANDLERS: dict[str, Handler] = {
    **session.HANDLERS,
    **switch.HANDLERS,
    **flow_mod.HANDLERS,
    **bundle.HANDLERS,
    **flow_stats.HANDLERS,
    **monitor.HANDLERS,
    **packet_out.HANDLERS,
    **port.HANDLERS,
    **resume.HANDLERS,
    **queue.HANDLERS,
    **table.HANDLERS,
    **group_meter.HANDLERS,
}

#: What a secondary controller may not do.
_PRIMARY_ONLY = frozenset((
    "PACKET_OUT", "PORT_MOD", "FLOW_MOD", "GROUP_MOD", "TABLE_MOD", "METER_MOD",
    "BUNDLE_CONTROL", "BUNDLE_ADD_MESSAGE", "NXT_TLV_TABLE_MOD",
))  # fmt: skip
#: Requests that may have several parts with a body.
_MULTIPART = frozenset(("TABLE_FEATURES_STATS_REQUEST", "FLOW_MONITOR_STATS_REQUEST"))


def handle(ofconn: Ofconn, octets: bytes) -> None:
    """Carry out the request that `octets` hold, or are the last part of."""
    try:
        request = _complete(ofconn, octets)
    except OpenFlowError as error:
        if error.detail:
            _log.warn_rl(_limit, "%s", error.detail)
        ofconn.refuse(octets, error)
        return
    if request is not None:
        try:
            _carry_out(request)
        except OpenFlowError as error:
            ofconn.refuse(request.octets, error)


def _complete(ofconn: Ofconn, octets: bytes) -> Request | None:
    """Return a request, or None if there is more to come of it."""
    if not multipart.is_request(octets):
        return Request(ofconn, [octets])
    parts = ofconn.assembler.add(octets, ofconn.ofproto.clock())
    return Request(ofconn, parts) if parts else None


def _carry_out(request: Request) -> None:
    raw = request.header.raw
    if len(request.parts) > 1 and raw.type not in _MULTIPART:
        raise OpenFlowError("OFPBRC_BAD_STAT")
    if raw.type in _PRIMARY_ONLY and request.ofconn.role == SECONDARY:
        raise OpenFlowError("OFPBRC_IS_SECONDARY")
    handler = HANDLERS.get(raw.type)
    if handler is None:
        is_stats_request = raw.is_stats and not raw.is_reply
        raise OpenFlowError(
            "OFPBRC_BAD_STAT" if is_stats_request else "OFPBRC_BAD_TYPE"
        )
    handler(request.ofconn, request)
