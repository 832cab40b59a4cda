# SPDX-License-Identifier: Apache-2.0
"""One subtable of the classifier: all rules whose matches have the same mask.

Finding the rule that a flow matches is a probe of a dictionary, with the flow's
masked bits as the key. A failed probe has looked at every bit of the mask, and a
megaflow made from it would be that narrow; so before the final probe a subtable with
fields in several layers probes in *stages* (metadata, then layer 2, layer 3, layer 4),
each with the bits of the stages so far. The first that fails ends the search there,
with only those bits looked at. Prefix tries (see `trie`) cut a stage short too, and a
trie of the transport ports narrows a failure of the last one.

Source: the reference's classifier.h and classifier.c (find_match_wc), for which bits
count as looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from ovswitch.flow.layout import SLOTS
from ovswitch.ofproto.trie import PrefixTrie

if TYPE_CHECKING:
    from ovswitch.flow.fields import Field
    from ovswitch.flow.match import Match


class Entry(Protocol):
    """What the classifier asks of a rule."""

    match: Match
    priority: int
    conjunctions: tuple[tuple[int, int, int], ...]  # (id, clause, n_clauses)


E = TypeVar("E", bound=Entry)


def _mask_of(names: str) -> int:
    result = 0
    for name in names.split():
        result |= SLOTS[name].mask
    return result


_L2 = _mask_of(
    "dl_dst dl_src dl_type dl_pad vlan_tpid0 vlan_tci0 vlan_tpid1 vlan_tci1"
    " mpls_lse0 mpls_lse1 mpls_lse2 mpls_pad"
)
_L3 = _mask_of(
    "nw_src nw_dst ct_nw_src ct_nw_dst ipv6_src ipv6_dst ct_ipv6_src ct_ipv6_dst"
    " ipv6_label nw_frag nw_tos nw_ttl nw_proto"
)
_L4 = _mask_of(
    "nd_target arp_sha arp_tha tcp_flags l4_pad nsh_flags nsh_ttl nsh_mdtype nsh_np"
    " nsh_path_hdr nsh_c1 nsh_c2 nsh_c3 nsh_c4 tp_src tp_dst ct_tp_src ct_tp_dst"
    " igmp_group_ip4"
)
#: The stages' masks, in order: what of a flow each looks at.
SEGMENTS = (~(_L2 | _L3 | _L4) & ((1 << 8 * 4096) - 1), _L2, _L3, _L4)

_PORTS_SHIFT = SLOTS["tp_dst"].shift
_PORTS_MASK = 0xFFFFFFFF << _PORTS_SHIFT


def prefix_length(mask: int, field: Field) -> int:
    """Return how long a prefix of `field` is in `mask`; 0 if it holds none."""
    bits = field.get(mask)
    if not bits:
        return 0
    hole = ~bits & field.ones
    return 0 if hole & (hole + 1) else field.width - hole.bit_length()


def _leading(bits: int, width: int) -> int:
    """Return a mask of the first `bits` bits of `width`."""
    return (1 << width) - (1 << (width - bits))


class TrieUse:
    """How a subtable uses one of the classifier's tries: for prefixes this long."""

    __slots__ = ("field", "index", "length", "trie")

    def __init__(self, index: int, field: Field, trie: PrefixTrie, length: int) -> None:
        self.index = index
        self.field = field
        self.trie = trie
        self.length = length


class Stage(Generic[E]):
    """One step of a staged lookup.

    Attributes:
        mask: the bits of this stage and those before.
        counts: how many distinct matches share each value of those bits; None in the
            last stage, where the rules themselves are looked up.
        tries: prefixes in this stage's own bits.
        before: the mask of the stage before: what a trie's answer has cost.
    """

    __slots__ = ("before", "counts", "mask", "tries")

    def __init__(
        self,
        mask: int,
        before: int,
        counts: dict[int, int] | None,
        tries: tuple[TrieUse, ...],
    ) -> None:
        self.mask = mask
        self.before = before
        self.counts = counts
        self.tries = tries


class Subtable(Generic[E]):
    """The rules with one mask.

    Attributes:
        heads: by the masked value, the rule with the highest priority of those with it.
        lower: the other rules with that value, priorities descending.
        members: every rule by (value, priority), in the order of insertion.
        max_priority: the highest of all.
        stages: the steps of a lookup; None if there is but one, with neither trie nor
            ports to narrow it.
    """

    __slots__ = (
        "_n_max", "heads", "lower", "mask", "max_priority", "members", "ports_length",
        "ports_mask", "ports_trie", "stages", "tries",
    )  # fmt: skip

    def __init__(self, mask: int, tries: list[tuple[Field, PrefixTrie]]) -> None:
        self.mask = mask
        self.heads: dict[int, E] = {}
        self.lower: dict[int, list[E]] = {}
        self.members: dict[tuple[int, int], E] = {}
        self.max_priority = -1
        self._n_max = 0
        ports = (mask & _PORTS_MASK) >> _PORTS_SHIFT
        self.ports_mask = ports
        self.ports_length = 32 - ((ports & -ports).bit_length() - 1) if ports else 0
        self.ports_trie = PrefixTrie(32)
        self.set_tries(tries)

    def set_tries(self, tries: list[tuple[Field, PrefixTrie]]) -> None:
        """Use the classifier's `tries`; they must hold this subtable's prefixes."""
        self.tries = tuple(
            TrieUse(index, field, trie, prefix_length(self.mask, field))
            for index, (field, trie) in enumerate(tries)
            if prefix_length(self.mask, field)
        )
        self.stages = self._make_stages()
        for value in self.heads:
            self._count(value, 1)

    def _make_stages(self) -> list[Stage[E]] | None:
        stages: list[Stage[E]] = []
        so_far = 0
        for segment in SEGMENTS:
            bits = self.mask & segment
            if bits:
                tries = tuple(use for use in self.tries if use.field.mask & segment)
                stages.append(Stage(so_far | bits, so_far, {}, tries))
                so_far |= bits
        if stages:
            stages[-1].counts = None
        if len(stages) < 2 and not self.tries and not self.ports_length:
            return None
        return stages

    def lookup(
        self, flow: int, wildcards: int, answers: list[tuple[int, int] | None]
    ) -> tuple[E | None, int]:
        """Return (rule, wildcards): who matches `flow`, and all bits looked at so far.

        `answers` holds what the classifier's tries say of this flow, filled on demand.
        """
        stages = self.stages
        if stages is None:
            return self.heads.get(flow & self.mask), wildcards | self.mask
        for stage in stages:
            if stage.tries:
                skipped = _skip(stage.tries, flow, wildcards, answers)
                if skipped is not None:
                    return None, skipped | stage.before
            if stage.counts is None:
                break
            if flow & stage.mask not in stage.counts:
                return None, wildcards | stage.mask
        rule = self.heads.get(flow & self.mask)
        if rule is None and self.ports_length:
            return None, self._narrow_ports(flow, wildcards)
        return rule, wildcards | self.mask

    def _narrow_ports(self, flow: int, wildcards: int) -> int:
        """Return the bits looked at when only the transport ports may have failed."""
        bits, _ = self.ports_trie.lookup(flow >> _PORTS_SHIFT & self.ports_mask)
        ports = (self.ports_mask & _leading(bits, 32)) << _PORTS_SHIFT
        return wildcards | self.mask & ~_PORTS_MASK | ports

    def insert(self, rule: E) -> E | None:
        """Add `rule`; return the one with the same match and priority it replaces."""
        value, priority = rule.match.value, rule.priority
        old = self.members.get((value, priority))
        self.members[value, priority] = rule
        head = self.heads.get(value)
        if head is None:
            self.heads[value] = rule
            self._count(value, 1)
            if self.ports_length:
                self.ports_trie.insert(self._ports(value), self.ports_length)
            for use in self.tries:
                use.trie.insert(use.field.get(value), use.length)
        elif head is old:
            self.heads[value] = rule
        else:
            self._insert_below(value, head, rule, old)
        if old is None:
            self._grow(priority)
        return old

    def _insert_below(self, value: int, head: E, rule: E, old: E | None) -> None:
        below = self.lower.setdefault(value, [])
        if old is not None:
            below[below.index(old)] = rule
            return
        if rule.priority > head.priority:
            self.heads[value] = rule
            below.insert(0, head)
            return
        at = 0
        while at < len(below) and below[at].priority > rule.priority:
            at += 1
        below.insert(at, rule)

    def remove(self, rule: E) -> None:
        """Take `rule` out, which must be in."""
        value, priority = rule.match.value, rule.priority
        del self.members[value, priority]
        below = self.lower.get(value)
        if self.heads[value] is not rule:
            assert below is not None
            below.remove(rule)
        elif below:
            self.heads[value] = below.pop(0)
        else:
            del self.heads[value]
            self._count(value, -1)
            if self.ports_length:
                self.ports_trie.remove(self._ports(value), self.ports_length)
            for use in self.tries:
                use.trie.remove(use.field.get(value), use.length)
        if below is not None and not below:
            del self.lower[value]
        self._shrink(priority)

    def next_lower(self, rule: E) -> E | None:
        """Return the rule with `rule`'s match and the next lower priority, if any."""
        below = self.lower.get(rule.match.value, ())
        for candidate in below:
            if candidate.priority < rule.priority:
                return candidate
        return None

    def _ports(self, value: int) -> int:
        return value >> _PORTS_SHIFT & 0xFFFFFFFF

    def _count(self, value: int, change: int) -> None:
        for stage in self.stages or ():
            counts = stage.counts
            if counts is not None:
                key = value & stage.mask
                number = counts.get(key, 0) + change
                if number:
                    counts[key] = number
                else:
                    del counts[key]

    def _grow(self, priority: int) -> None:
        if priority > self.max_priority:
            self.max_priority = priority
            self._n_max = 1
        elif priority == self.max_priority:
            self._n_max += 1

    def _shrink(self, priority: int) -> None:
        if priority != self.max_priority:
            return
        self._n_max -= 1
        if not self._n_max:
            priorities = [rule.priority for rule in self.heads.values()]
            self.max_priority = max(priorities, default=-1)
            self._n_max = priorities.count(self.max_priority)

    def check_invariants(self) -> None:
        """Raise AssertionError unless all indexes agree with the members."""
        values = {value for value, _ in self.members}
        assert set(self.heads) == values
        listed = list(self.heads.values())
        for value, below in self.lower.items():
            assert below
            chain = [self.heads[value], *below]
            priorities = [rule.priority for rule in chain]
            assert priorities == sorted(set(priorities), reverse=True)
            listed += below
        assert {id(rule) for rule in listed} == {id(r) for r in self.members.values()}
        assert len(listed) == len(self.members)
        top = [rule.priority for rule in self.heads.values()]
        assert self.max_priority == max(top, default=-1)
        assert self._n_max == top.count(self.max_priority)
        if self.ports_length:
            assert self.ports_trie.check_invariants() == len(values)
        for stage in self.stages or ():
            if stage.counts is not None:
                expected: dict[int, int] = {}
                for value in values:
                    key = value & stage.mask
                    expected[key] = expected.get(key, 0) + 1
                assert stage.counts == expected


def _skip(
    tries: tuple[TrieUse, ...],
    flow: int,
    wildcards: int,
    answers: list[tuple[int, int] | None],
) -> int | None:
    """Return the bits looked at if a trie rules the subtable out, else None."""
    for use in tries:
        answer = answers[use.index]
        if answer is None:
            answer = answers[use.index] = _ask(use, flow)
        bits, lengths = answer
        if lengths >> use.length & 1:
            continue
        field = use.field
        looked_at = _leading(bits, field.width) << field.shift
        # The trie serves the whole classifier: its answer must not cost bits that
        # this subtable alone would not have looked at.
        if bits <= use.length:
            return wildcards | looked_at
        if wildcards & looked_at == looked_at:
            return wildcards
    return None


_ALL_LENGTHS = (0, (1 << 130) - 1)


def _ask(use: TrieUse, flow: int) -> tuple[int, int]:
    """Return what the trie says, unless the packet doesn't have the field at all."""
    if not trie_applies(use.field, flow):
        return _ALL_LENGTHS
    return use.trie.lookup(use.field.get(flow))


_DL_TYPE = SLOTS["dl_type"]
_ETH_TYPES = {"IPv4": (0x0800,), "IPv6": (0x86DD,), "ARP": (0x0806, 0x8035)}


def trie_applies(field: Field, flow: int) -> bool:
    """Return whether `flow`'s Ethertype gives `field` its meaning."""
    types = _ETH_TYPES.get(field.prereq)
    return types is None or _DL_TYPE.get(flow) in types
