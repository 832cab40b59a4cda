# SPDX-License-Identifier: Apache-2.0
"""Text that describes flows, packets to send and monitors: faults and odd input."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovswitch.flow.names import NameMap, Names
from ovswitch.openflow import protocol
from ovswitch.openflow.messages.flow_mod import (
    OFPFC_ADD,
    OFPFC_DELETE,
    OFPFC_MODIFY,
)
from ovswitch.openflow.parse.files import parse_flow_file
from ovswitch.openflow.parse.flow import (
    BY_TEXT,
    parse_flow_mod,
    parse_flow_request,
)
from ovswitch.openflow.parse.monitor import parse_flow_monitor
from ovswitch.openflow.parse.packet_out import parse_packet_out
from ovswitch.openflow.parse.tokens import ParseError, key_values

TEXTS = list(json.loads((Path(__file__).parent / "flows.json").read_text()))
PACKET = "ffffffffffff0000000000010800"


def names():
    ports, tables = NameMap(), NameMap()
    ports.put(1, "p1")
    ports.put(2, "p2")
    tables.put(3, "acl")
    return Names(ports, tables)


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", []),
        (" , \t", []),
        ("a=1,b=2", [("a", "1"), ("b", "2")]),
        ("a:1 b", [("a", "1"), ("b", "")]),
        ("a(b,c(d)),e", [("a", "b,c(d)"), ("e", "")]),
        ("ct(commit),x=(1,2)", [("ct", "commit"), ("x", "(1,2)")]),
        ("a=b=c", [("a", "b=c")]),
        ("a(b", [("a", "b")]),
        ("check(1)->x[0],y", [("check", "1)->x[0]"), ("y", "")]),
    ],
)
def test_keys_and_values(text, pairs):
    assert list(key_values(text)) == pairs


@given(st.text(alphabet="ab01=:(),[]-> \t", max_size=30))
@settings(max_examples=100, deadline=None)
def test_keys_and_values_are_parts_of_the_text(text):
    for key, value in key_values(text):
        assert key in text
        assert value in text


def test_keys_are_lazy():
    assert next(iter(key_values("a=1,b"))) == ("a", "1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("foo=1,actions=1", "unknown keyword foo"),
        ("table=999,actions=1", 'unknown table "999"'),
        ("table=nope,actions=1", 'unknown table "nope"'),
        ("priority=99999,actions=1", 'invalid priority "99999"'),
        ("priority=,actions=1", "field priority missing value"),
        ("cookie=1/1,actions=1", "flow additions cannot use a cookie mask"),
        ("actions=nope", "unknown action nope"),
        ("tcp", "must specify an action"),
    ],
)
def test_wrong_flows(text, message):
    with pytest.raises(ParseError) as caught:
        parse_flow_mod(text, OFPFC_ADD)
    if message is not None:
        assert str(caught.value) == message


def test_names_stand_for_numbers():
    flow, _ = parse_flow_mod("table=acl,in_port=p1,actions=p2", 0, names())
    assert flow.table_id == 3
    assert flow.actions[0].port == 2


def test_commands_stand_at_the_front_of_lines():
    flow, _ = parse_flow_mod("delete table=1", BY_TEXT)
    assert flow.command == OFPFC_DELETE
    flow, _ = parse_flow_mod("modify table=1,actions=drop", BY_TEXT)
    assert flow.command == OFPFC_MODIFY
    flow, _ = parse_flow_mod("table=1,actions=drop", BY_TEXT)
    assert flow.command == OFPFC_ADD


@pytest.mark.parametrize(
    ("text", "usable"),
    [
        ("actions=1", protocol.ANY),
        ("reg0=1,actions=1", protocol.NXM_OXM_ANY),
        ("out_group=1", protocol.OF11_UP),
    ],
)
def test_usable_protocols(text, usable):
    command = OFPFC_DELETE if "actions" not in text else OFPFC_ADD
    assert parse_flow_mod(text, command)[1] == usable


def test_files_tell_the_line_of_a_fault(tmp_path):
    path = tmp_path / "flows"
    path.write_text("# all is well\nactions=1\n\nfoo=3,actions=1\n")
    with pytest.raises(ParseError) as caught:
        parse_flow_file(str(path), BY_TEXT)
    assert str(caught.value) == f"{path}:4: unknown keyword foo"


def test_files_that_are_missing_are_reported():
    with pytest.raises(ParseError) as caught:
        parse_flow_file("/nonexistent/flows", BY_TEXT)
    assert str(caught.value) == (
        "/nonexistent/flows: open failed (No such file or directory)"
    )


def test_statistics_are_asked_for_with_a_part_of_a_flow():
    flow, _ = parse_flow_request("table=3,tcp,out_port=5,cookie=2/3")
    assert (flow.table_id, flow.out_port, flow.cookie, flow.cookie_mask) == (3, 5, 2, 3)


def test_packets_to_send():
    message, _ = parse_packet_out(f"in_port=p1 packet={PACKET} actions=1,2", names())
    assert message.packet == bytes.fromhex(PACKET)
    assert len(message.actions) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("actions=1", "must specify packet"),
        ("packet=00 actions=1", "packet: Packet data too short for Ethernet"),
        ("packet=0z actions=1", "packet: Trailing garbage in packet data"),
        (f"packet={PACKET},foo=1 actions=1", "unknown keyword foo"),
        (
            f"packet={PACKET},eth_src=00:00:00:00:00:01 actions=1",
            "eth_src is not a valid pipeline field for PACKET_OUT",
        ),
        (f"in_port=65530,packet={PACKET} actions=1", None),
    ],
)
def test_wrong_packets_to_send(text, message):
    with pytest.raises(ParseError) as caught:
        parse_packet_out(text)
    if message is not None:
        assert str(caught.value) == message


def test_monitors():
    monitor, usable = parse_flow_monitor("!initial,!own,table=acl,tcp", 5, names())
    assert (monitor.id, monitor.table_id, monitor.flags) == (5, 3, 0x1E)
    assert usable == protocol.ANY


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("foo=1", "foo=1: unknown keyword foo"),
        ("out_port", "out_port: field out_port missing value"),
        ("table=x", 'unknown table "x"'),
    ],
)
def test_wrong_monitors(text, message):
    with pytest.raises(ParseError) as caught:
        parse_flow_monitor(text, 0)
    assert str(caught.value) == message


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(TEXTS), st.data())
def test_changed_flows_raise_nothing_but_value_errors(text, data):
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        piece = data.draw(
            st.sampled_from(["(", ")", ",", "=", "[", "/", "0", "->", "x"])
        )
        end = at + data.draw(st.integers(0, 2))
        text = text[:at] + piece + text[end:]
    try:
        flow, usable = parse_flow_mod(text, OFPFC_ADD)
    except ValueError:
        return
    if usable:
        flow.encode(usable & -usable, 1)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_a_flow_or_a_value_error(text):
    for read in (
        lambda: parse_flow_mod(text, BY_TEXT),
        lambda: parse_flow_request(text),
        lambda: parse_packet_out(text),
        lambda: parse_flow_monitor(text, 0),
    ):
        try:
            read()
        except ValueError:
            continue


def test_a_remembered_field_means_the_same_in_every_flow():
    """What a field's text says doesn't depend on the flow it was first read in."""
    mask = {}
    for text in ("ip,nw_src=10.1.2.3", "nw_src=10.1.2.3", "nw_src=10.1.2.3,ip"):
        flow, _ = parse_flow_mod(f"{text},actions=drop", OFPFC_ADD)
        mask[text] = flow.match.mask
    assert mask["ip,nw_src=10.1.2.3"] == mask["nw_src=10.1.2.3,ip"]
    twice, _ = parse_flow_mod(
        "ip,nw_src=10.1.2.3,nw_src=10.0.0.0/8,actions=", OFPFC_ADD
    )
    once, _ = parse_flow_mod("ip,nw_src=10.0.0.0/8,actions=", OFPFC_ADD)
    assert twice.match == once.match
    ported, _ = parse_flow_mod("ct_zone=5,actions=", OFPFC_ADD, names())
    assert ported.match == parse_flow_mod("ct_zone=5,actions=", OFPFC_ADD)[0].match
