# SPDX-License-Identifier: Apache-2.0
"""Connection tracking."""

from __future__ import annotations

import struct

from ovswitch.flow.flags import CS_INVALID
from ovswitch.flow.layout import SLOTS
from ovswitch.flow.values import format_ipv4, format_ipv6
from ovswitch.openflow.actions import fieldcodec, raws, subfield
from ovswitch.openflow.actions.action import Action
from ovswitch.openflow.actions.colors import colors
from ovswitch.openflow.actions.context import ETH_TYPE_IP, ETH_TYPE_IPV6
from ovswitch.openflow.actions.subfield import Subfield
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.parse.tokens import (
    ParseError,
    key_values,
    scan_int,
    scan_ipv4,
    u16,
)
from ovswitch.openflow.wire import Cursor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow.actions.action import Decoder, Parser
    from ovswitch.openflow.actions.context import Checking, Parsing, Printing

NX_CT_F_COMMIT = 1
NX_CT_F_FORCE = 2
NX_CT_RECIRC_NONE = 0xFF
IPPORT_FTP, IPPORT_TFTP = 21, 69
_HELPERS = {"ftp": IPPORT_FTP, "tftp": IPPORT_TFTP}
_HELPER_NAMES = {port: name for name, port in _HELPERS.items()}

NX_NAT_F_SRC = 1 << 0
NX_NAT_F_DST = 1 << 1
NX_NAT_F_PERSISTENT = 1 << 2
NX_NAT_F_PROTO_HASH = 1 << 3
NX_NAT_F_PROTO_RANDOM = 1 << 4
_NAT_F_MASK = 0x1F

# Which parts of a range are there, in the order in which they follow.
_IPV4_MIN, _IPV4_MAX, _IPV6_MIN, _IPV6_MAX, _PROTO_MIN, _PROTO_MAX = (
    1 << bit for bit in range(6)
)
_RANGE_SIZES = (
    (_IPV4_MIN, 4),
    (_IPV4_MAX, 4),
    (_IPV6_MIN, 16),
    (_IPV6_MAX, 16),
    (_PROTO_MIN, 2),
    (_PROTO_MAX, 2),
)

_CT = struct.Struct("!HIHB3xH")
_NAT = struct.Struct("!2xHH")
_CT_STATE = SLOTS["ct_state"]
_TRANSPORTS = {IPPORT_FTP: 6, IPPORT_TFTP: 17}


class Nat(Action):
    """Address translation; only in `Ct`.

    Attributes:
        flags: NX_NAT_F_*; 0: translate as the connection has it.
        range_af: 4 or 6 if there is a range, else 0.
        addr_min, addr_max: the range's addresses; `addr_max` 0: as the other.
        proto_min, proto_max: its ports; 0: none.
    """

    __slots__ = ("addr_max", "addr_min", "flags", "proto_max", "proto_min", "range_af")
    keyword = "nat"

    def __init__(
        self,
        flags: int = 0,
        range_af: int = 0,
        addr_min: int = 0,
        addr_max: int = 0,
        proto_min: int = 0,
        proto_max: int = 0,
    ) -> None:
        self.flags = flags
        self.range_af = range_af
        self.addr_min = addr_min
        self.addr_max = addr_max
        self.proto_min = proto_min
        self.proto_max = proto_max

    def encode(self, version: int) -> bytes:  # noqa: D102
        present = 0
        body = b""
        is_ipv6 = self.range_af == 6
        parts = (
            (_IPV6_MIN if is_ipv6 else _IPV4_MIN, self.addr_min),
            (_IPV6_MAX if is_ipv6 else _IPV4_MAX, self.addr_max),
            (_PROTO_MIN, self.proto_min),
            (_PROTO_MAX, self.proto_max),
        )
        sizes = dict(_RANGE_SIZES)
        for bit, value in parts if self.range_af else ():
            if value:
                present |= bit
                body += value.to_bytes(sizes[bit], "big")
        return raws.put("nat", version, _NAT.pack(self.flags, present) + body)

    def format(self, printing: Printing) -> str:  # noqa: D102
        paren, param, value, end = (
            colors.paren, colors.param, colors.value, colors.end,
        )  # fmt: skip
        text = f"{paren}nat{end}"
        if not self.flags & (NX_NAT_F_SRC | NX_NAT_F_DST):
            return text
        side = "src" if self.flags & NX_NAT_F_SRC else "dst"
        text += f"{paren}({end}{param}{side}{end}"
        if self.range_af:
            text += f"{param}={end}{self._format_range()},"
            for flag, name in (
                (NX_NAT_F_PERSISTENT, "persistent"),
                (NX_NAT_F_PROTO_HASH, "hash"),
                (NX_NAT_F_PROTO_RANDOM, "random"),
            ):
                if self.flags & flag:
                    text += f"{value}{name}{end},"
        return f"{text.removesuffix(',')}{paren}){end}"

    def _format_range(self) -> str:
        def address(value: int) -> str:
            if self.range_af == 4:
                return format_ipv4(value)
            bare = format_ipv6(value)
            return f"[{bare}]" if self.proto_min else bare

        text = address(self.addr_min)
        if self.addr_max and self.addr_max != self.addr_min:
            text += f"-{address(self.addr_max)}"
        if self.proto_min:
            text += f":{self.proto_min}"
            if self.proto_max and self.proto_max != self.proto_min:
                text += f"-{self.proto_max}"
        return text

    def check(self, checking: Checking) -> Action:  # noqa: D102
        dl_type = checking.dl_type
        if (
            not checking.is_ip_any
            or (self.range_af == 4 and dl_type != ETH_TYPE_IP)
            or (self.range_af == 6 and dl_type != ETH_TYPE_IPV6)
        ):
            raise OpenFlowError("OFPBAC_MATCH_INCONSISTENT")
        return self


class Ct(Action):
    """Send the packet through the connection tracker, then perhaps on to a table.

    Attributes:
        flags: NX_CT_F_*.
        zone_src: where the zone is, or None for `zone_imm`.
        zone_imm: the zone.
        recirc_table: where tracked packets go on; NX_CT_RECIRC_NONE: nowhere.
        alg: port of the protocol whose helper is wanted, or 0.
        actions: what is done to the connection: `Nat`, and writing ct_mark, ct_label.
    """

    __slots__ = ("actions", "alg", "flags", "recirc_table", "zone_imm", "zone_src")
    keyword = "ct"

    def __init__(
        self,
        flags: int = 0,
        zone_src: Subfield | None = None,
        zone_imm: int = 0,
        recirc_table: int = NX_CT_RECIRC_NONE,
        alg: int = 0,
        actions: tuple[Action, ...] = (),
    ) -> None:
        self.flags = flags
        self.zone_src = zone_src
        self.zone_imm = zone_imm
        self.recirc_table = recirc_table
        self.alg = alg
        self.actions = actions

    def encode(self, version: int) -> bytes:  # noqa: D102
        header, zone = 0, self.zone_imm
        if self.zone_src is not None:
            header = fieldcodec.nxm_header(self.zone_src.field)
            zone = self.zone_src.put_ofs_nbits()
        body = _CT.pack(self.flags, header, zone, self.recirc_table, self.alg)
        body += b"".join([action.encode(version) for action in self.actions])
        return raws.put("ct", version, body)

    def format(self, printing: Printing) -> str:  # noqa: D102
        from ovswitch.openflow.actions.text import format_list

        paren, param, end = colors.paren, colors.param, colors.end
        parts = []
        if self.flags & NX_CT_F_COMMIT:
            parts.append(f"{colors.value}commit{end}")
        if self.flags & NX_CT_F_FORCE:
            parts.append(f"{colors.value}force{end}")
        if self.recirc_table != NX_CT_RECIRC_NONE:
            table = printing.table(self.recirc_table)
            parts.append(f"{colors.special}table={end}{table}")
        if self.zone_src is not None:
            parts.append(f"{param}zone={end}{self.zone_src}")
        elif self.zone_imm:
            parts.append(f"{param}zone={end}{self.zone_imm}")
        inner = self.actions
        if inner and isinstance(inner[0], Nat):
            parts.append(inner[0].format(printing))
            inner = inner[1:]
        if inner:
            parts.append(
                f"{paren}exec({end}{format_list(inner, printing)}{paren}),{end}"
            )
        if self.alg:
            name = _HELPER_NAMES.get(self.alg, self.alg)
            parts.append(f"{param}alg={end}{name}")
        return f"{paren}ct({end}{_join(parts)}{paren}){end}"

    def check(self, checking: Checking) -> Action:  # noqa: D102
        from ovswitch.openflow.actions.checks import check_nested

        invalid = _CT_STATE.get(checking.flow) & CS_INVALID
        transport = _TRANSPORTS.get(self.alg)
        if (
            not checking.is_ip_any
            or (invalid and self.flags & NX_CT_F_COMMIT)
            or (transport is not None and checking.nw_proto != transport)
        ):
            raise OpenFlowError("OFPBAC_MATCH_INCONSISTENT")
        if self.zone_src is not None:
            self.zone_src.check_source(checking)
            return self
        actions = check_nested(self.actions, checking)
        if actions is self.actions:
            return self
        return Ct(
            self.flags,
            self.zone_src,
            self.zone_imm,
            self.recirc_table,
            self.alg,
            actions,
        )


def _join(parts: list[str]) -> str:
    """Join with commas; "exec(...)," has its own, which goes if it's the last."""
    text = ""
    for part in parts:
        text += part
        if not part.endswith(f"),{colors.end}"):
            text += ","
    return text.removesuffix(",")


class CtClear(Action):
    """Forget what the tracker said of the packet."""

    __slots__ = ()
    keyword = "ct_clear"

    def encode(self, version: int) -> bytes:  # noqa: D102
        return raws.put("ct_clear", version)

    def format(self, printing: Printing) -> str:  # noqa: D102
        return f"{colors.value}ct_clear{colors.end}"


def _ipv6_end(text: str, at: int) -> int:
    """Return where letters of an IPv6 address end."""
    while at < len(text) and text[at] in "0123456789abcdefABCDEF:.":
        at += 1
    return at


def _scan_ipv6(text: str, at: int) -> tuple[int, int] | None:
    """Read an IPv6 address, perhaps in brackets; return it and where it ends."""
    import _socket

    bracket = text.startswith("[", at)
    start = at + bracket
    end = _ipv6_end(text, start)
    try:
        octets = _socket.inet_pton(_socket.AF_INET6, text[start:end])
    except OSError:
        return None
    if bracket:
        if not text.startswith("]", end):
            return None
        end += 1
    return int.from_bytes(octets, "big"), end


def _parse_range(text: str, action: Nat) -> None:
    invalid = ParseError(f'invalid nat range "{text}"')
    at = 0
    for family, scan in ((4, scan_ipv4), (6, _scan_ipv6)):
        found = scan(text, 0)
        if found is None:
            continue
        action.range_af = family
        action.addr_min, at = found
        if text.startswith("-", at):
            found = scan(text, at + 1)
            if found is None or found[0] < action.addr_min:
                raise invalid
            action.addr_max, at = found
        break
    if not action.range_af:
        at = _ipv6_end(text, 0)
    elif text.startswith(":", at):
        found = scan_int(text, at + 1, 10)
        if found is None:
            raise invalid
        action.proto_min, at = found[0] & 0xFFFF, found[1]
        if text.startswith("-", at):
            found = scan_int(text, at + 1, 10)
            if found is None or found[0] & 0xFFFF < action.proto_min:
                raise invalid
            action.proto_max, at = found[0] & 0xFFFF, found[1]
    if at != len(text):
        raise ParseError(f'garbage ({text[at:]}) after nat range "{text}" (pos: {at})')


_NAT_FLAGS = {
    "src": NX_NAT_F_SRC,
    "dst": NX_NAT_F_DST,
    "persistent": NX_NAT_F_PERSISTENT,
    "hash": NX_NAT_F_PROTO_HASH,
    "random": NX_NAT_F_PROTO_RANDOM,
}


def _parse_nat(text: str, parsing: Parsing) -> Nat:
    action = Nat()
    for key, value in key_values(text):
        if key not in _NAT_FLAGS:
            raise ParseError(f'invalid key "{key}" in "nat" argument')
        action.flags |= _NAT_FLAGS[key]
        if key in ("src", "dst"):
            action.range_af = 0
            _parse_range(value, action)
    flags = action.flags
    sides = flags & (NX_NAT_F_SRC | NX_NAT_F_DST)
    if sides == NX_NAT_F_SRC | NX_NAT_F_DST:
        raise ParseError('May only specify one of "src" or "dst".')
    if flags and not sides:
        raise ParseError('Flags allowed only with "src" or "dst".')
    if flags & NX_NAT_F_PROTO_HASH and flags & NX_NAT_F_PROTO_RANDOM:
        raise ParseError('Both "hash" and "random" are not allowed.')
    return action


def _parse_table(value: str, parsing: Parsing) -> int:
    table = parsing.table(value)
    if table is None:
        raise ParseError(f"unknown table {value}")
    if table == NX_CT_RECIRC_NONE:
        raise ParseError(f"invalid table {table:#x}")
    return table


def _parse_zone(action: Ct, value: str) -> None:
    try:
        action.zone_imm = u16(value, "zone")
    except ParseError:
        action.zone_src = subfield.parse(value)


def _parse_ct(text: str, parsing: Parsing) -> Action:
    from ovswitch.openflow.actions.text import parse_nested

    action = Ct()
    inner: tuple[Action, ...] = ()
    for key, value in key_values(text):
        if key == "commit":
            action.flags |= NX_CT_F_COMMIT
        elif key == "force":
            action.flags |= NX_CT_F_FORCE
        elif key == "table":
            action.recirc_table = _parse_table(value, parsing)
        elif key == "zone":
            _parse_zone(action, value)
        elif key == "alg":
            if value not in _HELPERS:
                raise ParseError(f'invalid conntrack helper "{value}"')
            action.alg = _HELPERS[value]
        elif key == "nat":
            inner = (*inner, _parse_nat(value, parsing))
        elif key == "exec":
            inner = (*inner, *parse_nested(value, parsing, "ct"))
        else:
            raise ParseError(f'invalid argument to "ct" action: `{key}\'')
    if action.flags & NX_CT_F_FORCE and not action.flags & NX_CT_F_COMMIT:
        raise ParseError('"force" flag requires "commit" flag.')
    action.actions = inner
    return action


PARSERS: dict[str, Parser] = {
    "ct": _parse_ct,
    "ct_clear": lambda text, parsing: CtClear(),
    "nat": _parse_nat,
}


def _decode_zone(action: Ct, header: int, zone: int) -> None:
    if not header:
        action.zone_imm = zone
        return
    field = fieldcodec.pull_nxm_header(header)
    action.zone_src = subfield.from_ofs_nbits(field, zone)
    action.zone_src.check_source()
    n_bits = action.zone_src.n_bits
    if n_bits != 16:
        raise OpenFlowError(
            "OFPBAC_BAD_SET_LEN",
            f"zone n_bits {n_bits} not within valid range [16..16]",
        )


def _decode_ct(octets: bytes, number: int, version: int) -> Action:
    from ovswitch.openflow.actions.wire import decode_nested

    flags, header, zone, table, alg = _CT.unpack_from(octets, 10)
    if flags & NX_CT_F_FORCE and not flags & NX_CT_F_COMMIT:
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    action = Ct(flags, recirc_table=table, alg=alg)
    _decode_zone(action, header, zone)
    action.actions = decode_nested(octets, 24, version, "ct")
    if not flags & NX_CT_F_COMMIT:
        for inner in action.actions:
            if not isinstance(inner, Nat) or inner.flags or inner.range_af:
                raise OpenFlowError(
                    "OFPBAC_BAD_ARGUMENT",
                    "CT action requires commit flag if actions other than NAT "
                    "without arguments are specified.",
                )
    return action


def _decode_nat(octets: bytes, number: int, version: int) -> Action:
    flags, present = _NAT.unpack_from(octets, 10)
    both = NX_NAT_F_SRC | NX_NAT_F_DST
    hashes = NX_NAT_F_PROTO_HASH | NX_NAT_F_PROTO_RANDOM
    wrong = OpenFlowError("OFPBAC_BAD_ARGUMENT")
    if flags & ~_NAT_F_MASK or flags & both == both or flags & hashes == hashes:
        raise wrong
    has_ipv4, has_ipv6 = present & _IPV4_MIN, present & _IPV6_MIN
    if (
        (has_ipv4 and present & (_IPV6_MIN | _IPV6_MAX))
        or (present & _IPV4_MAX and not has_ipv4)
        or (present & _IPV6_MAX and not has_ipv6)
        or (present & (_PROTO_MIN | _PROTO_MAX) and not (has_ipv4 or has_ipv6))
        or (present & _PROTO_MAX and not present & _PROTO_MIN)
    ):
        raise wrong
    cursor = Cursor(octets, 16, error="OFPBAC_BAD_ARGUMENT")
    found = {
        bit: int.from_bytes(cursor.take(size), "big")
        for bit, size in _RANGE_SIZES
        if present & bit
    }
    for low, high in (
        (_IPV4_MIN, _IPV4_MAX),
        (_IPV6_MIN, _IPV6_MAX),
        (_PROTO_MIN, _PROTO_MAX),
    ):
        if low in found and (
            not found[low] or (high in found and found[high] < found[low])
        ):
            raise wrong
    family = 4 if has_ipv4 else 6 if has_ipv6 else 0
    low, high = (_IPV6_MIN, _IPV6_MAX) if family == 6 else (_IPV4_MIN, _IPV4_MAX)
    parts = [found.get(bit, 0) for bit in (low, high, _PROTO_MIN, _PROTO_MAX)]
    return Nat(flags, family, *parts)


DECODERS: dict[str, Decoder] = {
    "ct": _decode_ct,
    "ct_clear": lambda octets, number, version: CtClear(),
    "nat": _decode_nat,
}
