# SPDX-License-Identifier: Apache-2.0
"""Values, types and schemas are those of the official bindings."""

import contextlib
import json
import uuid
from pathlib import Path

import pytest
from helpers.programs import SCHEMA
from hypothesis import given, settings
from hypothesis import strategies as st

from ovswitch.bindings import json as our_json
from ovswitch.bindings import jsonrpc, ovsuuid
from ovswitch.bindings.db import data, error, parser, schema, types

official_data = pytest.importorskip("ovs.db.data")
official_error = pytest.importorskip("ovs.db.error")
official_json = pytest.importorskip("ovs.json")
official_rpc = pytest.importorskip("ovs.jsonrpc")
official_schema = pytest.importorskip("ovs.db.schema")
official_types = pytest.importorskip("ovs.db.types")

FOLDER = Path(SCHEMA).parent
ID = "12345678-1234-4234-8234-123456789abc"

TYPES = [
    "integer",
    "real",
    "boolean",
    "string",
    "uuid",
    {"key": "string", "min": 0},
    {"key": "real", "min": 0, "max": 3},
    {"key": {"type": "integer", "minInteger": 1, "maxInteger": 4}, "max": 2},
    {"key": {"type": "integer", "maxInteger": 4}, "min": 0, "max": "unlimited"},
    {"key": {"type": "real", "minReal": 0.5}},
    {"key": {"type": "string", "enum": ["set", ["a", "b c"]]}, "min": 0, "max": 2},
    {"key": {"type": "string", "minLength": 1, "maxLength": 2}},
    {"key": "string", "value": "integer", "min": 0, "max": "unlimited"},
    {"key": "uuid", "value": {"type": "string", "maxLength": 1}, "min": 0},
]

VALUES = [
    *(0, 1, 5, -3, 1.5, 2.0, True, False, "", "a", "b c", "abc", "true", None, {}),
    *(["uuid", ID], ["uuid", "x"], ["named-uuid", "row"], ["set", []], ["map", []]),
    *(["set", [1, 2]], ["set", [2, 1, 2]], ["set", ["a"]], ["set", ["b c", "a"]]),
    *(["set", [0.5, 1, 3]], ["set", [["uuid", ID]]], ["set", 5], ["set"], []),
    *(["map", [["k", 1]]], ["map", [["k", 1], ["k", 2]]], ["map", [["k"]]]),
    *(["map", [[["uuid", ID], "x"]]], ["map", [[["uuid", ID], "xy"]]]),
]


def both(kind):
    ours, theirs = types.Type.from_json(kind), official_types.Type.from_json(kind)
    return ours, theirs


def described(data_module, error_module, kind, value):
    """Return what becomes of a JSON value, in every form a datum has."""
    try:
        datum = data_module.Datum.from_json(kind, value)
    except error_module.Error as e:
        return type(e).__name__, e.tag
    python = datum.to_python(lambda atom, _base: atom)
    back = data_module.Datum.from_python(kind, python, lambda atom: atom)
    return (
        datum.to_json(),
        datum.to_string(),
        repr(python),
        repr(sorted(map(repr, datum.as_list()))),
        datum.is_default() and not kind.n_min,  # theirs is always wrong for scalars
        back == datum,
        back.to_json(),
        len(datum.values),
        datum.copy() == datum,
    )


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_values_read_alike(kind):
    ours, theirs = both(kind)
    for value in VALUES:
        expected = described(official_data, official_error, theirs, value)
        assert described(data, error, ours, value) == expected, value


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_types_are_alike(kind):
    ours, theirs = both(kind)
    for question in ("map", "set", "scalar", "optional", "composite", "smap", "valid"):
        answer = getattr(theirs, f"is_{question}")()
        assert getattr(ours, f"is_{question}")() == answer, question
    assert ours.to_json() == theirs.to_json()
    assert ours.key.type.to_string() == theirs.key.type.to_string()
    for name in ("min", "max", "min_length", "max_length", "ref_table_name"):
        assert getattr(ours.key, name) == getattr(theirs.key, name)
    if not ours.n_min:  # theirs has an atom in the atom
        default = official_data.Datum.default(theirs)
        assert data.Datum.default(ours).to_json() == default.to_json()
    assert ours == types.Type.from_json(kind)
    assert ours.copy().to_json() == ours.to_json()


@pytest.mark.parametrize("name", ["vswitch.ovsschema", "vtep.ovsschema"])
def test_schemas_are_alike(name):
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"there is no {name}")
    text = json.loads(path.read_text())
    ours = schema.DbSchema.from_json(text)
    theirs = official_schema.DbSchema.from_json(text)
    assert ours.to_json() == theirs.to_json()
    assert ours.copy().to_json() == ours.to_json()
    for table_name, table in theirs.tables.items():
        mine = ours.tables[table_name]
        assert (mine.is_root, mine.max_rows) == (table.is_root, table.max_rows)
        for column_name, column in table.columns.items():
            other = mine.columns[column_name]
            assert (other.persistent, other.unique) == (
                column.persistent,
                column.unique,
            )
            linked = column.type.key.ref_table
            assert (other.type.key.ref_table is None) == (linked is None)


BAD_SCHEMAS = [
    {},
    {"name": "x"},
    {"name": "x", "tables": {}, "more": 1},
    {"name": "x", "version": "1", "tables": {}},
    {"name": "x", "tables": {"_t": {"columns": {"a": {"type": "string"}}}}},
    {"name": "x", "tables": {"t": {"columns": {}}}},
    {"name": "x", "tables": {"t": {"columns": {"a": {"type": "strange"}}}}},
    {"name": "x", "tables": {"t": {"columns": {"a": {"type": 5}}}}},
    {"name": "x", "tables": {"t": {"columns": {"a": {"type": {"key": {}}}}}}},
    {"name": "x", "tables": {"t": {"maxRows": 0, "columns": {"a": {"type": "real"}}}}},
    {
        "name": "x",
        "tables": {"t": {"indexes": [["b"]], "columns": {"a": {"type": "real"}}}},
    },
    {
        "name": "x",
        "tables": {
            "t": {
                "columns": {"a": {"type": {"key": {"type": "uuid", "refTable": "n"}}}}
            }
        },
    },
]


@pytest.mark.parametrize("text", BAD_SCHEMAS, ids=str)
def test_bad_schemas_are_refused(text):
    with pytest.raises(official_error.Error):
        official_schema.DbSchema.from_json(text)
    with pytest.raises(error.Error):
        schema.DbSchema.from_json(text)


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=30, deadline=None)
@given(anything, st.sampled_from(TYPES))
def test_junk_raises_the_declared_error_only(junk, kind):
    kind = types.Type.from_json(kind)
    for read in (
        lambda: data.Datum.from_json(kind, junk),
        lambda: data.Datum.from_python(kind, junk, lambda atom: atom),
        lambda: types.Type.from_json(junk),
        lambda: schema.DbSchema.from_json(junk),
    ):
        with contextlib.suppress(error.Error):
            read()


def test_constraint_violation_says_what_is_allowed():
    kind = types.Type.from_json({"key": {"type": "integer", "maxInteger": 4}})
    with pytest.raises(data.ConstraintViolation) as caught:
        data.Datum.from_python(kind, 5, lambda atom: atom)
    assert str(caught.value) == (
        "constraint violation: 5 is greater than maximum allowed value 4"
    )


@pytest.mark.parametrize("value", [1 << 63, float("inf"), float("nan")])
def test_number_that_json_cannot_hold_is_refused(value):
    kind = types.Type.from_json("integer" if isinstance(value, int) else "real")
    with pytest.raises(error.Error, match="out of range"):
        data.Datum.from_python(kind, value, lambda atom: atom)


def test_maps_can_be_asked_for_keys():
    kind = types.Type.from_json({"key": "string", "value": "integer", "max": 5})
    datum = data.Datum.from_json(kind, ["map", [["a", 1], ["b", 2]]])
    assert datum["a"] == 1
    assert datum.get("b") == 2
    assert datum.get("c", 7) == 7
    with pytest.raises(KeyError):
        datum["c"]


def test_difference_toggles_elements():
    kind = types.Type.from_json({"key": "integer", "min": 0, "max": 5})
    datum = data.Datum.from_json(kind, ["set", [1, 2]])
    change = data.Datum.from_json(kind, ["set", [2, 3]])
    assert sorted(datum.diff(change).as_list()) == [1, 3]


def test_uuids():
    number = ovsuuid.from_json(["uuid", ID])
    assert number == uuid.UUID(ID)
    assert ovsuuid.to_json(number) == ["uuid", ID]
    symbols = {}
    named = ovsuuid.from_json(["named-uuid", "x"], symbols)
    assert symbols == {"x": named}
    with pytest.raises(error.Error):
        ovsuuid.from_string("x")


def test_parser_tells_what_is_wrong():
    with pytest.raises(error.Error, match="Required 'b' member is missing"):
        parser.Parser({"a": 1}, "thing").get("b", [int])
    with pytest.raises(error.Error, match="Type mismatch for member 'a'"):
        parser.Parser({"a": 1}, "thing").get("a", [str])
    with pytest.raises(error.Error, match="'a' is present but not allowed here"):
        parser.Parser({"a": 1}, "thing").finish()


MESSAGES = [
    {"method": "m", "params": [], "id": 1},
    {"method": "m", "params": [1], "id": None},
    {"method": "m", "params": {}, "id": 1},
    {"result": [], "error": None, "id": 1},
    {"result": None, "error": "e", "id": 1},
    {"method": 5, "params": []},
    {"method": "m", "params": [], "extra": 1},
    {"params": []},
    [],
]


@pytest.mark.parametrize("message", MESSAGES, ids=str)
def test_messages_are_alike(message):
    ours = jsonrpc.Message.from_json(message)
    theirs = official_rpc.Message.from_json(message)
    if isinstance(theirs, str):
        assert isinstance(ours, str)
    else:
        assert (ours.type, ours.to_json()) == (theirs.type, theirs.to_json())
        assert str(ours) == str(theirs)
        assert ours.is_valid() is None


@pytest.mark.parametrize("text", ['[1, 2.0, "x"]', "{}", "{", "[1,]", "[1] x", ""])
def test_json_is_read_alike(text):
    theirs = official_json.from_string(text)
    ours = our_json.from_string(text)
    assert isinstance(ours, str) == isinstance(theirs, str)
    if not isinstance(theirs, str):
        assert ours == theirs
        assert our_json.to_string(ours) == official_json.to_string(theirs)


def test_json_parser_takes_pieces():
    pieces = our_json.Parser()
    assert pieces.feed('{"a"') == 4
    assert not pieces.is_done()
    assert pieces.feed(":[1]}xyz") == 5
    assert pieces.finish() == {"a": [1]}
