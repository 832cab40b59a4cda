# SPDX-License-Identifier: Apache-2.0
"""Numbers of the protocols that the switch looks into.

Names are those of the RFCs and of the reference's packets.h; sizes are in octets.
"""

from __future__ import annotations

# Ethernet.
ETH_HEADER_LEN = 14
ETH_TYPE_MIN = 0x600  # smaller values are an 802.2 frame's length
FLOW_DL_TYPE_NONE = 0x5FF  # what a flow says for a frame without a type
ETH_TYPE_IP = 0x0800
ETH_TYPE_ARP = 0x0806
ETH_TYPE_TEB = 0x6558
ETH_TYPE_RARP = 0x8035
ETH_TYPE_VLAN = 0x8100
ETH_TYPE_VLAN_8021AD = 0x88A8
ETH_TYPE_IPV6 = 0x86DD
ETH_TYPE_LACP = 0x8809
ETH_TYPE_MPLS = 0x8847
ETH_TYPE_MPLS_MCAST = 0x8848
ETH_TYPE_LLDP = 0x88CC
ETH_TYPE_CFM = 0x8902
ETH_TYPE_NSH = 0x894F
SNAP_HEADER = b"\xaa\xaa\x03\0\0\0"  # LLC and the organisation, before the type

VLAN_HEADER_LEN = 4
MPLS_HLEN = 4
MPLS_BOS_MASK = 0x100
ARP_ETH_HEADER_LEN = 28
ARP_OP_REQUEST = 1
ARP_OP_REPLY = 2
NSH_BASE_HDR_LEN = 8
NSH_M_TYPE1 = 1
NSH_M_TYPE2 = 2
NSH_M_TYPE1_LEN = 24

# Packet types: name space in the high half, type in the low one (OpenFlow 1.5).
PT_ETH = 0
OFPHTN_ETHERTYPE = 1

# IP.
IP_HEADER_LEN = 20
IPV6_HEADER_LEN = 40
IP_MORE_FRAGMENTS = 0x2000
IP_FRAG_OFF_MASK = 0x1FFF
IPV6_LABEL_MASK = 0x000FFFFF
IPPROTO_HOPOPTS = 0
IPPROTO_ICMP = 1
IPPROTO_IGMP = 2
IPPROTO_TCP = 6
IPPROTO_UDP = 17
IPPROTO_ROUTING = 43
IPPROTO_FRAGMENT = 44
IPPROTO_GRE = 47
IPPROTO_AH = 51
IPPROTO_ICMPV6 = 58
IPPROTO_DSTOPTS = 60
IPPROTO_SCTP = 132

# Layer 4.
TCP_HEADER_LEN = 20
UDP_HEADER_LEN = 8
SCTP_HEADER_LEN = 12
ICMP_HEADER_LEN = 8
IGMP_HEADER_LEN = 8
TCP_FIN = 0x001
TCP_SYN = 0x002
TCP_RST = 0x004
TCP_PSH = 0x008
TCP_ACK = 0x010
TCP_URG = 0x020
TCP_ECE = 0x040
TCP_CWR = 0x080
TCP_NS = 0x100
ICMP4_ECHO_REPLY = 0
ICMP4_ECHO_REQUEST = 8
ICMP6_ECHO_REQUEST = 128
ICMP6_ECHO_REPLY = 129
ND_NEIGHBOR_SOLICIT = 135
ND_NEIGHBOR_ADVERT = 136
ND_OPT_SOURCE_LINKADDR = 1
ND_OPT_TARGET_LINKADDR = 2


def is_vlan(eth_type: int) -> bool:
    """Return whether a type announces a VLAN header."""
    return eth_type in (ETH_TYPE_VLAN, ETH_TYPE_VLAN_8021AD)


def is_mpls(eth_type: int) -> bool:
    """Return whether a type announces a stack of MPLS labels."""
    return eth_type in (ETH_TYPE_MPLS, ETH_TYPE_MPLS_MCAST)


def is_ip_any(eth_type: int) -> bool:
    """Return whether a type announces IPv4 or IPv6."""
    return eth_type in (ETH_TYPE_IP, ETH_TYPE_IPV6)
