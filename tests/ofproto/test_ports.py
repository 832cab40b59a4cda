# SPDX-License-Identifier: Apache-2.0
"""OpenFlow port numbers, and bringing ports up and down."""

from __future__ import annotations

import pytest

from ovswitch.ofproto import port as p
from ovswitch.ofproto.backer import Backer
from ovswitch.ofproto.ofproto import Ofproto

HOUR_MS = 60 * 60 * 1000


class Lab:
    """A switch without a datapath, and its clock."""

    def __init__(self):
        self.now = 10 * HOUR_MS
        backer = Backer("dummy", None, clock=lambda: self.now)
        self.ofproto = Ofproto("br0", backer, uuid=bytes(16))

    def add(self, name, **options):
        return self.ofproto.port_add(name, None, **options)


@pytest.fixture
def lab():
    return Lab()


def test_numbers_go_round_before_one_is_given_again(lab):
    first = lab.add("p1")
    assert first.ofp_port == 1
    lab.ofproto.port_del(first)
    assert lab.add("p2").ofp_port == 2
    assert lab.add("p3").ofp_port == 3


def test_a_requested_number_is_given_at_once(lab):
    lab.ofproto.port_del(lab.add("p1", ofp_port=7))
    assert lab.add("p2", ofp_port=7).ofp_port == 7
    assert lab.add("p3", ofp_port=7).ofp_port == 1


@pytest.fixture
def few_numbers(monkeypatch):
    monkeypatch.setattr("ovswitch.ofproto.ofproto._END_OF_AUTOMATIC_PORTS", 4)


def test_the_longest_unused_number_is_given_when_all_were_used(lab, few_numbers):
    ports = [lab.add(f"p{number}") for number in (1, 2, 3)]
    for index in (1, 0):
        lab.now += 1000
        lab.ofproto.port_del(ports[index])
    assert lab.add("new").ofp_port == 2
    assert lab.add("newer").ofp_port == 1
    with pytest.raises(OverflowError):
        lab.add("one too many")


def test_a_number_is_as_good_as_new_after_an_hour(lab, few_numbers):
    ports = [lab.add(f"p{number}") for number in (1, 2, 3)]
    lab.ofproto.port_del(ports[2])
    lab.now += 1
    lab.ofproto.port_del(ports[0])
    lab.now += HOUR_MS + 1
    assert lab.add("new").ofp_port == 1


@pytest.mark.parametrize("can", [True, False])
def test_a_port_is_down_only_if_its_device_is(lab, can):
    port = lab.add("p1")
    asked = []

    def set_up(up):
        asked.append(up)
        return can

    port.set_up = set_up
    assert lab.ofproto.port_set_config(port, p.PORT_DOWN, p.PORT_DOWN) is can
    assert asked == [False]
    assert port.config == (p.PORT_DOWN if can else 0)
