# SPDX-License-Identifier: Apache-2.0
"""The reference's switch and ours get the same octets and must send the same.

Only durations and ages are left out of the comparison.
"""

import struct

import pytest
from connmgr_duel import Pair, ReferenceSwitch
from connmgr_switch import Peer
from helpers.programs import RunDir, wait_until

from ovswitch.flow.layout import SLOTS
from ovswitch.ofproto.packet_in import PacketInEvent
from ovswitch.openflow import codec, raws
from ovswitch.openflow import protocol as protocols
from ovswitch.openflow.actions.types import Group, Output
from ovswitch.openflow.messages import async_config, core, queue, role, table
from ovswitch.openflow.messages.flow_monitor import (
    FlowMonitor,
    FlowMonitorCancel,
    FlowMonitorRequest,
)
from ovswitch.openflow.messages.flow_stats import (
    AggregateStatsRequest,
    FlowStatsRequest,
)
from ovswitch.openflow.messages.packet_out import PacketOut
from ovswitch.openflow.messages.port import PortDescRequest, PortMod
from ovswitch.openflow.messages.port_stats import PortStatsRequest
from ovswitch.openflow.messages.table_features import (
    TableFeatures,
    TableFeaturesRequest,
)
from ovswitch.openflow.parse.flow import parse_flow_mod
from ovswitch.openflow.version import VERSIONS
from ovswitch.packet.extract import extract

pytestmark = pytest.mark.reference

ARP = bytes.fromhex(
    "ffffffffffff001122334455080600010800060400010011223344550a00000100000000"
    "00000a000002"
)
ADD, MODIFY, MODIFY_STRICT, DELETE, DELETE_STRICT = range(5)


@pytest.fixture(scope="module")
def reference():
    with RunDir() as run_dir:
        yield ReferenceSwitch(run_dir)


@pytest.fixture(params=VERSIONS, ids=lambda version: f"OF1.{version - 1}")
def pair(request, reference):
    cleaner = reference.connect(4)
    cleaner.ask(_flow(4, DELETE, ""))
    cleaner.close()
    made = Pair(reference, request.param)
    yield made
    made.reference.close()


def _flow(version, command, text, **changes):
    flow_mod, usable = parse_flow_mod(text, command)
    for name, value in changes.items():
        setattr(flow_mod, name, value)
    mine = protocols.of_version(version) & usable
    return codec.encode(flow_mod, version, 5, mine & -mine)


def _raw(kind, version, body=b"", form="", flags=0):
    return raws.put(raws.find(kind, version, form), version, 9, body, flags)


def test_the_switch_describes_itself(pair):
    pair.compare(core.FeaturesRequest())
    pair.compare(core.GetConfigRequest())
    pair.compare(core.DescStatsRequest())
    pair.compare(core.TableStatsRequest())
    pair.compare(PortDescRequest())
    pair.compare(PortDescRequest(1))
    pair.compare(PortStatsRequest())
    pair.compare(PortStatsRequest(1))
    pair.compare(PortStatsRequest(77))


FLOWS = (
    "priority=1,actions=drop",
    "in_port=1,actions=output:2",
    "in_port=2,actions=output:1",
    "cookie=0x5,ip,nw_dst=10.0.0.0/8,idle_timeout=60,hard_timeout=70,actions=2,1",
    "cookie=0x5,tcp,tp_dst=80,priority=99,actions=set_field:1.2.3.4->ip_dst,normal",
    "cookie=0x7,arp,arp_tpa=1.2.3.4,actions=flood",
    "dl_vlan=9,actions=strip_vlan,controller:128",
    "dl_src=00:11:22:33:44:55,send_flow_rem,priority=7,actions=all",
)
QUERIES = (
    {},
    {"table_id": 0},
    {"table_id": 3},
    {"out_port": 2},
    {"out_port": 0xFFFD},
    {"cookie": 5, "cookie_mask": 0xFFFFFFFFFFFFFFFF},
    {"cookie": 1, "cookie_mask": 1},
)


def _fits(version, text):
    return protocols.of_version(version) & parse_flow_mod(text, ADD)[1]


def test_flows_are_added_listed_and_deleted(pair):
    version = pair.version
    for text in FLOWS:
        if _fits(version, text):
            pair.compare(_flow(version, ADD, text))
    for query in QUERIES:
        pair.compare(FlowStatsRequest(**query))
        pair.compare(AggregateStatsRequest(**query))
    pair.compare(_flow(version, MODIFY, "ip,actions=in_port"))
    pair.compare(_flow(version, MODIFY_STRICT, "ip,priority=4,actions=output:1"))
    pair.compare(_flow(version, MODIFY_STRICT, "in_port=1,actions=output:3"))
    pair.compare(FlowStatsRequest())
    pair.compare(_flow(version, DELETE_STRICT, "in_port=2"))
    pair.compare(_flow(version, DELETE, "ip"))
    pair.compare(FlowStatsRequest())
    pair.compare(_flow(version, DELETE, "out_port=2"))
    pair.compare(FlowStatsRequest())


def test_nicira_s_flow_formats(reference):
    pair = Pair(reference, 1)
    pair.compare(core.SetFlowFormat(protocols.OF10_NXM), core.FlowModTableId(True))
    nxm = protocols.OF10_NXM_TID

    def flow(command, text):
        flow_mod, _ = parse_flow_mod(text, command)
        return codec.encode(flow_mod, 1, 5, nxm)

    pair.compare(flow(DELETE, ""))
    pair.compare(flow(ADD, "table=3,reg1=5,ipv6,actions=load:7->NXM_NX_REG0[],2"))
    pair.compare(flow(ADD, "table=254,actions=drop"))
    pair.compare(flow(MODIFY, "cookie=5/7,table=3,actions=drop"))
    for kind in (FlowStatsRequest, AggregateStatsRequest):
        pair.compare(codec.encode(kind(), 1, 3, nxm))
        pair.compare(codec.encode(kind(table_id=3), 1, 3, nxm))
        pair.compare(kind())
    pair.compare(_raw("SET_FLOW_FORMAT", 1, struct.pack("!I", 1)))
    pair.compare(_raw("SET_PACKET_IN_FORMAT", 1, struct.pack("!I", 9)))
    pair.compare(flow(DELETE, ""))
    pair.reference.close()


BAD_FLOWS = (
    (ADD, "table=254,actions=drop", {}),
    (ADD, "in_port=1,actions=output:2", {"buffer_id": 7}),
    (MODIFY, "in_port=1,actions=output:2", {"buffer_id": 7}),
    (DELETE, "in_port=1", {"buffer_id": 7}),
    (ADD, "in_port=1,check_overlap,actions=output:2", {}),
    (ADD, "in_port=1,dl_type=0x800,check_overlap,actions=output:2", {}),
    (7, "in_port=1", {}),
    (ADD, "actions=drop", {"flags": 0}),
    (ADD, "table=3,actions=goto_table:5", {"table_id": 7}),
    (ADD, "table=3,actions=goto_table:254", {}),
    (ADD, "actions=group:7", {}),
    (ADD, "actions=meter:7,output:2", {}),
    (ADD, "actions=drop", {"actions": (Output(65280),)}),
    (ADD, "actions=drop", {"table_id": 255}),
    (DELETE, "table=254", {}),
    (DELETE_STRICT, "table=254,priority=2", {}),
    (MODIFY, "table=254,actions=drop", {}),
)


@pytest.mark.parametrize(("command", "text", "changes"), BAD_FLOWS)
def test_flow_mods_are_refused_alike(pair, command, text, changes):
    version = pair.version
    pair.compare(_flow(version, ADD, "in_port=1,actions=drop"))
    flow_mod, usable = parse_flow_mod(text, min(command, 4))
    flow_mod.command = command
    for name, value in changes.items():
        setattr(flow_mod, name, value)
    mine = protocols.of_version(version) & usable
    if not mine:
        pytest.skip("this version can't say it")
    octets = codec.encode(flow_mod, version, 5, mine & -mine)
    pair.compare(octets)
    pair.compare(FlowStatsRequest())


def test_truncated_messages_are_refused_alike(pair):
    version = pair.version
    messages = [
        _flow(version, ADD, FLOWS[3]),
        codec.encode(FlowStatsRequest(), version, 5),
        codec.encode(core.SetConfig(0, 128), version, 5),
        codec.encode(PacketOut(b"\xff" * 60, 1), version, 5),
        codec.encode(PortMod(1, 5, 1, 1), version, 5),
        codec.encode(core.DescStatsRequest(), version, 5),
        codec.encode(PortStatsRequest(), version, 5),
    ]
    for message in messages:
        for size in range(8, len(message)):
            cut = message[:2] + struct.pack("!H", size) + message[4:size]
            pair.compare(cut)
    pair.compare(_flow(version, DELETE, ""))


def test_unknown_messages_are_refused_alike(pair):
    version = pair.version
    later = {15, 29, 33, 34}  # groups, meters, bundles: not there yet
    for kind in range(1, 60):
        if kind in {2, 3} | later:
            continue
        pair.compare(struct.pack("!BBHI", version, kind, 8, 3))
        pair.compare(struct.pack("!BBHI", version, kind, 16, 3) + bytes(8))
    for stat in (*range(16), *range(17, 40), 0xFFFE, 0xFFFF):
        kind = 16 if version == 1 else 18
        for size in (8, 16, 24, 40):
            body = struct.pack("!HH", stat, 0) + bytes(size - 4)
            header = struct.pack("!BBHI", version, kind, 8 + len(body), 3)
            pair.compare(header + body)
    for vendor in (0x2320, 0x4F4E4600, 0x1234):
        for subtype in (*range(40), 1870, 1871, 1911):
            if subtype in {24, 28, 29, 31, 32} and vendor == 0x2320:
                continue  # what isn't there yet
            body = struct.pack("!II", vendor, subtype)
            header = struct.pack("!BBHI", version, 4, 8 + len(body), 3)
            pair.compare(header + body)


def test_configuration_is_kept_for_each_connection(pair):
    pair.compare(core.SetConfig(core.FRAG_DROP, 77), core.GetConfigRequest())
    pair.compare(core.SetConfig(core.FRAG_REASM, 78), core.GetConfigRequest())
    pair.compare(core.SetConfig(0, 0xFFFF, True), core.GetConfigRequest())
    pair.compare(_raw("SET_CONFIG", pair.version, struct.pack("!HH", 0x80, 1)))
    pair.compare(core.SetConfig(0, 128), core.GetConfigRequest())


def test_ports_are_configured(pair):
    version = pair.version
    port = pair.switch.ofproto.ports[1]
    bits = 0x7F & ~1
    for config in (bits, 0, 1 << 6, 0):
        pair.compare(PortMod(1, port.hw_addr, config, bits))
        pair.compare(PortDescRequest())
    pair.compare(PortMod(1, 0x1234, 0, bits))
    pair.compare(PortMod(99, port.hw_addr, 0, bits))
    if version >= 5:
        pair.compare(_raw("PORT_MOD", version, bytes(20)))


def test_tables_are_configured(pair):
    version = pair.version
    if version == 1:
        pytest.skip("this version has no table mods")
    for table_id in (0, 254, 255, 3):
        pair.compare(table.TableMod(table_id, table.MISS_CONTINUE))
    pair.compare(core.TableStatsRequest())
    for miss in (table.MISS_DROP, table.MISS_CONTROLLER):
        pair.compare(table.TableMod(255, miss))
    if version < 5:
        return
    pair.compare(table.TableDescRequest())
    mod = table.TableMod(3)
    mod.eviction = mod.vacancy = table.ON
    mod.eviction_flags, mod.vacancy_down, mod.vacancy_up = 7, 10, 20
    pair.compare(mod)
    mod.eviction_flags = 5
    pair.compare(mod)
    pair.compare(table.TableDescRequest())
    mod = table.TableMod(3)
    mod.eviction = mod.vacancy = table.OFF
    pair.compare(mod)
    pair.compare(table.TableDescRequest())


def test_table_features_are_told_and_not_changed(pair):
    version = pair.version
    if version < 4:
        pytest.skip("this version has no table features")
    pair.compare(_raw("TABLE_FEATURES_STATS_REQUEST", version))
    named = TableFeatures(3)
    named.max_entries = 1000000
    for features in ([named], [named, named], [TableFeatures(254)]):
        octets = b"".join(one.encode(version) for one in features)
        pair.compare(_raw("TABLE_FEATURES_STATS_REQUEST", version, octets))
    for command in range(5):
        named.command = command
        pair.compare(TableFeaturesRequest([named]))


def test_the_reply_of_table_features_is_accepted_as_a_request(pair):
    version = pair.version
    if version < 4:
        pytest.skip("this version has no table features")
    replies = pair.ours.ask(_raw("TABLE_FEATURES_STATS_REQUEST", version))
    requests = [one[:1] + b"\x12" + one[2:] for one in replies]
    pair.compare(*requests)


def test_multipart_requests_are_put_together(pair):
    version = pair.version
    if version < 4:
        pytest.skip("this version has no multipart requests")
    more = 1
    pair.compare(_raw("PORT_STATS_REQUEST", version, b"", "", more),
                 codec.encode(PortStatsRequest(), version, 9))  # fmt: skip
    pair.compare(_raw("PORT_STATS_REQUEST", version, bytes(8), "", more),
                 codec.encode(PortStatsRequest(), version, 9))  # fmt: skip
    pair.compare(_raw("PORT_STATS_REQUEST", version, b"", "", more),
                 _raw("DESC_STATS_REQUEST", version))  # fmt: skip
    pair.compare(_raw("PORT_STATS_REQUEST", version, b"", "", more),
                 _raw("PORT_STATS_REQUEST", version))  # fmt: skip
    pair.compare(_raw("DESC_STATS_REQUEST", version, b"", "", more),
                 _raw("DESC_STATS_REQUEST", version))  # fmt: skip


def test_roles(pair):
    version = pair.version
    form = "" if version >= 3 else "NXT"
    base = 100 * version  # the reference's switch remembers
    for wanted, generation in ((2, 10), (0, 0), (3, 9), (3, 11), (1, 5), (9, 0)):
        body = struct.pack("!I4xQ", wanted, base + generation)
        if form:
            body = struct.pack("!I", wanted)
        pair.compare(_raw("ROLE_REQUEST", version, body, form))
    pair.compare(_raw("ROLE_REQUEST", version, struct.pack("!I", 2), "NXT"))
    # A secondary may not change anything.
    for message in (
        _flow(version, ADD, "actions=drop"),
        codec.encode(PortMod(1), version, 5),
        codec.encode(PacketOut(b"", 1), version, 5),
    ):
        pair.compare(message)
    pair.compare(core.SetConfig(1, 99), core.GetConfigRequest())
    pair.compare(_raw("ROLE_REQUEST", version, struct.pack("!I", 0), "NXT"))
    pair.compare(core.SetConfig(0, 128))
    if version >= 3:
        pair.compare(role.RoleRequest(1, 0))


def test_asynchronous_messages_are_chosen(pair):
    version = pair.version
    body = struct.pack("!6I", 0xFF, 1, 2, 3, 4, 0xFFFFFFFF)
    pair.compare(core.GetConfigRequest())
    if version < 4:
        pair.compare(_raw("SET_ASYNC_CONFIG", version, body, "NXT"))
        return
    pair.compare(core.GetAsyncRequest())
    pair.compare(_raw("SET_ASYNC_CONFIG", version, body, "NXT"))
    pair.compare(core.GetAsyncRequest(), core.GetConfigRequest())
    if version == 4:
        pair.compare(_raw("SET_ASYNC_CONFIG", version, body))
        pair.compare(core.GetAsyncRequest())
        return
    for kind in range(6):
        message = async_config.SetAsync()
        message.masks = [(kind, True, 1 << 3), (kind, False, 1)]
        pair.compare(message, core.GetAsyncRequest())
    for number in (12, 13, 0xFFFE, 0xFFFF):
        pair.compare(
            _raw("SET_ASYNC_CONFIG", version, struct.pack("!HHI", number, 8, 1))
        )


def test_queues(pair):
    for port in (0xFFFF, 1, 0xFFFE, 99):
        for number in (queue.OFPQ_ALL, 0, 3):
            pair.compare(queue.QueueStatsRequest(port, number))
            pair.compare(queue.QueueConfigRequest(port, number))


def test_there_are_no_groups_and_meters(pair):
    version = pair.version
    form = "NXST" if version == 1 else ""
    for kind in ("GROUP_STATS_REQUEST", "GROUP_DESC_STATS_REQUEST"):
        for number in (0xFFFFFFFC, 7):
            body = struct.pack("!I4x", number)
            if kind == "GROUP_DESC_STATS_REQUEST" and 1 < version < 6:
                body = b""
            pair.compare(_raw(kind, version, body, form))
    features_form = "NXST" if version < 3 else ""
    pair.compare(_raw("GROUP_FEATURES_STATS_REQUEST", version, b"", features_form))
    if version < 4:
        return
    for kind in ("METER_STATS_REQUEST", "METER_CONFIG_STATS_REQUEST"):
        for number in (0xFFFFFFFF, 7):
            pair.compare(_raw(kind, version, struct.pack("!I4x", number)))
    pair.compare(_raw("METER_FEATURES_STATS_REQUEST", version))


def test_packet_outs_are_refused_alike(pair):
    version = pair.version
    for actions, in_port, buffer_id in (
        ((Output(2),), 1, 5),
        ((Output(65280),), 1, None),
        ((Group(7),), 1, None),
        ((Output(2),), 0xFFFB, None),
        ((), 1, None),
    ):
        if version == 1 and actions and isinstance(actions[0], Group):
            continue
        message = PacketOut(b"\xff" * 60, in_port, actions)
        if buffer_id is not None:
            message.buffer_id = buffer_id
        pair.compare(message)


MONITORS = (
    # flags, further attributes
    (0x1F, {}),
    (0x0F, {"table_id": 0}),
    (0x5F, {"out_port": 2}),
    (0x0E, {"out_port": 3}),
    (0x04, {}),
    (0x1F, {"table_id": 9}),
)


@pytest.mark.parametrize(("flags", "attributes"), MONITORS)
def test_flow_monitors(pair, flags, attributes):
    version = pair.version
    pair.compare(_flow(version, ADD, "in_port=1,cookie=7,actions=output:2"))
    pair.compare(_flow(version, ADD, "in_port=2,idle_timeout=9,actions=output:1"))
    monitor = FlowMonitor(5, 0, flags)
    for name, value in attributes.items():
        setattr(monitor, name, value)

    def ask():
        return codec.encode(FlowMonitorRequest([monitor]), version, 5)

    pair.compare_monitors(ask())
    pair.compare_monitors(ask())  # its number is taken
    pair.compare(_flow(version, ADD, "in_port=3,hard_timeout=9,actions=output:2,3"))
    pair.compare(_flow(version, ADD, "in_port=3,actions=output:3"))
    pair.compare(_flow(version, MODIFY, "in_port=3,actions=output:2"))
    pair.compare(_flow(version, MODIFY, "in_port=3,actions=output:2"))
    pair.compare(_flow(version, ADD, "dl_vlan=3,actions=drop"))
    pair.compare(_flow(version, DELETE, "in_port=1"))
    other = Pair.__new__(Pair)
    other.version = version
    other.reference = pair.reference_switch.connect(version)
    other.switch = pair.switch
    other.ours = Peer(pair.switch, version, "br0<->unix#2")
    other.compare(_flow(version, ADD, "in_port=4,actions=output:2"))
    pair.compare(core.BarrierRequest())
    other.compare(_flow(version, MODIFY, "in_port=4,actions=output:3"))
    other.compare(_flow(version, DELETE, ""))
    pair.compare(core.BarrierRequest())
    other.reference.close()
    if version < 5:
        pair.compare(FlowMonitorCancel(5))
        pair.compare(FlowMonitorCancel(5))
        pair.compare_monitors(ask())
        return
    monitor.command = 1
    pair.compare_monitors(ask())
    monitor.command = 2
    pair.compare_monitors(ask())
    pair.compare_monitors(ask())
    monitor.command = 1
    pair.compare_monitors(ask())


def test_bad_flow_monitors_are_refused_alike(pair):
    version = pair.version
    for flags, attributes in (
        (0, {}),
        (1, {}),
        (0xFF, {}),
        (0x0F, {"table_id": 254}),
        (0x0F, {"out_port": 0xFF00}),
    ):
        monitor = FlowMonitor(5, 0, flags)
        for name, value in attributes.items():
            setattr(monitor, name, value)
        octets = codec.encode(FlowMonitorRequest([monitor]), version, 5)
        pair.compare_monitors(octets)
        for size in range(16, len(octets)):
            cut = octets[:2] + struct.pack("!H", size) + octets[4:size]
            pair.compare_monitors(cut)
        good = FlowMonitor(6, 0, 0x0F)
        octets = codec.encode(FlowMonitorRequest([good, monitor]), version, 5)
        pair.compare_monitors(octets)


@pytest.mark.parametrize("form", [0, 1, 2])
def test_packets_reach_controllers_in_the_same_form(pair, form):
    version = pair.version
    pair.compare(core.SetConfig(0, 64), core.SetPacketInFormat(form))
    pair.compare(
        _flow(
            version,
            ADD,
            "cookie=9,in_port=1,actions=load:7->NXM_NX_REG2[],load:3->NXM_NX_TUN_ID[],"
            "load:5->NXM_NX_PKT_MARK[],load:6->OXM_OF_METADATA[],"
            "controller(max_len=20,userdata=01.02)",
        )
    )
    pair.reference_switch.appctl("netdev-dummy/receive", "p1", ARP.hex())
    wait_until(lambda: pair.reference.has_message())
    theirs = pair.reference.ask()
    flow = extract(ARP, SLOTS["in_port"].put(0, 1))
    for name, value in (("reg2", 7), ("tun_id", 3), ("pkt_mark", 5), ("metadata", 6)):
        flow = SLOTS[name].put(flow, value)
    event = PacketInEvent(ARP, flow, reason=1, table_id=0, cookie=9, userdata=b"\1\2")
    pair.switch.connmgr.packet_in(event)
    assert pair.ours.take() == theirs
