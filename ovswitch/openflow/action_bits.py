# SPDX-License-Identifier: Apache-2.0
"""Sets of actions as bitmaps on the wire: what a switch, a table or a group can do.

Inside, a set is a tuple of the actions' names in the reference's order.
"""

from __future__ import annotations

from ovswitch.openflow.version import OF10, OF11

#: All names that can stand in such a set, in the order in which they are printed.
ORDER = (
    "output",
    "group",
    "enqueue",
    "set_field",
    "set_vlan_vid",
    "set_vlan_pcp",
    "strip_vlan",
    "push_vlan",
    "mod_dl_src",
    "mod_dl_dst",
    "mod_nw_src",
    "mod_nw_dst",
    "mod_nw_tos",
    "mod_nw_ecn",
    "mod_nw_ttl",
    "mod_tp_src",
    "mod_tp_dst",
    "dec_ttl",
    "set_mpls_label",
    "set_mpls_tc",
    "set_mpls_ttl",
    "dec_mpls_ttl",
    "push_mpls",
    "pop_mpls",
    "set_queue",
)
_RANK = {name: i for i, name in enumerate(ORDER)}

_OF10 = {
    "output": 0,
    "set_vlan_vid": 1,
    "set_vlan_pcp": 2,
    "strip_vlan": 3,
    "mod_dl_src": 4,
    "mod_dl_dst": 5,
    "mod_nw_src": 6,
    "mod_nw_dst": 7,
    "mod_nw_tos": 8,
    "mod_tp_src": 9,
    "mod_tp_dst": 10,
    "enqueue": 11,
}
_COMMON = {
    "output": 0,
    "set_mpls_ttl": 15,
    "dec_mpls_ttl": 16,
    "push_vlan": 17,
    "strip_vlan": 18,
    "push_mpls": 19,
    "pop_mpls": 20,
    "set_queue": 21,
    "group": 22,
    "mod_nw_ttl": 23,
    "dec_ttl": 24,
}
_OF11 = _COMMON | {
    "set_vlan_vid": 1,
    "set_vlan_pcp": 2,
    "mod_dl_src": 3,
    "mod_dl_dst": 4,
    "mod_nw_src": 5,
    "mod_nw_dst": 6,
    "mod_nw_tos": 7,
    "mod_nw_ecn": 8,
    "mod_tp_src": 9,
    "mod_tp_dst": 10,
    "set_mpls_label": 13,
    "set_mpls_tc": 14,
}
_OF12 = _COMMON | {"set_field": 25}

#: What Open vSwitch does, by version: 1.0's own and, in 1.2 and later, what tables say.
SUPPORTED10 = tuple(name for name in ORDER if name in _OF10)
SUPPORTED12 = tuple(name for name in ORDER if name in _OF12)


def _numbers(version: int) -> dict[str, int]:
    if version == OF10:
        return _OF10
    return _OF11 if version == OF11 else _OF12


def numbers(version: int) -> dict[str, int]:
    """Return {action's name: OFPAT number} of `version`."""
    return _numbers(version)


def ordered(names: set[str]) -> tuple[str, ...]:
    """Return a set of names in the order of printing."""
    return tuple(sorted(names, key=_RANK.__getitem__))


def decode(bits: int, version: int) -> tuple[str, ...]:
    """Return the actions in a bitmap; unknown ones are left out."""
    return ordered({n for n, bit in _numbers(version).items() if bits >> bit & 1})


def encode(names: tuple[str, ...], version: int) -> int:
    """Return the bitmap of those actions that `version` has."""
    table = _numbers(version)
    bits = 0
    for name in names:
        if name in table:
            bits |= 1 << table[name]
    return bits


def format_names(names: tuple[str, ...]) -> str:
    """Return the actions as text."""
    return " ".join(names) if names else "<none>"
