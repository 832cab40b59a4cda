# SPDX-License-Identifier: Apache-2.0
"""The wire forms of actions: one row a form, a version is a column.

An action on the wire begins with a type and a length; a vendor's has type 0xffff, then
the vendor and its subtype. Rows say which numbers a form has in which versions, how
long it may be, and whether a single number follows the header (aligned to its size).
`pull()` cuts one action off and says which form it has; `put()` makes one.

Sources: OpenFlow 1.0-1.5 `enum ofp_action_type`; nicira-ext.h `enum nx_action_subtype`;
ONF extension 230.
"""

from __future__ import annotations

import struct

from ovswitch.openflow.errors import NX, ONF, OpenFlowError

OF = 0
OFPAT_VENDOR = 0xFFFF
ALIGN = 8

# How a form goes on after the header.
_STRUCT = ""  # `min` octets exactly
_MORE = "+"  # `min` octets, or a multiple of eight octets more
_U8, _U16, _U32, _U64 = "B", "H", "I", "Q"  # a number, padded to eight octets

# fmt: off
# name, least size (0: header and number alone), rest, (vendor, first, last, type)...
_ROWS: tuple[tuple[str, int, str, tuple[tuple[int, int, int, int], ...]], ...] = (
    ("output10", 8, _STRUCT, ((OF, 1, 1, 0),)),
    ("output11", 16, _STRUCT, ((OF, 2, 6, 0),)),
    ("set_vlan_vid10", 0, _U16, ((OF, 1, 1, 1),)),
    ("set_vlan_pcp10", 0, _U8, ((OF, 1, 1, 2),)),
    ("set_vlan_vid11", 0, _U16, ((OF, 2, 6, 1),)),
    ("set_vlan_pcp11", 0, _U8, ((OF, 2, 6, 2),)),
    ("push_vlan", 0, _U16, ((OF, 2, 6, 17),)),
    ("strip_vlan10", 8, _STRUCT, ((OF, 1, 1, 3),)),
    ("pop_vlan", 8, _STRUCT, ((OF, 2, 6, 18),)),
    ("set_dl_src", 16, _STRUCT, ((OF, 1, 1, 4), (OF, 2, 6, 3))),
    ("set_dl_dst", 16, _STRUCT, ((OF, 1, 1, 5), (OF, 2, 6, 4))),
    ("set_nw_src", 0, _U32, ((OF, 1, 1, 6), (OF, 2, 6, 5))),
    ("set_nw_dst", 0, _U32, ((OF, 1, 1, 7), (OF, 2, 6, 6))),
    ("set_nw_tos", 0, _U8, ((OF, 1, 1, 8), (OF, 2, 6, 7))),
    ("set_nw_ecn", 0, _U8, ((OF, 2, 6, 8),)),
    ("set_tp_src", 0, _U16, ((OF, 1, 6, 9),)),
    ("set_tp_dst", 0, _U16, ((OF, 1, 6, 10),)),
    ("enqueue", 16, _STRUCT, ((OF, 1, 1, 11),)),
    ("set_mpls_label", 0, _U32, ((NX, 1, 1, 30), (OF, 2, 6, 13))),
    ("set_mpls_tc", 0, _U8, ((NX, 1, 1, 31), (OF, 2, 6, 14))),
    ("set_mpls_ttl", 0, _U8, ((NX, 1, 1, 25), (OF, 2, 6, 15))),
    ("dec_mpls_ttl", 0, _STRUCT, ((NX, 1, 1, 26), (OF, 2, 6, 16))),
    ("push_mpls", 0, _U16, ((NX, 1, 1, 23), (OF, 2, 6, 19))),
    ("pop_mpls", 0, _U16, ((NX, 1, 1, 24), (OF, 2, 6, 20))),
    ("set_queue", 0, _U32, ((NX, 1, 1, 4), (OF, 2, 6, 21))),
    ("group", 0, _U32, ((NX, 1, 1, 40), (OF, 2, 6, 22))),
    ("set_nw_ttl", 0, _U8, ((OF, 2, 6, 23),)),
    ("dec_nw_ttl", 0, _STRUCT, ((NX, 1, 1, 18), (OF, 2, 6, 24))),
    ("dec_ttl_cnt_ids", 16, _MORE, ((NX, 1, 6, 21),)),
    ("set_field12", 8, _MORE, ((OF, 3, 5, 25),)),
    ("set_field15", 8, _MORE, ((OF, 6, 6, 25),)),
    ("reg_load", 24, _STRUCT, ((NX, 1, 5, 7),)),
    ("reg_load2", 16, _MORE, ((NX, 1, 5, 33),)),
    ("copy_field15", 16, _MORE, ((OF, 6, 6, 28),)),
    ("copy_field13", 24, _MORE, ((ONF, 4, 5, 3200),)),
    ("reg_move", 16, _MORE, ((NX, 1, 5, 6),)),
    ("meter15", 0, _U32, ((OF, 6, 6, 29),)),
    ("resubmit", 0, _U16, ((NX, 1, 6, 1),)),
    ("resubmit_table", 16, _STRUCT, ((NX, 1, 6, 14),)),
    ("resubmit_table_ct", 16, _STRUCT, ((NX, 1, 6, 44),)),
    ("set_tunnel", 0, _U32, ((NX, 1, 6, 2),)),
    ("set_tunnel64", 0, _U64, ((NX, 1, 6, 9),)),
    ("pop_queue", 16, _STRUCT, ((NX, 1, 6, 5),)),
    ("note", 16, _MORE, ((NX, 1, 6, 8),)),
    ("multipath", 32, _STRUCT, ((NX, 1, 6, 10),)),
    ("bundle", 32, _MORE, ((NX, 1, 6, 12),)),
    ("bundle_load", 32, _MORE, ((NX, 1, 6, 13),)),
    ("output_reg", 24, _STRUCT, ((NX, 1, 6, 15),)),
    ("output_reg2", 24, _STRUCT, ((NX, 1, 6, 32),)),
    ("learn", 32, _MORE, ((NX, 1, 6, 16),)),
    ("learn2", 40, _MORE, ((NX, 1, 6, 45),)),
    ("exit", 16, _STRUCT, ((NX, 1, 6, 17),)),
    ("fin_timeout", 16, _STRUCT, ((NX, 1, 6, 19),)),
    ("controller", 16, _STRUCT, ((NX, 1, 6, 20),)),
    ("controller2", 16, _MORE, ((NX, 1, 6, 37),)),
    ("write_metadata", 32, _STRUCT, ((NX, 1, 6, 22),)),
    ("stack_push", 24, _STRUCT, ((NX, 1, 6, 27),)),
    ("stack_pop", 24, _STRUCT, ((NX, 1, 6, 28),)),
    ("sample", 24, _STRUCT, ((NX, 1, 6, 29),)),
    ("sample2", 32, _STRUCT, ((NX, 1, 6, 38),)),
    ("sample3", 32, _STRUCT, ((NX, 1, 6, 41),)),
    ("conjunction", 16, _STRUCT, ((NX, 1, 6, 34),)),
    ("ct", 24, _MORE, ((NX, 1, 6, 35),)),
    ("nat", 16, _MORE, ((NX, 1, 6, 36),)),
    ("output_trunc", 16, _STRUCT, ((NX, 1, 6, 39),)),
    ("clone", 16, _MORE, ((NX, 1, 6, 42),)),
    ("ct_clear", 16, _STRUCT, ((NX, 1, 6, 43),)),
    ("encap", 16, _MORE, ((NX, 4, 6, 46),)),
    ("decap", 16, _MORE, ((NX, 4, 6, 47),)),
    ("dec_nsh_ttl", 16, _STRUCT, ((NX, 4, 6, 48),)),
    ("check_pkt_larger", 24, _MORE, ((NX, 1, 6, 49),)),
    ("delete_field", 24, _STRUCT, ((NX, 1, 6, 50),)),
    ("debug_slow", 16, _STRUCT, ((NX, 1, 6, 254),)),
    ("debug_recirc", 16, _STRUCT, ((NX, 1, 6, 255),)),
)
# fmt: on

#: Forms that OpenFlow 1.2+ keeps but prefers Set-Field to.
_DEPRECATED = frozenset(
    (
        "set_vlan_vid11", "set_vlan_pcp11", "set_dl_src", "set_dl_dst", "set_nw_src",
        "set_nw_dst", "set_nw_tos", "set_nw_ecn", "set_tp_src", "set_tp_dst",
        "set_mpls_label", "set_mpls_tc", "set_mpls_ttl",
    )
)  # fmt: skip

_HEADER = struct.Struct("!HH")
_VENDOR_HEADER = struct.Struct("!HHIH")
_NUMBERS = {form: struct.Struct("!" + form) for form in (_U8, _U16, _U32, _U64)}


class Raw:
    """A row for one version: what to expect of an action of that form.

    Attributes:
        name: of the form.
        vendor, type: its numbers (the subtype, for a vendor's).
        min_size, max_size: octets, header included.
        number: reads the number behind the header, or None.
        number_at: where that stands.
        body_at: where the header ends.
        deprecated: whether the version would rather see something else.
    """

    __slots__ = (
        "body_at", "deprecated", "max_size", "min_size", "name", "number", "number_at",
        "type", "vendor",
    )  # fmt: skip

    def __init__(
        self, name: str, size: int, rest: str, vendor: int, kind: int, version: int
    ) -> None:
        self.name = name
        self.vendor = vendor
        self.type = kind
        self.body_at = 10 if vendor else 4
        self.number = _NUMBERS.get(rest)
        self.number_at = 0
        if self.number is not None:
            width = self.number.size
            self.number_at = -(-self.body_at // width) * width
            size = self.number_at + width
        elif not size:
            size = self.body_at
        self.min_size = -(-size // ALIGN) * ALIGN
        self.max_size = 65528 if rest == _MORE else self.min_size
        self.deprecated = version >= 3 and name in _DEPRECATED


_by_name: dict[int, dict[str, Raw]] = {}
_by_number: dict[int, dict[tuple[int, int], Raw]] = {}


def _load(version: int) -> None:
    """Make the tables of a version, on first use."""
    names = {
        name: Raw(name, size, rest, vendor, kind, version)
        for name, size, rest, forms in _ROWS
        for vendor, first, last, kind in forms
        if first <= version <= last
    }
    _by_number[version] = {(raw.vendor, raw.type): raw for raw in names.values()}
    _by_name[version] = names


def form(name: str, version: int) -> Raw:
    """Return the form called `name` in `version`, which must have it."""
    if version not in _by_name:
        _load(version)
    return _by_name[version][name]


def _lookup(octets: bytes, offset: int, end: int, version: int) -> tuple[Raw, int]:
    if end - offset < 8:
        raise OpenFlowError("OFPBAC_BAD_LEN")
    kind, size = _HEADER.unpack_from(octets, offset)
    vendor = 0
    if kind == OFPAT_VENDOR:
        vendor = int.from_bytes(octets[offset + 4 : offset + 8], "big")
        if vendor not in (NX, ONF):
            raise OpenFlowError(
                "OFPBAC_BAD_VENDOR",
                f"OpenFlow action has unknown vendor 0x{vendor:x}",
            )
        if end - offset < 16:
            raise OpenFlowError("OFPBAC_BAD_LEN")
        kind = int.from_bytes(octets[offset + 8 : offset + 10], "big")
    if version not in _by_number:
        _load(version)
    raw = _by_number[version].get((vendor, kind))
    if raw is None:
        raise OpenFlowError(
            "OFPBAC_BAD_VENDOR_TYPE" if vendor else "OFPBAC_BAD_TYPE",
            f"unknown OpenFlow1{version - 1} action for vendor {vendor:#x}"
            f" and type {kind}",
        )
    return raw, size


def pull(octets: bytes, offset: int, end: int, version: int) -> tuple[Raw, bytes]:
    """Return the form of the action at `offset`, and its octets.

    Raises:
        OpenFlowError: OFPBAC_BAD_LEN, _BAD_VENDOR, _BAD_VENDOR_TYPE, _BAD_TYPE.
    """
    raw, size = _lookup(octets, offset, end, version)
    if size > end - offset:
        raise OpenFlowError(
            "OFPBAC_BAD_LEN",
            f"OpenFlow action {raw.name} length {size} exceeds action buffer "
            f"length {end - offset}",
        )
    if not raw.min_size <= size <= raw.max_size:
        raise OpenFlowError(
            "OFPBAC_BAD_LEN",
            f"OpenFlow action {raw.name} length {size} not in valid range "
            f"[{raw.min_size},{raw.max_size}]",
        )
    if size % ALIGN:
        raise OpenFlowError(
            "OFPBAC_BAD_LEN",
            f"OpenFlow action {raw.name} length {size} is not a multiple of 8",
        )
    return raw, octets[offset : offset + size]


def number(raw: Raw, octets: bytes) -> int:
    """Return the number behind the header; 0 for a form that has none."""
    if raw.number is None:
        return 0
    value: int = raw.number.unpack_from(octets, raw.number_at)[0]
    return value


def put(name: str, version: int, body: bytes = b"") -> bytes:
    """Return an action: header, `body`, zeros up to its form's size."""
    raw = form(name, version)
    size = raw.body_at + len(body)
    total = max(size + -size % ALIGN, raw.min_size)
    if raw.vendor:
        header = _VENDOR_HEADER.pack(OFPAT_VENDOR, total, raw.vendor, raw.type)
    else:
        header = _HEADER.pack(raw.type, total)
    return header + body + bytes(total - size)


def put_number(name: str, version: int, value: int) -> bytes:
    """Return an action that is a header and a number."""
    raw = form(name, version)
    assert raw.number is not None
    gap = bytes(raw.number_at - raw.body_at)
    return put(name, version, gap + raw.number.pack(value))
