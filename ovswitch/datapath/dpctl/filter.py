# SPDX-License-Identifier: Apache-2.0
"""The filter= of dump-flows: an OpenFlow match without wildcards in its fields."""

from __future__ import annotations

from ovswitch.datapath.odp import key_decode
from ovswitch.flow import parse, prereqs, values
from ovswitch.flow.fields import FIELDS
from ovswitch.flow.layout import SLOTS
from ovswitch.flow.match import MATCH_ALL, Match
from ovswitch.flow.names import NameMap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ovswitch.datapath.dpif import Flow

_DL_TYPE, _NW_PROTO = SLOTS["dl_type"], SLOTS["nw_proto"]


class FilterError(ValueError):
    """The filter can't be read; the text is the reference's."""


def flow_filter(text: str, ports: Mapping[str, int]) -> Callable[[Flow], bool]:
    """Return the test whether a datapath's flow is one that the filter means.

    Args:
        text: "field=value" and protocols, separated by commas.
        ports: numbers of the datapath's ports by name, for in_port.

    Raises: FilterError.
    """
    names = NameMap()
    for name, number in ports.items():
        names.put(number, name)
    match = MATCH_ALL
    for word in text.replace(",", " ").split():
        key, _, value = word.partition("=")
        match = _add(match, text, key, value, names)

    def passes(flow: Flow) -> bool:
        try:
            bits, _fitness = key_decode.to_flow(flow.key)
            mask, _fitness = key_decode.to_mask(flow.mask, bits)
        except key_decode.KeyDecodeError:
            return False
        # What the flow leaves open is 0 on both sides, so that it passes.
        return not (bits ^ match.value) & mask & match.mask

    return passes


def _add(match: Match, text: str, key: str, value: str, names: NameMap) -> Match:
    if key in parse.PROTOCOLS:
        if match.mask & _DL_TYPE.mask:
            raise FilterError(f"{text}: Ethernet type set multiple times")
        if parse.PROTOCOLS[key][1] and match.mask & _NW_PROTO.mask:
            raise FilterError(f"{text}: network protocol set multiple times")
        return _without_packet_type(parse.set_protocol(match, key) or match)
    field = FIELDS.get(key)
    if field is None:
        raise FilterError(f"{text}: unknown field {key}")
    if not prereqs.holds(field, match.value):
        raise FilterError(f"{text}: prerequisites not met for setting {key}")
    if match.value & field.mask:
        raise FilterError(f"{text}: field {key} set multiple times")
    try:
        _value, mask = values.parse(field, value, names)
        changed, _mask = parse.set_field(match, field, value, names)
    except ValueError as error:
        raise FilterError(f"{text}: bad value for {key} ({error})") from error
    if mask != values.ones(field):
        problem = f"{value}: wildcards not allowed here"
        raise FilterError(f"{text}: bad value for {key} ({problem})")
    return _without_packet_type(changed)


def _without_packet_type(match: Match) -> Match:
    """Return the match on fields alone: flows of any packet type pass."""
    return match.without(SLOTS["packet_type"].mask)
