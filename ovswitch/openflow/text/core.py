# SPDX-License-Identifier: Apache-2.0
"""Printing the small messages."""

from __future__ import annotations

from ovswitch.openflow import errors
from ovswitch.openflow import protocol as protocols
from ovswitch.openflow.codec import decode_body
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages import async_config, core, flow_removed, packet_in, role
from ovswitch.openflow.text.output import hex_dump, printable
from ovswitch.openflow.version import format_bitmap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow import raws
    from ovswitch.openflow.text.output import Out
    from ovswitch.openflow.wire import Cursor

_HELLO_FAILED = ("OFPHFC_INCOMPATIBLE", "OFPHFC_EPERM")


def _hello(out: Out, header: raws.Header, cursor: Cursor) -> None:
    hello = decode_body(header, cursor)
    assert isinstance(hello, core.Hello)
    out.put(f"\n version bitmap: {format_bitmap(hello.versions)}")
    if not hello.is_valid:
        out.put("\n unknown data in hello:\n" + hex_dump(cursor.octets))


def _error(out: Out, header: raws.Header, cursor: Cursor) -> None:
    decoded = errors.decode(cursor.octets)
    if decoded is None:
        raise OpenFlowError("OFPBRC_BAD_LEN")
    name, payload = decoded
    out.put(f" {name}\n")
    if name in _HELLO_FAILED:
        out.put(printable(payload))
    else:
        from ovswitch.openflow.text import format_message

        out.put(format_message(payload, 1, out.names))


def _echo(out: Out, header: raws.Header, cursor: Cursor) -> None:
    payload = cursor.rest()
    out.put(f" {len(payload)} bytes of payload\n")
    if out.verbosity > 1:
        out.put(hex_dump(payload))


def _config(out: Out, header: raws.Header, cursor: Cursor) -> None:
    config = decode_body(header, cursor)
    assert isinstance(config, core.SetConfig)
    out.put(f" frags={core.FRAGS[config.frag]}")
    if config.invalid_ttl_to_controller:
        out.put(" invalid_ttl_to_controller")
    out.put(f" miss_send_len={config.miss_send_len}\n")


def _flow_format(out: Out, header: raws.Header, cursor: Cursor) -> None:
    name = "(unknown)"
    try:
        message = decode_body(header, cursor)
    except OpenFlowError:
        pass
    else:
        assert isinstance(message, core.SetFlowFormat)
        name = "openflow10" if message.base == protocols.OF10_STD else "nxm"
    out.put(f" format={name}")


def _flow_mod_table_id(out: Out, header: raws.Header, cursor: Cursor) -> None:
    out.put(" enable" if cursor.u8() else " disable")


def _packet_in_format(out: Out, header: raws.Header, cursor: Cursor) -> None:
    message = decode_body(header, cursor)
    assert isinstance(message, core.SetPacketInFormat)
    out.put(f" format={packet_in.FORMATS[message.packet_in_format]}")


def _controller_id(out: Out, header: raws.Header, cursor: Cursor) -> None:
    cursor.skip(6)
    out.put(f" id={cursor.u16()}")


def _desc(out: Out, header: raws.Header, cursor: Cursor) -> None:
    reply = decode_body(header, cursor)
    assert isinstance(reply, core.DescStatsReply)
    out.put(
        f"\nManufacturer: {reply.mfr_desc}\n"
        f"Hardware: {reply.hw_desc}\n"
        f"Software: {reply.sw_desc}\n"
        f"Serial Num: {reply.serial_num}\n"
        f"DP Description: {reply.dp_desc}\n"
    )


def _role(out: Out, header: raws.Header, cursor: Cursor) -> None:
    message = decode_body(header, cursor)
    assert isinstance(message, role.RoleRequest)
    out.put(f" role={role.ROLES[message.role]}")
    if message.generation_id is not None:
        out.put(f" generation_id={message.generation_id}")


def _role_status(out: Out, header: raws.Header, cursor: Cursor) -> None:
    message = decode_body(header, cursor)
    assert isinstance(message, role.RoleStatus)
    out.put(f" role={role.ROLES[message.role]}")
    if message.generation_id != 0xFFFFFFFFFFFFFFFF:
        out.put(f" generation_id={message.generation_id}")
    known = message.reason < len(role.STATUS_REASONS)
    reason = role.STATUS_REASONS[message.reason] if known else "(unknown)"
    out.put(f" reason={reason}")


_PORT_REASONS = ("add", "delete", "modify")
_TABLE_REASONS = {3: "vacancy_down", 4: "vacancy_up"}
_FORWARD_REASONS = ("group_mod_request", "meter_mod_request")
_REASONS: dict[int, dict[int, str]] = {
    async_config.PACKET_IN: dict(enumerate((*packet_in.REASONS, "", ""))),
    async_config.PORT_STATUS: dict(enumerate(_PORT_REASONS)),
    async_config.FLOW_REMOVED: dict(enumerate(flow_removed.REASONS)),
    async_config.ROLE_STATUS: dict(enumerate(role.STATUS_REASONS)),
    async_config.TABLE_STATUS: _TABLE_REASONS,
    async_config.REQUESTFORWARD: dict(enumerate(_FORWARD_REASONS)),
}


def _set_async(out: Out, header: raws.Header, cursor: Cursor) -> None:
    message = decode_body(header, cursor)
    assert isinstance(message, async_config.SetAsync)
    empty = async_config.AsyncConfig()
    config = message.apply(empty, header.version, loose=message.is_reply)
    for title, masks in (("primary", config.primary), ("secondary", config.secondary)):
        out.put(f"\n {title}:\n")
        for kind, name in enumerate(async_config.TYPES):
            mask = masks[kind]
            reasons = [
                _REASONS[kind].get(bit, str(bit))
                for bit in range(32)
                if mask >> bit & 1
            ]
            text = "".join(f" {reason}" for reason in reasons if reason)
            out.put(f"{name:>16}:{text if mask else ' (off)'}\n")


def _ct_flush_zone(out: Out, header: raws.Header, cursor: Cursor) -> None:
    cursor.skip(6)
    out.put(f" zone_id={cursor.u16()}")


PRINTERS = {
    "HELLO": _hello,
    "ERROR": _error,
    "ECHO_REQUEST": _echo,
    "ECHO_REPLY": _echo,
    "SET_CONFIG": _config,
    "GET_CONFIG_REPLY": _config,
    "SET_FLOW_FORMAT": _flow_format,
    "FLOW_MOD_TABLE_ID": _flow_mod_table_id,
    "SET_PACKET_IN_FORMAT": _packet_in_format,
    "SET_CONTROLLER_ID": _controller_id,
    "DESC_STATS_REPLY": _desc,
    "ROLE_REQUEST": _role,
    "ROLE_REPLY": _role,
    "ROLE_STATUS": _role_status,
    "SET_ASYNC_CONFIG": _set_async,
    "GET_ASYNC_REPLY": _set_async,
    "CT_FLUSH_ZONE": _ct_flush_zone,
}
