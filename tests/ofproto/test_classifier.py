# SPDX-License-Identifier: Apache-2.0
"""The classifier against a list of rules, and what its wildcards promise."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovswitch.flow.fields import FIELDS
from ovswitch.flow.match import Match
from ovswitch.ofproto.classifier import Classifier
from ovswitch.ofproto.trie import PrefixTrie


class Rule:
    def __init__(self, match, priority, conjunctions=()):
        self.match = match
        self.priority = priority
        self.conjunctions = conjunctions

    def __repr__(self):
        return f"Rule({self.match}, {self.priority})"


ADDRESSES = (0x0A000001, 0x0A000002, 0x0A010101, 0xC0A80001)
# Few values a field, so that rules and flows meet often.
_CHOICES = (
    ("metadata", (0, 1, 2), (0xFFFFFFFFFFFFFFFF, 3)),
    ("in_port", (1, 2, 3), (0xFFFFFFFF,)),
    ("eth_type", (0x0800, 0x86DD, 0x0806), (0xFFFF,)),
    ("eth_src", (1, 2), (0xFFFFFFFFFFFF, 0xFF)),
    ("ip_src", ADDRESSES, (0xFFFFFFFF, 0xFF000000, 0xFFFF0000, 0xFFFFFF00)),
    ("ip_dst", ADDRESSES, (0xFFFFFFFF, 0xFF000000, 0x00FF00FF)),
    ("ipv6_src", (1, 1 << 127, (1 << 127) + 5), ((1 << 128) - 1, 3 << 126)),
    ("tcp_src", (80, 443, 0x8000), (0xFFFF, 0xF000)),
    ("tcp_dst", (80, 443, 0x8000), (0xFFFF, 0xFF00)),
)  # fmt: skip


def random_match(rng):
    match = Match()
    for name, values, masks in rng.sample(_CHOICES, rng.randint(0, 4)):
        match = match.with_field(FIELDS[name], rng.choice(values), rng.choice(masks))
    return match


def random_flow(rng):
    flow = 0
    for name, values, _ in _CHOICES:
        flow = FIELDS[name].put(flow, rng.choice(values))
    return flow


def naive_lookup(rules, flow):
    return max(
        (rule for rule in rules if rule.match.holds(flow)),
        key=lambda rule: rule.priority,
        default=None,
    )


def assert_same_answer(classifier, rules, flow, rng):
    found, wildcards = classifier.lookup(flow)
    expected = naive_lookup(rules, flow)
    assert (found and found.priority) == (expected and expected.priority)
    assert found is None or found.match.holds(flow)
    # Whatever agrees in the bits looked at must get the same answer.
    for _ in range(5):
        other = random_flow(rng) & ~wildcards | flow & wildcards
        again, _ = classifier.lookup(other)
        assert again is found


@pytest.mark.parametrize("seed", range(12))
def test_it_finds_what_a_list_finds_through_additions_and_removals(seed):
    rng = random.Random(seed)
    prefixes = rng.sample(
        [FIELDS[name] for name in ("ip_src", "ip_dst", "ipv6_src")], seed % 4
    )
    classifier = Classifier(prefixes)
    rules = []
    for step in range(160):
        if rules and rng.random() < 0.4:
            victim = rules.pop(rng.randrange(len(rules)))
            classifier.remove(victim)
        else:
            rule = Rule(random_match(rng), rng.randint(0, 12))
            replaced = classifier.insert(rule)
            if replaced is not None:
                assert replaced.match == rule.match
                assert replaced.priority == rule.priority
                rules.remove(replaced)
            rules.append(rule)
        if step % 4 == 0:
            classifier.check_invariants()
            assert_same_answer(classifier, rules, random_flow(rng), rng)
    assert len(classifier) == len(rules)
    assert sorted(map(id, classifier)) == sorted(map(id, rules))


@pytest.mark.parametrize("seed", range(6))
def test_changing_the_prefix_fields_changes_no_answer(seed):
    rng = random.Random(seed)
    classifier = Classifier()
    rules = []
    for _ in range(60):
        rule = Rule(random_match(rng), rng.randint(0, 30))
        old = classifier.insert(rule)
        if old is not None:
            rules.remove(old)
        rules.append(rule)
    for names in (("ip_dst", "ip_src"), ("ipv6_src",), ()):
        assert classifier.set_prefixes([FIELDS[name] for name in names])
        classifier.check_invariants()
        for _ in range(20):
            assert_same_answer(classifier, rules, random_flow(rng), rng)


@pytest.mark.parametrize("seed", range(6))
def test_matching_overlaps_and_exact_find_agree_with_a_list(seed):
    rng = random.Random(seed)
    classifier = Classifier([FIELDS["ip_dst"]])
    rules = []
    for _ in range(50):
        rule = Rule(random_match(rng), rng.randint(0, 3))
        old = classifier.insert(rule)
        if old is not None:
            rules.remove(old)
        rules.append(rule)
    for _ in range(60):
        match, priority = random_match(rng), rng.randint(0, 3)
        loose = {id(rule) for rule in rules if match.covers(rule.match)}
        assert {id(rule) for rule in classifier.matching(match)} == loose
        overlaps = any(
            rule.priority == priority and rule.match.overlaps(match) for rule in rules
        )
        assert classifier.overlaps(match, priority) == overlaps
        exact = [r for r in rules if r.match == match and r.priority == priority]
        assert classifier.find_exactly(match, priority) is (exact[0] if exact else None)


def exact(name, value):
    return Match().with_field(FIELDS[name], value)


def test_stages_leave_later_layers_unlooked_at():
    classifier = Classifier()
    match = exact("in_port", 1).with_field(FIELDS["tcp_dst"], 80)
    classifier.insert(Rule(match, 10))
    rule, wildcards = classifier.lookup(FIELDS["in_port"].put(0, 2))
    assert rule is None
    assert wildcards == FIELDS["in_port"].mask


def test_the_ports_trie_narrows_a_failed_last_stage():
    classifier = Classifier()
    classifier.insert(Rule(exact("tcp_dst", 0x0050), 10))
    _, wildcards = classifier.lookup(FIELDS["tcp_dst"].put(0, 0x8000))
    assert wildcards == 0x8000 << FIELDS["tcp_dst"].shift


def test_a_prefix_trie_skips_a_subtable_for_few_bits():
    classifier = Classifier([FIELDS["ip_dst"]])
    match = exact("eth_type", 0x0800).with_field(
        FIELDS["ip_dst"], 0x0A000000, 0xFF000000
    )
    classifier.insert(Rule(match, 10))
    flow = FIELDS["ip_dst"].put(FIELDS["eth_type"].put(0, 0x0800), 0xC0A80001)
    _, wildcards = classifier.lookup(flow)
    assert FIELDS["ip_dst"].get(wildcards) == 0x80000000


def conjunctive(id_=7):
    classifier = Classifier()
    classifier.insert(Rule(exact("ip_src", 1), 10, ((id_, 0, 2),)))
    classifier.insert(Rule(exact("ip_src", 2), 10, ((id_, 0, 2),)))
    classifier.insert(Rule(exact("tcp_dst", 80), 10, ((id_, 1, 2),)))
    target = Rule(exact("conj_id", id_), 5)
    classifier.insert(target)
    return classifier, target


def test_a_conjunction_matches_when_every_clause_does():
    classifier, target = conjunctive()
    flow = FIELDS["tcp_dst"].put(FIELDS["ip_src"].put(0, 2), 80)
    assert classifier.lookup(flow)[0] is target


def test_a_conjunction_with_a_missing_clause_falls_back_to_lower_priorities():
    classifier, _ = conjunctive()
    low = Rule(exact("ip_src", 2), 3)
    classifier.insert(low)
    flow = FIELDS["tcp_dst"].put(FIELDS["ip_src"].put(0, 2), 81)
    assert classifier.lookup(flow)[0] is low
    assert classifier.lookup(FIELDS["ip_src"].put(0, 1))[0] is None


def test_a_certain_match_beats_a_conjunction_of_lower_priority():
    classifier, _ = conjunctive()
    high = Rule(exact("ip_src", 1), 11)
    classifier.insert(high)
    flow = FIELDS["tcp_dst"].put(FIELDS["ip_src"].put(0, 1), 80)
    assert classifier.lookup(flow)[0] is high


prefixes = st.lists(
    st.tuples(st.integers(0, 255), st.integers(1, 8)), min_size=0, max_size=12
)


@given(prefixes, st.integers(0, 255))
@settings(max_examples=100, deadline=None)
def test_a_trie_knows_the_matching_lengths_and_enough_bits(pairs, value):
    trie = PrefixTrie(8)
    for prefix, length in pairs:
        trie.insert(prefix, length)
    assert trie.check_invariants() == len(pairs)

    def lengths_for(key):
        result = 0
        for prefix, length in pairs:
            if not (key ^ prefix) >> (8 - length):
                result |= 1 << length
        return result

    bits, lengths = trie.lookup(value)
    assert lengths == lengths_for(value)
    for other in range(256):
        if not (value ^ other) >> (8 - bits):
            assert lengths_for(other) == lengths
    for prefix, length in pairs:
        trie.remove(prefix, length)
        trie.check_invariants()
    assert not trie
