# SPDX-License-Identifier: Apache-2.0
"""A packet's flow from text: "in_port=1,tcp,nw_dst=10.0.0.1", without masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.flow import access, prereqs
from ovswitch.flow.fields import FIELDS
from ovswitch.flow.layout import SLOTS
from ovswitch.flow.names import OFPP_NONE
from ovswitch.flow.parse import PROTOCOLS
from ovswitch.flow.values import parse_value
from ovswitch.openflow.parse.tokens import key_values

if TYPE_CHECKING:
    from ovswitch.flow.names import NameMap
    from ovswitch.flow.tun_metadata import TunTable

_DL_TYPE = SLOTS["dl_type"]
_NW_PROTO = SLOTS["nw_proto"]
_IN_PORT = SLOTS["in_port"]


def parse_exact_flow(
    text: str, ports: NameMap | None = None, tun: TunTable | None = None
) -> int:
    """Return the flow that `text` describes, with the OpenFlow in_port (NONE if 0).

    Raises: ValueError: with the text for the user.
    """
    flow = 0
    for key, value in key_values(text):
        protocol = PROTOCOLS.get(key)
        if protocol is not None:
            flow = _set_protocol(flow, text, *protocol)
            continue
        field = FIELDS.get(key)
        if field is None:
            raise ValueError(f"{text}: unknown field {key}")
        if not prereqs.holds(field, flow):
            raise ValueError(f"{text}: prerequisites not met for setting {key}")
        if access.get(field, flow, tun):
            raise ValueError(f"{text}: field {key} set multiple times")
        try:
            number = parse_value(field, value, ports)
        except ValueError as error:
            raise ValueError(f"{text}: bad value for {key} ({error})") from None
        flow = access.put(field, flow, number, tun)
    if not flow & _IN_PORT.mask:
        flow = _IN_PORT.put(flow, OFPP_NONE)
    return flow


def _set_protocol(flow: int, text: str, eth_type: int, protocol: int) -> int:
    if flow & _DL_TYPE.mask:
        raise ValueError(f"{text}: Ethernet type set multiple times")
    flow = _DL_TYPE.put(flow, eth_type)
    if protocol:
        if flow & _NW_PROTO.mask:
            raise ValueError(f"{text}: network protocol set multiple times")
        flow = _NW_PROTO.put(flow, protocol)
    return flow
