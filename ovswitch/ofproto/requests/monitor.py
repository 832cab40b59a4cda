# SPDX-License-Identifier: Apache-2.0
"""Requests for flow monitors, and for their end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.ofproto.table import ALL_TABLES, N_TABLES
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.flow_monitor import (
    OFPFMC_ADD,
    OFPFMC_DELETE,
    OFPFMC_MODIFY,
    FlowMonitor,
    FlowMonitorCancel,
    FlowMonitorReply,
    form_of,
    take_request,
)
from ovswitch.openflow.wire import Cursor

if TYPE_CHECKING:
    from ovswitch.ofproto.ofconn import Ofconn
    from ovswitch.ofproto.requests.request import Request


def _monitor(ofconn: Ofconn, request: Request) -> None:
    """Change monitors, all that a request names or none that it adds."""
    added: list[FlowMonitor] = []
    for part in request.parts:
        try:
            _take_part(ofconn, request, part, added)
        except OpenFlowError as error:
            ofconn.monitors.discard(added)
            ofconn.refuse(part, error)
            return
    version = ofconn.version
    updates = ofconn.monitors.initial(added)
    entries = (update.encode(version) for update in updates)
    ofconn.reply_entries(FlowMonitorReply.type, form_of(version), request.xid, entries)
    # Changes may be told from now on: they must come behind.
    ofconn.finish()


def _take_part(
    ofconn: Ofconn, request: Request, part: bytes, added: list[FlowMonitor]
) -> None:
    cursor = Cursor(part, request.header.body)
    while cursor.left:
        monitor = take_request(request.header, cursor, ofconn.context.tun)
        if monitor.table_id != ALL_TABLES and monitor.table_id >= N_TABLES:
            raise OpenFlowError("OFPBRC_BAD_TABLE_ID")
        if monitor.command in {OFPFMC_MODIFY, OFPFMC_DELETE}:
            ofconn.monitors.remove(monitor.id)
        if monitor.command in {OFPFMC_ADD, OFPFMC_MODIFY}:
            ofconn.monitors.add(monitor)
            added.append(monitor)


def _cancel(ofconn: Ofconn, request: Request) -> None:
    message = request.decode()
    assert isinstance(message, FlowMonitorCancel)
    ofconn.monitors.remove(message.id)


HANDLERS = {
    "FLOW_MONITOR_STATS_REQUEST": _monitor,
    "FLOW_MONITOR_CANCEL": _cancel,
}
