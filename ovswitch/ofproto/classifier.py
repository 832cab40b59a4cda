# SPDX-License-Identifier: Apache-2.0
"""The classifier: the rule with the highest priority that matches a flow.

Tuple space search: a subtable a mask (see `subtable`), visited in the order of their
highest priority, so that the search ends when no later one can win. Besides the rule a
lookup returns its *wildcards*: all bits it looked at. They become the megaflow's mask,
and may be wider than necessary (slow) but never narrower (wrong): two flows that agree
in those bits must get the same answer.

Conjunctive matches: a rule with conjunction actions is not a match by itself. When
rules for all clauses of a conjunction match, the lookup is repeated with `conj_id` set.

Single-threaded: a caller sees its own changes at once. Adding and removing cost one
dictionary update a stage; a lookup costs some 0.3 us a subtable visited.

Sources: the reference's classifier.h and classifier.c; Srinivasan et al., "Packet
Classification using Tuple Space Search".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic

from ovswitch.flow.layout import SLOTS
from ovswitch.ofproto.subtable import E, Subtable
from ovswitch.ofproto.trie import PrefixTrie

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ovswitch.flow.fields import Field
    from ovswitch.flow.match import Match

MAX_TRIES = 3

_CONJ_ID = SLOTS["conj_id"]
_NEVER = -(1 << 62)


class Classifier(Generic[E]):
    """Rules by match and priority."""

    __slots__ = ("_by_mask", "_subtables", "_tries", "n_rules")

    def __init__(self, prefixes: Sequence[Field] = ()) -> None:
        """Make an empty classifier with prefix tries for the fields `prefixes`."""
        self.n_rules = 0
        self._by_mask: dict[int, Subtable[E]] = {}
        self._subtables: list[Subtable[E]] = []  # by max_priority, descending
        self._tries: list[tuple[Field, PrefixTrie]] = []
        self.set_prefixes(prefixes)

    def set_prefixes(self, prefixes: Sequence[Field]) -> bool:
        """Keep tries for the first MAX_TRIES of `prefixes`; return if that changed."""
        wanted = list(prefixes)[:MAX_TRIES]
        if wanted == [field for field, _ in self._tries]:
            return False
        self._tries = [(field, PrefixTrie(field.width)) for field in wanted]
        for subtable in self._subtables:
            subtable.set_tries(self._tries)
            for use in subtable.tries:
                for value in subtable.heads:
                    use.trie.insert(use.field.get(value), use.length)
        return True

    @property
    def prefixes(self) -> list[Field]:
        """The fields that have tries."""
        return [field for field, _ in self._tries]

    def insert(self, rule: E) -> E | None:
        """Add `rule`; return the one with the same match and priority it replaces."""
        mask = rule.match.mask
        subtable = self._by_mask.get(mask)
        if subtable is None:
            subtable = self._by_mask[mask] = Subtable(mask, self._tries)
            self._subtables.append(subtable)
        before = subtable.max_priority
        old = subtable.insert(rule)
        if subtable.max_priority != before:
            self._subtables.sort(key=_order)
        if old is None:
            self.n_rules += 1
        return old

    def remove(self, rule: E) -> None:
        """Take `rule` out, which must be in."""
        mask = rule.match.mask
        subtable = self._by_mask[mask]
        before = subtable.max_priority
        subtable.remove(rule)
        self.n_rules -= 1
        if not subtable.members:
            del self._by_mask[mask]
            # The reference fills the gap with the last one: ties are visited likewise.
            last = self._subtables.pop()
            if last is not subtable:
                self._subtables[self._subtables.index(subtable)] = last
                self._subtables.sort(key=_order)
        elif subtable.max_priority != before:
            self._subtables.sort(key=_order)

    def lookup(self, flow: int, wildcards: int = 0) -> tuple[E | None, int]:
        """Return (rule or None, `wildcards` and the bits that were looked at)."""
        best: E | None = None
        best_priority = _NEVER
        soft: list[E] = []
        answers: list[tuple[int, int] | None] = [None, None, None]
        for subtable in self._subtables:
            if subtable.max_priority <= best_priority:
                break
            if subtable.stages is None:
                rule = subtable.heads.get(flow & subtable.mask)
                wildcards |= subtable.mask
            else:
                rule, wildcards = subtable.lookup(flow, wildcards, answers)
            if rule is not None and rule.priority > best_priority:
                if rule.conjunctions:
                    soft.append(rule)
                else:
                    best = rule
                    best_priority = rule.priority
        if not soft:
            return best, wildcards
        return self._resolve(flow, wildcards, best, soft)

    def _resolve(
        self, flow: int, wildcards: int, best: E | None, soft: list[E]
    ) -> tuple[E | None, int]:
        """Weigh `soft`, parts of conjunctive matches, against `best`, a whole one."""
        while True:
            floor = _NEVER if best is None else best.priority
            soft = [rule for rule in soft if rule.priority > floor]
            if not soft:
                return best, wildcards
            top = max(rule.priority for rule in soft)
            highest = [rule for rule in soft if rule.priority == top]
            for conj_id in _complete(highest):
                found, wildcards = self._lookup_hard(
                    _CONJ_ID.put(flow, conj_id), wildcards
                )
                if found is not None:
                    return found, wildcards
            # Drop back to rules with the same match and a lower priority.
            soft = [rule for rule in soft if rule.priority != top]
            for rule in highest:
                lower = self._by_mask[rule.match.mask].next_lower(rule)
                if lower is None:
                    continue
                if lower.conjunctions:
                    soft.append(lower)
                elif best is None or lower.priority > best.priority:
                    best = lower

    def _lookup_hard(self, flow: int, wildcards: int) -> tuple[E | None, int]:
        """As lookup(), but parts of conjunctive matches don't count."""
        best: E | None = None
        best_priority = _NEVER
        answers: list[tuple[int, int] | None] = [None, None, None]
        for subtable in self._subtables:
            if subtable.max_priority <= best_priority:
                break
            rule, wildcards = subtable.lookup(flow, wildcards, answers)
            if rule is None or rule.conjunctions or rule.priority <= best_priority:
                continue
            best = rule
            best_priority = rule.priority
        return best, wildcards

    def find_exactly(self, match: Match, priority: int) -> E | None:
        """Return the rule with exactly this match and priority."""
        subtable = self._by_mask.get(match.mask)
        if subtable is None:
            return None
        return subtable.members.get((match.value, priority))

    def overlaps(self, match: Match, priority: int) -> bool:
        """Return whether a packet could match both this and a rule of this priority."""
        for subtable in self._subtables:
            if subtable.max_priority < priority:
                break
            common = subtable.mask & match.mask
            wanted = match.value & common
            for value, rule_priority in subtable.members:
                if rule_priority == priority and value & common == wanted:
                    return True
        return False

    def matching(self, match: Match) -> Iterator[E]:
        """Yield the rules at least as specific as `match`; it may change meanwhile.

        In the order of iteration: subtables by their highest priority, rules in a
        subtable as they were added.
        """
        mask, wanted = match.mask, match.value
        for subtable in list(self._subtables):
            if mask & ~subtable.mask:
                continue
            if mask == subtable.mask:
                head = subtable.heads.get(wanted)
                if head is not None:
                    below = list(subtable.lower.get(wanted, ()))
                    if below:
                        both = {id(head), *(id(rule) for rule in below)}
                        for rule in list(subtable.members.values()):
                            if id(rule) in both:
                                yield rule
                    else:
                        yield head
                continue
            for (value, _), rule in list(subtable.members.items()):
                if value & mask == wanted:
                    yield rule

    def __iter__(self) -> Iterator[E]:
        for subtable in list(self._subtables):
            yield from list(subtable.members.values())

    def __len__(self) -> int:
        return self.n_rules

    def check_invariants(self) -> None:
        """Raise AssertionError unless subtables, tries and counts agree."""
        assert {id(s) for s in self._subtables} == {
            id(s) for s in self._by_mask.values()
        }
        order = [subtable.max_priority for subtable in self._subtables]
        assert order == sorted(order, reverse=True)
        assert self.n_rules == sum(len(s.members) for s in self._subtables)
        users = [0] * len(self._tries)
        for mask, subtable in self._by_mask.items():
            assert subtable.mask == mask
            assert subtable.members
            subtable.check_invariants()
            for use in subtable.tries:
                users[use.index] += len(subtable.heads)
        for (_, trie), number in zip(self._tries, users, strict=True):
            assert trie.check_invariants() == number


def _order(subtable: Subtable[E]) -> int:
    return -subtable.max_priority


def _complete(rules: list[E]) -> Iterator[int]:
    """Yield the ids of the conjunctions all of whose clauses are among `rules`."""
    missing: dict[int, int] = {}
    for rule in rules:
        conjunctions = rule.conjunctions
        if len(rules) < min(n for _, _, n in conjunctions):
            continue
        for conj_id, clause, n_clauses in conjunctions:
            if n_clauses > len(rules):
                continue
            left = missing.get(conj_id, (1 << n_clauses) - 1) & ~(1 << clause)
            missing[conj_id] = left
            if not left:
                yield conj_id
                break
