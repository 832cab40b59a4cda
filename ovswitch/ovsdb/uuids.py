# SPDX-License-Identifier: Apache-2.0
"""UUIDs as the database keeps them: canonical lower-case strings of 36 characters.

Their order as strings is their order as numbers. The standard library's `uuid` module
isn't used: it costs a tool half of its start-up time.
"""

from __future__ import annotations

from os import urandom

LENGTH = 36
ZERO = "00000000-0000-0000-0000-000000000000"


def generate() -> str:
    """Return a new random UUID (version 4)."""
    digits = urandom(16).hex()
    variant = "89ab"[ord(digits[16]) & 3]
    return (
        f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-"
        f"{variant}{digits[17:20]}-{digits[20:]}"
    )


def is_valid(text: str) -> bool:
    """Return whether `text` is a UUID in the form of RFC 4122."""
    if len(text) != LENGTH:
        return False
    parts = text.split("-")
    if [len(part) for part in parts] != [8, 4, 4, 4, 12]:
        return False
    digits = "".join(parts)
    if not digits.isalnum():
        return False
    try:
        bytes.fromhex(digits)
    except ValueError:
        return False
    return True


def parse(text: str) -> str | None:
    """Return `text` in canonical form, or None if it isn't a UUID."""
    return text.lower() if is_valid(text) else None


def row_name(uuid: str) -> str:
    """Return the symbolic name by which a row with that UUID can be inserted."""
    return "row" + uuid.replace("-", "_")
