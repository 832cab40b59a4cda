# SPDX-License-Identifier: Apache-2.0
"""Members of headers as text: addresses, numbers, fragments, each with its mask."""

from __future__ import annotations

from ovswitch.datapath.odp import attributes as a
from ovswitch.packet.address import format_ipv4, format_ipv6, format_mac

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    _Form = Callable[[int], str]

_FRAG_NAMES = {0: "no", 1: "first", 2: "later"}


def alternate(value: int) -> str:
    """Return what printf's %#x prints: zero without 0x."""
    return f"{value:#x}" if value else "0"


def format_member(
    kind: int, bits: int, mask: int, ones: int, *, verbose: bool
) -> str | None:
    """Return a member's value and, where it is partial, mask; None to leave it out."""
    if kind == a.FRAG:
        return _format_frag(bits, mask, ones)
    if kind == a.ND_RESERVED:
        return f"0x{bits:x}"
    if not mask and not verbose:
        return None
    value_form, mask_form = _FORMS[kind]
    if mask == ones or (kind == a.LABEL and mask & 0xFFFFF == 0xFFFFF):
        return value_form(bits)
    return f"{value_form(bits)}/{mask_form(mask)}"


_FORMS: dict[int, tuple[_Form, _Form]] = {
    a.ETH: (format_mac, format_mac),
    a.IPV4: (format_ipv4, format_ipv4),
    a.IPV6: (format_ipv6, format_ipv6),
    a.LABEL: (alternate, alternate),
    a.U8X: (alternate, alternate),
    a.U8U: (str, alternate),
    a.BE16: (str, alternate),
    a.BE16X: (alternate, alternate),
    a.ARP_OP: (str, alternate),
}


def _format_frag(bits: int, mask: int, ones: int) -> str | None:
    if not mask:
        return None
    if mask != ones:
        return f"error: partial mask not supported for frag ({mask:#x})"
    return _FRAG_NAMES.get(bits, "<error>")
