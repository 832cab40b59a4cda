# SPDX-License-Identifier: Apache-2.0
"""Transactions against the operations that the reference's IDL would send."""

import pytest
from idl_rows import A, B, C, insert, make_replica

from ovswitch.ovsdb import idl_transaction as status
from ovswitch.ovsdb.idl_transaction import TransactionCore


@pytest.fixture
def replica():
    replica = make_replica()
    insert(replica, "Root", C, children=["uuid", A], counter=4)
    insert(replica, "Child", A, name="a", options=["map", [["k", "v"]]], numbers=1)
    insert(replica, "Child", B, name="b")
    return replica


@pytest.fixture
def txn(replica):
    return TransactionCore(replica)


def where(uuid):
    return [["_uuid", "==", ["uuid", uuid]]]


def row(replica, uuid):
    for table in replica.tables.values():
        if uuid in table.rows:
            return table.rows[uuid]
    raise KeyError(uuid)


def test_update_has_only_what_was_written(replica, txn):
    row(replica, A).tag = [9]
    row(replica, A).options = {}
    assert txn.operations() == [
        {
            "op": "update",
            "table": "Child",
            "where": where(A),
            "row": {"tag": 9, "options": ["map", ()]},
        }
    ]


def test_writing_what_is_there_changes_nothing(replica, txn):
    row(replica, A).options = {"k": "v"}
    assert txn.operations() is None


def test_writing_what_is_there_goes_along_with_real_changes(replica, txn):
    row(replica, A).options = {"k": "v"}
    row(replica, B).tag = 1
    assert len(txn.operations()) == 2


def test_column_without_alert_is_not_rewritten(replica, txn):
    replica.table("Child").omit_alert("options")
    row(replica, A).options = {"k": "v"}
    row(replica, B).tag = 1
    assert [operation["where"] for operation in txn.operations()] == [where(B)]


def test_verify_waits_for_the_value_that_was_read(replica, txn):
    root = row(replica, C)
    root.verify("children")
    root.children = [row(replica, A), row(replica, B)]
    wait, update = txn.operations()
    assert wait == {
        "op": "wait",
        "table": "Root",
        "timeout": 0,
        "where": where(C),
        "until": "==",
        "columns": ["children"],
        "rows": [{"children": ["uuid", A]}],
    }
    assert update["row"] == {"children": ["set", [["uuid", A], ["uuid", B]]]}


def test_verify_after_writing_is_pointless(replica, txn):
    a = row(replica, A)
    a.tag = 5
    a.verify("tag")
    assert [operation["op"] for operation in txn.operations()] == ["update"]


def test_verify_alone_changes_nothing(replica, txn):
    row(replica, A).verify("tag")
    assert txn.operations() is None


def test_inserted_rows_refer_to_each_other_by_name(replica, txn):
    first = txn.insert(replica.table("Child"))
    second = txn.insert(replica.table("Child"))
    first.name, second.name = "first", ""
    first.friend = second
    row(replica, C).children = [first, second]
    name = "row" + second.uuid.replace("-", "_")
    operations = txn.operations()
    assert operations[0] == {
        "op": "insert",
        "table": "Child",
        "uuid-name": "row" + first.uuid.replace("-", "_"),
        "row": {"name": "first", "friend": ["named-uuid", name]},
    }
    assert operations[1]["row"] == {}
    assert ["named-uuid", name] in operations[2]["row"]["children"][1]


def test_persistent_uuid_is_sent_as_such(replica, txn):
    new = txn.insert(replica.table("Child"), B.replace("b", "d"), True)
    assert txn.operations()[0]["uuid"] == new.uuid


def test_only_rows_of_root_tables_are_deleted_explicitly(replica, txn):
    row(replica, A).delete()
    assert txn.operations() is None
    row(replica, C).delete()
    assert txn.operations() == [{"op": "delete", "table": "Root", "where": where(C)}]


def test_row_inserted_and_deleted_leaves_no_trace(replica, txn):
    new = txn.insert(replica.table("Child"))
    new.delete()
    assert txn.operations() is None


def test_partial_updates_become_mutations(replica, txn):
    a = row(replica, A)
    a.setkey("options", "k", "w")
    a.setkey("options", "new", "1")
    a.delkey("options", "missing")
    a.addvalue("numbers", 2)
    a.delvalue("numbers", 1)
    (operation,) = txn.operations()
    assert operation["op"] == "mutate"
    assert operation["mutations"] == [
        ["options", "delete", ["set", ["k"]]],
        ["options", "insert", ["map", [["k", "w"], ["new", "1"]]]],
        ["numbers", "delete", ["set", [1]]],
        ["numbers", "insert", ["set", [2]]],
    ]
    assert a.options == {"k": "w", "new": "1"}
    assert a.numbers == [2]


def test_setting_a_key_to_its_value_is_no_mutation(replica, txn):
    row(replica, A).setkey("options", "k", "v")
    assert txn.operations() is None


def test_mutation_refers_to_inserted_rows_by_name(replica, txn):
    new = txn.insert(replica.table("Child"))
    row(replica, C).addvalue("children", new)
    mutation = txn.operations()[1]["mutations"][0]
    name = "row" + new.uuid.replace("-", "_")
    assert mutation == ["children", "insert", ["set", [["named-uuid", name]]]]


def test_increment_comes_last_and_reads_its_result(replica, txn):
    txn.increment(row(replica, C), "counter", force=False)
    txn.add_comment("one")
    txn.add_comment("two")
    assert txn.operations() is None
    row(replica, A).tag = 1
    _, mutate, select, comment = txn.operations()
    assert mutate["mutations"] == [["counter", "+=", 1]]
    assert select == {
        "op": "select",
        "table": "Root",
        "where": where(C),
        "columns": ["counter"],
    }
    assert comment == {"op": "comment", "comment": "one\ntwo"}
    rows = [{"counter": 5}]
    txn.take_reply([{"count": 1}, {"count": 1}, {"rows": rows}, {}], None)
    assert txn.status == status.SUCCESS
    assert txn.get_increment_new_value() == 5


def test_first_row_of_a_singleton_table_must_be_the_first():
    replica = make_replica()
    txn = TransactionCore(replica)
    txn.insert(replica.table("Root"))
    wait, insertion = txn.operations()
    assert wait == {
        "op": "wait",
        "table": "Root",
        "where": [],
        "timeout": 0,
        "until": "==",
        "rows": [],
    }
    assert insertion["op"] == "insert"


def test_dry_run_aborts_at_the_end(replica, txn):
    txn.dry_run = True
    row(replica, A).tag = 1
    assert txn.operations()[-1] == {"op": "abort"}
    txn.take_reply([{"count": 1}, {"error": "aborted"}], None)
    assert txn.status == status.SUCCESS


def test_changes_are_off_after_disassembly(replica, txn):
    a = row(replica, A)
    a.tag = 7
    a.setkey("options", "x", "y")
    new = txn.insert(replica.table("Child"))
    row(replica, B).delete()
    assert a.tag == [7]
    assert B not in replica.table("Child").rows
    txn.disassemble()
    assert a.tag == []
    assert a.options == {"k": "v"}
    assert set(replica.table("Child").rows) == {A, B}
    assert new.uuid not in replica.table("Child").rows
    assert replica.txn is None
    with pytest.raises(RuntimeError):
        a.tag = 1


def test_one_transaction_at_a_time(replica, txn):
    with pytest.raises(RuntimeError):
        TransactionCore(replica)


@pytest.mark.parametrize(
    ("result", "error", "expected"),
    [
        ([{"count": 1}], None, status.SUCCESS),
        ([{"error": "timed out"}, None], None, status.TRY_AGAIN),
        ([None], None, status.TRY_AGAIN),
        ([{"error": "not owner"}], None, status.NOT_LOCKED),
        ([{}, {"error": "constraint violation", "details": "x"}], None, status.ERROR),
        ([{"error": 5}], None, status.ERROR),
        ([5], None, status.ERROR),
        ("no list", None, status.ERROR),
        (None, "canceled", status.TRY_AGAIN),
        (None, {"error": "x"}, status.ERROR),
        ([{"error": "unknown database"}], None, status.TRY_AGAIN),
    ],
)
def test_reply_decides_the_status(replica, txn, result, error, expected):
    row(replica, A).tag = 1
    txn.operations()
    txn.take_reply(result, error)
    assert txn.status == expected


def test_error_is_the_servers_as_sorted_json(txn):
    txn.take_reply([{"error": "constraint violation", "details": "x"}], None)
    assert txn.get_error() == '{"details":"x","error":"constraint violation"}'


@pytest.mark.parametrize("reply", [[], [{}], [{"uuid": 5}], [{"uuid": ["x", "y"]}]])
def test_malformed_insert_reply_is_an_error(replica, txn, reply):
    txn.insert(replica.table("Child"))
    txn.operations()
    txn.take_reply(reply, None)
    assert txn.status == status.ERROR


def test_permanent_uuid_comes_from_the_reply(replica, txn):
    new = txn.insert(replica.table("Child"))
    txn.operations()
    txn.take_reply([{"uuid": ["uuid", B]}], None)
    assert txn.get_insert_uuid(new.uuid) == B
    assert txn.get_insert_uuid(A) is None
