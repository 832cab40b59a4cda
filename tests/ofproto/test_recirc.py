# SPDX-License-Identifier: Apache-2.0
"""Recirculation ids and their lifetimes."""

from __future__ import annotations

from ovswitch.ofproto.xlate.recirc import LINGER_MS, FrozenState, RecircPool


def state(table_id=1):
    return FrozenState(bytes(16), table_id, 0)


def test_equal_states_share_an_id():
    pool = RecircPool()
    first = pool.alloc(state())
    assert pool.alloc(state()) == first
    assert pool.alloc(state(2)) != first
    assert pool.find(first) == state()


def test_an_id_lingers_for_packets_on_the_way_but_is_not_given_out_again():
    pool = RecircPool()
    first = pool.alloc(state())
    pool.unref(first, 1000)
    assert pool.find(first) == state()
    assert not pool.ref(first)
    assert pool.alloc(state()) != first
    pool.run(1000 + LINGER_MS - 1)
    assert pool.find(first) is not None
    pool.run(1000 + LINGER_MS)
    assert pool.find(first) is None
    assert len(pool) == 1


def test_references_keep_an_id():
    pool = RecircPool()
    first = pool.alloc(state())
    assert pool.ref(first)
    pool.release([first], 0)
    pool.run(10**6)
    assert pool.find(first) is not None
    assert not pool.ref(first + 1)
