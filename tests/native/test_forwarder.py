# SPDX-License-Identifier: Apache-2.0
"""The forwarder's process with real devices and real hosts' stacks on them."""

import contextlib
import struct

import pytest

from . import odp
from .lab import Lab, ping, transfer, wait_until
from .odp import attr, be16, output, u32

pytestmark = pytest.mark.root

MB = 1 << 20
SIZE = 16 * MB
ALL = f"{SIZE} True"


@pytest.fixture(scope="module")
def lab():
    made = Lab()
    yield made
    made.close()


@pytest.fixture(scope="module")
def upcall_lab():
    """A lab whose ports' misses come to its client, and whose hosts need no ARP."""
    made = Lab(upcalls=True)
    macs = [
        host.ip("-o", "link", "show", "eth0").split("link/ether ")[1].split()[0]
        for host in made.hosts
    ]
    for i, host in enumerate(made.hosts):
        peer = ("10.9.0.2", macs[1]) if i == 0 else ("10.9.0.1", macs[0])
        host.ip("neigh", "replace", peer[0], "lladdr", peer[1], "dev", "eth0")
    yield made
    made.close()


@pytest.fixture
def wired(lab):
    """A lab with no flows but port 1 <-> port 2."""
    lab.request(odp.FLOW, odp.DEL)
    lab.wire()
    return lab


@pytest.fixture
def bare(lab):
    """A lab without flows."""
    lab.request(odp.FLOW, odp.DEL)
    return lab


def push_vlan(vid):
    return attr(odp.A_PUSH_VLAN, struct.pack("!HH", 0x8100, 0x1000 | vid))


class TestTraffic:
    def test_ping(self, wired):
        h1, _ = wired.hosts
        assert ping(h1, "10.9.0.2")
        assert ping(h1, "fd09::2")
        assert ping(h1, "10.9.0.2", "-s", "5000")  # In fragments.

    def test_tcp_with_default_offloads(self, wired):
        h1, h2 = wired.hosts
        before = wired.port_stats(1)
        assert transfer(h2, h1, "10.9.0.2", 100 * MB) == f"{100 * MB} True"
        packets, octets = (
            after - old
            for after, old in zip(
                wired.port_stats(1)[0:3:2], before[0:3:2], strict=True
            )
        )
        assert octets > 100 * MB
        assert octets / packets > 3000  # Segments crossed whole.

    def test_tcp_over_ipv6_with_default_offloads(self, wired):
        h1, h2 = wired.hosts
        assert transfer(h1, h2, "fd09::1", SIZE) == ALL

    def test_tcp_from_a_host_without_offloads(self, wired):
        h1, h2 = wired.hosts
        h1.run("ethtool", "-K", "eth0", "tx", "off")
        try:
            assert transfer(h2, h1, "10.9.0.2", SIZE) == ALL
        finally:
            h1.run("ethtool", "-K", "eth0", "tx", "on")

    def test_a_changed_address_keeps_checksums_right(self, bare):
        """The address that h1 talks to is made up: the flows rewrite it."""
        h1, h2 = bare.hosts
        mac = h2.ip("-o", "link", "show", "eth0").split("link/ether ")[1].split()[0]
        h1.ip("neigh", "replace", "10.9.0.77", "lladdr", mac, "dev", "eth0")

        def set_ip(value, mask):
            key = bytes(value) + bytes(4)
            return attr(
                odp.A_SET_MASKED, attr(odp.K_IPV4, key + bytes(mask) + bytes(4))
            )

        zeros, ones = [0] * 4, [255] * 4
        to_h2 = set_ip([*zeros, 10, 9, 0, 2], zeros + ones)
        to_h1 = set_ip([10, 9, 0, 77, *zeros], ones + zeros)
        bare.ip_flow(1, to_h2 + output(2))
        bare.ip_flow(2, to_h1 + output(1))
        arp = [be16(odp.K_ETHERTYPE, t) for t in (0x806, 0xFFFF)]
        for one, other in ((1, 2), (2, 1)):
            key = u32(odp.K_IN_PORT, one) + odp.eth() + arp[0]
            key += attr(odp.K_ARP, bytes(24))
            mask = u32(odp.K_IN_PORT, 0xFFFFFFFF) + odp.eth() + arp[1]
            flow = odp.flow_attrs(key, mask, output(other))
            bare.request(odp.FLOW, odp.NEW, flow)
        assert ping(h1, "10.9.0.77")
        assert transfer(h2, h1, "10.9.0.77", SIZE) == ALL

    def test_tags_on_and_off_over_a_trunk(self, bare):
        """Tagged packets cross a cable between two of the switch's own ports."""
        h1, h2 = bare.hosts
        bare.switch.ip("link", "add", "t3", "type", "veth", "peer", "name", "t4")
        try:
            for number, name in ((3, "t3"), (4, "t4")):
                bare.switch.ip("link", "set", name, "up")
                bare.add_port(number, name)
            for access, trunk in ((1, 3), (2, 4)):
                bare.flow(access, push_vlan(10) + output(trunk))
                bare.vlan_flow(trunk, 10, attr(odp.A_POP_VLAN) + output(access))
            assert ping(h1, "10.9.0.2")
            assert transfer(h2, h1, "10.9.0.2", SIZE) == ALL
            assert transfer(h1, h2, "fd09::1", SIZE) == ALL
            packets, _, octets, *_ = bare.port_stats(4)
            assert octets / packets > 3000  # Tagged segments crossed whole.
            # Another VLAN's packets match no flow.
            bare.flow(1, push_vlan(11) + output(3))
            assert not ping(h1, "10.9.0.2", count=1)
        finally:
            for number in (3, 4):
                bare.request(odp.VPORT, odp.DEL, u32(1, number))
            bare.switch.ip("link", "del", "t3")

    def test_labels_on_and_off_cut_packets_into_segments(self, bare):
        """What has a label can't leave in one piece, so it is cut first."""
        h1, h2 = bare.hosts
        push = attr(odp.A_PUSH_MPLS, struct.pack("!IHH", 100 << 12 | 0x140, 0x8847, 0))
        pop = be16(odp.A_POP_MPLS, 0x800)
        for one, other in ((1, 2), (2, 1)):
            bare.ip_flow(one, push + pop + output(other))
            key = u32(odp.K_IN_PORT, one) + odp.eth() + be16(odp.K_ETHERTYPE, 0x806)
            key += attr(odp.K_ARP, bytes(24))
            mask = u32(odp.K_IN_PORT, 0xFFFFFFFF) + odp.eth()
            mask += be16(odp.K_ETHERTYPE, 0xFFFF)
            flow = odp.flow_attrs(key, mask, output(other))
            bare.request(odp.FLOW, odp.NEW, flow)
        assert ping(h1, "10.9.0.2")
        assert transfer(h2, h1, "10.9.0.2", SIZE) == ALL

    def test_flood_with_a_change_in_between(self, wired):
        h1, _ = wired.hosts
        tagged = push_vlan(5) + output(1) + attr(odp.A_POP_VLAN) + output(2)
        wired.flow(1, output(2) + tagged)
        assert "3 received" in h1.run(
            "ping", "-n", "-c", "3", "-i", "0.05", "10.9.0.2", check=False
        )


class TestInternalPorts:
    def test_the_local_port_is_a_tap_that_carries_traffic(self, bare):
        h1, _ = bare.hosts
        bare.switch.ip("addr", "add", "10.9.0.3/24", "dev", "dp")
        bare.switch.ip("link", "set", "dp", "up")
        try:
            bare.wire(1, 0)
            assert ping(h1, "10.9.0.3")
            assert transfer(bare.switch, h1, "10.9.0.3", SIZE) == ALL
            assert transfer(h1, bare.switch, "10.9.0.1", SIZE) == ALL
            assert bare.port_stats(0)[2] > SIZE
        finally:
            bare.switch.ip("addr", "del", "10.9.0.3/24", "dev", "dp")

    def test_more_of_them_come_and_go(self, lab):
        lab.add_port(9, "int9", odp.INTERNAL)
        assert "int9" in lab.switch.ip("link", "show", "int9")
        lab.request(odp.VPORT, odp.DEL, u32(1, 9))
        with pytest.raises(AssertionError, match="does not exist"):
            lab.switch.ip("link", "show", "int9")


class TestDevices:
    def test_a_port_needs_its_device(self, lab):
        with pytest.raises(OSError, match="refused") as caught:
            lab.add_port(9, "nothere")
        assert caught.value.errno == 19

    def test_down_and_up_again(self, wired):
        h1, _ = wired.hosts
        wired.switch.ip("link", "set", "p2", "down")
        assert not ping(h1, "10.9.0.2", count=1)
        wired.switch.ip("link", "set", "p2", "up")
        wait_until(lambda: ping(h1, "10.9.0.2", count=1))

    def test_a_device_that_goes_away_leaves_a_silent_port(self, wired):
        h1, _ = wired.hosts
        wired.switch.ip("link", "add", "gone", "type", "veth", "peer", "name", "gone2")
        wired.switch.ip("link", "set", "gone", "up")
        wired.add_port(7, "gone")
        wired.flow(1, output(7, 2))
        assert ping(h1, "10.9.0.2")
        wired.switch.ip("link", "del", "gone")
        assert ping(h1, "10.9.0.2")
        wired.request(odp.VPORT, odp.DEL, u32(1, 7))
        assert ping(h1, "10.9.0.2")


def test_jumbo_frames():
    lab = Lab(mtu=9000)
    try:
        lab.wire()
        h1, h2 = lab.hosts
        assert ping(h1, "10.9.0.2", "-s", "8900", "-M", "do")
        for option in ("on", "off"):
            h1.run("ethtool", "-K", "eth0", "tx", option)
            assert transfer(h2, h1, "10.9.0.2", SIZE) == ALL
    finally:
        lab.close()


def test_two_threads_share_the_ports():
    """Packets go by while flows, ports and datapaths come and go."""
    lab = Lab(n_threads=2)
    try:
        lab.wire()
        h1, h2 = lab.hosts
        child = h1.spawn("ping", "-n", "-q", "-c", "300", "-i", "0.002", "10.9.0.2")
        for i in range(150):
            lab.wire()
            key, mask = odp.port_flow(5)
            lab.request(odp.FLOW, odp.NEW, odp.flow_attrs(key, mask, output(i % 3)))
            lab.request(odp.FLOW, odp.DEL, attr(1, key))
            if i % 10 == 0:
                lab.add_port(5, "int5", odp.INTERNAL)
                lab.flow(1, output(5, 2))
                lab.request(odp.VPORT, odp.DEL, u32(1, 5))
                (other,) = lab.client.request(
                    odp.DATAPATH, odp.NEW, 0, odp.string(1, "dq")
                )
                lab.client.request(odp.DATAPATH, odp.DEL, other.dp)
        assert " 300 received" in child.communicate(timeout=30)[0]
        assert transfer(h2, h1, "10.9.0.2", SIZE) == ALL
    finally:
        lab.close()


class TestUpcalls:
    @pytest.fixture
    def bare(self, upcall_lab):
        upcall_lab.request(odp.FLOW, odp.DEL)
        return upcall_lab

    def test_a_miss_comes_up_and_its_flow_goes_down(self, bare):
        """Miss, flow put, execute: the way every flow is set up."""
        h1, _ = bare.hosts
        bare.client.upcalls.clear()
        child = h1.spawn("ping", "-n", "-c", "3", "-i", "0.3", "-W", "2", "10.9.0.2")
        try:
            seen = set()
            while not {1, 2} <= seen:
                upcall = bare.client.wait_upcall()
                assert upcall.cmd == odp.MISS
                if upcall.attrs[1][12:14] != b"\x08\0":
                    continue
                key = odp.parse_attrs(upcall.attrs[2])
                (port,) = struct.unpack("=I", key[odp.K_IN_PORT])
                seen.add(port)
                actions = output(3 - port)
                flow = odp.flow_attrs(upcall.attrs[2], None, actions)
                bare.request(odp.FLOW, odp.NEW, flow)
                execute = attr(1, upcall.attrs[1]) + attr(2, upcall.attrs[2])
                bare.request(odp.PACKET, odp.EXECUTE, execute + attr(3, actions))
            assert " 3 received" in child.communicate(timeout=10)[0]
            dump = bare.request(odp.FLOW, odp.GET, flags=odp.DUMP)
            assert sum(odp.stats(flow)[0] >= 2 for flow in dump) >= 2
        finally:
            child.kill()
            child.communicate()

    def test_large_packets_come_in_segments_with_checksums(self, bare):
        """Userspace sees packets as they would be on the wire."""
        h1, _ = bare.hosts
        bare.client.upcalls.clear()
        bare.flow(2, output(1))
        sender = (
            "import socket\n"
            "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
            "s.setsockopt(17, 103, 1000)\n"  # UDP_SEGMENT
            "s.sendto(bytes(4500), ('10.9.0.2', 9))\n"
        )
        h1.run("python3", "-c", sender)
        segments = []
        while len(segments) < 5:
            upcall = bare.client.wait_upcall()
            if upcall.attrs[1][12:14] == b"\x08\0" and upcall.attrs[1][23] == 17:
                segments.append(upcall.attrs[1])
        assert [len(s) for s in segments] == [1042] * 4 + [542]
        for octets in segments:
            pseudo = octets[26:34] + b"\0\x11" + octets[38:40]
            assert internet_sum(pseudo + octets[34:]) == 0xFFFF

    def test_a_client_that_goes_away_loses_its_upcalls_only(self, bare):
        h1, _ = bare.hosts
        bare.client.close()
        bare.client = odp.Client(f"{bare.folder}/ovs-forwarder.sock")
        bare.cleanup.callback(bare.client.close)
        before = struct.unpack("=4Q", bare.request(odp.DATAPATH, odp.GET)[0].attrs[3])
        assert not ping(h1, "10.9.0.2", count=1)
        (got,) = bare.request(odp.DATAPATH, odp.GET)
        after = struct.unpack("=4Q", got.attrs[3])
        assert after[2] > before[2]
        for port in (1, 2):
            bare.request(odp.VPORT, odp.SET, u32(1, port) + u32(5, got.pid))
        ping(h1, "10.9.0.2", count=1)
        assert bare.client.wait_upcall().pid == got.pid

    def test_a_client_that_reads_nothing_loses_what_is_too_much(self, bare):
        """The queue is bounded; requests go on."""
        h1, _ = bare.hosts
        other = odp.Client(f"{bare.folder}/ovs-forwarder.sock")
        try:
            pid = other.request(odp.DATAPATH, odp.GET, bare.dp)[0].pid
            bare.request(odp.VPORT, odp.SET, u32(1, 1) + u32(5, pid))
            sender = (
                "import socket\n"
                "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                "for _ in range(20000): s.sendto(bytes(1000), ('10.9.0.2', 9))\n"
            )
            h1.run("python3", "-c", sender)
            (got,) = bare.request(odp.DATAPATH, odp.GET)
            assert struct.unpack("=4Q", got.attrs[3])[2] > 1000
            other.sock.settimeout(0.5)
            with contextlib.suppress(TimeoutError):
                while True:
                    other.receive()
            assert len(other.upcalls) >= 1024
        finally:
            other.close()


def internet_sum(octets):
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def test_a_long_dump_comes_whole(bare):
    for i in range(5000):
        key, mask = odp.port_flow(i + 10)
        flow = odp.flow_attrs(key, mask, output(2))
        bare.client.sock.send(odp.message(odp.FLOW, odp.NEW, 0, bare.dp, flow))
    flows = bare.request(odp.FLOW, odp.GET, flags=odp.DUMP)
    assert len(flows) == 5000
    bare.request(odp.FLOW, odp.DEL)
