# SPDX-License-Identifier: Apache-2.0
"""Random tables of flows with actions of all kinds, and packets for them."""

from __future__ import annotations

FIRST_TABLE = 50
N_TABLES = 8

ANY = [
    "output:1",
    "output:2",
    "output:3",
    "IN_PORT",
    "LOCAL",
    "FLOOD",
    "ALL",
    "NORMAL",
    "CONTROLLER:99",
    "output:9",
    "controller(max_len=10,reason=no_match,id=3)",
    "mod_dl_src:00:00:00:00:00:55",
    "mod_dl_dst:00:00:00:00:00:0a",
    "set_field:01:02:03:04:05:06->eth_dst",
    "push_vlan:0x8100",
    "push_vlan:0x88a8",
    "strip_vlan",
    "set_field:4101->vlan_vid",
    "set_field:3->vlan_pcp",
    "load:0x1007->NXM_OF_VLAN_TCI[]",
    "load:0->NXM_OF_VLAN_TCI[]",
    "push_mpls:0x8847",
    "load:5->NXM_OF_VLAN_TCI[0..11]",
    "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]",
    "move:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15]",
    "load:0xff->NXM_NX_REG3[4..11]",
    "set_field:7->reg1",
    "set_field:0x1234/0xff->metadata",
    "set_field:0x7->tun_id",
    "set_queue:3",
    "pop_queue",
    "set_field:9->pkt_mark",
    "move:NXM_NX_REG0[0..11]->NXM_OF_VLAN_TCI[0..11]",
    "push:NXM_NX_REG0[]",
    "pop:NXM_NX_REG4[]",
    "push:NXM_OF_ETH_SRC[]",
    "pop:NXM_OF_ETH_DST[]",
    "resubmit(,{t})",
    "resubmit(,{t})",
    "resubmit(,{t})",
    "resubmit(2,{t})",
    "resubmit(CONTROLLER,{t})",
    "clone({a},{a})",
    "clone(output:3)",
    "note:01.02.03",
    "exit",
    "output(port=2,max_len=80)",
    "output:NXM_NX_REG0[0..15]",
    "multipath(eth_src,50,modulo_n,4,0,NXM_NX_REG2[0..7])",
    "multipath(symmetric_l4,1,hrw,9,0,NXM_NX_REG2[0..7])",
    "multipath(symmetric_l3l4+udp,1,hash_threshold,9,0,NXM_NX_REG2[0..7])",
    "multipath(symmetric_l3,1,iter_hash,9,0,NXM_NX_REG2[0..7])",
    "bundle(eth_src,0,hrw,ofport,members:1,2,3)",
    "bundle_load(symmetric_l4,0,hrw,ofport,NXM_NX_REG5[0..15],members:1,2,3)",
    "bundle(eth_src,0,active_backup,ofport,members:77,3,2)",
    "check_pkt_larger(500)->NXM_NX_REG0[0]",
    "debug_slow",
    "debug_recirc",
    "set_field:5->reg7",
    "learn(table={t},priority=3,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])",
]
OF_PROTOCOL = {
    "ip": [
        "mod_nw_src:9.9.9.9",
        "mod_nw_dst:10.1.0.9",
        "set_field:10.0.0.0/255.0.0.0->ip_dst",
        "mod_nw_tos:16",
        "mod_nw_ecn:2",
        "mod_nw_ttl:7",
        "dec_ttl",
        "dec_ttl(1,2)",
        "ct(commit)",
        "move:NXM_OF_IP_SRC[]->NXM_OF_IP_DST[]",
        "load:1->NXM_OF_IP_TOS[2..4]",
        "ct(commit,force,exec(set_field:7->ct_label))",
        "ct(commit,nat(src=1.1.1.1))",
    ],
    "tcp": [
        "mod_tp_src:77",
        "mod_tp_dst:78",
        "move:NXM_OF_TCP_SRC[]->NXM_OF_TCP_DST[]",
        "load:3->NXM_OF_TCP_DST[4..7]",
        "fin_timeout(idle_timeout=3,hard_timeout=4)",
    ],
    "ipv6": [
        "set_field:fe80::77->ipv6_src",
        "set_field:5->ipv6_label",
        "set_field:3->nw_ecn",
        "dec_ttl",
        "move:NXM_NX_IPV6_SRC[0..63]->NXM_NX_IPV6_DST[64..127]",
        "set_field:44->nw_ttl",
    ],
    "mpls": [
        "pop_mpls:0x0800",
        "pop_mpls:0x86dd",
        "pop_mpls:0x8847",
        "set_field:44->mpls_label",
        "set_field:2->mpls_tc",
        "dec_mpls_ttl",
        "move:OXM_OF_MPLS_LABEL[]->NXM_NX_REG0[0..19]",
    ],
    "arp": [
        "set_field:2->arp_op",
        "set_field:1.2.3.4->arp_spa",
        "move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[]",
        "set_field:00:00:00:00:00:01->arp_sha",
    ],
}
MATCHES = [
    "in_port=1",
    "reg0=1/1",
    "reg1=7",
    "vlan_tci=0x1000/0x1000",
    "dl_vlan=5",
    "metadata=0x34/0xff",
    "reg3=0/0xf0",
    "dl_dst=01:00:00:00:00:00/01:00:00:00:00:00",
    "vlan_tci=0",
    "tun_id=7",
    "reg7=5",
]
PROTOCOL_MATCHES = {
    "tcp": ["tp_dst=80", "tp_src=0x3e0/0xffe0", "tcp_flags=+syn", "nw_src=10.0.0.0/9"],
    "ip": [
        "nw_src=10.0.0.1",
        "nw_dst=10.0.0.0/30",
        "nw_frag=first",
        "nw_frag=not_later",
        "nw_ttl=1",
        "nw_tos=16",
    ],
}
ACTION_SETS = (
    "output:2", "set_field:1->reg0", "set_field:00:00:00:00:00:0c->eth_src", "output:3",
    "push_vlan:0x8100",
)  # fmt: skip


def _action(rng, protocol, table, inner=False):
    pool = ANY + OF_PROTOCOL.get(protocol, []) * 3
    if protocol == "tcp":
        pool = pool + OF_PROTOCOL["ip"]
    action = rng.choice(pool)
    if inner and "clone" in action:
        return "output:1"
    later = [table + 1, table + 1, table + 2, FIRST_TABLE + rng.randrange(N_TABLES)]
    action = action.replace("{t}", str(rng.choice(later)))
    while "{a}" in action:
        action = action.replace("{a}", _action(rng, protocol, table, inner=True), 1)
    return action


def flows(rng):
    """Return flows, some of which aren't valid."""
    lines = {}
    for table in range(FIRST_TABLE, FIRST_TABLE + N_TABLES):
        for _ in range(rng.randint(2, 5)):
            protocol = rng.choice(["", "", "ip", "tcp", "ipv6", "mpls", "arp"])
            parts = [f"table={table},priority={rng.randint(1, 9)}", protocol]
            if rng.random() < 0.3:
                parts.append(rng.choice(MATCHES))
            if protocol in PROTOCOL_MATCHES and rng.random() < 0.4:
                parts.append(rng.choice(PROTOCOL_MATCHES[protocol]))
            match = ",".join(filter(None, parts))
            actions = [_action(rng, protocol, table) for _ in range(rng.randint(1, 5))]
            if rng.random() < 0.15:
                written = ",".join(rng.sample(ACTION_SETS, 2))
                actions.append(f"write_actions({written})")
            if rng.random() < 0.15 and table < FIRST_TABLE + N_TABLES - 1:
                actions.append(f"goto_table:{table + 1}")
            lines[match] = f"{match},actions=" + ",".join(actions)
    return list(lines.values())


def packet(rng):
    """Return a packet, as ofproto/trace takes it."""
    parts = ["in_port=" + rng.choice(["1", "2", "3", "9", "LOCAL", "CONTROLLER"])]
    if rng.random() < 0.3:
        parts.append(rng.choice(["vlan_tci=0x1005", "vlan_tci=0x3005"]))
    parts.append(f"dl_src=00:00:00:00:00:0{rng.randint(1, 5)}")
    destinations = ["00:00:00:00:00:0b", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:02"]
    parts.append("dl_dst=" + rng.choice([*destinations, "01:80:c2:00:00:01"]))
    protocol = rng.choice(
        [
            "ip",
            "tcp",
            "tcp",
            "udp",
            "tcp6",
            "arp",
            "icmp",
            "mpls",
            "icmp6",
            "sctp",
            "dl_type=0x88cc",
        ]
    )
    parts.append(protocol)
    fragment = ""
    if protocol in {"ip", "tcp", "udp", "icmp", "sctp"}:
        parts.append(f"nw_src=10.0.0.{rng.randint(1, 3)}")
        parts.append(f"nw_dst=10.0.0.{rng.randint(1, 3)}")
        parts.append(f"nw_ttl={rng.choice([0, 1, 64])}")
        if rng.random() < 0.15:
            fragment = rng.choice(["first", "later"])
            parts.append(f"nw_frag={fragment}")
    if protocol in {"tcp", "udp", "tcp6", "sctp"} and fragment != "later":
        parts.append(f"tp_src={rng.choice([1000, 80])}")
        parts.append(f"tp_dst={rng.choice([80, 99])}")
    if protocol == "mpls":
        parts.append(f"mpls_label={rng.randint(1, 99)}")
        parts.append(f"mpls_ttl={rng.choice([1, 64])},mpls_bos={rng.randint(0, 1)}")
    if protocol in {"tcp6", "icmp6"}:
        parts.append(f"ipv6_src=fe80::{rng.randint(1, 3)}")
        parts.append(f"ipv6_dst=ff02::{rng.randint(1, 3)},nw_ttl={rng.choice([1, 64])}")
    if protocol == "arp":
        parts.append(f"arp_op={rng.choice([1, 2])},arp_spa=1.1.1.1,arp_tpa=1.1.1.2")
    return ",".join(parts)
