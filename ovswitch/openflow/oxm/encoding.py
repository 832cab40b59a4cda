# SPDX-License-Identifier: Apache-2.0
"""From a match to entries.

Which entries a match has depends on its mask, on the protocol and on what kind of
packet it is about; their list, a plan, is made once for each and kept. Then a match is
a few shifts.
"""

from __future__ import annotations

import struct

from ovswitch.flow import access, names, prereqs
from ovswitch.flow.fields import ALL, FIELDS, NONE, Field
from ovswitch.flow.layout import SLOTS, VLAN_CFI, VLAN_VID_MASK
from ovswitch.flow.match import Match
from ovswitch.flow.tun_metadata import members, present
from ovswitch.openflow.oxm.entry import NXM, header

_MATCH_TYPE_OXM = 1
_COOKIE = 0x00013C08
_COOKIE_MASKED = 0x00013D10
_U64 = 0xFFFFFFFFFFFFFFFF
_MAX_PLANS = 1024

_U32 = struct.Struct("!I")
_MATCH_HEADER = struct.Struct("!HH")

_PACKET_TYPE = SLOTS["packet_type"].mask

_ANY_MASK, _EXACT = False, True

# The entries that don't depend on the packet's protocol, in order, in two runs.
_FIRST = ("dp_hash", "recirc_id", "conj_id", "in_port", "actset_output")
_ETHERNET = ("eth_src", "eth_dst", "eth_type")
_TUNNEL = (
    "tun_id",
    "tun_flags",
    "tun_src",
    "tun_dst",
    "tun_ipv6_src",
    "tun_ipv6_dst",
    "tun_gbp_id",
    "tun_gbp_flags",
    "tun_metadata",
    "tun_erspan_idx",
    "tun_erspan_ver",
    "tun_erspan_dir",
    "tun_erspan_hwid",
    "tun_gtpu_flags",
    "tun_gtpu_msgtype",
    "nsh_flags",
    "nsh_ttl",
    "nsh_mdtype",
    "nsh_np",
    "nsh_spi",
    "nsh_si",
    "nsh_c1",
    "nsh_c2",
    "nsh_c3",
    "nsh_c4",
)
_REGS = tuple(f"reg{i}" for i in range(16))
_XREGS = tuple(f"xreg{i}" for i in range(8))
_CT = (
    "pkt_mark",
    "ct_state",
    "ct_zone",
    "ct_mark",
    "ct_label",
    "ct_nw_src",
    "ct_ipv6_src",
    "ct_nw_dst",
    "ct_ipv6_dst",
)
_CT_TRANSPORT = ("ct_nw_proto", "ct_tp_src", "ct_tp_dst")
_MPLS = ("mpls_tc", "mpls_bos", "mpls_ttl", "mpls_label")
_ARP = ("arp_op", "arp_spa", "arp_tpa", "arp_sha", "arp_tha")
_TRANSPORT = {
    prereqs.IPPROTO_TCP: ("tcp_src", "tcp_dst", "tcp_flags"),
    prereqs.IPPROTO_UDP: ("udp_src", "udp_dst"),
    prereqs.IPPROTO_SCTP: ("sctp_src", "sctp_dst"),
}

#: Fields that are matched exactly or not at all, whatever bits of their mask are set.
_EXACT_FIELDS = frozenset(
    (
        *_MPLS,
        "recirc_id",
        "conj_id",
        "in_port",
        "in_port_oxm",
        "actset_output",
        "vlan_pcp",
        "nw_tos",
        "ip_dscp",
        "nw_ecn",
        "nw_ttl",
        "nw_proto",
        "arp_op",
        "icmp_type",
        "icmp_code",
        "icmpv6_type",
        "icmpv6_code",
        "nd_reserved",
        "nd_options_type",
    )
)
#: Fields narrower than their octets that are still exact when all their bits are.
_NARROW_EXACT = frozenset({"vlan_vid", "ip_frag", "nsh_spi"})

#: Fields narrower than their slot, which they have to themselves, with all its bits.
_OWNERS = frozenset(
    field.name
    for field in ALL
    if field.slot.width == 8 * field.n_bytes != field.width
    and field.name not in _EXACT_FIELDS | {"vlan_vid"}
)

# Octets in front, place and width of the value in the flow, its size, octets behind,
# whether it is a port.
_Item = tuple[bytes, int, int, int, bytes, bool]
_plans: dict[tuple[int, int, int, int, int], list[_Item | None]] = {}

_DL_TYPE = SLOTS["dl_type"]
_TCI = SLOTS["vlan_tci0"]
_NW_PROTO = SLOTS["nw_proto"]
_TP_SRC = SLOTS["tp_src"]
_TP_DST = SLOTS["tp_dst"]
_CT_NW_PROTO = SLOTS["ct_nw_proto"]
_TP = _TP_SRC.mask | _TP_DST.mask


class _Planner:
    """Collects the items for one mask, protocol and kind of packet."""

    __slots__ = ("has_data", "items", "mask", "value", "version")

    def __init__(self, value: int, mask: int, version: int) -> None:
        self.value = value
        self.mask = mask
        self.version = version
        self.items: list[_Item | None] = []
        self.has_data = False

    def put(self, *wanted: str) -> None:
        """Add an item for each of these fields that is matched."""
        for name in wanted:
            if name == "tun_metadata":
                if present(self.mask):
                    self.items.append(None)
                continue
            item = self._item(FIELDS[name])
            if item is not None:
                self.items.append(item)

    def _item(self, field: Field) -> _Item | None:
        ones, shift = field.ones, field.shift
        if field.name == "nw_tos":
            ones = 0xFC
        bits = self.mask >> shift & ones
        if not bits:
            return None
        oxm = field.oxm_for(self.version)
        if oxm is None:
            return None
        size = field.n_bytes
        exact = field.name in _EXACT_FIELDS or (
            bits == ones and (field.width == 8 * size or field.name in _NARROW_EXACT)
        )
        if not exact and field.name in _OWNERS:
            bits = self.mask >> field.slot.shift & field.slot.ones
            exact = bits == field.slot.ones
        if field.prereq is not NONE:
            self.has_data = True
        suffix = b"" if exact else bits.to_bytes(size, "big")
        is_port = field.name in ("in_port_oxm", "actset_output")
        return header(oxm, size, not exact), shift, ones, size, suffix, is_port

    def plan(self) -> list[_Item | None]:
        """Return all items in order."""
        packet_type = self.mask & _PACKET_TYPE
        is_default = packet_type == _PACKET_TYPE and not self.value & _PACKET_TYPE
        if packet_type and not is_default:
            self.put("packet_type")
        oxm = bool(self.version)
        self.put("dp_hash", "recirc_id", "conj_id")
        self.put("in_port_oxm" if oxm else "in_port", "actset_output", *_ETHERNET)
        self._put_vlan(oxm)
        self._put_network(oxm)
        self.put(*_TUNNEL)
        self.put(*(_XREGS if self.version >= 6 else _REGS))
        self.put(*_CT)
        if self.value & _CT_NW_PROTO.mask:
            self.put(*_CT_TRANSPORT)
        self.put("metadata")
        if is_default and not self.has_data:
            item = self._item(FIELDS["packet_type"])
            self.items.insert(0, item)
        return self.items

    def _put_vlan(self, oxm: bool) -> None:
        if not oxm:
            self.put("vlan_tci")
            return
        self.put("vlan_vid")
        if _TCI.get(self.value) & (VLAN_CFI | VLAN_VID_MASK):
            self.put("vlan_pcp")

    def _put_network(self, oxm: bool) -> None:
        eth_type = prereqs.dl_type(self.value)
        if eth_type in (prereqs.ETH_TYPE_MPLS, prereqs.ETH_TYPE_MPLS_MCAST):
            self.put(*_MPLS)
        elif eth_type in (prereqs.ETH_TYPE_IP, prereqs.ETH_TYPE_IPV6):
            self._put_ip(eth_type, oxm)
        elif eth_type in (prereqs.ETH_TYPE_ARP, prereqs.ETH_TYPE_RARP):
            self.put(*_ARP)

    def _put_ip(self, eth_type: int, oxm: bool) -> None:
        is_ipv4 = eth_type == prereqs.ETH_TYPE_IP
        if is_ipv4:
            self.put("ip_src", "ip_dst")
        else:
            self.put("ipv6_src", "ipv6_dst")
        self.put("ip_frag", "ip_dscp" if oxm else "nw_tos", "nw_ecn", "nw_ttl")
        self.put("ipv6_label", "nw_proto")
        if not self.mask & _NW_PROTO.mask:
            return
        protocol = _NW_PROTO.get(self.value)
        if is_ipv4 and protocol == prereqs.IPPROTO_ICMP:
            self.put("icmp_type", "icmp_code")
        elif not is_ipv4 and protocol == prereqs.IPPROTO_ICMPV6:
            self._put_icmpv6()
        else:
            self.put(*_TRANSPORT.get(protocol, ()))

    def _put_icmpv6(self) -> None:
        self.put("icmpv6_type", "icmpv6_code")
        kind = _TP_SRC.get(self.value)
        solicit = kind == prereqs.ND_NEIGHBOR_SOLICIT
        advert = kind == prereqs.ND_NEIGHBOR_ADVERT
        if (solicit or advert) and not self.value & _TP_DST.mask:
            self.put("nd_reserved", "nd_target", "nd_options_type")
            self.put("nd_sll" if solicit else "nd_tll")


def _plan_for(value: int, mask: int, version: int) -> list[_Item | None]:
    protocol = _NW_PROTO.get(value)
    kind = (
        (value & _PACKET_TYPE)
        | (value & _DL_TYPE.mask)
        | (value & _NW_PROTO.mask)
        | (value & _TP if protocol == prereqs.IPPROTO_ICMPV6 else 0)
    )
    tagged = bool(_TCI.get(value) & (VLAN_CFI | VLAN_VID_MASK))
    key = (version, mask, kind, tagged, bool(value & _CT_NW_PROTO.mask))
    plan = _plans.get(key)
    if plan is None:
        if len(_plans) >= _MAX_PLANS:
            _plans.clear()
        plan = _plans[key] = _Planner(value, mask, version).plan()
    return plan


def encode(match: Match, version: int, cookie: int = 0, cookie_mask: int = 0) -> bytes:
    """Return the entries that say `match`, unpadded.

    Args:
        match: what to say.
        version: the wire version, or `NXM`.
        cookie: to say as Nicira's pseudo-field.
        cookie_mask: if 0, no cookie is said.
    """
    value = match.value
    parts = []
    for item in _plan_for(value, match.mask, version):
        if item is None:
            parts.append(_tun_metadata(match, version))
            continue
        prefix, shift, ones, size, suffix, is_port = item
        number = value >> shift & ones
        if is_port:
            number = names.port_to_ofp11(number)
        parts.append(prefix + number.to_bytes(size, "big") + suffix)
    if cookie_mask:
        cookie &= cookie_mask
        if cookie_mask == _U64:
            parts.append(_U32.pack(_COOKIE) + cookie.to_bytes(8, "big"))
        else:
            parts.append(
                _U32.pack(_COOKIE_MASKED)
                + cookie.to_bytes(8, "big")
                + cookie_mask.to_bytes(8, "big")
            )
    return b"".join(parts)


def _tun_metadata(match: Match, version: int) -> bytes:
    """Return the entries of the tunnel metadata that a match names."""
    tun = match.tun
    if tun is None:
        return b""
    parts = []
    for index in members(present(match.mask)):
        entry = tun.entries.get(index)
        if entry is None:
            continue
        mask = entry.read(match.mask)
        full = (1 << 8 * entry.size) - 1
        masked = entry.masked if tun.is_local else not entry.size or mask != full
        field = ALL[access.TUN_METADATA0 + index]
        oxm = field.oxms[0]
        value = entry.read(match.value).to_bytes(entry.size, "big")
        parts.append(header(oxm, entry.size, masked) + value)
        if masked:
            parts.append(mask.to_bytes(entry.size, "big"))
    return b"".join(parts)


def put_nxm(match: Match, cookie: int = 0, cookie_mask: int = 0) -> tuple[bytes, int]:
    """Return a match as NXM, padded, and its size without the padding."""
    octets = encode(match, NXM, cookie, cookie_mask)
    return octets + bytes(-len(octets) % 8), len(octets)


def put_oxm(match: Match, version: int) -> bytes:
    """Return a match as a `struct ofp_match`, padded."""
    octets = encode(match, version)
    size = len(octets) + 4
    return _MATCH_HEADER.pack(_MATCH_TYPE_OXM, size) + octets + bytes(-size % 8)


def put_entry(field: Field, version: int, value: int, mask: int | None = None) -> bytes:
    """Return one entry, as `set_field` and its kin carry it.

    Args:
        field: one that has a wire form.
        version: the wire version, or `NXM`.
        value: as on the wire.
        mask: as on the wire; None or all ones: no mask is written.
    """
    oxm = field.oxm_for(version)
    if oxm is None:
        raise ValueError(f"{field.name} has no wire form")
    size = field.n_bytes
    full = (1 << 8 * size) - 1
    masked = mask is not None and mask != full
    if access.tun_metadata_index(field) is not None:
        used = value | (mask or 0) if masked else value
        size = (used.bit_length() + 7) // 8
    octets = header(oxm, size, masked) + value.to_bytes(size, "big")
    if masked and mask is not None:
        octets += mask.to_bytes(size, "big")
    return octets
