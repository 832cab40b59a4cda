# SPDX-License-Identifier: Apache-2.0
"""One flow table: its rules, its configuration and its counters."""

from __future__ import annotations

from ovswitch.flow.fields import FIELDS
from ovswitch.ofproto.classifier import Classifier
from ovswitch.ofproto.rule import Rule

N_TABLES = 255  # 0 to 254
INTERNAL_TABLE = 254
ALL_TABLES = 255

#: What happens to a packet that matches no rule of a table.
MISS_DEFAULT, MISS_CONTROLLER, MISS_CONTINUE, MISS_DROP = range(4)

UNLIMITED = 0xFFFFFFFF
MAX_NAME_LEN = 31

DEFAULT_PREFIXES = (FIELDS["ip_dst"], FIELDS["ip_src"])


class FlowTable:
    """A flow table.

    Attributes:
        name: what configuration or a controller called it; "" for none.
        name_level: who did: 1 a controller, 2 the database, which goes first.
        max_flows: how many rules it may hold.
        eviction: whether a full table gives up a rule that would expire anyway.
        miss: what to do with packets that no rule matches.
        hidden, readonly: whether controllers may see and change it.
        vacancy_event: the reason of the next vacancy message, 0 if none was asked for.
        n_matched, n_missed: packets that some, no rule matched.
    """

    __slots__ = (
        "classifier", "eviction", "hidden", "max_flows", "miss", "n_matched",
        "n_missed", "name", "name_level", "readonly", "table_id", "vacancy_down",
        "vacancy_event", "vacancy_up",
    )  # fmt: skip

    def __init__(self, table_id: int) -> None:
        self.table_id = table_id
        self.classifier: Classifier[Rule] = Classifier(DEFAULT_PREFIXES)
        self.name = ""
        self.name_level = 0
        self.max_flows = UNLIMITED
        self.eviction = False
        self.miss = MISS_DEFAULT
        self.hidden = self.readonly = table_id == INTERNAL_TABLE
        self.vacancy_down = 0
        self.vacancy_up = 0
        self.vacancy_event = 0
        self.n_matched = 0
        self.n_missed = 0

    @property
    def n_flows(self) -> int:
        """How many rules there are."""
        return self.classifier.n_rules

    def vacancy(self) -> int:
        """Return how much of the table is free, in percent."""
        free = max(self.max_flows - self.n_flows, 0)
        return free * 100 // self.max_flows if self.max_flows else 0

    def set_name(self, name: str, level: int) -> None:
        """Name the table, unless someone of a higher level did; "" takes it back."""
        if level >= self.name_level:
            self.name = name[:MAX_NAME_LEN]
            self.name_level = level if name else 0

    def choose_victim(self) -> Rule | None:
        """Return the rule that a full table should give up, if it may give up any.

        Only rules with a timeout are ever given up: the least important first, then the
        one that would expire soonest.
        """
        if not self.eviction:
            return None
        victims = [
            rule for rule in self.classifier if rule.idle_timeout or rule.hard_timeout
        ]
        return min(victims, key=_eviction_order, default=None)


def _eviction_order(rule: Rule) -> tuple[int, int]:
    deadlines = []
    if rule.hard_timeout:
        deadlines.append(rule.modified + rule.hard_timeout * 1000)
    if rule.idle_timeout:
        deadlines.append(rule.used + rule.idle_timeout * 1000)
    return rule.importance, min(deadlines)
