# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovswitch.ovsdb.ctl.order import hash_order, row_order, string_hash, uuid_hash


@pytest.mark.parametrize(
    ("text", "value"),
    [("", 0), ("abcd", 0x43ED676A)],
)
def test_string_hash_is_murmur3(text, value):
    """Values of MurmurHash3_x86_32 with seed 0; the reference's tails differ."""
    assert string_hash(text) == value


def test_uuid_hash_is_its_beginning():
    assert uuid_hash("12345678-9abc-4def-8012-3456789abcde") == 0x12345678


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 40), unique=True, max_size=60))
def test_hash_order_follows_the_buckets(items):
    """Naive model: sort by bucket; within one, nodes of one hash come in some order."""
    order = hash_order(items, lambda item: item)
    assert sorted(order) == sorted(items)
    n_buckets = 1
    while len(items) // 2 > n_buckets - 1:
        n_buckets *= 2
    if n_buckets == 2:
        n_buckets = 4
    buckets = [item % n_buckets for item in order]
    assert buckets == sorted(buckets)


def test_newer_nodes_come_first_in_a_bucket():
    """The table grows with the second node, which turns the order round."""
    assert hash_order("ab", lambda item: 7) == ["a", "b"]
    assert hash_order("abc", lambda item: 7) == ["c", "a", "b"]


def test_row_order_keeps_all_rows():
    uuids = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(50)]
    assert sorted(row_order(uuids)) == uuids
