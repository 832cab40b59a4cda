# SPDX-License-Identifier: Apache-2.0
"""Ethernet, IPv4 and IPv6 addresses as text, both ways; addresses are integers.

Written out, because the standard library's modules for it cost a tool more start-up
time than all else it does here. Texts are those of the C library's inet_ntop() and
inet_pton() (RFC 5952 in all but the IPv4-in-IPv6 forms, which are glibc's).
"""

from __future__ import annotations

_HEX = frozenset("0123456789abcdefABCDEF")


class AddressError(ValueError):
    """The text is no address of the wanted kind."""


def format_mac(address: int) -> str:
    """Return an Ethernet address as xx:xx:xx:xx:xx:xx."""
    return address.to_bytes(6, "big").hex(":")


def parse_mac(text: str) -> int:
    """Return the Ethernet address; groups are one or two hexadecimal digits.

    Raises: AddressError.
    """
    groups = text.split(":")
    if len(groups) != 6:
        raise AddressError(text)
    address = 0
    for group in groups:
        if not 1 <= len(group) <= 2 or not _HEX.issuperset(group):
            raise AddressError(text)
        address = address << 8 | int(group, 16)
    return address


def format_ipv4(address: int) -> str:
    """Return an IPv4 address in dotted decimal."""
    return f"{address >> 24}.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}"


def parse_ipv4(text: str) -> int:
    """Return the IPv4 address.

    Raises: AddressError.
    """
    groups = text.split(".")
    if len(groups) != 4:
        raise AddressError(text)
    address = 0
    for group in groups:
        if not (group.isascii() and group.isdigit()) or len(group) > 3:
            raise AddressError(text)
        if int(group) > 255:
            raise AddressError(text)
        address = address << 8 | int(group)
    return address


def format_ipv6(address: int) -> str:
    """Return an IPv6 address with its longest run of zero groups shortened."""
    if address >> 32 in (0, 0xFFFF) and address >> 16:
        prefix = "::ffff:" if address >> 32 else "::"
        return prefix + format_ipv4(address & 0xFFFFFFFF)
    groups = [address >> shift & 0xFFFF for shift in range(112, -1, -16)]
    start, size = _longest_zeros(groups)
    if size < 2:
        return ":".join(f"{group:x}" for group in groups)
    head = ":".join(f"{group:x}" for group in groups[:start])
    tail = ":".join(f"{group:x}" for group in groups[start + size :])
    return f"{head}::{tail}"


def _longest_zeros(groups: list[int]) -> tuple[int, int]:
    best_start, best_size, size = 0, 0, 0
    for i, group in enumerate(groups):
        size = 0 if group else size + 1
        if size > best_size:
            best_start, best_size = i + 1 - size, size
    return best_start, best_size


def parse_ipv6(text: str) -> int:
    """Return the IPv6 address.

    Raises: AddressError.
    """
    head, gap, tail = text.partition("::")
    if "::" in tail:
        raise AddressError(text)
    first = _parse_groups(head, last=not gap)
    second = _parse_groups(tail, last=True)
    missing = 8 - len(first) - len(second)
    if (missing < 1) if gap else (missing != 0):
        raise AddressError(text)
    address = 0
    for group in first + [0] * missing + second:
        address = address << 16 | group
    return address


def _parse_groups(text: str, *, last: bool) -> list[int]:
    """Return the 16-bit groups of a part; an IPv4 address may end the last one."""
    if not text:
        return []
    words = text.split(":")
    groups: list[int] = []
    for i, word in enumerate(words):
        if "." in word and last and i == len(words) - 1:
            ipv4 = parse_ipv4(word)
            groups += [ipv4 >> 16, ipv4 & 0xFFFF]
        elif 1 <= len(word) <= 4 and _HEX.issuperset(word):
            groups.append(int(word, 16))
        else:
            raise AddressError(text)
    return groups
