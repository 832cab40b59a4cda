# SPDX-License-Identifier: Apache-2.0
"""The Internet checksum (RFC 1071) and the pseudo-headers of IPv4 and IPv6."""

from __future__ import annotations


def partial(octets: bytes, start: int = 0) -> int:
    """Add `octets` to a running sum that `finish()` folds; any size, zero padded.

    Sums of octets modulo 0xffff are what one's complement addition gives, so one
    big integer division does the work of a loop over words.
    """
    if len(octets) & 1:
        octets += b"\0"
    value = int.from_bytes(octets, "big")
    if not value:
        return start
    # 0xffff, the other zero of one's complement, must not turn into 0.
    return start + (value % 0xFFFF or 0xFFFF)


def finish(total: int) -> int:
    """Fold a running sum and return its complement, the checksum."""
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def checksum(octets: bytes) -> int:
    """Return the checksum of `octets`."""
    return finish(partial(octets))


def pseudo_header4(src: int, dst: int, proto: int, size: int) -> int:
    """Return the running sum of an IPv4 pseudo-header for `size` octets of payload."""
    return (src >> 16) + (src & 0xFFFF) + (dst >> 16) + (dst & 0xFFFF) + proto + size


def pseudo_header6(src: int, dst: int, proto: int, size: int) -> int:
    """Return the running sum of an IPv6 pseudo-header for `size` octets of payload."""
    words = src << 128 | dst
    return (words % 0xFFFF or (0xFFFF if words else 0)) + proto + size
