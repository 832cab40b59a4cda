# SPDX-License-Identifier: Apache-2.0
"""A packet's flow from text: what is refused, and that nothing else happens."""

from __future__ import annotations

import contextlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovswitch.flow.layout import SLOTS
from ovswitch.flow.names import OFPP_NONE
from ovswitch.ofproto.backer import Backer
from ovswitch.ofproto.exact_flow import parse_exact_flow
from ovswitch.ofproto.ofproto import Ofproto
from ovswitch.ofproto.trace import TraceError, Tracer


def test_fields_and_protocols():
    flow = parse_exact_flow("in_port=3,tcp,nw_dst=10.0.0.1,tp_dst=80")
    assert SLOTS["in_port"].get(flow) == 3
    assert SLOTS["dl_type"].get(flow) == 0x800
    assert SLOTS["nw_dst"].get(flow) == 0x0A000001
    assert SLOTS["tp_dst"].get(flow) == 80
    assert SLOTS["in_port"].get(parse_exact_flow("")) == OFPP_NONE


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("foo=1", "unknown field foo"),
        ("tcp_dst=1", "prerequisites not met for setting tcp_dst"),
        ("tcp,udp", "Ethernet type set multiple times"),
        ("in_port=1,in_port=2", "field in_port set multiple times"),
        ("ip,nw_src=1.2.3", "bad value for nw_src"),
    ],
)
def test_problems_are_told(text, problem):
    with pytest.raises(ValueError, match=problem):
        parse_exact_flow(text)


WORDS = (
    "in_port=", "tcp", "udp6", "nw_src=", "dl_src=", "1", "10.0.0.1/8", ",", "=", "-",
    "vlan_tci=", "0x", "99999999999999999999", "--ct-next", "br0", "(", ")", "mpls",
    "tun_id", "reg0=", "\u00e9", " ", "actions=", "output:1", "-generate",
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=8).map("".join) | st.text(max_size=20))
def test_any_text_is_parsed_or_refused(text):
    with contextlib.suppress(ValueError):
        parse_exact_flow(text)


def test_any_arguments_of_traces_are_carried_out_or_refused():
    backer = Backer("dummy", clock=lambda: 0)
    Ofproto("br0", backer)
    tracer = Tracer({"dummy": backer})
    rng = random.Random(2)
    for _ in range(500):
        arguments = [
            "".join(rng.choices(WORDS, k=rng.randint(1, 4)))
            for _ in range(rng.randint(1, 4))
        ]
        if rng.random() < 0.5:
            arguments.insert(0, "br0")
        for command in (tracer.command, tracer.packet_out_command):
            with contextlib.suppress(TraceError):
                command(arguments)
