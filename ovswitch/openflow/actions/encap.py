# SPDX-License-Identifier: Apache-2.0
"""Pushing and popping whole headers: encap, decap, and NSH's time to live."""

from __future__ import annotations

import struct

from ovswitch.openflow.actions import raws
from ovswitch.openflow.actions.action import Action
from ovswitch.openflow.actions.colors import colors
from ovswitch.openflow.actions.context import ETH_TYPE_NSH
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.parse.tokens import (
    ParseError,
    key_value,
    key_values,
    scan_int,
    u8,
    u16,
)
from ovswitch.openflow.protocol import OF13_UP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ovswitch.openflow.actions.action import Decoder, Parser
    from ovswitch.openflow.actions.context import Checking, Parsing, Printing

OFPHTN_ETHERTYPE = 1
OFPHTN_N_TYPES = 5
PT_ETH = 0
PT_USE_NEXT_PROTO = 0xFFFE
PT_UNKNOWN = 0xFFFFFFFF
PT_NSH = OFPHTN_ETHERTYPE << 16 | ETH_TYPE_NSH
HEADERS = {
    "ethernet": PT_ETH,
    "nsh": PT_NSH,
    "mpls": OFPHTN_ETHERTYPE << 16 | 0x8847,
    "mpls_mc": OFPHTN_ETHERTYPE << 16 | 0x8848,
}
_HEADER_NAMES = {number: name for name, number in HEADERS.items()}

OFPPPC_NSH = 4
NSH_MDTYPE, NSH_TLV = 1, 2

_ENCAP = struct.Struct("!HI")
_DECAP = struct.Struct("!2xI")
_PROP = struct.Struct("!HBB")
_MD_TYPE = struct.Struct("!B3x")
_TLV = struct.Struct("!HBB")
_MAX_HEXITS = 251


class EdProp:
    """A property of `Encap`: metadata type or TLV of a network service header.

    Attributes:
        prop_class, prop_type: OFPPPC_NSH; NSH_MDTYPE or NSH_TLV.
        number: the metadata type, or the TLV's class in the high 16 bits and its type.
        octets: the TLV's value.
    """

    __slots__ = ("number", "octets", "prop_class", "prop_type")

    def __init__(
        self, prop_class: int, prop_type: int, number: int, octets: bytes = b""
    ) -> None:
        self.prop_class = prop_class
        self.prop_type = prop_type
        self.number = number
        self.octets = octets

    def _key(self) -> tuple[int, int, int, bytes]:
        return self.prop_class, self.prop_type, self.number, self.octets

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EdProp) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def encode(self) -> bytes:
        """Return the octets, padded."""
        if self.prop_type == NSH_MDTYPE:
            return _PROP.pack(self.prop_class, NSH_MDTYPE, 5) + _MD_TYPE.pack(
                self.number
            )
        value = self.octets + bytes(-len(self.octets) % 8)
        return (
            _PROP.pack(self.prop_class, NSH_TLV, 8 + len(value) & 0xFF)
            + _TLV.pack(self.number >> 16, self.number & 0xFF, len(self.octets))
            + value
        )

    def format(self) -> str:
        """Return the property as text."""
        if self.prop_type == NSH_MDTYPE:
            return f"md_type={self.number}"
        return (
            f"tlv(0x{self.number >> 16:04x},{self.number & 0xFF},"
            f"{_put_hex(self.octets)})"
        )


def _put_hex(octets: bytes) -> str:
    """Return octets as one number without leading zeros."""
    value = int.from_bytes(octets, "big")
    return f"{value:#x}" if value else "0"


class Encap(Action):
    """Push a header of packet type `new_pkt_type`.

    Attributes:
        new_pkt_type: one of HEADERS.
        hdr_size: a hint, kept.
        props: how to fill the header in.
    """

    __slots__ = ("hdr_size", "new_pkt_type", "props")
    keyword = "encap"

    def __init__(
        self, new_pkt_type: int, hdr_size: int = 0, props: tuple[EdProp, ...] = ()
    ) -> None:
        self.new_pkt_type = new_pkt_type
        self.hdr_size = hdr_size
        self.props = props

    def encode(self, version: int) -> bytes:  # noqa: D102
        body = _ENCAP.pack(self.hdr_size, self.new_pkt_type)
        body += b"".join(prop.encode() for prop in self.props)
        return raws.put("encap", max(version, 4), body)

    def format(self, printing: Printing) -> str:  # noqa: D102
        paren, end = colors.paren, colors.end
        name = _HEADER_NAMES.get(self.new_pkt_type, "UNKNOWN")
        props = ",".join(prop.format() for prop in self.props)
        if props:
            props = f"{paren}({end}{props}{paren}){end}"
        return f"{paren}encap({end}{name}{props}{paren}){end}"

    def check(self, checking: Checking) -> Action:  # noqa: D102
        checking.set_packet_type(self.new_pkt_type)
        if self.new_pkt_type >> 16 == OFPHTN_ETHERTYPE:
            checking.set_dl_type(self.new_pkt_type & 0xFFFF)
        if not checking.is_ip_any:
            checking.set_nw_proto(0)
        return self


class Decap(Action):
    """Pop the outermost header; the packet is `new_pkt_type` then."""

    __slots__ = ("new_pkt_type",)
    keyword = "decap"

    def __init__(self, new_pkt_type: int) -> None:
        self.new_pkt_type = new_pkt_type

    def encode(self, version: int) -> bytes:  # noqa: D102
        return raws.put("decap", max(version, 4), _DECAP.pack(self.new_pkt_type))

    def format(self, printing: Printing) -> str:  # noqa: D102
        paren, end = colors.paren, colors.end
        inner = ""
        if self.new_pkt_type != PT_USE_NEXT_PROTO:
            space, number = self.new_pkt_type >> 16, self.new_pkt_type & 0xFFFF
            shown = f"{number:#x}" if number else "0"
            inner = f"packet_type(ns={space},type={shown})"
        return f"{paren}decap({end}{inner}{paren}){end}"

    def check(self, checking: Checking) -> Action:  # noqa: D102
        if checking.packet_type == PT_ETH:
            checking.set_packet_type(OFPHTN_ETHERTYPE << 16 | checking.dl_type)
        else:
            checking.set_packet_type(PT_UNKNOWN)
            checking.set_dl_type(0xFFFF)
        return self


class DecNshTtl(Action):
    """Decrement the network service header's time to live."""

    __slots__ = ()
    keyword = "dec_nsh_ttl"

    def encode(self, version: int) -> bytes:  # noqa: D102
        return raws.put("dec_nsh_ttl", max(version, 4))

    def format(self, printing: Printing) -> str:  # noqa: D102
        return f"{colors.special}dec_nsh_ttl{colors.end}"

    def check(self, checking: Checking) -> Action:  # noqa: D102
        if checking.packet_type != PT_NSH and checking.dl_type != ETH_TYPE_NSH:
            checking.inconsistent()
        return self


def _parse_tlv(text: str) -> EdProp:
    """Read "0xCLASS,TYPE,0xVALUE"; what follows is ignored."""
    wrong = ParseError(f"Invalid NSH TLV header: {text}")
    first = scan_int(text, 2, 16) if text.startswith("0x") else None
    if first is None or text[first[1] : first[1] + 1] != ",":
        raise wrong
    second = scan_int(text, first[1] + 1, 10)
    if second is None or not text.startswith(",0x", second[1]):
        raise wrong
    rest = text[second[1] + 3 :][:_MAX_HEXITS]
    size = len(rest) - len(rest.lstrip("0123456789abcdefABCDEF"))
    if not size:
        raise wrong
    value = bytes.fromhex(rest[: size - size % 2])
    number = (first[0] & 0xFFFF) << 16 | second[0] & 0xFF
    return EdProp(OFPPPC_NSH, NSH_TLV, number, value)


def _parse_props(header: str, text: str) -> Iterator[EdProp]:
    for key, value in key_values(text):
        if header != "nsh" or key not in ("md_type", "tlv"):
            raise ParseError(f"Invalid property: {key}")
        if not value:
            raise ParseError("Value missing for encap property")
        if key == "tlv":
            yield _parse_tlv(value)
            continue
        md_type = u8(value, "md_type")
        if not 1 <= md_type <= 2:
            raise ParseError("invalid md_type")
        yield EdProp(OFPPPC_NSH, NSH_MDTYPE, md_type)


def _parse_encap(text: str, parsing: Parsing) -> Action:
    parsing.protocols &= OF13_UP
    found = key_value(text)
    if found is None:
        raise ParseError(f"Missing encap hdr: {text}")
    header, value, _ = found
    if header not in HEADERS:
        raise ParseError(f"Encap hdr not supported: {value}")
    return Encap(HEADERS[header], 0, tuple(_parse_props(header, value)))


def _parse_decap(text: str, parsing: Parsing) -> Action:
    found = key_value(text)
    if found is None:
        return Decap(PT_USE_NEXT_PROTO)
    key, value, _ = found
    if key != "packet_type":
        raise ParseError(f"Invalid decap argument: {key}")
    first = key_value(value)
    if first is None or first[0] != "ns":
        raise ParseError("Missing packet_type attribute ns")
    space = u16(first[1], "ns")
    if space >= OFPHTN_N_TYPES:
        raise ParseError(f"Unsupported ns value: {space}")
    second = key_value(value, first[2])
    if second is None or second[0] != "type":
        raise ParseError("Missing packet_type attribute type")
    return Decap(space << 16 | u16(second[1], "type"))


PARSERS: dict[str, Parser] = {
    "encap": _parse_encap,
    "decap": _parse_decap,
    "dec_nsh_ttl": lambda text, parsing: DecNshTtl(),
}


def _decode_prop(octets: bytes, at: int) -> tuple[EdProp, int]:
    """Return the property at `at`, and the size it takes."""
    left = len(octets) - at
    prop_class, prop_type, size = _PROP.unpack_from(octets, at)
    total = size + -size % 8
    if size < _PROP.size or total > left:
        raise OpenFlowError("OFPBAC_BAD_LEN")
    if prop_class != OFPPPC_NSH or prop_type not in (NSH_MDTYPE, NSH_TLV):
        raise OpenFlowError("NXBAC_UNKNOWN_ED_PROP")
    if prop_type == NSH_MDTYPE:
        if size > 8:
            raise OpenFlowError("NXBAC_BAD_ED_PROP")
        return EdProp(prop_class, prop_type, octets[at + 4]), total
    tlv_class, tlv_type, length = _TLV.unpack_from(octets, at + 4)
    if size != 8 + length + -length % 8:
        raise OpenFlowError("NXBAC_BAD_ED_PROP")
    value = octets[at + 8 : at + 8 + length]
    return EdProp(prop_class, prop_type, tlv_class << 16 | tlv_type, value), total


def _decode_encap(octets: bytes, number: int, version: int) -> Action:
    hdr_size, new_pkt_type = _ENCAP.unpack_from(octets, 10)
    if new_pkt_type not in _HEADER_NAMES:
        raise OpenFlowError("NXBAC_BAD_HEADER_TYPE")
    props = []
    at = 16
    while at < len(octets):
        prop, size = _decode_prop(octets, at)
        props.append(prop)
        at += size
    return Encap(new_pkt_type, hdr_size, tuple(props))


def _decode_decap(octets: bytes, number: int, version: int) -> Action:
    if len(octets) > 16:
        raise OpenFlowError("NXBAC_UNKNOWN_ED_PROP")
    return Decap(_DECAP.unpack_from(octets, 10)[0])


DECODERS: dict[str, Decoder] = {
    "encap": _decode_encap,
    "decap": _decode_decap,
    "dec_nsh_ttl": lambda octets, number, version: DecNshTtl(),
}
