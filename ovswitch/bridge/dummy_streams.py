# SPDX-License-Identifier: Apache-2.0
"""Wires between dummy devices: `options:pstream` listens, `options:stream` connects.

On the stream each packet follows its length in two octets, most significant first. A
peer that sends a length below an Ethernet header's is disconnected; one that reads too
slowly loses packets.
"""

from __future__ import annotations

from ovswitch.netdev.dummy import DummyNetdev
from ovswitch.runtime import loop, vlog
from ovswitch.runtime.aio import AioStream, Listener, listen, open_stream

_log = vlog.Module("netdev_dummy")

_BACKLOG_LIMIT = 100 * 1518
_RETRY_MS = 100
_MIN_PACKET = 14


class DummyWire:
    """What a dummy device is plugged into, as its options say."""

    def __init__(self, device: DummyNetdev) -> None:
        self.device = device
        self.target = device.options.get("stream", "")
        self.passive_target = device.options.get("pstream", "")
        self._streams: set[AioStream] = set()
        self._listener: Listener | None = None
        self._tasks = loop.Group(f"wire of {device.name}")

    def state(self) -> str:
        """Return what `netdev-dummy/conn-state` says of the device."""
        if not self.target:
            return "unknown"
        return "connected" if self._streams else "disconnected"

    async def start(self) -> None:
        """Plug the device in."""
        if self.passive_target and self.target:
            _log.warn(
                "Open failed: both %s and %s are configured",
                self.passive_target,
                self.target,
            )
            return
        self.device.on_transmit = self._send
        if self.passive_target:
            try:
                self._listener = await listen(self.passive_target, self._accept)
            except OSError as error:
                _log.warn("%s: open failed (%s)", self.passive_target, error.strerror)
        elif self.target:
            self._tasks.spawn(f"{self.device.name} wire", self._keep_connected())

    def stop(self) -> None:
        """Unplug the device."""
        self.device.on_transmit = None
        if self._listener:
            self._listener.close()
        self._tasks.cancel()
        for stream in self._streams:
            stream.close()
        self._streams.clear()

    def _accept(self, stream: AioStream) -> None:
        self._tasks.spawn(f"{self.device.name} wire", self._serve(stream))

    async def _keep_connected(self) -> None:
        while True:
            try:
                stream = await open_stream(self.target)
            except OSError:
                await loop.sleep(_RETRY_MS)
                continue
            await self._serve(stream)

    async def _serve(self, stream: AioStream) -> None:
        self._streams.add(stream)
        buffer = bytearray()
        try:
            while octets := await stream.read():
                buffer += octets
                if not self._take_packets(buffer):
                    break
        except OSError as error:
            _log.dbg("%s: %s", stream.name, error)
        finally:
            self._streams.discard(stream)
            stream.close()

    def _take_packets(self, buffer: bytearray) -> bool:
        """Receive the whole packets in `buffer`; return whether all is well."""
        while len(buffer) >= 2:
            size = buffer[0] << 8 | buffer[1]
            if size < _MIN_PACKET:
                return False
            if len(buffer) < 2 + size:
                break
            self.device.receive(bytes(buffer[2 : 2 + size]))
            del buffer[: 2 + size]
        return True

    def _send(self, packet: bytes) -> None:
        for stream in self._streams:
            if stream.backlog < _BACKLOG_LIMIT:
                stream.write(len(packet).to_bytes(2, "big") + packet)


class DummyWires:
    """The wires of all dummy devices."""

    def __init__(self) -> None:
        self._wires: dict[str, DummyWire] = {}

    async def configure(self, devices: list[DummyNetdev]) -> None:
        """Bring the wires into line with the devices' options."""
        by_name = {device.name: device for device in devices}
        for name, wire in list(self._wires.items()):
            device = by_name.get(name)
            if (
                device is not wire.device
                or device.options.get("stream", "") != wire.target
                or device.options.get("pstream", "") != wire.passive_target
            ):
                wire.stop()
                del self._wires[name]
        for name, device in by_name.items():
            wanted = "stream" in device.options or "pstream" in device.options
            if wanted and name not in self._wires:
                wire = self._wires[name] = DummyWire(device)
                await wire.start()

    def state(self, name: str) -> str:
        """Return the state of a device's wire: "unknown" for one without."""
        wire = self._wires.get(name)
        return wire.state() if wire else "unknown"

    def states(self) -> dict[str, str]:
        """Return the known states by device name."""
        states = {name: wire.state() for name, wire in self._wires.items()}
        return {name: state for name, state in states.items() if state != "unknown"}
