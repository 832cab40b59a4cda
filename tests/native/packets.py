# SPDX-License-Identifier: Apache-2.0
"""Packets of every kind that the datapath knows, made by scapy."""

from __future__ import annotations

import random

from scapy.contrib.mpls import MPLS
from scapy.contrib.nsh import NSH
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)
from scapy.layers.l2 import ARP, LLC, SNAP, Dot1AD, Dot1Q, Dot3, Ether
from scapy.layers.sctp import SCTP, SCTPChunkData
from scapy.packet import Raw

E = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
IP4 = IP(src="10.0.0.1", dst="10.0.0.2", tos=0x28, ttl=61, id=7)
IP6 = IPv6(src="fd00::1", dst="fd00::2", tc=0x28, fl=0x12345, hlim=61)
DATA = Raw(bytes(range(48)))

NS = ICMPv6ND_NS(tgt="fd00::9") / ICMPv6NDOptSrcLLAddr(lladdr="02:0a:00:00:00:01")
NA = ICMPv6ND_NA(tgt="fd00::9", R=1, S=1, O=0) / ICMPv6NDOptDstLLAddr(
    lladdr="02:0a:00:00:00:02"
)
BOTH = NS / ICMPv6NDOptDstLLAddr(lladdr="02:0a:00:00:00:02")
TWICE = NS / ICMPv6NDOptSrcLLAddr(lladdr="02:0a:00:00:00:03")

KINDS = {
    "tcp": E / IP4 / TCP(sport=1000, dport=80, flags="SA", seq=5) / DATA,
    "tcp options": E / IP4 / TCP(options=[("MSS", 1460), ("NOP", None)]) / DATA,
    "udp": E / IP4 / UDP(sport=53, dport=5353) / DATA,
    "sctp": E / IP4 / SCTP(sport=5, dport=6) / SCTPChunkData(data=b"abcd"),
    "icmp": E / IP4 / ICMP(type=8, code=0) / DATA,
    "igmp": E / IP(proto=2) / Raw(bytes.fromhex("16000000e0000009")),
    "other protocol": E / IP(src="1.1.1.1", dst="2.2.2.2", proto=89) / DATA,
    "ip options": E / IP(options=[b"\x94\x04\0\0"]) / UDP() / DATA,
    "first fragment": E / IP(flags="MF") / UDP(sport=1, dport=2) / DATA,
    "later fragment": E / IP(frag=100) / DATA,
    "padded": E / IP4 / TCP() / Raw(b"") / Raw(b"\xee" * 6),
    "vlan": E / Dot1Q(vlan=10, prio=3) / IP4 / TCP() / DATA,
    "vlan 0": E / Dot1Q(vlan=0) / IP4 / TCP() / DATA,
    "qinq": E / Dot1AD(vlan=20) / Dot1Q(vlan=10) / IP4 / UDP() / DATA,
    "three tags": E / Dot1AD(vlan=1) / Dot1Q(vlan=2) / Dot1Q(vlan=3) / IP4 / UDP(),
    "arp": E / ARP(op=1, psrc="10.0.0.1", pdst="10.0.0.2", hwsrc=E.src),
    "rarp": Ether(type=0x8035) / ARP(op=3),
    "big arp op": E / ARP(op=0x1234),
    "tcp6": E / IP6 / TCP(sport=1000, dport=80, flags="S") / DATA,
    "udp6": E / IP6 / UDP(sport=9, dport=10) / DATA,
    "icmpv6": E / IP6 / ICMPv6EchoRequest(id=1, seq=2) / DATA,
    "nd solicitation": E / IP6 / NS,
    "nd advertisement": E / IP6 / NA,
    "nd both options": E / IP6 / BOTH,
    "nd option twice": E / IP6 / TWICE,
    "nd vlan": E / Dot1Q(vlan=7) / IP6 / NS,
    "extension headers": E / IP6 / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / TCP(),
    "routing header": E / IP6 / IPv6ExtHdrRouting(addresses=["fd00::7"]) / UDP(),
    "first fragment 6": E / IP6 / IPv6ExtHdrFragment(m=1, id=5) / UDP(sport=1) / DATA,
    "later fragment 6": E / IP6 / IPv6ExtHdrFragment(offset=9, id=5) / DATA,
    "mpls": E / MPLS(label=100, s=1, ttl=9) / IP4 / TCP(),
    "mpls 2": E / MPLS(label=1, s=0) / MPLS(label=2, s=1) / IP4 / TCP(),
    "mpls 4": E / MPLS(label=1, s=0) / MPLS(s=0) / MPLS(s=0) / MPLS(s=1) / IP4,
    "nsh": E / NSH(mdtype=1, nextproto=3, spi=0x123, si=254, ttl=63) / E / IP4 / UDP(),
    "llc": Dot3(src=E.src, dst=E.dst) / LLC(dsap=0x42, ssap=0x42) / DATA,
    "snap": Dot3(src=E.src, dst=E.dst) / LLC() / SNAP(code=0x800) / IP4 / TCP(),
    "unknown type": Ether(type=0x88CC) / DATA,
}

OCTETS = {name: bytes(packet) for name, packet in KINDS.items()}


def mutations(seed: int, n: int) -> list[bytes]:
    """Return `n` packets, each with some octets changed, or cut short, or both."""
    rng = random.Random(seed)
    kinds = list(OCTETS.values())
    packets = []
    for _ in range(n):
        octets = bytearray(rng.choice(kinds))
        for _ in range(rng.randrange(4)):
            octets[rng.randrange(len(octets))] = rng.randrange(256)
        if rng.random() < 0.3:
            del octets[rng.randrange(len(octets)) :]
        packets.append(bytes(octets))
    return packets
