# SPDX-License-Identifier: Apache-2.0
import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from idl_rows import A, B, C, insert, make_replica

from ovswitch.ovsdb.replica import (
    ROW_CREATE,
    ROW_DELETE,
    ROW_UPDATE,
    InconsistentError,
    Observer,
)
from ovswitch.ovsdb.replica_row import Row


def test_values_have_python_types():
    replica = make_replica()
    row = insert(
        replica,
        "Child",
        A,
        name="x",
        tag=5,
        numbers=["set", [3, 1]],
        options=["map", [["b", "2"], ["a", "1"]]],
    )
    assert row.name == "x"
    assert row.tag == [5]
    assert row.numbers == [1, 3]
    assert row.options == {"a": "1", "b": "2"}
    assert row.friend == []
    assert row.uuid == A
    with pytest.raises(AttributeError):
        _ = row.nosuch


def test_columns_that_the_server_leaves_out_have_their_defaults():
    row = insert(make_replica(), "Child", A)
    assert (row.name, row.tag, row.options) == ("", [], {})


def test_reference_to_missing_row_is_left_out_until_it_arrives():
    replica = make_replica()
    root = insert(
        replica, "Root", C, children=["set", [["uuid", A], ["uuid", B]]], counter=1
    )
    assert root.children == []
    child = insert(replica, "Child", B, name="b")
    assert root.children == [child]
    replica.update({"Child": {B: {"delete": None}}}, 2)
    assert root.children == []


def test_modify_applies_differences_to_sets_and_maps_only():
    replica = make_replica()
    row = insert(
        replica,
        "Child",
        A,
        tag=1,
        numbers=["set", [1, 2]],
        options=["map", [["a", "1"], ["b", "2"]]],
    )
    replica.update(
        {
            "Child": {
                A: {
                    "modify": {
                        "tag": 7,
                        "numbers": ["set", [2, 3]],
                        "options": ["map", [["a", "1"], ["b", "9"], ["c", "3"]]],
                    }
                }
            }
        },
        2,
    )
    assert row.tag == [7]
    assert row.numbers == [1, 3]
    assert row.options == {"b": "9", "c": "3"}


def test_old_update_form_replaces_values():
    replica = make_replica()
    replica.update({"Child": {A: {"new": {"name": "x", "tag": 3}}}}, 1)
    row = replica.table("Child").rows[A]
    replica.table("Child").track = True
    replica.update(
        {"Child": {A: {"old": {"tag": 3}, "new": {"name": "x", "tag": 4}}}}, 1
    )
    assert row.tag == [4]
    assert replica.table("Child").modified == {row: {"tag"}}
    replica.update({"Child": {A: {"old": {"name": "x"}}}}, 1)
    assert not replica.table("Child").rows


@pytest.mark.parametrize(
    "update",
    [
        [],
        {"Nosuch": {}},
        {"Child": []},
        {"Child": {A: []}},
        {"Child": {A: {"insert": []}}},
        {"Child": {"not-a-uuid": {"insert": {}}}},
        {"Child": {B: {"insert": {}}}},
        {"Child": {A: {"modify": {}}}},
        {"Child": {A: {"delete": None}}},
        {"Child": {A: {"bogus": {}}}},
        {"Child": {B: {"modify": []}}},
    ],
)
def test_update_that_does_not_fit_is_refused(update):
    replica = make_replica()
    insert(replica, "Child", B)
    with pytest.raises(InconsistentError):
        replica.update(update, 2)


def test_unreadable_value_counts_as_default():
    row = insert(make_replica(), "Child", A, name=5, tag=["set", "x"], nosuch=1)
    assert row.name == ""
    assert row.tag == []


def test_tracking_tells_what_changed_since_last_cleared():
    replica = make_replica()
    table = replica.table("Child")
    table.track = True
    a = insert(replica, "Child", A, name="a")
    b = insert(replica, "Child", B, name="b")
    assert list(table.inserted) == [a, b]
    replica.clear_tracked()
    replica.update({"Child": {A: {"modify": {"tag": 1}}}}, 2)
    replica.update({"Child": {A: {"modify": {"options": ["map", [["a", "b"]]]}}}}, 2)
    replica.update({"Child": {B: {"delete": None}}}, 2)
    c = insert(replica, "Child", C)
    replica.update({"Child": {C: {"delete": None}}}, 2)
    assert table.modified == {a: {"tag", "options"}}
    assert list(table.deleted) == [b]
    assert not table.inserted
    assert c not in table.deleted
    assert b.name == "b"


def test_columns_without_alert_do_not_count_as_changes():
    replica = make_replica()
    replica.table("Child").omit_alert("options")
    row = insert(replica, "Child", A)
    seqno = replica.change_seqno
    replica.update({"Child": {A: {"modify": {"options": ["map", [["a", "b"]]]}}}}, 2)
    assert replica.change_seqno == seqno
    assert row.options == {"a": "b"}
    replica.update({"Child": {A: {"modify": {"tag": 1}}}}, 2)
    assert replica.change_seqno == seqno + 1


def test_full_contents_after_reconnection_keep_rows_that_stayed():
    replica = make_replica()
    a = insert(replica, "Child", A, name="a", tag=1)
    insert(replica, "Child", B, name="b")
    table = replica.table("Child")
    table.track = True
    contents = {"Child": {A: {"initial": {"name": "a"}}, C: {"initial": {}}}}
    replica.update(contents, 3, clear=True, initial=True)
    assert table.rows[A] is a
    assert a.tag == []
    assert table.modified == {a: {"tag"}}
    assert [row.uuid for row in table.inserted] == [C]
    assert [row.uuid for row in table.deleted] == [B]


def test_notify_sees_the_whole_update():
    replica = make_replica()
    seen = []
    replica.notify = lambda event, row, columns: seen.append(
        (row.name, [friend.name for friend in row.friend])
    )
    rows = {A: ("a", B), B: ("b", A)}
    update = {
        uuid: {"insert": {"name": name, "friend": ["uuid", friend]}}
        for uuid, (name, friend) in rows.items()
    }
    replica.update({"Child": update}, 2)
    assert seen == [("a", ["b"]), ("b", ["a"])]


def test_observer_sees_former_values_and_new_contents():
    class Watcher(Observer):
        def __init__(self):
            self.seen = []

        def changed(self, event, row, old):
            self.seen.append((event, row.uuid, old))

        def cleared(self):
            self.seen.append("cleared")

    replica = make_replica()
    insert(replica, "Child", A, name="a", tag=1, numbers=["set", [1, 2]])
    replica.observer = watcher = Watcher()
    change = {"tag": 2, "numbers": ["set", [2, 3]]}
    replica.update({"Child": {A: {"modify": change}}}, 2)
    ((event, uuid, old),) = watcher.seen
    assert (event, uuid) == (ROW_UPDATE, A)
    former = Row(replica.table("Child"), A, old)
    assert (former.tag, former.numbers) == ([1], [1, 2])
    assert sorted(old) == ["numbers", "tag"]
    watcher.seen.clear()
    replica.update({"Child": {B: {"initial": {"name": "b"}}}}, 2, clear=True)
    assert watcher.seen == ["cleared", (ROW_CREATE, B, {})]
    assert list(replica.table("Child").rows) == [B]


def test_notify_hears_of_each_change():
    replica = make_replica()
    heard = []
    replica.notify = lambda event, row, columns: heard.append(
        (event, row.uuid, sorted(columns))
    )
    insert(replica, "Child", A)
    replica.update({"Child": {A: {"modify": {"tag": 1, "name": "z"}}}}, 2)
    replica.update({"Child": {A: {"delete": None}}}, 2)
    assert heard == [
        (ROW_CREATE, A, []),
        (ROW_UPDATE, A, ["name", "tag"]),
        (ROW_DELETE, A, []),
    ]


def test_following_a_column_follows_the_table_that_it_refers_to():
    replica = make_replica(Root=["children"])
    assert replica.monitor_requests(None) == {
        "Child": [{"columns": []}],
        "Root": [{"columns": ["children"]}],
    }


def test_tables_and_columns_that_the_server_lacks_are_not_asked_for():
    replica = make_replica(Root=["children", "counter"], Child=["name"])
    server = {"tables": {"Root": {"columns": {"counter": {}}}}}
    assert replica.monitor_requests(server) == {"Root": [{"columns": ["counter"]}]}
    assert replica.table("Root").in_server_schema
    assert not replica.table("Child").in_server_schema


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Child", A, B, "insert", "modify", "delete", "name"])
            | st.text(max_size=3),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(json_values, st.sampled_from([1, 2, 3]), st.booleans())
def test_random_updates_raise_nothing_else(update, version, clear):
    replica = make_replica()
    insert(replica, "Child", A, name="a")
    with contextlib.suppress(InconsistentError):
        replica.update(update, version, clear=clear)
    for row in replica.table("Child").rows.values():
        assert isinstance(row.name, str)
        assert isinstance(row.options, dict)
