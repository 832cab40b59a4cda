# SPDX-License-Identifier: Apache-2.0
"""Actions' octets that are wrong, cut short or random."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovswitch.flow.match import MATCH_ALL
from ovswitch.openflow import actions
from ovswitch.openflow import protocol as protocols
from ovswitch.openflow.errors import NAMES, OpenFlowError
from ovswitch.openflow.parse.flow import split_actions

FLOWS = Path(__file__).parent.parent / "parse" / "flows.json"
VERSIONS = (1, 2, 3, 4, 5, 6)


def samples():
    """Yield (version, octets) of what all recorded flows do."""
    for text in json.loads(FLOWS.read_text()):
        _, action_text = split_actions(text)
        try:
            found, _ = actions.parse(action_text or "")
            checked = [
                (
                    version,
                    actions.check(found, MATCH_ALL, protocols.of_version(version)),
                )
                for version in VERSIONS
            ]
        except (ValueError, OpenFlowError):
            continue
        for version, known in checked:
            octets = actions.encode(known, version, instructions=True)
            if octets:
                yield version, octets


SAMPLES = sorted(set(samples()))


def decode(octets, version, *, instructions=True):
    """Decode; return None if that is refused as it ought to be."""
    try:
        return actions.decode(octets, version, instructions=instructions)
    except OpenFlowError as error:
        if error.name in NAMES:
            return None
        raise


def test_there_are_samples_of_every_version():
    assert {version for version, _ in SAMPLES} == set(VERSIONS)
    assert len(SAMPLES) > 300


def test_octets_survive_decoding_and_encoding():
    for version, octets in SAMPLES:
        found = decode(octets, version)
        if found is None:
            continue  # what stands for an instruction can be out of order
        again = actions.encode(found, version, instructions=True)
        twice = actions.decode(again, version, instructions=True)
        assert twice == found
        assert hash(twice) == hash(found)


def test_what_is_printed_can_be_read_again():
    for version, octets in SAMPLES:
        found = decode(octets, version)
        if found is None:
            continue
        text = actions.format_actions(found)
        if "resubmit(,)" in text:
            continue  # nobody may write that
        again, _ = actions.parse(text)
        assert actions.format_actions(again) == text


def test_octets_that_are_cut_short_are_refused_or_mean_less():
    for version, octets in SAMPLES[::5]:
        for size in range(len(octets)):
            decode(octets[:size], version)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(SAMPLES), st.data())
def test_changed_octets_raise_nothing_else(sample, data):
    version, octets = sample
    changed = bytearray(octets)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(changed) - 1))
        changed[at] = data.draw(st.integers(0, 255))
    found = decode(bytes(changed), version)
    if found is not None:
        actions.format_actions(found)
        actions.encode(found, version, instructions=True)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=80), st.sampled_from(VERSIONS), st.booleans())
def test_random_octets_raise_nothing_else(octets, version, instructions):
    decode(octets, version, instructions=instructions)


@pytest.mark.parametrize(
    ("version", "octets", "error"),
    [
        (1, "0000000800010000", None),
        (1, "00000008000100", "OFPBRC_BAD_LEN"),
        (1, "0000000700010000", "OFPBAC_BAD_LEN"),
        (1, "0000001000010000", "OFPBAC_BAD_LEN"),
        (1, "0063000800010000", "OFPBAC_BAD_TYPE"),
        (1, "ffff00100000232000fd000000000000", "OFPBAC_BAD_VENDOR_TYPE"),
        (1, "ffff00101234567800fd000000000000", "OFPBAC_BAD_VENDOR"),
        (4, "0004000800000000", None),
        (4, "0004000c00000000", "OFPBIC_BAD_LEN"),
        (4, "00630008", "OFPBIC_BAD_LEN"),
        (4, "0063000800000000", "OFPBIC_UNKNOWN_INST"),
        (4, "0001000805000000", None),
        (4, "00010008050000000001000805000000", "OFPBIC_DUP_INST"),
    ],
)
def test_errors_of_decoding(version, octets, error):
    octets = bytes.fromhex(octets)
    if error is None:
        actions.decode(octets, version, instructions=True)
        return
    with pytest.raises(OpenFlowError) as caught:
        actions.decode(octets, version, instructions=True)
    assert caught.value.name == error


@pytest.mark.parametrize(
    ("text", "version", "error"),
    [
        ("output:65535", 4, "OFPBAC_BAD_OUT_PORT"),
        ("output:5000", 4, None),
        ("goto_table:0", 4, "OFPBIC_BAD_TABLE_ID"),
        ("goto_table:9", 4, None),
        ("goto_table:99", 4, "OFPBIC_BAD_TABLE_ID"),
        ("mod_nw_ttl:5", 4, "OFPBAC_MATCH_INCONSISTENT"),
        ("pop_vlan", 4, "OFPBAC_MATCH_INCONSISTENT"),
        ("pop_vlan", 1, None),
        ("push_vlan:0x8100,pop_vlan", 4, None),
        ("set_field:5->tcp_src", 4, "OFPBAC_MATCH_INCONSISTENT"),
    ],
)
def test_errors_of_checking(text, version, error):
    found, _ = actions.parse(text)

    def check():
        return actions.check(
            found, MATCH_ALL, protocols.of_version(version), table_id=0, n_tables=20
        )

    if error is None:
        assert actions.format_actions(check()) == actions.format_actions(found)
        return
    with pytest.raises(OpenFlowError) as caught:
        check()
    assert caught.value.name == error


def test_action_set_has_its_own_order():
    found, _ = actions.parse(
        "write_actions(output:1,set_queue:3,dec_ttl,push_vlan:0x8100,strip_vlan,"
        "mod_dl_src:00:00:00:00:00:01,pop_mpls:0x0800,group:4)"
    )
    ordered = actions.execution_order(found[0].actions)
    assert actions.format_actions(ordered) == (
        "strip_vlan,pop_mpls:0x0800,push_vlan:0x8100,dec_ttl,"
        "set_queue:3,mod_dl_src:00:00:00:00:00:01,group:4"
    )


def test_outputs_are_found_at_any_depth():
    found, _ = actions.parse("clone(output:7),write_actions(group:3)")
    assert actions.outputs_to_port(found, 7) or actions.outputs_to_group(found, 3)
    assert not actions.outputs_to_port(found, 8)
    assert not actions.outputs_to_group(found, 4)


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        ("80000a0100", "OFPBAC_BAD_SET_LEN"),  # a known field at a wrong size
        ("80000a00", "OFPBAC_BAD_SET_TYPE"),
        ("fffe0106", "OFPBAC_BAD_SET_LEN"),  # unknown, with a neighbour in its bucket
        ("ffff0a0200000000", "OFPBMC_BAD_LEN"),
        ("80000d04110a10ff", "OFPBMC_BAD_WILDCARDS"),
    ],
)
def test_a_broken_field_to_set_is_refused_as_by_the_reference(entry, error):
    octets = bytes.fromhex("00190010" + entry).ljust(16, b"\0")
    with pytest.raises(OpenFlowError, match=error):
        actions.decode(octets, 6)
