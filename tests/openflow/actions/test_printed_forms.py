# SPDX-License-Identifier: Apache-2.0
"""What becomes of actions that go through the wire of several versions.

The table is the list of canonical forms in the description of the reference's surface:
text, then how OpenFlow 1.0, 1.3 and 1.5 print it.
"""

import pytest

from ovswitch.flow.fields import FIELDS
from ovswitch.flow.match import MATCH_ALL
from ovswitch.flow.parse import set_field, set_protocol
from ovswitch.openflow import actions
from ovswitch.openflow import protocol as protocols

VERSIONS = (1, 4, 6)

SAME = (
    "output:1",
    "output(port=1,max_len=100)",
    "controller(userdata=01.02,pause)",
    "controller(meter_id=3)",
    "bundle(eth_src,0,hrw,ofport,members:4,8)",
    "group:5",
    "push_mpls:0x8847",
    "delete_field:tun_metadata0",
    "set_queue:5",
    "pop_queue",
    "ct_clear",
    "resubmit(,5)",
    "resubmit:3",
    "exit",
    "conjunction(1,1/2)",
    "sample(probability=5,collector_set_id=1,obs_domain_id=2,obs_point_id=3)",
    "drop",
)

ALL = (
    ("1", "output:1"),
    ("output:reg0[0..15]", "output:NXM_NX_REG0[0..15]"),
    ("normal", "NORMAL"),
    ("flood", "FLOOD"),
    ("all", "ALL"),
    ("local", "LOCAL"),
    ("in_port", "IN_PORT"),
    ("controller", "CONTROLLER:65535"),
    ("controller:100", "CONTROLLER:100"),
    (
        "controller(max_len=10,reason=no_match,id=5)",
        "controller(reason=no_match,max_len=10,id=5)",
    ),
    (
        "bundle(eth_src,0,hrw,ofport,slaves:4,8)",
        "bundle(eth_src,0,hrw,ofport,members:4,8)",
    ),
    (
        "bundle_load(symmetric_l3l4+udp,0,active_backup,ofport,reg0,members:4,8)",
        "bundle_load(symmetric_l3l4+udp,0,active_backup,ofport,NXM_NX_REG0[],"
        "members:4,8)",
    ),
    ("move:reg0[0..3]->reg1[0..3]", "move:NXM_NX_REG0[0..3]->NXM_NX_REG1[0..3]"),
    (
        "check_pkt_larger(1500)->reg0[0]",
        "check_pkt_larger(1500)->NXM_NX_REG0[0]",
    ),
    (
        "learn(table=1,idle_timeout=1,hard_timeout=2,priority=3,cookie=4,"
        "send_flow_rem,delete_learned,limit=5,result_dst=reg0[0],fin_idle_timeout=1,"
        "fin_hard_timeout=1,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],load:1->reg1,"
        "output:in_port)",
        "learn(table=1,idle_timeout=1,hard_timeout=2,fin_idle_timeout=1,"
        "fin_hard_timeout=1,priority=3,send_flow_rem,delete_learned,cookie=0x4,"
        "limit=5,result_dst=NXM_NX_REG0[0],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],"
        "load:0x1->NXM_NX_REG1[],output:NXM_OF_IN_PORT[])",
    ),
    ("clone(1,2)", "clone(output:1,output:2)"),
    ("push:reg0", "push:NXM_NX_REG0[]"),
    ("pop:reg0", "pop:NXM_NX_REG0[]"),
    (
        "multipath(eth_src,50,modulo_n,1,0,reg0)",
        "multipath(eth_src,50,modulo_n,1,0,NXM_NX_REG0[])",
    ),
    (
        "multipath(nw_src,50,iter_hash,4,16,reg0[0..7])",
        "multipath(nw_src,50,iter_hash,4,16,NXM_NX_REG0[0..7])",
    ),
    ("note:00.11", "note:00.11.00.00.00.00"),
    ("write_metadata:5/7", "write_metadata:0x5/0x7"),
)

BY_VERSION = (
    ("enqueue(1,2)", "enqueue:1:2", "set_queue:2,output:1,pop_queue", None),
    ("push_vlan:0x88a8", None, "push_vlan:0x88a8", None),
    ("set_vlan_vid:5", "mod_vlan_vid:5", None, None),
    (
        "mod_vlan_vid:5",
        "mod_vlan_vid:5",
        "push_vlan:0x8100,set_field:4101->vlan_vid",
        None,
    ),
    (
        "mod_dl_src:00:00:00:00:00:01",
        "mod_dl_src:00:00:00:00:00:01",
        "set_field:00:00:00:00:00:01->eth_src",
        None,
    ),
    (
        "load:1->reg0[0..3]",
        "load:0x1->NXM_NX_REG0[0..3]",
        "load:0x1->NXM_NX_REG0[0..3]",
        "set_field:0x1/0xf->reg0",
    ),
    ("set_tunnel:5", "set_tunnel:0x5", "set_field:0x5->tun_id", None),
    ("set_tunnel64:5", "set_tunnel64:0x5", "set_field:0x5->tun_id", None),
    ("clear_actions", "drop", "clear_actions", None),
    ("write_actions(1)", "drop", "write_actions(output:1)", None),
    ("goto_table:5", "resubmit(,5)", "goto_table:5", None),
    ("meter:1", None, "meter:1", None),
)

VLAN = (
    ("strip_vlan", "strip_vlan", "pop_vlan", None),
    ("pop_vlan", "strip_vlan", "pop_vlan", None),
    ("mod_vlan_vid:5", "mod_vlan_vid:5", "set_field:4101->vlan_vid", None),
    ("set_vlan_pcp:1", "mod_vlan_pcp:1", "set_field:1->vlan_pcp", None),
)

IP = (
    ("dec_ttl(1,2)", "dec_ttl(1,2)", "dec_ttl(1,2)", None),
    ("dec_ttl", "dec_ttl", "dec_ttl", None),
    ("mod_nw_src:1.2.3.4", "mod_nw_src:1.2.3.4", "set_field:1.2.3.4->ip_src", None),
    ("mod_nw_tos:4", "mod_nw_tos:4", "set_field:1->ip_dscp", None),
    ("mod_nw_ttl:5", "load:0x5->NXM_NX_IP_TTL[]", "mod_nw_ttl:5", None),
    ("mod_nw_ecn:1", "load:0x1->NXM_NX_IP_ECN[]", "set_field:1->nw_ecn", None),
)

MPLS = (
    ("set_mpls_label:5", "set_mpls_label(5)", "set_field:5->mpls_label", None),
    ("set_mpls_tc:1", "set_mpls_tc(1)", "set_field:1->mpls_tc", None),
    ("set_mpls_ttl:5", "set_mpls_ttl(5)", "set_mpls_ttl(5)", None),
    ("pop_mpls:0x800", "pop_mpls:0x0800", "pop_mpls:0x0800", None),
)


def through_the_wire(text, version, match=MATCH_ALL):
    """Return how `version` prints actions that were read as `text`."""
    found, _ = actions.parse(text)
    found = actions.check(found, match, protocols.of_version(version), table_id=0)
    octets = actions.encode(found, version, instructions=True)
    assert len(octets) % 8 == 0
    again = actions.decode(octets, version, instructions=True)
    again = actions.check(again, match, protocols.of_version(version), table_id=0)
    assert actions.encode(again, version, instructions=True) == octets
    return actions.format_actions(again)


@pytest.mark.parametrize("text", SAME)
@pytest.mark.parametrize("version", VERSIONS)
def test_some_actions_stay_as_they_are(text, version):
    assert through_the_wire(text, version) == text


@pytest.mark.parametrize(("text", "printed"), ALL)
@pytest.mark.parametrize("version", VERSIONS)
def test_some_actions_print_the_same_in_every_version(text, printed, version):
    assert through_the_wire(text, version) == printed


def check_row(row, match=MATCH_ALL):
    text, *printed = row
    if printed[2] is None:
        printed[2] = printed[1]
    for version, expected in zip(VERSIONS, printed, strict=True):
        if expected is not None:
            assert through_the_wire(text, version, match) == expected


@pytest.mark.parametrize("row", BY_VERSION)
def test_some_actions_depend_on_the_version(row):
    check_row(row)


@pytest.mark.parametrize("row", VLAN)
def test_actions_on_vlans(row):
    check_row(row, set_field(MATCH_ALL, FIELDS["dl_vlan"], "5")[0])


@pytest.mark.parametrize("row", IP)
def test_actions_on_ip(row):
    check_row(row, set_protocol(MATCH_ALL, "ip"))


@pytest.mark.parametrize("row", MPLS)
def test_actions_on_mpls(row):
    check_row(row, set_protocol(MATCH_ALL, "mpls"))


@pytest.mark.parametrize(
    "text",
    [
        "encap(nsh(md_type=1))",
        "encap(nsh(md_type=2,tlv(0x1000,10,0x12345678)))",
        "encap(ethernet)",
        "decap(packet_type(ns=1,type=0x800))",
        "decap()",
    ],
)
@pytest.mark.parametrize("version", [4, 6])
def test_encapsulation_needs_openflow_13(text, version):
    found, _ = actions.parse(text)
    octets = actions.encode(found, version, instructions=True)
    again = actions.decode(octets, version, instructions=True)
    assert actions.format_actions(again) == text
