# SPDX-License-Identifier: Apache-2.0
"""Keys and actions: text to attributes and back, beside the reference, and broken."""

import importlib.util
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovswitch.datapath import netlink
from ovswitch.datapath.odp import actions as act
from ovswitch.datapath.odp import cookie, key_decode, key_encode
from ovswitch.datapath.odp.action_parse import parse_actions
from ovswitch.datapath.odp.action_text import format_actions
from ovswitch.datapath.odp.key_parse import OdpError, parse_key
from ovswitch.datapath.odp.key_text import format_key, format_ufid
from ovswitch.flow.layout import SLOTS

_spec = importlib.util.spec_from_file_location(
    "odp_texts", Path(__file__).parent / "texts.py"
)
texts = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(texts)


def readable(parse, candidates):
    good = []
    for text in candidates:
        try:
            parse(text)
        except OdpError:
            continue
        good.append(text)
    return good


GOOD_ACTIONS = readable(parse_actions, texts.ACTIONS)
GOOD_FLOWS = readable(parse_key, texts.FLOWS)


# What the reference prints in a form that neither it nor we read.
ONE_WAY = ("slow_path(cfm|bfd)", "clone()", "recirc(")


@pytest.mark.parametrize(
    "text",
    [text for text in GOOD_ACTIONS if not any(form in text for form in ONE_WAY)],
)
def test_printed_actions_read_back_to_the_same_octets(text):
    octets = parse_actions(text)
    printed = format_actions(octets)
    again = parse_actions(printed)
    if printed == "drop":
        assert octets in (act.drop(), b"")
    elif "(drop)" not in printed:
        assert format_actions(again) == printed


@pytest.mark.parametrize("text", [t for t in GOOD_FLOWS if "ct_tuple6" not in t])
def test_printed_keys_read_back_to_the_same_octets(text):
    key, mask = parse_key(text)
    again, mask_again = parse_key(format_key(key, mask))
    assert format_key(again, mask_again) == format_key(key, mask)
    assert format_key(*parse_key(format_key(key, mask)), verbose=True) == format_key(
        again, mask_again, verbose=True
    )


class WithoutNdExt:
    """What the reference's userspace datapath shows of a flow."""

    max_vlan_headers = 2
    max_mpls_depth = 3
    recirc = ct_state = ct_zone = ct_mark = ct_label = True
    ct_orig_tuple = ct_orig_tuple6 = True
    nd_ext = False


SUPPORT = WithoutNdExt()


def text_or_errno(text):
    try:
        return format_actions(parse_actions(text))
    except OdpError as error:
        return error.errno


@pytest.mark.reference
def test_actions_are_the_references(reference):
    """Byte for byte what dpctl/parse-actions says, errors included."""
    for text in texts.ACTIONS:
        status, out, err = reference.appctl("dpctl/parse-actions", text)
        own = text_or_errno(text)
        if isinstance(own, str):
            assert (status, out) == (0, own + "\n"), text
        else:
            assert status, text
            assert own == 22 or "End of file" in err


@pytest.mark.reference
def test_flows_are_the_references(reference):
    """A flow that the reference takes prints alike from our own attributes."""
    for text in texts.FLOWS:
        reference.appctl("dpctl/del-flows")
        status, _, _err = reference.appctl("dpctl/add-flow", text, "1")
        if status:
            continue
        key, mask = parse_key(text, {"p1": 1, "p2": 2})
        flow, fitness = key_decode.to_flow(key)
        assert fitness == key_decode.FIT_PERFECT, text
        bits, _ = key_decode.to_mask(mask, flow)
        if "erspan" in text:
            continue  # the reference puts a mask there that it never reads
        attributes = key_encode.from_flow(flow, SUPPORT, bits)
        masks = key_encode.from_mask(bits, flow, SUPPORT)
        for options, verbose in ((), False), (("-m", "--no-names"), True):
            _, out, _ = reference.appctl("dpctl/dump-flows", *options)
            line = out.splitlines()[-1].rpartition(", packets:")[0]
            own = format_key(attributes, masks, verbose=verbose)
            if verbose:
                line = line.partition(", ")[2]
            assert own == line


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=60),
    st.sampled_from([b"", *(parse_actions(text) for text in GOOD_ACTIONS)]),
)
def test_any_octets_format_as_actions(junk, octets):
    assert isinstance(format_actions(junk), str)
    assert isinstance(format_actions(octets + junk), str)
    assert isinstance(format_actions(octets[: len(octets) // 2] + junk), str)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60), st.sampled_from(GOOD_FLOWS), st.booleans())
def test_any_octets_format_as_a_key(junk, text, verbose):
    key, mask = parse_key(text)
    for octets, own_mask in ((junk, junk), (key + junk, mask), (key, junk)):
        assert isinstance(format_key(octets, own_mask, verbose=verbose), str)


def test_broken_text_raises_nothing_else():
    rng = random.Random(5)
    alphabet = "(),=/:.0x19afsetunelp+-|% {}[]\0é"
    for parse, good in ((parse_actions, GOOD_ACTIONS), (parse_key, GOOD_FLOWS)):
        for _ in range(4000):
            text = list(rng.choice(good))
            for _ in range(rng.randrange(1, 5)):
                where = rng.randrange(len(text) + 1)
                text[where : where + rng.randrange(3)] = rng.choice(alphabet)
            broken = "".join(text)[: rng.randrange(len(text) + 2)]
            try:
                parse(broken)
            except OdpError:
                continue


def test_deep_nesting_is_refused_and_shown_without_recursion_errors():
    with pytest.raises(OdpError):
        parse_actions("clone(" * 100 + "1" + ")" * 100)
    octets = act.output(1)
    for _ in range(200):
        octets = act.clone(octets)
    assert format_actions(octets).startswith("clone(clone(")
    with pytest.raises(OdpError):
        parse_key("encap(" * 100 + ")" * 100)


def test_port_names_stand_for_numbers_where_they_are_known():
    names = {1: "p1", 2: "p-2"}
    numbers = {name: number for number, name in names.items()}
    key, mask = parse_key("in_port(p1),eth()", numbers)
    assert format_key(key, mask, names) == "in_port(p1),eth()"
    assert format_key(key, mask) == "in_port(1),eth()"
    octets = parse_actions("p-2,3,tnl_pop(1)", numbers)
    assert format_actions(octets, names) == "p-2,3,tnl_pop(p1)"


def test_cookies_come_back_as_they_were():
    uuid = bytes(range(16))
    for octets, kind, values in (
        (cookie.sflow(0x1005, 7, 3, uuid), 1, (0x1005, 7)),
        (cookie.slow_path(5, 3, uuid), 2, (5,)),
        (cookie.flow_sample(1, 2, 3, 4, 5, 1, 3, uuid), 3, (1, 2, 3, 4, 5, 1)),
        (cookie.ipfix(9, 3, uuid), 4, (9,)),
        (cookie.controller(1, 0, 1, 4, 5, 6, 7, 3, uuid), 5, (1, 0, 1, 4, 5, 6, 7)),
    ):
        assert len(octets) == cookie.SIZE
        found = cookie.decode(octets)
        assert (found.type, found.values) == (kind, values)
        assert (found.in_port, found.ofproto_uuid) == (3, uuid)
    assert cookie.decode(bytes(cookie.SIZE)) is None
    assert cookie.decode(b"") is None


def test_errors_of_keys_have_the_references_texts():
    for text, expected in (
        ("in_port(1),in_port(2)", "duplicate in_port attribute in flow key"),
        ("in_port(1),eth(),eth_type(0x100)", "invalid Ethertype 256 in flow key"),
        (
            "in_port(1),eth(),eth_type(0x0806),arp(op=256)",
            "unsupported ARP opcode 256 in flow key",
        ),
        ("tunnel(src=1.1.1.1),in_port(1)", "tunnel options missing TTL"),
        (
            "eth(),eth_type(0x8100),vlan(vid=1,cfi=0),encap()",
            "OVS_KEY_ATTR_VLAN 0x0001 is nonzero but CFI bit is not set",
        ),
        (
            "eth(),eth_type(0x8847),mpls(label=1,bos=1,label=2,bos=1)",
            "MPLS BOS set in non-innermost label",
        ),
    ):
        with pytest.raises(key_decode.KeyDecodeError) as info:
            key_decode.to_flow(parse_key(text)[0])
        assert str(info.value) == expected
    with pytest.raises(key_decode.KeyDecodeError, match="should have length 4"):
        key_decode.to_flow(netlink.attr(3, b"abc"))


@pytest.mark.parametrize(
    ("text", "fitness"),
    [
        ("eth(),eth_type(0x800)", key_decode.FIT_TOO_LITTLE),
        ("eth(),eth_type(0x800),ipv4(proto=6)", key_decode.FIT_TOO_LITTLE),
        ("eth(),eth_type(0x806),arp(),ipv4()", key_decode.FIT_TOO_MUCH),
        ("eth(),eth_type(0x8100)", key_decode.FIT_TOO_LITTLE),
        ("eth(),eth_type(0x1234)", key_decode.FIT_PERFECT),
    ],
)
def test_fitness_tells_what_is_missing_or_too_much(text, fitness):
    assert key_decode.to_flow(parse_key(text)[0])[1] == fitness


def test_flow_without_a_type_has_a_mask_but_no_key_for_it():
    flow = SLOTS["dl_type"].put(0, 0x5FF)
    key = key_encode.from_flow(flow)
    mask = key_encode.from_mask(SLOTS["dl_type"].mask | SLOTS["recirc_id"].mask, flow)
    assert format_key(key, mask).endswith(",eth_type(0/0xffff)")


def test_ufid_words_are_in_host_order():
    octets = b"".join(netlink.put_u32(0, word)[4:] for word in (1, 2, 3, 4))
    assert format_ufid(octets) == "ufid:00000001-0000-0002-0000-000300000004"
