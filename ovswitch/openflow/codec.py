# SPDX-License-Identifier: Apache-2.0
"""Octets to messages and back.

Each family of messages is a module of `messages/`, loaded when one of its messages
comes by. Types that no module knows become a `RawMessage`.
"""

from __future__ import annotations

from ovswitch.openflow import protocol as protocols
from ovswitch.openflow import raws
from ovswitch.openflow.messages.base import DEFAULT_CONTEXT, RawMessage
from ovswitch.openflow.wire import Cursor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Protocol

    from ovswitch.openflow.messages.base import Context, Message

    Decoder = Callable[[raws.Header, Cursor, Context], Message]

    class Entries(Protocol):
        """A statistics reply: a type and its entries."""

        type: str

        def entries(self, form: str, version: int) -> Iterator[bytes]:
            """Yield each entry's octets."""


_MODULES = {
    "core": (
        "HELLO",
        "ERROR",
        "ECHO_REQUEST",
        "ECHO_REPLY",
        "SET_CONFIG",
        "GET_CONFIG_REPLY",
        "SET_FLOW_FORMAT",
        "FLOW_MOD_TABLE_ID",
        "SET_PACKET_IN_FORMAT",
        "SET_CONTROLLER_ID",
        "DESC_STATS_REPLY",
        "BARRIER_REQUEST",
        "BARRIER_REPLY",
        "FEATURES_REQUEST",
        "GET_CONFIG_REQUEST",
        "GET_ASYNC_REQUEST",
        "TABLE_STATS_REQUEST",
        "DESC_STATS_REQUEST",
        "FLOW_AGE",
        "FLOW_MONITOR_PAUSED",
        "FLOW_MONITOR_RESUMED",
    ),
    "features": ("FEATURES_REPLY",),
    "flow_mod": ("FLOW_MOD",),
    "flow_removed": ("FLOW_REMOVED",),
    "flow_stats": (
        "FLOW_STATS_REQUEST",
        "FLOW_STATS_REPLY",
        "AGGREGATE_STATS_REQUEST",
        "AGGREGATE_STATS_REPLY",
    ),
    "packet_in": ("PACKET_IN", "NXT_RESUME"),
    "packet_out": ("PACKET_OUT",),
    "port": (
        "PORT_STATUS",
        "PORT_MOD",
        "PORT_DESC_STATS_REQUEST",
        "PORT_DESC_STATS_REPLY",
    ),
    "port_stats": ("PORT_STATS_REQUEST", "PORT_STATS_REPLY"),
    "role": ("ROLE_REQUEST", "ROLE_REPLY", "ROLE_STATUS"),
    "table": ("TABLE_MOD", "TABLE_DESC_REQUEST", "TABLE_DESC_REPLY", "TABLE_STATUS"),
    "table_features": (
        "TABLE_FEATURES_STATS_REQUEST",
        "TABLE_FEATURES_STATS_REPLY",
        "TABLE_STATS_REPLY",
    ),
    "async_config": ("SET_ASYNC_CONFIG", "GET_ASYNC_REPLY"),
    "queue": (
        "QUEUE_GET_CONFIG_REQUEST",
        "QUEUE_GET_CONFIG_REPLY",
        "QUEUE_STATS_REQUEST",
        "QUEUE_STATS_REPLY",
    ),
    "flow_monitor": (
        "FLOW_MONITOR_STATS_REQUEST",
        "FLOW_MONITOR_STATS_REPLY",
        "FLOW_MONITOR_CANCEL",
    ),
    "meter": (
        "METER_MOD",
        "METER_STATS_REQUEST",
        "METER_CONFIG_STATS_REQUEST",
        "METER_CONFIG_STATS_REPLY",
        "METER_STATS_REPLY",
        "METER_FEATURES_STATS_REPLY",
    ),
    "bundle": ("BUNDLE_CONTROL", "BUNDLE_ADD_MESSAGE"),
    "tlv_table": ("NXT_TLV_TABLE_MOD", "NXT_TLV_TABLE_REPLY"),
    "group_stats": (
        "GROUP_STATS_REQUEST",
        "GROUP_DESC_STATS_REQUEST",
        "GROUP_STATS_REPLY",
        "GROUP_FEATURES_STATS_REPLY",
    ),
}
_module_of = {kind: name for name, kinds in _MODULES.items() for kind in kinds}
_decoders: dict[str, Decoder] = {}


def _decoder(kind: str) -> Decoder | None:
    decoder = _decoders.get(kind)
    if decoder is None and kind in _module_of:
        name = f"ovswitch.openflow.messages.{_module_of[kind]}"
        module = __import__(name, fromlist=["DECODERS"])
        _decoders.update(module.DECODERS)
        decoder = _decoders[kind]
    return decoder


def decode(octets: bytes, context: Context = DEFAULT_CONTEXT) -> Message:
    """Return the message that `octets` hold.

    Args:
        octets: exactly one message.
        context: what decoding depends on beside them.

    Raises:
        OpenFlowError: the message is malformed, or of a type that isn't known at all.
    """
    header = raws.parse(octets)
    return decode_body(header, Cursor(octets, header.body), context)


def decode_body(
    header: raws.Header, cursor: Cursor, context: Context = DEFAULT_CONTEXT
) -> Message:
    """Return a message whose headers were parsed before."""
    decoder = _decoder(header.raw.type)
    if decoder is None:
        message: Message = RawMessage(header.raw, cursor.rest(), header.flags)
    else:
        message = decoder(header, cursor, context)
    message.received(header)
    return message


def encode(message: Message, version: int, xid: int = 0, protocol: int = 0) -> bytes:
    """Return a message's octets.

    Args:
        message: any but a statistics reply with entries.
        version: the wire version.
        xid: the transaction.
        protocol: for OpenFlow 1.0: which of its protocols, by default the standard's.

    Raises:
        LookupError: the version can't say it.
    """
    return message.encode(protocol or protocols.first_of_version(version), xid)


def encode_parts(reply: Entries, version: int, xid: int, form: str = "") -> list[bytes]:
    """Return a statistics reply, as many messages as it needs.

    Args:
        reply: for example a `FlowStatsReply`.
        version: the wire version.
        xid: the request's.
        form: "NXST" where the request was Nicira's, else the standard's.

    Raises:
        LookupError: the version can't say it.
    """
    raw = raws.find(reply.type, version, form)
    return raws.put_parts(raw, version, xid, fitting(raw, version, reply))


def fitting(raw: raws.Raw, version: int, reply: Entries) -> Iterable[bytes]:
    """Yield the entries that fit into a message at all."""
    room = raws.MAX_MESSAGE_SIZE - raws.header_size(raw, version)
    return (
        octets for octets in reply.entries(raw.form, version) if len(octets) <= room
    )
