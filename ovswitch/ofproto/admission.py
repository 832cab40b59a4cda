# SPDX-License-Identifier: Apache-2.0
"""Whether controllers accept the switch, and since when none does.

Being connected is not enough: a controller may let a switch connect and drop it soon
after. It counts as having *admitted* the switch when it has asked for something, other
than what every controller asks at first, or when the connection has lasted half a
minute. `fail_open` wants to know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.runtime import target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ovswitch.ofproto.ofconn import Ofconn, Settings

#: OFPT numbers that say nothing about being accepted by a controller: hello, error,
#: echo, features, configuration.
_NO_ADMISSION = frozenset((0, 1, 2, 3, 5, 6, 7, 8, 9))
_ADMISSION_MS = 30_000


class Admissions:
    """The configured controllers that we connect to.

    `_last` has by target when a controller last showed that it admits us, and in the
    beginning when it was configured.
    """

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def configure(self, controllers: Iterable[Settings], now: int) -> None:
        """Take the configured controllers, among others."""
        self._last = {
            settings.target: self._last.get(settings.target, now)
            for settings in controllers
            if settings.is_primary and target.is_active(settings.target)
        }

    def heard(self, ofconn: Ofconn, message: bytes, now: int) -> None:
        """Note that a controller sent `message`."""
        if (
            ofconn.is_admitted
            or message[1] not in _NO_ADMISSION
            or now - ofconn.connected >= _ADMISSION_MS
        ):
            ofconn.is_admitted = True
            if ofconn.settings.target in self._last:
                self._last[ofconn.settings.target] = now

    def failing_since(self, connections: Iterable[Ofconn]) -> int | None:
        """Return since when, in ms, no controller admits us; None if one does."""
        admitting = {
            ofconn.settings.target for ofconn in connections if ofconn.is_admitted
        }
        if not self._last or not admitting.isdisjoint(self._last):
            return None
        return max(self._last.values())
