# SPDX-License-Identifier: Apache-2.0
"""Printing the TLV table."""

from __future__ import annotations

from ovswitch.flow.numbers import put_hex
from ovswitch.openflow.codec import decode_body
from ovswitch.openflow.messages import tlv_table as tables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow import raws
    from ovswitch.openflow.text.output import Out
    from ovswitch.openflow.wire import Cursor

_COMMANDS = ("ADD", "DEL", "CLEAR")
_HEADING = """ mapping table:
  class  type  length  match field
 ------  ----  ------  --------------"""


def _mappings(mappings: list[tables.TlvMap]) -> str:
    return _HEADING + "".join(
        f"\n {put_hex(one.option_class):>6}  {put_hex(one.option_type):>4}"
        f"  {one.option_len:6}  tun_metadata{one.index}"
        for one in mappings
    )


def _mod(out: Out, header: raws.Header, cursor: Cursor) -> None:
    mod = decode_body(header, cursor)
    assert isinstance(mod, tables.TlvTableMod)
    out.put(f"\n {_COMMANDS[mod.command]}")
    if mod.command != tables.NXTTMC_CLEAR:
        out.put(_mappings(mod.mappings))


def _reply(out: Out, header: raws.Header, cursor: Cursor) -> None:
    reply = decode_body(header, cursor)
    assert isinstance(reply, tables.TlvTableReply)
    allocated = sum(one.option_len for one in reply.mappings)
    out.put(
        f"\n max option space={reply.max_option_space} max fields={reply.max_fields}\n"
        f" allocated option space={allocated}\n\n{_mappings(reply.mappings)}"
    )


PRINTERS = {"NXT_TLV_TABLE_MOD": _mod, "NXT_TLV_TABLE_REPLY": _reply}
