# SPDX-License-Identifier: Apache-2.0
"""Bundles: what they refuse, and that they happen as a whole or not at all."""

import random
import struct

import pytest
from connmgr_duel import Pair, ReferenceSwitch
from connmgr_switch import Peer, Settings, Switch
from helpers.programs import RunDir

from ovswitch.ofproto import bundles
from ovswitch.ofproto.ofproto import Ofproto
from ovswitch.ofproto.requests import bundle as requests
from ovswitch.openflow import codec, raws
from ovswitch.openflow import protocol as protocols
from ovswitch.openflow.actions.types import GotoTable, Group, Meter, Output
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.base import DEFAULT_CONTEXT
from ovswitch.openflow.messages.bundle import (
    ATOMIC,
    CLOSE_REQUEST,
    COMMIT_REPLY,
    COMMIT_REQUEST,
    DISCARD_REQUEST,
    OPEN_REQUEST,
    ORDERED,
    BundleAdd,
    BundleControl,
)
from ovswitch.openflow.messages.core import BarrierRequest, EchoRequest
from ovswitch.openflow.messages.flow_monitor import FlowMonitor, FlowMonitorRequest
from ovswitch.openflow.messages.flow_stats import FlowStatsRequest
from ovswitch.openflow.messages.packet_out import PacketOut
from ovswitch.openflow.messages.port import PortDescRequest, PortMod
from ovswitch.openflow.messages.role import SECONDARY, RoleRequest
from ovswitch.openflow.messages.table_features import TableFeaturesRequest
from ovswitch.openflow.parse.flow import parse_flow_mod

OF13, OF14, OF15 = 4, 5, 6
VERSIONS = (OF13, OF14, OF15)
ADD, MODIFY, MODIFY_STRICT, DELETE, DELETE_STRICT = range(5)
ALL_FLAGS = (0, ATOMIC, ORDERED, ATOMIC | ORDERED)
XID = 7

FLOWS = (
    (ADD, "priority=1,actions=drop"),
    (ADD, "table=1,priority=5,tcp,nw_src=10.0.0.0/8,actions=output:2"),
    (ADD, "cookie=0x33,priority=7,in_port=1,send_flow_rem,actions=output:2"),
)
ETHERNET = bytes.fromhex("ffffffffffff00112233445588b5") + bytes(46)


@pytest.fixture(scope="module")
def reference():
    with RunDir() as run_dir:
        yield ReferenceSwitch(run_dir)


@pytest.fixture(params=VERSIONS, ids=lambda version: f"OF1.{version - 1}")
def pair(request, reference):
    cleaner = reference.connect(OF13)
    cleaner.ask(flow(OF13, DELETE, ""))
    cleaner.close()
    made = Pair(reference, request.param)
    yield made
    made.reference.close()
    made.switch.ofproto.tables.check_invariants()


def flow(version, command, text, **changes):
    flow_mod, usable = parse_flow_mod(text, command)
    for name, value in changes.items():
        setattr(flow_mod, name, value)
    mine = protocols.of_version(version) & usable
    return codec.encode(flow_mod, version, XID, mine & -mine)


def add(version, message, flags=0, bundle_id=1):
    if not isinstance(message, bytes):
        message = codec.encode(message, version, XID)
    return codec.encode(BundleAdd(bundle_id, flags, message), version, XID)


def add_flow(version, command, text, flags=0, **changes):
    return add(version, flow(version, command, text, **changes), flags)


def publish(version, flags=0):
    """Return a message that does nothing.

    But it makes the reference look at what the bundle has added so far: its loose
    changes and overlap checks otherwise miss flows whose mask is new in the table.
    """
    return add(version, PacketOut(ETHERNET, 1), flags)


def _open(flags=0, bundle_id=1):
    return BundleControl(bundle_id, OPEN_REQUEST, flags)


def _close(flags=0, bundle_id=1):
    return BundleControl(bundle_id, CLOSE_REQUEST, flags)


def _commit(flags=0, bundle_id=1):
    return BundleControl(bundle_id, COMMIT_REQUEST, flags)


def _discard(flags=0, bundle_id=1):
    return BundleControl(bundle_id, DISCARD_REQUEST, flags)


def flows_of(peer):
    """Return the flows as (table, cookie, priority, packets), sorted."""
    (reply,) = peer.decoded(FlowStatsRequest())
    return sorted(
        (one.table_id, one.cookie, one.priority, one.packet_count)
        for one in reply.flows
    )


# Against the reference.


@pytest.mark.reference
@pytest.mark.parametrize("flags", ALL_FLAGS)
def test_a_bundle_is_carried_out(pair, flags):
    pair.compare(_open(flags))
    for command, text in FLOWS:
        assert pair.compare(add_flow(pair.version, command, text, flags)) == []
    assert len(pair.compare(FlowStatsRequest())) == 1
    pair.compare(_close(flags))
    pair.compare(_commit(flags))
    pair.compare(FlowStatsRequest())
    pair.compare(_commit(flags))


@pytest.mark.reference
def test_a_bundle_begins_with_its_first_message_too(pair):
    pair.compare(add_flow(pair.version, *FLOWS[0]), _commit())
    pair.compare(FlowStatsRequest())


@pytest.mark.reference
def test_a_discarded_bundle_does_nothing(pair):
    pair.compare(_open(), add_flow(pair.version, *FLOWS[0]), _discard(3))
    pair.compare(_discard(), _commit(), _close())
    pair.compare(FlowStatsRequest())


@pytest.mark.reference
def test_wrong_use_of_bundles(pair):
    message = add_flow(pair.version, *FLOWS[0])
    other_flags = add_flow(pair.version, *FLOWS[0], flags=2)
    for script in (
        (_open(), _open(), _commit()),
        (_open(1), _close(), _commit(1)),
        (_open(), _close(), _close(), _commit()),
        (_open(), _close(), message, _commit()),
        (_open(), other_flags, _commit()),
        (_open(3), _commit(2), _commit(3)),
        (_open(0xFFFF), _close(0xFFFF), _commit(0xFFFF)),
        (_open(), _open(bundle_id=2), _commit(), _commit(bundle_id=2)),
        (_close(), _commit(), _discard()),
        *((BundleControl(1, kind),) for kind in (1, 3, 5, 7)),
    ):
        pair.compare(*script)
        pair.compare(_discard())


@pytest.mark.reference
def test_messages_that_a_bundle_can_not_hold(pair):
    version = pair.version
    for message in (EchoRequest(b"x"), BarrierRequest(), TableFeaturesRequest()):
        pair.compare(add(version, message))
    good = flow(version, *FLOWS[0])
    for changed in (
        good[:4] + struct.pack("!I", 8) + good[8:],  # another transaction
        bytes([version - 1]) + good[1:],
        good[:1] + b"\x63" + good[2:],  # no such type
        good[:2] + b"\0\7" + good[4:],
        good[:2] + struct.pack("!H", len(good) + 1) + good[4:],
        good[:2] + struct.pack("!H", len(good) - 1) + good[4:],
        good + bytes(8),  # properties
        good[:20],
        good[:7],
        b"",
    ):
        pair.compare(add(version, changed))
    pair.compare(_commit())
    pair.compare(FlowStatsRequest())
    raw = raws.find("BUNDLE_CONTROL", version)
    pair.compare(raws.put(raw, version, XID, bytes(7)))
    pair.compare(raws.put(raw, version, XID, bytes(9)))
    raw = raws.find("BUNDLE_ADD_MESSAGE", version)
    pair.compare(raws.put(raw, version, XID, bytes(7)))
    pair.compare(raws.put(raw, version, XID, bytes(8)))


@pytest.mark.reference
def test_flow_mods_that_are_refused_when_they_are_added(pair):
    version = pair.version
    bad_command = flow(version, DELETE, "")
    pair.compare(
        _open(),
        add_flow(version, ADD, "actions=drop", table_id=254),
        add_flow(version, ADD, "actions=drop", buffer_id=77),
        add_flow(version, MODIFY, "actions=drop", buffer_id=77),
        add_flow(version, DELETE, "", buffer_id=77),
        add_flow(version, ADD, "table=3,actions=drop", actions=(GotoTable(3),)),
        add(version, bad_command[:25] + b"\x09" + bad_command[26:]),
        _commit(),
    )
    pair.compare(FlowStatsRequest())


@pytest.mark.reference
@pytest.mark.parametrize("flags", [0, ATOMIC])
def test_all_is_taken_back_when_one_fails(pair, flags):
    version = pair.version
    for command, text in FLOWS:
        pair.compare(flow(version, command, text))
    before = pair.compare(FlowStatsRequest())
    pair.compare(
        _open(flags),
        add_flow(version, ADD, "priority=9,actions=drop", flags),
        add_flow(version, ADD, "priority=1,actions=output:1", flags),
        add_flow(version, MODIFY, "table=1,actions=output:1", flags),
        add_flow(version, DELETE, "cookie=0x33/-1", flags),
        add_flow(version, ADD, "priority=9,dl_vlan=3,actions=drop", flags),
        publish(version, flags),
        add_flow(version, ADD, "priority=9,in_port=1,check_overlap,actions=1", flags),
        _commit(flags),
    )
    assert pair.compare(FlowStatsRequest()) == before


@pytest.mark.reference
def test_actions_are_checked_when_the_bundle_is_committed(pair):
    for action in (Group(5), Meter(77)):
        if isinstance(action, Meter) and pair.version == OF13:
            continue
        message = add_flow(pair.version, ADD, "actions=drop", actions=(action,))
        pair.compare(add_flow(pair.version, *FLOWS[1]), message)
        pair.compare(_commit())
    pair.compare(FlowStatsRequest())


@pytest.mark.reference
@pytest.mark.parametrize("flags", [0, ATOMIC])
def test_ports_change_unless_all_must_happen_at_once(pair, flags):
    version = pair.version
    addresses = {port.ofp_port: port.hw_addr for port in _ports(pair)}
    bad_port = PortMod(99, 0, 0x10, 0x10)
    bad_address = PortMod(1, 5, 0x10, 0x10)
    good = PortMod(1, addresses[1], 0x10, 0x10)
    for messages in ((good,), (bad_port,), (good, bad_address)):
        pair.compare(add(version, flow(version, *FLOWS[1]), flags))
        pair.compare(*(add(version, message, flags) for message in messages))
        pair.compare(_commit(flags))
        pair.compare(FlowStatsRequest(), PortDescRequest())
    pair.compare(PortMod(1, addresses[1], 0, 0x10))


def _ports(pair):
    return list(pair.switch.ofproto.ports.values())


@pytest.mark.reference
def test_packets_meet_what_earlier_messages_did(pair):
    version = pair.version
    to_table = parse_flow_mod("actions=resubmit(,0)", ADD)[0].actions
    packet = add(version, PacketOut(ETHERNET, 1, to_table))
    pair.compare(
        add_flow(version, ADD, "priority=1,actions=output:2"),
        packet,
        add_flow(version, ADD, "priority=2,actions=output:2"),
        packet,
        packet,
        _commit(),
    )
    pair.compare(FlowStatsRequest())
    pair.compare(packet, packet, add_flow(version, ADD, "actions=group:4"), _commit())
    pair.compare(FlowStatsRequest())
    pair.compare(add_flow(version, ADD, "priority=3,actions=resubmit(,0)"), packet)
    pair.compare(_commit())
    pair.compare(FlowStatsRequest())
    pair.compare(add(version, PacketOut(b"", 1, (Output(2),))), _commit())


@pytest.mark.reference
def test_what_packets_teach_is_part_of_the_bundle(pair):
    """The reference forgets to take back flows that a modify command added."""
    version = pair.version
    learn = "actions=learn(table=2,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],"
    learn += "load:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15])"
    to_table = parse_flow_mod("actions=resubmit(,0)", ADD)[0].actions
    packet = add(version, PacketOut(ETHERNET, 1, to_table))
    pair.compare(flow(version, ADD, learn))
    pair.compare(packet, add_flow(version, ADD, "actions=group:4"), _commit())
    assert len(flows_of(pair.ours)) == 1
    pair.compare(flow(version, DELETE, "table=2"))
    pair.compare(packet, add_flow(version, DELETE, "table=2,cookie=1/1"), _commit())
    pair.compare(FlowStatsRequest())
    pair.compare(packet, add_flow(version, DELETE, "table=2"), packet, _commit())
    pair.compare(FlowStatsRequest())


@pytest.mark.reference
def test_monitors_hear_of_bundles_that_succeed(pair):
    version = pair.version
    request = FlowMonitorRequest([FlowMonitor(5, flags=0x3F)])
    pair.compare_monitors(codec.encode(request, version, 3))
    for command, text in FLOWS:
        pair.compare(flow(version, command, text))
    script = (
        add_flow(version, ADD, "priority=9,actions=drop"),
        add_flow(version, MODIFY, "table=1,actions=output:1"),
        add_flow(version, DELETE, "cookie=0x33/-1"),
    )
    pair.compare(*script, _commit())
    pair.compare(*script, add_flow(version, ADD, "actions=group:4"), _commit())


@pytest.mark.reference
def test_random_bundles(pair):
    """Whole scripts of flow mods: the same flows and answers at the end of each."""
    chance = random.Random(pair.version)
    for _ in range(25):
        script = []
        for _ in range(8):
            script += _random_flow(chance, pair.version), publish(pair.version)
        pair.compare(_open(), *script)
        pair.compare(_commit())
        pair.compare(FlowStatsRequest())
        pair.switch.ofproto.tables.check_invariants()


def _random_flow(chance, version):
    command = chance.choice((ADD, ADD, ADD, MODIFY, MODIFY_STRICT, DELETE))
    match = chance.choice(("", ",in_port=1", ",tcp", ",tcp,tp_dst=80", ",dl_vlan=3"))
    text = f"table={chance.randrange(2)}{match}"
    if command == DELETE:
        return add_flow(version, command, text)
    text += f",cookie={chance.randrange(3)}" if command == ADD else ""
    if command != MODIFY:
        text += f",priority={chance.randrange(3)}"
    if command == ADD and not chance.randrange(4):
        text += ",check_overlap"
    actions = chance.choice(("drop", "output:1", "output:2", "output:1,output:2"))
    if not chance.randrange(30):
        actions = "group:9"
    return add_flow(version, command, f"{text},actions={actions}")


# Alone.


def test_a_failed_bundle_leaves_no_trace(switch):
    """Indexes, statistics, learned flows: all as before; nobody was told."""
    peer = Peer(switch, OF14, settings=Settings(is_primary=True))
    learning = "cookie=9,actions=learn(table=3,delete_learned,cookie=0x55,in_port=1)"
    for text in (learning, *(text for _, text in FLOWS)):
        peer.ask(flow(OF14, ADD, text))
    peer.ask(flow(OF14, ADD, "table=3,cookie=0x55,actions=drop"))
    tables = switch.ofproto.tables
    before = {id(rule): repr(rule) for rule in tables.rules()}
    replies = peer.ask(
        add_flow(OF14, DELETE, ""),
        *(add_flow(OF14, command, text) for command, text in FLOWS),
        add_flow(OF14, MODIFY, "actions=output:2"),
        add_flow(OF14, ADD, "actions=group:4"),
        _commit(),
    )
    names = [codec.decode(octets).name for octets in replies]
    assert names == ["OFPBAC_BAD_OUT_GROUP", "OFPBFC_MSG_FAILED"]
    assert {id(rule): repr(rule) for rule in tables.rules()} == before
    tables.check_invariants()
    assert all(rule.replaced_by is None for rule in tables.rules())
    peer.ask(flow(OF14, DELETE, "cookie=9/-1"))
    assert 0x55 not in {rule.cookie for rule in tables.rules()}
    tables.check_invariants()


def test_a_bug_in_the_middle_takes_all_back(switch, monkeypatch):
    """Whatever is raised: the tables are as before and work on."""
    peer = Peer(switch, OF14)
    peer.ask(flow(OF14, ADD, "priority=3,actions=drop"))
    peer.ask(add_flow(OF14, DELETE, ""), add_flow(OF14, ADD, "actions=group:1"))
    with monkeypatch.context() as patch:
        tables = switch.ofproto.tables
        patch.setattr(tables, "group_exists", lambda group_id: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            peer.ask(_commit())
    assert [row[2] for row in flows_of(peer)] == [3]
    peer.ask(add_flow(OF14, DELETE, ""), _commit())
    assert flows_of(peer) == []


def test_flow_removed_comes_before_the_reply(switch):
    peer = Peer(switch, OF14, settings=Settings(is_primary=True))
    peer.ask(flow(OF14, ADD, "priority=7,send_flow_rem,actions=drop"))
    removed, reply = peer.decoded(add_flow(OF14, DELETE, ""), _commit())
    assert removed.type == "FLOW_REMOVED"
    assert (reply.type, reply.kind) == ("BUNDLE_CONTROL", COMMIT_REPLY)


def test_bundles_expire(switch):
    peer = Peer(switch, OF14)
    peer.ask(add_flow(OF14, *FLOWS[0]))
    assert switch.connmgr.deadline() == switch.now + 10_000
    switch.run(9_999)
    assert peer.take() == []
    peer.ask(add_flow(OF14, *FLOWS[1]))
    switch.run(9_999)
    assert peer.take() == []
    switch.run(1)
    (error,) = (codec.decode(octets) for octets in peer.take())
    assert error.name == "OFPBFC_TIMEOUT"
    assert error.payload == add_flow(OF14, *FLOWS[0])
    assert switch.connmgr.deadline() is None
    switch.connmgr.bundle_idle_timeout = 2_000
    peer.ask(_open())
    switch.run(2_000)
    assert [codec.decode(octets).name for octets in peer.take()] == ["OFPBFC_TIMEOUT"]


def test_secondary_controllers_have_no_bundles(switch):
    peer = Peer(switch, OF14, settings=Settings(is_primary=True))
    peer.ask(RoleRequest(SECONDARY, 1))
    errors = peer.decoded(_open(), add_flow(OF14, *FLOWS[0]))
    assert [error.name for error in errors] == ["OFPBRC_IS_SECONDARY"] * 2


def test_a_full_table_gives_up_flows_only_if_the_bundle_succeeds(switch):
    peer = Peer(switch, OF14)
    table = switch.ofproto.tables.tables[0]
    table.eviction = True
    peer.ask(flow(OF14, ADD, "priority=3,idle_timeout=5,actions=drop"))
    table.max_flows = 1
    script = [add_flow(OF14, ADD, "priority=4,actions=drop")]
    peer.ask(*script, add_flow(OF14, ADD, "priority=5,actions=drop"), _commit())
    assert [row[2] for row in flows_of(peer)] == [3]
    peer.ask(*script, _commit())
    assert [row[2] for row in flows_of(peer)] == [4]
    switch.ofproto.tables.check_invariants()


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_kept_is_bounded(switch, version, monkeypatch):
    monkeypatch.setattr(bundles, "MAX_BUNDLES", 2)
    monkeypatch.setattr(bundles, "MAX_MESSAGES", 3)
    peer = Peer(switch, version)
    replies = peer.decoded(_open(), _open(bundle_id=2), _open(bundle_id=3))
    assert [reply.type for reply in replies] == ["BUNDLE_CONTROL"] * 2 + ["ERROR"]
    assert replies[2].name == "OFPBFC_OUT_OF_BUNDLES"
    message = add_flow(version, *FLOWS[0])
    errors = peer.decoded(*[message] * 5)
    assert [error.name for error in errors] == ["OFPBFC_MSG_TOO_MANY"] * 2
    peer.ask(_discard())
    monkeypatch.setattr(bundles, "MAX_SIZE", len(message))
    errors = peer.decoded(message, message)
    assert [error.name for error in errors] == ["OFPBFC_MSG_TOO_MANY"]


def test_unknown_kinds_of_control_are_refused(switch):
    (error,) = Peer(switch, OF14).decoded(BundleControl(1, 99))
    assert error.name == "OFPBFC_BAD_TYPE"


def test_random_octets_for_bundles():
    """Only OpenFlow errors come of broken messages."""
    chance = random.Random(4)
    switch = Switch()
    (ofconn,) = (switch.connmgr.connections[Peer(switch, OF14)],)
    good = add_flow(OF14, *FLOWS[1])
    for _ in range(2000):
        octets = bytearray(good)
        for _ in range(chance.randrange(1, 4)):
            octets[chance.randrange(8, len(octets))] = chance.randrange(256)
        try:
            codec.decode(bytes(octets), DEFAULT_CONTEXT)
            requests._add(ofconn, requests.Request(ofconn, [bytes(octets)]))
        except OpenFlowError:
            pass


@pytest.fixture
def long_commit(switch, monkeypatch):
    """A function that begins a commit of several parts; returns its peer."""
    monkeypatch.setattr(requests, "_PART", 2)

    def begin(*last):
        peer = Peer(switch, OF14)
        flows = [(ADD, f"priority={n},actions=drop") for n in range(1, 6)]
        for command, text in (*flows, *last):
            peer.ask(add_flow(OF14, command, text))
        octets = codec.encode(_commit(), OF14, XID)
        switch.connmgr.receive(peer, octets)
        assert peer.take() == []
        return peer

    return begin


def n_flows(switch):
    return switch.ofproto.tables.tables[0].n_flows


def test_a_long_commit_lets_others_wait_until_it_is_complete(switch, long_commit):
    other = Peer(switch, OF14, "other")
    peer = long_commit()
    assert switch.backer.n_commits == 1
    assert switch.connmgr.must_wait(other)
    assert not switch.connmgr.must_wait(peer)
    parts = 1
    while switch.connmgr.resume(peer):
        parts += 1
    assert parts == 4  # a pause after every second entry, to start and to finish
    assert n_flows(switch) == 5
    assert switch.backer.n_commits == 0
    assert not switch.connmgr.must_wait(other)
    assert [codec.decode(one).kind for one in peer.take()] == [COMMIT_REPLY]


def test_a_long_commit_that_fails_late_leaves_nothing(switch, long_commit):
    peer = long_commit((ADD, "actions=group:1"))
    while switch.connmgr.resume(peer):
        pass
    errors = [codec.decode(one).name for one in peer.take()]
    assert errors == ["OFPBAC_BAD_OUT_GROUP", "OFPBFC_MSG_FAILED"]
    assert n_flows(switch) == switch.backer.n_commits == 0
    switch.ofproto.tables.check_invariants()


def test_a_long_commit_is_completed_though_its_peer_goes(switch, long_commit):
    switch.connmgr.disconnect(long_commit())
    assert n_flows(switch) == 5
    assert switch.backer.n_commits == 0


def test_a_message_behind_a_long_commit_meets_all_of_it(switch, long_commit):
    peer = long_commit()
    replies = [codec.decode(one) for one in peer.ask(FlowStatsRequest())]
    assert replies[0].kind == COMMIT_REPLY
    assert len(replies[1].flows) == 5


@pytest.mark.parametrize("fails", [True, False])
def test_flows_learned_behind_a_patch_go_with_a_failed_bundle(switch, fails):
    other = Ofproto("br1", switch.backer)
    for ofproto, name, peer in (
        (switch.ofproto, "to1", "to0"), (other, "to0", "to1")
    ):  # fmt: skip
        ofproto.port_add(name, None, netdev_type="patch", ofp_port=9, peer_name=peer)
    flow_mod, _ = parse_flow_mod("actions=learn(table=4,in_port=NXM_OF_IN_PORT[])", 0)
    other.add_flow(flow_mod.match, 5, flow_mod.actions)
    peer = Peer(switch, OF14)
    packet_out = PacketOut(ETHERNET, 1, actions=(Output(9),))
    assert peer.ask(add(OF14, packet_out)) == []
    if fails:
        peer.ask(add_flow(OF14, ADD, "actions=group:1"))
    peer.ask(_commit())
    assert other.tables.tables[4].n_flows == (not fails)
    other.tables.check_invariants()
