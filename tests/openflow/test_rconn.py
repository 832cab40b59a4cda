# SPDX-License-Identifier: Apache-2.0
from ovswitch.openflow import rconn
from ovswitch.openflow.rconn import (
    ACTIVE,
    BACKOFF,
    CONNECT,
    CONNECTING,
    DISCONNECTED,
    DROP,
    EOF,
    IDLE,
    PROBE,
    Rconn,
)

REFUSED = 111


def test_first_try_is_at_once_and_later_ones_wait_twice_as_long():
    """ovs-vswitchd.conf.db(5), Controller: waits of 1, 2, 4 and 8 seconds."""
    connection = Rconn("br0<->tcp:x", 0)
    now, waits = 0, []
    for _ in range(6):
        due = connection.deadline()
        waits.append(due - now)
        now = due
        assert connection.run(now) == CONNECT
        connection.failed(REFUSED, "Connection refused", now)
    assert waits == [0, 1000, 2000, 4000, 8000, 8000]


def test_greatest_wait_is_configurable():
    connection = Rconn("r", 0, max_backoff=1)
    for now in (0, 1000, 2000):
        assert connection.run(now) == CONNECT
        connection.failed(REFUSED, "Connection refused", now)
    assert connection.deadline() == 3000


def test_try_that_takes_too_long_is_dropped():
    connection = Rconn("r", 0)
    assert connection.run(0) == CONNECT
    assert connection.run(999) is None
    assert connection.run(1000) == DROP
    assert (connection.state, connection.last_error) == (BACKOFF, rconn.ETIMEDOUT)


def live(now=0, **options):
    connection = Rconn("r", now, **options)
    if connection.reliable:
        assert connection.run(now) == CONNECT
    connection.connected(now)
    return connection


def test_silence_is_probed_and_then_ends_the_connection():
    connection = live()
    assert connection.run(4999) is None
    assert connection.run(5000) == PROBE
    assert connection.state == IDLE
    assert connection.run(9999) is None
    assert connection.run(10000) == DROP
    assert connection.state == BACKOFF


def test_message_after_a_probe_makes_it_active_again():
    connection = live()
    connection.run(5000)
    connection.received(6000, is_admission=False)
    assert connection.state == ACTIVE
    assert connection.deadline() == 11000


def test_no_probes_when_the_interval_is_zero():
    connection = live(probe_interval=0)
    assert connection.deadline() is None
    assert connection.run(10**9) is None


def test_long_connection_resets_the_wait():
    connection = Rconn("r", 0)
    now = 0
    for _ in range(3):
        now = connection.deadline()
        connection.run(now)
        connection.failed(REFUSED, "Connection refused", now)
    now = connection.deadline()
    connection.run(now)
    connection.connected(now)
    connection.lost(EOF, "", now + 60_000)
    assert connection.deadline() - (now + 60_000) == 1000


def test_passive_connection_is_over_when_lost():
    connection = live(reliable=False)
    connection.lost(EOF, "", 10)
    assert connection.state == DISCONNECTED
    assert connection.deadline() is None


def test_failure_time_counts_until_a_controller_admits_us():
    connection = live()
    assert connection.failure_seconds(10_000) == 10
    connection.received(10_000, is_admission=True)
    assert connection.failure_seconds(20_000) == 0


def test_half_a_minute_of_connection_counts_as_admission():
    connection = live(probe_interval=0)
    assert connection.failure_seconds(29_000) == 29
    assert connection.failure_seconds(30_000) == 0


def test_reconnect_gives_up_only_a_live_connection():
    connection = live()
    assert connection.reconnect(5)
    assert connection.state == BACKOFF
    assert not connection.reconnect(6)
    connection.run(connection.deadline())
    assert connection.state == CONNECTING
