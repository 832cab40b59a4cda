# SPDX-License-Identifier: Apache-2.0
"""Rate limiting of packet-ins, with time as a number."""

from ovswitch.ofproto.packet_in_queue import PacketInQueue


def test_a_burst_goes_through_and_the_rest_waits():
    queue = PacketInQueue(100, 10)
    sent = [queue.send(1, bytes([i]), 5000) for i in range(15)]
    assert sent[:10] == [bytes([i]) for i in range(10)]
    assert sent[10:] == [None] * 5
    assert (queue.n_normal, queue.n_limited, queue.n_queued) == (10, 5, 5)


def test_what_waits_goes_at_the_limited_rate():
    queue = PacketInQueue(100, 10)
    for i in range(15):
        queue.send(1, bytes([i]), 5000)
    assert queue.run(5000) == []
    assert queue.deadline() == 5011
    assert queue.run(5010) == [b"\x0a"]
    assert queue.run(5040) == [b"\x0b", b"\x0c", b"\x0d"]
    assert queue.run(9000) == [b"\x0e"]
    assert queue.deadline() is None


def test_ports_take_turns():
    queue = PacketInQueue(100, 20)
    for _ in range(20):
        queue.send(9, b"", 5000)
    for i in range(6):
        queue.send(1, bytes([i]), 5000)
    queue.send(2, b"two", 5000)
    assert queue.run(5030) == [b"\x00", b"two", b"\x01"]


def test_the_longest_queue_loses_when_too_many_wait():
    queue = PacketInQueue(100, 4)
    for _ in range(4):
        queue.send(9, b"", 5000)
    for i in range(3):
        queue.send(1, bytes([i]), 5000)
    queue.send(2, b"two", 5000)
    queue.send(3, b"three", 5000)
    assert queue.n_queued == 4
    assert queue.n_dropped == 1
    assert sorted(queue.run(9000)) == [b"\x01", b"\x02", b"three", b"two"]


def test_lower_limits_drop_what_waits():
    queue = PacketInQueue(100, 4)
    for i in range(8):
        queue.send(i, b"", 5000)
    assert queue.n_queued == 4
    queue.set_limits(100, 2)
    assert queue.n_queued == 2
    assert queue.n_dropped == 2


def test_limits_have_defaults():
    queue = PacketInQueue(0, 0)
    sent = [queue.send(1, b"", 0) for _ in range(251)]
    assert sent.count(None) == 1
