# SPDX-License-Identifier: Apache-2.0
"""Random transactions against everything that must hold between them."""

import json
import random
from collections import Counter

import pytest
from tree_schema import TREE, Transactor, insert, where

from ovswitch.ovsdb import records
from ovswitch.ovsdb.database import Database
from ovswitch.ovsdb.datum import apply_diff
from ovswitch.ovsdb.monitor import Subscription, View, parse_requests
from ovswitch.ovsdb.schema import Schema

NUMBER = Schema.from_json(TREE).tables["Root"].columns["number"].index


def encode(value):
    return json.dumps(value, sort_keys=True).encode()


def contents(database, *, with_ephemeral=True):
    return {
        name: {
            uuid: {
                column.name: row.fields[column.index]
                for column in table.schema.ordered[2:]
                if with_ephemeral or column.persistent
            }
            for uuid, row in table.rows.items()
        }
        for name, table in database.tables.items()
    }


def check_invariants(database):
    """Recompute all that is derived, and compare."""
    strong, weak = Counter(), Counter()
    for table in database.tables.values():
        for row in table.rows.values():
            assert row is table.rows[row.fields[0][0]]
            for reference in table.strong_columns:
                for uuid in reference.uuids(row.fields[reference.index]):
                    assert uuid in reference.target.rows
                    if uuid != row.uuid:
                        strong[reference.target.name, uuid] += 1
            for reference in table.weak_columns:
                for uuid in reference.uuids(row.fields[reference.index]):
                    assert uuid in reference.target.rows
                    if uuid != row.uuid:
                        weak[reference.target.name, uuid, table.name, row.uuid] += 1
        for columns, index in zip(table.schema.indexes, table.indexes, strict=True):
            assert index == {row.key(columns): row for row in table.rows.values()}
        assert len(table.rows) <= table.schema.max_rows
    kept = {
        (table.name, uuid): count
        for table in database.tables.values()
        for uuid, count in table.n_refs.items()
    }
    assert kept == dict(strong)
    known = {
        (table.name, uuid, source.name, source_uuid): count
        for table in database.tables.values()
        for uuid, sources in table.weak_refs.items()
        for (source, source_uuid), count in sources.items()
    }
    assert known == dict(weak)
    assert database.n_weak_refs == sum(weak.values())
    for table in database.tables.values():
        if not table.schema.is_root:
            assert all(strong[table.name, uuid] for uuid in table.rows)
    assert database.n_atoms == sum(
        table.count_atoms(row)
        for table in database.tables.values()
        for row in table.rows.values()
    )


class Follower:
    """A client that knows the database by its updates alone."""

    def __init__(self, database, version, condition=None):
        request = {} if condition is None else {"where": condition}
        requests = {"Root": dict(request), "Leaf": {}}
        tables, conditions = parse_requests(database, requests, version)
        self.database = database
        self.view = View(database, tables)
        database.observers.append(self.view.commit)
        self.subscription = Subscription(self.view, None, "x", version, conditions)
        self.rows = {"Root": {}, "Leaf": {}}
        self.apply(json.loads(self.view.initial(self.subscription, encode)))

    def follow(self):
        text = self.subscription.take_update(encode)
        if text is not None:
            self.apply(json.loads(text))

    def apply(self, updates):
        for name, rows in updates.items():
            for uuid, update in rows.items():
                self.apply_row(name, uuid, update)

    def apply_row(self, name, uuid, update):
        columns = self.database.tables[name].schema.columns
        rows = self.rows[name]

        def parse(data):
            return {
                c: columns[c].type.from_json_value(v, None) for c, v in data.items()
            }

        if "delete" in update or ("old" in update and "new" not in update):
            del rows[uuid]
        elif "new" in update:
            rows.setdefault(uuid, {}).update(parse(update["new"]))
        elif "modify" in update:
            for column, value in update["modify"].items():
                type_ = columns[column].type
                known = rows[uuid].get(column, type_.default)
                relaxed = type_.relaxed().from_json_value(value, None)
                rows[uuid][column] = (
                    apply_diff(known, relaxed, type_) if type_.n_max > 1 else relaxed
                )
        else:
            assert uuid not in rows
            rows[uuid] = parse(update.get("insert", update.get("initial")))

    def check(self, sees=lambda row: True):
        for name, table in self.database.tables.items():
            wanted = {
                uuid: row
                for uuid, row in table.rows.items()
                if name != "Root" or sees(row)
            }
            assert self.rows[name].keys() == wanted.keys()
            for uuid, row in wanted.items():
                for column in table.schema.ordered[1:]:
                    told = self.rows[name][uuid].get(column.name, column.type.default)
                    assert told == row.fields[column.index]


class Dice:
    """Random operations on the rows that there are."""

    def __init__(self, seed, transactor):
        self.random = random.Random(seed)
        self.tree = transactor

    def uuids(self, table):
        return list(self.tree.database.tables[table].rows)

    def some(self, table, extra=()):
        pool = [["uuid", uuid] for uuid in self.uuids(table)] + list(extra)
        return [
            "set",
            self.random.sample(pool, min(len(pool), self.random.randint(0, 3))),
        ]

    def operation(self):
        draw = self.random
        roots, leaves = self.uuids("Root"), self.uuids("Leaf")
        choice = draw.randrange(7)
        if choice <= 1 or not roots:
            named = [["named-uuid", "l"]]
            yield insert("Leaf", "l", label=draw.choice("xyz"))
            yield insert(
                "Root",
                name=draw.choice("abcdefgh"),
                number=draw.randrange(50),
                leaves=self.some("Leaf", named),
                friends=self.some("Leaf", named),
                set=["set", draw.sample(range(9), 3)],
                fleeting=draw.choice("xyz"),
            )
        elif choice == 2:
            yield {"op": "delete", **where("Root", draw.choice(roots))}
        elif choice == 3 and leaves:
            yield {
                "op": "update",
                **where("Leaf", draw.choice(leaves)),
                "row": {
                    "next": draw.choice([["set", []], ["uuid", draw.choice(leaves)]]),
                    "needs": ["uuid", draw.choice(leaves)],
                    "label": draw.choice("xyz"),
                },
            }
        elif choice == 4:
            yield {
                "op": "mutate",
                **where("Root", draw.choice(roots)),
                "mutations": [
                    ["set", draw.choice(["insert", "delete"]), draw.randrange(9)],
                    [
                        "map",
                        "insert",
                        ["map", [[draw.choice("kl"), draw.choice("vw")]]],
                    ],
                    ["map", "delete", ["set", [draw.choice("kl")]]],
                ],
            }
        else:
            yield {
                "op": "update",
                **where("Root", draw.choice(roots)),
                "row": {
                    "number": draw.randrange(50),
                    "leaves": self.some("Leaf"),
                    "friends": self.some("Leaf"),
                    "named": ["map", [["n", ["uuid", u]] for u in leaves[:1]]],
                },
            }
        if draw.random() < 0.1:
            yield {"op": "abort"}


def replay(database, record):
    record = json.loads(json.dumps(record))
    database.replay(records.to_transaction(database.tables, record))


@pytest.mark.parametrize("seed", range(12))
def test_random_transactions_keep_all_invariants(seed):
    tree = Transactor()
    dice = Dice(seed, tree)
    followers = [Follower(tree.database, 1), Follower(tree.database, 2)]
    sees = [["number", "<", 25]]
    conditional = Follower(tree.database, 2, sees)
    for step in range(60):
        before = contents(tree.database)
        results = tree(
            *[op for _ in range(dice.random.randint(1, 3)) for op in dice.operation()]
        )
        if any(r is None or "error" in r for r in results):
            assert contents(tree.database) == before
        check_invariants(tree.database)
        if step % 3 == 0:  # they may be slow
            for follower in followers:
                follower.follow()
                follower.check()
            conditional.follow()
            conditional.check(lambda row: row.fields[NUMBER][0] < 25)
    again = Database(Schema.from_json(TREE))
    for record in tree.storage.records:
        replay(again, record)
    check_invariants(again)
    kept = contents(tree.database, with_ephemeral=False)
    assert contents(again, with_ephemeral=False) == kept
    snapshot = Database(Schema.from_json(TREE))
    replay(snapshot, tree.database.snapshot(0, None))
    assert contents(snapshot, with_ephemeral=False) == kept
