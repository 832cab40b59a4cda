# SPDX-License-Identifier: Apache-2.0
"""The bundles of an OpenFlow connection: messages kept until they are carried out.

(Not `bundle`, which is about ports that act as one.) A bundle is *open* from its first
message, or from being opened, until it is closed; it goes when it is committed or
discarded, when it is used wrongly, when nobody has used it for a while, and with its
connection. What the messages do is not known here: `requests.bundle` does it.

Bounds, per connection: `MAX_BUNDLES` bundles, and in all of them `MAX_MESSAGES`
messages of together `MAX_SIZE` octets; what goes beyond is refused and the bundle
stays as it was.

Source: OpenFlow 1.5.1 §6.9; the reference's bundles.c for what each mistake leads to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from ovswitch.openflow.errors import OpenFlowError

if TYPE_CHECKING:
    from collections.abc import Iterator

E = TypeVar("E")

DEFAULT_IDLE_TIMEOUT_MS = 10_000

MAX_BUNDLES = 1024
MAX_MESSAGES = 2_000_000
MAX_SIZE = 512 << 20


class Bundle(Generic[E]):
    """A bundle.

    Attributes:
        request: the message that began it, for an error message when it times out.
        flags: those it began with; all its messages must have them.
        used: when something was last done with it, in ms.
        entries: what it holds.
        size: octets of all messages.
    """

    __slots__ = ("entries", "flags", "is_closed", "request", "size", "used")

    def __init__(self, flags: int, request: bytes, now: int) -> None:
        self.flags = flags
        self.request = request
        self.used = now
        self.is_closed = False
        self.entries: list[E] = []
        self.size = 0


class Bundles(Generic[E]):
    """The bundles of a connection, by number.

    All methods raise OpenFlowError for what the peer did wrong.
    """

    __slots__ = ("_bundles", "_n_messages", "_size")

    def __init__(self) -> None:
        self._bundles: dict[int, Bundle[E]] = {}
        self._n_messages = 0
        self._size = 0

    def __len__(self) -> int:
        return len(self._bundles)

    def open(self, bundle_id: int, flags: int, request: bytes, now: int) -> Bundle[E]:
        """Begin a bundle. If there is one of that number, both are gone."""
        if bundle_id in self._bundles:
            self._remove(bundle_id)
            raise OpenFlowError("OFPBFC_BAD_ID")
        if len(self._bundles) >= MAX_BUNDLES:
            raise OpenFlowError("OFPBFC_OUT_OF_BUNDLES")
        bundle = self._bundles[bundle_id] = Bundle(flags, request, now)
        return bundle

    def close(self, bundle_id: int, flags: int, now: int) -> None:
        """Let nothing more be added to a bundle."""
        self._open_one(self._find(bundle_id), bundle_id, flags, now).is_closed = True

    def discard(self, bundle_id: int) -> None:
        """Forget a bundle."""
        self._find(bundle_id)
        self._remove(bundle_id)

    def add(
        self, bundle_id: int, flags: int, entry: E, request: bytes, now: int
    ) -> None:
        """Add an entry, which came with `request`, to a bundle or a new one."""
        bundle = self._bundles.get(bundle_id)
        if bundle is None:
            bundle = self.open(bundle_id, flags, request, now)
        else:
            self._open_one(bundle, bundle_id, flags, now)
        size = len(request)
        if self._n_messages >= MAX_MESSAGES or self._size + size > MAX_SIZE:
            raise OpenFlowError("OFPBFC_MSG_TOO_MANY")
        bundle.entries.append(entry)
        bundle.size += size
        self._n_messages += 1
        self._size += size

    def take(self, bundle_id: int, flags: int) -> list[E]:
        """Return what a bundle holds, in order, and forget the bundle."""
        bundle = self._find(bundle_id)
        self._remove(bundle_id)
        if bundle.flags != flags:
            raise OpenFlowError("OFPBFC_BAD_FLAGS")
        return bundle.entries

    def _find(self, bundle_id: int) -> Bundle[E]:
        bundle = self._bundles.get(bundle_id)
        if bundle is None:
            raise OpenFlowError("OFPBFC_BAD_ID")
        return bundle

    def _open_one(
        self, bundle: Bundle[E], bundle_id: int, flags: int, now: int
    ) -> Bundle[E]:
        """Return the bundle if it is open and has these flags; else it is gone."""
        if bundle.is_closed or bundle.flags != flags:
            self._remove(bundle_id)
            raise OpenFlowError(
                "OFPBFC_BUNDLE_CLOSED" if bundle.is_closed else "OFPBFC_BAD_FLAGS"
            )
        bundle.used = now
        return bundle

    def _remove(self, bundle_id: int) -> None:
        bundle = self._bundles.pop(bundle_id)
        self._n_messages -= len(bundle.entries)
        self._size -= bundle.size

    # Time.

    def expired(self, now: int, timeout_ms: int) -> Iterator[bytes]:
        """Forget what hasn't been used for so long; yield what each began with."""
        limit = now - timeout_ms
        for bundle_id, bundle in list(self._bundles.items()):
            if bundle.used <= limit:
                self._remove(bundle_id)
                yield bundle.request

    def deadline(self, timeout_ms: int) -> int | None:
        """Return when the next bundle expires, in ms; None without bundles."""
        used = min((bundle.used for bundle in self._bundles.values()), default=None)
        return None if used is None else used + timeout_ms
