# SPDX-License-Identifier: Apache-2.0
"""The conversation with the server, message by message."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovswitch.ovsdb.cs import (
    DATA_MONITOR_REQUESTED,
    MONITORING,
    RETRY,
    ZERO_UUID,
    ClientSync,
    Locked,
    Reconnected,
    Reply,
    Update,
)

MONID = ["monid", "Db"]
SERVER_MONID = ["monid", "_Server"]
TXN = "11111111-2222-4333-8444-555555555555"
REQUESTS = {"T": [{"columns": ["c"]}]}
ROW = "aaaaaaaa-0000-4000-8000-000000000001"


class Script:
    """A server that is played by the test."""

    def __init__(self, **options):
        self.schemas = []
        self.cs = ClientSync("Db", self.compose, **options)

    def compose(self, schema):
        self.schemas.append(schema)
        return {"T": [{"columns": ["c"]}]}

    def expect(self, method, params=None):
        output = self.cs.take_output()
        assert [request[0] for request in output] == [method]
        if params is not None:
            assert output[0][1] == params
        return output[0][2]

    def answer(self, request_id, result=None, error=None):
        self.cs.receive_reply(request_id, result, error)

    def events(self):
        return [type(event).__name__ for event in self.cs.take_events()]

    def reach_server_monitor(self, **columns):
        self.cs.connected()
        self.answer(self.expect("get_schema", ["_Server"]), {"tables": {}})
        request = self.expect("monitor_cond")
        row = {"name": "Db", "model": "standalone", "connected": True, **columns}
        self.answer(request, {"Database": {ROW: {"initial": row}}})

    def reach_monitoring(self):
        self.reach_server_monitor()
        output = self.cs.take_output()
        self.answer(output[-1][2], {"tables": {"T": {}}})
        request = self.expect("monitor_cond_since", ["Db", MONID, REQUESTS, ZERO_UUID])
        self.answer(request, [False, TXN, {"T": {}}])
        assert self.cs.state == MONITORING


def test_conversation_in_full():
    script = Script()
    script.reach_server_monitor()
    output = script.cs.take_output()
    assert [request[:2] for request in output] == [
        ("set_db_change_aware", [True]),
        ("get_schema", ["Db"]),
    ]
    script.answer(output[1][2], {"tables": {"T": {}}})
    request = script.expect("monitor_cond_since", ["Db", MONID, REQUESTS, ZERO_UUID])
    script.answer(request, [False, TXN, {"T": {}}])
    assert script.schemas == [{"tables": {"T": {}}}]
    reconnected, update = script.cs.take_events()
    assert isinstance(reconnected, Reconnected)
    assert isinstance(update, Update)
    assert (update.clear, update.initial, update.version) == (True, True, 3)
    assert update.table_updates == {"T": {}}


def test_eager_conversation_takes_one_round_trip():
    script = Script(eager=True, change_aware=False)
    script.cs.connected()
    server, data = script.cs.take_output()
    assert server[0] == "monitor_cond"
    assert "schema" not in server[1][2]["Database"][0]["columns"]
    assert data[:2] == ("monitor_cond_since", ["Db", MONID, REQUESTS, ZERO_UUID])
    script.answer(server[2], {"Database": {ROW: {"initial": {"name": "Db"}}}})
    script.answer(data[2], [False, TXN, {}])
    assert script.cs.state == MONITORING
    assert script.schemas == [None]


def test_eager_conversation_falls_back_to_the_schema():
    script = Script(eager=True)
    script.cs.connected()
    server, data = script.cs.take_output()
    script.answer(server[2], error={"error": "unknown database"})
    script.answer(data[2], error={"error": "syntax error"})
    schema = {"tables": {"T": {"columns": {}}}}
    script.answer(script.expect("get_schema", ["Db"]), schema)
    script.expect("monitor_cond_since")
    assert script.schemas == [None, schema]


def test_older_servers_get_older_requests():
    script = Script(eager=False)
    script.cs.connected()
    script.answer(script.expect("get_schema"), error={"error": "unknown database"})
    script.answer(script.expect("get_schema", ["Db"]), {"tables": {}})
    script.answer(script.expect("monitor_cond_since"), error={"error": "unknown"})
    script.answer(script.expect("monitor_cond"), error={"error": "unknown"})
    request = script.expect("monitor", ["Db", MONID, REQUESTS])
    script.answer(request, {"T": {}})
    assert script.cs.state == MONITORING
    assert script.cs.monitor_version == 1


def test_server_without_the_database_is_left():
    script = Script()
    script.cs.connected()
    script.answer(script.expect("get_schema"), error={"error": "unknown database"})
    script.answer(script.expect("get_schema"), error={"error": "unknown database"})
    assert script.cs.state == RETRY
    assert not script.cs.retry_at_once


def test_reconnection_resumes_from_the_last_transaction():
    script = Script()
    script.reach_monitoring()
    script.cs.receive("update3", [MONID, ROW, {"T": {}}], None)
    script.cs.disconnected()
    script.cs.take_events()
    script.reach_server_monitor()
    script.answer(script.cs.take_output()[-1][2], {"tables": {}})
    request = script.expect("monitor_cond_since", ["Db", MONID, REQUESTS, ROW])
    script.answer(request, [True, TXN, {}])
    update = script.cs.take_events()[-1]
    assert not update.clear


@pytest.mark.parametrize(
    ("columns", "useful"),
    [
        ({"model": "standalone"}, True),
        ({"model": "clustered", "leader": True}, True),
        ({"model": "clustered", "leader": False}, False),
        ({"model": "clustered", "leader": True, "connected": False}, False),
        ({"model": "clustered", "leader": True, "schema": ["set", []]}, False),
        ({"model": "relay"}, False),
    ],
)
def test_useless_server_of_a_cluster_is_left(columns, useful):
    script = Script()
    script.reach_server_monitor(**columns)
    assert (script.cs.retry is None) == useful


def test_any_member_will_do_if_the_leader_is_not_needed():
    script = Script(leader_only=False)
    script.reach_server_monitor(model="clustered", leader=False)
    assert script.cs.retry is None


@pytest.mark.parametrize(
    ("columns", "useful"),
    [
        ({}, True),
        ({"connected": False}, False),
        ({"schema": ["set", []]}, False),
    ],
)
def test_relay_must_be_connected_to_its_source(columns, useful):
    script = Script(leader_only=False)
    script.reach_server_monitor(model="relay", **columns)
    assert (script.cs.retry is None) == useful


def test_cluster_is_known_by_the_beginning_of_its_id():
    script = Script()
    script.cs.server.cluster_id = "1234"
    cid = ["uuid", "12345678-0000-4000-8000-000000000000"]
    script.reach_server_monitor(name="Other", model="clustered", leader=True, cid=cid)
    assert script.cs.retry is None


def test_loss_of_leadership_is_noticed():
    script = Script()
    script.reach_server_monitor(model="clustered", leader=True)
    change = {"Database": {ROW: {"modify": {"leader": False}}}}
    script.cs.receive("update2", [SERVER_MONID, change], None)
    assert script.cs.state == RETRY


def test_server_that_was_of_use_is_left_at_once_for_another():
    script = Script()
    script.reach_monitoring()
    change = {"Database": {ROW: {"modify": {"model": "relay"}}}}
    script.cs.receive("update2", [SERVER_MONID, change], None)
    assert script.cs.retry == "relay database server cannot be a leader"
    assert script.cs.retry_at_once


def test_output_is_announced():
    script = Script()
    assert not script.cs.has_output()
    script.reach_monitoring()
    assert not script.cs.has_output()
    script.cs.set_condition("T", [False])
    assert script.cs.has_output()
    script.expect("monitor_cond_change")
    script.cs.set_condition("T", [True])
    assert not script.cs.has_output()  # one change at a time


def test_stale_member_is_left():
    script = Script()
    script.cs.server.min_index = 10
    script.reach_server_monitor(model="clustered", leader=True, index=9)
    assert script.cs.retry is not None


def test_lock_is_asked_for_and_lost():
    script = Script()
    script.cs.set_lock("l")
    script.cs.connected()
    lock, _ = script.cs.take_output()
    assert lock[:2] == ("lock", ["l"])
    script.answer(lock[2], {"locked": False})
    assert script.cs.is_lock_contended
    script.cs.receive("locked", ["l"], None)
    assert script.cs.has_lock
    assert not script.cs.is_lock_contended
    assert isinstance(script.cs.take_events()[-1], Locked)
    script.cs.receive("stolen", ["l"], None)
    assert not script.cs.has_lock
    script.cs.set_lock(None)
    script.expect("unlock", ["l"])


def test_transactions_assert_the_lock_and_need_it():
    script = Script()
    script.reach_monitoring()
    script.cs.set_lock("l")
    request = script.expect("lock")
    assert script.cs.transact([{"op": "x"}]) is None
    script.answer(request, {"locked": True})
    script.cs.take_events()
    request = script.cs.transact([{"op": "x"}])
    assert request == script.expect(
        "transact", ["Db", {"op": "x"}, {"op": "assert", "lock": "l"}]
    )
    script.answer(request, [{}])
    (reply,) = script.cs.take_events()
    assert isinstance(reply, Reply)
    assert (reply.id, reply.result, reply.error) == (request, [{}], None)


def test_forgotten_transaction_is_not_reported():
    script = Script()
    script.reach_monitoring()
    script.cs.take_events()
    request = script.cs.transact([])
    script.cs.forget(request)
    script.answer(request, [{}])
    assert script.cs.take_events() == []


def test_condition_changes_one_at_a_time():
    script = Script()
    assert script.cs.set_condition("T", [["a", "==", 1]]) == 1
    script.cs.connected()
    assert script.cs.conditions["T"].acknowledged == [["a", "==", 1]]
    script.cs.disconnected()
    script.cs.conditions.clear()
    script.reach_monitoring()
    assert script.cs.set_condition("T", [["a", "==", 1]]) == 1
    assert script.cs.set_condition("T", [["a", "==", 1]]) == 1
    change = {"T": [{"where": [["a", "==", 1]]}]}
    request = script.expect("monitor_cond_change", [MONID, MONID, change])
    assert script.cs.set_condition("T", []) == 2
    assert script.cs.take_output() == []
    script.answer(request, {})
    assert script.cs.condition_seqno == 1
    script.expect("monitor_cond_change", [MONID, MONID, {"T": [{"where": [False]}]}])


def test_condition_in_flight_forbids_to_resume():
    script = Script()
    script.reach_monitoring()
    script.cs.set_condition("T", [["a", "==", 1]])
    script.expect("monitor_cond_change")
    script.cs.disconnected()
    script.cs.connected()
    assert script.cs.last_id == ZERO_UUID
    assert script.cs.conditions["T"].acknowledged == [["a", "==", 1]]


def test_canceled_monitor_starts_over():
    script = Script()
    script.reach_monitoring()
    script.cs.receive("monitor_canceled", [MONID], None)
    cancel, schema = script.cs.take_output()
    assert cancel[:2] == ("monitor_cancel", [SERVER_MONID])
    assert schema[:2] == ("get_schema", ["_Server"])


def test_malformed_monitor_reply_drops_the_connection():
    script = Script(eager=True)
    script.cs.connected()
    script.answer(script.cs.take_output()[1][2], ["no"])
    assert script.cs.retry is not None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 9) | st.sampled_from(["monid", "Db"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Database", "initial", "modify", "locked", "error"]),
            inner,
            max_size=2,
        )
    ),
    max_leaves=8,
)
methods = st.sampled_from(
    ["update", "update2", "update3", "locked", "stolen", "monitor_canceled", "odd"]
)
messages = st.one_of(
    st.tuples(st.just("notify"), methods, json_values),
    st.tuples(st.just("notify"), methods, st.builds(lambda x: [MONID, x], json_values)),
    st.tuples(
        st.just("notify"), methods, st.builds(lambda x: [SERVER_MONID, x], json_values)
    ),
    st.tuples(st.just("result"), st.integers(0, 6), json_values),
    st.tuples(st.just("error"), st.integers(0, 6), json_values),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(messages, max_size=12), st.booleans())
def test_random_messages_raise_nothing(script, eager):
    cs = ClientSync("Db", lambda schema: {}, eager=eager)
    cs.set_lock("l")
    cs.connected()
    for kind, name, value in script:
        if kind == "notify":
            cs.receive(name, value, None)
        elif kind == "result":
            cs.receive_reply(name, value, None)
        else:
            cs.receive_reply(name, None, value)
        cs.take_output()
    cs.take_events()
    assert cs.state != DATA_MONITOR_REQUESTED or cs.monitor_version == 0
