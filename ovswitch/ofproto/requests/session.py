# SPDX-License-Identifier: Apache-2.0
"""Requests about the connection itself: echo, barrier, role, what it hears and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.ofproto.ofconn import DEFAULT_MISS_SEND_LEN
from ovswitch.openflow import protocol as protocols
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.async_config import GetAsyncReply, SetAsync
from ovswitch.openflow.messages.core import (
    BarrierReply,
    EchoReply,
    EchoRequest,
    FlowModTableId,
    SetControllerId,
    SetFlowFormat,
    SetPacketInFormat,
)
from ovswitch.openflow.messages.role import EQUAL, NOCHANGE, RoleReply, RoleRequest

if TYPE_CHECKING:
    from ovswitch.ofproto.ofconn import Ofconn
    from ovswitch.ofproto.requests.request import Request


def _echo(ofconn: Ofconn, request: Request) -> None:
    message = request.decode()
    assert isinstance(message, EchoRequest)
    ofconn.reply(EchoReply(message.octets), request.xid)


def _ignore(ofconn: Ofconn, request: Request) -> None:
    """Do nothing."""


def _barrier(ofconn: Ofconn, request: Request) -> None:
    ofconn.reply(BarrierReply(), request.xid)


def _role(ofconn: Ofconn, request: Request) -> None:
    message = request.decode()
    assert isinstance(message, RoleRequest)
    connmgr = ofconn.connmgr
    if message.role != NOCHANGE:
        generation_id = message.generation_id
        if (
            message.role != EQUAL
            and generation_id is not None
            and not connmgr.elect(generation_id)
        ):
            raise OpenFlowError("OFPRRFC_STALE")
        connmgr.set_role(ofconn, message.role)
    reply = RoleReply(ofconn.role, connmgr.generation_id, message.is_nicira)
    ofconn.reply(reply, request.xid)


def _flow_mod_table_id(ofconn: Ofconn, request: Request) -> None:
    message = request.decode()
    assert isinstance(message, FlowModTableId)
    ofconn.protocol = protocols.set_tid(ofconn.protocol, message.enable)


def _set_flow_format(ofconn: Ofconn, request: Request) -> None:
    message = request.decode()
    assert isinstance(message, SetFlowFormat)
    ofconn.protocol = protocols.set_base(ofconn.protocol, message.base)


def _set_packet_in_format(ofconn: Ofconn, request: Request) -> None:
    message = request.decode()
    assert isinstance(message, SetPacketInFormat)
    ofconn.packet_in_format = message.packet_in_format


def _set_controller_id(ofconn: Ofconn, request: Request) -> None:
    message = request.decode()
    assert isinstance(message, SetControllerId)
    ofconn.controller_id = message.controller_id


def _set_async(ofconn: Ofconn, request: Request) -> None:
    message = request.decode()
    assert isinstance(message, SetAsync)
    ofconn.async_config = message.apply(ofconn.async_config, ofconn.version)
    if not ofconn.is_primary and not ofconn.miss_send_len:
        # Whoever says what it wants to hear wants to hear something.
        ofconn.miss_send_len = DEFAULT_MISS_SEND_LEN


def _get_async(ofconn: Ofconn, request: Request) -> None:
    ofconn.reply(GetAsyncReply(ofconn.async_config), request.xid)


HANDLERS = {
    "ECHO_REQUEST": _echo,
    "ECHO_REPLY": _ignore,
    "FLOW_AGE": _ignore,
    "BARRIER_REQUEST": _barrier,
    "ROLE_REQUEST": _role,
    "FLOW_MOD_TABLE_ID": _flow_mod_table_id,
    "SET_FLOW_FORMAT": _set_flow_format,
    "SET_PACKET_IN_FORMAT": _set_packet_in_format,
    "SET_CONTROLLER_ID": _set_controller_id,
    "SET_ASYNC_CONFIG": _set_async,
    "GET_ASYNC_REQUEST": _get_async,
}
