# SPDX-License-Identifier: Apache-2.0
"""Controllers' roles (OpenFlow 1.5.1 §7.3.8, §7.4.4), with Nicira's for 1.0 and 1.1."""

from __future__ import annotations

import struct

from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.base import U64, Message
from ovswitch.openflow.version import OF12

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow import raws
    from ovswitch.openflow.messages.base import Context
    from ovswitch.openflow.wire import Cursor

NOCHANGE, EQUAL, PRIMARY, SECONDARY = range(4)
ROLES = ("nochange", "equal", "primary", "secondary")
PRIMARY_REQUEST, CONFIG, EXPERIMENTER = range(3)
STATUS_REASONS = (
    "primary_request",
    "configuration_changed",
    "experimenter_data_changed",
)

_ROLE = struct.Struct("!I4xQ")
_STATUS = struct.Struct("!IB3xQ")
_U32 = struct.Struct("!I")


class RoleRequest(Message):
    """A role to take on.

    Attributes:
        role: NOCHANGE, EQUAL, PRIMARY or SECONDARY.
        generation_id: to tell new requests from old ones, or None.
        is_nicira: whether it is Nicira's message; the reply is then, too.
    """

    __slots__ = ("generation_id", "is_nicira", "role")

    type = "ROLE_REQUEST"

    def __init__(
        self, role: int, generation_id: int | None = None, is_nicira: bool = False
    ) -> None:
        self.role = role
        self.generation_id = generation_id
        self.is_nicira = is_nicira
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body for a version."""
        if self.is_nicira or version < OF12:
            return "NXT", _U32.pack(self.role - 1)
        return "OFPT12", _ROLE.pack(self.role, self._generation_id())

    def _generation_id(self) -> int:
        return self.generation_id or 0


class RoleReply(RoleRequest):
    """The role taken on."""

    __slots__ = ()

    type = "ROLE_REPLY"

    def _generation_id(self) -> int:
        return U64 if self.generation_id is None else self.generation_id


def _decode(header: raws.Header, cursor: Cursor, context: Context) -> RoleRequest:
    is_reply = header.raw.type == RoleReply.type
    message = (RoleReply if is_reply else RoleRequest)(EQUAL)
    if header.raw.form == "NXT":
        message.is_nicira = True
        message.role = cursor.u32() + 1
        if message.role not in (EQUAL, PRIMARY, SECONDARY):
            raise OpenFlowError("OFPRRFC_BAD_ROLE")
        return message
    message.role, generation_id = cursor.unpack(_ROLE)
    if message.role > SECONDARY:
        raise OpenFlowError("OFPRRFC_BAD_ROLE")
    has_none = generation_id == U64 if is_reply else message.role == NOCHANGE
    if not has_none:
        message.generation_id = generation_id
    return message


class RoleStatus(Message):
    """A role that the switch has changed. OpenFlow 1.3 and later."""

    __slots__ = ("generation_id", "reason", "role")

    type = "ROLE_STATUS"

    def __init__(self, role: int, reason: int, generation_id: int = U64) -> None:
        self.role = role
        self.reason = reason
        self.generation_id = generation_id
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body for a version."""
        return "", _STATUS.pack(self.role, self.reason, self.generation_id)


def _decode_status(header: raws.Header, cursor: Cursor, context: Context) -> RoleStatus:
    role, reason, generation_id = cursor.unpack(_STATUS)
    if role > SECONDARY:
        raise OpenFlowError("OFPRRFC_BAD_ROLE")
    return RoleStatus(role, reason, generation_id)


DECODERS = {
    "ROLE_REQUEST": _decode,
    "ROLE_REPLY": _decode,
    "ROLE_STATUS": _decode_status,
}
