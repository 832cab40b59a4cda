# SPDX-License-Identifier: Apache-2.0
"""Matches and flows as text: the one line that all tools and logs print.

The order of the fields and which names they get (`tcp` for two fields, `dl_vlan` for
part of one) are the reference's match_format(), octet for octet.
"""

from __future__ import annotations

from ovswitch.flow import flags, names, prereqs, values, wildcards
from ovswitch.flow.fields import FIELDS
from ovswitch.flow.layout import (
    N_MPLS,
    N_REGS,
    N_VLANS,
    REGS_MASK,
    SLOTS,
    TUNNEL_MASK,
    VLAN_CFI,
    VLAN_PCP_MASK,
    VLAN_VID_MASK,
    span,
)
from ovswitch.flow.match import Match
from ovswitch.flow.numbers import put_hex
from ovswitch.flow.tun_metadata import members, present

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from ovswitch.flow.layout import Slot

    class Palette(Protocol):
        """Escape sequences for a terminal; all empty without colors."""

        param: str
        value: str
        special: str
        end: str


OFP_DEFAULT_PRIORITY = 0x8000


class Plain:
    """The palette without colors."""

    param = value = special = end = ""


PLAIN = Plain()

_PORT_ONES = 0xFFFF


class _Printer:
    """Collects the pieces of one match."""

    __slots__ = ("colors", "mask", "parts", "ports", "value")

    def __init__(
        self, value: int, mask: int, ports: names.NameMap | None, colors: Palette
    ) -> None:
        self.value = value
        self.mask = mask
        self.ports = ports
        self.colors = colors
        self.parts: list[str] = []

    def put(self, name: str, text: str) -> None:
        """Add `name=text`."""
        self.parts.append(f"{self.colors.param}{name}={self.colors.end}{text}")

    def word(self, text: str) -> None:
        """Add a protocol's name."""
        self.parts.append(f"{self.colors.value}{text}{self.colors.end}")

    def field(self, name: str, slot: Slot, form: Callable[[int, int], str]) -> None:
        """Add a slot's value and mask as `form` writes them, if matched at all."""
        mask = self.mask >> slot.shift & slot.ones
        if mask:
            self.put(name, form(self.value >> slot.shift & slot.ones, mask))

    def plain(self, name: str, slot: Slot, form: str) -> None:
        """Add a slot's value in a format that ignores the mask, if matched at all."""
        if self.mask & slot.mask:
            value = form % (self.value >> slot.shift & slot.ones)
            self.parts.append(f"{name}={value}")


def _dec_or_hex(full: int, form: str) -> Callable[[int, int], str]:
    def text(value: int, mask: int) -> str:
        return str(value) if mask == full else form % (value, mask)

    return text


def _hex(full: int) -> Callable[[int, int], str]:
    def text(value: int, mask: int) -> str:
        if mask == full:
            return put_hex(value)
        return f"{put_hex(value)}/{put_hex(mask)}"

    return text


_u8 = _dec_or_hex(0xFF, "0x%02x/0x%02x")
_u16 = _dec_or_hex(0xFFFF, "%#x/%#x")
_be32 = _dec_or_hex(0xFFFFFFFF, "0x%08x/0x%08x")
_hex32 = _hex(0xFFFFFFFF)
_hex64 = _hex((1 << 64) - 1)
_hex128 = _hex((1 << 128) - 1)


def _be16(value: int, mask: int) -> str:
    return str(value) if mask == 0xFFFF else f"0x{value:x}/0x{mask:x}"


def _be32_hex(value: int, mask: int) -> str:
    text = f"0x{value:x}"
    return text if mask == 0xFFFFFFFF else f"{text}/0x{mask:x}"


# What is tested together, so that a usual match touches few slots.
_CONTEXT_MASK = 0
for _name in (
    "pkt_mark",
    "recirc_id",
    "dp_hash",
    "conj_id",
    "skb_priority",
    "actset_output",
):
    _CONTEXT_MASK |= SLOTS[_name].mask
_CT_MASK = span("ct_label", "ct_state") | span("ct_zone", "ct_nw_proto")
_MPLS_MASK = span("mpls_lse0", "mpls_lse2")
_RECIRC = SLOTS["recirc_id"]
_PACKET_TYPE = SLOTS["packet_type"]
_DL_TYPE = SLOTS["dl_type"]
_NW_PROTO = SLOTS["nw_proto"]
_IN_PORT = SLOTS["in_port"]
_NW_TOS = SLOTS["nw_tos"]
_REGS = tuple((f"reg{i}", SLOTS[f"reg{i}"]) for i in range(N_REGS))
_TCIS = tuple(SLOTS[f"vlan_tci{i}"] for i in range(N_VLANS))

_PROTOCOLS = {
    prereqs.ETH_TYPE_IP: (
        "ip",
        {
            prereqs.IPPROTO_ICMP: "icmp",
            prereqs.IPPROTO_TCP: "tcp",
            prereqs.IPPROTO_UDP: "udp",
            prereqs.IPPROTO_SCTP: "sctp",
        },
    ),
    prereqs.ETH_TYPE_IPV6: (
        "ipv6",
        {
            prereqs.IPPROTO_ICMPV6: "icmp6",
            prereqs.IPPROTO_TCP: "tcp6",
            prereqs.IPPROTO_UDP: "udp6",
            prereqs.IPPROTO_SCTP: "sctp6",
        },
    ),
}
_TYPES = {
    prereqs.ETH_TYPE_ARP: "arp",
    prereqs.ETH_TYPE_RARP: "rarp",
    prereqs.ETH_TYPE_MPLS: "mpls",
    prereqs.ETH_TYPE_MPLS_MCAST: "mplsm",
}
_ARPS = (prereqs.ETH_TYPE_ARP, prereqs.ETH_TYPE_RARP)


def format_match(
    match: Match,
    ports: names.NameMap | None = None,
    priority: int = OFP_DEFAULT_PRIORITY,
    colors: Palette = PLAIN,
) -> str:
    """Return a match as text, "" for the one that holds always.

    Args:
        match: what to print; a megaflow (one that matches `recirc_id`) shows its packet
            type even if it is Ethernet.
        ports: names to use for ports.
        priority: printed unless it is the default.
        colors: escape sequences for a terminal.
    """
    value, mask = match.value, match.mask
    out = _Printer(value, mask, ports, colors)
    if priority != OFP_DEFAULT_PRIORITY:
        out.parts.append(f"{colors.special}priority={colors.end}{priority}")
    if mask & _CONTEXT_MASK:
        _context(out)
    if mask & _CT_MASK:
        _conntrack(out)
    eth_type = _packet_type(out)
    skip_type, skip_proto = _type_words(out, eth_type)
    if mask & REGS_MASK:
        for name, slot in _REGS:
            out.field(name, slot, _hex32)
    if mask & TUNNEL_MASK:
        _tunnel(out, match)
    out.field("metadata", SLOTS["metadata"], _hex64)
    if mask & _IN_PORT.mask:
        port = value >> _IN_PORT.shift & _PORT_ONES
        out.put("in_port", names.format_port(port, ports))
    _vlans(out)
    out.field("dl_src", SLOTS["dl_src"], values.format_eth)
    out.field("dl_dst", SLOTS["dl_dst"], values.format_eth)
    if mask & _DL_TYPE.mask and not skip_type:
        out.put("dl_type", f"0x{eth_type:04x}")
    _network(out, eth_type, skip_proto)
    if mask & _MPLS_MASK:
        _mpls(out)
    _fragment(out)
    _transport(out, eth_type)
    return ",".join(out.parts)


def _context(out: _Printer) -> None:
    out.field("pkt_mark", SLOTS["pkt_mark"], _hex32)
    out.field("recirc_id", _RECIRC, _hex32)
    out.field("dp_hash", SLOTS["dp_hash"], _hex32)
    colors = out.colors
    for name, form in (("conj_id", "%d"), ("skb_priority", "%#x")):
        slot = SLOTS[name]
        if out.mask & slot.mask:
            text = form % slot.get(out.value)
            if name == "conj_id":
                out.parts.append(f"{colors.param}{name}{colors.end}={text}")
            else:
                out.put(name, put_hex(slot.get(out.value)))
    slot = SLOTS["actset_output"]
    if out.mask & slot.mask:
        port = slot.get(out.value) & _PORT_ONES
        out.put("actset_output", names.format_port(port, out.ports))


def _ct_state(value: int, mask: int) -> str:
    # The slot is wider than the state: an exact flow's mask has bits that mean nothing.
    return flags.format_masked(flags.CT_STATE_NAMES, value, mask & 0xFF, 0xFF)


def _conntrack(out: _Printer) -> None:
    out.field("ct_state", SLOTS["ct_state"], _ct_state)
    out.field("ct_zone", SLOTS["ct_zone"], _be16)
    out.field("ct_mark", SLOTS["ct_mark"], _hex32)
    out.field("ct_label", SLOTS["ct_label"], _hex128)
    out.field("ct_nw_src", SLOTS["ct_nw_src"], values.format_ipv4)
    out.field("ct_ipv6_src", SLOTS["ct_ipv6_src"], values.format_ipv6)
    out.field("ct_nw_dst", SLOTS["ct_nw_dst"], values.format_ipv4)
    out.field("ct_ipv6_dst", SLOTS["ct_ipv6_dst"], values.format_ipv6)
    if out.mask & SLOTS["ct_nw_proto"].mask:
        out.put("ct_nw_proto", str(SLOTS["ct_nw_proto"].get(out.value)))
        out.field("ct_tp_src", SLOTS["ct_tp_src"], _be16)
        out.field("ct_tp_dst", SLOTS["ct_tp_dst"], _be16)


def _packet_type(out: _Printer) -> int:
    """Add the packet type where it isn't understood; return the Ethernet type."""
    eth_type = _DL_TYPE.get(out.value)
    mask = _PACKET_TYPE.get(out.mask)
    if not mask:
        return eth_type
    value = _PACKET_TYPE.get(out.value)
    if value or mask != _PACKET_TYPE.ones or out.mask & _RECIRC.mask:
        out.parts.append(values.format_packet_type(value, mask))
        if value >> 16 == prereqs.OFPHTN_ETHERTYPE:
            return value & 0xFFFF
    return eth_type


def _type_words(out: _Printer, eth_type: int) -> tuple[bool, bool]:
    """Add the protocol's word; return which of type and protocol it has told."""
    if not out.mask & _DL_TYPE.mask:
        return False, False
    word = _TYPES.get(eth_type)
    if word is not None:
        out.word(word)
        return True, False
    ip = _PROTOCOLS.get(eth_type)
    if ip is None:
        return False, False
    word, protocols = ip
    inner = None
    if out.mask & _NW_PROTO.mask:
        inner = protocols.get(_NW_PROTO.get(out.value))
    out.word(inner or word)
    return True, inner is not None


def _tunnel(out: _Printer, match: Match) -> None:
    out.field("tun_id", SLOTS["tun_id"], _hex64)
    out.field("tun_src", SLOTS["tun_src"], values.format_ipv4)
    out.field("tun_dst", SLOTS["tun_dst"], values.format_ipv4)
    out.field("tun_ipv6_src", SLOTS["tun_ipv6_src"], values.format_ipv6)
    out.field("tun_ipv6_dst", SLOTS["tun_ipv6_dst"], values.format_ipv6)
    out.field("tun_gbp_id", SLOTS["tun_gbp_id"], _be16)
    _hex_plain(out, "tun_gbp_flags", "tun_gbp_flags")
    out.plain("tun_tos", SLOTS["tun_tos"], "%x")
    out.plain("tun_ttl", SLOTS["tun_ttl"], "%d")
    out.plain("tun_erspan_ver", SLOTS["tun_erspan_ver"], "%d")
    version = SLOTS["tun_erspan_ver"].get(out.value)
    if version == 1:
        _hex_plain(out, "tun_erspan_idx", "tun_erspan_idx")
    elif version == 2:
        out.plain("tun_erspan_dir", SLOTS["tun_erspan_dir"], "%d")
        _hex_plain(out, "tun_erspan_hwid", "tun_erspan_hwid")
    _hex_plain(out, "gtpu_flags", "tun_gtpu_flags")
    out.plain("gtpu_msgtype", SLOTS["tun_gtpu_msgtype"], "%d")
    _tunnel_flags(out)
    for index in members(present(out.mask)):
        _tun_metadata(out, match, index)


def _hex_plain(out: _Printer, name: str, slot: str) -> None:
    if out.mask & SLOTS[slot].mask:
        out.parts.append(f"{name}={put_hex(SLOTS[slot].get(out.value))}")


def _tunnel_flags(out: _Printer) -> None:
    public = sum(flags.TUNNEL_FLAG_NAMES)
    mask = SLOTS["tun_flags"].get(out.mask) & public
    if mask:
        value = SLOTS["tun_flags"].get(out.value) & public
        out.put(
            "tun_flags",
            flags.format_masked(flags.TUNNEL_FLAG_NAMES, value, mask, public),
        )


def _tun_metadata(out: _Printer, match: Match, index: int) -> None:
    if match.tun is None:
        return
    entry = match.tun.entries.get(index)
    size = entry.size if entry is not None else 0
    full = (1 << 8 * size) - 1
    mask = entry.read(match.mask) if entry is not None else 0
    is_masked = not size or mask != full
    if entry is not None and match.tun.is_local:
        is_masked = entry.masked
    text = f"tun_metadata{index}"
    if not present(match.value) >> index & 1:
        text += "=NP"  # matches on the field's absence
    elif entry is not None and (mask or not is_masked):
        text += f"={put_hex(entry.read(match.value))}"
        if mask != full:
            text += f"/{put_hex(mask)}"
    out.parts.append(text)


def _vlans(out: _Printer) -> None:
    for i, slot in enumerate(_TCIS):
        mask = out.mask >> slot.shift & slot.ones
        if not mask:
            return
        value = out.value >> slot.shift & slot.ones
        number = str(i) if i else ""
        vid, pcp = mask & VLAN_VID_MASK, mask & VLAN_PCP_MASK
        if (
            mask & value & VLAN_CFI
            and vid in (0, VLAN_VID_MASK)
            and pcp in (0, VLAN_PCP_MASK)
            and (vid or pcp)
        ):
            if vid:
                out.put(f"dl_vlan{number}", str(value & VLAN_VID_MASK))
            if pcp:
                out.put(f"dl_vlan_pcp{number}", str(value >> 13))
        elif mask == 0xFFFF:
            out.put(f"vlan_tci{number}", f"0x{value:04x}")
        else:
            out.put(f"vlan_tci{number}", f"0x{value:04x}/0x{mask:04x}")


def _ipv6_label(value: int, mask: int) -> str:
    text = f"0x{value:05x}"
    return text if mask == 0xFFFFFFFF else f"{text}/0x{mask:05x}"


def _network(out: _Printer, eth_type: int, skip_proto: bool) -> None:
    is_arp = eth_type in _ARPS
    if eth_type == prereqs.ETH_TYPE_IPV6:
        out.field("ipv6_src", SLOTS["ipv6_src"], values.format_ipv6)
        out.field("ipv6_dst", SLOTS["ipv6_dst"], values.format_ipv6)
        out.field("ipv6_label", SLOTS["ipv6_label"], _ipv6_label)
    elif eth_type == prereqs.ETH_TYPE_NSH:
        _nsh(out)
    else:
        source, target = ("arp_spa", "arp_tpa") if is_arp else ("nw_src", "nw_dst")
        out.field(source, SLOTS["nw_src"], values.format_ipv4)
        out.field(target, SLOTS["nw_dst"], values.format_ipv4)
    if out.mask & _NW_PROTO.mask and not skip_proto:
        out.put("arp_op" if is_arp else "nw_proto", str(_NW_PROTO.get(out.value)))
    if is_arp:
        out.field("arp_sha", SLOTS["arp_sha"], values.format_eth)
        out.field("arp_tha", SLOTS["arp_tha"], values.format_eth)
    tos = _NW_TOS.get(out.mask)
    if tos & 0xFC:
        out.put("nw_tos", str(_NW_TOS.get(out.value) & 0xFC))
    if tos & 3:
        out.put("nw_ecn", str(_NW_TOS.get(out.value) & 3))
    if out.mask & SLOTS["nw_ttl"].mask:
        out.put("nw_ttl", str(SLOTS["nw_ttl"].get(out.value)))


def _nsh(out: _Printer) -> None:
    out.field("nsh_flags", SLOTS["nsh_flags"], _u8)
    out.field("nsh_ttl", SLOTS["nsh_ttl"], _u8)
    out.field("nsh_mdtype", SLOTS["nsh_mdtype"], _u8)
    out.field("nsh_np", SLOTS["nsh_np"], _u8)
    value = SLOTS["nsh_path_hdr"].get(out.value)
    mask = SLOTS["nsh_path_hdr"].get(out.mask)
    if mask >> 8:
        spi_mask = 0xFFFFFFFF if mask >> 8 == 0xFFFFFF else mask >> 8
        out.put("nsh_spi", _be32_hex(value >> 8, spi_mask))
    if mask & 0xFF:
        out.put("nsh_si", _u8(value & 0xFF, mask & 0xFF))
    mdtype = SLOTS["nsh_mdtype"]
    if mdtype.get(out.mask) == 0xFF and mdtype.get(out.value) == 1:
        for i in range(1, 5):
            out.field(f"nsh_c{i}", SLOTS[f"nsh_c{i}"], _be32_hex)


def _mpls(out: _Printer) -> None:
    slot = SLOTS["mpls_lse0"]
    value, mask = slot.get(out.value), slot.get(out.mask)
    for name, shift, ones in (
        ("mpls_label", 12, 0xFFFFF),
        ("mpls_tc", 9, 7),
        ("mpls_ttl", 0, 0xFF),
        ("mpls_bos", 8, 1),
    ):
        if mask >> shift & ones:
            out.put(name, str(value >> shift & ones))
    for i in range(1, N_MPLS):
        out.field(f"mpls_lse{i}", SLOTS[f"mpls_lse{i}"], _be32)


_FRAGMENTS = {
    3: ("no", "first", "<error>", "later"),
    1: ("no", "yes"),
    2: ("not_later", "", "later"),
}


def _fragment(out: _Printer) -> None:
    slot = SLOTS["nw_frag"]
    mask = slot.get(out.mask) & 3
    if mask:
        out.put("nw_frag", _FRAGMENTS[mask][slot.get(out.value) & mask])


def _tcp_flags(value: int, mask: int) -> str:
    full = flags.TCP_FLAGS_MASK
    return flags.format_masked(flags.TCP_FLAG_NAMES, value, mask & full, full)


def _transport(out: _Printer, eth_type: int) -> None:
    protocol = _NW_PROTO.get(out.value)
    source, target = "tp_src", "tp_dst"
    is_icmpv6 = eth_type == prereqs.ETH_TYPE_IPV6 and protocol == prereqs.IPPROTO_ICMPV6
    is_icmp = eth_type == prereqs.ETH_TYPE_IP and protocol == prereqs.IPPROTO_ICMP
    if is_icmp or is_icmpv6:
        source, target = "icmp_type", "icmp_code"
    out.field(source, SLOTS["tp_src"], _be16)
    out.field(target, SLOTS["tp_dst"], _be16)
    if is_icmpv6:
        out.field("nd_target", SLOTS["nd_target"], values.format_ipv6)
        out.field("nd_sll", SLOTS["arp_sha"], values.format_eth)
        out.field("nd_tll", SLOTS["arp_tha"], values.format_eth)
        out.field("nd_reserved", SLOTS["igmp_group_ip4"], _be32)
        out.field("nd_options_type", SLOTS["tcp_flags"], _be16)
    if protocol == prereqs.IPPROTO_TCP and prereqs.dl_type(out.value) in _PROTOCOLS:
        out.field("tcp_flags", SLOTS["tcp_flags"], _tcp_flags)


# Fields of a packet's context whose zeros `format_flow` leaves out.
_QUIET = tuple(
    SLOTS[name].mask
    for name in (
        "in_port",
        "skb_priority",
        "pkt_mark",
        "recirc_id",
        "dp_hash",
        "ct_state",
        "ct_zone",
        "ct_mark",
        "ct_label",
        "metadata",
        *(f"reg{i}" for i in range(N_REGS)),
    )
)
_CT_FIELD = FIELDS["ct_nw_proto"]
_CT_IPV4 = SLOTS["ct_nw_src"].mask | SLOTS["ct_nw_dst"].mask
_CT_IPV6 = SLOTS["ct_ipv6_src"].mask | SLOTS["ct_ipv6_dst"].mask
_CT_TRANSPORT = (
    SLOTS["ct_nw_proto"].mask | SLOTS["ct_tp_src"].mask | SLOTS["ct_tp_dst"].mask
)


def format_flow(
    flow: int, ports: names.NameMap | None = None, colors: Palette = PLAIN
) -> str:
    """Return a packet's flow as text, as traces and packet-ins show it."""
    mask = wildcards.for_packet(flow) | REGS_MASK | SLOTS["metadata"].mask
    for bits in _QUIET:
        if not flow & bits:
            mask &= ~bits
    state = SLOTS["ct_state"]
    # The reference asks as for a match here, so "related" alone counts as well.
    is_valid = prereqs.holds_for_parts(_CT_FIELD, flow, state.mask & mask)
    if not is_valid or not SLOTS["ct_nw_proto"].get(flow):
        mask &= ~_CT_TRANSPORT
        eth_type = _DL_TYPE.get(flow)
        if eth_type == prereqs.ETH_TYPE_IP:
            mask &= ~_CT_IPV4
        elif eth_type == prereqs.ETH_TYPE_IPV6:
            mask &= ~_CT_IPV6
    return format_match(Match(flow, mask), ports, colors=colors)
