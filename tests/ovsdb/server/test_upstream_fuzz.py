# SPDX-License-Identifier: Apache-2.0
"""Whatever another server says: a relay and a backup bear it, and stay consistent."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tree_schema import TREE
from upstream_bench import WALL, ZERO, Node

from ovswitch.ovsdb.error import OvsdbError
from ovswitch.ovsdb.server import row_updates
from ovswitch.ovsdb.server.relay import Relay
from ovswitch.ovsdb.server.replication import Excluded, Replication
from ovswitch.runtime.jsonrpc import Message

IDS = [f"00000000-0000-0000-0000-{number:012}" for number in range(4)]
ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False),
    st.sampled_from(["", "x", "Root", "Leaf", "Tree", "name", *IDS]),
)
UUIDS = st.sampled_from([["uuid", IDS[1]], ["uuid", IDS[2]], ["named-uuid", "x"]])
DATA = st.one_of(
    ATOMS,
    UUIDS,
    st.lists(st.one_of(UUIDS, ATOMS), max_size=3).map(lambda atoms: ["set", atoms]),
    st.lists(st.tuples(ATOMS, ATOMS).map(list), max_size=2).map(lambda p: ["map", p]),
)
COLUMNS = st.dictionaries(
    st.sampled_from([*TREE["tables"]["Root"]["columns"], "label", "next", "_version"]),
    DATA,
    max_size=3,
)
JSON = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["name", "tables", "columns", "type", "Tree", *IDS]),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=8,
)
ROW = st.one_of(
    JSON,
    st.dictionaries(
        st.sampled_from(["initial", "insert", "modify", "delete", "old", "new"]),
        st.one_of(COLUMNS, st.none()),
        max_size=2,
    ),
)
UPDATES = st.one_of(
    JSON,
    st.dictionaries(
        st.sampled_from(["Root", "Leaf", "Nope"]),
        st.dictionaries(st.sampled_from(IDS), ROW, max_size=3),
        max_size=2,
    ),
)
SCHEMA = st.one_of(st.just(TREE), JSON, st.just({**TREE, "version": "2.0.0"}))
RESULT = st.one_of(
    SCHEMA,
    UPDATES,
    st.tuples(st.booleans(), st.sampled_from([*IDS, "x"]), UPDATES).map(list),
    st.just(["Tree"]),
    st.just(IDS[3]),
)
MONITOR_IDS = st.sampled_from([["monid", "Tree"], ["monid", "_Server"], "Tree", 5])
PARAMS = st.one_of(
    st.lists(JSON, max_size=3),
    st.tuples(MONITOR_IDS, UPDATES).map(list),
    st.tuples(MONITOR_IDS, st.sampled_from(IDS), UPDATES).map(list),
    MONITOR_IDS.map(lambda monitor_id: [monitor_id]),
)
METHODS = st.sampled_from(
    ["update", "update2", "update3", "monitor_canceled", "locked", "stolen", "x"]
)
# Either a notification, or an answer to the oldest request.
TALK = st.lists(
    st.one_of(
        st.tuples(METHODS, PARAMS), st.tuples(st.sampled_from([True, False]), RESULT)
    ),
    max_size=12,
)


def talk(core, messages):
    """Let a core hear all that, connecting anew when it wants to."""
    core.connected("x", 0)
    requests = []
    for what, content in messages:
        if core.wants_reconnect:
            core.disconnected(0)
            core.connected("x", 0)
            requests.clear()
        requests += core.take_output()
        if isinstance(what, str):
            core.receive(Message(what, content), 0, WALL)
            continue
        request_id = requests.pop(0).id if requests else 12345
        result, error = (content, None) if what else (None, content or "error")
        core.receive(Message(None, None, request_id, result, error), 0, WALL)


@settings(max_examples=40, deadline=None)
@given(TALK)
def test_a_relay_bears_anything(messages):
    node = Node(None)
    relay = Relay("relay:Tree:unix:x", node.server, lambda _: node.tell())
    talk(relay, messages)
    node.settle()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.just(IDS[3]), st.just(["Tree"]), SCHEMA, UPDATES),
                max_size=4), TALK)  # fmt: skip
def test_a_backup_bears_anything(answers, messages):
    node = Node()
    backup = Replication(
        "unix:x",
        Excluded("Tree:Leaf"),
        ZERO,
        lambda name: node.tree if name == "Tree" else None,
    )
    talk(backup, [(True, answer) for answer in answers] + messages)
    node.settle()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(UPDATES, st.sampled_from([1, 2]), st.booleans()), max_size=4))
def test_row_updates_apply_or_leave_no_trace(changes):
    node = Node()
    for json, version, is_whole in changes:
        before = node.contents()
        make = row_updates.replace if is_whole else row_updates.apply
        try:
            node.tree.commit(make(node.tree, json, version), WALL)
        except OvsdbError:
            assert node.contents() == before
