# SPDX-License-Identifier: Apache-2.0
"""Ports as OpenFlow messages describe them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.ofproto.port_order import hash_order
from ovswitch.openflow.messages.port import LINK_DOWN, LIVE, PORT_DOWN, PhyPort

if TYPE_CHECKING:
    from ovswitch.ofproto.ofproto import Ofproto
    from ovswitch.ofproto.port import Port


def describe(port: Port) -> PhyPort:
    """Return a port's description as it is now."""
    desc = PhyPort(port.ofp_port, port.name, port.hw_addr)
    desc.config = port.config
    desc.state = port.state & ~LIVE
    is_down = desc.config & PORT_DOWN or desc.state & LINK_DOWN
    if not is_down and port.may_enable:
        desc.state |= LIVE
    desc.curr = port.curr
    desc.advertised = port.advertised
    desc.supported = port.supported
    desc.peer = port.peer_features
    desc.curr_speed = port.curr_speed
    desc.max_speed = port.max_speed
    return desc


def in_order(ofproto: Ofproto) -> list[Port]:
    """Return a switch's ports in the order in which messages list them."""
    return [ofproto.ports[number] for number in hash_order(ofproto.ports)]
