# SPDX-License-Identifier: Apache-2.0
"""The order in which the reference goes through its hash tables.

Rows of a table, commands and options are printed in hash order by the reference's
tools, and scripts have seen that order for years: `list` on the same database prints
the same rows in the same order here. A table has a power of two of buckets, grows when
it holds more than two nodes a bucket, and a new node becomes its bucket's first.

Sources: lib/hmap.c, lib/hash.h (MurmurHash3), `uuid_hash()`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    T = TypeVar("T")

_MASK = 0xFFFFFFFF


def _add(value: int, word: int) -> int:
    word = word * 0xCC9E2D51 & _MASK
    word = (word << 15 | word >> 17) & _MASK
    value ^= word * 0x1B873593 & _MASK
    value = (value << 13 | value >> 19) & _MASK
    return (value * 5 + 0xE6546B64) & _MASK


def string_hash(text: str) -> int:
    """The hash of a string's UTF-8 octets, with basis 0."""
    octets = text.encode(errors="surrogateescape")
    value = 0
    for start in range(0, len(octets), 4):
        value = _add(value, int.from_bytes(octets[start : start + 4], "little"))
    value ^= len(octets)
    value = (value ^ value >> 16) * 0x85EBCA6B & _MASK
    value = (value ^ value >> 13) * 0xC2B2AE35 & _MASK
    return value ^ value >> 16


def uuid_hash(uuid: str) -> int:
    """The hash of a UUID in its text form: the first 32 bits."""
    return int(uuid[:8], 16)


def hash_order(items: Iterable[T], hash_of: Callable[[T], int]) -> list[T]:
    """Return `items` in the order of a hash table that they were inserted into."""
    buckets: list[list[tuple[int, T]]] = [[]]
    for count, item in enumerate(items, 1):
        value = hash_of(item)
        buckets[value & (len(buckets) - 1)].append((value, item))
        if count // 2 >= len(buckets):
            buckets = _grown(buckets, count)
    return [item for bucket in buckets for _, item in reversed(bucket)]


def _grown(buckets: list[list[tuple[int, T]]], count: int) -> list[list[tuple[int, T]]]:
    """Move all nodes to a larger table; buckets are kept last node first."""
    mask = max((1 << (count // 2).bit_length()) - 1, 3)
    larger: list[list[tuple[int, T]]] = [[] for _ in range(mask + 1)]
    for bucket in buckets:
        for node in reversed(bucket):
            larger[node[0] & mask].append(node)
    return larger


def row_order(uuids: Iterable[str]) -> list[str]:
    """Return the UUIDs of a table's rows, given in the order of the server's JSON.

    They pass through two hash tables: that of the JSON object's members and the
    replica's.
    """
    return hash_order(hash_order(uuids, string_hash), uuid_hash)
