# SPDX-License-Identifier: Apache-2.0
"""Matches from text and back: what `ovs-ofctl parse-flow` says, case by case."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovswitch.flow import parse
from ovswitch.flow.fields import ALL, FIELDS
from ovswitch.flow.match import Match
from ovswitch.flow.normalize import normalize
from ovswitch.flow.text import format_match
from ovswitch.openflow.parse.tokens import key_values

CASES = json.loads((Path(__file__).parent / "data" / "matches.json").read_text())
#: These aren't of the match but of the flow.
ATTRIBUTES = ("priority", "cookie", "idle_timeout")


def read(text):
    match, priority = Match(), 0x8000
    for key, value in key_values(text):
        if key in ATTRIBUTES:
            priority = int(value) if key == "priority" else priority
            continue
        with_protocol = parse.set_protocol(match, key)
        if with_protocol is not None:
            match = with_protocol
            continue
        match, _ = parse.set_field(match, FIELDS[key], value)
    return normalize(match), priority


@pytest.mark.parametrize(
    ("text", "printed"), [row[:2] for row in CASES if row[1] is not None]
)
def test_a_match_is_printed_in_its_canonical_form(text, printed):
    match, priority = read(text)
    assert format_match(match, None, priority) == printed


def complaint(text):
    for key, _ in key_values(text):
        if key not in FIELDS and parse.set_protocol(Match(), key) is None:
            return f"unknown keyword {key}"
    with pytest.raises(ValueError, match=r".") as error:
        read(text)
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "error"), [(row[0], row[2]) for row in CASES if row[2] is not None]
)
def test_a_wrong_match_is_refused_in_the_references_words(text, error):
    assert complaint(text) == error


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(ALL), st.text("0123456789abcdefx:/.+-|*()", max_size=20))
def test_any_text_for_a_field_is_taken_or_refused(field, text):
    try:
        match, _ = parse.set_field(Match(), field, text)
    except ValueError:
        return
    format_match(match)
