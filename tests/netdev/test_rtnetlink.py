# SPDX-License-Identifier: Apache-2.0
import errno
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovswitch.netdev import rtnetlink


@pytest.fixture
def links():
    socket = rtnetlink.Rtnetlink()
    yield socket
    socket.close()


def test_loopback_is_found_by_name(links):
    link = links.get("lo")
    assert (link.name, link.mtu) == ("lo", 65536)
    assert link.address == bytes(6)
    assert {"rx_packets", "tx_bytes", "rx_crc_errors"} <= set(link.stats)


def test_dump_has_every_link_once(links):
    names = [link.name for link in links.dump()]
    assert "lo" in names
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", ["", "no-such-dev", "a-name-of-more-than-15"])
def test_unknown_name_is_enodev(links, name):
    with pytest.raises(OSError, match="No such device") as caught:
        links.get(name)
    assert caught.value.errno == errno.ENODEV


def test_watcher_has_nothing_to_tell_without_changes():
    watcher = rtnetlink.Watcher()
    assert watcher.changes() == []
    watcher.close()


def link_message(index=7, name=b"p1", carrier=1):
    attrs = rtnetlink._attribute(rtnetlink.IFLA_IFNAME, name + b"\0")
    attrs += rtnetlink._attribute(rtnetlink.IFLA_MTU, struct.pack("=I", 9000))
    attrs += rtnetlink._attribute(rtnetlink.IFLA_CARRIER, bytes([carrier]))
    return struct.pack("=BxHiII", 0, 1, index, rtnetlink.IFF_UP, 0) + attrs


def test_link_is_read_from_its_attributes():
    link = rtnetlink._parse_link(link_message())
    assert (link.ifindex, link.name, link.mtu, link.carrier) == (7, "p1", 9000, True)
    assert link.stats["rx_packets"] == 0


@pytest.mark.parametrize("cut", range(16, len(link_message())))
def test_truncated_attributes_are_left_out(cut):
    link = rtnetlink._parse_link(link_message()[:cut])
    assert link.ifindex == 7


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_any_octets_split_into_whole_messages_only(octets):
    total = sum(16 + len(body) for _, body in rtnetlink._messages(octets))
    assert total <= len(octets)
