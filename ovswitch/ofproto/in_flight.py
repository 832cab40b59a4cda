# SPDX-License-Identifier: Apache-2.0
"""Counting messages that were sent but are still in a connection's send buffer.

All octets of a connection are numbered as they are sent. With the backlog, how many
octets still wait, that tells which messages have gone: those that end before the
backlog begins. A counter remembers the ends of the messages of one kind.
"""

from __future__ import annotations

from collections import deque


class InFlight:
    """Messages of one kind that haven't left yet.

    Attributes:
        n_bytes: their octets together.
    """

    __slots__ = ("_messages", "n_bytes")

    def __init__(self) -> None:
        self._messages: deque[tuple[int, int]] = deque()  # (end, size)
        self.n_bytes = 0

    def add(self, end: int, size: int) -> None:
        """Note a message of `size` octets, the last of which is octet `end`."""
        self._messages.append((end, size))
        self.n_bytes += size

    def update(self, gone: int) -> None:
        """Forget the messages that end within the first `gone` octets."""
        while self._messages and self._messages[0][0] <= gone:
            self.n_bytes -= self._messages.popleft()[1]

    def __len__(self) -> int:
        return len(self._messages)
