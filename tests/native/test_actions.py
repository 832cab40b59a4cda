# SPDX-License-Identifier: Apache-2.0
"""Datapath actions: what comes out of a port, octet by octet, as scapy builds it."""

import struct

import pytest
from scapy.contrib.mpls import MPLS
from scapy.contrib.nsh import NSH
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q
from scapy.layers.sctp import SCTP, SCTPChunkData
from scapy.packet import Raw

from ovswitch.native import core

from . import odp, packets
from .odp import attr, be16, output, u16, u32
from .packets import DATA, IP4, IP6, KINDS, OCTETS, E

OUT = output(2)
PUSH_ETH = attr(odp.A_PUSH_ETH, b"\4" * 6 + b"\2" * 6)


def set_(key):
    return attr(odp.A_SET, key)


def masked(kind, value, mask):
    return attr(odp.A_SET_MASKED, attr(kind, value + mask))


def push_vlan(tci, tpid=0x8100):
    return attr(odp.A_PUSH_VLAN, struct.pack("!HH", tpid, tci))


def push_mpls(lse, kind=odp.A_PUSH_MPLS, flags=0):
    return attr(kind, struct.pack("!IH", lse, 0x8847) + struct.pack("=H", flags))


def run(dummy, packet, actions):
    """Return the only packet that `actions` send for `packet`."""
    octets = packet if isinstance(packet, bytes) else bytes(packet)
    ((port, result),) = dummy.execute(octets, actions + OUT)
    assert port == 2
    return result


def ip4(**changes):
    """IP4 with some members changed."""
    return IP(**{**IP4.fields, **changes})


L4 = {
    "tcp": TCP(sport=1000, dport=80, flags="SA", seq=5) / DATA,
    "udp": UDP(sport=53, dport=5353) / DATA,
    "icmp": ICMP() / DATA,
}


@pytest.mark.parametrize("l4", L4.values(), ids=L4)
class TestSetIpv4:
    def test_every_field(self, dummy, l4):
        key = bytes([1, 2, 3, 4, 5, 6, 7, 8, l4.underlayer or 0, 0x50, 33, 0])
        want = bytes(E / ip4(src="1.2.3.4", dst="5.6.7.8", tos=0x50, ttl=33) / l4)
        assert run(dummy, E / IP4 / l4, set_(attr(odp.K_IPV4, key))) == want

    def test_masked(self, dummy, l4):
        value = bytes([0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 60, 0])
        mask = bytes([0, 0, 0, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0])
        want = bytes(E / ip4(src="10.0.0.9", ttl=60) / l4)
        actions = masked(odp.K_IPV4, value, mask)
        assert run(dummy, E / IP4 / l4, actions) == want

    def test_ipv6(self, dummy, l4):
        if "ICMP" in l4.summary():
            pytest.skip("ICMP is IPv4's")
        value = bytes(15) + b"\x07" + bytes(16) + struct.pack("!I", 0x54321)
        value += bytes([0, 0x10, 5, 0])
        mask = bytes(15) + b"\xff" + bytes(16) + struct.pack("!I", 0xFFFFF)
        mask += bytes([0, 0xFF, 0xFF, 0])
        new = IPv6(src="fd00::7", dst="fd00::2", tc=0x10, fl=0x54321, hlim=5)
        got = run(dummy, E / IP6 / l4, masked(odp.K_IPV6, value, mask))
        assert got == bytes(E / new / l4)


def test_udp_without_checksum_keeps_none(dummy):
    packet = E / IP4 / UDP(sport=1, dport=2, chksum=0) / DATA
    value = bytes([9, 9, 9, 9]) + bytes(8)
    got = run(dummy, packet, masked(odp.K_IPV4, value, b"\xff" * 4 + bytes(8)))
    assert got == bytes(E / ip4(src="9.9.9.9") / UDP(sport=1, dport=2, chksum=0) / DATA)


@pytest.mark.parametrize(
    ("kind", "cls"), [(odp.K_TCP, TCP), (odp.K_UDP, UDP)], ids=["tcp", "udp"]
)
def test_set_ports(dummy, kind, cls):
    packet = E / IP4 / cls(sport=1, dport=2) / DATA
    want = bytes(E / IP4 / cls(sport=7, dport=2) / DATA)
    assert run(dummy, packet, set_(attr(kind, struct.pack("!HH", 7, 2)))) == want
    got = run(dummy, packet, masked(kind, b"\0\7\0\0", b"\xff\xff\0\0"))
    assert got == want


def test_set_sctp_ports(dummy):
    def packet(sport):
        return E / IP4 / SCTP(sport=sport, dport=6) / SCTPChunkData(data=b"abcd")

    got = run(dummy, packet(5), set_(attr(odp.K_SCTP, struct.pack("!HH", 77, 6))))
    assert got == bytes(packet(77))


def test_set_ethernet(dummy):
    value = odp.mac("02:aa:00:00:00:01") + odp.mac("02:bb:00:00:00:02")
    got = run(dummy, KINDS["tcp"], set_(attr(odp.K_ETHERNET, value)))
    assert got[:12] == value[6:] + value[:6]
    assert got[12:] == OCTETS["tcp"][12:]


def test_set_arp(dummy):
    value = bytes([9, 9, 9, 9, 8, 8, 8, 8, 0, 2]) + b"\2" * 6 + b"\4" * 6 + b"\0\0"
    want = ARP(op=2, psrc="9.9.9.9", pdst="8.8.8.8", hwsrc="02:" * 5 + "02")
    want.hwdst = "04:" * 5 + "04"
    got = run(dummy, KINDS["arp"], set_(attr(odp.K_ARP, value)))
    assert got == bytes(E / want)


def test_set_neighbour_discovery(dummy):
    def packet(target, mac):
        option = ICMPv6NDOptSrcLLAddr(lladdr=mac)
        return E / IP6 / ICMPv6ND_NS(tgt=target) / option

    value = bytes.fromhex("fe80" + "00" * 13 + "07") + b"\6" * 6 + bytes(6)
    got = run(
        dummy,
        packet("fd00::9", "02:00:00:00:00:09"),
        masked(odp.K_ND, value, b"\xff" * 22 + bytes(6)),
    )
    assert got == bytes(packet("fe80::7", "06:06:06:06:06:06"))


def test_set_mpls(dummy):
    lse = 200 << 12 | 1 << 8 | 5
    got = run(dummy, KINDS["mpls"], set_(attr(odp.K_MPLS, struct.pack("!I", lse))))
    assert got == bytes(E / MPLS(label=200, s=1, ttl=5) / IP4 / TCP())


def test_set_of_a_header_that_is_not_there_changes_nothing(dummy):
    for kind, size in ((odp.K_TCP, 4), (odp.K_ARP, 24), (odp.K_IPV6, 40)):
        got = run(dummy, KINDS["udp"], set_(attr(kind, bytes(size))))
        assert got == OCTETS["udp"]


def test_push_and_pop_vlan(dummy):
    tagged = bytes(E / Dot1Q(vlan=10, prio=3) / IP4 / L4["tcp"])
    assert run(dummy, E / IP4 / L4["tcp"], push_vlan(0x7000 | 10)) == tagged
    assert run(dummy, tagged, attr(odp.A_POP_VLAN)) == bytes(E / IP4 / L4["tcp"])
    twice = push_vlan(0x7000 | 10) + push_vlan(0x1000 | 20, 0x88A8)
    want = E / Dot1AD(vlan=20) / Dot1Q(vlan=10, prio=3) / IP4 / L4["tcp"]
    assert run(dummy, E / IP4 / L4["tcp"], twice) == bytes(want)


def test_push_and_pop_mpls(dummy):
    plain = E / IP4 / L4["udp"]
    pushed = bytes(E / MPLS(label=100, s=1, ttl=9) / IP4 / L4["udp"])
    lse = 100 << 12 | 1 << 8 | 9
    assert run(dummy, plain, push_mpls(lse)) == pushed
    pop = be16(odp.A_POP_MPLS, 0x800)
    assert run(dummy, pushed, pop) == bytes(plain)
    assert run(dummy, plain, push_mpls(lse, odp.A_ADD_MPLS, 1)) == pushed
    # Before the Ethernet header, and off again.
    teb = be16(odp.A_POP_MPLS, 0x6558)
    add = push_mpls(lse, odp.A_ADD_MPLS)
    outer = struct.pack("!6s6sHI", b"\2" * 6, b"\4" * 6, 0x8847, lse)
    assert run(dummy, plain, add + PUSH_ETH) == outer + bytes(plain)
    assert run(dummy, plain, add + teb) == bytes(plain)


def test_mpls_goes_behind_vlan_tags(dummy):
    packet = E / Dot1Q(vlan=5) / IP4 / L4["udp"]
    got = run(dummy, packet, push_mpls(1 << 12 | 1 << 8 | 64))
    want = E / Dot1Q(vlan=5, type=0x8847) / MPLS(label=1, s=1, ttl=64)
    assert got == bytes(want / IP4 / L4["udp"])


def test_push_and_pop_ethernet(dummy):
    pop = attr(odp.A_POP_ETH)
    want = b"\2" * 6 + b"\4" * 6 + OCTETS["tcp"][12:]
    assert run(dummy, OCTETS["tcp"], pop + PUSH_ETH) == want
    # A packet without Ethernet header cannot leave by an Ethernet port.
    assert dummy.execute(OCTETS["tcp"], pop + OUT) == []
    addresses = odp.mac("02:00:00:00:00:01") + odp.mac("02:00:00:00:00:02")
    push = attr(odp.A_PUSH_ETH, addresses)
    assert run(dummy, OCTETS["tcp"], pop + push) == OCTETS["tcp"]


def test_push_set_and_pop_nsh(dummy):
    plain = OCTETS["udp"]
    base = struct.pack("!BBBBI", 0, 63, 1, 3, 0x123FE)
    context = struct.pack("!4I", 1, 2, 3, 4)
    push = attr(odp.A_PUSH_NSH, attr(odp.K_NSH, attr(1, base) + attr(2, context)))
    nsh = NSH(mdtype=1, nextproto=3, spi=0x123, si=0xFE, ttl=63)
    nsh.context_header = context
    outer = b"\2" * 6 + b"\4" * 6 + b"\x89\x4f"
    assert run(dummy, plain, push + PUSH_ETH) == outer + bytes(nsh)[:24] + plain
    assert run(dummy, plain, push + attr(odp.A_POP_NSH)) == plain
    change = struct.pack("!BBBBI", 0, 5, 0, 0, 0xFD) + struct.pack(
        "!BBBBI", 0, 0xFF, 0, 0, 0xFF
    )
    changed = push + attr(odp.A_SET_MASKED, attr(odp.K_NSH, attr(1, change)))
    nsh = NSH(mdtype=1, nextproto=3, spi=0x123, si=0xFD, ttl=5)
    nsh.context_header = context
    assert run(dummy, plain, changed + PUSH_ETH) == outer + bytes(nsh)[:24] + plain


def test_output_comes_before_later_changes(dummy):
    plain = OCTETS["tcp"]
    actions = output(1) + push_vlan(0x1005) + output(2) + attr(odp.A_POP_VLAN)
    sent = dummy.execute(plain, actions + output(3))
    tagged = bytes(E / Dot1Q(vlan=5) / KINDS["tcp"][IP])
    assert sorted(sent) == [(1, plain), (2, tagged), (3, plain)]


def test_clone_leaves_the_packet_alone(dummy):
    clone = attr(odp.A_CLONE, push_vlan(0x1005) + output(1))
    sent = dummy.execute(OCTETS["tcp"], clone + output(2))
    assert dict(sent)[2] == OCTETS["tcp"]
    assert dict(sent)[1] == bytes(E / Dot1Q(vlan=5) / KINDS["tcp"][IP])


def test_sample_by_probability(dummy):
    def sample(probability):
        actions = attr(2, output(1))
        return attr(odp.A_SAMPLE, u32(1, probability) + actions)

    for probability, want in ((0xFFFFFFFF, 200), (0, 0)):
        sent = [dummy.execute(b"\0" * 60, sample(probability)) for _ in range(200)]
        assert sum(map(len, sent)) == want
    sent = [dummy.execute(b"\0" * 60, sample(1 << 31)) for _ in range(400)]
    assert 130 < sum(map(len, sent)) < 270


def test_check_pkt_len(dummy):
    def check(limit):
        greater, less = attr(2, output(1)), attr(3, output(2))
        return attr(odp.A_CHECK_PKT_LEN, u16(1, limit) + greater + less)

    assert dummy.execute(bytes(100), check(99)) == [(1, bytes(100))]
    assert dummy.execute(bytes(100), check(100)) == [(2, bytes(100))]


def test_trunc_holds_for_one_output(dummy):
    octets = bytes(range(100))
    actions = u32(odp.A_TRUNC, 50) + output(1, 2)
    assert sorted(dummy.execute(octets, actions)) == [(1, octets[:50]), (2, octets)]


def test_recirculation_looks_the_changed_packet_up(dummy):
    key, mask = odp.port_flow(1)
    mask = u32(odp.K_RECIRC_ID, 0xFFFFFFFF) + mask
    recirc = u32(odp.A_RECIRC, 7)
    dummy.put(u32(odp.K_RECIRC_ID, 0) + key, mask, push_vlan(0x1005) + recirc)
    tag = be16(odp.K_ETHERTYPE, 0x8100) + be16(odp.K_VLAN, 0x1005)
    inner = attr(odp.K_ENCAP, be16(odp.K_ETHERTYPE, 0x9999))
    vlan_key = u32(odp.K_RECIRC_ID, 7) + u32(odp.K_IN_PORT, 1) + odp.eth() + tag + inner
    vlan_mask = (
        u32(odp.K_RECIRC_ID, 0xFFFFFFFF)
        + u32(odp.K_IN_PORT, 0xFFFFFFFF)
        + odp.eth()
        + be16(odp.K_ETHERTYPE, 0xFFFF)
        + be16(odp.K_VLAN, 0x1FFF)
        + attr(odp.K_ENCAP, be16(odp.K_ETHERTYPE, 0))
    )
    dummy.put(vlan_key, vlan_mask, output(3))
    want = bytes(E / Dot1Q(vlan=5) / KINDS["tcp"][IP])
    assert dummy.receive(1, OCTETS["tcp"]) == [(3, want)]


def test_endless_recirculation_ends(dummy):
    key, mask = odp.port_flow(1)
    for recirc_id in (0, 1):
        full = u32(odp.K_RECIRC_ID, recirc_id) + key
        dummy.put(full, mask, output(2) + u32(odp.A_RECIRC, 1))
    assert len(dummy.receive(1, OCTETS["tcp"])) == 9


def test_hash_is_the_same_for_a_connection(dummy):
    key, mask = odp.port_flow(1)
    both = u32(odp.K_RECIRC_ID, 0) + key
    hash_ = attr(odp.A_HASH, struct.pack("=II", 0, 0)) + u32(odp.A_RECIRC, 1)
    dummy.put(both, mask, hash_)
    dummy.receive(1, OCTETS["tcp"])
    (first,) = dummy.upcalls
    key_attrs = odp.parse_attrs(first.attrs[2])
    (value,) = struct.unpack("=I", key_attrs[odp.K_DP_HASH])
    assert value == core.hash_5tuple(core.extract(OCTETS["tcp"])) != 0


def test_symmetric_hash_is_the_same_in_both_directions():
    one = core.extract(bytes(E / IP4 / TCP(sport=1, dport=2)))
    other = IP(src="10.0.0.2", dst="10.0.0.1") / TCP(sport=2, dport=1)
    two = core.extract(bytes(E / other))
    assert core.hash_symmetric_l3l4(one, 3) == core.hash_symmetric_l3l4(two, 3)
    assert core.hash_5tuple(one) != core.hash_5tuple(two)


def test_userspace_action_tells_userdata_and_actions(dummy):
    userdata = attr(odp.A_USERSPACE, u32(1, 9) + attr(2, b"cookie") + attr(4))
    actions = push_vlan(0x1005) + userdata + output(2)
    dummy.put_port_flow(1, actions)
    dummy.receive(1, OCTETS["tcp"])
    (upcall,) = dummy.upcalls
    assert (upcall.cmd, upcall.pid) == (odp.ACTION, 9)
    assert upcall.attrs[4] == b"cookie"
    assert upcall.attrs[3] == actions
    assert upcall.attrs[1] == bytes(E / Dot1Q(vlan=5) / KINDS["tcp"][IP])
    key = core.key_from_attrs(upcall.attrs[2])
    assert key == core.extract(
        upcall.attrs[1], core.key_from_attrs(u32(odp.K_IN_PORT, 1) + odp.eth())
    )


def test_drop_ends_the_actions(dummy):
    assert dummy.execute(bytes(60), output(1) + u32(odp.A_DROP, 0) + output(2)) == [
        (1, bytes(60))
    ]


def test_meter_drops_what_exceeds_its_rate(dummy):
    band = attr(0, u32(1, 1) + u32(2, 1) + u32(3, 2))
    dummy.request(odp.METER, 2, u32(1, 3) + attr(4, band))
    meter = u32(odp.A_METER, 3)
    sent = [len(dummy.execute(bytes(60), meter + OUT)) for _ in range(4)]
    assert sent == [1, 1, 0, 0]
    dummy.core.set_time(2000)
    assert len(dummy.execute(bytes(60), meter + OUT)) == 1
    (reply,) = dummy.request(odp.METER, 4, u32(1, 3))
    assert struct.unpack("=QQ", reply.attrs[3]) == (5, 300)
    (band_reply,) = odp.parse_attrs(reply.attrs[4]).values()
    assert struct.unpack("=QQ", odp.parse_attrs(band_reply)[4]) == (2, 120)


NESTED = output(1)
for _ in range(17):
    NESTED = attr(odp.A_CLONE, NESTED)


@pytest.mark.parametrize(
    ("why", "actions", "error"),
    [
        ("unknown", attr(60), 22),
        ("short output", u16(odp.A_OUTPUT, 1), 22),
        ("great port number", u32(odp.A_OUTPUT, 1 << 16), 22),
        ("cut", output(1)[:-2], 22),
        ("conntrack", attr(odp.A_CT), 95),
        ("set of a field that cannot be set", set_(be16(odp.K_VLAN, 5)), 22),
        ("set of wrong size", set_(attr(odp.K_TCP, bytes(8))), 22),
        ("set tunnel", set_(attr(odp.K_TUNNEL, attr(4, b"\1"))), 95),
        ("two in one set", set_(u32(odp.K_PRIORITY, 1) + u32(odp.K_SKB_MARK, 1)), 22),
        ("masked ICMP", masked(odp.K_ICMP, b"\0\0", b"\0\0"), 22),
        ("odd VLAN type", push_vlan(0x1001, 0x1234), 22),
        ("VLAN without its bit", push_vlan(1), 22),
        ("trunc too short", u32(odp.A_TRUNC, 13), 22),
        ("sample without probability", attr(odp.A_SAMPLE, attr(2)), 22),
        ("userspace without pid", attr(odp.A_USERSPACE), 22),
        ("hash algorithm", attr(odp.A_HASH, struct.pack("=II", 9, 0)), 22),
        ("nesting", NESTED, 75),
    ],
)
def test_actions_that_are_refused(dummy, why, actions, error):
    with pytest.raises(OSError, match="refused") as caught:
        dummy.execute(bytes(60), actions)
    assert caught.value.errno == error
    with pytest.raises(core.AttributesError) as raised:
        core.check_actions(actions)
    assert raised.value.args[1] == error


@pytest.mark.parametrize("octets", packets.mutations(7, 150), ids=lambda _: "")
def test_odd_packets_pass_all_changes(dummy, octets):
    """Nothing that a packet lacks or gets wrong does harm to the switch."""
    changes = [
        set_(attr(odp.K_IPV4, bytes(12))),
        set_(attr(odp.K_IPV6, bytes(40))),
        set_(attr(odp.K_TCP, bytes(4))),
        set_(attr(odp.K_ND, bytes(28))),
        attr(odp.A_POP_VLAN),
        push_mpls(0x140),
        be16(odp.A_POP_MPLS, 0x800),
        u32(odp.A_TRUNC, 20),
    ]
    dummy.execute(octets, b"".join(changes) + OUT)


def test_raw_data_is_forwarded_whole(dummy):
    octets = bytes(E / Raw(bytes(9000)))
    assert dummy.execute(octets, OUT) == [(2, octets)]
