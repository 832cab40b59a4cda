# SPDX-License-Identifier: Apache-2.0
"""What all actions have in common.

An action is an immutable value with slots: two of the same class with equal slots are
equal, and hash alike. A list of actions is a tuple of them (`Actions`), so that it can
be shared between flows and be a key of caches. OpenFlow 1.1's instructions are actions
too; "apply actions" is not one: what it holds stands in the list itself.

Numbers are host integers: a MAC address is a 48-bit `int`, an IPv4 address a 32-bit
one, and ports are OpenFlow 1.0's 16-bit numbers in every version.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovswitch.openflow.actions.context import Checking, Parsing, Printing


class Action:
    """The base of all actions.

    Attributes:
        keyword: the reference's name of the action's kind.
    """

    __slots__ = ()
    keyword = ""
    _names: tuple[str, ...] = ()  # of all slots

    def __init_subclass__(cls) -> None:
        cls._names = cls._names + cls.__slots__

    def values(self) -> tuple[object, ...]:
        """Return the slots' values."""
        return tuple([getattr(self, name) for name in self._names])

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(self) is not type(other):
            return NotImplemented
        return self.values() == other.values()

    def __hash__(self) -> int:
        return hash((self.keyword, self.values()))

    def __repr__(self) -> str:
        slots = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._names)
        return f"{type(self).__name__}({slots})"

    def encode(self, version: int) -> bytes:
        """Return the action as it travels in `version`: one action, several, none."""
        raise AssertionError(self)

    def format(self, printing: Printing) -> str:
        """Return the action as text."""
        raise AssertionError(self)

    def check(self, checking: Checking) -> Action:
        """Check the action against the flow and tell `checking` what it changes.

        Returns:
            The action itself, or one that knows more of the flow.

        Raises:
            OpenFlowError: the switch must refuse it.
        """
        del checking
        return self


Actions = tuple[Action, ...]
if TYPE_CHECKING:
    #: From what follows the keyword to the action; None for one that isn't there.
    Parser = Callable[[str, Parsing], Action]
    #: From an action's octets, the number behind its header and the version.
    Decoder = Callable[[bytes, int, int], Action]
