# SPDX-License-Identifier: Apache-2.0
"""OpenFlow's match fields, as one table.

A `Field` is a window on the flow structure (a slot, a shift, a width) with the names,
numbers and rules by which OpenFlow knows it. Parser, printer, OXM codec, `set_field`,
`move`, table features and the prerequisites of a match all walk this table. Several
fields may look at the same bits (`nw_src`, `arp_spa`), and a few have rules that a
window can't express (`dl_vlan`, `vlan_vid`, `in_port`): those are in `match.py`.

Sources: ovs-fields(7); OpenFlow 1.5.1 §7.2.3.7; the reference's meta-flow.h for the
numbers. The order is that of the reference's field numbers: tables that list fields
come out in it.
"""

from __future__ import annotations

from ovswitch.flow.layout import SLOTS

# How a field's value is written as text.
DEC, HEX, ETHERNET, IPV4, IPV6 = "dec", "hex", "Ethernet", "IPv4", "IPv6"
OFP_PORT, OFP_PORT_OXM = "OpenFlow 1.0 port", "OpenFlow 1.1+ port"
FRAG, TNL_FLAGS, TCP_FLAGS = "frag", "tunnel flags", "TCP flags"
CT_STATE, PACKET_TYPE = "ct state", "packet type"

# What a match must hold before a field means anything.
NONE, ETHERNET_PACKET, VLAN_VID, MPLS, ARP = (
    "none",
    "Ethernet",
    "VLAN VID",
    "MPLS",
    "ARP",
)
IPV4_PACKET, IPV6_PACKET, IP_ANY, NSH = "IPv4", "IPv6", "IPv4/IPv6", "NSH"
TCP, UDP, SCTP, ICMPV4, ICMPV6 = "TCP", "UDP", "SCTP", "ICMPv4", "ICMPv6"
CT_VALID, ND, ND_SOLICIT, ND_ADVERT = "CT", "ND", "ND solicit", "ND advert"

# What the fixed-format matches of OpenFlow 1.0 and 1.1 can say of a field.
NO, EXACT, CIDR, BITWISE = "no", "exact", "CIDR", "bitwise"

# OXM classes by the start of the field's wire name: (class, experimenter).
_CLASSES: dict[str, tuple[int, int]] = {
    "NXM_OF_": (0x0000, 0),
    "NXM_NX_": (0x0001, 0),
    "ERICOXM_OF_": (0x1000, 0),
    "OXM_OF_PKT_REG": (0x8001, 0),
    "OXM_OF_": (0x8000, 0),
    "ONFOXM_ET_": (0xFFFF, 0x4F4E4600),
    "NXOXM_ET_": (0xFFFF, 0x00002320),
    "NXOXM_NSH_": (0xFFFF, 0x005AD650),
}

N_TUN_METADATA = 64

_OxmRow = tuple[str, int, int]  # wire name, number, first wire version
_Row = tuple[
    str,
    str,
    int,
    int,
    str,
    int,
    int,
    bool,
    bool,
    str,
    str,
    str,
    str,
    tuple[_OxmRow, ...],
]

_TUN_METADATA_ROWS: tuple[_Row, ...] = tuple(
    (
        f"tun_metadata{i}",
        "",
        124,
        992,
        "tun_metadata",
        0,
        0,
        True,
        True,
        HEX,
        NONE,
        NO,
        NO,
        ((f"NXM_NX_TUN_METADATA{i}", 40 + i, 1),),
    )
    for i in range(N_TUN_METADATA)
)

# fmt: off
# ruff: noqa: E501
# name, alias, octets and bits on the wire, slot, shift and width in the slot, maskable,
# writable, text, prerequisite, in OpenFlow 1.0 and 1.1 matches, OXM numbers (the first
# is the one printed; wire versions 1 to 6 are OpenFlow 1.0 to 1.5).
_ROWS: tuple[_Row, ...] = (
    ("dp_hash", "", 4, 32, "dp_hash", 0, 32, True, False, HEX, NONE, NO, NO, (("NXM_NX_DP_HASH", 35, 1), ("NXOXM_ET_DP_HASH", 0, 1))),
    ("recirc_id", "", 4, 32, "recirc_id", 0, 32, False, False, DEC, NONE, NO, NO, (("NXM_NX_RECIRC_ID", 36, 1),)),
    ("packet_type", "", 4, 32, "packet_type", 0, 32, False, False, PACKET_TYPE, NONE, NO, NO, (("OXM_OF_PACKET_TYPE", 44, 6),)),
    ("conj_id", "", 4, 32, "conj_id", 0, 32, False, False, DEC, NONE, NO, NO, (("NXM_NX_CONJ_ID", 37, 1),)),
    ("tun_id", "tunnel_id", 8, 64, "tun_id", 0, 64, True, True, HEX, NONE, NO, NO, (("NXM_NX_TUN_ID", 16, 1), ("OXM_OF_TUNNEL_ID", 38, 4))),
    ("tun_src", "", 4, 32, "tun_src", 0, 32, True, True, IPV4, NONE, NO, NO, (("NXM_NX_TUN_IPV4_SRC", 31, 1),)),
    ("tun_dst", "", 4, 32, "tun_dst", 0, 32, True, True, IPV4, NONE, NO, NO, (("NXM_NX_TUN_IPV4_DST", 32, 1),)),
    ("tun_ipv6_src", "", 16, 128, "tun_ipv6_src", 0, 128, True, True, IPV6, NONE, NO, NO, (("NXM_NX_TUN_IPV6_SRC", 109, 1),)),
    ("tun_ipv6_dst", "", 16, 128, "tun_ipv6_dst", 0, 128, True, True, IPV6, NONE, NO, NO, (("NXM_NX_TUN_IPV6_DST", 110, 1),)),
    ("tun_flags", "", 2, 1, "tun_flags", 0, 1, True, True, TNL_FLAGS, NONE, NO, NO, (("NXM_NX_TUN_FLAGS", 104, 1),)),
    ("tun_ttl", "", 1, 8, "tun_ttl", 0, 8, False, False, DEC, NONE, NO, NO, ()),
    ("tun_tos", "", 1, 8, "tun_tos", 0, 8, False, False, DEC, NONE, NO, NO, ()),
    ("tun_gbp_id", "", 2, 16, "tun_gbp_id", 0, 16, True, True, DEC, NONE, NO, NO, (("NXM_NX_TUN_GBP_ID", 38, 1),)),
    ("tun_gbp_flags", "", 1, 8, "tun_gbp_flags", 0, 8, True, True, HEX, NONE, NO, NO, (("NXM_NX_TUN_GBP_FLAGS", 39, 1),)),
    ("tun_erspan_idx", "", 4, 20, "tun_erspan_idx", 0, 20, True, True, HEX, NONE, NO, NO, (("NXOXM_ET_ERSPAN_IDX", 11, 1),)),
    ("tun_erspan_ver", "", 1, 4, "tun_erspan_ver", 0, 4, True, True, DEC, NONE, NO, NO, (("NXOXM_ET_ERSPAN_VER", 12, 1),)),
    ("tun_erspan_dir", "", 1, 1, "tun_erspan_dir", 0, 1, True, True, DEC, NONE, NO, NO, (("NXOXM_ET_ERSPAN_DIR", 13, 1),)),
    ("tun_erspan_hwid", "", 1, 6, "tun_erspan_hwid", 0, 6, True, True, HEX, NONE, NO, NO, (("NXOXM_ET_ERSPAN_HWID", 14, 1),)),
    ("tun_gtpu_flags", "", 1, 8, "tun_gtpu_flags", 0, 8, True, False, HEX, NONE, NO, NO, (("NXOXM_ET_GTPU_FLAGS", 15, 1),)),
    ("tun_gtpu_msgtype", "", 1, 8, "tun_gtpu_msgtype", 0, 8, True, False, DEC, NONE, NO, NO, (("NXOXM_ET_GTPU_MSGTYPE", 16, 1),)),
    *_TUN_METADATA_ROWS,
    ("metadata", "", 8, 64, "metadata", 0, 64, True, True, HEX, NONE, NO, BITWISE, (("OXM_OF_METADATA", 2, 3),)),
    ("in_port", "", 2, 16, "in_port", 0, 16, False, True, OFP_PORT, NONE, EXACT, EXACT, (("NXM_OF_IN_PORT", 0, 1),)),
    ("in_port_oxm", "", 4, 32, "in_port", 0, 32, False, True, OFP_PORT_OXM, NONE, NO, EXACT, (("OXM_OF_IN_PORT", 0, 3),)),
    ("actset_output", "", 4, 32, "actset_output", 0, 32, False, False, OFP_PORT_OXM, NONE, NO, NO, (("ONFOXM_ET_ACTSET_OUTPUT", 43, 4), ("OXM_OF_ACTSET_OUTPUT", 43, 6))),
    ("skb_priority", "", 4, 32, "skb_priority", 0, 32, False, False, HEX, NONE, NO, NO, ()),
    ("pkt_mark", "", 4, 32, "pkt_mark", 0, 32, True, True, HEX, NONE, NO, NO, (("NXM_NX_PKT_MARK", 33, 1),)),
    ("ct_state", "", 4, 32, "ct_state", 0, 8, True, False, CT_STATE, NONE, NO, NO, (("NXM_NX_CT_STATE", 105, 1),)),
    ("ct_zone", "", 2, 16, "ct_zone", 0, 16, False, False, HEX, NONE, NO, NO, (("NXM_NX_CT_ZONE", 106, 1),)),
    ("ct_mark", "", 4, 32, "ct_mark", 0, 32, True, True, HEX, NONE, NO, NO, (("NXM_NX_CT_MARK", 107, 1),)),
    ("ct_label", "", 16, 128, "ct_label", 0, 128, True, True, HEX, NONE, NO, NO, (("NXM_NX_CT_LABEL", 108, 1),)),
    ("ct_nw_proto", "", 1, 8, "ct_nw_proto", 0, 8, False, False, DEC, CT_VALID, NO, NO, (("NXM_NX_CT_NW_PROTO", 119, 1),)),
    ("ct_nw_src", "", 4, 32, "ct_nw_src", 0, 32, True, False, IPV4, CT_VALID, NO, NO, (("NXM_NX_CT_NW_SRC", 120, 1),)),
    ("ct_nw_dst", "", 4, 32, "ct_nw_dst", 0, 32, True, False, IPV4, CT_VALID, NO, NO, (("NXM_NX_CT_NW_DST", 121, 1),)),
    ("ct_ipv6_src", "", 16, 128, "ct_ipv6_src", 0, 128, True, False, IPV6, CT_VALID, NO, NO, (("NXM_NX_CT_IPV6_SRC", 122, 1),)),
    ("ct_ipv6_dst", "", 16, 128, "ct_ipv6_dst", 0, 128, True, False, IPV6, CT_VALID, NO, NO, (("NXM_NX_CT_IPV6_DST", 123, 1),)),
    ("ct_tp_src", "", 2, 16, "ct_tp_src", 0, 16, True, False, DEC, CT_VALID, NO, NO, (("NXM_NX_CT_TP_SRC", 124, 1),)),
    ("ct_tp_dst", "", 2, 16, "ct_tp_dst", 0, 16, True, False, DEC, CT_VALID, NO, NO, (("NXM_NX_CT_TP_DST", 125, 1),)),
    ("reg0", "", 4, 32, "reg0", 0, 32, True, True, HEX, NONE, NO, NO, (("NXM_NX_REG0", 0, 1),)),
    ("reg1", "", 4, 32, "reg1", 0, 32, True, True, HEX, NONE, NO, NO, (("NXM_NX_REG1", 1, 1),)),
    ("reg2", "", 4, 32, "reg2", 0, 32, True, True, HEX, NONE, NO, NO, (("NXM_NX_REG2", 2, 1),)),
    ("reg3", "", 4, 32, "reg3", 0, 32, True, True, HEX, NONE, NO, NO, (("NXM_NX_REG3", 3, 1),)),
    ("reg4", "", 4, 32, "reg4", 0, 32, True, True, HEX, NONE, NO, NO, (("NXM_NX_REG4", 4, 1),)),
    ("reg5", "", 4, 32, "reg5", 0, 32, True, True, HEX, NONE, NO, NO, (("NXM_NX_REG5", 5, 1),)),
    ("reg6", "", 4, 32, "reg6", 0, 32, True, True, HEX, NONE, NO, NO, (("NXM_NX_REG6", 6, 1),)),
    ("reg7", "", 4, 32, "reg7", 0, 32, True, True, HEX, NONE, NO, NO, (("NXM_NX_REG7", 7, 1),)),
    ("reg8", "", 4, 32, "reg8", 0, 32, True, True, HEX, NONE, NO, NO, (("NXM_NX_REG8", 8, 1),)),
    ("reg9", "", 4, 32, "reg9", 0, 32, True, True, HEX, NONE, NO, NO, (("NXM_NX_REG9", 9, 1),)),
    ("reg10", "", 4, 32, "reg10", 0, 32, True, True, HEX, NONE, NO, NO, (("NXM_NX_REG10", 10, 1),)),
    ("reg11", "", 4, 32, "reg11", 0, 32, True, True, HEX, NONE, NO, NO, (("NXM_NX_REG11", 11, 1),)),
    ("reg12", "", 4, 32, "reg12", 0, 32, True, True, HEX, NONE, NO, NO, (("NXM_NX_REG12", 12, 1),)),
    ("reg13", "", 4, 32, "reg13", 0, 32, True, True, HEX, NONE, NO, NO, (("NXM_NX_REG13", 13, 1),)),
    ("reg14", "", 4, 32, "reg14", 0, 32, True, True, HEX, NONE, NO, NO, (("NXM_NX_REG14", 14, 1),)),
    ("reg15", "", 4, 32, "reg15", 0, 32, True, True, HEX, NONE, NO, NO, (("NXM_NX_REG15", 15, 1),)),
    ("xreg0", "", 8, 64, "reg1", 0, 64, True, True, HEX, NONE, NO, NO, (("OXM_OF_PKT_REG0", 0, 4),)),
    ("xreg1", "", 8, 64, "reg3", 0, 64, True, True, HEX, NONE, NO, NO, (("OXM_OF_PKT_REG1", 1, 4),)),
    ("xreg2", "", 8, 64, "reg5", 0, 64, True, True, HEX, NONE, NO, NO, (("OXM_OF_PKT_REG2", 2, 4),)),
    ("xreg3", "", 8, 64, "reg7", 0, 64, True, True, HEX, NONE, NO, NO, (("OXM_OF_PKT_REG3", 3, 4),)),
    ("xreg4", "", 8, 64, "reg9", 0, 64, True, True, HEX, NONE, NO, NO, (("OXM_OF_PKT_REG4", 4, 4),)),
    ("xreg5", "", 8, 64, "reg11", 0, 64, True, True, HEX, NONE, NO, NO, (("OXM_OF_PKT_REG5", 5, 4),)),
    ("xreg6", "", 8, 64, "reg13", 0, 64, True, True, HEX, NONE, NO, NO, (("OXM_OF_PKT_REG6", 6, 4),)),
    ("xreg7", "", 8, 64, "reg15", 0, 64, True, True, HEX, NONE, NO, NO, (("OXM_OF_PKT_REG7", 7, 4),)),
    ("xxreg0", "", 16, 128, "reg3", 0, 128, True, True, HEX, NONE, NO, NO, (("NXM_NX_XXREG0", 111, 1),)),
    ("xxreg1", "", 16, 128, "reg7", 0, 128, True, True, HEX, NONE, NO, NO, (("NXM_NX_XXREG1", 112, 1),)),
    ("xxreg2", "", 16, 128, "reg11", 0, 128, True, True, HEX, NONE, NO, NO, (("NXM_NX_XXREG2", 113, 1),)),
    ("xxreg3", "", 16, 128, "reg15", 0, 128, True, True, HEX, NONE, NO, NO, (("NXM_NX_XXREG3", 114, 1),)),
    ("eth_src", "dl_src", 6, 48, "dl_src", 0, 48, True, True, ETHERNET, ETHERNET_PACKET, EXACT, BITWISE, (("NXM_OF_ETH_SRC", 2, 1), ("OXM_OF_ETH_SRC", 4, 3))),
    ("eth_dst", "dl_dst", 6, 48, "dl_dst", 0, 48, True, True, ETHERNET, ETHERNET_PACKET, EXACT, BITWISE, (("NXM_OF_ETH_DST", 1, 1), ("OXM_OF_ETH_DST", 3, 3))),
    ("eth_type", "dl_type", 2, 16, "dl_type", 0, 16, False, False, HEX, ETHERNET_PACKET, EXACT, EXACT, (("NXM_OF_ETH_TYPE", 3, 1), ("OXM_OF_ETH_TYPE", 5, 3))),
    ("vlan_tci", "", 2, 16, "vlan_tci0", 0, 16, True, True, HEX, ETHERNET_PACKET, EXACT, EXACT, (("NXM_OF_VLAN_TCI", 4, 1),)),
    ("dl_vlan", "", 2, 12, "vlan_tci0", 0, 12, False, True, DEC, ETHERNET_PACKET, EXACT, EXACT, ()),
    ("vlan_vid", "", 2, 12, "vlan_tci0", 0, 13, True, True, DEC, ETHERNET_PACKET, EXACT, EXACT, (("OXM_OF_VLAN_VID", 6, 3),)),
    ("dl_vlan_pcp", "", 1, 3, "vlan_tci0", 13, 3, False, True, DEC, ETHERNET_PACKET, EXACT, EXACT, ()),
    ("vlan_pcp", "", 1, 3, "vlan_tci0", 13, 3, False, True, DEC, VLAN_VID, EXACT, EXACT, (("OXM_OF_VLAN_PCP", 7, 3),)),
    ("mpls_label", "", 4, 20, "mpls_lse0", 12, 20, False, True, DEC, MPLS, NO, EXACT, (("OXM_OF_MPLS_LABEL", 34, 3),)),
    ("mpls_tc", "", 1, 3, "mpls_lse0", 9, 3, False, True, DEC, MPLS, NO, EXACT, (("OXM_OF_MPLS_TC", 35, 3),)),
    ("mpls_bos", "", 1, 1, "mpls_lse0", 8, 1, False, False, DEC, MPLS, NO, NO, (("OXM_OF_MPLS_BOS", 36, 4),)),
    ("mpls_ttl", "", 1, 8, "mpls_lse0", 0, 8, False, True, DEC, MPLS, NO, NO, (("NXM_NX_MPLS_TTL", 30, 1),)),
    ("ip_src", "nw_src", 4, 32, "nw_src", 0, 32, True, True, IPV4, IPV4_PACKET, CIDR, BITWISE, (("NXM_OF_IP_SRC", 7, 1), ("OXM_OF_IPV4_SRC", 11, 3))),
    ("ip_dst", "nw_dst", 4, 32, "nw_dst", 0, 32, True, True, IPV4, IPV4_PACKET, CIDR, BITWISE, (("NXM_OF_IP_DST", 8, 1), ("OXM_OF_IPV4_DST", 12, 3))),
    ("ipv6_src", "", 16, 128, "ipv6_src", 0, 128, True, True, IPV6, IPV6_PACKET, NO, NO, (("NXM_NX_IPV6_SRC", 19, 1), ("OXM_OF_IPV6_SRC", 26, 3))),
    ("ipv6_dst", "", 16, 128, "ipv6_dst", 0, 128, True, True, IPV6, IPV6_PACKET, NO, NO, (("NXM_NX_IPV6_DST", 20, 1), ("OXM_OF_IPV6_DST", 27, 3))),
    ("ipv6_label", "", 4, 20, "ipv6_label", 0, 20, True, True, HEX, IPV6_PACKET, NO, NO, (("NXM_NX_IPV6_LABEL", 27, 1), ("OXM_OF_IPV6_FLABEL", 28, 3))),
    ("nw_proto", "ip_proto", 1, 8, "nw_proto", 0, 8, False, False, DEC, IP_ANY, EXACT, EXACT, (("NXM_OF_IP_PROTO", 6, 1), ("OXM_OF_IP_PROTO", 10, 3))),
    ("nw_tos", "", 1, 8, "nw_tos", 0, 8, False, True, DEC, IP_ANY, EXACT, EXACT, (("NXM_OF_IP_TOS", 5, 1),)),
    ("ip_dscp", "", 1, 6, "nw_tos", 2, 6, False, True, DEC, IP_ANY, EXACT, EXACT, (("OXM_OF_IP_DSCP", 8, 3),)),
    ("nw_ecn", "ip_ecn", 1, 2, "nw_tos", 0, 2, False, True, DEC, IP_ANY, NO, EXACT, (("NXM_NX_IP_ECN", 28, 1), ("OXM_OF_IP_ECN", 9, 3))),
    ("nw_ttl", "", 1, 8, "nw_ttl", 0, 8, False, True, DEC, IP_ANY, NO, NO, (("NXM_NX_IP_TTL", 29, 1),)),
    ("ip_frag", "nw_frag", 1, 2, "nw_frag", 0, 2, True, False, FRAG, IP_ANY, NO, NO, (("NXM_NX_IP_FRAG", 26, 1),)),
    ("arp_op", "", 2, 16, "nw_proto", 0, 8, False, True, DEC, ARP, EXACT, EXACT, (("NXM_OF_ARP_OP", 15, 1), ("OXM_OF_ARP_OP", 21, 3))),
    ("arp_spa", "", 4, 32, "nw_src", 0, 32, True, True, IPV4, ARP, CIDR, BITWISE, (("NXM_OF_ARP_SPA", 16, 1), ("OXM_OF_ARP_SPA", 22, 3))),
    ("arp_tpa", "", 4, 32, "nw_dst", 0, 32, True, True, IPV4, ARP, CIDR, BITWISE, (("NXM_OF_ARP_TPA", 17, 1), ("OXM_OF_ARP_TPA", 23, 3))),
    ("arp_sha", "", 6, 48, "arp_sha", 0, 48, True, True, ETHERNET, ARP, NO, NO, (("NXM_NX_ARP_SHA", 17, 1), ("OXM_OF_ARP_SHA", 24, 3))),
    ("arp_tha", "", 6, 48, "arp_tha", 0, 48, True, True, ETHERNET, ARP, NO, NO, (("NXM_NX_ARP_THA", 18, 1), ("OXM_OF_ARP_THA", 25, 3))),
    ("tcp_src", "tp_src", 2, 16, "tp_src", 0, 16, True, True, DEC, TCP, EXACT, EXACT, (("NXM_OF_TCP_SRC", 9, 1), ("OXM_OF_TCP_SRC", 13, 3))),
    ("tcp_dst", "tp_dst", 2, 16, "tp_dst", 0, 16, True, True, DEC, TCP, EXACT, EXACT, (("NXM_OF_TCP_DST", 10, 1), ("OXM_OF_TCP_DST", 14, 3))),
    ("tcp_flags", "", 2, 12, "tcp_flags", 0, 12, True, False, TCP_FLAGS, TCP, NO, NO, (("NXM_NX_TCP_FLAGS", 34, 1), ("ONFOXM_ET_TCP_FLAGS", 42, 4), ("OXM_OF_TCP_FLAGS", 42, 6))),
    ("udp_src", "", 2, 16, "tp_src", 0, 16, True, True, DEC, UDP, EXACT, EXACT, (("NXM_OF_UDP_SRC", 11, 1), ("OXM_OF_UDP_SRC", 15, 3))),
    ("udp_dst", "", 2, 16, "tp_dst", 0, 16, True, True, DEC, UDP, EXACT, EXACT, (("NXM_OF_UDP_DST", 12, 1), ("OXM_OF_UDP_DST", 16, 3))),
    ("sctp_src", "", 2, 16, "tp_src", 0, 16, True, True, DEC, SCTP, NO, EXACT, (("OXM_OF_SCTP_SRC", 17, 3),)),
    ("sctp_dst", "", 2, 16, "tp_dst", 0, 16, True, True, DEC, SCTP, NO, EXACT, (("OXM_OF_SCTP_DST", 18, 3),)),
    ("icmp_type", "", 1, 8, "tp_src", 0, 8, False, True, DEC, ICMPV4, EXACT, EXACT, (("NXM_OF_ICMP_TYPE", 13, 1), ("OXM_OF_ICMPV4_TYPE", 19, 3))),
    ("icmp_code", "", 1, 8, "tp_dst", 0, 8, False, True, DEC, ICMPV4, EXACT, EXACT, (("NXM_OF_ICMP_CODE", 14, 1), ("OXM_OF_ICMPV4_CODE", 20, 3))),
    ("icmpv6_type", "", 1, 8, "tp_src", 0, 8, False, True, DEC, ICMPV6, NO, NO, (("NXM_NX_ICMPV6_TYPE", 21, 1), ("OXM_OF_ICMPV6_TYPE", 29, 3))),
    ("icmpv6_code", "", 1, 8, "tp_dst", 0, 8, False, True, DEC, ICMPV6, NO, NO, (("NXM_NX_ICMPV6_CODE", 22, 1), ("OXM_OF_ICMPV6_CODE", 30, 3))),
    ("nd_target", "", 16, 128, "nd_target", 0, 128, True, True, IPV6, ND, NO, NO, (("NXM_NX_ND_TARGET", 23, 1), ("OXM_OF_IPV6_ND_TARGET", 31, 3))),
    ("nd_sll", "", 6, 48, "arp_sha", 0, 48, True, True, ETHERNET, ND_SOLICIT, NO, NO, (("NXM_NX_ND_SLL", 24, 1), ("OXM_OF_IPV6_ND_SLL", 32, 3))),
    ("nd_tll", "", 6, 48, "arp_tha", 0, 48, True, True, ETHERNET, ND_ADVERT, NO, NO, (("NXM_NX_ND_TLL", 25, 1), ("OXM_OF_IPV6_ND_TLL", 33, 3))),
    ("nd_reserved", "", 4, 32, "igmp_group_ip4", 0, 32, False, True, DEC, ND, NO, NO, (("ERICOXM_OF_ICMPV6_ND_RESERVED", 1, 1),)),
    ("nd_options_type", "", 1, 8, "tcp_flags", 0, 8, False, True, DEC, ND, NO, NO, (("ERICOXM_OF_ICMPV6_ND_OPTIONS_TYPE", 2, 1),)),
    ("nsh_flags", "", 1, 8, "nsh_flags", 0, 8, True, True, DEC, NSH, NO, NO, (("NXOXM_NSH_FLAGS", 1, 1),)),
    ("nsh_mdtype", "", 1, 8, "nsh_mdtype", 0, 8, False, False, DEC, NSH, NO, NO, (("NXOXM_NSH_MDTYPE", 2, 1),)),
    ("nsh_np", "", 1, 8, "nsh_np", 0, 8, False, False, DEC, NSH, NO, NO, (("NXOXM_NSH_NP", 3, 1),)),
    ("nsh_spi", "nsp", 4, 24, "nsh_path_hdr", 8, 24, False, True, HEX, NSH, NO, NO, (("NXOXM_NSH_SPI", 4, 1),)),
    ("nsh_si", "nsi", 1, 8, "nsh_path_hdr", 0, 8, False, True, DEC, NSH, NO, NO, (("NXOXM_NSH_SI", 5, 1),)),
    ("nsh_c1", "nshc1", 4, 32, "nsh_c1", 0, 32, True, True, HEX, NSH, NO, NO, (("NXOXM_NSH_C1", 6, 1),)),
    ("nsh_c2", "nshc2", 4, 32, "nsh_c2", 0, 32, True, True, HEX, NSH, NO, NO, (("NXOXM_NSH_C2", 7, 1),)),
    ("nsh_c3", "nshc3", 4, 32, "nsh_c3", 0, 32, True, True, HEX, NSH, NO, NO, (("NXOXM_NSH_C3", 8, 1),)),
    ("nsh_c4", "nshc4", 4, 32, "nsh_c4", 0, 32, True, True, HEX, NSH, NO, NO, (("NXOXM_NSH_C4", 9, 1),)),
    ("nsh_ttl", "", 1, 8, "nsh_ttl", 0, 8, False, True, DEC, NSH, NO, NO, (("NXOXM_NSH_TTL", 10, 1),)),
)
# fmt: on


class Oxm:
    """One wire form of a field.

    Attributes:
        name: as NXM and OXM name it, and as `move` and `learn` print it.
        oxm_class: the 16-bit class.
        experimenter: for class 0xffff, else 0.
        number: the 7-bit field number in the class.
        version: the first wire version (1 is OpenFlow 1.0) in which the form is preferred.
    """

    __slots__ = ("experimenter", "name", "number", "oxm_class", "version")

    def __init__(self, name: str, number: int, version: int) -> None:
        self.name = name
        self.number = number
        self.version = version
        for prefix, (oxm_class, experimenter) in _CLASSES.items():
            if name.startswith(prefix):
                self.oxm_class = oxm_class
                self.experimenter = experimenter
                break

    @property
    def key(self) -> tuple[int, int, int]:
        """(class, experimenter, number): what identifies a field on the wire."""
        return self.oxm_class, self.experimenter, self.number


class Field:
    """One match field.

    Attributes:
        name, alias: OpenFlow's name and the older one ("" if it has none).
        index: the place in the table, the reference's field number.
        n_bytes, n_bits: size on the wire and how many of its low bits are used.
        slot: the flow structure's member (the last one, for a field over several).
        shift, width: where the field stands in the flow; `ones` is its greatest value
            and `mask` that in place. `tun_metadataN` has width 0: where its octets
            stand is up to the bridge's TLV table.
        maskable: whether any bit may be masked, else exact or wildcarded.
        writable: whether actions may write it.
        text: how values are written.
        prereq: what must be matched before.
        of10, of11: what a fixed-format match can say.
        oxms: wire forms.
    """

    __slots__ = (
        "alias", "index", "mask", "maskable", "n_bits", "n_bytes", "name", "of10",
        "of11", "ones", "oxms", "prereq", "shift", "slot", "text", "width", "writable",
    )  # fmt: skip

    def __init__(self, index: int, row: _Row) -> None:
        (self.name, self.alias, self.n_bytes, self.n_bits, slot, low, self.width,
         self.maskable, self.writable, self.text, self.prereq, self.of10, self.of11,
         oxms) = row  # fmt: skip
        self.index = index
        self.slot = SLOTS[slot]
        self.shift = self.slot.shift + low
        self.ones = (1 << self.width) - 1
        self.mask = self.ones << self.shift
        self.oxms = tuple(Oxm(*oxm) for oxm in oxms)

    def __repr__(self) -> str:
        return f"Field({self.name})"

    def get(self, flow: int) -> int:
        """Return the field's value in `flow`."""
        return flow >> self.shift & self.ones

    def put(self, flow: int, value: int) -> int:
        """Return `flow` with the field set to `value` (which must fit)."""
        return flow & ~self.mask | value << self.shift

    def oxm_for(self, version: int) -> Oxm | None:
        """Return the wire form to use in `version`, or None if it has none at all."""
        best = None
        for oxm in self.oxms:
            if oxm.version <= version and (best is None or oxm.version > best.version):
                best = oxm
        return best or (self.oxms[0] if self.oxms else None)


#: All fields in table order.
ALL: tuple[Field, ...] = tuple(Field(i, row) for i, row in enumerate(_ROWS))

#: By name and by alias.
FIELDS: dict[str, Field] = {field.name: field for field in ALL}
FIELDS.update({field.alias: field for field in ALL if field.alias})

#: By what is on the wire: (class, experimenter, number).
BY_OXM: dict[tuple[int, int, int], tuple[Field, Oxm]] = {
    oxm.key: (field, oxm) for field in ALL for oxm in field.oxms
}
#: By NXM or OXM name ("NXM_OF_ETH_DST").
BY_OXM_NAME: dict[str, tuple[Field, Oxm]] = {
    oxm.name: (field, oxm) for field in ALL for oxm in field.oxms
}
