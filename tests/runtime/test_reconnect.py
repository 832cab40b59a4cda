# SPDX-License-Identifier: Apache-2.0
"""The reconnect state machine as scripts of (time, event, expected action)."""

import pytest

from ovswitch.runtime import fatal, reconnect
from ovswitch.runtime.reconnect import CONNECT, DISCONNECT, PROBE, Reconnect


@pytest.fixture
def fsm():
    made = Reconnect(0)
    made.set_name("peer")
    made.enable(0)
    return made


def test_failures_double_the_wait_up_to_the_maximum(fsm):
    waits, now = [], 0
    for _ in range(7):
        assert fsm.run(now) == CONNECT
        fsm.connecting(now)
        fsm.connect_failed(now, 111)
        waits.append(fsm.backoff)
        assert fsm.run(now + fsm.backoff - 1) is None
        now += fsm.backoff
    assert waits == [1000, 2000, 4000, 8000, 8000, 8000, 8000]
    assert fsm.n_attempted_connections == 7


def test_a_try_times_out_after_the_backoff_but_not_before_a_second(fsm):
    fsm.run(0)
    fsm.connecting(0)
    assert fsm.run(999) is None
    assert fsm.run(1000) == DISCONNECT
    fsm.disconnected(1000)
    assert fsm.state == "BACKOFF"


def test_silence_is_probed_then_ends_the_connection(fsm):
    fsm.connected(0)
    fsm.receive_attempted(5000)
    assert fsm.run(4999) is None
    assert fsm.run(5000) == PROBE
    assert fsm.state == "IDLE"
    fsm.receive_attempted(10_000)
    assert fsm.run(9999) is None
    assert fsm.run(10_000) == DISCONNECT


def test_activity_answers_a_probe(fsm):
    fsm.connected(0)
    fsm.receive_attempted(5000)
    assert fsm.run(5000) == PROBE
    fsm.activity(5100)
    assert fsm.state == "ACTIVE"
    fsm.receive_attempted(10_100)
    assert fsm.run(10_099) is None
    assert fsm.run(10_100) == PROBE


def test_nobody_is_probed_before_the_owner_looked_for_input(fsm):
    fsm.connected(0)
    assert fsm.deadline(7000) == 7001
    assert fsm.run(7000) is None
    fsm.receive_attempted(7000)
    assert fsm.run(7000) == PROBE


def test_a_connection_that_lasted_resets_the_wait(fsm):
    fsm.connect_failed(0, 111)
    fsm.connect_failed(1000, 111)
    assert fsm.backoff == 2000
    fsm.connected(3000)
    fsm.activity(6000)
    fsm.disconnected(6000, fatal.EOF)
    assert fsm.backoff == 1000
    fsm.connected(7000)
    fsm.disconnected(7001, fatal.EOF)
    assert fsm.backoff == 2000


def test_free_tries_do_not_wait(fsm):
    fsm.set_backoff_free_tries(3)
    for wait in (0, 0, 1000):
        fsm.connect_failed(0, 111)
        assert fsm.backoff == wait


def test_tries_can_be_limited(fsm):
    fsm.set_max_tries(1)
    fsm.connect_failed(0, 111)
    assert fsm.run(1000) == CONNECT
    fsm.connect_failed(1000, 111)
    assert fsm.state == "VOID"
    assert fsm.run(99_999) is None
    assert fsm.timeout(0) is None


def test_force_reconnect_disconnects_first(fsm):
    fsm.connected(0)
    fsm.force_reconnect(10)
    assert fsm.run(10) == DISCONNECT
    fsm.disconnected(10)
    assert fsm.run(1010) == CONNECT


def test_a_passive_peer_may_come_at_any_time(fsm):
    fsm.set_passive(True, 0)
    assert fsm.run(0) == CONNECT
    fsm.listening(0)
    assert fsm.timeout(0) is None
    fsm.connected(100)
    fsm.disconnected(200, fatal.EOF)
    assert (fsm.state, fsm.backoff) == ("BACKOFF", 0)


def test_statistics_add_up(fsm):
    fsm.connected(100)
    fsm.disconnected(400)
    fsm.connected(2000)
    stats = fsm.stats(2500)
    assert stats.is_connected
    assert stats.total_connected_duration == 800
    assert (stats.n_attempted_connections, stats.n_successful_connections) == (2, 2)
    assert (stats.seqno, stats.state, stats.state_elapsed) == (3, "ACTIVE", 500)
    assert stats.msec_since_disconnect == 2100


def test_backoff_bounds_are_kept_sensible(fsm):
    fsm.set_backoff(0, 0)
    assert (fsm.min_backoff, fsm.max_backoff) == (1000, 8000)
    fsm.set_backoff(20_000, 10_000)
    assert (fsm.min_backoff, fsm.max_backoff) == (20_000, 20_000)
    fsm.set_probe_interval(5)
    assert fsm.probe_interval == 1000
    fsm.set_probe_interval(0)
    fsm.connected(0)
    assert fsm.deadline(0) == reconnect.NEVER
