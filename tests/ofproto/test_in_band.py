# SPDX-License-Identifier: Apache-2.0
"""In-band control's flows follow controllers, the local port and next hops."""

import errno

import pytest

from ovswitch.netdev.provider import Netdev, NetdevError
from ovswitch.ofproto.in_band import InBand
from ovswitch.openflow.actions.types import Output, SetQueue
from tests.ofproto.connmgr.connmgr_switch import Switch

REMOTE = (0x0A000002, 6653)
GATEWAY = 0x0A000001


class Device(Netdev):
    """A local port with a route through a gateway."""

    def __init__(self):
        super().__init__("br0")
        self.mac = bytes.fromhex("aa0000000001")
        self.gateway = GATEWAY
        self.neighbours = {}
        self.asked = 0

    def get_etheraddr(self):
        return self.mac

    def get_next_hop(self, ip):
        if self.gateway is None:
            raise NetdevError(errno.ENXIO)
        return self.gateway, "eth0"

    def arp_lookup(self, device, ip):
        self.asked += 1
        if ip not in self.neighbours:
            raise NetdevError(errno.ENXIO)
        return self.neighbours[ip]


@pytest.fixture
def ofproto():
    return Switch().ofproto


@pytest.fixture
def device():
    return Device()


@pytest.fixture
def in_band(ofproto, device):
    in_band = InBand(ofproto, device)
    in_band.set_remotes([REMOTE])
    return in_band


def priorities(ofproto):
    return sorted(
        rule.priority - 180000 for rule in ofproto.tables.tables[0].classifier
        if rule.is_hidden
    )  # fmt: skip


def test_unknown_next_hop_is_asked_for_every_second_a_known_one_every_ten(
    in_band, ofproto, device
):
    assert in_band.run(0)
    assert priorities(ofproto) == [0, 1, 2, 5, 6, 7, 8]
    in_band.run(999)
    assert device.asked == 1
    device.neighbours[GATEWAY] = 0xBB0000000001
    in_band.run(1000)
    assert device.asked == 2
    assert priorities(ofproto) == list(range(9))
    in_band.run(10_999)
    assert device.asked == 2
    in_band.run(11_000)
    assert device.asked == 3


def test_remote_without_a_gateway_is_its_own_next_hop(in_band, ofproto, device):
    device.gateway = 0
    device.neighbours[REMOTE[0]] = 0xBB0000000002
    in_band.run(0)
    assert priorities(ofproto) == list(range(9))


def test_flows_follow_the_local_address_within_a_second(in_band, ofproto, device):
    in_band.run(0)
    device.mac = bytes(6)
    in_band.run(999)
    assert priorities(ofproto)[0] == 0
    in_band.run(1000)
    assert priorities(ofproto) == [5, 6, 7, 8]


def test_without_a_route_the_flows_of_a_next_hop_go(in_band, ofproto, device):
    device.neighbours[GATEWAY] = 0xBB0000000001
    in_band.run(0)
    device.gateway = None
    in_band.run(10_000)
    assert priorities(ofproto) == [0, 1, 2, 5, 6, 7, 8]


def test_flows_that_a_flush_took_come_back(in_band, ofproto):
    in_band.run(0)
    ofproto.tables.flush(hidden=True)
    assert in_band.run(1)
    assert priorities(ofproto) == [0, 1, 2, 5, 6, 7, 8]


def test_queue_is_set_and_taken_back(in_band, ofproto):
    def actions():
        return {r.actions for r in ofproto.tables.tables[0].classifier if r.is_hidden}

    normal = Output(0xFFFA)
    in_band.queue_id = 3
    in_band.run(0)
    assert actions() == {(SetQueue(3), normal)}
    in_band.queue_id = -1
    in_band.run(1)
    assert actions() == {(normal,)}


def test_last_remote_takes_all_flows_along(in_band, ofproto):
    in_band.run(0)
    in_band.set_remotes([])
    assert not in_band.run(1)
    assert priorities(ofproto) == []


def test_remotes_at_one_address_share_its_flows(in_band, ofproto):
    in_band.set_remotes([REMOTE, (REMOTE[0], 7000)])
    in_band.run(0)
    assert priorities(ofproto) == [0, 1, 2, 5, 6, 7, 7, 8, 8]
