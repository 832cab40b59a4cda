# SPDX-License-Identifier: Apache-2.0
"""learn: flows that make flows."""

from __future__ import annotations

import struct

from ovswitch.flow import access, numbers, values
from ovswitch.openflow.actions import fieldcodec, raws, subfield
from ovswitch.openflow.actions.action import Action
from ovswitch.openflow.actions.colors import colors
from ovswitch.openflow.actions.context import Checking
from ovswitch.openflow.actions.move import parse_move
from ovswitch.openflow.actions.subfield import Subfield
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.parse.tokens import ParseError, atoi, key_values, scan_int
from ovswitch.openflow.wire import Cursor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow.actions.action import Decoder, Parser
    from ovswitch.openflow.actions.context import Parsing, Printing

NX_LEARN_F_SEND_FLOW_REM = 1
NX_LEARN_F_DELETE_LEARNED = 2
NX_LEARN_F_WRITE_RESULT = 4

# LearnSpec.dst_type, as on the wire.
DST_MATCH, DST_LOAD, DST_OUTPUT = 0 << 11, 1 << 11, 2 << 11
_DST_MASK = 3 << 11
_SRC_IMMEDIATE = 1 << 13
_N_BITS_MASK = 0x3FF

OFP_DEFAULT_PRIORITY = 0x8000
_SUBVALUE_SIZE = 128  # octets of the widest constant

_LEARN = struct.Struct("!HHHQHBxHH")
_LEARN2 = struct.Struct("!IHH")
_U16 = struct.Struct("!H")
_SUBFIELD = struct.Struct("!IH")


class LearnSpec:
    """One piece of the learned flow: a match, a load or an output.

    Attributes:
        dst_type: DST_MATCH, DST_LOAD or DST_OUTPUT.
        n_bits: how many bits are copied.
        src: where they come from, or None for `immediate`.
        immediate: the constant.
        dst: where they go, None for DST_OUTPUT.
    """

    __slots__ = ("dst", "dst_type", "immediate", "n_bits", "src")

    def __init__(
        self,
        dst_type: int,
        n_bits: int,
        src: Subfield | None = None,
        immediate: int = 0,
        dst: Subfield | None = None,
    ) -> None:
        self.dst_type = dst_type
        self.n_bits = n_bits
        self.src = src
        self.immediate = immediate
        self.dst = dst

    def _key(self) -> tuple[int, int, Subfield | None, int, Subfield | None]:
        return self.dst_type, self.n_bits, self.src, self.immediate, self.dst

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LearnSpec) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def encode(self) -> bytes:
        """Return the octets."""
        kind = self.n_bits | self.dst_type
        if self.src is None:
            size = 2 * -(-self.n_bits // 16)
            source = self.immediate.to_bytes(size, "big")
            kind |= _SRC_IMMEDIATE
        else:
            source = _put_subfield(self.src)
        dst = b"" if self.dst is None else _put_subfield(self.dst)
        return _U16.pack(kind) + source + dst

    def format(self, printing: Printing) -> str:
        """Return the piece as text."""
        special, param, end = colors.special, colors.param, colors.end
        if self.dst is None:
            return f"{special}output:{end}{self.src}"
        if self.dst_type == DST_LOAD:
            source = _hex(self.immediate) if self.src is None else self.src
            return f"{special}load:{end}{source}{special}->{end}{self.dst}"
        dst = self.dst
        if self.src is not None:
            text = f"{param}{dst}{end}"
            if self.src.field is dst.field and self.src.ofs == dst.ofs:
                return text
            return f"{text}{param}={end}{self.src}"
        if dst.ofs == 0 and dst.n_bits == dst.field.n_bits:
            value = values.format_value(dst.field, self.immediate, None, printing.ports)
            return f"{param}{dst.field.name}={end}{value}"
        return f"{param}{dst}={end}{_hex(self.immediate)}"


def _hex(value: int) -> str:
    return f"{value:#x}" if value else "0"


def _put_subfield(part: Subfield) -> bytes:
    return _SUBFIELD.pack(fieldcodec.nxm_header(part.field), part.ofs)


class Learn(Action):
    """Add a flow made from the packet's fields, or modify it.

    Attributes:
        table_id, idle_timeout, hard_timeout, priority, cookie: of the flow.
        flags: NX_LEARN_F_*.
        fin_idle_timeout, fin_hard_timeout: its timeouts after a FIN.
        limit: how many such flows there may be; 0: any number.
        result_dst: where to note whether the flow could be learned, or None.
        specs: the flow's match and actions.
        form: 2 if it came in the newer of two wire forms.
    """

    __slots__ = (
        "cookie", "fin_hard_timeout", "fin_idle_timeout", "flags", "form",
        "hard_timeout", "idle_timeout", "limit", "priority", "result_dst", "specs",
        "table_id",
    )  # fmt: skip
    keyword = "learn"

    def __init__(
        self,
        table_id: int = 1,
        idle_timeout: int = 0,
        hard_timeout: int = 0,
        priority: int = OFP_DEFAULT_PRIORITY,
        cookie: int = 0,
        flags: int = 0,
        fin_idle_timeout: int = 0,
        fin_hard_timeout: int = 0,
        limit: int = 0,
        result_dst: Subfield | None = None,
        specs: tuple[LearnSpec, ...] = (),
        form: int = 0,
    ) -> None:
        self.table_id = table_id
        self.idle_timeout = idle_timeout
        self.hard_timeout = hard_timeout
        self.priority = priority
        self.cookie = cookie
        self.flags = flags
        self.fin_idle_timeout = fin_idle_timeout
        self.fin_hard_timeout = fin_hard_timeout
        self.limit = limit
        self.result_dst = result_dst
        self.specs = specs
        self.form = form

    def encode(self, version: int) -> bytes:  # noqa: D102
        body = _LEARN.pack(
            self.idle_timeout,
            self.hard_timeout,
            self.priority,
            self.cookie,
            self.flags,
            self.table_id,
            self.fin_idle_timeout,
            self.fin_hard_timeout,
        )
        name = "learn"
        if self.form == 2 or self.limit or self.flags & NX_LEARN_F_WRITE_RESULT:
            name = "learn2"
            result = self.result_dst
            body += _LEARN2.pack(self.limit, result.ofs if result else 0, 0)
            if result is not None:
                body += fieldcodec.put_header(result.field, 0)
        specs = b"".join([spec.encode() for spec in self.specs])
        return raws.put(name, version, body + specs)

    def format(self, printing: Printing) -> str:  # noqa: D102
        special, param, value, end = (
            colors.special, colors.param, colors.value, colors.end,
        )  # fmt: skip
        parts = [f"{special}table={end}{printing.table(self.table_id)}"]
        parts += [
            f"{param}{name}={end}{number}"
            for name, number in (
                ("idle_timeout", self.idle_timeout),
                ("hard_timeout", self.hard_timeout),
                ("fin_idle_timeout", self.fin_idle_timeout),
                ("fin_hard_timeout", self.fin_hard_timeout),
            )
            if number
        ]
        if self.priority != OFP_DEFAULT_PRIORITY:
            parts.append(f"{special}priority={end}{self.priority}")
        if self.flags & NX_LEARN_F_SEND_FLOW_REM:
            parts.append(f"{value}send_flow_rem{end}")
        if self.flags & NX_LEARN_F_DELETE_LEARNED:
            parts.append(f"{value}delete_learned{end}")
        if self.cookie:
            parts.append(f"{param}cookie={end}{self.cookie:#x}")
        if self.limit:
            parts.append(f"{param}limit={end}{self.limit}")
        if self.flags & NX_LEARN_F_WRITE_RESULT:
            parts.append(f"{param}result_dst={end}{self.result_dst}")
        parts += [spec.format(printing) for spec in self.specs]
        return f"{colors.learn}learn({end}{','.join(parts)}{colors.learn}){end}"

    def check(self, checking: Checking) -> Action:  # noqa: D102
        learned = Checking(0, 0, checking.max_ports, 255, 255)
        for spec in self.specs:
            if spec.src is not None:
                spec.src.check_source(checking)
            if spec.dst_type == DST_MATCH and spec.dst is not None:
                spec.dst.check_source(learned)
                if spec.src is None:
                    _match_immediate(learned, spec.dst, spec.immediate)
            elif spec.dst_type == DST_LOAD and spec.dst is not None:
                spec.dst.check_destination(learned)
        return self


def _match_immediate(learned: Checking, dst: Subfield, value: int) -> None:
    """Let the learned flow match on a constant: later pieces may depend on it."""
    field = dst.field
    if fieldcodec.is_variable(field):
        return
    old = access.get(field, learned.flow)
    bits = dst.bits()
    new = old & ~bits | value << dst.ofs & bits
    learned.flow = access.put(field, learned.flow, new)
    learned.mask |= bits << field.shift


def _parse_match(
    text: str, name: str, value: str, dst: Subfield, parsing: Parsing
) -> LearnSpec:
    if not fieldcodec.nxm_header(dst.field):
        raise ParseError(f"{text}: experimenter OXM field '{name}' not supported")
    if not value:
        return LearnSpec(DST_MATCH, dst.n_bits, dst, 0, dst)
    try:
        src = subfield.parse(value)
    except ParseError as error:
        try:
            immediate = _parse_immediate(text, value, dst, parsing)
        except ValueError as other:
            raise ParseError(
                f"{text}: {name} value {value} cannot be parsed as a subfield "
                f"({error}) or an immediate value ({other})"
            ) from None
        return LearnSpec(DST_MATCH, dst.n_bits, None, immediate, dst)
    if src.n_bits != dst.n_bits:
        raise ParseError(
            f"{text}: bit widths of {name} ({src.n_bits}) and {value} "
            f"({dst.n_bits}) differ"
        )
    return LearnSpec(DST_MATCH, dst.n_bits, src, 0, dst)


def _parse_immediate(text: str, value: str, dst: Subfield, parsing: Parsing) -> int:
    field = dst.field
    if dst.ofs == 0 and dst.n_bits == field.n_bits:
        return values.parse_value(field, value, parsing.names.ports)
    try:
        number, end = numbers.scan_sized(value, 0, field.n_bytes)
    except ValueError:
        end = -1
    if end != len(value):
        raise ParseError(f"{text}: cannot parse integer value")
    if number >> dst.n_bits:
        shown = values.format_value(field, number)
        raise ParseError(f"{text}: value {shown} does not fit into {dst.n_bits} bits")
    return number


def _parse_load(value: str) -> LearnSpec:
    arrow = value.find("->")
    if arrow == 0:
        raise ParseError(f"load: missing source before `->' in `{value}'")
    if arrow < 0:
        raise ParseError(f"load: missing `->' in `{value}'")
    try:
        immediate, end = numbers.scan_sized(value, 0, _SUBVALUE_SIZE)
    except ValueError:
        src, dst = parse_move(value)
        return LearnSpec(DST_LOAD, src.n_bits, src, 0, dst)
    if end != arrow:
        raise ParseError(f"load: garbage before `->' in `{value}'")
    name = value[arrow + 2 :]
    dst = subfield.parse(name)
    if not fieldcodec.nxm_header(dst.field):
        raise ParseError(f"{value}: experimenter OXM field '{name}' not supported")
    if immediate >> dst.n_bits:
        raise ParseError(f"{value}: value does not fit into {dst.n_bits} bits")
    return LearnSpec(DST_LOAD, dst.n_bits, None, immediate, dst)


def _parse_spec(text: str, name: str, value: str, parsing: Parsing) -> LearnSpec:
    try:
        dst = subfield.parse(name)
    except ParseError:
        pass
    else:
        return _parse_match(text, name, value, dst, parsing)
    if name == "load":
        return _parse_load(value)
    if name == "output":
        src = subfield.parse(value)
        return LearnSpec(DST_OUTPUT, src.n_bits, src)
    raise ParseError(f"{text}: unknown keyword {name}")


def _parse_result_dst(action: Learn, value: str) -> None:
    action.flags |= NX_LEARN_F_WRITE_RESULT
    action.result_dst = subfield.parse(value)
    if not action.result_dst.field.writable:
        raise ParseError(f"{value} is read-only")
    if action.result_dst.n_bits != 1:
        raise ParseError("result_dst in 'learn' action must be a single bit")


_NUMBERS = {
    "priority": 0xFFFF,
    "idle_timeout": 0xFFFF,
    "hard_timeout": 0xFFFF,
    "fin_idle_timeout": 0xFFFF,
    "fin_hard_timeout": 0xFFFF,
    "limit": 0xFFFFFFFF,
}


def _parse(text: str, parsing: Parsing) -> Action:
    action = Learn()
    specs = []
    for name, value in key_values(text):
        if name == "table":
            table = parsing.table(value)
            if table is None:
                raise ParseError(f'unknown table "{value}"')
            if table == 255:
                raise ParseError(f"{text}: table id 255 not valid for `learn' action")
            action.table_id = table
        elif name in _NUMBERS:
            setattr(action, name, atoi(value) & _NUMBERS[name])
        elif name == "cookie":
            found = scan_int(value)
            action.cookie = found[0] & 0xFFFFFFFFFFFFFFFF if found else 0
        elif name == "send_flow_rem":
            action.flags |= NX_LEARN_F_SEND_FLOW_REM
        elif name == "delete_learned":
            action.flags |= NX_LEARN_F_DELETE_LEARNED
        elif name == "result_dst":
            _parse_result_dst(action, value)
        else:
            specs.append(_parse_spec(text, name, value, parsing))
    action.specs = tuple(specs)
    return action


PARSERS: dict[str, Parser] = {"learn": _parse}


def _pull_subfield(cursor: Cursor, n_bits: int) -> Subfield:
    header, ofs = cursor.unpack(_SUBFIELD)
    return Subfield(fieldcodec.pull_nxm_header(header), ofs, n_bits)


def _pull_spec(cursor: Cursor, kind: int) -> LearnSpec:
    n_bits = kind & _N_BITS_MASK
    dst_type = kind & _DST_MASK
    is_immediate = bool(kind & _SRC_IMMEDIATE)
    if dst_type == _DST_MASK or (dst_type == DST_OUTPUT and is_immediate):
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    src = dst = None
    immediate = 0
    source_size = 2 * -(-n_bits // 16) if is_immediate else _SUBFIELD.size
    dst_size = 0 if dst_type == DST_OUTPUT else _SUBFIELD.size
    if cursor.left < source_size + dst_size:
        raise OpenFlowError("OFPBAC_BAD_LEN")
    if is_immediate:
        octets = cursor.take(source_size)
        immediate = int.from_bytes(octets, "big") & (1 << 8 * -(-n_bits // 8)) - 1
    else:
        src = _pull_subfield(cursor, n_bits)
    if dst_type != DST_OUTPUT:
        dst = _pull_subfield(cursor, n_bits)
    return LearnSpec(dst_type, n_bits, src, immediate, dst)


def _pull_specs(cursor: Cursor) -> tuple[LearnSpec, ...]:
    specs = []
    while cursor.left >= 2:
        kind = cursor.u16()
        if not kind:
            break
        specs.append(_pull_spec(cursor, kind))
    if any(cursor.rest()):
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    return tuple(specs)


def _decode_common(octets: bytes, flags: int, form: int) -> Learn:
    (idle, hard, priority, cookie, found, table, fin_idle, fin_hard) = (
        _LEARN.unpack_from(octets, 10)
    )
    if octets[27] or table == 255 or found & ~flags:
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    return Learn(
        table, idle, hard, priority, cookie, found, fin_idle, fin_hard, form=form
    )


def _decode(octets: bytes, number: int, version: int) -> Action:
    flags = NX_LEARN_F_SEND_FLOW_REM | NX_LEARN_F_DELETE_LEARNED
    action = _decode_common(octets, flags, 0)
    action.specs = _pull_specs(Cursor(octets, 32))
    return action


def _decode2(octets: bytes, number: int, version: int) -> Action:
    limit, result_ofs, pad = _LEARN2.unpack_from(octets, 32)
    if pad:
        raise OpenFlowError("NXBAC_MUST_BE_ZERO")
    action = _decode_common(
        octets,
        NX_LEARN_F_SEND_FLOW_REM | NX_LEARN_F_DELETE_LEARNED | NX_LEARN_F_WRITE_RESULT,
        2,
    )
    action.limit = limit
    cursor = Cursor(octets, 40)
    if action.flags & NX_LEARN_F_WRITE_RESULT:
        field = fieldcodec.pull_header(cursor)
        if not field.writable:
            raise OpenFlowError("OFPBAC_BAD_SET_ARGUMENT")
        action.result_dst = Subfield(field, result_ofs, 1)
    elif result_ofs:
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    action.specs = _pull_specs(cursor)
    return action


DECODERS: dict[str, Decoder] = {"learn": _decode, "learn2": _decode2}
