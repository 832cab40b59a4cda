# SPDX-License-Identifier: Apache-2.0
"""The C core, as Python uses it: flow keys as integers, the rest as bytes.

Only `datapath/`, `netdev/` and `flow/` may import this. Nothing here keeps a
reference into C memory beyond a call. A flow key is the `int` of
`ovswitch.flow.layout`; a mask likewise.

The functions release nothing and block on nothing; each takes about a microsecond.
`DummyForwarder` is the whole userspace datapath in this process, without threads.
"""

from __future__ import annotations

import errno

try:
    from ovswitch.native import _core
except ImportError as error:  # pragma: no cover - only in an unbuilt tree
    raise ImportError(
        "the native module is missing or does not fit this Python: build it with "
        "`python setup.py build_ext --inplace` in the source tree, or `pip install .`"
    ) from error

_ffi = _core.ffi
_lib = _core.lib

#: Octets of a flow key: layout.SIZE, when the module was built.
KEY_SIZE: int = _lib.core_key_size()
_ROOM = 4096  # more than the attributes of any key take

_key = _ffi.new(f"uint8_t[{KEY_SIZE}]")
_mask = _ffi.new(f"uint8_t[{KEY_SIZE}]")
_attrs = _ffi.new(f"uint8_t[{_ROOM}]")
_key_octets = _ffi.buffer(_key)
_mask_octets = _ffi.buffer(_mask)


class AttributesError(ValueError):
    """Flow key attributes, or actions, that the datapath does not take."""


def set_vlan_limit(limit: int) -> None:
    """Have keys show at most `limit` VLAN headers, 0 to 2, in this process."""
    _lib.core_set_vlan_limit(limit)


def extract(octets: bytes, metadata: int = 0) -> int:
    """Return the flow key of a packet; `metadata` holds what isn't in its octets."""
    _key_octets[:] = metadata.to_bytes(KEY_SIZE, "big")
    _lib.core_extract(octets, len(octets), _key)
    return int.from_bytes(_key_octets, "big")


def key_from_attrs(attrs: bytes) -> int:
    """Return the flow key that OVS_KEY_ATTR_* attributes describe.

    Raises:
        AttributesError: they are malformed, too few, or more than belong together.
    """
    if _lib.core_key_from_attrs(attrs, len(attrs), _key):
        raise AttributesError("malformed flow key attributes")
    return int.from_bytes(_key_octets, "big")


def keys_from_attrs(batch: list[bytes]) -> list[int | None]:
    """Return the flow keys of a batch of attributes; None for those malformed."""
    n = len(batch)
    keys = _ffi.new("uint8_t[]", n * KEY_SIZE)
    errors = _ffi.new("int32_t[]", n)
    sizes = [len(attrs) for attrs in batch]
    _lib.core_keys_from_attrs(n, b"".join(batch), sizes, keys, errors)
    octets = bytes(_ffi.buffer(keys))
    return [
        None
        if errors[i]
        else int.from_bytes(octets[i * KEY_SIZE : (i + 1) * KEY_SIZE], "big")
        for i in range(n)
    ]


def mask_from_attrs(attrs: bytes, key: int) -> int:
    """Return the mask that `attrs` describe for `key`; no attributes: all exact.

    Raises:
        AttributesError: they are malformed or do not go with the key.
    """
    octets = key.to_bytes(KEY_SIZE, "big")
    if _lib.core_mask_from_attrs(attrs, len(attrs), octets, _mask):
        raise AttributesError("malformed flow mask attributes")
    return int.from_bytes(_mask_octets, "big")


def key_to_attrs(key: int) -> bytes:
    """Return the attributes of `key`, as the datapath itself writes them."""
    octets = key.to_bytes(KEY_SIZE, "big")
    size: int = _lib.core_key_to_attrs(octets, _attrs, _ROOM)
    return bytes(_ffi.buffer(_attrs, size))


def mask_to_attrs(key: int, mask: int) -> bytes:
    """Return the attributes of `mask`, which goes with `key`."""
    size: int = _lib.core_mask_to_attrs(
        key.to_bytes(KEY_SIZE, "big"), mask.to_bytes(KEY_SIZE, "big"), _attrs, _ROOM
    )
    return bytes(_ffi.buffer(_attrs, size))


def hash_5tuple(key: int, basis: int = 0) -> int:
    """Return the datapath's `hash(l4(basis))` of a packet with `key`."""
    value: int = _lib.core_hash_5tuple(key.to_bytes(KEY_SIZE, "big"), basis)
    return value


def hash_symmetric_l3l4(
    key: int, basis: int = 0, *, with_udp_ports: bool = False
) -> int:
    """Return the hash that is the same in both directions (`hash(sym_l4(basis))`)."""
    value: int = _lib.core_hash_symmetric_l3l4(
        key.to_bytes(KEY_SIZE, "big"), basis, with_udp_ports
    )
    return value


def check_actions(actions: bytes) -> None:
    """Check datapath actions as the datapath does when a flow is installed.

    Raises:
        AttributesError: it would refuse them; `args[1]` is the errno.
    """
    error = _lib.core_actions_check(actions, len(actions))
    if error:
        raise AttributesError(f"actions: {errno.errorcode[-error]}", -error)


class DummyForwarder:
    """The datapath protocol served in this process, over ports without devices.

    Ports of any type have no device: packets come by `receive`, and what ports
    transmit waits, with the upcalls, to be fetched by `events`. Time stands still but
    for `set_time`.
    """

    __slots__ = ("_dummy", "_event", "_replies")

    def __init__(self) -> None:
        self._dummy = _lib.core_dummy_create()
        self._event = _ffi.new("struct core_event *")
        self._replies = _ffi.new("uint8_t **")

    def close(self) -> None:
        """Free everything; the object is of no use afterwards. May be repeated."""
        if self._dummy is not None:
            _lib.core_dummy_destroy(self._dummy)
            self._dummy = None

    def set_time(self, now_ms: int) -> None:
        """Set the time, in monotonic milliseconds, for statistics and meters."""
        _lib.core_dummy_set_time(self._dummy, now_ms)

    def request(self, octets: bytes, pid: int = 1) -> bytes:
        """Serve one datagram of requests; return the replies, one after another.

        A dump comes whole. `pid` is the client's number, which replies show.
        """
        size = _lib.core_dummy_request(
            self._dummy, pid, octets, len(octets), self._replies
        )
        return bytes(_ffi.buffer(self._replies[0], size)) if size else b""

    def receive(self, dp_ifindex: int, port_no: int, octets: bytes) -> None:
        """Have a port receive a packet, which is forwarded at once.

        Raises:
            OSError: there is no such port, or the packet is too big.
        """
        error = _lib.core_dummy_receive(
            self._dummy, dp_ifindex, port_no, octets, len(octets)
        )
        if error:
            raise OSError(-error, "cannot receive the packet")

    def events(self) -> list[tuple[int, int, bytes]]:
        """Return and forget what happened, oldest first.

        Each is ``(dp_ifindex, port_no, packet)`` for a packet that a port transmitted,
        or ``(0, pid, datagram)`` for upcalls.
        """
        events = []
        event = self._event
        while _lib.core_dummy_next_event(self._dummy, event):
            octets = bytes(_ffi.buffer(event.octets, event.size))
            events.append((event.dp_ifindex, event.number, octets))
        return events
