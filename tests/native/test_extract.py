# SPDX-License-Identifier: Apache-2.0
"""Extraction: the C routine and its plain twin give the same keys."""

import random

import pytest

from ovswitch.flow.layout import SIZE, SLOTS
from ovswitch.native import core
from ovswitch.packet import extract as plain

from . import packets

EXTRACTORS = {"C": core.extract, "plain": plain.extract}


def fields(flow: int) -> dict[str, int]:
    """Return the members of `flow` that are not zero."""
    return {name: slot.get(flow) for name, slot in SLOTS.items() if slot.get(flow)}


@pytest.mark.parametrize("extract", EXTRACTORS.values(), ids=EXTRACTORS)
class TestFields:
    """What keys of whole packets say."""

    def test_tcp(self, extract):
        assert fields(extract(packets.OCTETS["tcp"])) == {
            "dl_src": 0x020000000001,
            "dl_dst": 0x020000000002,
            "dl_type": 0x800,
            "nw_src": 0x0A000001,
            "nw_dst": 0x0A000002,
            "nw_proto": 6,
            "nw_tos": 0x28,
            "nw_ttl": 61,
            "tp_src": 1000,
            "tp_dst": 80,
            "tcp_flags": 0x12,
        }

    def test_qinq_tags_carry_the_cfi_bit(self, extract):
        got = fields(extract(packets.OCTETS["qinq"]))
        assert got["vlan_tpid0"] == 0x88A8
        assert got["vlan_tci0"] == 0x1014
        assert got["vlan_tpid1"] == 0x8100
        assert got["vlan_tci1"] == 0x100A
        assert got["dl_type"] == 0x800

    def test_a_third_tag_is_payload(self, extract):
        got = fields(extract(packets.OCTETS["three tags"]))
        assert got["dl_type"] == 0x8100
        assert "nw_src" not in got

    def test_neighbour_solicitation(self, extract):
        got = fields(extract(packets.OCTETS["nd solicitation"]))
        assert got["nd_target"] == 0xFD00 << 112 | 9
        assert got["arp_sha"] == 0x020A00000001
        assert got["tcp_flags"] == 1
        assert (got["tp_src"], got.get("tp_dst", 0)) == (135, 0)

    def test_neighbour_advertisement_keeps_its_flags(self, extract):
        got = fields(extract(packets.OCTETS["nd advertisement"]))
        assert got["igmp_group_ip4"] >> 29 == 0b110
        assert got["arp_tha"] == 0x020A00000002

    def test_an_option_that_comes_twice_voids_the_message(self, extract):
        got = fields(extract(packets.OCTETS["nd option twice"]))
        assert "nd_target" not in got
        assert "arp_sha" not in got

    def test_later_fragments_have_no_ports(self, extract):
        for name in ("later fragment", "later fragment 6"):
            got = fields(extract(packets.OCTETS[name]))
            assert got["nw_frag"] == 3
            assert "tp_src" not in got

    def test_mpls_labels(self, extract):
        got = fields(extract(packets.OCTETS["mpls 2"]))
        assert got["mpls_lse0"] >> 12 == 1
        assert got["mpls_lse1"] >> 12 == 2
        assert got["mpls_lse1"] >> 8 & 1 == 1
        assert "nw_src" not in got

    def test_nsh(self, extract):
        got = fields(extract(packets.OCTETS["nsh"]))
        assert got["nsh_mdtype"] == 1
        assert got["nsh_np"] == 3
        assert got["nsh_path_hdr"] == 0x123FE

    def test_frames_without_ethertype(self, extract):
        assert fields(extract(packets.OCTETS["llc"]))["dl_type"] == 0x5FF
        assert fields(extract(packets.OCTETS["snap"]))["nw_proto"] == 6

    def test_a_layer_3_packet_is_taken_by_its_packet_type(self, extract):
        packet_type = SLOTS["packet_type"].put(0, 0x10800)
        got = fields(extract(packets.OCTETS["tcp"][14:], packet_type))
        assert got["dl_type"] == 0x800
        assert got["tp_dst"] == 80
        assert "dl_src" not in got

    def test_metadata_stays(self, extract):
        metadata = SLOTS["in_port"].put(0, 7) | SLOTS["recirc_id"].put(0, 9)
        got = fields(extract(packets.OCTETS["arp"], metadata))
        assert (got["in_port"], got["recirc_id"]) == (7, 9)
        assert got["nw_proto"] == 1


def test_the_module_was_built_from_this_layout():
    assert core.KEY_SIZE == SIZE


class TestTwins:
    """Duels of the two."""

    @pytest.mark.parametrize("name", packets.OCTETS)
    def test_whole_and_cut_at_every_length(self, name):
        octets = packets.OCTETS[name]
        for size in range(len(octets) + 1):
            cut = octets[:size]
            assert fields(core.extract(cut)) == fields(plain.extract(cut)), size

    def test_mutated_packets(self):
        for octets in packets.mutations(1, 4000):
            assert core.extract(octets) == plain.extract(octets), octets.hex()

    def test_random_octets(self):
        rng = random.Random(2)
        for _ in range(500):
            octets = rng.randbytes(rng.randrange(200))
            assert core.extract(octets) == plain.extract(octets), octets.hex()

    def test_vlan_limit(self):
        octets = packets.OCTETS["qinq"]
        try:
            for limit in (0, 1, 2):
                core.set_vlan_limit(limit)
                assert core.extract(octets) == plain.extract(octets, 0, limit)
        finally:
            core.set_vlan_limit(2)
