# SPDX-License-Identifier: Apache-2.0
"""Fields in flows and matches: between a value on the wire and where it stands.

For most fields that is their window (`Field.shift` and `width`). The exceptions are
here: ports, which are 32 bits on the wire and 16 inside; VLAN fields, which bring the
"has a header" bit with them; the DSCP in its old clothes (`nw_tos`); fields that use
part of a slot but own all of it; and tunnel metadata, whose place a table says.

Callers have checked prerequisites and validity (`prereqs`, `values.is_valid`).
"""

from __future__ import annotations

from ovswitch.flow import names
from ovswitch.flow.fields import FIELDS, Field
from ovswitch.flow.layout import SLOTS, VLAN_CFI, VLAN_PCP_MASK, VLAN_VID_MASK
from ovswitch.flow.match import Match
from ovswitch.flow.tun_metadata import TunTable, natural_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_TCI = SLOTS["vlan_tci0"]
_TPID = SLOTS["vlan_tpid0"]
_TOS = SLOTS["nw_tos"]
_PRESENT = SLOTS["tun_metadata_present"]
_ETH_TYPE_VLAN = 0x8100
_OFP10_VLAN_NONE = 0xFFFF
_DSCP = 0xFC
_PORT_ONES = 0xFFFF  # ports are 16 bits inside, whatever their slot has room for

TUN_METADATA0 = FIELDS["tun_metadata0"].index
_N_TUN_METADATA = 64

#: Fields whose exact match covers their whole slot, though they use a part of it.
_WHOLE_SLOT = frozenset(
    FIELDS[name].index
    for name in (
        "tcp_flags",
        "ipv6_label",
        "icmp_type",
        "icmp_code",
        "icmpv6_type",
        "icmpv6_code",
        "nd_options_type",
        "tun_erspan_idx",
        "tun_erspan_ver",
        "tun_erspan_dir",
        "tun_erspan_hwid",
    )
)
_PORTS = frozenset({FIELDS["in_port_oxm"].index, FIELDS["actset_output"].index})
_VLAN = frozenset(
    FIELDS[name].index
    for name in ("vlan_tci", "dl_vlan", "vlan_vid", "dl_vlan_pcp", "vlan_pcp")
)
_DL_VLAN = FIELDS["dl_vlan"].index
_VLAN_VID = FIELDS["vlan_vid"].index
_VLAN_PCPS = frozenset({FIELDS["dl_vlan_pcp"].index, FIELDS["vlan_pcp"].index})
_NW_TOS = FIELDS["nw_tos"].index
_IPV6_LABEL = FIELDS["ipv6_label"].index

#: Fields that `set_match` and `get` can't treat as plain windows.
SPECIAL = (
    _WHOLE_SLOT
    | _PORTS
    | _VLAN
    | {_NW_TOS}
    | set(range(TUN_METADATA0, TUN_METADATA0 + _N_TUN_METADATA))
)


def tun_metadata_index(field: Field) -> int | None:
    """Return N for `tun_metadataN`, None for any other field."""
    index = field.index - TUN_METADATA0
    return index if 0 <= index < _N_TUN_METADATA else None


def get(field: Field, flow: int, tun: TunTable | None = None) -> int:
    """Return the field's value in `flow`, as on the wire."""
    index = field.index
    if index in SPECIAL:
        if index in _PORTS:
            return names.port_to_ofp11(field.get(flow))
        if index == _NW_TOS:
            return field.get(flow) & _DSCP
        number = tun_metadata_index(field)
        if number is not None:
            return tun.read(flow, number) if tun is not None else 0
    return flow >> field.shift & field.ones


def put(field: Field, flow: int, value: int, tun: TunTable | None = None) -> int:
    """Return `flow` with the field set to a value as on the wire."""
    index = field.index
    if index in SPECIAL:
        if index in _VLAN:
            return _put_vlan(index, flow, value)
        if index in _PORTS:
            port = names.port_from_ofp11(value)
            return field.put(flow, names.OFPP_NONE if port is None else port)
        if index == _NW_TOS:
            return flow & ~(_DSCP << _TOS.shift) | (value & _DSCP) << _TOS.shift
        if index in _WHOLE_SLOT:
            return field.slot.put(flow, value & field.slot.ones)
        number = tun_metadata_index(field)
        if number is not None:
            return tun.write(flow, number, value) if tun is not None else flow
    return flow & ~field.mask | (value & field.ones) << field.shift


def _put_vlan(index: int, flow: int, value: int) -> int:
    """Set a VLAN field; a header that appears is a customer's (0x8100)."""
    tci = _vlan_tci(index, _TCI.get(flow), value)
    flow = _TCI.put(flow, tci)
    if tci and not flow & _TPID.mask:
        flow = _TPID.put(flow, _ETH_TYPE_VLAN)
    return flow


def _vlan_tci(index: int, tci: int, value: int) -> int:
    """Return `tci` after a VLAN field was set in it."""
    if index == _DL_VLAN:
        if value == _OFP10_VLAN_NONE:
            return 0
        return tci & ~VLAN_VID_MASK | VLAN_CFI | value & VLAN_VID_MASK
    if index == _VLAN_VID:
        return tci & VLAN_PCP_MASK | value & (VLAN_CFI | VLAN_VID_MASK)
    if index in _VLAN_PCPS:
        return tci & ~VLAN_PCP_MASK | (value & 7) << 13 | VLAN_CFI
    return value


def put_masked(
    field: Field, flow: int, value: int, mask: int, tun: TunTable | None = None
) -> int:
    """Return `flow` with the bits of `mask` in the field set to those of `value`."""
    return put(field, flow, get(field, flow, tun) & ~mask | value & mask, tun)


def wildcards(
    field: Field, mask: int | None = None, tun: TunTable | None = None
) -> int:
    """Return what reading the field (or the bits of `mask` in it) looks at."""
    index = field.index
    if index in SPECIAL:
        number = tun_metadata_index(field)
        if number is not None:
            if tun is None or number not in tun.entries:
                return 0
            ones = -1 if mask is None else mask
            return tun.write(0, number, ones)
        if index in _PORTS:
            return _PORT_ONES << field.shift
        if index in _WHOLE_SLOT and mask is None:
            return field.slot.mask
        if index == _NW_TOS:
            return (_DSCP if mask is None else mask & _DSCP) << _TOS.shift
    return field.mask if mask is None else (mask & field.ones) << field.shift


def get_match(field: Field, match: Match) -> tuple[int, int]:
    """Return the field's value and mask in a match, as on the wire."""
    return get(field, match.value, match.tun), _get_mask(field, match)


def _get_mask(field: Field, match: Match) -> int:
    """Return the field's mask; all ones of the wire's size for an exact match."""
    number = tun_metadata_index(field)
    if number is not None:
        return match.tun.read(match.mask, number) if match.tun is not None else 0
    mask = match.mask >> field.shift & field.ones
    full = (1 << 8 * field.n_bytes) - 1
    if field.index == _NW_TOS:
        return full if mask & _DSCP == _DSCP else mask & _DSCP
    if field.index in _PORTS:
        return full if mask else 0
    return full if mask == field.ones else mask


def is_wild(field: Field, mask: int) -> bool:
    """Return whether no bit of the field is in a whole match's `mask`."""
    number = tun_metadata_index(field)
    if number is not None:
        return not mask >> _PRESENT.shift + number & 1
    if field.index == _NW_TOS:
        return not mask >> _TOS.shift & _DSCP
    return not mask & field.mask


def set_match(field: Field, match: Match, value: int, mask: int | None = None) -> Match:
    """Return `match` with the field matched.

    Args:
        field: whose prerequisites `match` has.
        match: what to begin with.
        value: as on the wire.
        mask: as on the wire; None or all ones for an exact match, 0 to wildcard (but
            for tunnel metadata, where it asks for presence alone).

    Raises:
        ValueError: tunnel metadata that has no room; with the text for the user.
    """
    full = (1 << 8 * field.n_bytes) - 1
    if mask is None:
        mask = full
    index = field.index
    if index in SPECIAL:
        number = tun_metadata_index(field)
        if number is not None:
            return _set_tun_metadata(match, number, value, mask, full)
        if not mask:
            return set_wild(field, match)
        if index in _VLAN:
            return _set_vlan(index, match, value, mask)
        return _SET[_kind(index)](field, match, value, mask, mask == full)
    bits = (mask & field.ones) << field.shift
    kept = match.mask & ~field.mask
    return Match(
        match.value & kept | value << field.shift & bits, kept | bits, match.tun
    )


def set_wild(field: Field, match: Match) -> Match:
    """Return `match` with the field wildcarded (not `tun_metadataN`)."""
    index = field.index
    if index in _VLAN and index != FIELDS["vlan_tci"].index:
        own, other = VLAN_VID_MASK, VLAN_PCP_MASK
        if index in _VLAN_PCPS:
            own, other = other, own
        # The header must still be there for the other half to mean something.
        keep = bool(match.mask >> _TCI.shift & other)
        return match.without(own << _TCI.shift if keep else _TCI.mask)
    if index == _NW_TOS:
        return match.without(_DSCP << _TOS.shift)
    return match.without(field.slot.mask if index in _WHOLE_SLOT else field.mask)


def _replace(match: Match, own: int, bits: int, value: int) -> Match:
    """Return `match` with `own` forgotten, then `bits` matched with `value`."""
    kept = match.mask & ~own
    return Match(match.value & kept | value & bits, kept | bits, match.tun)


def _set_vlan(index: int, match: Match, value: int, mask: int) -> Match:
    shift = _TCI.shift
    tci = _vlan_tci(index, _TCI.get(match.value), value & mask)
    old = _TCI.get(match.mask)
    if index == _DL_VLAN:
        none = value == _OFP10_VLAN_NONE
        bits = 0xFFFF if none else old | VLAN_CFI | VLAN_VID_MASK
    elif index == _VLAN_VID:
        bits = mask & (VLAN_CFI | VLAN_VID_MASK) | old & VLAN_PCP_MASK
    elif index in _VLAN_PCPS:
        bits = old | VLAN_CFI | VLAN_PCP_MASK
    else:
        bits = mask
    return _replace(match, _TCI.mask, bits << shift, tci << shift)


def _set_port(field: Field, match: Match, value: int, mask: int, exact: bool) -> Match:
    port = names.port_from_ofp11(value)
    port = names.OFPP_NONE if port is None else port
    bits = _PORT_ONES << field.shift
    return _replace(match, field.mask, bits, port << field.shift)


def _set_tos(field: Field, match: Match, value: int, mask: int, exact: bool) -> Match:
    bits = _DSCP << _TOS.shift
    return _replace(match, bits, bits, value << _TOS.shift)


def _set_whole(field: Field, match: Match, value: int, mask: int, exact: bool) -> Match:
    slot = field.slot
    if field.index == _IPV6_LABEL:
        exact = mask & field.ones == field.ones
        value &= field.ones
    bits = slot.mask if exact else mask << slot.shift
    return _replace(match, slot.mask, bits, value << slot.shift)


_SET: dict[str, Callable[[Field, Match, int, int, bool], Match]] = {
    "port": _set_port,
    "tos": _set_tos,
    "whole": _set_whole,
}


def _kind(index: int) -> str:
    if index in _PORTS:
        return "port"
    return "tos" if index == _NW_TOS else "whole"


def _set_tun_metadata(
    match: Match, number: int, value: int, mask: int, full: int
) -> Match:
    tun = match.tun
    if tun is None or tun.is_local:
        size, masked = natural_size(value, mask, full)
        tun = (tun or TunTable()).with_local(number, size, masked)
    elif number not in tun.entries:
        return match
    bits = tun.write(match.mask & ~tun.write(0, number, -1), number, mask)
    wanted = tun.write(match.value & bits, number, value & mask)
    return Match(wanted, bits, tun)
