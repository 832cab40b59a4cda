# SPDX-License-Identifier: Apache-2.0
"""What the switch says by itself, to whom, and how much of it."""

import pytest
from connmgr_switch import Peer, Settings

from ovswitch.flow.layout import SLOTS
from ovswitch.ofproto.packet_in import PacketInEvent
from ovswitch.openflow import codec
from ovswitch.openflow.messages import async_config, core
from ovswitch.openflow.messages.flow_monitor import (
    FlowMonitor,
    FlowMonitorReply,
    FlowMonitorRequest,
)
from ovswitch.openflow.messages.flow_removed import FlowRemoved
from ovswitch.openflow.messages.packet_in import (
    NXT,
    NXT2,
    OFPR_ACTION,
    OFPR_IMPLICIT_MISS,
    OFPR_INVALID_TTL,
    STANDARD,
    PacketIn,
)
from ovswitch.openflow.messages.port import PortMod, PortStatus
from ovswitch.openflow.messages.role import PRIMARY, SECONDARY, RoleRequest, RoleStatus
from ovswitch.openflow.messages.table import ON, TableMod, TableStatus
from ovswitch.openflow.parse.flow import parse_flow_mod
from ovswitch.openflow.version import VERSIONS

ADD, MODIFY, MODIFY_STRICT, DELETE, DELETE_STRICT = range(5)
PACKET = bytes(range(60))


def _controller(switch, version, **settings):
    return Peer(
        switch, version, settings=Settings("tcp:x", is_primary=True, **settings)
    )


def _messages(peer):
    return [codec.decode(octets) for octets in peer.take()]


def _event(reason=OFPR_ACTION, in_port=1, **more):
    flow = SLOTS["in_port"].put(0, in_port) | 7 << SLOTS["reg2"].shift
    return PacketInEvent(PACKET, flow, reason=reason, table_id=3, cookie=5, **more)


def _flow(peer, command, text):
    assert peer.ask(parse_flow_mod(text, command)[0]) == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("form", [STANDARD, NXT, NXT2])
def test_packets_have_the_form_that_was_asked_for(switch, version, form):
    peer = _controller(switch, version)
    peer.ask(core.SetPacketInFormat(form))
    switch.connmgr.packet_in(_event(userdata=b"ud"))
    (message,) = _messages(peer)
    assert isinstance(message, PacketIn)
    assert message.packet_in_format == form
    assert message.packet == PACKET
    assert message.in_port == 1
    if form != STANDARD:
        assert message.cookie == 5
        assert SLOTS["reg2"].get(message.metadata.value) == 7
    if form == NXT2:
        assert message.userdata == b"ud"


def test_management_connections_must_ask_for_packets(switch):
    peer = Peer(switch, 1)
    switch.connmgr.packet_in(_event())
    assert peer.take() == []
    peer.ask(core.SetConfig(0, 128))
    switch.connmgr.packet_in(_event())
    assert len(peer.take()) == 1


def test_packets_go_to_the_controller_that_they_are_for(switch):
    peers = [_controller(switch, 1), _controller(switch, 1)]
    peers[1].ask(core.SetControllerId(7))
    switch.connmgr.packet_in(_event(controller_id=7))
    assert [len(peer.take()) for peer in peers] == [0, 1]
    switch.connmgr.packet_in(_event())
    assert [len(peer.take()) for peer in peers] == [1, 0]


def test_misses_are_for_controllers_of_old_versions(switch):
    assert not switch.connmgr.wants_packet_in_on_miss()
    new = _controller(switch, 4)
    assert not switch.connmgr.wants_packet_in_on_miss()
    old = _controller(switch, 3)
    assert switch.connmgr.wants_packet_in_on_miss()
    switch.connmgr.packet_in(_event(OFPR_IMPLICIT_MISS))
    assert len(old.take()) == 1
    assert new.take() == []
    old.ask(core.SetControllerId(1))
    assert not switch.connmgr.wants_packet_in_on_miss()
    switch.connmgr.disconnect(old)


def test_invalid_ttls_are_told_on_request(switch):
    peer = _controller(switch, 1)
    switch.connmgr.packet_in(_event(OFPR_INVALID_TTL))
    assert peer.take() == []
    peer.ask(core.SetConfig(0, 128, True))
    switch.connmgr.packet_in(_event(OFPR_INVALID_TTL))
    assert len(peer.take()) == 1


def test_secondaries_hear_of_ports_only(switch):
    peer = _controller(switch, 4)
    peer.ask(RoleRequest(SECONDARY, 1))
    switch.connmgr.packet_in(_event())
    assert peer.take() == []
    switch.ofproto.port_add("p3", 3)
    (message,) = _messages(peer)
    assert isinstance(message, PortStatus)


def test_asynchronous_messages_can_be_off_to_begin_with(switch):
    peer = _controller(switch, 4, enable_async_messages=False)
    switch.connmgr.packet_in(_event())
    switch.ofproto.port_add("p3", 3)
    assert peer.take() == []
    config = async_config.AsyncConfig()
    config.primary[async_config.PACKET_IN] = 0xFF
    peer.ask(async_config.SetAsync(config))
    switch.connmgr.packet_in(_event())
    assert len(peer.take()) == 1


def test_packets_beyond_the_queue_are_dropped(switch):
    peer = _controller(switch, 1, max_queue_size=3)
    for _ in range(5):
        switch.connmgr.packet_in(_event())
        peer.backlog = sum(map(len, peer.received))
    sent = peer.take()
    assert len(sent) == 3
    switch.connmgr.packet_in(_event())
    assert peer.take() == []
    peer.backlog = len(sent[0])  # two have gone
    switch.connmgr.packet_in(_event())
    assert len(peer.take()) == 1


def test_packets_beyond_the_rate_wait(switch):
    peer = _controller(switch, 1, rate_limit=100, burst_limit=5)
    for _ in range(7):
        switch.connmgr.packet_in(_event())
    assert len(peer.take()) == 5
    assert switch.connmgr.deadline() == switch.now + 11
    switch.run(20)
    assert len(peer.take()) == 2
    ofconn = switch.connmgr.connections[peer]
    assert ofconn.packet_in_counts()["packet-in-action-queued"] == 2
    assert ofconn.packet_in_counts()["packet-in-miss-queued"] == 0


def test_ports_that_come_change_and_go_are_told(switch):
    peer = _controller(switch, 4)
    port = switch.ofproto.port_add("p3", 3)
    port.state |= 1
    switch.ofproto.port_update(port)
    switch.ofproto.port_update(port)  # nothing has changed
    switch.ofproto.port_del(port)
    assert [(one.reason, one.desc.name) for one in _messages(peer)] == [
        (0, "p3"),
        (2, "p3"),
        (1, "p3"),
    ]


def test_a_change_that_a_version_can_not_see_is_not_told(switch):
    old, new = _controller(switch, 1), _controller(switch, 4)
    port = switch.ofproto.ports[1]
    port.may_enable = False
    switch.ofproto.port_update(port)
    assert old.take() == []  # OpenFlow 1.0 doesn't know of "live"
    assert len(new.take()) == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_who_changes_a_port_is_told_from_openflow_15_on(switch, version):
    peer, other = _controller(switch, version), _controller(switch, version)
    port = switch.ofproto.ports[1]
    mod = PortMod(1, port.hw_addr, 1 << 6, 1 << 6)
    assert len(peer.ask(mod)) == (version == 6)
    assert len(other.take()) == 1
    assert peer.ask(mod) == []


def test_a_port_s_device_may_refuse_to_go_down(switch):
    peer = _controller(switch, 1)
    port = switch.ofproto.ports[1]
    asked = []
    switch.connmgr.set_port_up = lambda port, is_up: asked.append(is_up)
    peer.ask(PortMod(1, port.hw_addr, 1, 1))
    assert asked == [False]
    assert port.config == 0
    switch.connmgr.set_port_up = lambda port, is_up: True
    peer.ask(PortMod(1, port.hw_addr, 1, 1))
    assert port.config == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_flows_that_asked_for_it_are_told_when_they_go(switch, version):
    peer = _controller(switch, version)
    _flow(peer, ADD, "in_port=1,cookie=9,idle_timeout=5,send_flow_rem,actions=drop")
    _flow(peer, ADD, "in_port=2,idle_timeout=5,actions=drop")
    switch.now += 6000
    switch.ofproto.tables.expire(switch.now)
    (removed,) = _messages(peer)
    assert isinstance(removed, FlowRemoved)
    assert (removed.cookie, removed.reason, removed.duration_sec) == (9, 0, 6)


def test_a_new_primary_makes_the_old_one_secondary(switch):
    old, new = _controller(switch, 4), _controller(switch, 5)
    old.ask(RoleRequest(PRIMARY, 5))
    new.ask(RoleRequest(PRIMARY, 6))
    (status,) = _messages(old)
    assert isinstance(status, RoleStatus)
    assert (status.role, status.reason, status.generation_id) == (SECONDARY, 0, 6)
    ranks = [switch.connmgr.role_rank(peer) for peer in (old, new)]
    assert ranks == [1, 3]


def test_old_generations_are_stale(switch):
    peer = _controller(switch, 4)
    peer.ask(RoleRequest(PRIMARY, 1 << 63))
    (error,) = peer.decoded(RoleRequest(PRIMARY, (1 << 63) - 1))
    assert error.name == "OFPRRFC_STALE"
    for generation_id in ((1 << 64) - 1, 0):  # it wraps around
        (reply,) = peer.decoded(RoleRequest(PRIMARY, generation_id))
        assert reply.type == "ROLE_REPLY"


def test_a_table_that_fills_up_and_empties_is_told(switch):
    peer = _controller(switch, 5)
    config = async_config.AsyncConfig()
    config.primary[async_config.TABLE_STATUS] = 0x18
    peer.ask(async_config.SetAsync(config))
    switch.ofproto.tables.limit(0, 10)
    mod = TableMod(0)
    mod.vacancy, mod.vacancy_down, mod.vacancy_up = ON, 30, 60
    peer.ask(mod)
    for priority in range(7):
        assert peer.ask(_numbered(priority, ADD)) == []
    (status,) = peer.decoded(_numbered(7, ADD))
    assert isinstance(status, TableStatus)
    assert (status.reason, status.desc.vacancy_now) == (3, 20)
    assert peer.ask(_numbered(8, ADD)) == []
    for priority in range(5):
        assert peer.ask(_numbered(priority, DELETE_STRICT)) == []
    (status,) = peer.decoded(_numbered(5, DELETE_STRICT))
    assert (status.reason, status.desc.vacancy_now) == (4, 70)


def _numbered(priority, command):
    text = f"priority={priority}" + (",actions=drop" if command == ADD else "")
    return parse_flow_mod(text, command)[0]


def _monitoring(switch, version):
    watcher, changer = Peer(switch, version), Peer(switch, version)
    watcher.ask(FlowMonitorRequest([FlowMonitor(1, 0, 0x1F)]))
    return watcher, changer


@pytest.mark.parametrize("version", VERSIONS)
def test_monitoring_pauses_when_too_much_waits_and_resumes(switch, version):
    watcher, changer = _monitoring(switch, version)
    while not switch.connmgr.connections[watcher].monitors.is_paused:
        priority = len(watcher.received) & 0x7FFF
        _flow(changer, ADD, f"priority={priority},in_port=1,actions=output:2")
        watcher.backlog = sum(map(len, watcher.received))
    assert 128 << 10 < watcher.backlog < 140 << 10
    last = _messages(watcher)[-1]
    assert last.type.endswith("PAUSED") or last.updates[0].event == 5

    _flow(changer, ADD, "priority=9,in_port=7,actions=drop")
    _flow(changer, ADD, "priority=9,in_port=8,actions=drop")
    _flow(changer, DELETE, "in_port=8")
    _flow(changer, MODIFY_STRICT, "priority=1,in_port=1,actions=output:3")
    assert watcher.take() == []
    changer.ask(parse_flow_mod("priority=0,in_port=1", DELETE_STRICT)[0])
    (removal,) = _messages(watcher)
    assert [update.priority for update in removal.updates] == [0]

    switch.run()
    assert watcher.take() == []
    watcher.backlog = 0
    switch.run()
    refresh, resumed = _messages(watcher)
    assert isinstance(refresh, FlowMonitorReply)
    assert [(one.event, one.priority) for one in refresh.updates] == [(1, 9), (3, 1)]
    assert resumed.type.endswith("RESUMED") or resumed.updates[0].event == 6
    assert not switch.connmgr.connections[watcher].monitors.is_paused


def test_all_that_one_flow_mod_changes_is_told_together(switch):
    watcher, changer = _monitoring(switch, 4)
    for i in range(5):
        _flow(changer, ADD, f"priority={i},in_port=1,actions=output:2")
    watcher.take()
    _flow(changer, DELETE, "in_port=1")
    (message,) = _messages(watcher)
    assert [update.event for update in message.updates] == [2] * 5


def test_monitors_end_with_their_connection(switch):
    watcher, changer = _monitoring(switch, 4)
    switch.connmgr.disconnect(watcher)
    _flow(changer, ADD, "in_port=1,actions=output:2")
    assert watcher.take() == []
