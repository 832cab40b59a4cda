# SPDX-License-Identifier: Apache-2.0
"""The TLV table: which tunnel options are fields (Nicira's NXT_TLV_TABLE_*)."""

from __future__ import annotations

import struct

from ovswitch.openflow.actions.context import warn_rl
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.base import Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ovswitch.openflow import raws
    from ovswitch.openflow.messages.base import Context
    from ovswitch.openflow.wire import Cursor

NXTTMC_ADD, NXTTMC_DELETE, NXTTMC_CLEAR = range(3)

MAX_OPTION_SIZE = 124
N_FIELDS = 64

_MOD = struct.Struct("!H6x")
_REPLY = struct.Struct("!IH10x")
_MAP = struct.Struct("!HBBH2x")


class TlvMap:
    """One field: `tun_metadata{index}` is an option of a class and a type."""

    __slots__ = ("index", "option_class", "option_len", "option_type")

    def __init__(
        self, option_class: int, option_type: int, option_len: int, index: int
    ) -> None:
        self.option_class = option_class
        self.option_type = option_type
        self.option_len = option_len
        self.index = index


def _warn(text: str) -> None:
    warn_rl(text, "ofp_match")


def _put(mappings: Iterable[TlvMap]) -> bytes:
    return b"".join(
        _MAP.pack(one.option_class, one.option_type, one.option_len, one.index)
        for one in mappings
    )


def _take(cursor: Cursor, max_fields: int) -> list[TlvMap]:
    mappings = []
    while cursor.left:
        one = TlvMap(*cursor.unpack(_MAP))
        if one.option_len % 4 or one.option_len > MAX_OPTION_SIZE:
            size = one.option_len
            _warn(f"tlv table option length ({size}) is not a valid option size")
            raise OpenFlowError("NXTTMFC_BAD_OPT_LEN")
        if one.index >= max_fields:
            last = max_fields - 1
            _warn(f"tlv table field index ({one.index}) is too large (max {last})")
            raise OpenFlowError("NXTTMFC_BAD_FIELD_IDX")
        mappings.append(one)
    return mappings


class TlvTableMod(Message):
    """A change of the table: NXTTMC_*."""

    __slots__ = ("command", "mappings")

    type = "NXT_TLV_TABLE_MOD"

    def __init__(self, command: int, mappings: Iterable[TlvMap] = ()) -> None:
        self.command = command
        self.mappings = list(mappings)
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body."""
        return "NXT", _MOD.pack(self.command) + _put(self.mappings)


def _decode_mod(header: raws.Header, cursor: Cursor, context: Context) -> TlvTableMod:
    (command,) = cursor.unpack(_MOD)
    if command > NXTTMC_CLEAR:
        _warn(f"tlv table mod command ({command}) is out of range")
        raise OpenFlowError("NXTTMFC_BAD_COMMAND")
    return TlvTableMod(command, _take(cursor, N_FIELDS))


class TlvTableReply(Message):
    """The table.

    Attributes:
        max_option_space: how many octets all options may have.
        max_fields: how many fields there are.
        mappings: the fields in use.
    """

    __slots__ = ("mappings", "max_fields", "max_option_space")

    type = "NXT_TLV_TABLE_REPLY"

    def __init__(
        self, max_option_space: int, max_fields: int, mappings: Iterable[TlvMap] = ()
    ) -> None:
        self.max_option_space = max_option_space
        self.max_fields = max_fields
        self.mappings = list(mappings)
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body."""
        fixed = _REPLY.pack(self.max_option_space, self.max_fields)
        return "NXT", fixed + _put(self.mappings)


def _decode_reply(
    header: raws.Header, cursor: Cursor, context: Context
) -> TlvTableReply:
    max_option_space, max_fields = cursor.unpack(_REPLY)
    return TlvTableReply(max_option_space, max_fields, _take(cursor, max_fields))


DECODERS = {"NXT_TLV_TABLE_MOD": _decode_mod, "NXT_TLV_TABLE_REPLY": _decode_reply}
