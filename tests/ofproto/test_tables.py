# SPDX-License-Identifier: Apache-2.0
"""Flow mods: which rules they make, change and delete, and what they refuse."""

from __future__ import annotations

import pytest

from ovswitch.ofproto import rule as r
from ovswitch.ofproto.flow_mod import (
    DELETE,
    DELETE_STRICT,
    MODIFY,
    MODIFY_STRICT,
    FlowMod,
)
from ovswitch.ofproto.tables import FlowTables
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.parse.flow import parse_flow_mod


class Lab:
    """Tables, a clock and what an observer was told."""

    def __init__(self):
        self.now = 1000
        self.tables = FlowTables(lambda: self.now)
        self.told = []
        self.tables.observe(self)

    def rule_added(self, rule, replaced, requester):
        self.told.append(("added", replaced is not None))

    def rule_modified(self, rule, old, requester):
        self.told.append(("modified", old.cookie))

    def rule_removed(self, rule, requester):
        self.told.append(("removed", rule.removed_reason))

    def do(self, text, command=0, **attributes):
        flow_mod, _ = parse_flow_mod(text, command)
        for name, value in attributes.items():
            setattr(flow_mod, name, value)
        try:
            self.tables.apply(flow_mod)
        finally:
            self.tables.check_invariants()

    def priorities(self, table_id=0):
        return sorted(rule.priority for rule in self.tables.tables[table_id].classifier)

    def rule(self, priority):
        (rule,) = (x for x in self.tables.rules() if x.priority == priority)
        return rule


@pytest.fixture
def lab():
    return Lab()


def error_of(lab, text, command=0, **attributes):
    with pytest.raises(OpenFlowError) as info:
        lab.do(text, command, **attributes)
    return str(info.value)


def test_adding_an_equal_flow_replaces_it_and_keeps_its_counters(lab):
    lab.do("priority=5,in_port=1,cookie=7,actions=2")
    old = lab.rule(5)
    old.n_packets = 9
    lab.now = 3000
    lab.do("priority=5,in_port=1,cookie=8,actions=3")
    new = lab.rule(5)
    assert (new.cookie, new.n_packets, new.created) == (8, 9, 3000)
    assert old.replaced_by is new
    assert lab.told == [("added", False), ("added", True)]


def test_reset_counts_forgets_them(lab):
    lab.do("priority=5,in_port=1,actions=2")
    lab.rule(5).n_packets = 9
    lab.do("priority=5,in_port=1,reset_counts,actions=3")
    assert not lab.rule(5).n_packets


def test_check_overlap(lab):
    lab.do("priority=5,in_port=1,actions=2")
    text = error_of(lab, "priority=5,tcp,check_overlap,actions=2")
    assert "OVERLAP" in text
    lab.do("priority=5,in_port=2,check_overlap,actions=2")
    lab.do("priority=6,tcp,check_overlap,actions=2")


def test_modify_changes_what_it_covers_and_keeps_times(lab):
    lab.do("priority=5,in_port=1,tcp,cookie=1,idle_timeout=10,actions=2")
    lab.do("priority=6,in_port=2,tcp,cookie=2,actions=2")
    lab.now = 4000
    lab.do("in_port=1,actions=7", MODIFY)
    rule = lab.rule(5)
    assert (rule.created, rule.modified, rule.idle_timeout) == (1000, 4000, 10)
    assert (rule.cookie, rule.actions[0].port) == (1, 7)
    assert lab.rule(6).actions[0].port == 2


def test_strict_modify_wants_match_and_priority(lab):
    lab.do("priority=5,in_port=1,actions=2")
    lab.do("priority=6,in_port=1,actions=2")
    lab.do("priority=6,in_port=1,actions=7", MODIFY_STRICT)
    assert lab.rule(5).actions[0].port == 2
    assert lab.rule(6).actions[0].port == 7


def test_modify_adds_unless_a_cookie_selects(lab):
    lab.do("priority=5,in_port=1,actions=2", MODIFY)
    assert lab.priorities() == [5]
    flow = "cookie=1/1,in_port=3,actions=2"
    lab.do(flow, MODIFY)
    assert lab.priorities() == [5]


@pytest.mark.parametrize(
    ("request_text", "left"),
    [
        ("", []),
        ("in_port=1", [6, 7]),
        ("tcp", [5]),
        ("cookie=2/-1", [5, 7]),
        ("cookie=2/2", [5]),
        ("out_port=3", [5, 7]),
        ("table=1", [5, 6, 7]),
    ],
)
def test_delete_selects_by_match_cookie_and_output(lab, request_text, left):
    lab.do("priority=5,in_port=1,cookie=1,actions=2")
    lab.do("priority=6,in_port=2,tcp,cookie=2,actions=3")
    lab.do("priority=7,tcp,cookie=3,actions=4")
    lab.do(request_text, DELETE)
    assert lab.priorities() == left


def test_strict_delete(lab):
    lab.do("priority=5,in_port=1,actions=2")
    lab.do("priority=6,in_port=1,actions=2")
    lab.do("priority=6,in_port=1", DELETE_STRICT)
    assert lab.priorities() == [5]


def test_all_tables_means_the_first_for_adding_and_each_for_deleting(lab):
    lab.do("priority=5,actions=2", table_id=255)
    assert lab.priorities() == [5]
    lab.do("table=3,priority=6,actions=2")
    lab.do("", DELETE, table_id=255)
    assert not list(lab.tables.rules())


def test_hidden_rules_are_out_of_reach(lab):
    flow_mod, _ = parse_flow_mod("priority=5,actions=2", 0)
    flow_mod.priority = 70000
    lab.tables.apply(flow_mod, internal=True)
    lab.do("", DELETE)
    assert lab.priorities() == [70000]
    lab.tables.flush()
    assert lab.priorities() == [70000]
    lab.tables.flush(hidden=True)
    assert lab.priorities() == []


def test_the_internal_table_is_for_the_switch(lab):
    lab.tables.tables[254].readonly = True
    assert "EPERM" in error_of(lab, "table=254,actions=2")


def test_unknown_tables_groups_and_buffers_are_refused(lab):
    assert "TABLE_ID" in error_of(lab, "", DELETE, table_id=256)
    assert "OUT_GROUP" in error_of(lab, "actions=group:5")
    assert "BUFFER" in error_of(lab, "actions=2", buffer_id=5)
    with pytest.raises(OpenFlowError, match="COMMAND"):
        lab.tables.apply(FlowMod(9))
    assert not list(lab.tables.rules())


def test_a_full_table_refuses_or_evicts(lab):
    lab.do("priority=5,in_port=1,importance=1,actions=2")
    lab.tables.tables[0].max_flows = 1
    assert "FULL" in error_of(lab, "priority=6,actions=2")
    lab.do("priority=5,in_port=1,actions=3")  # replacing needs no room


def test_timeouts(lab):
    lab.do("priority=5,in_port=1,idle_timeout=10,actions=2")
    lab.do("priority=6,in_port=2,hard_timeout=20,actions=2")
    lab.do("priority=7,in_port=3,actions=2")
    lab.told.clear()
    lab.rule(5).used = 8000
    lab.tables.expire(18000)
    assert not lab.told
    lab.tables.expire(18001)
    assert lab.told == [("removed", r.IDLE_TIMEOUT)]
    lab.tables.expire(21001)
    assert lab.told[1:] == [("removed", r.HARD_TIMEOUT)]
    assert lab.priorities() == [7]
    assert lab.tables.n_expirable == 0


def test_what_a_learn_action_made_goes_with_it(lab):
    lab.do(
        "actions=learn(table=5,cookie=9,delete_learned,in_port=1,load:2->NXM_NX_REG0[])"
    )
    lab.do("table=5,cookie=9,priority=3,in_port=1,actions=2")
    lab.do("table=5,cookie=8,priority=4,in_port=1,actions=2")
    lab.do("table=0", DELETE)
    assert lab.priorities(5) == [4]
