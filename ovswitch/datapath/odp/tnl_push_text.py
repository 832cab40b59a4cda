# SPDX-License-Identifier: Apache-2.0
"""The tnl_push() action as text, both ways: outer headers, field by field.

The headers are Ethernet, IPv4 or IPv6, then UDP with VXLAN, Geneve or GTP-U, or GRE,
or ERSPAN over GRE. What the text doesn't tell (lengths, the IPv4 checksum) is
computed.
"""

from __future__ import annotations

from struct import Struct

from ovswitch.datapath.odp import actions
from ovswitch.datapath.odp import numbers as n
from ovswitch.datapath.odp.key_text import port_name
from ovswitch.datapath.odp.scan import ScanError, Scanner
from ovswitch.datapath.odp.tunnel_parse import parse_geneve_options
from ovswitch.datapath.odp.tunnel_text import format_geneve_options
from ovswitch.packet.address import format_ipv4, format_ipv6, format_mac
from ovswitch.packet.checksum import checksum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.datapath.odp.key_text import PortNames

_ACTION = Struct("=IIII")
_IPV4 = Struct("!BBHHHBBHII")
_IPV6 = Struct("!IHBB16s16s")
_UDP = Struct("!HHHH")
_GRE = Struct("!HH")
_ETH_SIZE = 14
_GRE_CSUM, _GRE_KEY, _GRE_SEQ = 0x8000, 0x2000, 0x1000
_UDP_TUNNELS = (n.OVS_VPORT_TYPE_VXLAN, n.OVS_VPORT_TYPE_GENEVE, n.OVS_VPORT_TYPE_GTPU)
_TRUNCATED = "<error: truncated>"


def format_tnl_push(payload: bytes, ports: PortNames | None) -> str:
    """Return the text of an OVS_ACTION_ATTR_TUNNEL_PUSH payload."""
    if len(payload) < _ACTION.size:
        return "tnl_push(error)"
    tnl_port, out_port, size, tnl_type = _ACTION.unpack_from(payload)
    header = payload[_ACTION.size :]
    try:
        text = _format_header(header, tnl_type)
    except (IndexError, ValueError):
        text = _TRUNCATED
    return (
        f"tnl_push(tnl_port({port_name(ports, tnl_port)}),"
        f"header(size={size},type={tnl_type},{text}),"
        f"out_port({port_name(ports, out_port)}))"
    )


def _be(octets: bytes, at: int, size: int) -> int:
    part = octets[at : at + size]
    if len(part) != size:
        raise ValueError(_TRUNCATED)
    return int.from_bytes(part, "big")


def _format_header(header: bytes, tnl_type: int) -> str:
    eth_type = _be(header, 12, 2)
    text = (
        f"eth(dst={format_mac(_be(header, 0, 6))},src={format_mac(_be(header, 6, 6))},"
        f"dl_type=0x{eth_type:04x}),"
    )
    at = _ETH_SIZE
    if eth_type == 0x0800:
        text += (
            f"ipv4(src={format_ipv4(_be(header, at + 12, 4))},"
            f"dst={format_ipv4(_be(header, at + 16, 4))},proto={header[at + 9]},"
            f"tos={_hex(header[at + 1])},ttl={header[at + 8]},"
            f"frag=0x{_be(header, at + 6, 2):x}),"
        )
        at += _IPV4.size
    else:
        word = _be(header, at, 4)
        text += (
            f"ipv6(src={format_ipv6(_be(header, at + 8, 16))},"
            f"dst={format_ipv6(_be(header, at + 24, 16))},label={word & 0xFFFFF},"
            f"proto={header[at + 6]},tclass=0x{word >> 20 & 0xFF:x},"
            f"hlimit={header[at + 7]}),"
        )
        at += _IPV6.size
    if tnl_type in _UDP_TUNNELS:
        text += (
            f"udp(src={_be(header, at, 2)},dst={_be(header, at + 2, 2)},"
            f"csum=0x{_be(header, at + 6, 2):x}),"
        )
        at += _UDP.size
    return text + _format_tunnel(header, at, tnl_type)


def _hex(value: int) -> str:
    return f"{value:#x}" if value else "0"


def _format_tunnel(header: bytes, at: int, tnl_type: int) -> str:
    if tnl_type == n.OVS_VPORT_TYPE_VXLAN:
        flags, vni = _be(header, at, 4), _be(header, at + 4, 4) >> 8
        return f"vxlan(flags=0x{flags:x},vni=0x{vni:x})"
    if tnl_type == n.OVS_VPORT_TYPE_GENEVE:
        return _format_geneve(header, at)
    if tnl_type == n.OVS_VPORT_TYPE_GTPU:
        return (
            f"gtpu(flags=0x{header[at]:x},msgtype={header[at + 1]},"
            f"teid=0x{_be(header, at + 4, 4):x})"
        )
    if tnl_type in (n.OVS_VPORT_TYPE_GRE, n.OVS_VPORT_TYPE_IP6GRE):
        return _format_gre(header, at)
    if tnl_type in (n.OVS_VPORT_TYPE_ERSPAN, n.OVS_VPORT_TYPE_IP6ERSPAN):
        return _format_erspan(header, at + 8)
    return ""


def _format_geneve(header: bytes, at: int) -> str:
    options_size = (header[at] & 0x3F) * 4
    text = "geneve("
    text += "oam," if header[at + 1] & 0x80 else ""
    text += "crit," if header[at + 1] & 0x40 else ""
    text += f"vni=0x{_be(header, at + 4, 4) >> 8:x}"
    if options_size:
        options = header[at + 8 : at + 8 + options_size]
        text += f",options({format_geneve_options(options, None, verbose=False)})"
    return text + ")"


def _format_gre(header: bytes, at: int) -> str:
    flags, proto = _be(header, at, 2), _be(header, at + 2, 2)
    text = f"gre((flags=0x{flags:x},proto=0x{proto:x})"
    at += _GRE.size
    if flags & _GRE_CSUM:
        text += f",csum=0x{_be(header, at, 2):x}"
        at += 4
    if flags & _GRE_KEY:
        text += f",key=0x{_be(header, at, 4):x}"
        at += 4
    if flags & _GRE_SEQ:
        text += f",seq=0x{_be(header, at, 4):x}"
    return text + ")"


def _format_erspan(header: bytes, at: int) -> str:
    """Return the ERSPAN header that follows GRE with a sequence number."""
    sid = _be(header, at + 2, 2) & 0x3FF
    version = header[at] >> 4
    if version == 1:
        return f"erspan(ver=1,sid=0x{sid:x},idx=0x{_be(header, at + 4, 4):x})"
    if version == 2:
        bits = _be(header, at + 10, 2)
        direction, hwid = bits >> 3 & 1, bits >> 4 & 0x3F
        return f"erspan(ver=2,sid=0x{sid:x},dir={direction},hwid=0x{hwid:x})"
    return ""


def parse_tnl_push(scanner: Scanner) -> bytes:
    """Take what follows "tnl_push("; return the action.

    Raises: ScanError.
    """
    scanner.need("tnl_port(")
    tnl_port = _need(scanner.integer(32))
    scanner.need("),header(size=")
    size = _need(scanner.integer(32))
    scanner.need(",type=")
    tnl_type = _need(scanner.integer(32))
    scanner.need(",")
    header, eth_type = _parse_eth(scanner)
    header += _parse_ipv4(scanner) if eth_type == 0x0800 else _parse_ipv6(scanner)
    tunnel, wanted = _parse_tunnel(scanner, is_ipv4=eth_type == 0x0800)
    header += tunnel
    scanner.need(")")
    if tnl_type != wanted or size != len(header):
        raise ScanError
    scanner.need(",out_port(")
    out_port = _need(scanner.integer(32))
    scanner.need("))")
    return actions.tnl_push(tnl_port, out_port, tnl_type, header)


def _need(value: int | None) -> int:
    if value is None:
        raise ScanError
    return value


def _field(scanner: Scanner, name: str, bits: int) -> int:
    """Take "name=number"."""
    scanner.need(name)
    return _need(scanner.integer(bits))


def _hex_field(scanner: Scanner, name: str, bits: int) -> int:
    """Take "name=0xnumber"."""
    scanner.need(name)
    return _need(scanner.hexadecimal(bits))


def _parse_eth(scanner: Scanner) -> tuple[bytes, int]:
    scanner.need("eth(dst=")
    dst = _need(scanner.mac())
    scanner.need(",src=")
    src = _need(scanner.mac())
    eth_type = _hex_field(scanner, ",dl_type=", 16)
    scanner.need("),")
    addresses = (dst << 48 | src).to_bytes(12, "big")
    return addresses + eth_type.to_bytes(2, "big"), eth_type


def _parse_ipv4(scanner: Scanner) -> bytes:
    scanner.need("ipv4(src=")
    src = _need(scanner.ipv4())
    scanner.need(",dst=")
    dst = _need(scanner.ipv4())
    proto = _field(scanner, ",proto=", 8)
    tos = _field(scanner, ",tos=", 8)
    ttl = _field(scanner, ",ttl=", 8)
    frag = _hex_field(scanner, ",frag=", 16)
    scanner.need("),")
    fields = [0x45, tos, 0, 0, frag, ttl, proto, 0, src, dst]
    fields[7] = checksum(_IPV4.pack(*fields))
    return _IPV4.pack(*fields)


def _parse_ipv6(scanner: Scanner) -> bytes:
    scanner.need("ipv6(src=")
    src = _need(scanner.ipv6())
    scanner.need(",dst=")
    dst = _need(scanner.ipv6())
    label = _field(scanner, ",label=", 32)
    proto = _field(scanner, ",proto=", 8)
    tclass = _hex_field(scanner, ",tclass=", 8)
    hlimit = _field(scanner, ",hlimit=", 8)
    scanner.need("),")
    if label >> 20:
        raise ScanError
    word = 6 << 28 | tclass << 20 | label
    return _IPV6.pack(
        word, 0, proto, hlimit, src.to_bytes(16, "big"), dst.to_bytes(16, "big")
    )


def _parse_tunnel(scanner: Scanner, *, is_ipv4: bool) -> tuple[bytes, int]:
    """Return the headers behind IP and the tunnel's type."""
    if scanner.literal("udp("):
        return _parse_udp(scanner)
    if scanner.literal("gre("):
        kind = n.OVS_VPORT_TYPE_GRE if is_ipv4 else n.OVS_VPORT_TYPE_IP6GRE
        return _parse_gre(scanner), kind
    scanner.need("erspan(")
    kind = n.OVS_VPORT_TYPE_ERSPAN if is_ipv4 else n.OVS_VPORT_TYPE_IP6ERSPAN
    return _parse_erspan(scanner), kind


def _parse_udp(scanner: Scanner) -> tuple[bytes, int]:
    src = _field(scanner, "src=", 16)
    dst = _field(scanner, ",dst=", 16)
    csum = _hex_field(scanner, ",csum=", 16)
    scanner.need("),")
    udp = _UDP.pack(src, dst, 0, csum)
    if scanner.literal("vxlan("):
        flags = _hex_field(scanner, "flags=", 32)
        vni = _hex_field(scanner, ",vni=", 32) << 8 & 0xFFFFFFFF
        scanner.need(")")
        vxlan = (flags << 32 | vni).to_bytes(8, "big")
        return udp + vxlan, n.OVS_VPORT_TYPE_VXLAN
    if scanner.literal("gtpu("):
        flags = _field(scanner, "flags=", 8)
        msgtype = _field(scanner, ",msgtype=", 8)
        teid = _hex_field(scanner, ",teid=", 32)
        scanner.need(")")
        gtpu = bytes((flags, msgtype, 0, 0)) + teid.to_bytes(4, "big")
        return udp + gtpu, n.OVS_VPORT_TYPE_GTPU
    scanner.need("geneve(")
    return udp + _parse_geneve(scanner), n.OVS_VPORT_TYPE_GENEVE


def _parse_geneve(scanner: Scanner) -> bytes:
    bits = 0x80 if scanner.literal("oam,") else 0
    bits |= 0x40 if scanner.literal("crit,") else 0
    vni = _field(scanner, "vni=", 32) << 8 & 0xFFFFFFFF
    options = b""
    if scanner.literal(",options("):
        options = parse_geneve_options(scanner)[0]
    scanner.need(")")
    head = bytes((len(options) // 4 & 0x3F, bits)) + b"\x65\x58"
    return head + vni.to_bytes(4, "big") + options


def _parse_gre(scanner: Scanner) -> bytes:
    flags = _hex_field(scanner, "(flags=", 16)
    proto = _hex_field(scanner, ",proto=", 16)
    scanner.need(")")
    octets = _GRE.pack(flags, proto)
    if flags & _GRE_CSUM:
        octets += _hex_field(scanner, ",csum=", 16).to_bytes(2, "big") + b"\0\0"
    if flags & _GRE_KEY:
        octets += _hex_field(scanner, ",key=", 32).to_bytes(4, "big")
    if flags & _GRE_SEQ:
        octets += _hex_field(scanner, ",seq=", 32).to_bytes(4, "big")
    scanner.need(")")
    return octets


def _parse_erspan(scanner: Scanner) -> bytes:
    version = _field(scanner, "ver=", 8)
    sid = _hex_field(scanner, ",sid=", 16) & 0x3FF
    session = sid.to_bytes(2, "big")
    if version == 1:
        index = _hex_field(scanner, ",idx=", 32)
        scanner.need(")")
        gre = _GRE.pack(_GRE_SEQ, 0x88BE) + bytes(4)
        return gre + b"\x10\0" + session + index.to_bytes(4, "big")
    if version != 2:
        raise ScanError
    direction = _field(scanner, ",dir=", 8)
    hwid = _hex_field(scanner, ",hwid=", 8)
    scanner.need(")")
    gre = _GRE.pack(_GRE_SEQ, 0x22EB) + bytes(4)
    bits = (hwid & 0x3F) << 4 | (direction & 1) << 3
    return gre + b"\x20\0" + session + bytes(6) + bits.to_bytes(2, "big")
