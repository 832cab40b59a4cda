# SPDX-License-Identifier: Apache-2.0
"""A datapath through `Dpif`, over the in-process transport."""

import select

import pytest

from ovswitch.datapath.dpif import (
    EEXIST,
    ENODEV,
    ENOENT,
    Dpif,
    DpifError,
    Meter,
    enumerate_datapaths,
    ufid,
)
from ovswitch.datapath.families import OVS_PACKET_CMD_ACTION, OVS_PACKET_CMD_MISS
from ovswitch.datapath.odp import actions as act
from ovswitch.datapath.odp import key_decode
from ovswitch.datapath.odp.key_parse import parse_key
from ovswitch.flow.layout import SLOTS
from ovswitch.packet import compose, extract

pytest.importorskip("ovswitch.native.core")
from ovswitch.datapath.transport_dummy import DummyTransport

FLOW = SLOTS["dl_type"].put(0, 0x800) | 1 << SLOTS["dl_src"].shift
PACKET = compose.compose(SLOTS["nw_proto"].put(FLOW, 17))
KEY, MASK = parse_key("in_port(1),eth(),eth_type(0x0800),ipv4(frag=no)")


@pytest.fixture
def transport():
    transport = DummyTransport()
    yield transport
    transport.close()


@pytest.fixture
def dpif(transport):
    dpif = Dpif.create_and_open(transport, "ovs-dummy")
    dpif.port_add("p1", "dummy", 1)
    dpif.port_add("p2", "dummy", 2)
    return dpif


def test_datapaths_are_made_found_and_deleted(transport):
    assert enumerate_datapaths(transport) == []
    dpif = Dpif.create(transport, "dp0")
    assert enumerate_datapaths(transport) == ["dp0"]
    assert Dpif.open(transport, "dp0").dp_ifindex == dpif.dp_ifindex
    with pytest.raises(DpifError) as info:
        Dpif.create(transport, "dp0")
    assert info.value.errno == EEXIST
    assert dpif.full_name == "dummy@dp0"
    dpif.delete()
    with pytest.raises(DpifError) as info:
        Dpif.open(transport, "dp0")
    assert info.value.errno == ENODEV


def test_ports_are_added_listed_and_removed(dpif):
    assert dpif.port_add("br0", "dummy-internal", 100) == 100
    third = dpif.port_add("p3", "dummy")
    assert third == 3
    listed = [(port.port_no, port.name, port.type) for port in dpif.port_dump()]
    assert listed == [
        (0, "ovs-dummy", "dummy-internal"),
        (1, "p1", "dummy"),
        (2, "p2", "dummy"),
        (third, "p3", "dummy"),
        (100, "br0", "dummy-internal"),
    ]
    assert dpif.port_query_by_name("p2").port_no == 2
    assert dpif.port_query_by_number(2).name == "p2"
    dpif.port_del(2)
    with pytest.raises(DpifError) as info:
        dpif.port_query_by_name("p2")
    assert info.value.errno == ENODEV


def test_port_numbers_come_from_names_where_they_are_free(dpif):
    assert dpif.port_add("br0", "dummy-internal") == 100
    assert dpif.port_add("br3", "dummy-internal") == 103
    assert dpif.port_add("eth7x", "dummy") == 7
    assert dpif.port_add("other7", "dummy") == 3
    assert dpif.port_add("nothing", "dummy") == 4
    assert dpif.port_add("zero0", "dummy") == 5


def test_vlan_limit_decides_how_many_headers_a_key_shows(dpif, transport):
    flow = FLOW
    for i, tpid in enumerate((0x88A8, 0x8100)):
        flow = SLOTS[f"vlan_tpid{i}"].put(flow, tpid)
        flow = SLOTS[f"vlan_tci{i}"].put(flow, 0x1005 + i)
    packet = compose.compose(flow)
    for limit, shown in ((1, [0x1005, 0]), (2, [0x1005, 0x1006]), (0, [0, 0])):
        dpif.set_vlan_limit(limit)
        transport.inject(dpif.dp_ifindex, 1, packet)
        [upcall] = dpif.recv_upcalls()
        bits, fitness = key_decode.to_flow(upcall.key, limit)
        assert fitness == key_decode.FIT_PERFECT
        assert [SLOTS[f"vlan_tci{i}"].get(bits) for i in (0, 1)] == shown
        meta = SLOTS["in_port"].put(0, 1)
        assert extract.extract(packet, meta, limit) == bits
    dpif.set_vlan_limit(2)


def test_flows_come_back_as_they_were_put(dpif):
    ident = ufid(KEY)
    dpif.do(dpif.flow_put(KEY, MASK, act.output(2), ident))
    [flow] = dpif.flow_dump()
    assert flow.ufid == ident
    assert flow.actions == act.output(2)
    bits, fitness = key_decode.to_flow(flow.key)
    assert fitness == key_decode.FIT_PERFECT
    assert SLOTS["in_port"].get(bits) == 1
    assert dpif.flow_get(b"", ident).actions == act.output(2)
    [terse] = dpif.flow_dump(terse=True)
    assert (terse.ufid, terse.key, terse.actions) == (ident, b"", b"")


def test_operations_tell_each_how_they_went(dpif):
    ident = ufid(KEY)
    put = dpif.flow_put(KEY, MASK, act.output(2), ident)
    change = dpif.flow_put(KEY, MASK, b"", ident, create=False, modify=True, echo=True)
    bad = dpif.flow_put(b"junk", None, b"")
    delete = dpif.flow_del(KEY, ident, echo=True)
    results = dpif.operate([put, put, change, bad, delete, delete])
    errors = [result.errno for result in results]
    assert errors[:3] == [0, EEXIST, 0]
    assert errors[3]
    assert errors[4:] == [0, ENOENT]
    assert results[2].flow is not None
    assert results[4].flow.n_packets == 0


def test_many_operations_are_split_over_datagrams(dpif):
    ops = []
    for port in range(500):
        key, mask = parse_key(f"in_port({port + 10}),eth(),eth_type(0x1234)")
        ops.append(dpif.flow_put(key, mask, act.output(2) * 20, ufid(key)))
    assert all(result.errno == 0 for result in dpif.operate(ops))
    assert dpif.stats().n_flows == 500
    dpif.flow_flush()
    assert list(dpif.flow_dump()) == []


def test_missing_packet_comes_up_and_is_sent_on(dpif, transport):
    sent = []
    transport.on_transmit = lambda *event: sent.append(event)
    assert select.select([dpif.fileno()], [], [], 0)[0] == []
    transport.inject(dpif.dp_ifindex, 1, PACKET)
    assert select.select([dpif.fileno()], [], [], 0)[0]
    [upcall] = dpif.recv_upcalls()
    assert upcall.type == OVS_PACKET_CMD_MISS
    assert upcall.packet == PACKET
    assert SLOTS["in_port"].get(key_decode.to_flow(upcall.key)[0]) == 1
    assert select.select([dpif.fileno()], [], [], 0)[0] == []
    put = dpif.flow_put(KEY, MASK, act.output(2), ufid(KEY))
    dpif.post([put, dpif.execute(upcall.packet, upcall.key, act.output(2))])
    assert sent == [(dpif.dp_ifindex, 2, PACKET)]
    transport.inject(dpif.dp_ifindex, 1, PACKET)
    assert len(sent) == 2
    stats = dpif.stats()
    assert (stats.n_hit, stats.n_missed, stats.n_flows) == (1, 1, 1)
    [flow] = dpif.flow_dump()
    assert (flow.n_packets, flow.n_bytes) == (1, len(PACKET))
    assert flow.used


def test_userspace_action_brings_its_data_up(dpif, transport):
    pid = transport.upcall_pid()
    action = act.userspace(pid, b"cookie")
    dpif.do(dpif.flow_put(KEY, MASK, action, ufid(KEY)))
    transport.inject(dpif.dp_ifindex, 1, PACKET)
    [upcall] = dpif.recv_upcalls()
    assert (upcall.type, upcall.userdata) == (OVS_PACKET_CMD_ACTION, b"cookie")


def test_upcalls_beyond_the_bound_are_lost_and_counted(dpif, transport):
    for _ in range(5000):
        transport.inject(dpif.dp_ifindex, 1, PACKET)
    assert transport.n_lost == 5000 - 4096
    assert len(dpif.recv_upcalls(10)) == 10
    assert select.select([dpif.fileno()], [], [], 0)[0]
    assert len(dpif.recv_upcalls(10_000)) == 4086


def test_meters_are_set_read_and_deleted(dpif):
    most, bands = dpif.meter_features()
    assert most > 0
    assert bands > 0
    dpif.meter_set(Meter(5, [(100, 10)], is_kbps=True))
    assert dpif.meter_stats(5).n_packets == 0
    dpif.meter_del(5)


def test_ufids_are_random_uuids_that_keep_to_their_key():
    one, other = ufid(b"a"), ufid(b"b")
    assert one == ufid(b"a") != other
    from ovswitch.datapath.odp.key_text import format_ufid

    text = format_ufid(one)
    assert text[len("ufid:") + 14] == "4"
    assert text[len("ufid:") + 19] in "89ab"


def test_packet_that_a_callback_injects_is_forwarded_too(dpif, transport):
    sent = []

    def loop(dp_ifindex, port_no, packet):
        sent.append(port_no)
        if len(sent) < 3:
            transport.inject(dp_ifindex, 1, packet)

    transport.on_transmit = loop
    dpif.do(dpif.flow_put(KEY, MASK, act.output(2), ufid(KEY)))
    transport.inject(dpif.dp_ifindex, 1, PACKET)
    assert sent == [2, 2, 2]
