# SPDX-License-Identifier: Apache-2.0
"""The operations of RFC 7047 section 5.2, and the rules that span rows."""

import pytest
from tree_schema import insert, where

from ovswitch.ovsdb.error import OvsdbError
from ovswitch.ovsdb.execution import PostponedError

UUID = "11111111-1111-1111-1111-111111111111"


def errors(results):
    return [r["details"] for r in results if isinstance(r, dict) and "error" in r]


def test_insert_gives_the_rows_uuid(tree):
    uuid = tree.insert("Root", name="a", number=1)
    assert tree.column("Root", uuid, "number") == (1,)
    assert tree.column("Root", uuid, "set") == ()


def test_a_failing_operation_undoes_those_before_and_skips_those_after(tree):
    results = tree(insert("Root", name="a"), {"op": "abort"}, insert("Root", name="b"))
    assert results[0].keys() == {"uuid"}
    assert results[1] == {"error": "aborted", "details": "aborted by request"}
    assert results[2] is None
    assert not tree.database.tables["Root"].rows
    assert not tree.storage.records


def test_a_failed_write_undoes_the_transaction(tree):
    uuid = tree.insert("Root", name="a")
    tree.storage.error = OvsdbError("I/O error", "disk full", None, 28)
    results = tree({"op": "update", **where("Root", uuid), "row": {"name": "b"}})
    assert results[1]["io-error"] == "No space left on device"
    assert tree.column("Root", uuid, "name") == ("a",)


def test_names_of_new_rows_hold_before_and_after_their_insertion(tree):
    tree(
        insert("Root", name="r", leaves=["named-uuid", "leaf"]),
        insert("Leaf", "leaf", label="x"),
    )
    (leaf,) = tree.database.tables["Leaf"].rows.values()
    (root,) = tree.database.tables["Root"].rows
    assert tree.column("Root", root, "leaves") == (leaf.uuid,)


def test_a_given_uuid_is_used_once(tree):
    operation = {**insert("Root", name="a"), "uuid": UUID}
    assert tree(operation) == [{"uuid": ["uuid", UUID]}]
    (error,) = tree(operation)
    assert error["error"] == "duplicate uuid"


def test_select_gives_each_combination_of_values_once(tree):
    for number, name in enumerate("cab"):
        tree.insert("Root", name=name, number=number, flag=True)
    select = {"op": "select", "table": "Root", "where": []}
    assert tree({**select, "columns": ["flag"]}) == [{"rows": [{"flag": True}]}]
    (result,) = tree({**select, "columns": ["name"], "sort": ["name"]})
    assert [row["name"] for row in result["rows"]] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (["number", "==", 2], "b"),
        (["number", "!=", 2], "ac"),
        (["number", ">", 1], "bc"),
        (["number", "<=", 2], "ab"),
        (["maybe", ">", 0], "a"),
        (["maybe", "==", ["set", []]], "bc"),
        (["set", "includes", ["set", [1, 2]]], "a"),
        (["set", "includes", ["set", []]], "abc"),
        (["set", "excludes", ["set", [1, 7]]], "bc"),
        (["map", "includes", ["map", [["k", "v"]]]], "a"),
        (["map", "excludes", ["map", [["k", "v"]]]], "bc"),
        (True, "abc"),
        (False, ""),
    ],
)
def test_conditions(tree, condition, found):
    tree.insert(
        "Root",
        name="a",
        number=1,
        maybe=5,
        set=["set", [1, 2, 3]],
        map=["map", [["k", "v"], ["l", "w"]]],
    )
    tree.insert("Root", name="b", number=2, set=4, map=["map", [["k", "w"]]])
    tree.insert("Root", name="c", number=3)
    (result,) = tree(
        {
            "op": "select",
            "table": "Root",
            "where": [condition],
            "columns": ["name"],
            "sort": ["name"],
        }
    )
    assert "".join(row["name"] for row in result["rows"]) == found


@pytest.mark.parametrize(
    ("column", "before", "mutation", "after"),
    [
        ("number", 7, ["number", "+=", 2], (9,)),
        ("number", -7, ["number", "/=", 2], (-3,)),
        ("number", -7, ["number", "%=", 2], (-1,)),
        ("ratio", 1, ["ratio", "/=", 4], (0.25,)),
        ("set", ["set", [1, 2]], ["set", "*=", 3], (3, 6)),
        ("set", ["set", [1, 2]], ["set", "insert", ["set", [2, 3]]], (1, 2, 3)),
        ("set", ["set", [1, 2]], ["set", "delete", ["set", [2, 3]]], (1,)),
        ("maybe", 5, ["maybe", "delete", 5], ()),
        (
            "map",
            ["map", [["k", "v"]]],
            ["map", "insert", ["map", [["k", "w"], ["l", "x"]]]],
            (("k", "v"), ("l", "x")),
        ),
        (
            "map",
            ["map", [["k", "v"], ["l", "x"]]],
            ["map", "delete", ["map", [["k", "w"], ["l", "x"]]]],
            (("k", "v"),),
        ),
        (
            "map",
            ["map", [["k", "v"], ["l", "x"]]],
            ["map", "delete", ["set", ["k", "m"]]],
            (("l", "x"),),
        ),
    ],
)
def test_mutations(tree, column, before, mutation, after):
    uuid = tree.insert("Root", name="a", **{column: before})
    operation = {"op": "mutate", **where("Root", uuid), "mutations": [mutation]}
    assert tree(operation) == [{"count": 1}]
    assert tree.column("Root", uuid, column) == after


@pytest.mark.parametrize(
    ("mutation", "tag"),
    [
        (["number", "/=", 0], "domain error"),
        (["number", "+=", 9223372036854775807], "range error"),
        (["name", "+=", 1], "syntax error"),
        (["ratio", "%=", 1], "syntax error"),
        (["fixed", "insert", "x"], "constraint violation"),
        (["nope", "+=", 1], "unknown column"),
        (["number", "^=", 1], "unknown mutator"),
        (["set", "*=", 0], "constraint violation"),
        (["maybe", "insert", 6], "constraint violation"),
    ],
)
def test_wrong_mutations_are_refused(tree, mutation, tag):
    uuid = tree.insert("Root", name="a", number=5, set=["set", [1, 2]], maybe=5)
    operation = {"op": "mutate", **where("Root", uuid), "mutations": [mutation]}
    (result,) = tree(operation)
    assert result["error"] == tag
    assert tree.column("Root", uuid, "set") == (1, 2)


def test_an_immutable_column_keeps_its_first_value(tree):
    uuid = tree.insert("Root", name="a", fixed="x")
    (result,) = tree({"op": "update", **where("Root", uuid), "row": {"fixed": "y"}})
    assert result["error"] == "constraint violation"
    assert result["details"] == "Cannot update immutable column fixed in table Root."


# Rules across rows


def test_a_strong_reference_to_nothing_is_refused(tree):
    results = tree(insert("Root", name="a", leaves=["uuid", UUID]))
    assert "references nonexistent row" in errors(results)[0]
    assert results[1]["error"] == "referential integrity violation"


def test_a_row_that_is_strongly_referred_to_cant_be_deleted(tree):
    tree(
        insert("Root", name="a", leaves=["named-uuid", "l"]),
        insert("Leaf", "l"),
    )
    results = tree({"op": "delete", "table": "Leaf", "where": []})
    assert errors(results)[0].endswith("because of 1 remaining reference(s)")


def test_a_row_outside_the_root_set_lives_as_long_as_it_is_referred_to(tree):
    tree(insert("Leaf", label="alone"))
    assert not tree.database.tables["Leaf"].rows
    tree(
        insert("Root", name="a", leaves=["named-uuid", "one"]),
        insert("Leaf", "one", next=["named-uuid", "two"]),
        insert("Leaf", "two"),
    )
    assert len(tree.database.tables["Leaf"].rows) == 2
    tree({"op": "update", "table": "Root", "where": [], "row": {"leaves": ["set", []]}})
    assert not tree.database.tables["Leaf"].rows
    assert not tree.database.tables["Leaf"].n_refs


def test_a_weak_reference_to_a_deleted_row_is_dropped_at_commit(tree):
    tree(
        insert(
            "Root",
            name="a",
            leaves=["named-uuid", "l"],
            friends=["named-uuid", "l"],
            named=["map", [["x", ["named-uuid", "l"]]]],
        ),
        insert("Leaf", "l"),
    )
    (root,) = tree.database.tables["Root"].rows
    assert len(tree.column("Root", root, "friends")) == 1
    assert tree.database.n_weak_refs == 2
    tree({"op": "update", "table": "Root", "where": [], "row": {"leaves": ["set", []]}})
    assert tree.column("Root", root, "friends") == ()
    assert tree.column("Root", root, "named") == ()
    assert tree.database.n_weak_refs == 0
    assert not tree.database.tables["Leaf"].weak_refs


def test_a_weak_reference_to_nothing_is_dropped_at_once(tree):
    uuid = tree.insert("Root", name="a", friends=["uuid", UUID])
    assert tree.column("Root", uuid, "friends") == ()


def test_an_index_holds_each_key_once(tree):
    tree.insert("Root", name="a")
    results = tree(insert("Root", name="a", number=1))
    assert results[1]["error"] == "constraint violation"
    assert "for index on column" in results[1]["details"]


def test_two_rows_may_swap_their_keys(tree):
    one = tree.insert("Root", name="a", number=1)
    two = tree.insert("Root", name="b", number=2)
    results = tree(
        {"op": "update", **where("Root", one), "row": {"name": "b"}},
        {"op": "update", **where("Root", two), "row": {"name": "a"}},
    )
    assert results == [{"count": 1}, {"count": 1}]
    assert errors(tree(insert("Root", name="b", number=3)))


def test_a_table_has_at_most_maxrows_rows(tree):
    for number in range(5):
        tree.insert("Root", name=str(number), number=number)
    results = tree(insert("Root", name="x", number=9))
    assert errors(results) == [
        'transaction causes "Root" table to contain 6 rows, greater than the '
        "schema-defined limit of 5 row(s)"
    ]


# wait, comment, commit, assert


def wait(rows, until="==", **more):
    return {
        "op": "wait",
        "table": "Root",
        "where": [],
        "columns": ["name"],
        "until": until,
        "rows": [{"name": name} for name in rows],
        **more,
    }


def test_wait_compares_sets_of_rows(tree):
    tree.insert("Root", name="a", number=1)
    tree.insert("Root", name="b", number=2)
    assert tree(wait("ba", timeout=0)) == [{}]
    assert tree(wait("a", "!=", timeout=0)) == [{}]
    (error,) = tree(wait("a", timeout=0))
    assert error == {"error": "timed out", "details": '"where" clause test failed'}
    (error,) = tree(wait("a", timeout=50), elapsed_ms=60)
    assert error["details"] == '"wait" timed out after 60 ms'


def test_a_wait_that_may_come_true_postpones_the_transaction(tree):
    with pytest.raises(PostponedError) as caught:
        tree(insert("Root", name="z"), wait("a", timeout=50), may_wait=True)
    assert caught.value.timeout_ms == 50
    assert not tree.database.tables["Root"].rows
    assert tree(wait("a"))[0]["error"] == "not supported"


def test_records_hold_differences_and_leave_defaults_out(tree):
    uuid = tree.insert("Root", name="a", set=["set", [1, 2]], fleeting="x")
    tree(
        {"op": "update", **where("Root", uuid), "row": {"set": ["set", [2, 3]]}},
        {"op": "comment", "comment": "one"},
        {"op": "comment", "comment": "two"},
        {"op": "commit", "durable": True},
    )
    tree({"op": "update", **where("Root", uuid), "row": {"fleeting": "y"}})
    tree({"op": "delete", **where("Root", uuid)})
    date = {"_date": 1_700_000_000_000, "_is_diff": True}
    assert tree.storage.records == [
        {"Root": {uuid: {"name": "a", "set": ["set", (1, 2)]}}, **date},
        {"Root": {uuid: {"set": ["set", (1, 3)]}}, "_comment": "one\ntwo", **date},
        {"Root": {uuid: None}, **date},
    ]
    assert tree.storage.needs_sync


def test_assert_needs_the_lock(tree):
    operation = {"op": "assert", "lock": "mine"}
    assert tree(operation)[0]["error"] == "not owner"
    assert tree(operation, holds_lock=lambda name: name == "mine") == [{}]


def test_a_read_only_server_executes_what_only_reads(tree):
    assert tree({"op": "comment", "comment": "x"}, read_only=True) == [{}]
    (error,) = tree(insert("Root", name="a"), read_only=True)
    assert error["error"] == "not allowed"


def test_a_row_that_didnt_really_change_isnt_written(tree):
    uuid = tree.insert("Root", name="a")
    row = tree.database.tables["Root"].rows[uuid]
    tree(
        {"op": "update", **where("Root", uuid), "row": {"name": "b"}},
        {"op": "update", **where("Root", uuid), "row": {"name": "a"}},
    )
    assert tree.database.tables["Root"].rows[uuid] is row
    assert len(tree.storage.records) == 1
