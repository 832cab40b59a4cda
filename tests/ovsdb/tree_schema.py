# SPDX-License-Identifier: Apache-2.0
"""A small schema with every kind of column, and a database to work on."""

from ovswitch.ovsdb.database import Database
from ovswitch.ovsdb.schema import Schema

SETS = {"key": "integer", "min": 0, "max": "unlimited"}
OPTIONAL = {"key": "integer", "min": 0}
STRONG = {"key": {"type": "uuid", "refTable": "Leaf"}, "min": 0, "max": "unlimited"}
WEAK = {
    "key": {"type": "uuid", "refTable": "Leaf", "refType": "weak"},
    "min": 0,
    "max": "unlimited",
}
BY_NAME = {
    "key": "string",
    "value": {"type": "uuid", "refTable": "Leaf", "refType": "weak"},
    "min": 0,
    "max": "unlimited",
}

# A root table that owns leaves, points at some weakly, and has every kind of column.
TREE = {
    "name": "Tree",
    "version": "1.2.3",
    "tables": {
        "Root": {
            "isRoot": True,
            "maxRows": 5,
            "indexes": [["name"], ["number", "flag"]],
            "columns": {
                "name": {"type": "string"},
                "number": {"type": "integer"},
                "flag": {"type": "boolean"},
                "ratio": {"type": "real"},
                "set": {"type": SETS},
                "maybe": {"type": OPTIONAL},
                "map": {
                    "type": {
                        "key": "string",
                        "value": "string",
                        "min": 0,
                        "max": "unlimited",
                    }
                },
                "leaves": {"type": STRONG},
                "friends": {"type": WEAK},
                "named": {"type": BY_NAME},
                "fixed": {"type": "string", "mutable": False},
                "fleeting": {"type": "string", "ephemeral": True},
            },
        },
        "Leaf": {
            "columns": {
                "label": {"type": "string"},
                "next": {
                    "type": {"key": {"type": "uuid", "refTable": "Leaf"}, "min": 0}
                },
                "needs": {
                    "type": {
                        "key": {"type": "uuid", "refTable": "Leaf", "refType": "weak"},
                        "min": 0,
                    }
                },
            }
        },
    },
}


class Memory:
    """A storage that keeps records in a list."""

    def __init__(self):
        self.records = []
        self.needs_sync = False
        self.error = None

    def write(self, record, durable):
        if self.error is not None:
            raise self.error
        self.records.append(record)
        self.needs_sync = self.needs_sync or durable

    def sync_pending(self):
        self.needs_sync = False


class Transactor:
    """A database with a short way to run operations."""

    def __init__(self, schema=TREE):
        self.storage = Memory()
        self.database = Database(Schema.from_json(schema), self.storage)

    def __call__(self, *operations, **options):
        return self.database.transact(
            [self.database.name, *operations], 1_700_000_000_000, **options
        )

    def insert(self, table, **row):
        (result,) = self(insert(table, **row))
        return result["uuid"][1]

    def column(self, table, uuid, name):
        schema = self.database.tables[table].schema
        return self.database.tables[table].rows[uuid].fields[schema.columns[name].index]


def insert(table, name=None, /, **row):
    operation = {"op": "insert", "table": table, "row": row}
    return {**operation, "uuid-name": name} if name else operation


def where(table, uuid):
    return {"table": table, "where": [["_uuid", "==", ["uuid", uuid]]]}
