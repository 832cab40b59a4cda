# SPDX-License-Identifier: Apache-2.0
"""Octets that make no sense get an error message or nothing, and harm nothing."""

import random
import struct

import pytest
from connmgr_switch import Peer, Switch
from hypothesis import given, settings
from hypothesis import strategies as st

from ovswitch.openflow import codec, raws
from ovswitch.openflow.messages.core import BarrierRequest
from ovswitch.openflow.version import VERSIONS
from ovswitch.runtime import vlog


@pytest.fixture(autouse=True, scope="module")
def _quiet():
    vlog.set_levels(vlog.OFF, destination=vlog.CONSOLE)
    yield
    vlog.set_levels(vlog.INFO, destination=vlog.CONSOLE)


def _message(raw, version, body):
    return raws.put(raw, version, 9, body[: 0xFFFF - 64])


@given(
    st.sampled_from(raws.RAWS),
    st.sampled_from(VERSIONS),
    st.binary(max_size=120),
)
@settings(max_examples=100)
def test_any_message_with_any_body(raw, version, body):
    switch = Switch()
    peer = Peer(switch, version)
    peer.ask(_message(raw, version, body))
    assert codec.decode(peer.ask(BarrierRequest())[-1]).type == "BARRIER_REPLY"
    switch.run(100_000)


def test_many_random_bodies_do_no_harm(switch):
    rng = random.Random(5)
    peers = {version: Peer(switch, version) for version in VERSIONS}
    for _ in range(4000):
        raw = rng.choice(raws.RAWS)
        version = rng.choice(VERSIONS)
        size = raw.min_body + 8 * rng.randrange(6)
        body = bytes(rng.choice((0, 0, 0, 1, 2, 8, 16, 24, 255)) for _ in range(size))
        peers[version].ask(_message(raw, version, body))
    switch.run(100_000)
    switch.ofproto.tables.check_invariants()
    for version, peer in peers.items():
        assert codec.decode(peer.ask(BarrierRequest())[-1]).xid == 7, version


@pytest.mark.parametrize("size", range(8, 40))
def test_headers_of_any_type_and_size(switch, size):
    for version in VERSIONS:
        peer = Peer(switch, version)
        for kind in range(40):
            header = struct.pack("!BBHI", version, kind, size, 1)
            peer.ask(header + bytes(size - 8))
