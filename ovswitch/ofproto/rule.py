# SPDX-License-Identifier: Apache-2.0
"""A rule: one entry of a flow table.

A rule's match, priority, table and actions never change: OpenFlow's "modify" makes a
new rule in place of the old one, so that whoever still holds the old one (a datapath
flow whose statistics come late) sees what it was made from. `replaced_by` leads from
the old to the new, and statistics follow it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.openflow.actions.types import Conjunction, Note

if TYPE_CHECKING:
    from ovswitch.flow.match import Match
    from ovswitch.ofproto.xlate.compiler import Program
    from ovswitch.openflow.actions.types import Action

# Flow mod flags, as OpenFlow 1.3 numbers them.
SEND_FLOW_REM = 1 << 0
CHECK_OVERLAP = 1 << 1
RESET_COUNTS = 1 << 2
NO_PKT_COUNTS = 1 << 3
NO_BYT_COUNTS = 1 << 4
#: Those that stay with the rule.
STATE_FLAGS = (
    SEND_FLOW_REM | CHECK_OVERLAP | RESET_COUNTS | NO_PKT_COUNTS | NO_BYT_COUNTS
)

#: Why a rule went away, as flow removed messages say it.
IDLE_TIMEOUT, HARD_TIMEOUT, DELETE, GROUP_DELETE, METER_DELETE, EVICTION = range(6)

NO_COOKIE = 0xFFFFFFFFFFFFFFFF
MAX_PRIORITY = 0xFFFF


class Rule:
    """An entry of a flow table.

    Attributes:
        conjunctions: (id, clause, n_clauses) of each conjunction action.
        flags: those of `STATE_FLAGS` that were given.
        idle_timeout, hard_timeout: in s, 0 for none.
        created, modified, used: in ms of monotonic time.
        removed_reason: why the rule is no longer in its table; None while it is.
        replaced_by: the rule that took its place.
        forwards_counts: whether late statistics go on to `replaced_by`.
        program: the actions, ready to run; None until the first packet.
        monitors: flow monitors that were told of the rule.
    """

    __slots__ = (
        "actions", "conjunctions", "cookie", "created", "flags", "forwards_counts",
        "hard_timeout", "idle_timeout", "importance", "match", "modified", "monitors",
        "n_bytes", "n_packets", "priority", "program", "removed_reason", "replaced_by",
        "table_id", "used",
    )  # fmt: skip

    def __init__(
        self,
        match: Match,
        priority: int,
        actions: tuple[Action, ...] = (),
        *,
        table_id: int = 0,
        cookie: int = 0,
        idle_timeout: int = 0,
        hard_timeout: int = 0,
        flags: int = 0,
        importance: int = 0,
        now: int = 0,
    ) -> None:
        self.match = match
        self.priority = priority
        self.actions = actions
        self.conjunctions = conjunctions_of(actions)
        self.table_id = table_id
        self.cookie = cookie
        self.idle_timeout = idle_timeout
        self.hard_timeout = hard_timeout
        self.flags = flags & STATE_FLAGS
        self.importance = importance
        self.created = self.modified = self.used = now
        self.n_packets = 0
        self.n_bytes = 0
        self.removed_reason: int | None = None
        self.replaced_by: Rule | None = None
        self.forwards_counts = False
        self.program: Program | None = None
        self.monitors = 0

    def __repr__(self) -> str:
        return f"Rule(table={self.table_id}, priority={self.priority}, {self.match})"

    @property
    def is_hidden(self) -> bool:
        """Whether the switch added the rule for itself: no controller sees it."""
        return self.priority > MAX_PRIORITY

    @property
    def is_table_miss(self) -> bool:
        """Whether this is OpenFlow 1.3's table-miss entry."""
        return self.priority == 0 and self.match.mask == 0

    def credit(
        self, n_packets: int, n_bytes: int, used: int, counts: bool = True
    ) -> None:
        """Add to the statistics of this rule, or of the one that replaced it."""
        rule = self
        while rule.replaced_by is not None:
            counts = counts and rule.forwards_counts
            rule = rule.replaced_by
        if counts:
            rule.n_packets += n_packets
            rule.n_bytes += n_bytes
        rule.used = max(rule.used, used)

    def expiry(self, now: int) -> int | None:
        """Return why the rule expires at `now`, or None if it doesn't yet."""
        if self.hard_timeout and now > self.modified + self.hard_timeout * 1000:
            return HARD_TIMEOUT
        if self.idle_timeout and now > self.used + self.idle_timeout * 1000:
            return IDLE_TIMEOUT
        return None

    def reduce_timeouts(self, idle_timeout: int, hard_timeout: int) -> None:
        """Lower the timeouts to these, of which 0 stands for none (fin_timeout)."""
        self.idle_timeout = _lower(self.idle_timeout, idle_timeout)
        self.hard_timeout = _lower(self.hard_timeout, hard_timeout)


def _lower(timeout: int, limit: int) -> int:
    return limit if limit and (not timeout or timeout > limit) else timeout


def conjunctions_of(actions: tuple[Action, ...]) -> tuple[tuple[int, int, int], ...]:
    """Return (id, clause, n_clauses) of the conjunction actions, notes aside."""
    if not actions or not isinstance(actions[0], (Conjunction, Note)):
        return ()
    return tuple(
        (action.id, action.clause, action.n_clauses)
        for action in actions
        if isinstance(action, Conjunction)
    )
