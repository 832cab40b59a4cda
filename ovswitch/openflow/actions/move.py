# SPDX-License-Identifier: Apache-2.0
"""Moving bits between fields and the stack, and two more that name a field."""

from __future__ import annotations

import struct

from ovswitch.flow.access import tun_metadata_index
from ovswitch.flow.fields import Field
from ovswitch.openflow.actions import fieldcodec, raws, subfield
from ovswitch.openflow.actions.action import Action
from ovswitch.openflow.actions.colors import colors
from ovswitch.openflow.actions.set_field import split_arrow
from ovswitch.openflow.actions.subfield import Subfield
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.parse.tokens import ParseError, u16
from ovswitch.openflow.wire import Cursor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow.actions.action import Decoder, Parser
    from ovswitch.openflow.actions.context import Checking, Parsing, Printing

_MOVE = struct.Struct("!HHH")
_COPY13 = struct.Struct("!2xHHH2x")
_COPY15 = struct.Struct("!HHH2x")
_U16 = struct.Struct("!H")
_U16_2 = struct.Struct("!HH")

COPY13 = 1  # RegMove.form of one that came as ONF's copy_field


class RegMove(Action):
    """Copy `src` to `dst`, subfields of the same width.

    Attributes:
        form: COPY13 if it came as the ONF's extension of OpenFlow 1.3.
    """

    __slots__ = ("dst", "form", "src")
    keyword = "move"

    def __init__(self, src: Subfield, dst: Subfield, form: int = 0) -> None:
        self.src = src
        self.dst = dst
        self.form = form

    def encode(self, version: int) -> bytes:  # noqa: D102
        numbers = self.dst.n_bits, self.src.ofs, self.dst.ofs
        if version >= 6:
            name, body, fields_version = "copy_field15", _COPY15, version
        elif version == 4 and self.form == COPY13:
            name, body, fields_version = "copy_field13", _COPY13, version
        else:
            name, body, fields_version = "reg_move", _MOVE, 0
        fields = fieldcodec.put_header(self.src.field, fields_version)
        fields += fieldcodec.put_header(self.dst.field, fields_version)
        return raws.put(name, version, body.pack(*numbers) + fields)

    def format(self, printing: Printing) -> str:  # noqa: D102
        special, end = colors.special, colors.end
        return f"{special}move:{end}{self.src}{special}->{end}{self.dst}"

    def check(self, checking: Checking) -> Action:  # noqa: D102
        self.src.check_source(checking)
        self.dst.check_destination(checking)
        return self


class _Stack(Action):
    """Something between a subfield and the stack."""

    __slots__ = ("subfield",)
    _raw = ""

    def __init__(self, subfield: Subfield) -> None:
        self.subfield = subfield

    def encode(self, version: int) -> bytes:
        field = fieldcodec.put_header(self.subfield.field, 0)
        body = _U16.pack(self.subfield.ofs) + field + _U16.pack(self.subfield.n_bits)
        return raws.put(self._raw, version, body)

    def format(self, printing: Printing) -> str:
        return f"{colors.param}{self.keyword}:{colors.end}{self.subfield}"


class StackPush(_Stack):
    """Push a subfield onto the stack."""

    __slots__ = ()
    keyword = "push"
    _raw = "stack_push"

    def check(self, checking: Checking) -> Action:  # noqa: D102
        self.subfield.check_source(checking)
        return self


class StackPop(_Stack):
    """Pop the stack into a subfield."""

    __slots__ = ()
    keyword = "pop"
    _raw = "stack_pop"

    def check(self, checking: Checking) -> Action:  # noqa: D102
        self.subfield.check_destination(checking)
        return self


class DeleteField(Action):
    """Remove a tunnel option."""

    __slots__ = ("field",)
    keyword = "delete_field"

    def __init__(self, field: Field) -> None:
        self.field = field

    def encode(self, version: int) -> bytes:  # noqa: D102
        return raws.put("delete_field", version, fieldcodec.put_header(self.field, 0))

    def format(self, printing: Printing) -> str:  # noqa: D102
        return f"{colors.param}delete_field:{colors.end}{self.field.name}"

    def check(self, checking: Checking) -> Action:  # noqa: D102
        if tun_metadata_index(self.field) is None:
            raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
        return self


class CheckPktLarger(Action):
    """Store in one bit, `dst`, whether the packet has more octets than `pkt_len`."""

    __slots__ = ("dst", "pkt_len")
    keyword = "check_pkt_larger"

    def __init__(self, pkt_len: int, dst: Subfield) -> None:
        self.pkt_len = pkt_len
        self.dst = dst

    def encode(self, version: int) -> bytes:  # noqa: D102
        body = _U16_2.pack(self.pkt_len, self.dst.ofs)
        body += fieldcodec.put_header(self.dst.field, 0)
        return raws.put("check_pkt_larger", version, body)

    def format(self, printing: Printing) -> str:  # noqa: D102
        return f"{colors.param}check_pkt_larger({colors.end}{self.pkt_len})->{self.dst}"


def parse_move(text: str) -> tuple[Subfield, Subfield]:
    """Return source and destination of "SRC->DST".

    Raises:
        ParseError: with the reference's text.
    """
    src, rest = subfield.parse_start(text)
    if not rest.startswith("->"):
        raise ParseError(f"{text}: missing `->' following source")
    dst = subfield.parse(rest[2:])
    if src.n_bits != dst.n_bits:
        raise ParseError(
            f"{text}: source field is {src.n_bits} bits wide but destination is "
            f"{dst.n_bits} bits wide"
        )
    return src, dst


def _parse_stack(text: str) -> Subfield:
    found, rest = subfield.parse_start(text)
    if rest:
        raise ParseError(f"{rest}: trailing garbage following push or pop")
    return found


def _parse_delete(text: str, parsing: Parsing) -> Action:
    field = subfield.field_by_name(text)
    if field is None:
        raise ParseError(f"unknown field `{text}'")
    return DeleteField(field)


def _parse_larger(text: str, parsing: Parsing) -> Action:
    value, name = split_arrow(text)
    dst = subfield.parse(name)
    if dst.n_bits != 1:
        raise ParseError("Only 1-bit destination field is allowed")
    return CheckPktLarger(u16(value.removesuffix(")"), "(null)"), dst)


PARSERS: dict[str, Parser] = {
    "move": lambda text, parsing: RegMove(*parse_move(text)),
    "push": lambda text, parsing: StackPush(_parse_stack(text)),
    "pop": lambda text, parsing: StackPop(_parse_stack(text)),
    "delete_field": _parse_delete,
    "check_pkt_larger": _parse_larger,
}


def _decode_move(octets: bytes, at: int, body: struct.Struct, form: int) -> Action:
    cursor = Cursor(octets, at)
    n_bits, src_ofs, dst_ofs = cursor.unpack(body)
    src = Subfield(fieldcodec.pull_header(cursor), src_ofs, n_bits)
    dst = Subfield(fieldcodec.pull_header(cursor), dst_ofs, n_bits)
    if any(cursor.rest()):
        raise OpenFlowError("NXBRC_MUST_BE_ZERO")
    src.check_source()
    dst.check_destination()
    return RegMove(src, dst, form)


def _decode_stack(octets: bytes) -> Subfield:
    cursor = Cursor(octets, 10)
    ofs = cursor.u16()
    field = fieldcodec.pull_header(cursor)
    n_bits = cursor.u16()
    if any(cursor.rest()):
        raise OpenFlowError("NXBRC_MUST_BE_ZERO")
    return Subfield(field, ofs, n_bits)


def _decode_push(octets: bytes, number: int, version: int) -> Action:
    action = StackPush(_decode_stack(octets))
    action.subfield.check_source()
    return action


def _decode_pop(octets: bytes, number: int, version: int) -> Action:
    action = StackPop(_decode_stack(octets))
    action.subfield.check_destination()
    return action


def _decode_delete(octets: bytes, number: int, version: int) -> Action:
    return DeleteField(fieldcodec.pull_header(Cursor(octets, 10)))


def _decode_larger(octets: bytes, number: int, version: int) -> Action:
    cursor = Cursor(octets, 10)
    pkt_len, ofs = cursor.unpack(_U16_2)
    dst = Subfield(fieldcodec.pull_header(cursor), ofs, 1)
    if any(cursor.rest()):
        raise OpenFlowError("NXBRC_MUST_BE_ZERO")
    dst.check_destination()
    return CheckPktLarger(pkt_len, dst)


DECODERS: dict[str, Decoder] = {
    "reg_move": lambda octets, number, version: _decode_move(octets, 10, _MOVE, 0),
    "copy_field13": lambda octets, number, version: _decode_move(
        octets, 10, _COPY13, COPY13
    ),
    "copy_field15": lambda octets, number, version: _decode_move(
        octets, 4, _COPY15, COPY13
    ),
    "stack_push": _decode_push,
    "stack_pop": _decode_pop,
    "delete_field": _decode_delete,
    "check_pkt_larger": _decode_larger,
}
