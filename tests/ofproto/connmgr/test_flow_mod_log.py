# SPDX-License-Identifier: Apache-2.0
"""The line that sums up flow mods."""

import pytest

from ovswitch.ofproto import flow_mod_log
from ovswitch.ofproto.flow_mod_log import FlowModLog

ADD, MODIFY, MODIFY_STRICT, DELETE, DELETE_STRICT = range(5)


@pytest.fixture
def lines(monkeypatch):
    found = []

    class Log:
        @staticmethod
        def info(text, *args):
            found.append(text % args)

    monkeypatch.setattr(flow_mod_log, "_log", Log)
    return found


def test_a_burst_makes_one_line_after_ten_seconds(lines):
    log = FlowModLog("br0<->unix#1")
    for command in (ADD, ADD, DELETE_STRICT, MODIFY, MODIFY_STRICT, DELETE):
        log.count(command, 1000)
    assert log.next_report == 11000
    log.run(10999)
    assert not lines
    log.run(11000)
    assert lines == [
        "br0<->unix#1: 6 flow_mods 10 s ago (2 adds, 2 deletes, 2 modifications)"
    ]
    assert log.next_report is None


def test_lines_are_at_least_a_minute_apart(lines):
    log = FlowModLog("x")
    log.count(ADD, 0)
    log.run(10_000)
    log.count(ADD, 20_000)
    log.count(ADD, 50_000)
    assert log.next_report == 70_000
    log.run(70_000)
    assert lines[1] == "x: 2 flow_mods in the 30 s starting 50 s ago (2 adds)"


def test_the_end_of_a_connection_brings_the_line_forward(lines):
    log = FlowModLog("x")
    log.report(5)
    log.count(ADD, 100)
    log.report(200)
    log.report(300)
    assert lines == ["x: 1 flow_mods in the last 0 s (1 adds)"]
