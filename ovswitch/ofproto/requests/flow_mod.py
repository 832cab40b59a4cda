# SPDX-License-Identifier: Apache-2.0
"""Changes of flow tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.ofproto.flow_mod import DELETE, DELETE_STRICT
from ovswitch.openflow.actions.types import Meter
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.flow_mod import FlowMod

if TYPE_CHECKING:
    from ovswitch.ofproto.ofconn import Ofconn
    from ovswitch.ofproto.ofproto import Ofproto
    from ovswitch.ofproto.requests.request import Request


def check_meters(ofproto: Ofproto, flow_mod: FlowMod) -> None:
    """Raise OpenFlowError if a flow mod's actions name a meter that isn't there."""
    if flow_mod.command not in {DELETE, DELETE_STRICT}:
        for action in flow_mod.actions:
            if isinstance(action, Meter) and (
                ofproto.provider_meter(action.meter_id) is None
            ):
                raise OpenFlowError("OFPMMFC_INVALID_METER")


def _flow_mod(ofconn: Ofconn, request: Request) -> None:
    message = request.decode()
    assert isinstance(message, FlowMod)
    check_meters(ofconn.ofproto, message)
    try:
        ofconn.ofproto.tables.apply(message, request)
    finally:
        ofconn.connmgr.flush_monitors()
    ofconn.flow_mod_log.count(message.command, ofconn.ofproto.clock())


HANDLERS = {"FLOW_MOD": _flow_mod}
