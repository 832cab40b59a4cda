# SPDX-License-Identifier: Apache-2.0
"""Prefix tries: which prefix lengths can match a value, and how many bits say so.

The classifier asks a trie before it searches a subtable whose mask holds a prefix of
the trie's field. If no rule has a prefix of that length here, the subtable is skipped,
and only the bits that told so have been looked at: a megaflow for 10.1.2.3 need not
match all 32 bits only because some rule is about 192.168.0.0/16.

A path-compressed binary trie. Each node stands for a prefix; a node without rules is
a branching point. A lookup visits at most one node a distinct prefix length on the way,
so its cost is bounded by the width of the field. One trie counts how many matches have
each prefix, so the same prefix may be inserted many times.

Source: the reference's classifier.c, "A longest-prefix match tree", for the number of
bits that a lookup counts as looked at.
"""

from __future__ import annotations


class _Node:
    """A prefix: the first `length` bits of `value` (whose other bits are 0)."""

    __slots__ = ("length", "n_rules", "one", "value", "zero")

    def __init__(self, value: int, length: int, n_rules: int) -> None:
        self.value = value
        self.length = length
        self.n_rules = n_rules
        self.zero: _Node | None = None
        self.one: _Node | None = None


class PrefixTrie:
    """Prefixes of values of `width` bits."""

    __slots__ = ("_root", "width")

    def __init__(self, width: int) -> None:
        self.width = width
        self._root: _Node | None = None

    def __bool__(self) -> bool:
        return self._root is not None

    def lookup(self, value: int) -> tuple[int, int]:
        """Return (bits, lengths) for `value`.

        `bits` is how many leading bits were needed to know the answer; `lengths` has
        bit N set if some rule's prefix of N bits matches `value`.
        """
        width = self.width
        node = self._root
        previous = None
        matched = lengths = 0
        while node is not None:
            differing = (value ^ node.value) >> (width - node.length)
            if differing:
                return node.length - differing.bit_length() + 1, lengths
            matched = node.length
            if node.n_rules:
                lengths |= 1 << matched
            if matched >= width:
                return width, lengths
            previous = node
            node = node.one if value >> (width - 1 - matched) & 1 else node.zero
        if previous is None or (previous.zero is None and previous.one is None):
            return matched, lengths
        return matched + 1, lengths  # the bit that told the other branch apart

    def insert(self, value: int, length: int) -> None:
        """Count one more rule with the first `length` (> 0) bits of `value`."""
        width = self.width
        unused = width - length
        value = value >> unused << unused
        parent: _Node | None = None
        node = self._root
        while node is not None:
            size = node.length
            if size <= length:
                differing = (value ^ node.value) >> (width - size)
                if not differing:
                    if size == length:
                        node.n_rules += 1
                        return
                    parent = node
                    node = node.one if value >> (width - 1 - size) & 1 else node.zero
                    continue
                common = size - differing.bit_length()
            else:
                common = length - ((value ^ node.value) >> unused).bit_length()
            self._replace(parent, node, self._split(node, value, length, common))
            return
        self._attach(parent, _Node(value, length, 1))

    def remove(self, value: int, length: int) -> None:
        """Undo one `insert()`."""
        width = self.width
        value = value >> (width - length) << (width - length)
        path: list[_Node] = []
        node = self._root
        while node is not None and node.length < length:
            path.append(node)
            node = self._child(node, value)
        assert node is not None
        assert node.length == length
        assert node.value == value
        node.n_rules -= 1
        self._prune(path, node)

    def _child(self, node: _Node, value: int) -> _Node | None:
        bit = value >> (self.width - 1 - node.length) & 1
        return node.one if bit else node.zero

    def _attach(self, parent: _Node | None, child: _Node) -> None:
        if parent is None:
            self._root = child
        elif child.value >> (self.width - 1 - parent.length) & 1:
            parent.one = child
        else:
            parent.zero = child

    def _split(self, node: _Node, value: int, length: int, common: int) -> _Node:
        """Return a node above `node` that also holds the new prefix."""
        keep = self.width - common
        above = _Node(value >> keep << keep, common, 1 if common == length else 0)
        self._attach(above, node)
        if common < length:
            self._attach(above, _Node(value, length, 1))
        return above

    def _replace(self, parent: _Node | None, old: _Node, new: _Node | None) -> None:
        if parent is None:
            self._root = new
        elif parent.one is old:
            parent.one = new
        else:
            parent.zero = new

    def _prune(self, path: list[_Node], node: _Node) -> None:
        """Take out `node` and those above it that hold neither rule nor branch."""
        while not node.n_rules and (node.zero is None or node.one is None):
            child = node.one if node.zero is None else node.zero
            parent = path.pop() if path else None
            self._replace(parent, node, child)
            if child is not None or parent is None:
                return
            node = parent

    def check_invariants(self) -> int:
        """Raise AssertionError if the trie is malformed; return its number of rules."""
        return self._check(self._root, -1, 0)

    def _check(self, node: _Node | None, above: int, prefix: int) -> int:
        if node is None:
            return 0
        width = self.width
        assert above < node.length <= width
        assert node.value & ((1 << (width - node.length)) - 1) == 0
        if above >= 0:
            assert node.value >> (width - above) == prefix >> (width - above)
        assert node.n_rules or (node.zero is not None and node.one is not None)
        return (
            node.n_rules
            + self._check(node.zero, node.length, node.value)
            + self._check(node.one, node.length, node.value)
        )
