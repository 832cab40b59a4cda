# SPDX-License-Identifier: Apache-2.0
"""JSON's reading and writing against the reference's rules."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovswitch.runtime import json, json_slow

GOOD = [
    ("{}", {}),
    (" [ ] ", []),
    ('{"a":[1,true,false,null,"x"]}', {"a": [1, True, False, None, "x"]}),
    ('{"a":1,"a":2}', {"a": 2}),
    ("[-0]", [0]),
    ("[-0.0]", [0]),
    ("[1.0]", [1]),
    ("[2e3]", [2000]),
    ("[120e-1]", [12]),
    ("[0.5]", [0.5]),
    ("[9223372036854775807]", [2**63 - 1]),
    ("[-9223372036854775808]", [-(2**63)]),
    ("[9223372036854775808]", [float(2**63)]),
    ("[100000000000000000000]", [1e20]),
    ('["\\u00e9\\ud83d\\ude00\\n"]', ["\u00e9\U0001f600\n"]),
    ('["\\/"]', ["/"]),
]

BAD = [
    ("", "line 0, column 0, byte 0: empty input stream"),
    ("[1", "line 0, column 3, byte 3: unexpected end of input"),
    ('["a', "line 0, column 3, byte 3: unexpected end of input in quoted string"),
    ("[1,]", "line 0, column 3, byte 3: syntax error expecting value"),
    ("[1 2]", "line 0, column 4, byte 4: syntax error expecting ']' or ','"),
    ('{"a" 1}', "line 0, column 6, byte 6: syntax error parsing object expecting ':'"),
    ("{1:2}", "line 0, column 2, byte 2: syntax error parsing object expecting string"),
    ("hello ", "line 0, column 5, byte 5: invalid keyword 'hello'"),
    ("[NaN]", "line 0, column 1, byte 1: invalid character 'N'"),
    ("[01]", "line 0, column 3, byte 3: leading zeros not allowed"),
    ("[1.]", "line 0, column 3, byte 3: decimal point must be followed by digit"),
    ("[1e]", "line 0, column 3, byte 3: exponent must contain at least one digit"),
    ("[-]", "line 0, column 2, byte 2: '-' must be followed by digit"),
    ("[1e999]", "line 0, column 6, byte 6: number outside valid range"),
    ("[1-2]", "line 0, column 4, byte 4: syntax error in number"),
    (
        '["\\u0000"]',
        "line 0, column 8, byte 8: null bytes not supported in quoted strings",
    ),
    ('["\\ud800"]', "line 0, column 8, byte 8: malformed escaped surrogate pair"),
    ('["\\q"]', "line 0, column 4, byte 4: bad escape \\q"),
    ('[\n"a\tb"]', "line 1, column 2, byte 4: U+0009 must be escaped in quoted string"),
    ("[]x", "line 0, column 3, byte 3: invalid keyword 'x'"),
    ("[] true", "line 0, column 7, byte 7: trailing garbage at end of input"),
    ("[] 1 ", "line 0, column 4, byte 4: trailing garbage at end of input"),
    ('[]"x', "line 0, column 4, byte 4: unexpected end of input in quoted string"),
    ("{}{}", "line 0, column 2, byte 2: trailing garbage at end of input"),
    (
        "[" * 1001,
        "line 0, column 1000, byte 1000: input exceeds maximum nesting depth 1000",
    ),
]


@pytest.mark.parametrize(("text", "value"), GOOD)
def test_valid_text_gives_the_same_value_by_either_parser(text, value):
    assert json.from_string(text) == value
    assert json_slow.parse(text.encode()) == value
    parsed = json.from_string(text)
    assert [type(v) for v in parsed] == [type(v) for v in value]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_malformed_text_is_refused_in_the_references_words(text, message):
    with pytest.raises(json.JsonError) as caught:
        json.from_string(text)
    assert str(caught.value) == message


@pytest.mark.reference
@pytest.mark.parametrize(("text", "message"), BAD)
def test_messages_equal_those_of_the_reference(text, message, run_dir):
    from helpers.programs import Reference

    (run_dir / "x.schema").write_text(text)
    tool = Reference.path("ovsdb-tool")
    result = run_dir.run([tool, "create", run_dir / "db", run_dir / "x.schema"])
    assert message in result.err


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            {"b": 1, "a": [None, True, "x\n\u007f\u0001"]},
            '{"b":1,"a":[null,true,"x\\n\u007f\\u0001"]}',
        ),
        ([0.1 + 0.2, 1.0, 1e15, 1e300, -2.5], "[0.3,1,1e+15,1e+300,-2.5]"),
        (["e-1.5", 'a".5', "\\"], '["e-1.5","a\\".5","\\\\"]'),
        (('"', 0.25), '["\\"",0.25]'),
    ],
)
def test_output_has_no_spaces_and_fifteen_digits(value, text):
    assert json.to_string(value) == text


def test_pretty_output_closes_braces_on_the_last_members_line():
    text = json.to_string({"b": [1, {}], "a": []}, sort=True, pretty=True)
    assert text == '{\n  "a": [],\n  "b": [\n    1,\n    {\n      }]}'


def test_what_is_not_json_is_refused_when_written():
    with pytest.raises(TypeError):
        json.to_string([object()])


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
    | st.integers(-1000, 1000).map(lambda n: n / 8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("ab\u00e9\n", max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(st.lists(VALUES, max_size=3), st.booleans())
def test_what_is_written_is_read_again(value, pretty):
    assert json.from_string(json.to_string(value, pretty=pretty)) == value


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(VALUES, max_size=3), max_size=3), st.integers(1, 7))
def test_a_stream_gives_the_same_values_however_it_is_cut(values, size):
    octets = b" ".join(json.to_bytes(value) for value in values)
    feeder = json.Feeder()
    found = []
    for start in range(0, len(octets), size):
        found += feeder.feed(octets[start : start + size])
    assert found == values
    assert feeder.is_empty


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60) | st.text('[]{},:"\\u0dD8ntrue1.5e-', max_size=40))
def test_random_input_raises_nothing_but_json_errors(data):
    octets = data if isinstance(data, bytes) else data.encode()
    outcomes = []
    for parse in (json.from_string, json_slow.parse):
        try:
            outcomes.append(("value", repr(parse(octets))))
        except json.JsonError as error:
            outcomes.append(("error", str(error)))
    assert outcomes[0] == outcomes[1]
    feeder = json.Feeder()
    try:
        feeder.feed(octets[:20])
        feeder.feed(octets[20:])
    except json.JsonError:
        pass


def test_an_error_in_a_stream_comes_after_the_values_before_it():
    feeder = json.Feeder()
    assert feeder.feed(b"[1][2]x ") == [[1], [2]]
    assert feeder.failed
    with pytest.raises(json.JsonError):
        feeder.feed(b"[3]")


def test_a_short_beginning_that_can_not_become_json_is_refused_at_once():
    with pytest.raises(json.JsonError, match="expecting string"):
        json.Feeder().feed(b'{"a":1,}')
    with pytest.raises(json.JsonError, match="expecting ':'"):
        json.Feeder().feed(b'{"a" 5 ')


def test_an_endless_value_is_refused_at_the_bound():
    feeder = json.Feeder(max_size=1000)
    feeder.feed(b"[")
    for _ in range(9):
        feeder.feed(b"0," * 50)
    with pytest.raises(json.JsonError, match="maximum size"):
        feeder.feed(b"0," * 50)
    with pytest.raises(json.JsonError, match="nesting depth 1000"):
        json.Feeder().feed(b"[" * 5000)


def test_a_large_value_in_small_chunks_takes_linear_time(monkeypatch):
    feeder = json.Feeder()
    attempts = []
    real = feeder._extract
    monkeypatch.setattr(
        json.Feeder, "_extract", lambda self, values: (attempts.append(1), real(values))
    )
    octets = json.to_bytes([{"key": "}]\\" + str(n)} for n in range(3000)])
    found = []
    for start in range(0, len(octets), 1000):
        found += feeder.feed(octets[start : start + 1000])
    assert len(found[0]) == 3000
    assert len(attempts) == 1


def test_octets_that_are_not_utf8_pass_through():
    value = json.from_string(b'["\xff\xfe"]')
    assert json.to_bytes(value) == b'["\xff\xfe"]'


def test_reals_survive():
    assert json.from_string("[0.1]") == [0.1]
    assert math.isclose(json.from_string("[3.25e2]")[0], 325)


def test_the_deepest_value_that_can_be_read_can_be_written():
    text = "[" * 1000 + "]" * 1000
    assert json.to_string(json.from_string(text)) == text
    text = '{"a":' * 999 + "[]" + "}" * 999
    assert json.to_string(json.from_string(text), sort=True) == text


@pytest.mark.parametrize("cut", range(1, 40))
def test_values_without_space_between_them_come_out_wherever_the_stream_is_cut(cut):
    """The end of one value and the beginning of the next may be all that is new."""
    one = b'{"a":[{"b":"}{"},[]]}'
    stream = one * 3
    feeder = json.Feeder()
    values = feeder.feed(stream[:cut])
    assert len(values) == cut // len(one)
    assert len(values + feeder.feed(stream[cut:])) == 3
