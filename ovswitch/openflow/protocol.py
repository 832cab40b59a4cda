# SPDX-License-Identifier: Apache-2.0
"""Protocols: a version plus what two sides agreed on beside it.

OpenFlow 1.0 speaks four of them: flows in the standard's or in Nicira's extended form,
with or without table numbers in flow mods. Each later version has one. A set of
protocols is a bitmap, so that "what can say this match" is an `&`.
"""

from __future__ import annotations

from ovswitch.flow.fields import CIDR, EXACT, NO
from ovswitch.openflow.version import VERSIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.flow.fields import Field

OF10_STD = 1 << 0
OF10_STD_TID = 1 << 1
OF10_NXM = 1 << 2
OF10_NXM_TID = 1 << 3
OF11_STD = 1 << 4
OF12_OXM = 1 << 5
OF13_OXM = 1 << 6
OF14_OXM = 1 << 7
OF15_OXM = 1 << 8

OF10_STD_ANY = OF10_STD | OF10_STD_TID
OF10_NXM_ANY = OF10_NXM | OF10_NXM_TID
OF10_ANY = OF10_STD_ANY | OF10_NXM_ANY
OF14_UP = OF14_OXM | OF15_OXM
OF13_UP = OF13_OXM | OF14_UP
OF12_UP = OF12_OXM | OF13_UP
ANY_OXM = OF12_UP
OF11_UP = OF11_STD | ANY_OXM
NXM_OXM_ANY = OF10_NXM_ANY | ANY_OXM
NXM_OF11_UP = OF10_NXM_ANY | OF11_UP
NONE = 0
ANY = (1 << 9) - 1

#: Protocols whose flow mods name a table.
TID = OF10_STD_TID | OF10_NXM_TID | OF11_UP

#: From the best for dumping flows to the worst.
FLOW_DUMP = (
    OF15_OXM,
    OF14_OXM,
    OF13_OXM,
    OF12_OXM,
    OF11_STD,
    OF10_NXM,
    OF10_STD,
)

NAMES = {
    OF10_STD: "OpenFlow10-table_id",
    OF10_STD_TID: "OpenFlow10+table_id",
    OF10_NXM: "NXM-table_id",
    OF10_NXM_TID: "NXM+table_id",
    OF11_STD: "OpenFlow11",
    OF12_OXM: "OXM-OpenFlow12",
    OF13_OXM: "OXM-OpenFlow13",
    OF14_OXM: "OXM-OpenFlow14",
    OF15_OXM: "OXM-OpenFlow15",
}
_ABBREVIATIONS = (
    (ANY, "any"),
    (OF10_STD_ANY, "OpenFlow10"),
    (OF10_NXM_ANY, "NXM"),
    (ANY_OXM, "OXM"),
)
_BY_NAME = {name.lower(): bits for bits, name in _ABBREVIATIONS} | {
    name.lower(): bits for bits, name in NAMES.items()
}


def of_version(version: int) -> int:
    """Return the set of protocols that run on wire version `version`."""
    if version == 1:
        return OF10_ANY
    return 1 << (version + 2) if version in VERSIONS else 0


def first_of_version(version: int) -> int:
    """Return the protocol in effect when a connection of `version` begins."""
    protocols = of_version(version)
    return protocols & -protocols


def of_versions(bitmap: int) -> int:
    """Return the protocols that run on any version of a version bitmap."""
    result = 0
    for version in VERSIONS:
        if bitmap >> version & 1:
            result |= of_version(version)
    return result


def version_of(protocol: int) -> int:
    """Return the wire version of one protocol."""
    return 1 if protocol & OF10_ANY else protocol.bit_length() - 3


def versions_of(protocols: int) -> int:
    """Return the version bitmap of a set of protocols."""
    result = 0
    while protocols:
        lowest = protocols & -protocols
        result |= 1 << version_of(lowest)
        protocols ^= lowest
    return result


def set_tid(protocol: int, enable: bool) -> int:
    """Return `protocol` with the table number extension of OpenFlow 1.0 on or off."""
    if protocol & OF10_STD_ANY:
        return OF10_STD_TID if enable else OF10_STD
    if protocol & OF10_NXM_ANY:
        return OF10_NXM_TID if enable else OF10_NXM
    return protocol


def base_of(protocol: int) -> int:
    """Return `protocol` without the table number extension."""
    return set_tid(protocol, False)


def set_base(current: int, base: int) -> int:
    """Return the protocol of `base`'s form with `current`'s extension."""
    return set_tid(base, bool(current & TID))


def is_nxm(protocol: int) -> bool:
    """Return whether flows travel in Nicira's extended form (OpenFlow 1.0 only)."""
    return bool(protocol & OF10_NXM_ANY)


def to_string(protocols: int) -> str:
    """Return the set as text: "any", "NXM,OXM-OpenFlow13", "none"."""
    if not protocols:
        return "none"
    parts = []
    while protocols:
        bits, name = next(
            (row for row in _ABBREVIATIONS if protocols & row[0] == row[0]),
            (protocols & -protocols, ""),
        )
        parts.append(name or NAMES[bits])
        protocols &= ~bits
    return ",".join(parts)


def from_string(text: str) -> int:
    """Return the set that a comma-separated list of names means.

    Raises:
        ValueError: with the text for the user.
    """
    protocols = 0
    for name in text.split(","):
        if not name:
            continue
        bits = _BY_NAME.get(name.lower())
        if bits is None:
            raise ValueError(f"{name}: unknown flow protocol")
        protocols |= bits
    if not protocols:
        raise ValueError(f"{text}: no flow protocol specified")
    return protocols


def for_field(field: Field, mask: int | None = None) -> int:
    """Return the protocols that can match `field` in this way.

    Args:
        field: what is matched.
        mask: as on the wire; None or all ones: exactly, 0: not at all.
    """
    full = (1 << 8 * field.n_bytes) - 1
    is_tun_metadata = field.width == 0
    if mask == 0 and not is_tun_metadata:
        return ANY
    if field.name in ("dl_vlan", "dl_vlan_pcp"):
        exact = ANY
    else:
        exact = 0
        if field.of10 != NO:
            exact |= OF10_STD_ANY
        if field.of11 != NO:
            exact |= OF11_STD
        if field.oxms:
            exact |= NXM_OXM_ANY
    if mask is None or mask == full:
        return exact
    if not field.maskable:
        return NONE
    if field.of11 == EXACT:
        exact &= ~OF11_STD
    if field.of10 == EXACT or (field.of10 == CIDR and not _is_cidr(mask)):
        exact &= ~OF10_STD_ANY
    return exact


def _is_cidr(mask: int) -> bool:
    inverse = mask ^ 0xFFFFFFFF
    return not inverse & inverse + 1
