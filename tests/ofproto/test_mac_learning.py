# SPDX-License-Identifier: Apache-2.0
"""The MAC learning table: learning, aging, moving, bounds."""

from __future__ import annotations

import random

import pytest

from ovswitch.ofproto.mac_learning import MacLearning

MAC = 0x0A


@pytest.fixture
def table():
    return MacLearning(60)


def test_learning_says_what_is_new(table):
    assert table.update(MAC, 5, "p1", 100)
    assert not table.update(MAC, 5, "p1", 101)
    assert table.update(MAC, 6, "p1", 101)
    assert table.lookup(MAC, 5).port == "p1"
    assert table.lookup(MAC, 7) is None
    assert (table.total_learned, table.total_moved) == (2, 0)


def test_an_entry_of_this_second_keeps_its_place(table):
    table.update(MAC, 0, "p1", 100)
    table.update(MAC + 1, 0, "p1", 100)
    table.update(MAC, 0, "p1", 100)
    assert [entry.mac for entry in table.entries()] == [MAC, MAC + 1]
    table.update(MAC, 0, "p1", 101)
    assert [entry.mac for entry in table.entries()] == [MAC + 1, MAC]


def test_moving_asks_for_revalidation(table):
    table.update(MAC, 0, "p1", 100)
    table.need_revalidate = False
    table.update(MAC, 0, "p1", 101)
    assert not table.need_revalidate
    assert table.update(MAC, 0, "p2", 102)
    assert table.need_revalidate
    assert (table.lookup(MAC, 0).port, table.total_moved) == ("p2", 1)


def test_unused_entries_expire(table):
    table.update(MAC, 0, "p1", 100)
    table.update(MAC + 1, 0, "p1", 130)
    table.run(159)
    assert len(table) == 2
    table.run(160)
    assert [entry.mac for entry in table.entries()] == [MAC + 1]
    assert table.total_expired == 1


def test_static_entries_neither_move_nor_expire(table):
    table.add_static(MAC, 0, "p1")
    assert not table.update(MAC, 0, "p2", 100)
    table.run(10**6)
    table.flush()
    assert table.lookup(MAC, 0).port == "p1"
    assert table.remove_static(MAC, 0)
    assert not table.remove_static(MAC, 0)


def test_multicast_and_flooded_vlans_are_not_learned(table):
    table.set_flood_vlans(frozenset({5}))
    assert not table.update(1 << 40, 0, "p1", 100)
    assert not table.update(MAC, 5, "p1", 100)
    assert len(table) == 0


def test_gratuitous_arp_from_bonds_is_ignored_for_a_while(table):
    table.update(MAC, 0, "p1", 100, is_grat_arp=True)
    assert not table.update(MAC, 0, "bond", 104, is_grat_arp=True, is_bond=True)
    assert table.lookup(MAC, 0).port == "p1"
    assert table.update(MAC, 0, "bond", 106, is_grat_arp=True, is_bond=True)


def test_the_port_with_the_most_entries_gives_way(table):
    table.set_max_entries(10)
    table.update(1000, 0, "quiet", 100)
    for mac in range(30):
        table.update(mac, 0, "noisy", 101 + mac)
    assert len(table) == 10
    assert table.lookup(1000, 0) is not None
    assert table.lookup(0, 0) is None
    assert table.total_evicted == 21


def test_a_port_that_goes_takes_its_entries(table):
    for mac in range(6):
        table.update(mac, 0, f"p{mac % 2}", 100)
    table.forget_port("p0")
    assert {entry.port for entry in table.entries()} == {"p1"}


def test_random_changes_against_a_plain_dictionary(table):
    rng = random.Random(1)
    model = {}
    now = 0
    for _ in range(3000):
        now += rng.choice([0, 0, 1, 7])
        table.run(now)
        model = {key: x for key, x in model.items() if x[1] > now}
        mac, vlan = rng.randint(0, 9), rng.randint(0, 2)
        port = f"p{rng.randint(1, 3)}"
        action = rng.random()
        if action < 0.9:
            table.update(mac, vlan, port, now)
            model[mac, vlan] = port, now + 60
        elif action < 0.93:
            table.flush()
            model = {}
        else:
            table.forget_port(port)
            model = {key: x for key, x in model.items() if x[0] != port}
        found = {(entry.mac, entry.vlan): entry.port for entry in table.entries()}
        assert found == {key: value[0] for key, value in model.items()}
