# SPDX-License-Identifier: Apache-2.0
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovswitch.openflow import vconn
from ovswitch.openflow.errors import decode as decode_error
from ovswitch.openflow.vconn import CLOSED, CONNECTED, Vconn, decode_hello, encode_hello


def message(version, kind, body=b"", xid=7):
    return struct.pack("!BBHI", version, kind, 8 + len(body), xid) + body


def connected(version=4):
    connection = Vconn("test")
    connection.feed(encode_hello(1 << version))
    connection.take_output()
    return connection


@pytest.mark.parametrize(
    ("allowed", "octets"),
    [
        (0x7E, "06 00 0008 00000001"),
        (0x02, "01 00 0008 00000001"),
        (0x1E, "04 00 0008 00000001"),
        (0x12, "04 00 0010 00000001 0001 0008 00000012"),
        (0x10, "04 00 0010 00000001 0001 0008 00000010"),
    ],
)
def test_hello_has_a_bitmap_only_where_the_version_is_not_enough(allowed, octets):
    """OpenFlow 1.3.1 §7.5.1; the reference leaves the bitmap out where it can."""
    hello = bytes.fromhex(octets.replace(" ", ""))
    assert encode_hello(allowed) == hello
    assert decode_hello(hello) == (allowed, True)


@pytest.mark.parametrize(
    ("ours", "theirs", "version"),
    [(0x7E, 0x02, 1), (0x7E, 0x10, 4), (0x1E, 0x7E, 4), (0x12, 0x0E, 1)],
)
def test_greatest_common_version_is_taken(ours, theirs, version):
    connection = Vconn("test", ours)
    assert connection.feed(encode_hello(theirs)) == []
    assert (connection.state, connection.version) == (CONNECTED, version)


def test_no_common_version_is_told_the_peer_before_closing():
    connection = Vconn("test", 0x10)
    connection.take_output()
    connection.feed(encode_hello(0x02))
    name, payload = decode_error(connection.take_output())
    assert name == "OFPHFC_INCOMPATIBLE"
    assert payload == (
        b"We support version 0x04, you support version 0x01, no common versions."
    )
    assert (connection.state, connection.error) == (CLOSED, vconn.EPROTO)


@pytest.mark.parametrize("split", range(1, 31))
def test_messages_come_out_whole_however_they_are_cut(split):
    octets = encode_hello(0x10) + message(4, 5) + message(4, 20)
    connection = Vconn("test")
    got = connection.feed(octets[:split]) + connection.feed(octets[split:])
    assert got == [message(4, 5), message(4, 20)]


def test_other_versions_are_refused_but_for_echo_and_error():
    connection = connected(4)
    assert connection.feed(message(1, 2)) == [message(1, 2)]
    assert connection.feed(message(1, 5, xid=9)) == []
    reply = connection.take_output()
    assert decode_error(reply)[0] == "OFPBRC_BAD_VERSION"
    assert reply[4:8] == b"\0\0\0\x09"
    assert connection.state is CONNECTED


def test_length_below_a_header_closes():
    connection = connected()
    assert connection.feed(b"\x04\x05\x00\x07\0\0\0\0") == []
    assert connection.state is CLOSED


def test_anything_but_hello_first_closes():
    connection = Vconn("test")
    connection.feed(b"\x04\x05\x00\x07")
    connection.feed(b"\0\0\0\0")
    assert connection.state is CLOSED


@settings(max_examples=100)
@given(st.lists(st.binary(max_size=100), max_size=5))
def test_any_octets_leave_it_in_a_known_state(chunks):
    connection = connected()
    for chunk in chunks:
        for got in connection.feed(chunk):
            assert len(got) == got[2] << 8 | got[3]
    assert connection.state in (CONNECTED, CLOSED)


@settings(max_examples=100)
@given(st.binary(max_size=40))
def test_any_hello_body_is_decoded(body):
    offered, _understood = decode_hello(message(4, 0, body))
    assert offered & 1 == 0
    assert offered
