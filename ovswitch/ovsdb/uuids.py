# SPDX-License-Identifier: Apache-2.0
"""UUIDs as the database keeps them: canonical lower-case strings of 36 characters.

Their order as strings is their order as numbers. The standard library's `uuid` module
isn't used: it costs a tool half of its start-up time.
"""

from __future__ import annotations

from posix import register_at_fork, urandom

LENGTH = 36
ZERO = "00000000-0000-0000-0000-000000000000"


_BATCH = 32
_ready: list[str] = []
register_at_fork(after_in_child=_ready.clear)  # or both would use the same


def generate() -> str:
    """Return a new random UUID (version 4)."""
    if not _ready:
        digits = urandom(16 * _BATCH).hex()
        _ready.extend(
            _version_4(digits[start : start + 32])
            for start in range(0, 32 * _BATCH, 32)
        )
    return _ready.pop()


def draw_from(pool: list[str]) -> None:
    """Take UUIDs from a pool; new ones are added to it when it is empty."""
    global _ready
    _ready = pool


def from_digits(digits: str) -> str:
    """Return the UUID of these 32 hexadecimal digits."""
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _version_4(digits: str) -> str:
    variant = "89ab"[ord(digits[16]) & 3]
    return (
        f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-"
        f"{variant}{digits[17:20]}-{digits[20:]}"
    )


def is_valid(text: str) -> bool:
    """Return whether `text` is a UUID in the form of RFC 4122."""
    if len(text) != LENGTH or not (text[8] == text[13] == text[18] == text[23] == "-"):
        return False
    try:
        return len(bytes.fromhex(text.replace("-", ""))) == 16
    except ValueError:
        return False


def parse(text: str) -> str | None:
    """Return `text` in canonical form, or None if it isn't a UUID."""
    return text.lower() if is_valid(text) else None


def row_name(uuid: str) -> str:
    """Return the symbolic name by which a row with that UUID can be inserted."""
    return "row" + uuid.replace("-", "_")
