# SPDX-License-Identifier: Apache-2.0
"""Tunnel options as fields: where they stand, and what doesn't fit."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovswitch.flow.tun_metadata import TunMetadataError, TunTable, members, present

TABLE = TunTable().added([(0xFFFF, 0, 4, 0), (0xFFFF, 1, 8, 5), (0, 2, 124, 63)])


def test_fields_stand_side_by_side():
    flow = TABLE.write(TABLE.write(0, 0, 0x11223344), 5, 0xAABBCCDDEEFF0011)
    assert TABLE.read(flow, 0) == 0x11223344
    assert TABLE.read(flow, 5) == 0xAABBCCDDEEFF0011
    assert TABLE.read(flow, 63) == 0
    assert list(members(present(flow))) == [0, 5]
    assert TABLE.write(0, 9, 1) == 0  # no such field


@pytest.mark.parametrize(
    ("mapping", "error"),
    [
        ((1, 1, 4, 64), "NXTTMFC_BAD_FIELD_IDX"),
        ((1, 1, 4, 5), "NXTTMFC_ALREADY_MAPPED"),
        ((0xFFFF, 1, 4, 6), "NXTTMFC_DUP_ENTRY"),
        ((1, 1, 124, 6), "NXTTMFC_TABLE_FULL"),
    ],
)
def test_a_wrong_mapping_is_refused(mapping, error):
    with pytest.raises(TunMetadataError, match=error):
        TABLE.added([mapping])
    assert TABLE.used() == 136


def test_a_field_may_be_scattered_over_holes():
    table = TunTable().added([(1, i, 4, i) for i in range(64)])
    assert table.used() == 256
    holes = table.without([0, 2, 4, 60])
    full = holes.added([(2, 0, 16, 2)])
    assert full.entries[2].runs == ((0, 4), (8, 4), (16, 4), (240, 4))
    value = 0x00112233445566778899AABBCCDDEEFF
    assert full.read(full.write((1 << 2048) - 1, 2, value), 2) == value
    with pytest.raises(TunMetadataError, match="NXTTMFC_TABLE_FULL"):
        full.added([(3, 0, 4, 0)])


def test_a_match_brings_its_own_layout():
    own = TunTable().with_local(7, 4, masked=False).with_local(3, 2, masked=True)
    flow = own.write(own.write(0, 3, 0xBEEF), 7, 0x01020304)
    assert (own.read(flow, 7), own.read(flow, 3)) == (0x01020304, 0xBEEF)
    with pytest.raises(ValueError, match="field tun_metadata3 set multiple times"):
        own.with_local(3, 2, masked=True)
    with pytest.raises(ValueError, match=r"used 260, max 256"):
        own.with_local(8, 254, masked=False)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 15), st.integers(1, 31)), max_size=30
    )
)
def test_fields_never_share_an_octet(changes):
    table = TunTable()
    for is_added, index, words in changes:
        try:
            if is_added:
                table = table.added([(1, index, 4 * words, index)])
            else:
                table = table.without([index])
        except TunMetadataError:
            continue
        octets = [
            octet
            for entry in table.entries.values()
            for offset, size in entry.runs
            for octet in range(offset, offset + size)
        ]
        assert len(octets) == len(set(octets)) == table.used()
