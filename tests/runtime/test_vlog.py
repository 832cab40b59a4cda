# SPDX-License-Identifier: Apache-2.0
"""Levels, rate limits, patterns and specifications of the log."""

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovswitch.runtime import clock, program, vlog, vlog_control, vlog_output


@pytest.fixture
def lines(monkeypatch):
    """The lines on the console, which shows messages only."""
    found = []
    monkeypatch.setattr(
        vlog_output, "_write_all", lambda fd, text: found.append(text.rstrip("\n"))
    )
    monkeypatch.setattr(vlog_output, "patterns", ["%m", "%p|%m", "%m"])
    monkeypatch.setattr(vlog_output, "_write_syslog", lambda *_args: None)
    monkeypatch.setattr(vlog_output, "_syslog_opened", True)
    yield found
    clock.reset()


@pytest.fixture
def module():
    made = vlog.Module("testing")
    made.levels[:] = [vlog.INFO] * 3
    made.honor_rate_limits = True
    made.update_min_level()
    yield made
    del vlog.modules["testing"]


def test_levels_decide_what_is_written(lines, module):
    module.dbg("no")
    module.info("yes %d%%", 5)
    module.warn("100% literal")
    vlog.set_levels(vlog.ERR, module, vlog.CONSOLE)
    module.warn("no")
    module.err("yes\n\n")
    assert lines == ["INFO|yes 5%", "WARN|100% literal", "ERR|yes"]


def test_a_burst_passes_then_the_rate_rules_and_losses_are_told(lines, module):
    clock.stop()
    limit = vlog.RateLimit(6, 3)
    for number in range(5):
        module.info_rl(limit, "%d", number)
    clock.warp(9_000)
    module.info_rl(limit, "early")
    clock.warp(1_000)
    module.info_rl(limit, "late")
    assert lines == [
        "INFO|0",
        "INFO|1",
        "INFO|2",
        "INFO|Dropped 3 log messages in last 10 seconds (most recently, 1 seconds "
        "ago) due to excessive rate",
        "INFO|late",
    ]


def test_rate_limiting_can_be_disabled(lines, module):
    module.honor_rate_limits = False
    limit = vlog.RateLimit(1, 1)
    for _ in range(5):
        module.warn_rl(limit, "x")
    assert len(lines) == 5


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("%m", "hi"),
        ("%c|%p|%A", "testing|WARN|prog"),
        ("[%10c][%-10c][%010p]", "[   testing][testing   ][000000WARN]"),
        ("%t%T", "main"),
        ("%%%q%n", "%q\n"),
        ("%B", "132"),
        ("%D{%Y-%m-%d %H:%M:%S.###}", "2001-09-09 01:46:40.123"),
        ("%D{#####|%Y}", "12300|2001"),
        ("%c{ignored}", "testing"),
        ("%D{unclosed %Y", "unclosed 2001"),
        ("%", ""),
    ],
)
def test_patterns_are_filled_in(monkeypatch, module, pattern, text):
    monkeypatch.setattr(program, "name", "prog")
    monkeypatch.setattr(vlog_output, "facility", 0)
    monkeypatch.setattr(clock, "wall", lambda: 1_000_000_000_123)
    assert vlog_output.compose(pattern, module, vlog.WARN, "hi") == text


def test_local_time_follows_the_time_zone(monkeypatch):
    monkeypatch.setenv("TZ", "XYZ-2")
    time.tzset()
    try:
        assert vlog_output.format_time("%H:%M", 0, utc=False) == "02:00"
        assert vlog_output.format_time("%H:%M", 0, utc=True) == "00:00"
    finally:
        monkeypatch.undo()
        time.tzset()


@settings(max_examples=100, deadline=None)
@given(st.text("%-0129cdDmNpTABEnPrt{}# ", max_size=30))
def test_no_pattern_breaks_the_log(pattern):
    vlog_output.compose(pattern, vlog.Module("vlog"), vlog.INFO, "message")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["ANY", "file", "dbg", "x", "PATTERN", "vlog", ","])))
def test_a_specification_is_carried_out_or_refused(words):
    saved = list(vlog_output.patterns), [list(m.levels) for m in vlog.modules.values()]
    try:
        with contextlib.suppress(vlog_control.SpecError):
            vlog_control.set_from_string(":".join(words))
    finally:
        vlog_output.patterns[:] = saved[0]
        vlog.set_levels(vlog.INFO)


def test_a_specification_sets_levels():
    module = vlog.Module("unixctl")
    try:
        vlog_control.set_from_string("UnixCtl,file warn")
        assert module.levels == [vlog.INFO, vlog.INFO, vlog.WARN]
        vlog_control.set_from_string("unixctl")
        assert module.levels == [vlog.DBG] * 3
        assert module.is_dbg()
    finally:
        vlog.set_levels(vlog.INFO)
    with pytest.raises(vlog_control.SpecError, match="unknown destination"):
        vlog_control.set_from_string("PATTERN:nowhere:x")
