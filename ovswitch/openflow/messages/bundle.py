# SPDX-License-Identifier: Apache-2.0
"""Bundles: messages that a switch keeps until it is told to carry them out together.

OpenFlow 1.4 has them (1.5.1 §7.3.9), and the ONF's extension 230 for 1.3. Version 1.3
has numbers of its own for the two messages, and the same bodies.
"""

from __future__ import annotations

import struct

from ovswitch.openflow import raws
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.base import Message
from ovswitch.openflow.wire import Cursor
from ovswitch.runtime import vlog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow.messages.base import Context

_log = vlog.Module("ofp_bundle")
_limit = vlog.RateLimit(1, 5)

(OPEN_REQUEST, OPEN_REPLY, CLOSE_REQUEST, CLOSE_REPLY, COMMIT_REQUEST, COMMIT_REPLY,
 DISCARD_REQUEST, DISCARD_REPLY) = range(8)  # fmt: skip

ATOMIC = 1 << 0
ORDERED = 1 << 1

#: Types of messages that a bundle may hold.
BUNDLABLE = frozenset(("FLOW_MOD", "GROUP_MOD", "PORT_MOD", "PACKET_OUT"))

_CONTROL = struct.Struct("!IHH")
_ADD = struct.Struct("!I2xH")


class BundleControl(Message):
    """Open, close, commit or discard a bundle, or the answer to that.

    Attributes:
        bundle_id: the bundle's number, chosen by the controller.
        kind: OPEN_REQUEST and so on.
        flags: ATOMIC, ORDERED.
    """

    __slots__ = ("bundle_id", "flags", "kind")

    type = "BUNDLE_CONTROL"

    def __init__(self, bundle_id: int, kind: int, flags: int = 0) -> None:
        self.bundle_id = bundle_id
        self.kind = kind
        self.flags = flags
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body."""
        return "", _CONTROL.pack(self.bundle_id, self.kind, self.flags)


def _decode_control(
    header: raws.Header, cursor: Cursor, context: Context
) -> BundleControl:
    return BundleControl(*cursor.unpack(_CONTROL))


class BundleAdd(Message):
    """A message for a bundle.

    Attributes:
        bundle_id, flags: the bundle's.
        message: the message's octets, whose transaction must be the outer one's.
        header: that message's headers; None in one that was made here.
    """

    __slots__ = ("bundle_id", "flags", "header", "message")

    type = "BUNDLE_ADD_MESSAGE"

    def __init__(self, bundle_id: int, flags: int, message: bytes) -> None:
        self.bundle_id = bundle_id
        self.flags = flags
        self.message = message
        self.header: raws.Header | None = None
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body."""
        return "", _ADD.pack(self.bundle_id, self.flags) + self.message


def decode_add(header: raws.Header, cursor: Cursor) -> BundleAdd:
    """Decode a message for a bundle, and check that a bundle may hold it.

    Raises:
        OpenFlowError: OFPBFC_MSG_BAD_LEN, OFPBFC_BAD_VERSION, OFPBFC_MSG_BAD_XID,
            OFPBFC_MSG_UNSUP.
    """
    bundle_id, flags = cursor.unpack(_ADD)
    if cursor.left < raws.HEADER_SIZE:
        raise OpenFlowError("OFPBFC_MSG_BAD_LEN")
    version, _, size, xid = raws.HEADER.unpack_from(cursor.octets, cursor.offset)
    if version != header.version:
        raise OpenFlowError("OFPBFC_BAD_VERSION")
    if not raws.HEADER_SIZE <= size <= cursor.left:
        raise OpenFlowError("OFPBFC_MSG_BAD_LEN")
    if xid != header.xid:
        raise OpenFlowError("OFPBFC_MSG_BAD_XID")
    add = BundleAdd(bundle_id, flags, cursor.take(size))  # properties may follow it
    add.header = _bundlable(add.message)
    return add


def _bundlable(message: bytes) -> raws.Header:
    """Return the headers of a message that a bundle may hold."""
    try:
        header = raws.parse(message)
    except OpenFlowError as error:
        _log.warn_rl(
            _limit,
            "OFPT14_BUNDLE_ADD_MESSAGE contained message is unparsable (%s)",
            error.name,
        )
        raise OpenFlowError("OFPBFC_MSG_UNSUP") from error
    if header.raw.type not in BUNDLABLE:
        _log.warn_rl(
            _limit,
            "%s message not allowed inside OFPT14_BUNDLE_ADD_MESSAGE",
            header.raw.name,
        )
        raise OpenFlowError("OFPBFC_MSG_UNSUP")
    return header


def _decode_add(header: raws.Header, cursor: Cursor, context: Context) -> BundleAdd:
    return decode_add(header, cursor)


DECODERS = {"BUNDLE_CONTROL": _decode_control, "BUNDLE_ADD_MESSAGE": _decode_add}
