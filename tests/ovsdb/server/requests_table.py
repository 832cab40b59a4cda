# SPDX-License-Identifier: Apache-2.0
"""Requests of every kind, right and wrong, for `test_requests`, and their schema.

A step is (client, method, params) or (client, method, params, id).
"""

from tree_schema import OPTIONAL, SETS

SCHEMA = {
    "name": "Req",
    "version": "1.0.0",
    "tables": {
        "T": {
            "isRoot": True,
            "maxRows": 4,
            "indexes": [["name"], ["i", "b"]],
            "columns": {
                "name": {"type": "string"},
                "i": {"type": "integer"},
                "r": {"type": "real"},
                "b": {"type": "boolean"},
                "u": {"type": "uuid"},
                "is": {"type": SETS},
                "oi": {"type": OPTIONAL},
                "rs": {"type": {"key": "real", "min": 0, "max": 3}},
                "m": {
                    "type": {
                        "key": "string",
                        "value": "integer",
                        "min": 0,
                        "max": "unlimited",
                    }
                },
                "ref": {
                    "type": {"key": {"type": "uuid", "refTable": "Leaf"}, "min": 0}
                },
                "weak": {
                    "type": {
                        "key": {
                            "type": "uuid",
                            "refTable": "Leaf",
                            "refType": "weak",
                        },
                        "min": 0,
                        "max": 2,
                    }
                },
                "fixed": {"type": "string", "mutable": False},
            },
        },
        "Limits": {
            "isRoot": True,
            "columns": {
                "range": {
                    "type": {
                        "key": {"type": "integer", "minInteger": 1, "maxInteger": 9},
                        "min": 0,
                    }
                },
                "least": {
                    "type": {"key": {"type": "integer", "minInteger": 3}, "min": 0}
                },
                "most": {
                    "type": {"key": {"type": "integer", "maxInteger": 3}, "min": 0}
                },
                "real": {
                    "type": {
                        "key": {"type": "real", "minReal": -1.5, "maxReal": 2.5},
                        "min": 0,
                    }
                },
                "rleast": {"type": {"key": {"type": "real", "minReal": 0.5}, "min": 0}},
                "rmost": {"type": {"key": {"type": "real", "maxReal": 0.5}, "min": 0}},
                "short": {
                    "type": {
                        "key": {"type": "string", "minLength": 2, "maxLength": 4},
                        "min": 0,
                    }
                },
                "color": {
                    "type": {
                        "key": {
                            "type": "string",
                            "enum": ["set", ["red", "green", "blue"]],
                        },
                        "min": 0,
                    }
                },
                "number": {
                    "type": {
                        "key": {"type": "integer", "enum": ["set", [1, 5, 7]]},
                        "min": 0,
                    }
                },
                "two": {"type": {"key": "integer", "min": 0, "max": 2}},
            },
        },
        "Must": {
            "isRoot": True,
            "columns": {
                "leaf": {"type": {"key": {"type": "uuid", "refTable": "Leaf"}}},
                "weak": {
                    "type": {
                        "key": {"type": "uuid", "refTable": "T", "refType": "weak"},
                        "min": 0,
                        "max": 2,
                    }
                },
                "many": {"type": {"key": "string", "min": 1, "max": 3}},
            },
        },
        "Leaf": {"columns": {"label": {"type": "string"}}},
        "One": {"isRoot": True, "maxRows": 1, "columns": {"x": {"type": "string"}}},
    },
}

MISSING = "11111111-2222-3333-4444-555555555555"


def transact(*operations):
    """Make a step of client a."""
    return ("a", "transact", ["Req", *operations])


def op(name, table="T", **more):
    return {"op": name, "table": table, **more}


def insert(table="T", named=None, /, **row):
    more = {"uuid-name": named} if named else {}
    return op("insert", table, row=row, **more)


def select(*where, **more):
    return op("select", where=list(where), columns=["name", "i"], **more)


def update(row, *where, table="T"):
    return op("update", table, where=list(where), row=row)


def mutate(*mutations, where=(), table="T"):
    return op("mutate", table, where=list(where), mutations=list(mutations))


def wait(**more):
    members = {
        "where": [],
        "columns": ["name"],
        "until": "==",
        "rows": [],
        "timeout": 0,
        **more,
    }
    return op("wait", **{k: v for k, v in members.items() if v != "-"})


METHODS = [
    ("a", "list_dbs", []),
    ("a", "list_dbs", ["x"]),
    ("a", "get_server_id", []),
    ("a", "get_server_id", [1, 2]),
    ("a", "get_schema", ["Req"]),
    ("a", "get_schema", ["_Server"]),
    ("a", "get_schema", []),
    ("a", "get_schema", [5]),
    ("a", "get_schema", ["Nope"]),
    ("a", "get_schema", ["Req", "Req"]),
    ("a", "echo", []),
    ("a", "echo", [1.5, "ä", None, True, {"a": [1e300, -0.0]}]),
    ("a", "nonsense", []),
    ("a", "", []),
    ("a", "update", ["x"]),
    ("a", "cancel", ["x"]),
    ("a", "cancel", [], None),
    ("a", "nonsense", ["notification"], None),
    ("a", "set_db_change_aware", []),
    ("a", "set_db_change_aware", [1]),
    ("a", "set_db_change_aware", [True, True]),
    ("a", "set_db_change_aware", [True]),
    ("a", "set_db_change_aware", [False]),
    ("a", "echo", ["ids"], "text"),
    ("a", "echo", ["ids"], {"an": "object"}),
    ("a", "echo", ["ids"], [1, [2]]),
    ("a", "echo", ["ids"], 1.25),
    ("a", "echo", ["ids"], True),
    ("a", "echo", ["ids"], False),
    ("a", "transact", []),
    ("a", "transact", [{}]),
    ("a", "transact", ["Nope"]),
    ("a", "transact", ["Req"]),
    ("a", "transact", ["Req", 5]),
    ("a", "transact", ["Req", None]),
    ("a", "transact", ["Req", []]),
    ("a", "transact", ["Req", {}]),
    ("a", "transact", ["_Server", op("insert", "Database", row={})]),
    ("a", "transact", ["_Server", op("delete", "Database", where=[])]),
    ("a", "transact", ["_Server", {"op": "commit", "durable": True}]),
    ("a", "convert", []),
    ("a", "convert", ["Nope", {}]),
    ("a", "convert", ["Req"]),
    ("a", "convert", ["Req", {}, 1]),
    ("a", "convert", ["Req", 5]),
    ("a", "convert", ["Req", {"name": "Req"}]),
    ("a", "convert", ["Req", {"name": "Other", "tables": {}}]),
    ("a", "convert", ["Req", {"name": "Req", "version": "x", "tables": {}}]),
    ("a", "convert", ["Req", {"name": "Req", "version": "1.0.0", "tables": {"1": {}}}]),
]  # fmt: skip

OPERATIONS = [
    transact({"op": "nope"}),
    transact({"op": 5}),
    transact({"op": "1x"}),
    transact({"opp": "insert"}),
    transact({"op": "insert"}),
    transact({"op": "insert", "table": "T"}),
    transact({"op": "insert", "table": 5, "row": {}}),
    transact({"op": "insert", "table": "Nope", "row": {}}),
    transact({"op": "insert", "table": "T", "row": []}),
    transact({"op": "insert", "table": "T", "row": {}, "extra": 1}),
    transact(insert(nope=5)),
    transact(insert(_uuid=["uuid", MISSING])),
    transact(insert(_version=["uuid", MISSING])),
    transact(insert(name=5)),
    transact(insert(name="a", i="x")),
    transact(insert(i=1.5)),
    transact(insert(i=2**63)),
    transact(insert(i=10**20)),
    transact(insert(r=2**63, i="x")),
    transact(insert(r="x")),
    transact(insert(b=0)),
    transact(insert(u="x")),
    transact(insert(u=["uuid", "x"])),
    transact(insert(u=["uuid"])),
    transact(insert(u=["uuid", MISSING, 1])),
    transact(insert(u=["named-uuid", 5])),
    transact(insert(u=["named-uuid", "1x"])),
    transact(insert(u=["named-uuid", "dangling"])),
    transact(insert(**{"is": ["set", [1, 1]]})),
    transact(insert(**{"is": ["set", 5]})),
    transact(insert(**{"is": ["set"]})),
    transact(insert(**{"is": ["set", [1, "x"]]})),
    transact(insert(**{"is": ["map", []]})),
    transact(insert(rs=["set", [1, 2, 3, 4]])),
    transact(insert(oi=["set", [1, 2]])),
    transact(insert(i=["set", []])),
    transact(insert(i=["set", [1]])),
    transact(insert(name="", i=5, b=True)),
    transact(insert(m=5)),
    transact(insert(m=["map", 5])),
    transact(insert(m=["map", [5]])),
    transact(insert(m=["map", [["a"]]])),
    transact(insert(m=["map", [["a", 1, 2]]])),
    transact(insert(m=["map", [["a", 1], ["a", 2]]])),
    transact(insert(m=["map", [[1, 1]]])),
    transact(insert(m=["map", [["a", "b"]]])),
    transact(insert(m=["set", [["a", 1]]])),
    transact({"op": "insert", "table": "T", "row": {}, "uuid": 5}),
    transact({"op": "insert", "table": "T", "row": {}, "uuid": "zz"}),
    transact({"op": "insert", "table": "T", "row": {}, "uuid-name": 5}),
    transact({"op": "insert", "table": "T", "row": {}, "uuid-name": "1"}),
    transact(insert(name="x1"), insert(name="x2"), {"op": "abort"}),
    transact(insert(name="x1"), {"op": "abort"}, insert(name="x2")),
    transact({"op": "abort", "x": 1}),
    transact({"op": "comment"}),
    transact({"op": "comment", "comment": 5}),
    transact({"op": "comment", "comment": "fine"}),
    transact({"op": "commit"}),
    transact({"op": "commit", "durable": 1}),
    transact({"op": "commit", "durable": False}),
    transact({"op": "commit", "durable": True}),
    transact({"op": "assert"}),
    transact({"op": "assert", "lock": 5}),
    transact({"op": "assert", "lock": "1x"}),
    transact({"op": "assert", "lock": "x"}),
    transact(insert("T", "n", name="dup"), insert("T", "n", name="dup2")),
    # Rows for what follows.
    transact(insert(name="a", i=1, r=1.5, oi=5, m=["map", [["k", 1]]])),
    transact(insert(name="b", i=2, **{"is": ["set", [1, 2, 3]]})),
    transact(insert(name="a", i=7)),
    transact(insert(name="c", i=1, b=False)),
    transact(insert(name="c", i=7), insert(name="c", i=8)),
    transact(insert(name="c", i=3), insert(name="d", i=4), insert(name="e", i=5)),
    transact(op("insert", row={}, uuid=MISSING), op("insert", row={}, uuid=MISSING)),
    # select
    transact(op("select")),
    transact(op("select", where=5)),
    transact(op("select", where=[5])),
    transact(op("select", where=[True], columns=["name"])),
    transact(op("select", where=[False])),
    transact(op("select", where=[["name", "==", "a"], False])),
    transact(op("select", where=[["name", "=="]])),
    transact(op("select", where=[["name", "==", "a", 1]])),
    transact(op("select", where=[[5, "==", "a"]])),
    transact(op("select", where=[["name", 5, "a"]])),
    transact(op("select", where=[["nope", "==", "a"]])),
    transact(op("select", where=[["name", "~", "a"]])),
    transact(op("select", where=[["name", "<", "a"]])),
    transact(op("select", where=[["name", "==", 5]])),
    transact(op("select", where=[["b", ">", True]])),
    transact(op("select", where=[["is", "<", 5]])),
    transact(op("select", where=[["m", ">=", 5]])),
    transact(op("select", where=[["oi", "<", ["set", []]]])),
    transact(op("select", where=[["u", "<=", ["uuid", MISSING]]])),
    transact(select(["name", "==", "a"])),
    transact(select(["name", "!=", "a"])),
    transact(select(["i", "<", 2])),
    transact(select(["i", "<=", 1])),
    transact(select(["i", ">=", 2])),
    transact(select(["r", ">", 0.5])),
    transact(select(["oi", ">", 4])),
    transact(select(["oi", "==", ["set", []]])),
    transact(select(["oi", "includes", ["set", []]], ["i", "==", 1])),
    transact(select(["oi", "excludes", 5])),
    transact(select(["is", "includes", 1])),
    transact(select(["is", "includes", ["set", [1, 9]]])),
    transact(select(["is", "excludes", ["set", [1, 9]]])),
    transact(select(["m", "includes", ["map", [["k", 1]]]])),
    transact(select(["m", "excludes", ["map", [["k", 1]]]])),
    transact(select(["m", "==", ["map", [["k", 1]]]])),
    transact(select(["_uuid", "==", ["uuid", MISSING]])),
    transact(select(["_uuid", "==", ["named-uuid", "nobody"]])),
    transact(op("select", where=[["i", "==", 1]], columns=["nope"])),
    transact(op("select", where=[["i", "==", 1]], columns=[5])),
    transact(op("select", where=[["i", "==", 1]], columns=5)),
    transact(op("select", where=[["i", "==", 1]], columns=["i", "i"])),
    transact(op("select", where=[["i", "==", 1]], columns=[])),
    transact(op("select", where=[["i", "==", 1]], columns=["_uuid", "name"])),
    transact(op("select", where=[], columns=["b"])),
    transact(select(sort=["name"])),
    transact(select(sort=["nope"])),
    transact(select(sort=5)),
    # update
    transact(op("update")),
    transact(op("update", where=[])),
    transact(op("update", where=5, row={})),
    transact(op("update", where=[], row=5)),
    transact(update({"nope": 1})),
    transact(update({"fixed": "x"}, ["name", "==", "a"])),
    transact(update({"_uuid": ["uuid", MISSING]})),
    transact(update({"_version": ["uuid", MISSING]})),
    transact(update({"name": 5})),
    transact(update({"name": "q"}, ["name", "!=", "b"])),
    transact(update({}, ["name", "==", "a"])),
    transact(update({"i": 10}, ["name", "==", "a"])),
    transact(update({"i": 10}, ["name", "==", "zz"])),
    transact(update({"i": 10}, ["zz", "==", "zz"])),
    transact(update({"ref": ["uuid", MISSING]}, ["name", "==", "a"])),
    transact(update({"weak": ["uuid", MISSING]}, ["name", "==", "a"])),
    transact(update({"weak": ["named-uuid", "nobody"]}, ["name", "==", "a"])),
    # mutate
    transact(op("mutate")),
    transact(op("mutate", where=[], mutations=5)),
    transact(mutate(5)),
    transact(mutate(["i", "+="])),
    transact(mutate(["i", "+=", 1, 2])),
    transact(mutate([5, "+=", 1])),
    transact(mutate(["nope", "+=", 1])),
    transact(mutate(["i", 5, 1])),
    transact(mutate(["i", "**", 1])),
    transact(mutate(["i", "+=", "x"])),
    transact(mutate(["i", "+=", ["set", [1, 2]]])),
    transact(mutate(["i", "insert", 1])),
    transact(mutate(["i", "delete", 1])),
    transact(mutate(["name", "+=", "x"])),
    transact(mutate(["b", "+=", True])),
    transact(mutate(["fixed", "insert", "x"])),
    transact(mutate(["_uuid", "insert", ["uuid", MISSING]])),
    transact(mutate(["m", "+=", 1])),
    transact(mutate(["r", "%=", 1])),
    transact(mutate(["i", "/=", 0])),
    transact(mutate(["i", "%=", 0])),
    transact(mutate(["r", "/=", 0])),
    transact(mutate(["i", "+=", 2**63 - 1])),
    transact(mutate(["i", "*=", 2**62])),
    transact(mutate(["i", "-=", -(2**63)])),
    transact(mutate(["r", "*=", 1e308], ["r", "*=", 1e308])),
    transact(mutate(["is", "+=", 1])),
    transact(mutate(["is", "*=", 0])),
    transact(mutate(["is", "insert", ["set", [7, 8]]], ["is", "delete", 7])),
    transact(mutate(["oi", "insert", 6], where=[["name", "==", "a"]])),
    transact(mutate(["oi", "insert", 5], where=[["name", "==", "a"]])),
    transact(mutate(["rs", "insert", ["set", [1, 2, 3, 4]]])),
    transact(mutate(["m", "insert", ["map", [["k", 9], ["l", 2]]]])),
    transact(mutate(["m", "insert", 5])),
    transact(mutate(["m", "delete", ["set", ["k"]]])),
    transact(mutate(["m", "delete", ["map", [["l", 3]]]])),
    transact(mutate(["m", "delete", ["map", [["l", 2]]]])),
    transact(op("select", where=[["name", "==", "a"]], columns=["m", "oi", "is", "i"])),
    # delete
    transact(op("delete")),
    transact(op("delete", where=5)),
    transact(op("delete", where=[["name", "==", "zz"]])),
    transact(op("delete", where=[["name", "==", "c"]])),
    # wait
    transact(wait(where="-")),
    transact(wait(until="-")),
    transact(wait(rows="-")),
    transact(wait(columns="-")),
    transact(wait(where=5)),
    transact(wait(until="<")),
    transact(wait(until=5)),
    transact(wait(rows=5)),
    transact(wait(rows=[5])),
    transact(wait(rows=[{"nope": 1}])),
    transact(wait(columns=["nope"])),
    transact(wait(columns=5)),
    transact(wait(timeout=-1)),
    transact(wait(timeout="x")),
    transact(wait(timeout=1.5)),
    transact(wait()),
    transact(wait(until="!=")),
    transact(wait(rows=[{"name": "a"}, {"name": "b"}])),
    transact(wait(rows=[{"name": "a"}], where=[["name", "==", "a"]])),
    transact(wait(rows=[{"name": "a", "i": 99}], where=[["name", "==", "a"]])),
    transact(wait(rows=[{}], where=[["name", "==", "zz"]])),
    transact(wait(rows=[{"name": "a"}], until="!=", where=[["name", "==", "a"]])),
]  # fmt: skip

_LIMITS = {
    "range": [0, 1, 9, 10],
    "least": [2, 3],
    "most": [3, 4],
    "real": [-1.75, -1.5, 2.5, 3],
    "rleast": [0, 0.5, 1],
    "rmost": [0.5, 0.75],
    "short": ["", "a", "ab", "abcd", "abcde", "ääää", "äääää"],
    "color": ["red", "yellow"],
    "number": [1, 2],
    "two": [["set", [1, 2, 3]], ["set", []]],
}

CONSTRAINTS = [
    *(
        transact(insert("Limits", **{column: value}))
        for column, values in _LIMITS.items()
        for value in values
    ),
    transact(update({"range": 11}, table="Limits")),
    transact(mutate(["range", "+=", 9], where=[["range", "==", 9]], table="Limits")),
    transact(mutate(["real", "*=", 9], where=[["real", ">", 0.0]], table="Limits")),
    transact(mutate(["two", "insert", ["set", [1, 2, 3]]], table="Limits")),
    transact(insert("Must")),
    transact(insert("Must", leaf=["named-uuid", "l"], many="x")),
    transact(insert("Must", leaf=["named-uuid", "l"]), insert("Leaf", "l")),
    transact(insert("Must", leaf=["named-uuid", "l"], many="x"),
             insert("Leaf", "l", label="l1")),
    transact(insert("Must", leaf=["uuid", MISSING], many="x")),
    transact(insert("Must", many=["set", []])),
    transact(op("delete", "Leaf", where=[["label", "==", "l1"]])),
    transact(update({"weak": ["uuid", MISSING]}, table="Must")),
    transact(op("select", "Must", where=[], columns=["many", "weak"])),
    transact(insert("Leaf", label="unreferenced")),
    transact(op("select", "Leaf", where=[], columns=["label"])),
    transact(insert("One"), insert("One")),
    transact(insert("One", x="1")),
    transact(insert("One", x="2")),
    transact(insert("One", x="2"), op("delete", "One", where=[["x", "==", "1"]])),
    transact(op("delete", "T", where=[]), insert(name="z", i=1), insert(name="z", i=2)),
    transact(op("delete", "T", where=[])),
    transact(*[insert(name=f"n{n}", i=n) for n in range(5)]),
    transact(*[insert(name=f"n{n}", i=n) for n in range(4)]),
    transact(update({"name": "same"}, ["i", "<", 2])),
    transact(mutate(["i", "*=", 0], where=[["i", "==", 1]])),
    transact(update({"name": "n1"}, ["name", "==", "n0"]),
             update({"name": "n0"}, ["i", "==", 1])),
    transact(op("delete", where=[["name", "==", "n0"]]), insert(name="n0", i=0)),
]  # fmt: skip

_ALL = {"T": {"columns": ["name", "i"]}}

MONITORS = [
    transact(op("delete", where=[])),
    transact(insert(name="a", i=1)),
    ("b", "monitor", []),
    ("b", "monitor", [5, "m", {}]),
    ("b", "monitor", ["Nope", "m", {}]),
    ("b", "monitor", ["Req", "m", []]),
    ("b", "monitor", ["Req", "m", {"Nope": {}}]),
    ("b", "monitor", ["Req", "m", {"T": 5}]),
    ("b", "monitor", ["Req", "m", {"T": [5]}]),
    ("b", "monitor", ["Req", "m", {"T": {"columns": 5}}]),
    ("b", "monitor", ["Req", "m", {"T": {"columns": [5]}}]),
    ("b", "monitor", ["Req", "m", {"T": {"columns": ["nope"]}}]),
    ("b", "monitor", ["Req", "m", {"T": {"columns": ["name", "name"]}}]),
    ("b", "monitor", ["Req", "m", {"T": [{"columns": ["i"]}, {"columns": ["i"]}]}]),
    ("b", "monitor", ["Req", "m", {"T": {"select": 5}}]),
    ("b", "monitor", ["Req", "m", {"T": {"select": {"initial": 1}}}]),
    ("b", "monitor", ["Req", "m", {"T": {"select": {"nope": True}}}]),
    ("b", "monitor", ["Req", "m", {"T": {"where": []}}]),
    ("b", "monitor", ["Req", "m", {"T": {"nope": []}}]),
    ("b", "monitor", ["Req", "m", _ALL]),
    ("b", "monitor", ["Req", "m", _ALL]),
    ("b", "monitor", ["Req", "n", _ALL, "more", "parameters"]),
    ("b", "monitor", ["Req", ["x"], {}]),
    ("b", "monitor_cond", ["Req", "c"]),
    ("b", "monitor_cond", ["Req", "c", {}, {}]),
    ("b", "monitor_cond", ["Req", "m", {}]),
    ("b", "monitor_cond", ["Req", "c", {"T": {"where": 5}}]),
    ("b", "monitor_cond", ["Req", "c", {"T": {"where": [5]}}]),
    ("b", "monitor_cond", ["Req", "c", {"T": {"where": [["nope", "==", 1]]}}]),
    ("b", "monitor_cond",
     ["Req", "c", {"T": {"columns": ["name"], "where": [["i", ">", 4]]}}]),
    ("b", "monitor_cond_since", ["Req", "s", {}]),
    ("b", "monitor_cond_since", ["Req", "s", {}, 5]),
    ("b", "monitor_cond_since", ["Req", "s", {}, "x"]),
    ("b", "monitor_cond_since", ["Req", "s", {}, MISSING]),
    ("b", "monitor_cancel", ["s"]),
    ("b", "monitor_cond_change", []),
    ("b", "monitor_cond_change", ["zz", "zz", {}]),
    ("b", "monitor_cond_change", ["c", "m", {}]),
    ("b", "monitor_cond_change", ["c", "c", []]),
    ("b", "monitor_cond_change", ["c", "c", {"Nope": []}]),
    ("b", "monitor_cond_change", ["c", "c", {"Leaf": []}]),
    ("b", "monitor_cond_change", ["c", "c", {"T": {}}]),
    ("b", "monitor_cond_change", ["c", "c", {"T": [5]}]),
    ("b", "monitor_cond_change", ["c", "c", {"T": [{"where": 5}]}]),
    ("b", "monitor_cond_change", ["c", "c", {"T": [{"where": [["nope", "==", 1]]}]}]),
    ("b", "monitor_cond_change", ["c", "c", {"T": [{"columns": ["name"]}]}]),
    ("b", "monitor_cond_change", ["c", "c", {"T": [{"nope": 1}]}]),
    ("b", "monitor_cond_change", ["c", "d", {"T": [{"where": [["i", "<", 4]]}]}]),
    ("b", "monitor_cond_change", ["d", "d", {"T": [{"where": [["i", ">", 4]]}]}]),
    transact(insert(name="b", i=9)),
    transact(update({"i": 3}, ["name", "==", "b"])),
    transact(update({"i": 3, "name": "b2"}, ["name", "==", "b"])),
    ("b", "transact", ["Req", update({"i": 12}, ["name", "==", "b2"])]),
    transact(op("delete", where=[["name", "==", "b2"]])),
    ("b", "monitor_cancel", []),
    ("b", "monitor_cancel", ["zz"]),
    ("b", "monitor_cancel", ["m", "m"]),
    ("b", "monitor_cancel", ["m"]),
    ("b", "monitor_cancel", ["m"]),
    ("b", "monitor_cancel", [["x"]]),
    ("b", "monitor_cancel", ["n"]),
    ("b", "monitor_cancel", ["d"]),
    ("b", "monitor", ["_Server", None, {"Database": {"columns": ["model"]}}]),
    ("b", "monitor_cancel", [None]),
    transact(insert(name="e", i=50)),
]  # fmt: skip

LOCKS = [
    ("a", "lock", []),
    ("a", "lock", [5]),
    ("a", "lock", ["1x"]),
    ("a", "lock", ["x", "y"]),
    ("a", "unlock", ["x"]),
    ("a", "unlock", []),
    ("a", "lock", ["x"]),
    ("a", "lock", ["x"]),
    ("a", "steal", ["x"]),
    transact({"op": "assert", "lock": "x"}),
    ("b", "lock", ["x"]),
    ("b", "transact", ["Req", {"op": "assert", "lock": "x"}]),
    ("b", "steal", ["x"]),
    ("b", "unlock", ["x"]),
    ("b", "steal", ["x"]),
    transact({"op": "assert", "lock": "x"}),
    ("b", "transact", ["Req", {"op": "assert", "lock": "x"}]),
    ("b", "transact", ["Req", {"op": "assert", "lock": "x"}, insert(name="a")]),
    ("a", "lock", ["x"]),
    ("a", "unlock", ["x"]),
    ("a", "lock", ["x"]),
    ("b", "unlock", ["x"]),
    transact({"op": "assert", "lock": "x"}),
    ("b", "lock", ["x"]),
    ("a", "unlock", ["x"]),
    ("b", "unlock", ["x"]),
    ("b", "unlock", ["x"]),
]

_NEVER = wait(rows=[{"name": "never"}], timeout="-")
_SOON = wait(rows=[{"name": "soon"}], timeout="-")

WAITS = [
    transact(op("delete", where=[])),
    ("a", "transact", ["Req", _NEVER], "w1"),
    ("a", "transact", ["Req", _NEVER], "w1"),
    ("a", "transact", ["Req", _NEVER], ["w", 2]),
    ("a", "cancel", ["w1"]),
    ("a", "cancel", ["w1"], None),
    ("a", "cancel", ["w1"], None),
    ("a", "cancel", [["w", 2]], None),
    ("a", "transact", ["Req", _NEVER], "w3"),
    ("a", "set_db_change_aware", [True]),
    ("a", "cancel", ["w3", 1], None),
    ("a", "cancel", ["w3"], None),
    ("a", "transact", ["Req", _SOON, insert(name="after", i=3)], "w4"),
    ("b", "transact", ["Req", insert(name="soon", i=77)]),
    ("b", "transact", ["Req", select(sort=["name"])]),
    ("b", "transact", ["Req", op("delete", where=[])]),
    ("a", "transact", ["Req", _SOON, {"op": "comment"}], "w5"),
    ("b", "transact", ["Req", insert(name="soon", i=77)]),
    ("a", "transact", ["Req", insert(name="gone", i=99), _NEVER], "w6"),
    ("b", "transact", ["Req", select(sort=["name"])]),
    ("a", "transact", ["Req", _NEVER, wait(timeout=-3)], "w7"),
    ("a", "set_db_change_aware", [False]),
]
