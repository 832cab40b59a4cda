# SPDX-License-Identifier: Apache-2.0
"""NXT_RESUME on a switch without a datapath; test_resume in interop has the rest."""

import json
import pathlib
import random

import pytest

from ovswitch.flow.fields import FIELDS
from ovswitch.flow.match import Match
from ovswitch.openflow import codec
from ovswitch.openflow.actions.types import Output, Resubmit
from ovswitch.openflow.messages.core import BarrierRequest, Error
from ovswitch.openflow.messages.packet_in import Continuation, Resume
from ovswitch.openflow.parse.flow import parse_flow_mod
from ovswitch.openflow.version import OF13
from tests.ofproto.connmgr.connmgr_switch import Peer

PACKET = bytes.fromhex("ffffffffffff aa0000000001 0806") + bytes(46)


@pytest.fixture
def peer(switch):
    peer = Peer(switch, OF13)
    for text in ("table=1,reg0=5,in_port=1,actions=drop", "table=0,actions=drop"):
        assert peer.ask(parse_flow_mod(text, 0)[0]) == []
    return peer


def resume(switch, **state):
    metadata = Match().with_field(FIELDS["in_port"], 1)
    message = Resume(PACKET, metadata.with_field(FIELDS["reg0"], 5))
    message.continuation = continuation = Continuation()
    continuation.bridge = switch.ofproto.uuid
    for name, value in state.items():
        setattr(continuation, name, value)
    return message


def counts(switch):
    return {rule.table_id: rule.n_packets for rule in switch.ofproto.tables.rules()
            if rule.table_id < 2}  # fmt: skip


def test_what_was_left_to_do_is_done_with_the_metadata_that_was(switch, peer):
    actions = [(7, 1, (Resubmit(0xFFF8, 1),))]
    assert peer.ask(resume(switch, actions=actions)) == []
    assert counts(switch) == {0: 0, 1: 1}


def test_nothing_left_to_do_is_not_looked_up_again(switch, peer):
    assert peer.ask(resume(switch)) == []
    assert peer.ask(resume(switch, action_set=(Output(2),))) == []
    assert counts(switch) == {0: 0, 1: 0}


@pytest.mark.parametrize("bridge", [b"", bytes(15) + b"x"])
def test_bridge_that_is_gone_makes_a_stale_continuation(switch, peer, bridge):
    [error] = peer.decoded(resume(switch, bridge=bridge))
    assert isinstance(error, Error)
    assert error.name == "NXR_STALE"


FLOWS = pathlib.Path(__file__).parents[2] / "openflow" / "parse" / "flows.json"
PACKETS = (
    PACKET,
    bytes(14),
    b"x",
    bytes.fromhex("ffffffffffff aa0000000001 8847 000011ff 45") + bytes(40),
    bytes.fromhex("ffffffffffff aa0000000001 86dd 60000000001411ff") + bytes(52),
)


def parsed_actions():
    """Return all kinds of actions."""
    found = set()
    for text in json.loads(FLOWS.read_text()):
        try:
            found.add(parse_flow_mod(text, 0)[0].actions)
        except ValueError:
            continue
    return sorted(found, key=repr)


def test_no_continuation_does_harm(switch):
    """Nobody checks its actions against the packet, and it may be made up."""
    chance = random.Random(3)
    actions = parsed_actions()
    peer = Peer(switch, OF13)
    peer.ask(parse_flow_mod("actions=NORMAL", 0)[0])
    for _ in range(500):
        message = resume(
            switch,
            stack=[bytes(chance.randrange(129)) for _ in range(chance.randrange(4))],
            conntracked=chance.random() < 0.3,
            mirrors=chance.choice((0, 1, 0xFFFFFFFF)),
            odp_port=chance.getrandbits(32),
            actions=[
                (chance.randrange(256), 1, chance.choice(actions))
                for _ in range(chance.randrange(3))
            ],
            action_set=chance.choice((*actions[:50], ())),
        )
        message.packet = chance.choice(PACKETS)
        try:
            octets = bytearray(codec.encode(message, OF13, 7))
        except LookupError:
            continue  # OpenFlow 1.3 can't say it
        if chance.random() < 0.3:
            octets[chance.randrange(8, len(octets))] = chance.randrange(256)
        peer.ask(bytes(octets))
    assert peer.decoded(BarrierRequest())[-1].type == "BARRIER_REPLY"
    switch.backer.recirc.run(switch.now + 1000)
    assert len(switch.backer.recirc) == 0
