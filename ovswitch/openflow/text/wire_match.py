# SPDX-License-Identifier: Apache-2.0
"""Matches as they stand on the wire, for those who look closely."""

from __future__ import annotations

import struct

from ovswitch.flow import prereqs, values
from ovswitch.flow.names import NameMap, format_port
from ovswitch.openflow.actions.fieldcodec import is_variable
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.oxm import take_entry
from ovswitch.openflow.oxm.entry import find_oxm
from ovswitch.openflow.wire import Cursor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.flow.fields import Field

_MATCH10 = struct.Struct("!IH6s6sHBxHBBxxIIHH")
_MAX_SHOWN = 128
_COOKIES = {0x00013C08: "NXM_NX_COOKIE", 0x00013D10: "NXM_NX_COOKIE_W"}


def entry_name(number: int) -> str:
    """Return the name of an entry's field, from its header's number."""
    oxm, masked = find_oxm(number)
    if oxm is not None:
        return oxm.name + ("_W" if masked else "")
    if number in _COOKIES:
        return _COOKIES[number]
    first = number if number < 1 << 32 else number >> 32
    return f"{first >> 16}:{first >> 9 & 0x7F}"


def _hex(octets: bytes, field: Field | None) -> str:
    """Return a value's octets, at most as many as there is room for.

    Of a field of any size (tun_metadataN) the reference shows the first octets of the
    field at its full size, mostly zeros, and so do we.
    """
    if field is not None and is_variable(field):
        filled = octets[: field.n_bytes].rjust(field.n_bytes, b"\0")
        return filled[: len(octets)].hex()
    return octets[:_MAX_SHOWN].hex()


def format_nxm(octets: bytes) -> str:
    """Return entries as `NXM_OF_ETH_TYPE(0800), ...`; what follows an error as such."""
    if not octets:
        return "<any>"
    cursor = Cursor(octets)
    parts = []
    end = 0
    while cursor.left:
        try:
            entry = take_entry(cursor)
        except OpenFlowError:
            break
        end = cursor.offset
        start = end - entry.size * (2 if entry.masked else 1)
        text = _hex(octets[start : start + entry.size], entry.field)
        if entry.masked:
            text += "/" + _hex(octets[start + entry.size : end], entry.field)
        parts.append(f"{entry_name(entry.header)}({text})")
    if end < len(octets):
        parts.append(f"<{len(octets) - end} invalid bytes>")
    return ", ".join(parts)


def _word(dl_type: int, protocol: int | None) -> tuple[str, bool]:
    """Return a protocol's word and whether it tells the IP protocol too."""
    if dl_type == prereqs.ETH_TYPE_IP:
        inner = {
            prereqs.IPPROTO_ICMP: "icmp",
            prereqs.IPPROTO_TCP: "tcp",
            prereqs.IPPROTO_UDP: "udp",
            prereqs.IPPROTO_SCTP: "sctp",
        }.get(-1 if protocol is None else protocol)
        return inner or "ip", inner is not None
    words = {
        prereqs.ETH_TYPE_ARP: "arp",
        prereqs.ETH_TYPE_RARP: "rarp",
        prereqs.ETH_TYPE_MPLS: "mpls",
        prereqs.ETH_TYPE_MPLS_MCAST: "mplsm",
    }
    return words.get(dl_type, ""), False


def _netmask(address: int, wildcard_bits: int, verbosity: int, name: str) -> str:
    if wildcard_bits >= 32:
        return f"{name}=*," if verbosity >= 2 else ""
    text = values.format_ipv4(address)
    if wildcard_bits:
        text += f"/{32 - wildcard_bits}"
    return f"{name}={text},"


def format_match10(octets: bytes, verbosity: int, ports: NameMap | None) -> str:
    """Return a `struct ofp10_match` as text; when verbose, wildcards as `*`."""
    (wild, in_port, dl_src, dl_dst, vlan, pcp, dl_type, tos, protocol, nw_src, nw_dst,
     tp_src, tp_dst) = _MATCH10.unpack_from(octets)  # fmt: skip
    word = ""
    skip_proto = False
    if not wild & 1 << 4:
        word, skip_proto = _word(dl_type, None if wild & 1 << 5 else protocol)
    parts = [f"{word},"] if word else []

    def put(bit: int, name: str, text: str) -> None:
        if not wild & bit:
            parts.append(f"{name}={text},")
        elif verbosity >= 2:
            parts.append(f"{name}=*,")

    put(1 << 0, "in_port", format_port(in_port, ports))
    put(1 << 1, "dl_vlan", str(vlan))
    put(1 << 20, "dl_vlan_pcp", str(pcp))
    put(1 << 2, "dl_src", dl_src.hex(":"))
    put(1 << 3, "dl_dst", dl_dst.hex(":"))
    if not word:
        put(1 << 4, "dl_type", f"0x{dl_type:04x}")
    parts.append(_netmask(nw_src, wild >> 8 & 0x3F, verbosity, "nw_src"))
    parts.append(_netmask(nw_dst, wild >> 14 & 0x3F, verbosity, "nw_dst"))
    if not skip_proto:
        is_arp = dl_type in (prereqs.ETH_TYPE_ARP, prereqs.ETH_TYPE_RARP)
        put(1 << 5, "arp_op" if is_arp else "nw_proto", str(protocol))
    put(1 << 21, "nw_tos", str(tos))
    is_icmp = protocol == prereqs.IPPROTO_ICMP
    put(1 << 6, "icmp_type" if is_icmp else "tp_src", str(tp_src))
    put(1 << 7, "icmp_code" if is_icmp else "tp_dst", str(tp_dst))
    return "".join(parts).removesuffix(",")
