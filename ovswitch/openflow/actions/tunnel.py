# SPDX-License-Identifier: Apache-2.0
"""Tunnel ids."""

from __future__ import annotations

from ovswitch.openflow.actions import raws
from ovswitch.openflow.actions.action import Action
from ovswitch.openflow.actions.colors import colors
from ovswitch.openflow.actions.set_field import put_field
from ovswitch.openflow.parse.tokens import u64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow.actions.action import Decoder, Parser
    from ovswitch.openflow.actions.context import Printing


class SetTunnel(Action):
    """Set the tunnel id.

    Attributes:
        tun_id: 64 bits.
        is_64: whether it is written `set_tunnel64` even if 32 bits would do.
    """

    __slots__ = ("is_64", "tun_id")
    keyword = "set_tunnel"

    def __init__(self, tun_id: int, is_64: bool = False) -> None:
        self.tun_id = tun_id
        self.is_64 = is_64

    @property
    def _needs_64(self) -> bool:
        return self.is_64 or self.tun_id > 0xFFFFFFFF

    def encode(self, version: int) -> bytes:  # noqa: D102
        if version >= 3:
            return put_field(version, "tun_id", self.tun_id)
        name = "set_tunnel64" if self._needs_64 else "set_tunnel"
        return raws.put_number(name, version, self.tun_id)

    def format(self, printing: Printing) -> str:  # noqa: D102
        name = "set_tunnel64" if self._needs_64 else "set_tunnel"
        value = f"{self.tun_id:#x}" if self.tun_id else "0"
        return f"{colors.param}{name}:{colors.end}{value}"


PARSERS: dict[str, Parser] = {
    "set_tunnel": lambda text, parsing: SetTunnel(u64(text)),
    "set_tunnel64": lambda text, parsing: SetTunnel(u64(text), True),
}
DECODERS: dict[str, Decoder] = {
    "set_tunnel": lambda octets, number, version: SetTunnel(number),
    "set_tunnel64": lambda octets, number, version: SetTunnel(number, True),
}
