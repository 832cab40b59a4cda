# SPDX-License-Identifier: Apache-2.0
"""The datapath protocol, served in this process: datapaths, ports, flows, upcalls."""

import random
import struct

import pytest

from ovswitch.native import core

from . import odp, packets
from .odp import attr, be16, eth, output, u32

FRAME = packets.OCTETS["tcp"]
UFID = bytes(range(16))


def refused(errno):
    return pytest.raises(OSError, match=rf"\[Errno {errno}\]")


class TestDatapaths:
    def test_a_new_datapath_has_its_local_port(self, dummy):
        ports = dummy.request(odp.VPORT, odp.GET, flags=odp.DUMP)
        assert [p.attrs[3] for p in ports] == [
            b"dp\0",
            *(b"p%d\0" % i for i in (1, 2, 3, 4)),
        ]
        assert struct.unpack("=I", ports[0].attrs[2]) == (odp.INTERNAL,)

    def test_names_are_unique_and_numbers_from_1(self, dummy):
        assert dummy.dp == 1
        with refused(17):
            dummy.client.request(odp.DATAPATH, odp.NEW, 0, odp.string(1, "dp"))
        (second,) = dummy.client.request(odp.DATAPATH, odp.NEW, 0, odp.string(1, "d2"))
        assert second.dp == 2
        dump = dummy.client.request(odp.DATAPATH, odp.GET, 0, flags=odp.DUMP)
        assert [d.attrs[1] for d in dump] == [b"dp\0", b"d2\0"]

    def test_get_by_name_and_number_and_set(self, dummy):
        by_name = dummy.client.request(odp.DATAPATH, odp.GET, 0, odp.string(1, "dp"))
        assert by_name[0].dp == dummy.dp
        dummy.request(odp.DATAPATH, odp.SET, u32(5, 6))
        (got,) = dummy.request(odp.DATAPATH, odp.GET)
        assert got.attrs[5] == struct.pack("=I", 6)
        with refused(19):
            dummy.client.request(odp.DATAPATH, odp.GET, 77)

    def test_statistics(self, dummy):
        dummy.put_port_flow(1, output(2))
        for port in (1, 1, 2):
            dummy.receive(port, FRAME)
        (got,) = dummy.request(odp.DATAPATH, odp.GET)
        assert struct.unpack("=4Q", got.attrs[3]) == (2, 1, 0, 1)
        mask_hit, n_masks, _, cache_hit, _ = struct.unpack("=QIIQQ", got.attrs[4])
        assert (mask_hit, n_masks, cache_hit) == (2, 1, 1)

    def test_another_datapath_s_flows_are_not_used(self, dummy):
        dummy.client.request(odp.DATAPATH, odp.NEW, 0, odp.string(1, "d2"))
        port = u32(1, 1) + u32(2, 1) + odp.string(3, "q1") + u32(5, 1)
        dummy.client.request(odp.VPORT, odp.NEW, 2, port)
        dummy.put_port_flow(1, output(2))
        assert dummy.receive(1, FRAME)
        dummy.core.receive(2, 1, FRAME)
        assert dummy.sent() == []
        assert len(dummy.upcalls) == 1

    def test_deletion_takes_everything(self, dummy):
        dummy.put_port_flow(1, output(2))
        dummy.receive(1, FRAME)
        dummy.request(odp.DATAPATH, odp.DEL)
        dummy.client.request(odp.DATAPATH, odp.NEW, 0, odp.string(1, "dp") + u32(2, 1))
        dummy.add_port(1, "p1")
        assert dummy.receive(1, FRAME) == []


def test_the_vlan_limit_is_a_datapath_attribute_of_ours(dummy):
    try:
        dummy.request(odp.DATAPATH, odp.SET, u32(100, 1))
        dummy.receive(1, packets.OCTETS["qinq"])
        key = dummy.upcalls[0].attrs[2]
        inside = odp.parse_attrs(odp.parse_attrs(key)[odp.K_ENCAP])
        assert inside == {odp.K_ETHERTYPE: b"\x81\0"}
        dummy.put(key, None, output(2))
        assert len(dummy.receive(1, packets.OCTETS["qinq"])) == 1
    finally:
        core.set_vlan_limit(2)


class TestPorts:
    def test_numbers(self, dummy):
        attrs = u32(2, odp.NETDEV) + odp.string(3, "x") + u32(5, 1)
        (new,) = dummy.request(odp.VPORT, odp.NEW, attrs)
        assert new.attrs[1] == struct.pack("=I", 5)
        with refused(17):
            dummy.request(odp.VPORT, odp.NEW, attrs)
        with refused(16):
            dummy.add_port(5, "y")
        with refused(27):
            dummy.add_port(65536, "y")
        with refused(95):
            dummy.request(odp.VPORT, odp.NEW, u32(2, 4) + odp.string(3, "v"))

    def test_delete(self, dummy):
        dummy.put_port_flow(1, output(2))
        dummy.request(odp.VPORT, odp.DEL, u32(1, 2))
        assert dummy.receive(1, FRAME) == []
        with refused(19):
            dummy.request(odp.VPORT, odp.GET, u32(1, 2))
        with refused(22):
            dummy.request(odp.VPORT, odp.DEL, u32(1, 0))
        with refused(19):
            dummy.core.receive(dummy.dp, 2, FRAME)

    def test_found_by_name_in_any_datapath(self, dummy):
        (got,) = dummy.client.request(odp.VPORT, odp.GET, 0, odp.string(3, "p3"))
        assert (got.dp, got.attrs[1]) == (dummy.dp, struct.pack("=I", 3))

    def test_statistics(self, dummy):
        dummy.put_port_flow(1, output(2, 3))
        dummy.receive(1, FRAME)
        stats = [
            struct.unpack("=8Q", p.attrs[6])[:4]
            for p in dummy.request(odp.VPORT, odp.GET, flags=odp.DUMP)
        ]
        size = len(FRAME)
        assert stats == [(0,) * 4, (1, 0, size, 0), *[(0, 1, 0, size)] * 2, (0,) * 4]

    def test_upcalls_go_where_the_port_says(self, dummy):
        dummy.receive(1, FRAME)
        assert [(u.cmd, u.pid) for u in dummy.upcalls] == [(odp.MISS, 1)]
        dummy.request(odp.VPORT, odp.SET, u32(1, 1) + u32(5, 77))
        dummy.receive(1, FRAME)
        assert [u.pid for u in dummy.upcalls] == [77]
        dummy.request(odp.VPORT, odp.SET, u32(1, 1) + u32(5, 0))
        dummy.receive(1, FRAME)
        assert dummy.upcalls == []
        (got,) = dummy.request(odp.DATAPATH, odp.GET)
        assert struct.unpack("=4Q", got.attrs[3])[2] == 1  # lost

    def test_several_pids_share_by_flow(self, dummy):
        pids = struct.pack("=3I", 1, 2, 3)
        dummy.request(odp.VPORT, odp.SET, u32(1, 1) + attr(5, pids))
        seen = set()
        for octets in packets.OCTETS.values():
            dummy.receive(1, octets)
            (first,) = dummy.upcalls
            dummy.receive(1, octets)
            assert dummy.upcalls[0].pid == first.pid
            seen.add(first.pid)
        assert seen == {1, 2, 3}


class TestFlows:
    def test_a_miss_tells_key_and_packet(self, dummy):
        dummy.receive(2, FRAME)
        (upcall,) = dummy.upcalls
        assert upcall.attrs[1] == FRAME
        key = core.key_from_attrs(upcall.attrs[2])
        port = core.key_from_attrs(u32(odp.K_IN_PORT, 2) + eth())
        assert key == core.extract(FRAME, port)

    def test_the_flow_of_an_upcall_s_key_catches_the_next_packet(self, dummy):
        for octets in packets.OCTETS.values():
            dummy.receive(1, octets)
            if dummy.upcalls:
                dummy.put(dummy.upcalls[0].attrs[2], None, output(2))
            assert dummy.receive(1, octets) == [(2, octets)]

    def test_create_only_modify_only_and_either(self, dummy):
        key, mask = odp.port_flow(1)
        attrs = odp.flow_attrs(key, mask, output(2)) + attr(9, UFID)
        with refused(2):
            dummy.request(odp.FLOW, odp.SET, attrs)
        dummy.request(odp.FLOW, odp.NEW, attrs, odp.CREATE)
        with refused(17):
            dummy.request(odp.FLOW, odp.NEW, attrs, odp.CREATE)
        attrs = odp.flow_attrs(key, mask, output(3)) + attr(9, UFID)
        dummy.request(odp.FLOW, odp.NEW, attrs)
        assert dummy.receive(1, FRAME) == [(3, FRAME)]
        dummy.request(odp.FLOW, odp.SET, attr(9, UFID) + attr(2, b""))
        assert dummy.receive(1, FRAME) == []
        dummy.request(odp.FLOW, odp.SET, attr(9, UFID))  # Leaves the actions.
        (got,) = dummy.request(odp.FLOW, odp.GET, attr(9, UFID))
        assert got.attrs[2] == b""

    def test_statistics_and_clear(self, dummy):
        key, mask = odp.port_flow(1)
        dummy.put(key, mask, output(2), extra=attr(9, UFID))
        dummy.core.set_time(5000)
        dummy.receive(1, FRAME)
        dummy.receive(1, FRAME)
        (got,) = dummy.request(odp.FLOW, odp.SET, attr(9, UFID) + attr(6))
        assert odp.stats(got) == (2, 2 * len(FRAME))
        assert struct.unpack("=Q", got.attrs[5]) == (5000,)
        assert got.attrs[4] == b"\x12"
        (got,) = dummy.request(odp.FLOW, odp.GET, attr(9, UFID))
        assert odp.stats(got) == (0, 0)
        assert not {4, 5} & set(got.attrs)
        dummy.receive(1, FRAME)
        (got,) = dummy.request(odp.FLOW, odp.GET, attr(9, UFID))
        assert odp.stats(got) == (1, len(FRAME))

    def test_terse_replies(self, dummy):
        key, mask = odp.port_flow(1)
        dummy.put(key, mask, output(2), extra=attr(9, UFID))
        (got,) = dummy.request(odp.FLOW, odp.GET, u32(10, 7), odp.DUMP)
        assert got.attrs == {9: UFID}

    def test_dump_has_all_and_delete_by_ufid_key_and_all(self, dummy):
        for i in range(1, 300):
            key, mask = odp.port_flow(i)
            dummy.put(key, mask, output(2), extra=attr(9, i.to_bytes(16, "big")))
        flows = dummy.flows()
        assert len(flows) == 299
        assert len({f.attrs[9] for f in flows}) == 299
        dummy.request(odp.FLOW, odp.DEL, attr(9, (7).to_bytes(16, "big")))
        dummy.request(odp.FLOW, odp.DEL, attr(1, odp.port_flow(8)[0]))
        with refused(2):
            dummy.request(odp.FLOW, odp.DEL, attr(9, (7).to_bytes(16, "big")))
        assert len(dummy.flows()) == 297
        dummy.request(odp.FLOW, odp.DEL)
        assert dummy.flows() == []

    def test_no_match_on_the_port_is_refused(self, dummy):
        key, mask = odp.port_flow(1)
        with refused(22):
            dummy.put(key, u32(odp.K_IN_PORT, 0) + mask[8:], output(2))

    def test_a_flow_without_vlan_in_its_mask_matches_untagged_only(self, dummy):
        dummy.put_port_flow(1, output(2))
        assert dummy.receive(1, packets.OCTETS["vlan"]) == []
        assert len(dummy.upcalls) == 1

    def test_a_deleted_flow_is_not_remembered(self, dummy):
        key, mask = odp.port_flow(1)
        for actions in (output(2), output(3)):
            dummy.put(key, mask, actions)
            assert len(dummy.receive(1, FRAME)) == 1
            dummy.request(odp.FLOW, odp.DEL)
            assert dummy.receive(1, FRAME) == []


def random_flow(rng):
    """Return (key attributes, mask attributes, predicate on (port, octets))."""
    port = rng.randrange(1, 4)
    net_bits = rng.choice((0, 8, 24, 32))
    net = (0xFFFFFFFF << 32 - net_bits) & 0xFFFFFFFF
    dst = rng.randrange(4) << 24 | rng.randrange(4)
    tp = rng.randrange(4)
    tp_mask = rng.choice((0, 0xFFFF))
    key = (
        u32(odp.K_IN_PORT, port)
        + eth()
        + be16(odp.K_ETHERTYPE, 0x800)
        + attr(odp.K_IPV4, struct.pack("!IIBBBB", 0, dst, 17, 0, 0, 0))
        + attr(odp.K_UDP, struct.pack("!HH", 0, tp))
    )
    mask = (
        u32(odp.K_IN_PORT, 0xFFFFFFFF)
        + eth()
        + be16(odp.K_ETHERTYPE, 0xFFFF)
        + attr(odp.K_IPV4, struct.pack("!IIBBBB", 0, net, 255, 0, 0, 0xFF))
        + attr(odp.K_UDP, struct.pack("!HH", 0, tp_mask))
    )
    return (key, mask), (port, dst & net, net, tp & tp_mask, tp_mask)


def test_table_against_a_naive_list(dummy):
    """Random flows come and go; every packet meets one that matches, or none."""
    rng = random.Random(11)
    table = {}
    for step in range(3000):
        choice = rng.random()
        if choice < 0.3:
            (key, mask), rule = random_flow(rng)
            if rule in table:
                continue
            number = rng.randrange(1, 5)
            ufid = rng.randbytes(16)
            try:
                dummy.put(key, mask, output(number), extra=attr(9, ufid))
            except FileExistsError:
                continue  # It overlaps another, which would match its key.
            table[rule] = (number, ufid)
        elif choice < 0.45 and table:
            rule = rng.choice(sorted(table))
            dummy.request(odp.FLOW, odp.DEL, attr(9, table.pop(rule)[1]))
        else:
            port = rng.randrange(1, 4)
            dst, tp = rng.randrange(4) << 24 | rng.randrange(4), rng.randrange(4)
            ip = struct.pack("!BBHHHBBHII", 69, 0, 28, 0, 0, 9, 17, 0, 5, dst)
            octets = bytes(12) + b"\x08\0" + ip + struct.pack("!HHHH", 9, tp, 8, 0)
            want = {
                number
                for (p, d, net, t, t_mask), (number, _) in table.items()
                if p == port and dst & net == d and tp & t_mask == t
            }
            sent = dummy.receive(port, octets)
            assert {number for number, _ in sent} <= want, step
            assert bool(sent) == bool(want), step
    assert len(dummy.flows()) == len(table)


class TestMessages:
    def test_errors_only_acknowledge_when_asked(self, dummy):
        octets = odp.message(odp.DATAPATH, odp.GET, 0, 1)
        (got,) = odp.split(dummy.core.request(octets))
        assert got.error is None
        octets = odp.message(odp.VPORT, odp.SET, 0, 1, u32(1, 1))
        assert dummy.core.request(octets) == b""
        octets = odp.message(odp.VPORT, odp.SET, 0, 1, u32(1, 9))
        (got,) = odp.split(dummy.core.request(octets))
        assert got.error == -19

    def test_several_requests_in_a_datagram(self, dummy):
        octets = b"".join(
            odp.message(odp.VPORT, odp.GET, odp.ACK, 1, u32(1, i), seq=i)
            for i in (1, 9, 2)
        )
        got = [(r.seq, r.error) for r in odp.split(dummy.core.request(octets, 5))]
        assert got == [(1, None), (1, 0), (9, -19), (2, None), (2, 0)]

    @pytest.mark.parametrize(
        ("family", "error"), [(0x25, 95), (0x10, 95), (0xFFFF, 95), (0x26, 95)]
    )
    def test_unknown_families(self, dummy, family, error):
        with refused(error):
            dummy.request(family, odp.GET)

    def test_a_message_cut_short_is_an_error(self, dummy):
        octets = odp.message(odp.FLOW, odp.GET, 0, 1)[:20]
        octets = struct.pack("=I", 20) + octets[4:]
        (got,) = odp.split(dummy.core.request(octets))
        assert got.error == -22
        assert dummy.core.request(b"abc") == b""

    def test_meter_features(self, dummy):
        (got,) = dummy.request(odp.METER, 1)
        assert struct.unpack("=I", got.attrs[7]) == (1 << 18,)
        assert struct.unpack("=I", got.attrs[8]) == (8,)

    def test_meters_come_and_go(self, dummy):
        with refused(2):
            dummy.request(odp.METER, 4, u32(1, 3))
        dummy.request(odp.METER, 2, u32(1, 3) + attr(2) + attr(4))
        dummy.request(odp.METER, 3, u32(1, 3))
        with refused(2):
            dummy.request(odp.METER, 4, u32(1, 3))
        with refused(27):
            dummy.request(odp.METER, 2, u32(1, 1 << 18))
        with refused(19):
            dummy.request(
                odp.METER, 2, u32(1, 3) + attr(4, attr(0, u32(1, 2) + u32(2, 1)))
            )

    def test_random_requests_do_no_harm(self, dummy):
        rng = random.Random(5)
        for _ in range(3000):
            family = rng.randrange(0x20, 0x26)
            attrs = b"".join(
                attr(rng.randrange(12), rng.randbytes(rng.choice((0, 1, 2, 4, 8, 20))))
                for _ in range(rng.randrange(5))
            )
            cmd, flags = rng.randrange(6), rng.choice((0, odp.ACK, odp.DUMP, odp.ECHO))
            odp.split(dummy.core.request(odp.message(family, cmd, flags, 1, attrs)))
            dummy.sent()
