# SPDX-License-Identifier: Apache-2.0
"""Command lines as text, for comments and messages."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_SPECIAL = " \t\r\n\v\\'\""


def escape_words(words: Iterable[str]) -> str:
    """Join words by spaces; one with spaces, quotes or backslashes is quoted."""
    return " ".join(_escape(word) for word in words)


def _escape(word: str) -> str:
    if not any(character in _SPECIAL for character in word):
        return word
    quoted = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"'
