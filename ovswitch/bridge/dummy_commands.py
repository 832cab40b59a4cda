# SPDX-License-Identifier: Apache-2.0
"""`netdev-dummy/*`: what tests do with dummy devices through ovs-appctl."""

from __future__ import annotations

from ovswitch.bridge.dummy_streams import DummyWires
from ovswitch.datapath.odp.key_parse import OdpError, parse_key
from ovswitch.netdev import provider
from ovswitch.netdev.dummy import DummyNetdev
from ovswitch.packet.address import AddressError, parse_ipv4, parse_ipv6
from ovswitch.packet.compose import compose
from ovswitch.runtime.unixctl import CommandError, commands

_MIN_PACKET = 64
_HEX = frozenset("0123456789abcdefABCDEF \t")


def _device(name: str, complaint: str = "Unknown Dummy Interface") -> DummyNetdev:
    device = provider.from_name(name)
    if not isinstance(device, DummyNetdev):
        raise CommandError(complaint)
    return device


def packet_from_hex(text: str) -> bytes | None:
    """Return the octets if `text` is the hexadecimal form of a packet."""
    if not set(text) <= _HEX:
        return None
    try:
        octets = bytes.fromhex(text)
    except ValueError:
        return None
    return octets if len(octets) >= 14 else None


def _packet_from_flow(text: str, size: int) -> bytes:
    try:
        key, _mask = parse_key(text)
        packet = compose_key(key, b"" if size else None)
    except OdpError as error:
        raise CommandError(str(error)) from error
    if not size:
        return packet
    if len(packet) > size:
        raise CommandError("")
    return packet.ljust(size, b"\0")


def compose_key(key: bytes, l7: bytes | None) -> bytes:
    """Return a packet that has a datapath key's fields. Raises: OdpError."""
    from ovswitch.datapath.odp.key_decode import to_flow

    return compose(to_flow(key)[0], l7)


def _receive(args: list[str]) -> None:
    device = _device(args[0], "no such dummy netdev")
    words = args[1:]
    if len(words) > 1 and words[0] == "--qid":
        if words[1] != "0":
            raise CommandError("bad rx queue id.")
        words = words[2:]
    packets = []
    while words:
        text = words.pop(0)
        packet = packet_from_hex(text)
        if packet is None:
            size = 0
            if len(words) > 1 and words[0] == "--len":
                size = int(words[1]) if words[1].isdecimal() else 0
                if size < _MIN_PACKET:
                    raise CommandError("too small packet len")
                words = words[2:]
            packet = _packet_from_flow(text, size)
        packets.append(packet)
    for packet in packets:
        device.receive(packet)


def _set_admin_state(args: list[str]) -> str:
    state = args[-1].lower()
    if state not in ("up", "down"):
        raise CommandError("Invalid Admin State")
    if len(args) > 1:
        devices = [_device(args[0])]
    else:
        opened = provider.open_devices()
        devices = [device for device in opened if isinstance(device, DummyNetdev)]
    for device in devices:
        device.set_up(state == "up")
    return "OK"


def _add_address(args: list[str], *, is_ipv6: bool) -> str:
    device = _device(args[0])
    address, _, prefix = args[1].partition("/")
    try:
        (parse_ipv6 if is_ipv6 else parse_ipv4)(address)
    except AddressError:
        raise CommandError(f"{args[1]}: invalid IP address") from None
    width = 128 if is_ipv6 else 32
    length = int(prefix) if prefix.isdecimal() else width
    device.addresses.append((address, length))
    device.changed()
    return "OK"


def register(wires: DummyWires) -> None:
    """Register the commands; `wires` knows the devices' connections."""

    def conn_state(args: list[str]) -> str:
        if args:
            return f"{args[0]}: {wires.state(args[0])}\n"
        return "".join(f"{name}: {state}\n" for name, state in wires.states().items())

    commands.register(
        "netdev-dummy/receive",
        "name [--qid queue_id] packet|flow [--len packet_len]",
        *(2, None, _receive),
    )
    commands.register(
        "netdev-dummy/set-admin-state", "[netdev] up|down", 1, 2, _set_admin_state
    )
    commands.register("netdev-dummy/conn-state", "[netdev]", 0, 1, conn_state)
    commands.register(
        "netdev-dummy/ip4addr",
        "[netdev] ipaddr/mask-prefix-len",
        *(2, 2, lambda args: _add_address(args, is_ipv6=False)),
    )
    commands.register(
        "netdev-dummy/ip6addr",
        "[netdev] ip6addr",
        *(2, 2, lambda args: _add_address(args, is_ipv6=True)),
    )
