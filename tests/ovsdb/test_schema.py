# SPDX-License-Identifier: Apache-2.0
"""Schemas: reading, checking, and our copy of ovs-vswitchd's."""

import json
from pathlib import Path

import pytest
from tree_schema import TREE

import ovswitch.ovsdb
from ovswitch.ovsdb.error import OvsdbError
from ovswitch.ovsdb.schema import Schema, parse_version

OURS = Path(ovswitch.ovsdb.__file__).parent / "vswitch.ovsschema"
INSTALLED = Path("/usr/share/openvswitch/vswitch.ovsschema")


def canonical(schema):
    return json.dumps(schema.to_json(), sort_keys=True)


def test_a_schema_survives_json():
    schema = Schema.from_json(TREE)
    assert canonical(Schema.from_json(schema.to_json())) == canonical(schema)


def test_our_vswitch_schema_is_version_8_3_1_with_the_references_checksum():
    schema = Schema.from_file(str(OURS))
    assert (schema.version, schema.cksum) == ("8.3.1", "3012963480 26720")
    assert len(schema.tables) == 19


@pytest.mark.reference
def test_our_vswitch_schema_says_what_the_references_says():
    ours, theirs = Schema.from_file(str(OURS)), Schema.from_file(str(INSTALLED))
    assert canonical(ours) == canonical(theirs)


def test_without_any_root_table_all_are():
    json = {"name": "D", "tables": {"T": {"columns": {"c": {"type": "string"}}}}}
    assert Schema.from_json(json).tables["T"].is_root


def test_a_strong_reference_to_a_table_that_is_no_root_persists():
    columns = {"c": {"type": {"key": {"type": "uuid", "refTable": "U"}}}}
    columns["c"]["ephemeral"] = True
    schema = Schema.from_json(
        {
            "name": "D",
            "tables": {
                "T": {"columns": columns, "isRoot": True},
                "U": {"columns": {"d": {"type": "string"}}},
            },
        }
    )
    assert schema.tables["T"].columns["c"].persistent


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "1x"}, "Type mismatch for member 'name'."),
        ({"version": "1.2"}, 'schema version "1.2" not in format x.y.z'),
        ({"tables": {"_T": {}}}, 'names beginning with "_" are reserved'),
        ({"tables": {"T": {"columns": {}}}}, "table must have at least one column"),
        ({"x": 1}, "Member 'x' is present but not allowed here."),
        (
            {"tables": {"T": {"columns": {"c": {"type": "text"}}}}},
            '"text" is not an atomic-type',
        ),
        (
            {"tables": {"T": {"maxRows": 0, "columns": {"c": {"type": "string"}}}}},
            "maxRows must be at least 1",
        ),
        (
            {
                "tables": {
                    "T": {
                        "columns": {
                            "c": {"type": {"key": {"type": "uuid", "refTable": "U"}}}
                        }
                    }
                }
            },
            "column c key refers to undefined table U",
        ),
        (
            {
                "tables": {
                    "T": {
                        "columns": {"c": {"type": "string", "ephemeral": True}},
                        "indexes": [["c"]],
                    }
                }
            },
            "ephemeral columns (such as c) may not be indexed",
        ),
    ],
)
def test_a_wrong_schema_is_refused(change, message):
    schema = {"name": "D", "tables": {"T": {"columns": {"c": {"type": "string"}}}}}
    with pytest.raises(OvsdbError, match="syntax error") as caught:
        Schema.from_json({**schema, **change})
    assert message in str(caught.value)


def test_versions_are_compared_as_numbers():
    assert parse_version("1.10.0") > parse_version("1.9.9")
    assert parse_version("1.9") is None
    assert parse_version("1.9.x") is None
