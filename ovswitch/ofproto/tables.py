# SPDX-License-Identifier: Apache-2.0
"""All flow tables of a switch, and what flow mods do to them.

`apply()` carries out one flow mod completely or raises and changes nothing. Whoever
must know of changes (flow monitors, flow removed messages, the revalidator) is an
observer. Rules are also kept by cookie, because controllers delete "all my flows" that
way, and those with a timeout apart from the rest.

Rules above priority 65535 are *hidden*: the switch's own, which no flow mod can name.

Sources: OpenFlow 1.5.1 §6.4 and §7.3.4.2; the reference's ofproto.c for what is left
open there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ovswitch.flow.layout import SLOTS
from ovswitch.ofproto.flow_mod import (
    ADD,
    DELETE,
    DELETE_STRICT,
    MODIFY,
    MODIFY_STRICT,
    NO_BUFFER,
    OFPG_ANY,
    OFPP_ANY,
    FlowMod,
)
from ovswitch.ofproto.rule import (
    CHECK_OVERLAP,
    EVICTION,
    MAX_PRIORITY,
    NO_COOKIE,
    RESET_COUNTS,
    Rule,
)
from ovswitch.ofproto.rule import DELETE as REASON_DELETE
from ovswitch.ofproto.table import ALL_TABLES, N_TABLES, FlowTable
from ovswitch.openflow.actions.types import (
    Clone,
    Controller,
    Enqueue,
    Group,
    Learn,
    Output,
    WriteActions,
)
from ovswitch.openflow.errors import OpenFlowError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ovswitch.flow.match import Match
    from ovswitch.ofproto.flow_mod import FlowModLike
    from ovswitch.openflow.actions.types import Action

_ALL_ONES = 0xFFFFFFFFFFFFFFFF
_OFPP_CONTROLLER = 0xFFFD
_HIDDEN_FIELDS = SLOTS["recirc_id"].mask | SLOTS["dp_hash"].mask
_RECIRC_ID = SLOTS["recirc_id"]
_DP_HASH = SLOTS["dp_hash"]

LEARN_DELETE_LEARNED = 1 << 1  # a Learn action's flag


class Requester(Protocol):
    """Who asked for a change: an OpenFlow connection; monitors skip their own."""

    xid: int


class Observer(Protocol):
    """Who is told of changes, after they have been made."""

    def rule_added(
        self, rule: Rule, replaced: Rule | None, requester: object | None
    ) -> None:
        """`rule` was added, perhaps in place of another one."""

    def rule_modified(self, rule: Rule, old: Rule, requester: object | None) -> None:
        """`rule` took the place of `old` through a modify command."""

    def rule_removed(self, rule: Rule, requester: object | None) -> None:
        """`rule`, whose `removed_reason` says why, is gone."""


class FlowTables:
    """The tables 0 to 254.

    Attributes:
        version: counts changes; whoever cached an answer compares.
    """

    __slots__ = (
        "_by_cookie", "_clock", "_expirable", "_learned", "_observers", "group_exists",
        "tables", "version",
    )  # fmt: skip

    def __init__(self, clock: Callable[[], int]) -> None:
        self.tables = [FlowTable(table_id) for table_id in range(N_TABLES)]
        self.version = 0
        self.group_exists: Callable[[int], bool] = lambda group_id: False
        self._clock = clock
        self._observers: list[Observer] = []
        self._by_cookie: dict[int, dict[Rule, None]] = {}
        self._expirable: dict[Rule, None] = {}
        self._learned: dict[tuple[int, int], int] = {}

    def observe(self, observer: Observer) -> None:
        """Tell `observer` of all changes from now on."""
        self._observers.append(observer)

    def replace_observers(self, observers: list[Observer]) -> list[Observer]:
        """Tell only `observers` from now on; return who was told so far."""
        old, self._observers = self._observers, observers
        return old

    def __iter__(self) -> Iterator[FlowTable]:
        return iter(self.tables)

    def rules(self) -> Iterator[Rule]:
        """Yield all rules, hidden ones too."""
        for table in self.tables:
            if table.n_flows:
                yield from table.classifier

    # Flow mods.

    def apply(
        self,
        flow_mod: FlowModLike,
        requester: object | None = None,
        *,
        internal: bool = False,
    ) -> None:
        """Carry out one flow mod.

        Args:
            flow_mod: what to do.
            requester: who wants it, for the observers.
            internal: whether the switch itself does, and may touch hidden tables.

        Raises: OpenFlowError: nothing was changed.
        """
        command = flow_mod.command
        if command == ADD:
            self._check_new(flow_mod, internal)
            self._add(self._make(flow_mod), flow_mod, requester)
        elif command in {MODIFY, MODIFY_STRICT}:
            self._check_new(flow_mod, internal)
            self._modify(flow_mod, requester, internal)
        elif command in {DELETE, DELETE_STRICT}:
            rules = self.select(
                flow_mod, strict=command == DELETE_STRICT, writable=not internal
            )
            self.delete(rules, REASON_DELETE, requester)
        else:
            raise OpenFlowError("OFPFMFC_BAD_COMMAND")

    def check(self, flow_mod: FlowModLike) -> None:
        """Raise OpenFlowError if a flow mod fails whatever the tables hold."""
        if flow_mod.command in {ADD, MODIFY, MODIFY_STRICT}:
            self._check_new(flow_mod, internal=False)

    def _check_new(self, flow_mod: FlowModLike, internal: bool) -> None:
        table_id = flow_mod.table_id
        if table_id != ALL_TABLES and table_id >= N_TABLES:
            raise OpenFlowError("OFPBRC_BAD_TABLE_ID")
        table = self.tables[0 if table_id == ALL_TABLES else table_id]
        if table.readonly and not internal:
            raise OpenFlowError("OFPBRC_EPERM")
        match = flow_mod.match
        if match.mask & _HIDDEN_FIELDS and not internal and not _is_default(match):
            raise OpenFlowError("OFPBRC_EPERM")
        if flow_mod.buffer_id != NO_BUFFER:
            raise OpenFlowError("OFPBRC_BUFFER_UNKNOWN")

    def _make(self, flow_mod: FlowModLike) -> Rule:
        table_id = flow_mod.table_id
        return Rule(
            flow_mod.match,
            flow_mod.priority,
            flow_mod.actions,
            table_id=0 if table_id == ALL_TABLES else table_id,
            cookie=flow_mod.new_cookie,
            idle_timeout=flow_mod.idle_timeout,
            hard_timeout=flow_mod.hard_timeout,
            flags=flow_mod.flags,
            importance=flow_mod.importance,
            now=self._clock(),
        )

    def _add(self, rule: Rule, flow_mod: FlowModLike, requester: object | None) -> None:
        self.check_actions(rule.actions)
        table = self.tables[rule.table_id]
        old = table.classifier.find_exactly(rule.match, rule.priority)
        victim = None
        if old is None:
            if flow_mod.flags & CHECK_OVERLAP and table.classifier.overlaps(
                rule.match, rule.priority
            ):
                raise OpenFlowError("OFPFMFC_OVERLAP")
            if table.n_flows >= table.max_flows:
                victim = table.choose_victim()
                if victim is None:
                    raise OpenFlowError("OFPFMFC_TABLE_FULL")
        else:
            if rule.cookie == NO_COOKIE:
                rule.cookie = old.cookie
            keep_counts = not flow_mod.flags & RESET_COUNTS
            if flow_mod.command != ADD:
                _inherit(rule, old)
            _take_over(rule, old, keep_counts=keep_counts)
        if victim is not None:
            self.delete([victim], EVICTION, requester)
        self._insert(rule, old)
        for observer in self._observers:
            observer.rule_added(rule, old, requester)
        self._forget_learned(old)

    def _modify(
        self, flow_mod: FlowModLike, requester: object | None, internal: bool
    ) -> None:
        strict = flow_mod.command == MODIFY_STRICT
        olds = self.select(
            flow_mod, strict=strict, writable=not internal, outputs=False
        )
        if not olds:
            if flow_mod.new_cookie != NO_COOKIE and not flow_mod.cookie_mask:
                self._add(self._make(flow_mod), flow_mod, requester)
            return
        self.check_actions(flow_mod.actions)
        keep_counts = not flow_mod.flags & RESET_COUNTS
        for old in olds:
            new = self._make(flow_mod)
            new.match = old.match
            new.priority = old.priority
            new.table_id = old.table_id
            if not flow_mod.modify_cookie or new.cookie == NO_COOKIE:
                new.cookie = old.cookie
            _inherit(new, old)
            _take_over(new, old, keep_counts=keep_counts)
            self._insert(new, old)
            for observer in self._observers:
                observer.rule_modified(new, old, requester)
            self._forget_learned(old)

    def check_actions(self, actions: tuple[Action, ...]) -> None:
        """Raise OpenFlowError if `actions` name a group that isn't there."""
        for action in _flattened(actions):
            if isinstance(action, Group) and not self.group_exists(action.group_id):
                raise OpenFlowError("OFPBAC_BAD_OUT_GROUP")

    def select(
        self,
        request: FlowModLike,
        *,
        strict: bool = False,
        writable: bool = False,
        outputs: bool = True,
    ) -> list[Rule]:
        """Return the rules that a modify, delete or statistics request is about.

        Args:
            request: its table, match, priority, cookie and outputs.
            strict: whether match and priority must be the request's.
            writable: leave out read-only tables, and refuse if only they have any.
            outputs: whether the request's `out_port` and `out_group` count.

        Raises: OpenFlowError: no such table, or not permitted.
        """
        table_id = request.table_id
        if table_id != ALL_TABLES and table_id >= N_TABLES:
            raise OpenFlowError("OFPBRC_BAD_TABLE_ID")
        include_hidden = strict and request.priority > MAX_PRIORITY
        found: list[Rule] = []
        n_readonly = 0
        for rule in self._candidates(request, strict):
            if rule.is_hidden and not include_hidden:
                continue
            if (rule.cookie ^ request.cookie) & request.cookie_mask:
                continue
            if outputs and not _has_output(rule, request.out_port, request.out_group):
                continue
            if writable and self.tables[rule.table_id].readonly:
                n_readonly += 1
                continue
            found.append(rule)
        if not found and n_readonly:
            raise OpenFlowError("OFPBRC_EPERM")
        return found

    def _candidates(self, request: FlowModLike, strict: bool) -> Iterator[Rule]:
        """Yield the rules with the right table and match."""
        match = request.match
        table_id = request.table_id
        if request.cookie_mask == _ALL_ONES:
            for rule in list(self._by_cookie.get(request.cookie, ())):
                if table_id not in {ALL_TABLES, rule.table_id}:
                    continue
                if strict:
                    if rule.match == match and rule.priority == request.priority:
                        yield rule
                elif match.covers(rule.match):
                    yield rule
            return
        if table_id != ALL_TABLES:
            tables = [self.tables[table_id]]
        else:
            tables = [table for table in self.tables if not table.hidden]
        for table in tables:
            if not table.n_flows:
                continue
            if not strict:
                yield from table.classifier.matching(match)
                continue
            found = table.classifier.find_exactly(match, request.priority)
            if found is not None:
                yield found

    # Keeping the indexes.

    def _insert(self, rule: Rule, old: Rule | None) -> None:
        """Put `rule` into the tables, in place of `old` if that is given."""
        if old is not None:
            self._unindex(old)
        replaced = self.tables[rule.table_id].classifier.insert(rule)
        assert replaced is old
        self._by_cookie.setdefault(rule.cookie, {})[rule] = None
        if rule.idle_timeout or rule.hard_timeout:
            self._expirable[rule] = None
        for key in _learns(rule.actions):
            self._learned[key] = self._learned.get(key, 0) + 1
        self.version += 1

    def undo(self, added: Rule | None, removed: Rule | None) -> None:
        """Take back a change, the last one made: observers aren't told.

        Args:
            added: the rule that was added, if any; it goes.
            removed: the rule that it replaced or that was removed; it comes back.
        """
        for key in _learns(added.actions) if added is not None else ():
            self._learned[key] -= 1
            if not self._learned[key]:
                del self._learned[key]
        if removed is not None:
            removed.removed_reason = removed.replaced_by = None
            removed.forwards_counts = False
            self._insert(removed, added)
        elif added is not None:
            self._unindex(added)
            self.tables[added.table_id].classifier.remove(added)
            self.version += 1

    def _unindex(self, rule: Rule) -> None:
        same_cookie = self._by_cookie[rule.cookie]
        del same_cookie[rule]
        if not same_cookie:
            del self._by_cookie[rule.cookie]
        self._expirable.pop(rule, None)

    def delete(
        self, rules: list[Rule], reason: int, requester: object | None = None
    ) -> None:
        """Remove `rules`, which must be in the tables, for the given reason."""
        for rule in rules:
            if rule.removed_reason is not None:
                continue  # an earlier one's removal took it along
            self._unindex(rule)
            self.tables[rule.table_id].classifier.remove(rule)
            rule.removed_reason = reason
            self.version += 1
            for observer in self._observers:
                observer.rule_removed(rule, requester)
            self._forget_learned(rule)

    def _forget_learned(self, rule: Rule | None) -> None:
        """Delete what the gone `rule` had learned, if its actions ask for that."""
        for key in _learns(rule.actions) if rule is not None else ():
            left = self._learned[key] - 1
            if left:
                self._learned[key] = left
                continue
            del self._learned[key]
            cookie, table_id = key
            learned = FlowMod(
                DELETE, table_id=table_id, cookie=cookie, cookie_mask=_ALL_ONES
            )
            self.delete(self.select(learned), REASON_DELETE)

    def set_expirable(self, rule: Rule) -> None:
        """Note that `rule` got a timeout after it was added."""
        if rule.removed_reason is None and (rule.idle_timeout or rule.hard_timeout):
            self._expirable[rule] = None

    def expire(self, now: int) -> None:
        """Remove the rules whose time is over at `now`."""
        for rule in list(self._expirable):
            reason = rule.expiry(now)
            if reason is not None and rule.removed_reason is None:
                self.delete([rule], reason)

    @property
    def n_expirable(self) -> int:
        """How many rules have a timeout."""
        return len(self._expirable)

    def limit(self, table_id: int, max_flows: int) -> None:
        """Let a table hold at most `max_flows`, giving up what it may of the rest."""
        table = self.tables[table_id]
        table.max_flows = max_flows
        while table.n_flows > max_flows:
            victim = table.choose_victim()
            if victim is None:
                return
            self.delete([victim], EVICTION)

    def flush(self, *, hidden: bool = False) -> None:
        """Remove every rule a controller can see; with `hidden` the others too.

        Only the internal table stays.
        """
        for table in self.tables:
            if not table.hidden and table.n_flows:
                rules = [r for r in table.classifier if hidden or not r.is_hidden]
                self.delete(rules, REASON_DELETE)

    def check_invariants(self) -> None:
        """Raise AssertionError unless the indexes agree with the tables."""
        rules = set(self.rules())
        indexed = [rule for same in self._by_cookie.values() for rule in same]
        assert set(indexed) == rules
        assert len(indexed) == len(rules)
        for cookie, same in self._by_cookie.items():
            assert same
            assert all(rule.cookie == cookie for rule in same)
        timed = {rule for rule in rules if rule.idle_timeout or rule.hard_timeout}
        assert set(self._expirable) == timed
        for table in self.tables:
            if table.n_flows:
                table.classifier.check_invariants()


def _is_default(match: Match) -> bool:
    """Return whether the fields that only the switch may set have no say."""
    return not _RECIRC_ID.get(match.value) and not _DP_HASH.get(match.mask)


def _inherit(new: Rule, old: Rule) -> None:
    """Give `new` what a modify command leaves alone."""
    new.idle_timeout = old.idle_timeout
    new.hard_timeout = old.hard_timeout
    new.importance = old.importance
    new.flags = old.flags
    new.created = old.created


def _take_over(new: Rule, old: Rule, *, keep_counts: bool) -> None:
    """Give `new` the statistics of `old`, whose late ones follow."""
    if keep_counts:
        new.n_packets = old.n_packets
        new.n_bytes = old.n_bytes
    new.used = old.used
    old.replaced_by = new
    old.forwards_counts = keep_counts


def _flattened(actions: tuple[Action, ...]) -> Iterator[Action]:
    """Yield all actions, those inside others too."""
    for action in actions:
        yield action
        if isinstance(action, (WriteActions, Clone)):
            yield from _flattened(action.actions)


def _learns(actions: tuple[Action, ...]) -> Iterator[tuple[int, int]]:
    """Yield (cookie, table) of what goes when the learning rule does."""
    for action in _flattened(actions):
        if isinstance(action, Learn) and action.flags & LEARN_DELETE_LEARNED:
            yield action.cookie, action.table_id


def _has_output(rule: Rule, out_port: int, out_group: int) -> bool:
    if out_port == OFPP_ANY and out_group == OFPG_ANY:
        return True
    to_port = out_port == OFPP_ANY
    to_group = out_group == OFPG_ANY
    for action in _flattened(rule.actions):
        if isinstance(action, (Output, Enqueue)):
            to_port = to_port or action.port == out_port
        elif isinstance(action, Controller):
            to_port = to_port or out_port == _OFPP_CONTROLLER
        elif isinstance(action, Group):
            to_group = to_group or action.group_id == out_group
    return to_port and to_group
