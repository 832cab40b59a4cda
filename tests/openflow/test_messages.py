# SPDX-License-Identifier: Apache-2.0
"""All messages: from octets, to octets, to text.

`data/printed.json` holds messages of every version, among them such as the reference
sends, and what its `ovs-ofctl ofp-print` says about them.
"""

import contextlib
import json
import random
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovswitch.openflow import codec, protocol, raws
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.base import Context, RawMessage
from ovswitch.openflow.text import format_message

ROWS = json.loads((Path(__file__).parent / "data" / "printed.json").read_text())
PRINTED = [(bytes.fromhex(octets), level, text) for octets, level, text in ROWS]
MESSAGES = [octets for octets, _, text in PRINTED if "decode error" not in text]
#: Wildcards that mean nothing are not kept in OpenFlow 1.0's fixed match.
LOSSY = ("OFPST_FLOW request", "OFPST_AGGREGATE request")


def label(value):
    if isinstance(value, bytes):
        return f"{raws.parse(value).raw.name}-{value[0]}".replace(" ", "_")
    return None


@pytest.mark.parametrize(("octets", "verbosity", "text"), PRINTED, ids=label)
def test_a_message_is_printed_as_the_reference_prints_it(octets, verbosity, text):
    assert format_message(octets, verbosity) == text


def encode_again(message, header):
    if isinstance(message, RawMessage):
        return message.encode(protocol.first_of_version(header.version), header.xid)
    has_entries = header.raw.is_reply and hasattr(message, "entries")
    if has_entries and header.raw.form not in ("OFPT10", "OFPT11"):
        form = header.raw.form if header.raw.form in ("NXST", "ONFST13") else ""
        parts = codec.encode_parts(message, header.version, header.xid, form)
        assert len(parts) == 1
        return parts[0]
    is_nicira = header.version == 1 and header.raw.form in ("NXT", "NXST")
    wanted = protocol.OF10_NXM if is_nicira else 0
    return codec.encode(message, header.version, header.xid, wanted)


@pytest.mark.parametrize("octets", MESSAGES, ids=label)
def test_a_decoded_message_is_encoded_to_the_same_octets(octets):
    header = raws.parse(octets)
    message = codec.decode(octets)
    assert message.xid == header.xid
    assert message.version == header.version
    if header.version > 1 or header.raw.name not in LOSSY:
        assert encode_again(message, header) == octets


@pytest.mark.parametrize("octets", MESSAGES, ids=label)
def test_a_cut_message_is_refused_or_makes_sense(octets):
    for size in range(8, len(octets)):
        cut = octets[:2] + size.to_bytes(2, "big") + octets[4:size]
        with contextlib.suppress(OpenFlowError):
            codec.decode(cut)
        assert format_message(cut, 3)


def damage(octets, chance):
    damaged = bytearray(octets)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(8, len(damaged)) if len(damaged) > 8 else 1
        damaged[at] = chance.choice((0, 1, 0x7F, 0xFF, chance.randrange(256)))
    return bytes(damaged)


@pytest.mark.parametrize("octets", MESSAGES, ids=label)
def test_a_damaged_message_is_refused_or_makes_sense(octets):
    chance = random.Random(len(octets))
    for _ in range(20):
        damaged = damage(octets, chance)
        with contextlib.suppress(OpenFlowError):
            codec.decode(damaged, Context(protocol.OF10_NXM))
        assert format_message(damaged, 1)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 7), st.integers(0, 40), st.binary(max_size=120))
def test_any_octets_are_a_message_or_an_error(version, kind, body):
    size = 8 + len(body)
    octets = bytes((version, kind)) + size.to_bytes(2, "big") + bytes(4) + body
    with contextlib.suppress(OpenFlowError):
        codec.decode(octets)
    assert format_message(octets, 3)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=60))
def test_any_octets_can_be_printed(octets):
    assert isinstance(format_message(octets, 3), str)


@pytest.mark.reference
def test_damaged_messages_are_printed_as_the_reference_prints_them():
    chance = random.Random(1)
    for octets in chance.sample(MESSAGES, 40):
        damaged = damage(octets, chance)
        printed = subprocess.run(
            ["ovs-ofctl", "ofp-print", damaged.hex(), "1"],
            capture_output=True,
            check=False,
        ).stdout.decode("utf-8", "surrogateescape")
        assert format_message(damaged, 1) == printed, damaged.hex()
