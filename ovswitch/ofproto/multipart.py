# SPDX-License-Identifier: Apache-2.0
"""Multipart messages: requests put together again, replies cut into parts.

A request may come in several messages with the same transaction id (OpenFlow 1.3.5
§7.3.5); it is kept until its last part, for at most a second after its latest part and
with at most 4 MB for each request and 16 requests at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.openflow import raws
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.version import OF10, OF13

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TIMEOUT_MS = 1000
MAX_REQUEST_SIZE = 4 << 20
_MAX_REQUESTS = 16

_STATS_REQUEST10, _MULTIPART_REQUEST = 16, 18


def is_request(octets: bytes) -> bool:
    """Return whether a message is a statistics (multipart) request."""
    return octets[1] == (_STATS_REQUEST10 if octets[0] == OF10 else _MULTIPART_REQUEST)


class _Partial:
    """A request that is not complete."""

    __slots__ = ("deadline", "has_body", "messages", "raw", "size")

    def __init__(self, raw: raws.Raw) -> None:
        self.raw = raw
        self.messages: list[bytes] = []
        self.size = 0
        self.has_body = False
        self.deadline = 0


class Assembler:
    """Puts the multipart requests of one connection together."""

    __slots__ = ("_partials",)

    def __init__(self) -> None:
        self._partials: dict[int, _Partial] = {}

    def add(self, octets: bytes, now: int) -> list[bytes]:
        """Take a message; return a request's parts if it is complete with that.

        Parts without a body are left out, but for the last one if there is no other.

        Raises:
            OpenFlowError: the message is wrong, or doesn't fit to those before.
        """
        header = raws.parse(octets, partial=True)
        has_body = len(octets) > header.body
        if has_body:
            raws.check_size(header.raw, len(octets) - header.body, header.body)
        partial = self._partials.get(header.xid) or _Partial(header.raw)
        if partial.raw is not header.raw:
            raise self._refuse(header.xid, "OFPBRC_BAD_STAT")
        partial.size += len(octets)
        more = header.version >= OF13 and header.more
        if partial.size > MAX_REQUEST_SIZE or (
            more
            and header.xid not in self._partials
            and len(self._partials) >= _MAX_REQUESTS
        ):
            raise self._refuse(header.xid, "OFPBRC_MULTIPART_BUFFER_OVERFLOW")
        partial.has_body = partial.has_body or has_body
        if not more and not partial.has_body and header.raw.min_body:
            raise self._refuse(header.xid, "OFPBRC_BAD_LEN")
        if has_body or not partial.messages:
            partial.messages.append(octets)
        if more:
            partial.deadline = now + TIMEOUT_MS
            self._partials[header.xid] = partial
            return []
        self._partials.pop(header.xid, None)
        return _without_empty(partial.messages, header.body)

    def _refuse(self, xid: int, error: str) -> OpenFlowError:
        self._partials.pop(xid, None)
        return OpenFlowError(error)

    def expired(self, now: int) -> Iterator[bytes]:
        """Yield the last part of each request whose rest didn't come in time."""
        for xid, partial in list(self._partials.items()):
            if now >= partial.deadline:
                del self._partials[xid]
                yield partial.messages[-1]

    def deadline(self) -> int | None:
        """Return when `expired()` has something; None for never."""
        return min((one.deadline for one in self._partials.values()), default=None)


def _without_empty(messages: list[bytes], header_size: int) -> list[bytes]:
    return [one for one in messages if len(one) > header_size] or messages[-1:]


def reply(
    raw: raws.Raw, version: int, xid: int, entries: Iterable[bytes]
) -> Iterator[bytes]:
    """Yield the messages of a reply, taking entries only as they are needed."""
    room = raws.MAX_MESSAGE_SIZE - raws.header_size(raw, version)
    part: list[bytes] = []
    left = room
    for entry in entries:
        if len(entry) > left:
            if len(entry) > room:
                continue  # no message can hold it
            yield raws.put(raw, version, xid, b"".join(part), raws.REPLY_MORE)
            part = []
            left = room
        part.append(entry)
        left -= len(entry)
    yield raws.put(raw, version, xid, b"".join(part))
