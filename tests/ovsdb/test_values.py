# SPDX-License-Identifier: Apache-2.0
"""Atoms, data and types: JSON and text, both ways, and what is refused."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovswitch.ovsdb import datum, uuids
from ovswitch.ovsdb.error import OvsdbError, ParseError
from ovswitch.ovsdb.symbols import SymbolTable
from ovswitch.ovsdb.types import ColumnType

U1 = "11111111-1111-1111-1111-111111111111"
U2 = "22222222-2222-2222-2222-222222222222"
STRINGS = ColumnType.from_json({"key": "string", "min": 0, "max": "unlimited"})
STRING_MAP = ColumnType.from_json(
    {"key": "string", "value": "string", "min": 0, "max": "unlimited"}
)
SMALL = {"key": {"type": "integer", "minInteger": 1, "maxInteger": 5}}


def column(json):
    return ColumnType.from_json(json)


@pytest.mark.parametrize(
    ("type_json", "json", "value", "text"),
    [
        ("integer", 5, (5,), "5"),
        ("real", 5, (5.0,), "5"),
        ("real", 0.1, (0.1,), "0.1"),
        ("boolean", True, (True,), "true"),
        ("string", "", ("",), '""'),
        ("string", "a b", ("a b",), '"a b"'),
        ("string", "true", ("true",), '"true"'),
        ("string", U1, (U1,), f'"{U1}"'),
        ("string", "é", ("é",), '"é"'),
        ("uuid", ["uuid", U1.upper()], (U1,), U1),
        ({"key": "integer", "min": 0}, ["set", []], (), "[]"),
        ({"key": "integer", "min": 0}, 3, (3,), "3"),
        ({"key": "integer", "max": 3}, ["set", [3, 1, 2]], (1, 2, 3), "[1, 2, 3]"),
        ({"key": "integer", "max": 3}, 2, (2,), "[2]"),
        (
            {"key": "string", "value": "integer", "max": "unlimited", "min": 0},
            ["map", [["b", 2], ["a", 1]]],
            (("a", 1), ("b", 2)),
            "{a=1, b=2}",
        ),
    ],
)
def test_data_have_one_form_in_json_and_one_in_text(type_json, json, value, text):
    type_ = column(type_json)
    assert type_.from_json_value(json, None) == value
    assert type_.to_string(value) == text
    again = datum_json(type_.to_json_value(value))
    assert type_.from_json_value(again, None) == value
    assert type_.from_string(text) == value


def datum_json(json):
    if isinstance(json, list | tuple):
        return [datum_json(element) for element in json]
    return json


@pytest.mark.parametrize(
    ("type_json", "json", "message"),
    [
        ("integer", True, 'syntax "true": syntax error: expected integer'),
        ("integer", "x", 'syntax ""x"": syntax error: expected integer'),
        ("boolean", 1, 'syntax "1": syntax error: expected boolean'),
        ("real", "1", 'syntax ""1"": syntax error: expected real'),
        ("string", 1, 'syntax "1": syntax error: expected string'),
        (
            "uuid",
            ["uuid", "x"],
            'syntax "["uuid","x"]": syntax error: "x" is not a valid UUID',
        ),
        (
            "uuid",
            "x",
            'syntax ""x"": syntax error: expected ["uuid", <string>]',
        ),
        (
            {"key": "integer", "max": 2},
            ["set", [1, 2, 3]],
            'syntax "["set",[1,2,3]]": syntax error: set must have 1 to 2 members but '
            "3 are present",
        ),
        (
            {"key": "integer"},
            ["set", []],
            'syntax "["set",[]]": syntax error: set must have exactly one member but '
            "0 are present",
        ),
        (
            {"key": "integer", "max": 2},
            ["set", [1, 1]],
            "ovsdb error: set contains duplicate",
        ),
        (SMALL, 6, "constraint violation: 6 is not in the valid range 1 to 5 (inc"),
        (
            {"key": {"type": "integer", "minInteger": 1}},
            0,
            "constraint violation: 0 is less than minimum allowed value 1",
        ),
        (
            {"key": {"type": "real", "maxReal": 1.5}},
            2,
            "constraint violation: 2 is greater than maximum allowed value 1.5",
        ),
        (
            {"key": {"type": "string", "minLength": 2}},
            "é",
            'constraint violation: "é" length 1 is less than minimum allowed length 2',
        ),
        (
            {"key": {"type": "string", "enum": ["set", ["b", "a"]]}},
            "c",
            "constraint violation: c is not one of the allowed values ([a, b])",
        ),
        (
            "string",
            "\udcff",
            "constraint violation: not a valid UTF-8 string: invalid UTF-8 sequence "
            "0xff",
        ),
    ],
)
def test_wrong_json_is_refused_in_the_references_words(type_json, json, message):
    with pytest.raises(OvsdbError) as caught:
        column(type_json).from_json_value(json, None)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("type_json", "text", "message"),
    [
        ("integer", "x", '"x" is not a valid integer or range'),
        ("integer", "9223372036854775808", '"9223372036854775808" is not a valid'),
        ("boolean", "maybe", '"maybe" is not a valid boolean (use "true" or "false")'),
        ("real", "1_0", '"1_0" is not a valid real number'),
        ("real", "1e999", '"1e999" is not a valid real number'),
        ("uuid", "x", '"x" is not a valid UUID'),
        ("string", '"x', '"x: quoted string extends past end of argument'),
        ({"key": "string", "min": 0}, "", 'use "[]" to specify the empty set'),
        (SMALL, "7", "constraint violation: 7 is not in the valid range 1 to 5"),
        (
            {"key": "integer", "max": 2},
            "[1",
            '[1: missing "]" at end of data',
        ),
        ({"key": "integer", "max": 2}, "[1]x", '[1]x: trailing garbage after "]"'),
        (
            {"key": "integer", "max": 2},
            "1,2,3",
            "1,2,3: 3 value(s) specified but the maximum number is 2",
        ),
        ({"key": "integer", "max": 9}, "5-3", '"5-3" is not a valid range. Range end'),
        (
            {"key": "integer", "max": "unlimited"},
            "0-4096",
            'constraint violation: Range "0-4096" is too big. Maximum allowed size is',
        ),
        ({"key": "integer", "max": 9}, "1,1", "1,1: set contains duplicate value"),
        (
            {"key": "string", "value": "string", "max": 9},
            "a",
            'a: syntax error at "" expecting "="',
        ),
    ],
)
def test_wrong_text_is_refused_in_the_references_words(type_json, text, message):
    with pytest.raises(ParseError) as caught:
        column(type_json).from_string(text)
    assert str(caught.value).startswith(message)


def test_a_range_of_integers_is_spelled_out():
    numbers = column({"key": "integer", "max": "unlimited"})
    assert numbers.from_string("-3--1,5") == (-3, -2, -1, 5)


def test_a_symbol_gets_a_uuid_and_remembers_how_it_was_referred_to():
    symbols = SymbolTable()
    weak = {"key": {"type": "uuid", "refTable": "T", "refType": "weak"}}
    (first,) = column(weak).from_json_value(["named-uuid", "x"], symbols)
    (second,) = column("uuid").from_string("@y", symbols)
    assert uuids.is_valid(first)
    assert first != second
    assert symbols["x"].weak_ref
    assert not symbols["x"].strong_ref
    assert not symbols["@y"].weak_ref


@given(st.text(max_size=12))
@settings(max_examples=100)
def test_strings_survive_text(text):
    if not text.isprintable() and "\0" in text:
        return
    type_ = column("string")
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    if "\0" not in text:
        assert type_.from_string(type_.to_string((text,))) == (text,)


@given(st.text(max_size=20))
@settings(max_examples=100)
def test_the_text_parser_raises_nothing_but_its_error(text):
    for type_ in (STRINGS, STRING_MAP, column("real"), column(SMALL), column("uuid")):
        with contextlib.suppress(ParseError):
            type_.from_string(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(JSON)
@settings(max_examples=100)
def test_the_json_parsers_raise_nothing_but_their_error(json):
    for type_ in (STRINGS, STRING_MAP, column("real"), column(SMALL), column("uuid")):
        for value in (json, ["set", json], ["map", json], ["uuid", json]):
            with contextlib.suppress(OvsdbError):
                type_.from_json_value(value, None)
    with contextlib.suppress(OvsdbError):
        ColumnType.from_json(json)


INT_SETS = st.frozensets(st.integers(0, 9)).map(lambda s: tuple(sorted(s)))
INT_MAPS = st.dictionaries(st.integers(0, 5), st.integers(0, 3)).map(
    lambda d: tuple(sorted(d.items()))
)


@given(INT_SETS, INT_SETS)
@settings(max_examples=100)
def test_a_sets_difference_leads_both_ways(old, new):
    type_ = column({"key": "integer", "min": 0, "max": "unlimited"})
    difference = datum.diff(old, new, type_)
    assert datum.apply_diff(old, difference, type_) == new
    assert datum.apply_diff(new, difference, type_) == old


@given(INT_MAPS, INT_MAPS)
@settings(max_examples=100)
def test_a_maps_difference_leads_to_the_new_map(old, new):
    json = {"key": "integer", "value": "integer", "min": 0, "max": "unlimited"}
    type_ = column(json)
    difference = datum.diff(old, new, type_)
    assert datum.apply_diff(old, difference, type_) == new


def test_uuids_are_random_and_in_canonical_form():
    made = {uuids.generate() for _ in range(100)}
    assert len(made) == 100
    assert all(uuids.is_valid(uuid) and uuid[14] == "4" for uuid in made)
    assert all(uuid[19] in "89ab" for uuid in made)


@pytest.mark.parametrize(
    "text", ["", "x" * 36, U1 + "1", U1.replace("-", "_"), "1111111-" + U1[7:], U1[:-1]]
)
def test_what_is_no_uuid_is_told_apart(text):
    assert not uuids.is_valid(text)
