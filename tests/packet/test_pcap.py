# SPDX-License-Identifier: Apache-2.0
"""Capture files: both orders, both units, faults."""

import struct

import pytest

from ovswitch.packet import pcap

PACKETS = [(1_500_000, b"a" * 14), (2_000_001, b"b" * 60)]
FILE = pcap.file_header() + b"".join(pcap.record(*packet) for packet in PACKETS)


def test_what_is_written_is_read():
    assert list(pcap.read(FILE)) == PACKETS


@pytest.mark.parametrize(("magic", "unit"), [(0xA1B2C3D4, 1), (0xA1B23C4D, 1000)])
@pytest.mark.parametrize("order", "<>")
def test_orders_and_units(order, magic, unit):
    octets = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 99, 1)
    octets += struct.pack(order + "IIII", 3, 7 * unit, 2, 2) + b"xy"
    assert list(pcap.read(octets)) == [(3_000_007, b"xy")]


def test_cooked_frames_become_ethernet():
    octets = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 99, 113)
    frame = b"\0\0\0\1\0\6abcdef\0\0\x08\0rest"
    octets += struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame
    assert list(pcap.read(octets)) == [(0, bytes(6) + b"abcdef\x08\0rest")]


@pytest.mark.parametrize("size", range(len(FILE)))
def test_truncation_is_an_error_but_in_a_records_header(size):
    packets = [end for end in (24, 24 + 16 + 14) if end <= size < end + 16]
    if packets:
        assert len(list(pcap.read(FILE[:size]))) == (packets[0] > 24)
    else:
        with pytest.raises(pcap.PcapError) as caught:
            list(pcap.read(FILE[:size]))
        assert caught.value.number == pcap.EOF
        assert caught.value.in_header == (size < 24)
