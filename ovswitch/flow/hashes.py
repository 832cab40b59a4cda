# SPDX-License-Identifier: Apache-2.0
"""Hash functions whose results show: Jenkins' lookup3 and Appleby's MurmurHash3.

What a switch chooses by hash (a link, a bucket) must be the same from one start to the
next and from one switch to another, so these give the reference's values. Words are
little-endian, as on the machines that it runs on.
"""

from __future__ import annotations

import struct

U32 = 0xFFFFFFFF
_JENKINS_START = 0xDEADBEEF
_JENKINS_MIX = (
    (0, 2, 1, 4), (1, 0, 2, 6), (2, 1, 0, 8), (0, 2, 1, 16), (1, 0, 2, 19),
    (2, 1, 0, 4),
)  # fmt: skip
_JENKINS_FINAL = (
    (2, 1, 14), (0, 2, 11), (1, 0, 25), (2, 1, 16), (0, 2, 4), (1, 0, 14), (2, 1, 24),
)  # fmt: skip


def _rotate(x: int, n: int) -> int:
    return (x << n | x >> (32 - n)) & U32


def words(octets: bytes) -> tuple[int, ...]:
    """Return octets as words, the last one filled up with zeros."""
    padded = octets + bytes(-len(octets) % 4)
    return struct.unpack(f"<{len(padded) // 4}I", padded)


def jhash(octets: bytes, basis: int = 0) -> int:
    """Return the Jenkins hash of octets (``jhash_bytes``)."""
    start = (_JENKINS_START + len(octets) + basis) & U32
    state = [start, start, start]
    whole = len(octets) // 12 * 12
    data = words(octets)
    for i in range(0, whole // 4, 3):
        for j in range(3):
            state[j] = (state[j] + data[i + j]) & U32
        for x, y, z, n in _JENKINS_MIX:
            state[x] = (state[x] - state[y] & U32) ^ _rotate(state[y], n)
            state[y] = (state[y] + state[z]) & U32
    rest = data[whole // 4 :]
    if rest:
        for j, word in enumerate(rest):
            state[j] = (state[j] + word) & U32
        for x, y, n in _JENKINS_FINAL:
            state[x] = (state[x] ^ state[y]) - _rotate(state[y], n) & U32
    return state[2]


def add(value: int, word: int) -> int:
    """Return a hash with one more word mixed in (``hash_add``)."""
    if word:
        word = word * 0xCC9E2D51 & U32
        value ^= _rotate(word, 15) * 0x1B873593 & U32
    return (_rotate(value, 13) * 5 + 0xE6546B64) & U32


def finish(value: int, final: int) -> int:
    """Return the final value of a hash (``hash_finish``)."""
    value ^= final
    value ^= value >> 16
    value = value * 0x85EBCA6B & U32
    value ^= value >> 13
    value = value * 0xC2B2AE35 & U32
    return value ^ value >> 16


def add_octets(value: int, octets: bytes) -> int:
    """Return a hash with octets mixed in word by word."""
    for word in words(octets):
        value = add(value, word)
    return value


def hash_octets(octets: bytes, basis: int = 0) -> int:
    """Return the hash of octets (``hash_bytes``)."""
    return finish(add_octets(basis, octets), len(octets))


def hash_2words(x: int, y: int) -> int:
    """Return the hash of two words."""
    return finish(add(add(x, 0), y), 8)


def hash_int(x: int, basis: int) -> int:
    """Return the hash of a word."""
    return hash_2words(x, basis)
