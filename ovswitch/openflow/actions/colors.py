# SPDX-License-Identifier: Apache-2.0
"""Colors of flows and actions in a terminal: escape sequences, or empty strings.

One palette for the process, as a terminal is: `enable()` fills it in. Each attribute
begins a color and `end` ends any.
"""

from __future__ import annotations


class Colors:
    """The palette."""

    __slots__ = (
        "actions", "drop", "end", "learn", "param", "paren", "special", "value",
    )  # fmt: skip

    def __init__(self) -> None:
        self.actions = self.drop = self.learn = self.param = ""
        self.paren = self.special = self.value = self.end = ""

    def enable(self, overrides: str = "") -> None:
        """Turn colors on.

        Args:
            overrides: what OVS_COLORS holds: "ac=01;31:dr=34:...".
        """
        for name, attribute, sequence in _DEFAULTS:
            del name
            setattr(self, attribute, f"\x1b[{sequence}m\x1b[K")
        self.end = "\x1b[m\x1b[K"
        attributes = {name: attribute for name, attribute, _ in _DEFAULTS}
        for item in overrides.split(":"):
            name, _, sequence = item.partition("=")
            if name in attributes and not sequence.strip("0123456789;"):
                setattr(self, attributes[name], f"\x1b[{sequence}m\x1b[K")


_DEFAULTS = (
    ("ac", "actions", "1;31"),
    ("dr", "drop", "34"),
    ("le", "learn", "31"),
    ("pm", "param", "36"),
    ("pr", "paren", "35"),
    ("sp", "special", "33"),
    ("vl", "value", "32"),
)

#: The process's palette.
colors = Colors()
