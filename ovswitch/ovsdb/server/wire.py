# SPDX-License-Identifier: Apache-2.0
"""JSON on the server's connections and in its files, fast where it can be.

orjson reads and writes most messages; where it isn't installed or differs from the
reference (floats, odd escapes, octets that aren't UTF-8), `runtime.json` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.runtime import json as _json

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

encode_exactly = _json.to_bytes


# For finding long numbers: digits become zeros, everything else spaces.
_ZEROS = bytes(0x30 if 0x30 <= octet <= 0x39 else 0x20 for octet in range(256))
_LONG_NUMBER = b"0" * 19


def _is_unusual(octets: bytes) -> bool:
    r"""Return whether there may be something that orjson takes differently.

    That is \u0000, which is an error, -0.0, which is 0, and integers above 63 bits,
    which are reals.
    """
    return (
        b"\\u0000" in octets
        or b"-0." in octets
        or _LONG_NUMBER in octets.translate(_ZEROS)
    )


def _load() -> tuple[
    Callable[[Any], bytes], Callable[[bytes], Any], Callable[[bytes], Any]
]:
    try:
        import orjson
    except ImportError:
        return _json.to_bytes, _json.from_string, lambda _octets: None
    dumps, loads = orjson.dumps, orjson.loads

    def encode(value: Any) -> bytes:
        try:
            return dumps(value)
        except TypeError:
            return _json.to_bytes(value)

    def decode(octets: bytes) -> Any:
        if not _is_unusual(octets):
            try:
                return loads(octets)
            except ValueError:
                pass
        return _json.from_string(octets)

    def decode_message(octets: bytes) -> Any:
        if octets[-1:] != b"}" or _is_unusual(octets):
            return None
        try:
            return loads(octets)
        except ValueError:
            return None

    return encode, decode, decode_message


# `encode` may write floats in another form than the reference. `decode_message` gives
# None for what isn't exactly one JSON object, or not certain to be a good one.
encode, decode, decode_message = _load()


def encoder(*, has_reals: bool) -> Callable[[Any], bytes]:
    """Return a function value -> octets for the data of a database."""
    return encode_exactly if has_reals else encode
