# SPDX-License-Identifier: Apache-2.0
"""Octets to messages and back.

Each family of messages is a module of `messages/`, loaded when one of its messages
comes by. Types that no module knows become a `RawMessage`.
"""

from __future__ import annotations

from ovswitch.openflow import families, raws
from ovswitch.openflow import protocol as protocols
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


_decoders: families.Functions[Decoder] = families.decoders()


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
    decoder = _decoders.find(header.raw.type)
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
