# SPDX-License-Identifier: Apache-2.0
"""A small schema, and replicas of it, for the tests beside this file."""

from ovswitch.ovsdb.replica import Replica

A = "aaaaaaaa-0000-4000-8000-000000000001"
B = "bbbbbbbb-0000-4000-8000-000000000002"
C = "cccccccc-0000-4000-8000-000000000003"

SCHEMA = {
    "name": "Test",
    "version": "1.2.3",
    "tables": {
        "Root": {
            "isRoot": True,
            "maxRows": 1,
            "columns": {
                "children": {
                    "type": {
                        "key": {"type": "uuid", "refTable": "Child"},
                        "min": 0,
                        "max": "unlimited",
                    }
                },
                "counter": {"type": "integer"},
            },
        },
        "Child": {
            "columns": {
                "name": {"type": "string", "mutable": False},
                "tag": {"type": {"key": "integer", "min": 0}},
                "numbers": {"type": {"key": "integer", "min": 0, "max": 3}},
                "options": {
                    "type": {
                        "key": "string",
                        "value": "string",
                        "min": 0,
                        "max": "unlimited",
                    }
                },
                "friend": {
                    "type": {
                        "key": {
                            "type": "uuid",
                            "refTable": "Child",
                            "refType": "weak",
                        },
                        "min": 0,
                    }
                },
            },
        },
    },
}


def make_replica(**tables):
    replica = Replica(SCHEMA)
    wanted = tables or {
        name: list(table["columns"]) for name, table in SCHEMA["tables"].items()
    }
    for name, columns in wanted.items():
        replica.table(name).add()
        for column in columns:
            replica.table(name).add_column(column)
    return replica


def insert(replica, table, uuid, **values):
    replica.update({table: {uuid: {"insert": values}}}, 2)
    return replica.table(table).rows[uuid]
