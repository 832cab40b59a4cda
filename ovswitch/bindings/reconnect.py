# SPDX-License-Identifier: Apache-2.0
"""When to connect, with the names of `ovs.reconnect`, over `runtime.reconnect`.

A program reaches it as ``idl._session.reconnect``, to set backoffs and probes. Times
are those of `timeval.msec`.
"""

from __future__ import annotations

from ovswitch.runtime import fatal
from ovswitch.runtime import reconnect as _reconnect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.bindings.poller import Poller

CONNECT = _reconnect.CONNECT
DISCONNECT = _reconnect.DISCONNECT
PROBE = _reconnect.PROBE
EOF = fatal.EOF


class Reconnect:
    """The state machine of one connection."""

    def __init__(self, now: float) -> None:
        self.fsm = _reconnect.Reconnect(int(now))

    # Configuration.

    def set_quiet(self, quiet: bool) -> None:
        """Log the ordinary course of things at debug level only."""
        self.fsm.set_quiet(quiet)

    def get_name(self) -> str:
        """Return the peer's name."""
        return self.fsm.name

    def set_name(self, name: str | None) -> None:
        """Name the peer."""
        self.fsm.set_name("void" if name is None else name)

    def get_min_backoff(self) -> int:
        """Return the shortest wait between tries, in milliseconds."""
        return self.fsm.min_backoff

    def get_max_backoff(self) -> int:
        """Return the longest wait between tries."""
        return self.fsm.max_backoff

    def set_backoff(self, min_backoff: int, max_backoff: int) -> None:
        """Set both; 0 means the default."""
        self.fsm.set_backoff(min_backoff, max_backoff)

    def set_backoff_free_tries(self, backoff_free_tries: int) -> None:
        """Make that many tries without waiting between them."""
        self.fsm.set_backoff_free_tries(backoff_free_tries)

    def get_probe_interval(self) -> int:
        """Return after how long a silent peer is probed; 0 for never."""
        return self.fsm.probe_interval

    def set_probe_interval(self, probe_interval: int) -> None:
        """Set it; 0 disables probes, 1000 is least."""
        self.fsm.set_probe_interval(probe_interval)

    def get_max_tries(self) -> int | None:
        """Return how many tries are left, None for any number."""
        tries = self.fsm.max_tries
        return None if tries == _reconnect.UNLIMITED else tries

    def set_max_tries(self, max_tries: int | None) -> None:
        """Limit the tries that are left."""
        tries = _reconnect.UNLIMITED if max_tries is None else max_tries
        self.fsm.set_max_tries(tries)

    def is_passive(self) -> bool:
        """Whether the peer connects to us."""
        return self.fsm.passive

    def set_passive(self, passive: bool, now: float) -> None:
        """Listen for the peer instead of connecting to it."""
        self.fsm.set_passive(passive, int(now))

    def is_enabled(self) -> bool:
        """Whether the machine works at all."""
        return self.fsm.is_enabled

    def enable(self, now: float) -> None:
        """Start working."""
        self.fsm.enable(int(now))

    def disable(self, now: float) -> None:
        """Stop working."""
        self.fsm.disable(int(now))

    def force_reconnect(self, now: float) -> None:
        """Drop the connection and make another."""
        self.fsm.force_reconnect(int(now))

    # What happened.

    def connecting(self, now: float) -> None:
        """A try has begun."""
        self.fsm.connecting(int(now))

    def listening(self, now: float) -> None:
        """The owner listens for the peer."""
        self.fsm.listening(int(now))

    def listen_error(self, now: float, error: int) -> None:
        """Listening failed."""
        self.fsm.listen_error(int(now), error)

    def connected(self, now: float) -> None:
        """The try succeeded, or a peer connected."""
        self.fsm.connected(int(now))

    def connect_failed(self, now: float, error: int) -> None:
        """The try failed."""
        self.fsm.connect_failed(int(now), error)

    def disconnected(self, now: float, error: int) -> None:
        """The connection ended."""
        self.fsm.disconnected(int(now), error)

    def activity(self, now: float) -> None:
        """Something came from the peer."""
        self.fsm.activity(int(now))

    def receive_attempted(self, now: float) -> None:
        """The owner looked whether something came."""
        self.fsm.receive_attempted(int(now))

    # What to do.

    def run(self, now: float) -> str | None:
        """Return CONNECT, DISCONNECT, PROBE, or None for nothing."""
        return self.fsm.run(int(now))

    def timeout(self, now: float) -> int | None:
        """Return in how many milliseconds `run` has something to say, None: never."""
        return self.fsm.timeout(int(now))

    def wait(self, poller: Poller, now: float) -> None:
        """Wake up when `run` has something to say."""
        timeout = self.timeout(now)
        if timeout is not None:
            poller.timer_wait(timeout)

    # What is known.

    def is_connected(self) -> bool:
        """Whether there is a connection."""
        return self.fsm.is_connected

    def get_last_connect_elapsed(self, now: float) -> int:
        """Return how long ago the last connection was made, 0 if never."""
        return self.fsm.stats(int(now)).msec_since_connect or 0

    def get_last_disconnect_elapsed(self, now: float) -> int:
        """Return how long ago the last connection ended, 0 if never."""
        return self.fsm.stats(int(now)).msec_since_disconnect or 0

    def get_stats(self, now: float) -> _reconnect.Stats:
        """Return statistics."""
        return self.fsm.stats(int(now))
