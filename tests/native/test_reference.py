# SPDX-License-Identifier: Apache-2.0
"""Actions on packets, ours against the reference's userspace datapath."""

import struct

import pytest
from helpers.programs import Reference, RunDir, wait_until

from ovswitch.datapath.odp.action_parse import parse_actions

from . import packets

# The reference's own parser of actions knows neither MPLS, NSH nor Ethernet headers'
# push and pop: test_actions.py has those.
pytestmark = pytest.mark.reference

ACTIONS = [
    "set(eth(src=02:aa:00:00:00:01,dst=02:bb:00:00:00:02))",
    "set(eth(src=00:00:00:00:00:07/00:00:00:00:00:ff))",
    "push_vlan(vid=5,pcp=3)",
    "push_vlan(tpid=0x88a8,vid=5,pcp=0),push_vlan(vid=6,pcp=0)",
    "push_vlan(vid=5,pcp=3),pop_vlan",
    "pop_vlan",
    "trunc(60)",
    "clone(set(eth(src=02:aa:00:00:00:01,dst=02:bb:00:00:00:02)),1)",
]
IPV4 = [
    "set(ipv4(src=1.2.3.4,dst=5.6.7.8,tos=0xb8,ttl=9))",
    "set(ipv4(src=0.0.0.9/0.0.0.255,ttl=64/0xff))",
    "set(ipv4(tos=0/0xfc))",
]
IPV6 = [
    "set(ipv6(src=fe80::9,dst=fe80::8,label=0x54321,tclass=0x70,hlimit=9))",
    "set(ipv6(dst=::7/::ff,hlimit=3/0xff))",
    "set(ipv6(tclass=0x28/0xfc))",
]
L4 = {
    "tcp": ["set(tcp(src=7,dst=8))", "set(tcp(dst=255/0xff))"],
    "udp": ["set(udp(src=7,dst=8))", "set(udp(src=1/0x3))"],
    "sctp": ["set(sctp(src=7,dst=8))"],
    "icmp": ["set(icmp(type=0,code=3))"],
    "arp": [
        "set(arp(sip=9.9.9.9,tip=8.8.8.8,op=2,sha=02:02:02:02:02:02,"
        "tha=04:04:04:04:04:04))",
        "set(arp(sip=9.9.9.9/255.255.255.255))",
    ],
    "icmpv6": ["set(icmpv6(type=129,code=1))"],
    "nd solicitation": [
        "set(nd(target=fd00::77,sll=02:00:00:00:00:77,tll=00:00:00:00:00:00))"
    ],
    "mpls": [
        "set(mpls(label=5,tc=2,ttl=3,bos=1))",
        "set(mpls(label=0/0x0,tc=0/0,ttl=8/0xff,bos=0/0))",
    ],
}
L4["tcp6"], L4["udp6"] = L4["tcp"], L4["udp"]
V4 = ("tcp", "tcp options", "udp", "sctp", "icmp", "ip options", "first fragment")
V6 = ("tcp6", "udp6", "icmpv6", "nd solicitation", "routing header")
KINDS = (*V4, "later fragment", "padded", "arp", *V6, "mpls", "nsh", "unknown type")


# The reference forgets the checksum when the source address changes in front of a
# routing header that has segments left.
EXCEPT = {("routing header", IPV6[0])}


def cases():
    for kind in KINDS:
        actions = [*ACTIONS, *L4.get(kind, ())]
        if kind in V4 or kind in ("later fragment", "padded"):
            actions += IPV4
        elif kind in V6:
            actions += IPV6
        for text in actions:
            if (kind, text) not in EXCEPT:
                yield kind, text


class Peer:
    """The reference with a dummy datapath; p1 receives, p2 transmits."""

    def __init__(self, run_dir):
        self.dir = run_dir
        self.pcap = run_dir / "p2.pcap"
        run_dir.start_ovsdb_server(Reference)
        database = f"--db=unix:{run_dir.path}/db.sock"
        vsctl = [Reference.path("ovs-vsctl"), database]
        run_dir.run([*vsctl, "--no-wait", "init"], check=True)
        options = ["--enable-dummy", "--detach", "--no-chdir", "--pidfile"]
        options += ["--log-file", "-vconsole:off", f"unix:{run_dir.path}/db.sock"]
        run_dir.run([Reference.path("ovs-vswitchd"), *options], check=True)
        bridge = "add-br br0 -- set bridge br0 datapath_type=dummy fail_mode=secure"
        words = [*vsctl, *bridge.split()]
        for port in ("p1", "p2"):
            words += (
                f"-- add-port br0 {port} -- set interface {port} type=dummy".split()
            )
        words.append(f"options:tx_pcap={self.pcap}")
        run_dir.run(words, check=True)
        self.appctl("revalidator/pause")  # Else it takes our flows away.
        self.place = 24  # Behind the pcap header.

    def appctl(self, *words):
        target = f"--target={self.dir.path}/ovs-vswitchd.{self.dir.pid('ovs-vswitchd')}"
        target += ".ctl"
        return self.dir.appctl(target, *words, implementation=Reference, check=True)

    def install(self, actions):
        self.appctl("dpctl/del-flows")
        key = "recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth(),"
        self.appctl("dpctl/add-flow", f"{key}eth_type(0x9999/0)", f"{actions},2")

    def forward(self, octets):
        """Return what p2 transmits when p1 receives a packet."""
        self.appctl("netdev-dummy/receive", "p1", octets.hex())
        wait_until(lambda: self.pcap.stat().st_size > self.place)
        with self.pcap.open("rb") as file:
            file.seek(self.place)
            (size,) = struct.unpack("=8xI4x", file.read(16))
            got = file.read(size)
        self.place += 16 + size
        return got


@pytest.fixture(scope="module")
def peer():
    with RunDir() as run_dir:
        yield Peer(run_dir)


def test_same_actions_same_packets(peer, dummy):
    by_actions = {}
    for kind, text in cases():
        by_actions.setdefault(text, []).append(kind)
    differences = []
    for text, kinds in by_actions.items():
        peer.install(text)
        for kind in kinds:
            octets = packets.OCTETS[kind]
            sent = dummy.execute(octets, parse_actions(f"{text},2"))
            ours = b"".join(packet for port, packet in sent if port == 2)
            reference = peer.forward(octets)
            if ours != reference:
                differences.append((text, kind, ours.hex(), reference.hex()))
    assert not differences
