# SPDX-License-Identifier: Apache-2.0
"""The order in which the reference visits what it keeps in hash tables.

FLOOD and ALL visit ports in the order of the reference's table of ports; lists of ports
and switches come out in such orders too. Flows that only differ in the order of outputs
look different to whoever compares them, so here the order is computed: the buckets of a
table that grows like the reference's, with MurmurHash3 as the hash.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

K = TypeVar("K")

_U32 = 0xFFFFFFFF


def _rotate(value: int, bits: int) -> int:
    return (value << bits | value >> (32 - bits)) & _U32


def _add(hash_: int, word: int) -> int:
    word = _rotate(word * 0xCC9E2D51 & _U32, 15) * 0x1B873593 & _U32
    return (_rotate(hash_ ^ word, 13) * 5 + 0xE6546B64) & _U32


def _finish(hash_: int, size: int) -> int:
    hash_ ^= size
    hash_ ^= hash_ >> 16
    hash_ = hash_ * 0x85EBCA6B & _U32
    hash_ ^= hash_ >> 13
    hash_ = hash_ * 0xC2B2AE35 & _U32
    return hash_ ^ hash_ >> 16


def hash_int(value: int, basis: int = 0) -> int:
    """Return the reference's hash of one word."""
    return _finish(_add(_add(value, 0), basis), 8)


def hash_string(text: str, basis: int = 0) -> int:
    """Return the reference's hash of a string."""
    octets = text.encode()
    result = basis
    for at in range(0, len(octets), 4):
        result = _add(result, int.from_bytes(octets[at : at + 4], "little"))
    return _finish(result, len(octets))


def order_by_hash(keys: Iterable[K], hash_function: Callable[[K], int]) -> list[K]:
    """Return distinct `keys` in the order of a hash table they were put into."""
    buckets: list[list[K]] = [[]]
    for count, key in enumerate(keys, 1):
        buckets[hash_function(key) & (len(buckets) - 1)].insert(0, key)
        if count // 2 > len(buckets) - 1:
            buckets = _grown(buckets, count, hash_function)
    return [key for bucket in buckets for key in bucket]


def _grown(
    buckets: list[list[K]], count: int, hash_function: Callable[[K], int]
) -> list[list[K]]:
    size = 1 << (count // 2).bit_length()
    if size == 2:
        size = 4  # the smallest table that the reference allocates
    grown: list[list[K]] = [[] for _ in range(size)]
    for bucket in buckets:
        for key in bucket:
            grown[hash_function(key) & (size - 1)].insert(0, key)
    return grown


def hash_order(numbers: Iterable[int]) -> list[int]:
    """Return port numbers in the order of the reference's table of ports."""
    return order_by_hash(numbers, hash_int)


def name_order(names: Iterable[str]) -> list[str]:
    """Return names in the order of a table of the reference's, by name."""
    return order_by_hash(names, hash_string)
