# SPDX-License-Identifier: Apache-2.0
"""Which asynchronous messages a controller gets (OpenFlow 1.5.1 §7.3.10).

For each kind of message and for each of two kinds of roles (primary and equal, or
secondary) there is a bitmap of the reasons to send one.
"""

from __future__ import annotations

import struct

from ovswitch.openflow import wire
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.base import Message
from ovswitch.openflow.messages.packet_in import (
    OFPR_EXPLICIT_MISS,
    OFPR_IMPLICIT_MISS,
    OFPR_INVALID_TTL,
    OFPR_NO_MATCH,
)
from ovswitch.openflow.version import OF12, OF13, OF14

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow import raws
    from ovswitch.openflow.messages.base import Context
    from ovswitch.openflow.wire import Cursor

(PACKET_IN, PORT_STATUS, FLOW_REMOVED, ROLE_STATUS, TABLE_STATUS,
 REQUESTFORWARD) = range(6)  # fmt: skip
TYPES = (
    "PACKET_IN",
    "PORT_STATUS",
    "FLOW_REMOVED",
    "ROLE_STATUS",
    "TABLE_STATUS",
    "REQUESTFORWARD",
)

_LEGACY = struct.Struct("!6I")
_PACKET_IN10, _PACKET_IN14 = 0x07, 0x3F

#: The reasons that exist, by type.
_ALLOWED = (_PACKET_IN10, 0x07, 0x3F, 0x07, 0x18, 0x03)


class AsyncConfig:
    """Bitmaps of reasons by type, for either kind of role."""

    __slots__ = ("primary", "secondary")

    def __init__(self) -> None:
        self.primary = [0] * len(TYPES)
        self.secondary = [0] * len(TYPES)

    @classmethod
    def default(cls, version: int) -> AsyncConfig:
        """Return what a new connection of `version` gets."""
        config = cls()
        packet_in = _PACKET_IN14 & ~(1 << OFPR_INVALID_TTL) | 1 << OFPR_EXPLICIT_MISS
        if version <= OF12:
            packet_in |= 1 << OFPR_IMPLICIT_MISS
        config.primary[PACKET_IN] = packet_in
        config.primary[PORT_STATUS] = config.secondary[PORT_STATUS] = 0x07
        if version >= OF14:
            config.primary[FLOW_REMOVED] = 0x3F
        else:
            config.primary[FLOW_REMOVED] = 0x0F if version == OF13 else 0x07
        return config

    def copy(self) -> AsyncConfig:
        """Return a copy."""
        other = AsyncConfig()
        other.primary = list(self.primary)
        other.secondary = list(self.secondary)
        return other

    def wants(self, kind: int, reason: int, is_secondary: bool) -> bool:
        """Return whether a message of `kind` for `reason` is sent to such a role."""
        masks = self.secondary if is_secondary else self.primary
        return bool(masks[kind] >> reason & 1)


def _allowed(kind: int, version: int) -> int:
    if kind == PACKET_IN and version >= OF14:
        return _PACKET_IN14
    return _ALLOWED[kind]


def _set(
    config: AsyncConfig, kind: int, primary: bool, mask: int, version: int, loose: bool
) -> None:
    allowed = _allowed(kind, version)
    if mask & ~allowed and not loose:
        raise OpenFlowError("OFPACFC_INVALID")
    mask &= allowed
    if kind == PACKET_IN and mask >> OFPR_NO_MATCH & 1:
        mask |= 1 << OFPR_EXPLICIT_MISS
        if version < OF13:
            mask |= 1 << OFPR_IMPLICIT_MISS
    (config.primary if primary else config.secondary)[kind] = mask


def _masks(config: AsyncConfig) -> list[tuple[int, bool, int]]:
    """Return a configuration's bitmaps as (kind, primary, mask)."""
    both = ((False, config.secondary), (True, config.primary))
    return [
        (kind, primary, masks[kind])
        for kind in range(len(TYPES))
        for primary, masks in both
    ]


class SetAsync(Message):
    """Which asynchronous messages to send.

    Attributes:
        masks: (kind, primary, mask) of what is set, in the newer form.
        legacy: the whole configuration, as received in the older form, or None.
        is_extension: use Nicira's form of properties before OpenFlow 1.4.
        is_reply: whether it is the answer to a question.
    """

    __slots__ = ("is_extension", "legacy", "masks")

    type = "SET_ASYNC_CONFIG"
    is_reply = False

    def __init__(
        self, config: AsyncConfig | None = None, is_extension: bool = False
    ) -> None:
        self.legacy: AsyncConfig | None = None
        self.masks: list[tuple[int, bool, int]] = []
        self.is_extension = is_extension
        if config is not None:
            self.masks = _masks(config)
        self.xid = self.version = 0

    def apply(
        self, basis: AsyncConfig, version: int, loose: bool = False
    ) -> AsyncConfig:
        """Return the configuration after this message.

        Args:
            basis: the configuration before; the older form replaces all of it.
            version: of the connection.
            loose: pass over reasons that don't exist.

        Raises:
            OpenFlowError: OFPACFC_INVALID.
        """
        if self.legacy is not None:
            return self.legacy
        config = basis.copy()
        for kind, primary, mask in self.masks:
            _set(config, kind, primary, mask, version, loose)
        return config

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body for a version."""
        masks = self.masks if self.legacy is None else _masks(self.legacy)
        if version >= OF14 or self.is_extension:
            octets = b"".join(
                wire.put_u32(2 * kind + primary, mask & _allowed(kind, version))
                for kind, primary, mask in masks
            )
            return "OFPT14" if version >= OF14 else "NXT", octets
        by_kind = {(k, primary): mask for k, primary, mask in masks}
        row = [
            by_kind.get((kind, primary), 0) & _allowed(kind, version)
            for kind in (PACKET_IN, PORT_STATUS, FLOW_REMOVED)
            for primary in (True, False)
        ]
        return "OFPT13" if version >= OF13 else "NXT", _LEGACY.pack(*row)


class GetAsyncReply(SetAsync):
    """Which asynchronous messages are sent."""

    __slots__ = ()

    type = "GET_ASYNC_REPLY"
    is_reply = True


def _decode(header: raws.Header, cursor: Cursor, context: Context) -> SetAsync:
    is_reply = header.raw.type == GetAsyncReply.type
    message = (GetAsyncReply if is_reply else SetAsync)()
    if not header.raw.name.endswith("CONFIG2") and header.raw.form != "OFPT14":
        _take_legacy(message, cursor, header.version)
        return message
    for item in wire.properties(cursor.rest(), min_experimenter=0xFFFE):
        kind, primary = divmod(item.type, 2)
        if kind >= len(TYPES):
            if is_reply:
                continue  # It may say more than is known here.
            if item.type >> 32:
                raise OpenFlowError("OFPBPC_BAD_EXP_TYPE")
            raise OpenFlowError("OFPACFC_UNSUPPORTED")
        mask = item.u32()
        if mask & ~_allowed(kind, header.version) and not is_reply:
            raise OpenFlowError("OFPACFC_INVALID")
        message.masks.append((kind, bool(primary), mask))
    return message


def _take_legacy(message: SetAsync, cursor: Cursor, version: int) -> None:
    config = AsyncConfig()
    row = cursor.unpack(_LEGACY)
    for i, kind in enumerate((PACKET_IN, PORT_STATUS, FLOW_REMOVED)):
        _set(config, kind, True, row[2 * i], version, loose=True)
        _set(config, kind, False, row[2 * i + 1], version, loose=True)
    message.legacy = config


DECODERS = {"SET_ASYNC_CONFIG": _decode, "GET_ASYNC_REPLY": _decode}
