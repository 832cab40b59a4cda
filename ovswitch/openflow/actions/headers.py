# SPDX-License-Identifier: Apache-2.0
"""The fixed header fields of OpenFlow 1.0 and 1.1, and the time to live.

From OpenFlow 1.2 on most of these are said with Set-Field; they stay what they were
when they came in, so that each version prints its own.
"""

from __future__ import annotations

import struct

from ovswitch.flow.fields import FIELDS
from ovswitch.flow.layout import NW_FRAG_LATER, SLOTS
from ovswitch.flow.values import format_eth, format_ipv4
from ovswitch.openflow.actions import raws
from ovswitch.openflow.actions.action import Action
from ovswitch.openflow.actions.colors import colors
from ovswitch.openflow.actions.set_field import put_field, put_load
from ovswitch.openflow.actions.subfield import Subfield
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.parse.tokens import (
    ParseError,
    atoi,
    ipv4,
    mac,
    tokens,
    u8,
    u16,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow.actions.action import Decoder, Parser
    from ovswitch.openflow.actions.context import Checking, Parsing, Printing

IP_DSCP_MASK = 0xFC
IP_ECN_MASK = 0x03
ETH_TYPE_IP = 0x0800

_NW_FRAG = SLOTS["nw_frag"]
_TRANSPORTS = {6: "tcp", 17: "udp", 132: "sctp"}
_U16 = struct.Struct("!H")


class _SetEth(Action):
    """Set an Ethernet address."""

    __slots__ = ("mac",)
    _raw = ""
    _field = ""

    def __init__(self, mac: int) -> None:
        self.mac = mac

    def encode(self, version: int) -> bytes:
        if version < 3:
            return raws.put(self._raw, version, self.mac.to_bytes(6, "big"))
        return put_field(version, self._field, self.mac)

    def format(self, printing: Printing) -> str:
        return f"{colors.param}{self.keyword}:{colors.end}{format_eth(self.mac)}"


class SetEthSrc(_SetEth):
    """Set the Ethernet source."""

    __slots__ = ()
    keyword = "mod_dl_src"
    _raw, _field = "set_dl_src", "eth_src"


class SetEthDst(_SetEth):
    """Set the Ethernet destination."""

    __slots__ = ()
    keyword = "mod_dl_dst"
    _raw, _field = "set_dl_dst", "eth_dst"


class _SetIpv4(Action):
    """Set an IPv4 address."""

    __slots__ = ("ipv4",)
    _raw = ""
    _field = ""

    def __init__(self, ipv4: int) -> None:
        self.ipv4 = ipv4

    def encode(self, version: int) -> bytes:
        if version < 3:
            return raws.put_number(self._raw, version, self.ipv4)
        return put_field(version, self._field, self.ipv4)

    def format(self, printing: Printing) -> str:
        return f"{colors.param}{self.keyword}:{colors.end}{format_ipv4(self.ipv4)}"

    def check(self, checking: Checking) -> Action:
        if checking.dl_type != ETH_TYPE_IP:
            checking.inconsistent()
        return self


class SetIpv4Src(_SetIpv4):
    """Set the IPv4 source."""

    __slots__ = ()
    keyword = "mod_nw_src"
    _raw, _field = "set_nw_src", "ip_src"


class SetIpv4Dst(_SetIpv4):
    """Set the IPv4 destination."""

    __slots__ = ()
    keyword = "mod_nw_dst"
    _raw, _field = "set_nw_dst", "ip_dst"


class _SetIp(Action):
    """Set a field of IPv4 and IPv6."""

    __slots__ = ()

    def check(self, checking: Checking) -> Action:
        if not checking.is_ip_any:
            checking.inconsistent()
        return self


class SetIpDscp(_SetIp):
    """Set the DSCP, given in place (the low two bits are 0)."""

    __slots__ = ("dscp",)
    keyword = "mod_nw_tos"

    def __init__(self, dscp: int) -> None:
        self.dscp = dscp

    def encode(self, version: int) -> bytes:  # noqa: D102
        if version < 3:
            return raws.put_number("set_nw_tos", version, self.dscp)
        return put_field(version, "ip_dscp", self.dscp >> 2)

    def format(self, printing: Printing) -> str:  # noqa: D102
        return f"{colors.param}mod_nw_tos:{colors.end}{self.dscp}"


class SetIpEcn(_SetIp):
    """Set the two bits of ECN."""

    __slots__ = ("ecn",)
    keyword = "mod_nw_ecn"

    def __init__(self, ecn: int) -> None:
        self.ecn = ecn

    def encode(self, version: int) -> bytes:  # noqa: D102
        if version == 1:
            return put_load(Subfield(FIELDS["nw_ecn"], 0, 2), self.ecn, version)
        if version == 2:
            return raws.put_number("set_nw_ecn", version, self.ecn)
        return put_field(version, "nw_ecn", self.ecn)

    def format(self, printing: Printing) -> str:  # noqa: D102
        return f"{colors.param}mod_nw_ecn:{colors.end}{self.ecn}"


class SetIpTtl(_SetIp):
    """Set the time to live or hop limit."""

    __slots__ = ("ttl",)
    keyword = "mod_nw_ttl"

    def __init__(self, ttl: int) -> None:
        self.ttl = ttl

    def encode(self, version: int) -> bytes:  # noqa: D102
        if version == 1:
            return put_load(Subfield(FIELDS["nw_ttl"], 0, 8), self.ttl, version)
        return raws.put_number("set_nw_ttl", version, self.ttl)

    def format(self, printing: Printing) -> str:  # noqa: D102
        return f"{colors.param}mod_nw_ttl:{colors.end}{self.ttl}"


class _SetL4Port(Action):
    """Set a transport port.

    Attributes:
        port: the number.
        flow_ip_proto: what the match says (0: nothing yet), by which OpenFlow 1.2+
            finds the field to set.
    """

    __slots__ = ("flow_ip_proto", "port")
    _side = ""

    def __init__(self, port: int, flow_ip_proto: int = 0) -> None:
        self.port = port
        self.flow_ip_proto = flow_ip_proto

    def encode(self, version: int) -> bytes:
        transport = _TRANSPORTS.get(self.flow_ip_proto)
        if version < 3 or transport is None:
            return raws.put_number(f"set_tp_{self._side}", version, self.port)
        return put_field(version, f"{transport}_{self._side}", self.port)

    def format(self, printing: Printing) -> str:
        return f"{colors.param}{self.keyword}:{colors.end}{self.port}"

    def check(self, checking: Checking) -> Action:
        nw_proto = checking.nw_proto
        if (
            not checking.is_ip_any
            or _NW_FRAG.get(checking.flow) & NW_FRAG_LATER
            or nw_proto not in _TRANSPORTS
        ):
            checking.inconsistent()
        if nw_proto == self.flow_ip_proto:
            return self
        return type(self)(self.port, nw_proto)


class SetL4SrcPort(_SetL4Port):
    """Set the source port."""

    __slots__ = ()
    keyword = "mod_tp_src"
    _side = "src"


class SetL4DstPort(_SetL4Port):
    """Set the destination port."""

    __slots__ = ()
    keyword = "mod_tp_dst"
    _side = "dst"


class DecTtl(_SetIp):
    """Decrement the time to live.

    Attributes:
        cnt_ids: ids of the controllers that hear of packets whose time is over.
        form: 1 if it came with ids.
    """

    __slots__ = ("cnt_ids", "form")
    keyword = "dec_ttl"

    def __init__(self, cnt_ids: tuple[int, ...] = (0,), form: int = 0) -> None:
        self.cnt_ids = cnt_ids
        self.form = form

    def encode(self, version: int) -> bytes:  # noqa: D102
        if not self.form and self.cnt_ids == (0,):
            return raws.put("dec_nw_ttl", version)
        body = _U16.pack(len(self.cnt_ids)) + bytes(4)
        body += b"".join(map(_U16.pack, self.cnt_ids))
        return raws.put("dec_ttl_cnt_ids", version, body)

    def format(self, printing: Printing) -> str:  # noqa: D102
        paren, end = colors.paren, colors.end
        if not self.form:
            return f"{paren}dec_ttl{end}"
        ids = ",".join(map(str, self.cnt_ids))
        return f"{paren}dec_ttl{end}{paren}({end}{ids}{paren}){end}"


def _parse_tos(text: str, parsing: Parsing) -> Action:
    tos = u8(text, "TOS")
    if tos & ~IP_DSCP_MASK:
        raise ParseError(f"{text}: not a valid TOS")
    return SetIpDscp(tos)


def _parse_ecn(text: str, parsing: Parsing) -> Action:
    ecn = u8(text, "ECN")
    if ecn & ~IP_ECN_MASK:
        raise ParseError(f"{text}: not a valid ECN")
    return SetIpEcn(ecn)


def _parse_dec_ttl(text: str, parsing: Parsing) -> Action:
    if not text:
        return DecTtl()
    ids = tuple(atoi(token) & 0xFFFF for token in tokens(text, ", "))
    if not ids:
        raise ParseError("dec_ttl_cnt_ids: expected at least one controller id.")
    return DecTtl(ids, 1)


PARSERS: dict[str, Parser] = {
    "mod_dl_src": lambda text, parsing: SetEthSrc(mac(text)),
    "mod_dl_dst": lambda text, parsing: SetEthDst(mac(text)),
    "mod_nw_src": lambda text, parsing: SetIpv4Src(ipv4(text)),
    "mod_nw_dst": lambda text, parsing: SetIpv4Dst(ipv4(text)),
    "mod_nw_tos": _parse_tos,
    "mod_nw_ecn": _parse_ecn,
    "mod_nw_ttl": lambda text, parsing: SetIpTtl(u8(text, "TTL")),
    "set_nw_ttl": lambda text, parsing: SetIpTtl(u8(text, "TTL")),
    "mod_tp_src": lambda text, parsing: SetL4SrcPort(u16(text, "source port")),
    "mod_tp_dst": lambda text, parsing: SetL4DstPort(u16(text, "destination port")),
    "dec_ttl": _parse_dec_ttl,
}


def _decode_mac(octets: bytes) -> int:
    return int.from_bytes(octets[4:10], "big")


def _decode_tos(octets: bytes, number: int, version: int) -> Action:
    if number & ~IP_DSCP_MASK:
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    return SetIpDscp(number)


def _decode_ecn(octets: bytes, number: int, version: int) -> Action:
    if number & ~IP_ECN_MASK:
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    return SetIpEcn(number)


def _decode_dec_ttl_ids(octets: bytes, number: int, version: int) -> Action:
    (n_ids,) = _U16.unpack_from(octets, 10)
    if any(octets[12:16]):
        raise OpenFlowError("NXBRC_MUST_BE_ZERO")
    if len(octets) - 16 < 2 * n_ids:
        raise OpenFlowError(
            "OFPBAC_BAD_LEN",
            f"Nicira action dec_ttl_cnt_ids only has {len(octets) - 16} bytes "
            f"allocated for controller ids.  {2 * n_ids} bytes are required for "
            f"{n_ids} controllers.",
        )
    return DecTtl(struct.unpack_from(f"!{n_ids}H", octets, 16), 1)


DECODERS: dict[str, Decoder] = {
    "set_dl_src": lambda octets, number, version: SetEthSrc(_decode_mac(octets)),
    "set_dl_dst": lambda octets, number, version: SetEthDst(_decode_mac(octets)),
    "set_nw_src": lambda octets, number, version: SetIpv4Src(number),
    "set_nw_dst": lambda octets, number, version: SetIpv4Dst(number),
    "set_nw_tos": _decode_tos,
    "set_nw_ecn": _decode_ecn,
    "set_nw_ttl": lambda octets, number, version: SetIpTtl(number),
    "set_tp_src": lambda octets, number, version: SetL4SrcPort(number),
    "set_tp_dst": lambda octets, number, version: SetL4DstPort(number),
    "dec_nw_ttl": lambda octets, number, version: DecTtl(),
    "dec_ttl_cnt_ids": _decode_dec_ttl_ids,
}
