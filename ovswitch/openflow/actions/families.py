# SPDX-License-Identifier: Apache-2.0
"""All families of actions: by keyword of text, by form on the wire."""

from __future__ import annotations

from ovswitch.openflow.actions import (
    control,
    controller,
    ct,
    encap,
    headers,
    instructions,
    learn,
    move,
    mpls,
    output,
    select,
    set_field,
    tunnel,
    vlan,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow.actions.action import Decoder, Parser

_FAMILIES = (
    output,
    controller,
    select,
    set_field,
    vlan,
    headers,
    mpls,
    move,
    encap,
    tunnel,
    control,
    learn,
    ct,
    instructions,
)

PARSERS: dict[str, Parser] = {}
DECODERS: dict[str, Decoder] = {}
for _family in _FAMILIES:
    PARSERS.update(_family.PARSERS)
for _family in _FAMILIES:
    DECODERS.update(getattr(_family, "DECODERS", {}))
