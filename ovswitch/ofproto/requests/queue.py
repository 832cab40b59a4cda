# SPDX-License-Identifier: Apache-2.0
"""Requests about ports' queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.flow.names import OFPP_NONE
from ovswitch.ofproto import port_desc
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.queue import (
    OFPQ_ALL,
    QueueConfig,
    QueueConfigReply,
    QueueConfigRequest,
    QueueStats,
    QueueStatsReply,
    QueueStatsRequest,
)
from ovswitch.openflow.version import OF14
from ovswitch.runtime import coverage

if TYPE_CHECKING:
    from ovswitch.ofproto.ofconn import Ofconn
    from ovswitch.ofproto.port import Port
    from ovswitch.ofproto.requests.request import Request

_requests = coverage.Counter("ofproto_queue_req")

_DUMMY_TYPES = frozenset(("dummy", "dummy-internal", "dummy-pmd"))


def _queues(port: Port) -> tuple[int, ...]:
    """Return the queues of a port's device: a dummy has one, others need QoS."""
    return (0,) if port.netdev_type in _DUMMY_TYPES else ()


def _select(ofconn: Ofconn, port_no: int, queue: int) -> list[tuple[Port, int]]:
    """Return the queues that a request is about.

    Raises: OpenFlowError: there is no such port, or no port that has the queue.
    """
    if port_no == OFPP_NONE:
        ports = port_desc.in_order(ofconn.ofproto)
    else:
        port = ofconn.ofproto.ports.get(port_no)
        if port is None:
            raise OpenFlowError("OFPQOFC_BAD_PORT")
        ports = [port]
    found = [
        (port, number)
        for port in ports
        for number in _queues(port)
        if queue in {OFPQ_ALL, number}
    ]
    if not found and (queue != OFPQ_ALL or not ports):
        raise OpenFlowError("OFPQOFC_BAD_QUEUE")
    return found


def _config(ofconn: Ofconn, request: Request) -> None:
    message = request.decode()
    assert isinstance(message, QueueConfigRequest)
    queues = [
        QueueConfig(port.ofp_port, number)
        for port, number in _select(ofconn, message.port, message.queue)
    ]
    reply = QueueConfigReply(message.port, queues)
    if ofconn.version >= OF14:
        entries = reply.entries("", ofconn.version)
        ofconn.reply_entries(reply.type, "", request.xid, entries)
    else:
        ofconn.reply(reply, request.xid)


def _stats(ofconn: Ofconn, request: Request) -> None:
    _requests.add()
    message = request.decode()
    assert isinstance(message, QueueStatsRequest)
    queues = [
        QueueStats(port.ofp_port, number)
        for port, number in _select(ofconn, message.port, message.queue)
    ]
    entries = QueueStatsReply(queues).entries("", ofconn.version)
    ofconn.reply_entries(QueueStatsReply.type, "", request.xid, entries)


HANDLERS = {
    "QUEUE_GET_CONFIG_REQUEST": _config,
    "QUEUE_STATS_REQUEST": _stats,
}
