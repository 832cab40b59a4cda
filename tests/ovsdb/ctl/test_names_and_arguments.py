# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovswitch.ovsdb.ctl.arguments import (
    RELATIONS,
    parse_column_key,
    parse_column_key_value,
    satisfies,
)
from ovswitch.ovsdb.ctl.commands import CtlError
from ovswitch.ovsdb.ctl.lookup import best_matches
from ovswitch.ovsdb.replica import Replica

SCHEMA = {
    "name": "Test",
    "tables": {
        "T": {
            "columns": {
                "name": {"type": "string"},
                "number": {"type": {"key": "integer", "min": 0}},
                "set": {"type": {"key": "integer", "min": 0, "max": "unlimited"}},
                "map": {
                    "type": {
                        "key": "string",
                        "value": "integer",
                        "min": 0,
                        "max": "unlimited",
                    }
                },
            }
        }
    },
}


@pytest.fixture(scope="module")
def row():
    replica = Replica(SCHEMA)
    table = replica.table("T")
    for column in ("name", "number", "set", "map"):
        table.add_column(column)
    uuid = "aaaaaaaa-0000-4000-8000-000000000001"
    values = {"name": "x", "number": 5, "set": ["set", [1, 2, 3]]}
    values["map"] = ["map", [["a", 1], ["b", 2]]]
    replica.update({"T": {uuid: {"insert": values}}}, 2)
    return table.rows[uuid]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Port", ["Port"]),
        ("port", ["Port"]),
        ("P", ["Port", "Ports"]),
        ("ports", ["Ports"]),
        ("flow-t", ["Flow_Table"]),
        ("x", []),
        ("", []),
        ("portss", []),
    ],
)
def test_names_may_be_cut_short(text, found):
    assert best_matches(["Port", "Ports", "Flow_Table"], text) == found


@pytest.mark.parametrize(
    ("argument", "holds"),
    [
        ("name=x", True),
        ("name!=x", False),
        ("number<6", True),
        ("number<=5", True),
        ("number>5", False),
        ("number>=5", True),
        ("number=[]", False),
        ("set{=}3,2,1", True),
        ("set{!=}1", True),
        ("set{<}1,2,3,4", True),
        ("set{<}1,2,3", False),
        ("set{<=}1,2,3", True),
        ("set{>}1,2", True),
        ("set{>=}1,2,3", True),
        ("set{>}1,2,3", False),
        ("set{in}1-9", True),
        ("set{not-in}4,5", True),
        ("set{not-in}3", False),
        ("set<5,6,7,8", True),
        ("map:a=1", True),
        ("map:a!=1", False),
        ("map:c!=1", False),
        ("map:c{!=}1", True),
        ("map:c{=}[]", True),
        ("map:b>1", True),
        ("map={a=1,b=2}", True),
        ("map{>}a=1", True),
        ("map{<=}a=1,b=2,c=3", True),
        ("map{in}a=2,b=2", False),
    ],
)
def test_relations(row, argument, holds):
    assert satisfies(row, argument, None) is holds


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("=5", "=5: missing column name"),
        ("nosuch=5", 'T does not contain a column whose name matches "nosuch"'),
        ("n=5", 'T contains more than one column whose name matches "n": name, number'),
        ("name:x=5", "cannot specify key to check for non-map column name"),
        ("number=x", '"x" is not a valid integer or range'),
        ('name="x', 'name="x: quoted string extends past end of argument'),
    ],
)
def test_wrong_conditions(row, argument, message):
    with pytest.raises(CtlError) as error:
        satisfies(row, argument, None)
    if '"x' in argument:
        assert "quote" in str(error.value)
    else:
        assert str(error.value) == message


def test_longest_operator_counts(row):
    table = row._table
    assert parse_column_key_value(table, "set<=5", RELATIONS)[2:] == ("<=", "5")
    assert parse_column_key_value(table, "map:a=b=c")[1:] == ("a", "=", "b=c")


def test_nothing_may_follow_a_key(row):
    with pytest.raises(CtlError) as error:
        parse_column_key(row._table, "map:a=1")
    assert str(error.value) == 'map:a=1: trailing garbage "=1" in argument'


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from('nameupst:=<>!{}[],"\\ 123abx-'), max_size=20))
def test_random_arguments_raise_nothing_else(row, argument):
    for function in (
        lambda: satisfies(row, argument, None),
        lambda: parse_column_key(row._table, argument),
        lambda: parse_column_key_value(row._table, argument),
    ):
        try:
            function()
        except CtlError:
            continue
