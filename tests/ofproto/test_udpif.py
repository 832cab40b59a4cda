# SPDX-License-Identifier: Apache-2.0
"""Misses, flows and their revalidation, over the forwarder's code in this process."""

from __future__ import annotations

import pytest

from ovswitch.datapath.dpif import Dpif
from ovswitch.datapath.native_codec import NativeCodec
from ovswitch.datapath.odp.action_text import format_actions
from ovswitch.datapath.transport_dummy import DummyTransport
from ovswitch.flow.fields import FIELDS
from ovswitch.flow.match import Match
from ovswitch.ofproto import commands
from ovswitch.ofproto.backer import Backer
from ovswitch.ofproto.bundle import BundleSettings
from ovswitch.ofproto.flow_mod import ADD, DELETE, FlowMod
from ovswitch.ofproto.ofproto import Ofproto
from ovswitch.openflow.actions import parse
from ovswitch.packet.compose import compose
from ovswitch.runtime import clock


class Lab:
    """A switch with ports p1 to p3 on a dummy datapath, and what they transmit."""

    def __init__(self):
        clock.reset()
        clock.stop()
        self.transport = DummyTransport()
        self.transport.on_transmit = self._transmitted
        self.dpif = Dpif.create_and_open(self.transport, "ovs-dummy")
        self.sent = []
        self.packet_ins = []
        self.start()

    def start(self, adopt=False):
        """Make the switch, as an ovs-vswitchd that comes up does."""
        self.backer = Backer("dummy", self.dpif, clock=clock.now)
        self.backer.udpif.codec = NativeCodec()
        self.ofproto = Ofproto("br0", self.backer, uuid=bytes(16))
        known = {port.name: port.port_no for port in self.dpif.port_dump()}
        for number in (1, 2, 3):
            name = f"p{number}"
            odp_port = known.get(name)
            if odp_port is None:
                odp_port = self.dpif.port_add(name, "dummy")
            port = self.ofproto.port_add(name, odp_port, ofp_port=number)
            self.ofproto.bundle_set(name, BundleSettings(name), [port])

    def _transmitted(self, dp_ifindex, port_no, packet):
        self.sent.append((port_no, packet))

    def close(self):
        self.dpif.delete()
        self.transport.close()
        clock.reset()

    def add_flow(self, match, actions, priority=100):
        self.ofproto.tables.apply(FlowMod(ADD, match, priority, parse(actions)[0]))

    def inject(self, number, packet):
        """Let a port receive a packet; return the names of the ports that sent it."""
        self.sent.clear()
        port = self.ofproto.ports[number]
        self.transport.inject(self.dpif.dp_ifindex, port.odp_port, packet)
        for _ in range(5):
            upcalls = self.dpif.recv_upcalls()
            if not upcalls:
                break
            self.backer.udpif.receive(upcalls)
        names = self.backer.port_names()
        return sorted(names.get(odp, str(odp)) for odp, _ in self.sent)

    def warp(self, ms):
        clock.warp(ms)
        self.backer.run(clock.now())

    def flows(self):
        return [format_actions(flow.actions) for flow in self.dpif.flow_dump()]


@pytest.fixture
def lab():
    made = Lab()
    yield made
    made.close()


def frame(src, dst, **fields):
    flow = FIELDS["eth_src"].put(FIELDS["eth_dst"].put(0, dst), src)
    flow = FIELDS["eth_type"].put(flow, fields.pop("eth_type", 0x0800))
    fields.setdefault("nw_ttl", 64)
    for name, value in fields.items():
        flow = FIELDS[name].put(flow, value)
    return compose(flow)


def in_port(number):
    return Match().with_field(FIELDS["in_port"], number)


def test_a_miss_sends_the_packet_and_installs_the_flow(lab):
    lab.add_flow(in_port(1), "output:2")
    assert lab.inject(1, frame(1, 2)) == ["p2"]
    odp_port = lab.ofproto.ports[2].odp_port
    assert lab.flows() == [str(odp_port)]
    assert len(lab.backer.udpif.ukeys) == 1
    # The second packet takes the flow: no upcall.
    assert lab.inject(1, frame(1, 2)) == ["p2"]
    stats = lab.dpif.stats()
    assert (stats.n_hit, stats.n_missed) == (1, 1)


def test_packets_are_credited_to_the_rule_once(lab):
    lab.add_flow(in_port(1), "output:2")
    packet = frame(1, 2)
    for _ in range(5):
        lab.inject(1, packet)
    rule = next(r for r in lab.ofproto.tables.rules() if r.table_id == 0)
    assert rule.n_packets == 1  # the miss itself
    lab.backer.udpif.revalidate_now()
    assert (rule.n_packets, rule.n_bytes) == (5, 5 * len(packet))
    lab.backer.udpif.revalidate_now()
    assert rule.n_packets == 5
    assert lab.ofproto.tables.tables[0].n_matched == 5


def test_the_last_packets_of_a_deleted_flow_are_credited(lab):
    lab.add_flow(in_port(1), "output:2")
    for _ in range(3):
        lab.inject(1, frame(1, 2))
    lab.backer.udpif.purge()
    rule = next(r for r in lab.ofproto.tables.rules() if r.table_id == 0)
    assert rule.n_packets == 3
    assert lab.flows() == []
    assert not lab.backer.udpif.ukeys


def test_an_idle_flow_is_deleted(lab):
    lab.add_flow(in_port(1), "output:2")
    lab.inject(1, frame(1, 2))
    lab.warp(5000)
    assert len(lab.flows()) == 1
    lab.warp(6000)
    assert lab.flows() == []


def test_changed_actions_are_changed_in_place(lab):
    lab.add_flow(in_port(1), "output:2")
    lab.inject(1, frame(1, 2))
    lab.add_flow(in_port(1), "output:3")
    lab.warp(10)
    assert lab.flows() == [str(lab.ofproto.ports[3].odp_port)]
    assert lab.inject(1, frame(1, 2)) == ["p3"]


def test_a_flow_that_must_be_narrower_is_deleted(lab):
    lab.add_flow(in_port(1), "output:2")
    lab.inject(1, frame(1, 2))
    narrow = in_port(1).with_field(FIELDS["eth_dst"], 9)
    lab.add_flow(narrow, "output:3", priority=200)
    lab.warp(10)
    assert lab.flows() == []
    assert lab.inject(1, frame(1, 9)) == ["p3"]
    assert lab.inject(1, frame(1, 2)) == ["p2"]


def test_normal_learns_and_the_flood_ends(lab):
    lab.add_flow(Match(), "NORMAL")
    assert lab.inject(1, frame(0xA1, 0xB2)) == ["p2", "p3"]
    assert lab.inject(2, frame(0xB2, 0xA1)) == ["p1"]
    lab.warp(10)
    assert lab.inject(1, frame(0xA1, 0xB2)) == ["p2"]


def test_a_learn_action_makes_flows(lab):
    specs = "NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[]"
    lab.add_flow(in_port(1), f"learn(table=10,{specs}),output:2")
    lab.add_flow(in_port(2), "resubmit(,10)")
    assert lab.inject(1, frame(0xA1, 0xB2)) == ["p2"]
    assert lab.inject(2, frame(0xB2, 0xA1)) == ["p1"]


def test_without_megaflows_a_flow_matches_one_packet_s_headers(lab):
    lab.backer.udpif.megaflows_enabled = False
    lab.add_flow(in_port(1), "output:2")
    for source in (1, 2):
        assert lab.inject(1, frame(source, 9)) == ["p2"]
    assert len(lab.flows()) == 2


def test_idle_timeout_follows_datapath_packets(lab):
    lab.ofproto.tables.apply(
        FlowMod(ADD, in_port(1), 100, parse("output:2")[0], idle_timeout=4)
    )
    for _ in range(4):
        lab.inject(1, frame(1, 2))
        lab.warp(2000)
    assert lab.ofproto.tables.tables[0].n_flows == 1
    lab.warp(3000)
    lab.warp(3000)
    assert lab.ofproto.tables.tables[0].n_flows == 0


def test_no_flow_is_installed_above_the_limit(lab):
    lab.add_flow(Match(), "NORMAL")
    lab.backer.udpif.set_flow_limit(2)
    for source in range(1, 5):
        assert lab.inject(1, frame(source, 0xB2)) == ["p2", "p3"]
    assert len(lab.flows()) == 2


def test_flows_of_a_former_process_are_adopted(lab):
    """No packet is lost, or sent up again, when ovs-vswitchd comes back."""
    lab.add_flow(in_port(1), "output:2")
    for _ in range(3):
        lab.inject(1, frame(1, 2))
    lab.start()
    lab.add_flow(in_port(1), "output:2")
    lab.warp(1000)
    assert len(lab.flows()) == 1
    missed = lab.dpif.stats().n_missed
    assert lab.inject(1, frame(1, 2)) == ["p2"]
    assert lab.dpif.stats().n_missed == missed
    lab.backer.udpif.revalidate_now()
    rule = next(r for r in lab.ofproto.tables.rules() if r.table_id == 0)
    assert rule.n_packets == 1  # only what came after the restart


def test_wrong_flows_of_a_former_process_go(lab):
    lab.add_flow(in_port(1), "output:2")
    lab.inject(1, frame(1, 2))
    lab.start()
    lab.add_flow(in_port(1), "output:3")
    lab.warp(1000)
    assert lab.inject(1, frame(1, 2)) == ["p3"]


def test_a_deleted_rule_stops_its_flow(lab):
    lab.add_flow(in_port(1), "output:2")
    lab.inject(1, frame(1, 2))
    lab.ofproto.tables.apply(FlowMod(DELETE, table_id=255))
    lab.warp(10)
    assert lab.inject(1, frame(1, 2)) == []


def test_malformed_upcalls_are_passed_over(lab):
    [upcall] = _upcalls(lab, frame(1, 2))
    for key in (b"", b"\x01", upcall.key[:7], b"\xff" * 40):
        upcall.key = key
        lab.backer.udpif.receive([upcall])
    assert lab.flows() == []


def _upcalls(lab, packet):
    odp_port = lab.ofproto.ports[1].odp_port
    lab.transport.inject(lab.dpif.dp_ifindex, odp_port, packet)
    return lab.dpif.recv_upcalls()


def run(lab, name, *arguments):
    rows = {row[0]: row for row in commands.table(lambda: {"dummy": lab.backer})}
    return rows[name][4](list(arguments))


def test_commands_show_flows_and_addresses(lab):
    lab.add_flow(Match(), "NORMAL")
    lab.inject(1, frame(0xA1, 0xB2))
    assert "actions:" in run(lab, "dpif/dump-flows", "-m", "br0")
    assert "00:00:00:00:00:a1" in run(lab, "fdb/show", "br0")
    assert "current 1" in run(lab, "upcall/show")
    assert run(lab, "ofproto/list") == "br0\n"
    assert "p2 2/" in run(lab, "dpif/show")
    run(lab, "fdb/add", "br0", "p3", "0", "00:00:00:00:00:a1")
    assert "static" in run(lab, "fdb/show", "br0")
    run(lab, "revalidator/purge")
    assert run(lab, "dpif/dump-flows", "br0") == ""
