# SPDX-License-Identifier: Apache-2.0
"""set_field and load: writing a constant to a field.

One class for both: what differs is how the action is written, and that `load` can't be
said with Set-Field before OpenFlow 1.5. Values and masks are as wide as on the wire.

OpenFlow 1.0 and 1.1 have an action for each header field they know; 1.2 to 1.4 set
whole fields, and a part of one is Nicira's load, one for each run of bits; from 1.5 on
Set-Field has a mask.
"""

from __future__ import annotations

import struct

from ovswitch.flow import numbers, prereqs, values
from ovswitch.flow.fields import FIELDS, Field
from ovswitch.openflow.actions import fieldcodec, raws, subfield
from ovswitch.openflow.actions.action import Action
from ovswitch.openflow.actions.colors import colors
from ovswitch.openflow.actions.context import ETH_TYPE_VLAN_8021Q, warn_rl
from ovswitch.openflow.actions.subfield import Subfield
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.parse.tokens import ParseError
from ovswitch.openflow.protocol import for_field
from ovswitch.openflow.wire import Cursor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ovswitch.openflow.actions.action import Decoder, Parser
    from ovswitch.openflow.actions.context import Checking, Parsing, Printing

SET_FIELD, LOAD, LOAD2 = 0, 1, 2  # how it came and is written

VLAN_CFI = 0x1000
_LOAD = struct.Struct("!HIQ")
_LOAD_BITS = 64


def put_field(version: int, name: str, value: int) -> bytes:
    """Return a Set-Field action of OpenFlow 1.2+ for a whole field."""
    field = FIELDS[name]
    entry = fieldcodec.put_entry(field, version, value, fieldcodec.full_mask(field))
    return raws.put("set_field12" if version < 6 else "set_field15", version, entry)


def put_load(dst: Subfield, value: int, version: int) -> bytes:
    """Return Nicira's load of at most 64 bits."""
    header = fieldcodec.nxm_header(dst.field)
    return raws.put("reg_load", version, _LOAD.pack(dst.put_ofs_nbits(), header, value))


class SetField(Action):
    """Write `value` to the bits of `field` that `mask` has.

    Attributes:
        field: what is written.
        value, mask: numbers of the field's size on the wire.
        form: SET_FIELD, LOAD or LOAD2.
        flow_has_vlan: whether a VLAN header is known to be there.
    """

    __slots__ = ("field", "flow_has_vlan", "form", "mask", "value")
    keyword = "set_field"

    def __init__(
        self,
        field: Field,
        value: int,
        mask: int,
        form: int = SET_FIELD,
        flow_has_vlan: bool = False,
    ) -> None:
        self.field = field
        self.value = value
        self.mask = mask
        self.form = form
        self.flow_has_vlan = flow_has_vlan

    def segments(self) -> Iterator[tuple[Subfield, int]]:
        """Yield what loads of at most 64 bits would write: subfields and values."""
        width = self.field.n_bits
        at = 0
        while at < width:
            rest = self.mask >> at
            if not rest:
                return
            at += (rest & -rest).bit_length() - 1
            if at >= width:
                return
            run = self.mask >> at
            n_bits = (~run & run + 1).bit_length() - 1
            n_bits = min(n_bits, _LOAD_BITS, width - at)
            yield (
                Subfield(self.field, at, n_bits),
                self.value >> at & (1 << n_bits) - 1,
            )
            at += n_bits

    def encode(self, version: int) -> bytes:  # noqa: D102
        if version < 6:
            if self.form != SET_FIELD:
                return self._encode_load(version)
            if version < 3:
                legacy = _LEGACY.get(self.field.name)
                return legacy(self, version) if legacy else self._encode_load(version)
            if self.mask != fieldcodec.full_mask(self.field):
                return self._encode_load(version)
        entry = fieldcodec.put_entry(self.field, version, self.value, self.mask)
        return raws.put("set_field12" if version < 6 else "set_field15", version, entry)

    def _encode_load(self, version: int) -> bytes:
        field = self.field
        is_long = not fieldcodec.nxm_header(field) or fieldcodec.is_variable(field)
        if self.form == LOAD2 or is_long:
            entry = fieldcodec.put_entry(field, 0, self.value, self.mask)
            return raws.put("reg_load2", version, entry)
        return b"".join(put_load(dst, value, version) for dst, value in self.segments())

    def format(self, printing: Printing) -> str:  # noqa: D102
        special, end = colors.special, colors.end
        if self.form == LOAD:
            return ",".join(
                f"{special}load:{end}{f'{value:#x}' if value else 0}{special}->{end}"
                f"{dst}"
                for dst, value in self.segments()
            )
        text = values.format_value(self.field, self.value, self.mask, printing.ports)
        return f"{special}set_field:{end}{text}{special}->{end}{self.field.name}"

    def check(self, checking: Checking) -> Action:  # noqa: D102
        field = self.field
        has_vlan = checking.has_vlan
        if not prereqs.holds(field, checking.flow) or (
            field.name == "vlan_vid" and not has_vlan
        ):
            warn_rl(f"set_field {field.name} lacks correct prerequisites")
            raise OpenFlowError("OFPBAC_MATCH_INCONSISTENT")
        if field.name == "vlan_tci":
            checking.set_vlan_tci(self.value)
        if has_vlan == self.flow_has_vlan:
            return self
        return SetField(field, self.value, self.mask, self.form, has_vlan)


def _legacy_tci(action: SetField, version: int) -> bytes:
    tci = action.value
    suffix = "10" if version == 1 else "11"
    if not tci & VLAN_CFI:
        return raws.put("strip_vlan10" if version == 1 else "pop_vlan", version)
    push = b""
    if version > 1 and not action.flow_has_vlan:
        push = raws.put_number("push_vlan", version, ETH_TYPE_VLAN_8021Q)
    return (
        push
        + raws.put_number("set_vlan_vid" + suffix, version, tci & 0xFFF)
        + raws.put_number("set_vlan_pcp" + suffix, version, tci >> 13)
    )


def _legacy_vid(action: SetField, version: int) -> bytes:
    name = "set_vlan_vid10" if version == 1 else "set_vlan_vid11"
    return raws.put_number(name, version, action.value & 0xFFF)


def _legacy_pcp(action: SetField, version: int) -> bytes:
    name = "set_vlan_pcp10" if version == 1 else "set_vlan_pcp11"
    return raws.put_number(name, version, action.value)


def _legacy_ecn(action: SetField, version: int) -> bytes:
    if version == 1:
        return put_load(Subfield(action.field, 0, 2), action.value, version)
    return raws.put_number("set_nw_ecn", version, action.value)


#: How OpenFlow 1.0 and 1.1 set the fields that they know, mask or not.
_LEGACY: dict[str, Callable[[SetField, int], bytes]] = {
    "vlan_tci": _legacy_tci,
    "vlan_vid": _legacy_vid,
    "vlan_pcp": _legacy_pcp,
    "eth_src": lambda a, v: raws.put("set_dl_src", v, a.value.to_bytes(6, "big")),
    "eth_dst": lambda a, v: raws.put("set_dl_dst", v, a.value.to_bytes(6, "big")),
    "ip_src": lambda a, v: raws.put_number("set_nw_src", v, a.value),
    "ip_dst": lambda a, v: raws.put_number("set_nw_dst", v, a.value),
    "nw_tos": lambda a, v: raws.put_number("set_nw_tos", v, a.value),
    "ip_dscp": lambda a, v: raws.put_number("set_nw_tos", v, a.value << 2 & 0xFF),
    "nw_ecn": _legacy_ecn,
    "tcp_src": lambda a, v: raws.put_number("set_tp_src", v, a.value),
    "udp_src": lambda a, v: raws.put_number("set_tp_src", v, a.value),
    "tcp_dst": lambda a, v: raws.put_number("set_tp_dst", v, a.value),
    "udp_dst": lambda a, v: raws.put_number("set_tp_dst", v, a.value),
}


def split_arrow(text: str) -> tuple[str, str]:
    """Return what stands before and after "->".

    Raises:
        ParseError: with the reference's text.
    """
    value, arrow, name = text.partition("->")
    if not arrow:
        raise ParseError(f"{text}: missing `->'")
    if not name:
        raise ParseError(f"{text}: missing field name following `->'")
    return value, name


def _parse_set_field(text: str, parsing: Parsing) -> Action:
    value_text, name = split_arrow(text)
    field = FIELDS.get(name)
    if field is None:
        raise ParseError(f"{name} is not a valid OXM field name")
    if not field.writable:
        raise ParseError(f"{name} is read-only")
    value, mask = values.parse(field, value_text, parsing.names.ports)
    if not values.is_valid(field, value):
        raise ParseError(f"{value_text} is not a valid value for field {name}")
    parsing.protocols &= for_field(field)
    return SetField(field, value, mask)


def _parse_load(text: str, parsing: Parsing) -> Action:
    value_text, name = split_arrow(text)
    dst = subfield.parse(name)
    field = dst.field
    try:
        value, _ = numbers.scan_sized(value_text, 0, field.n_bytes)
    except ValueError:
        raise ParseError(f"{text}: cannot parse integer value") from None
    if value >> dst.n_bits:
        shown = values.format_value(field, value)
        raise ParseError(f"{text}: value {shown} does not fit into {dst.n_bits} bits")
    return SetField(field, value << dst.ofs, dst.bits(), LOAD)


def _decode_set_field(octets: bytes, may_mask: bool) -> Action:
    cursor = Cursor(octets, 4)
    try:
        field, value, mask = fieldcodec.pull_entry(cursor, may_mask=may_mask)
    except OpenFlowError as error:
        if error.name == "OFPBMC_BAD_MASK":
            raise OpenFlowError("OFPBAC_BAD_SET_MASK") from None
        raise
    if any(cursor.rest()) or field.name == "in_port_oxm":
        raise OpenFlowError("OFPBAC_BAD_SET_ARGUMENT")
    _check_writable(field)
    is_vid = field.name == "vlan_vid"
    if not values.is_valid(field, value) or (
        is_vid and not (mask & VLAN_CFI and value & VLAN_CFI)
    ):
        shown = values.format_value(field, value)
        raise OpenFlowError(
            "OFPBAC_BAD_SET_ARGUMENT",
            f"Invalid value for set field {field.name}: {shown}",
        )
    return SetField(field, value, mask)


def _check_writable(field: Field) -> None:
    if not field.writable:
        raise OpenFlowError(
            "OFPBAC_BAD_SET_ARGUMENT",
            f"destination field {field.name} is not writable",
        )


def _decode_load(octets: bytes, number: int, version: int) -> Action:
    ofs_nbits, header, value = _LOAD.unpack_from(octets, 10)
    field = fieldcodec.pull_nxm_header(header)
    dst = subfield.from_ofs_nbits(field, ofs_nbits)
    dst.check_destination()
    if value >> dst.n_bits:
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    return SetField(field, value << dst.ofs, dst.bits(), LOAD)


def _decode_load2(octets: bytes, number: int, version: int) -> Action:
    cursor = Cursor(octets, 10)
    field, value, mask = fieldcodec.pull_entry(cursor, may_mask=True)
    if any(cursor.rest()):
        raise OpenFlowError("OFPBAC_BAD_SET_ARGUMENT")
    _check_writable(field)
    return SetField(field, value, mask, LOAD2)


DECODERS: dict[str, Decoder] = {
    "set_field12": lambda octets, number, version: _decode_set_field(octets, False),
    "set_field15": lambda octets, number, version: _decode_set_field(octets, True),
    "reg_load": _decode_load,
    "reg_load2": _decode_load2,
}
PARSERS: dict[str, Parser] = {"set_field": _parse_set_field, "load": _parse_load}
