# SPDX-License-Identifier: Apache-2.0
"""ofproto/trace beside the reference's: the same bridges, flows and packets.

A trace shows which rules matched, what the actions did, the megaflow's exact mask and
the datapath actions, so that equal texts mean an equal pipeline.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import random_pipelines
from random_pipelines import FIRST_TABLE
from reference_switch import Pair, PortSpec, Reference

P = PortSpec
pytestmark = pytest.mark.reference

BRIDGES = {
    "br0": [P("p1", 1), P("p2", 2), P("p3", 3), P("p4", 4), P("pa0", 9, peer="pa1")],
    "br1": [P("q1", 1), P("q2", 2), P("pa1", 3, peer="pa0")],
    "brv": [
        P("v1", 1, tag=10),
        P("v2", 2, tag=10),
        P("v3", 3, tag=20),
        P("v4", 4, trunks=[10, 20]),
        P("v5", 5, mode="native-tagged", tag=10),
        P("v6", 6, mode="native-untagged", tag=20, trunks=[10]),
        P("v7", 7, mode="dot1q-tunnel", tag=10, qinq="802.1q"),
        P("v8", 8, tag=30, priority_tags="true"),
        P("v9", 9),
        P("v10", 10, protected=True),
        P("v11", 11, protected=True),
    ],
    "brr": [P("r1", 1), P("r2", 2)],
}

VIDS = (0, 5, 10, 20, 30)


def random_ports(rng, bridge):
    """Return ports with random VLAN settings."""
    ports = []
    for number in range(1, 8):
        options = {"protected": rng.random() < 0.2}
        mode = rng.choice(["", "", "access", "trunk", *TAGGED])
        if mode:
            options["mode"] = mode
        if mode not in {"", "trunk"} or (not mode and rng.random() < 0.5):
            options["tag"] = rng.choice(VIDS[:-1])
        if mode in {"trunk", *TAGGED[:2]} and rng.random() < 0.6:
            options["trunks"] = rng.sample(VIDS, rng.randint(1, 3))
        if mode == "dot1q-tunnel" and rng.random() < 0.5:
            options["cvlans"] = rng.sample(VIDS, 2)
            options["qinq"] = "802.1q"
        if rng.random() < 0.3:
            options["priority_tags"] = rng.choice(["if-nonzero", "always", "never"])
        ports.append(P(f"{bridge}p{number}", number, **options))
    return ports


TAGGED = ("native-tagged", "native-untagged", "dot1q-tunnel")
RANDOM_BRIDGES = ("x0", "x1", "x2", "x3")
for _name in RANDOM_BRIDGES:
    BRIDGES[_name] = random_ports(random.Random(_name), _name)

NORMAL_FLOWS = "actions=NORMAL"

# One table an aspect; table 0 sends packets there by in_port or register.
BR0_FLOWS = """
priority=0,actions=NORMAL
priority=5,in_port=2,actions=ALL
priority=5,in_port=3,actions=FLOOD
table=1,actions=output:2,IN_PORT,LOCAL,output:77,pa0
table=2,priority=10,tcp,nw_dst=10.0.0.0/8,actions=mod_dl_dst:00:00:00:00:00:99,mod_nw_src:1.1.1.1,mod_tp_dst:8080,output:2
table=2,priority=9,ip,actions=mod_nw_tos:32,mod_nw_ecn:1,mod_nw_ttl:3,output:2,output:3
table=2,priority=8,ipv6,actions=set_field:fe80::1->ipv6_dst,output:2
table=2,priority=7,arp,actions=load:0x2->NXM_OF_ARP_OP[],move:NXM_OF_ETH_SRC[]->NXM_NX_ARP_THA[],output:2
table=3,actions=push_vlan:0x8100,set_field:4106->vlan_vid,output:2,strip_vlan,output:3
table=5,ip,actions=dec_ttl,output:2
table=6,actions=push_mpls:0x8847,set_field:100->mpls_label,output:2
table=7,mpls,actions=pop_mpls:0x0800,output:2
table=8,mpls,actions=pop_mpls:0x0800,resubmit(,9)
table=9,priority=5,tcp,tp_dst=80,actions=output:3
table=9,priority=1,actions=drop
table=10,actions=write_actions(output:2,set_field:00:00:00:00:00:01->eth_src),goto_table:11
table=11,actions=set_field:0x77->metadata,write_actions(output:3),goto_table:12
table=12,priority=3,metadata=0x77,actions=clear_actions,write_actions(output:1,output:2)
table=13,actions=resubmit(,14),resubmit(2,0),output:3
table=14,actions=set_field:0x1234->reg0,push:NXM_NX_REG0[0..15],pop:NXM_NX_REG1[],resubmit(,15)
table=15,priority=2,reg1=0x1234,actions=note:01.02,output:NXM_NX_REG1[0..1]
table=16,actions=resubmit(,16)
table=17,actions=clone(set_field:00:00:00:00:00:05->eth_dst,output:2),output:3
table=18,actions=CONTROLLER:128
table=19,actions=controller(reason=action,max_len=64,id=7,userdata=01.02.03),output:2
table=20,actions=learn(table=21,hard_timeout=10,priority=7,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[]),resubmit(,21),output:2
table=21,priority=0,actions=FLOOD
table=22,actions=output(port=2,max_len=100),output:3
table=23,actions=exit,output:2
table=24,tcp,actions=fin_timeout(idle_timeout=5),output:2
table=25,actions=check_pkt_larger(1000)->NXM_NX_REG0[0],resubmit(,26)
table=26,priority=1,reg0=0x1/0x1,actions=output:2
table=26,priority=1,reg0=0x0/0x1,actions=output:3
table=27,icmp,actions=set_field:8->icmp_type,output:2
table=28,actions=set_queue:5,output:2,pop_queue,output:3
table=30,tcp,actions=ct(table=31,zone=5),output:2
table=31,ct_state=+trk+new,ip,actions=ct(commit,zone=5,exec(set_field:0x5->ct_mark)),output:3
table=31,priority=1,actions=output:4
table=32,ip,actions=set_field:10.0.0.1->nw_dst,output:2
table=33,actions=multipath(symmetric_l4,0,modulo_n,4,0,NXM_NX_REG2[0..7]),resubmit(,34)
table=34,priority=0,actions=output:2
table=35,actions=bundle(eth_src,0,active_backup,ofport,members:2,3)
table=36,actions=mod_dl_src:00:11:22:33:44:55,resubmit(1,37),output:3
table=37,in_port=1,actions=output:2
table=38,conj_id=9,actions=output:2
table=38,priority=10,ip,nw_src=10.0.0.1,actions=conjunction(9,1/2)
table=38,priority=10,ip,nw_src=10.0.0.2,actions=conjunction(9,1/2)
table=38,priority=10,tcp,tp_dst=80,actions=conjunction(9,2/2)
table=38,priority=1,actions=drop
table=39,actions=debug_recirc,output:2
table=40,actions=debug_slow,output:2
table=41,actions=set_field:99->tun_id,output:2
table=42,actions=load:0x5->NXM_NX_PKT_MARK[],output:2,output:3
table=43,actions=push_mpls:0x8847,push_mpls:0x8847,push_mpls:0x8847,push_mpls:0x8847,output:2
table=44,actions=write_metadata:0xf/0xff,goto_table:45
table=45,metadata=0xf,actions=TABLE
table=46,icmp6,icmp_type=135,actions=set_field:fe80::9->nd_target,output:2
table=47,actions=pa0,output:2
"""

OPENFLOW10_FLOWS = """
table=4,actions=mod_vlan_vid:7,mod_vlan_pcp:3,output:2,strip_vlan,strip_vlan,output:3
table=29,actions=enqueue:2:3
"""

TCP = (
    "tcp,dl_src=00:00:00:00:00:0a,dl_dst=00:00:00:00:00:0b,nw_src=10.0.0.1,"
    "nw_dst=10.0.0.2,nw_ttl=64,tp_src=1000,tp_dst=80"
)
UDP = TCP.replace("tcp", "udp")
ARP = "arp,dl_dst=ff:ff:ff:ff:ff:ff,arp_op=1,arp_spa=1.2.3.4,arp_tpa=1.2.3.4"
MPLS = "mpls,mpls_label=100,mpls_bos=1,mpls_ttl=64"

CASES = [
    ("br0", f"in_port=1,{TCP}"),
    ("br0", f"in_port=1,{ARP}"),
    ("br0", f"in_port=2,{UDP}"),
    ("br0", f"in_port=3,{TCP}"),
    ("br0", "in_port=LOCAL,dl_dst=01:80:c2:00:00:02"),
    ("br0", "in_port=77"),
    ("br0", "in_port=CONTROLLER,udp6"),
    ("br0", "in_port=1,vlan_tci=0x1005,udp6,ipv6_dst=ff02::1"),
    ("br0", "in_port=1,tcp,nw_frag=later"),
    ("br0", "in_port=1,dl_type=0x8100"),
    ("brv", "in_port=1,udp"),
    ("brv", "in_port=1,udp,vlan_tci=0x1005"),
    ("brv", "in_port=1,udp,vlan_tci=0x1000"),
    ("brv", "in_port=3,icmp"),
    ("brv", "in_port=4,vlan_tci=0x100a,udp"),
    ("brv", "in_port=4,vlan_tci=0x3014,udp"),
    ("brv", "in_port=4,vlan_tci=0x1015,udp"),
    ("brv", "in_port=4,udp"),
    ("brv", "in_port=5"),
    ("brv", "in_port=5,vlan_tci=0x1014"),
    ("brv", "in_port=6"),
    ("brv", "in_port=6,vlan_tci=0x100a"),
    ("brv", "in_port=7"),
    ("brv", "in_port=7,vlan_tci=0x1014"),
    ("brv", "in_port=8,vlan_tci=0xb000"),
    ("brv", "in_port=9,vlan_tci=0xb01e"),
    ("brv", "in_port=10"),
    ("brv", "in_port=ANY,vlan_tci=0x100a"),
    ("brr", "in_port=1,dl_type=0x1234"),
    ("brr", "in_port=ANY"),
]  # fmt: skip

TABLE_PACKETS = (
    f"in_port=1,{TCP}",
    f"in_port=1,vlan_tci=0x5005,{TCP}".replace("nw_ttl=64", "nw_ttl=1"),
    f"in_port=1,{MPLS}",
    f"in_port=4,{ARP}",
    "in_port=1,icmp6,icmp_type=135,nd_target=fe80::1,ipv6_src=fe80::2,nw_ttl=255",
    "in_port=1,icmp,icmp_type=0,nw_ttl=9",
)
N_TABLES = 48


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    reference = Reference(tmp_path_factory.mktemp("r"))
    try:
        made = Pair(reference)
        made.add_bridges(BRIDGES)
        made.add_flows("br0", BR0_FLOWS)
        made.add_flows("br0", OPENFLOW10_FLOWS, version="OpenFlow10")
        for name in ("br1", "brv", *RANDOM_BRIDGES):
            made.add_flows(name, NORMAL_FLOWS)
        yield made
    finally:
        reference.stop()


def assert_equal(pair, *arguments, **options):
    ours, theirs = pair.trace(*arguments, **options)
    assert ours == theirs


@pytest.mark.parametrize(("bridge", "flow"), CASES)
def test_a_trace_reads_like_the_references(pair, bridge, flow):
    assert_equal(pair, bridge, flow)


@pytest.mark.parametrize("table", range(1, N_TABLES))
@pytest.mark.parametrize("packet", range(len(TABLE_PACKETS)))
def test_actions_of_each_kind_read_alike(pair, table, packet):
    assert_equal(
        pair,
        "br0",
        TABLE_PACKETS[packet],
        f"resubmit(,{table})",
        command="ofproto/trace-packet-out",
    )


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("br0",),
        ("nosuch", "in_port=1"),
        ("br0", "foo=1"),
        ("br0", "tcp_src=5"),
        ("br0", "in_port=1,in_port=2"),
        ("br0", "tcp,udp"),
        ("br0", "in_port=1", "00"),
        ("br0", "in_port=1", "xyz"),
        ("br0", "in_port=1", "--nosuch"),
        ("br0", "in_port=1", "--l7"),
        ("br0", "in_port=1", "--l7-len", "65000"),
        ("br0", "in_port=1", "--ct-next"),
        ("br0", "in_port=1", "--ct-next", "foo"),
        ("br0", "in_port=1", "--ct-next", "new"),
        ("br0", "in_port=1", "--ct-next", "trk,new,est"),
        ("a", "b", "c", "d"),
        ("in_port(99)",),
        ("dummy", "in_port(99),eth()"),
        ("ovs-dummy", "in_port(1),eth(),eth_type(0x1234)"),
        ("br0", "--names", "in_port=p1,tcp"),
        ("--names", "br0", "in_port=p1,tcp"),
    ],
)
def test_arguments_and_errors_are_the_references(pair, arguments):
    if arguments:
        assert_equal(pair, *arguments)


def test_conntrack_forks_are_followed(pair):
    flow = f"in_port=1,{TCP}"
    command = "ofproto/trace-packet-out"
    for options in ((), ("--ct-next", "trk,est")):
        assert_equal(pair, *options, "br0", flow, "resubmit(,30)", command=command)


def random_flows(rng):
    """Return flows of many masks, so that stages, tries and ports trie matter."""
    lines = {}
    for _ in range(60):
        parts = []
        if rng.random() < 0.4:
            parts.append(f"in_port={rng.randint(1, 2)}")
        if rng.random() < 0.3:
            parts.append(f"dl_src=00:00:00:00:00:0{rng.randint(1, 4)}")
        if rng.random() < 0.2:
            parts.append(f"vlan_tci={rng.choice(['0x0', '0x1005', '0x1006/0x1fff'])}")
        kind = rng.choice(["", "ip", "tcp", "udp", "ipv6", "tcp6", "arp"])
        if kind:
            parts.append(kind)
        if kind in {"ip", "tcp", "udp", "arp"}:
            address = f"10.{rng.randint(0, 3)}.{rng.randint(0, 3)}.{rng.randint(0, 3)}"
            field = rng.choice(["nw_src", "nw_dst"])
            length = rng.choice([8, 12, 16, 22, 24, 30, 32])
            parts.append(f"{field}={address}/{length}")
        if kind in {"ipv6", "tcp6"} and rng.random() < 0.6:
            parts.append(
                f"ipv6_dst=fe80::{rng.randint(1, 9)}/{rng.choice([10, 64, 126])}"
            )
        if kind in {"tcp", "udp", "tcp6"} and rng.random() < 0.8:
            field = rng.choice(["tp_src", "tp_dst"])
            value = rng.choice(["80", "443", "0x1f40/0xffc0", "0x8000/0x8000", "7"])
            parts.append(f"{field}={value}")
        priority = rng.randint(1, 40)
        action = rng.choice(["1", "2", "LOCAL", "NORMAL"])
        line = ",".join([f"priority={priority}", *parts])
        lines[line] = f"{line},actions={action}"
    return "\n".join(lines.values())


def random_packet(rng):
    parts = [f"in_port={rng.randint(1, 2)}"]
    if rng.random() < 0.3:
        parts.append(f"vlan_tci={rng.choice(['0x1005', '0x1006', '0xf007'])}")
    parts.append(f"dl_src=00:00:00:00:00:0{rng.randint(1, 5)}")
    kind = rng.choice(["ip", "tcp", "udp", "tcp6", "arp", "icmp"])
    parts.append(kind)
    addresses = [
        f"10.{rng.randint(0, 4)}.{rng.randint(0, 3)}.{rng.randint(0, 3)}"
        for _ in range(2)
    ]
    if kind == "tcp6":
        parts.append(f"ipv6_dst=fe80::{rng.randint(1, 12)}")
    else:
        parts += [f"nw_src={addresses[0]}", f"nw_dst={addresses[1]}"]
    if kind in {"tcp", "udp", "tcp6"}:
        parts.append(f"tp_src={rng.choice([80, 8000, 40000, 7])}")
        parts.append(f"tp_dst={rng.choice([80, 443, 8001, 33000])}")
    return ",".join(parts)


@pytest.mark.parametrize("seed", range(6))
def test_megaflows_of_random_tables_are_as_wide_as_the_references(pair, seed):
    rng = random.Random(seed)
    pair.clear("brr")
    pair.add_flows("brr", random_flows(rng))
    for _ in range(40):
        assert_equal(pair, "brr", random_packet(rng))


@pytest.mark.parametrize("seed", range(6))
def test_random_pipelines_translate_alike(pair, seed):
    rng = random.Random(seed)
    tables = range(FIRST_TABLE, FIRST_TABLE + random_pipelines.N_TABLES)
    for line in random_pipelines.flows(rng):
        pair.add_flow_if_valid("br0", line)
    for _ in range(25):
        packet = random_pipelines.packet(rng)
        actions = f"resubmit(,{rng.choice(tables[:3])})"
        command = "ofproto/trace-packet-out"
        assert_equal(pair, "br0", packet, actions, command=command)
    for table in tables:
        pair.delete_flows("br0", f"table={table}")


@pytest.mark.parametrize("bridge", RANDOM_BRIDGES)
def test_random_vlan_settings_forward_alike(pair, bridge):
    rng = random.Random(bridge)
    for _ in range(30):
        parts = [f"in_port={rng.randint(1, 7)}", "dl_src=00:00:00:00:00:01"]
        destinations = ("00:00:00:00:00:02", "ff:ff:ff:ff:ff:ff", "01:80:c2:00:00:0e")
        parts.append("dl_dst=" + rng.choice(destinations))
        if rng.random() < 0.7:
            tci = rng.choice([0x1000, 0xF000]) | rng.choice(VIDS)
            parts.append(f"vlan_tci={tci:#x}")
            if rng.random() < 0.4:
                parts.append(f"vlan_tci1={0x1000 | rng.choice(VIDS[1:]):#x}")
        parts.append(rng.choice(["ip", "arp,arp_op=2", "dl_type=0x1234"]))
        assert_equal(pair, bridge, ",".join(parts))
