# SPDX-License-Identifier: Apache-2.0
"""The order in which FLOOD and ALL visit ports.

The reference keeps a switch's ports in a hash table, and floods in its order. Flows
that only differ in the order of outputs look different to whoever compares them, so
here that order is computed: the buckets of a table that grows like the reference's,
with the number of the port hashed by MurmurHash3's mixer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_U32 = 0xFFFFFFFF


def _rotate(value: int, bits: int) -> int:
    return (value << bits | value >> (32 - bits)) & _U32


def _add(hash_: int, word: int) -> int:
    word = _rotate(word * 0xCC9E2D51 & _U32, 15) * 0x1B873593 & _U32
    return (_rotate(hash_ ^ word, 13) * 5 + 0xE6546B64) & _U32


def hash_int(value: int, basis: int = 0) -> int:
    """Return the reference's hash of one word."""
    result = _add(_add(value, 0), basis) ^ 8
    result ^= result >> 16
    result = result * 0x85EBCA6B & _U32
    result ^= result >> 13
    result = result * 0xC2B2AE35 & _U32
    return result ^ result >> 16


def hash_order(numbers: Iterable[int]) -> list[int]:
    """Return distinct `numbers` in the order of a hash table they were put into."""
    buckets: list[list[int]] = [[]]
    count = 0
    for number in numbers:
        buckets[hash_int(number) & (len(buckets) - 1)].insert(0, number)
        count += 1
        if count // 2 > len(buckets) - 1:
            buckets = _grown(buckets, count)
    return [number for bucket in buckets for number in bucket]


def _grown(buckets: list[list[int]], count: int) -> list[list[int]]:
    size = 1 << (count // 2).bit_length()
    if size == 2:
        size = 4
    grown: list[list[int]] = [[] for _ in range(size)]
    for bucket in buckets:
        for number in bucket:
            grown[hash_int(number) & (size - 1)].insert(0, number)
    return grown
