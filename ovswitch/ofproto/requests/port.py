# SPDX-License-Identifier: Apache-2.0
"""Requests about ports: their description, statistics, configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.flow.names import OFPP_NONE
from ovswitch.ofproto import port_desc
from ovswitch.ofproto.port import PORT_DOWN, UNKNOWN
from ovswitch.ofproto.ticks import duration
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.port import PortDescReply, PortDescRequest, PortMod
from ovswitch.openflow.messages.port_stats import (
    COUNTERS,
    PortStats,
    PortStatsReply,
    PortStatsRequest,
)

if TYPE_CHECKING:
    from ovswitch.ofproto.ofconn import Ofconn
    from ovswitch.ofproto.ofproto import Ofproto
    from ovswitch.ofproto.port import Port
    from ovswitch.ofproto.requests.request import Request


def _ports(ofconn: Ofconn, port_no: int) -> list[Port]:
    """Return the port of that number, or all for none."""
    if port_no == OFPP_NONE:
        return port_desc.in_order(ofconn.ofproto)
    port = ofconn.ofproto.ports.get(port_no)
    return [] if port is None else [port]


def _desc(ofconn: Ofconn, request: Request) -> None:
    message = request.decode()
    assert isinstance(message, PortDescRequest)
    version = ofconn.version
    entries = (
        port_desc.describe(port).encode(version)
        for port in _ports(ofconn, message.port_no)
    )
    ofconn.reply_entries(PortDescReply.type, "", request.xid, entries)


def _stats(ofconn: Ofconn, request: Request) -> None:
    message = request.decode()
    assert isinstance(message, PortStatsRequest)
    version = ofconn.version
    clock = ofconn.ofproto.clock
    entries = (
        _stats_of(port, clock()).encode(version)
        for port in _ports(ofconn, message.port_no)
    )
    ofconn.reply_entries(PortStatsReply.type, "", request.xid, entries)


def _stats_of(port: Port, now: int) -> PortStats:
    stats = port.get_stats()
    counters = {}
    custom = {}
    if stats is not None:
        values = {name: getattr(stats, name) for name in COUNTERS}
        counters = {name: n for name, n in values.items() if n != UNKNOWN}
        custom = stats.custom
    return PortStats(port.ofp_port, counters, custom, *duration(port.created, now))


def find(ofproto: Ofproto, message: PortMod) -> Port:
    """Return the port that a change is about. Raises: OpenFlowError: not there."""
    port = ofproto.ports.get(message.port_no)
    if port is None:
        raise OpenFlowError("OFPPMFC_BAD_PORT")
    if port.hw_addr != message.hw_addr:
        raise OpenFlowError("OFPPMFC_BAD_HW_ADDR")
    return port


def _port_mod(ofconn: Ofconn, request: Request) -> None:
    message = request.decode()
    assert isinstance(message, PortMod)
    modify(ofconn, find(ofconn.ofproto, message), message)


def modify(ofconn: Ofconn, port: Port, message: PortMod) -> None:
    """Change a port as `message` says."""
    mask = message.mask
    connmgr = ofconn.connmgr
    if (port.config ^ message.config) & mask & PORT_DOWN and connmgr.set_port_up:
        is_up = not message.config & PORT_DOWN
        if not connmgr.set_port_up(port, is_up):
            mask &= ~PORT_DOWN
    connmgr.change_port(ofconn, port, message.config, mask)


HANDLERS = {
    "PORT_DESC_STATS_REQUEST": _desc,
    "PORT_STATS_REQUEST": _stats,
    "PORT_MOD": _port_mod,
}
