# SPDX-License-Identifier: Apache-2.0
"""Write `flow_key.h`, the C form of the flow key, from `ovswitch/flow/layout.py`.

The layout's table is the only place where the members stand. Here each becomes a
member of `struct flow_key` with the C type for its width, and an assertion that the
compiler put it where the table says.
"""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

LAYOUT = Path(__file__).parent.parent / "flow" / "layout.py"

_TYPES = {
    8: "uint8_t",
    16: "ovs_be16",
    32: "ovs_be32",
    48: "struct eth_addr",
    64: "ovs_be64",
    128: "struct ip6_addr",
}

#: Offsets that the C code wants by name: the first member of a part of the key.
_PARTS = (
    ("FLOW_KEY_TUNNEL_SIZE", "metadata", "octets of tunnel members, from the start"),
    ("FLOW_KEY_DP_OFS", "ct_label", "first octet that every datapath key uses"),
    ("FLOW_KEY_HEADERS_OFS", "dl_dst", "first octet of what packets hold"),
)


def _declare(name: str, width: int) -> str:
    if width in _TYPES:
        return f"    {_TYPES[width]} {name};"
    return f"    uint8_t {name}[{width // 8}];"


def text() -> str:
    """Return the header's text."""
    layout: dict[str, Any] = runpy.run_path(str(LAYOUT))
    slots = layout["SLOTS"].values()
    size: int = layout["SIZE"]
    lines = [
        "/* Generated from flow/layout.py: do not edit. */",
        "#ifndef FLOW_KEY_H",
        "#define FLOW_KEY_H 1",
        "",
        '#include "base.h"',
        "",
        f"#define FLOW_KEY_SIZE {size}",
        f"#define FLOW_KEY_WORDS {size // 8}",
    ]
    for macro, first, meaning in _PARTS:
        offset = layout["SLOTS"][first].offset
        lines.append(f"#define {macro} {offset} /* {meaning}. */")
    lines += ["", "struct flow_key {"]
    lines += [_declare(slot.name, slot.width) for slot in slots]
    lines += ["} __attribute__((aligned(8)));", ""]
    lines += [
        f"_Static_assert(offsetof(struct flow_key, {slot.name}) == {slot.offset},"
        f' "{slot.name}");'
        for slot in slots
    ]
    lines += [
        f'_Static_assert(sizeof(struct flow_key) == {size}, "flow_key");',
        "",
        "#endif",
        "",
    ]
    return "\n".join(lines)


def write(folder: Path) -> None:
    """Write `flow_key.h` into `folder`, unless it is there with the same text."""
    path = folder / "flow_key.h"
    new = text()
    if not path.exists() or path.read_text() != new:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(new)
