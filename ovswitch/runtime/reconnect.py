# SPDX-License-Identifier: Apache-2.0
"""When to connect, give up, wait, probe and reconnect: a state machine, no more.

Its owner tells it what happened and the time, and asks `run()` what to do next and
`deadline()` when to ask again. The states:

VOID        disabled, or all tries used up: nothing to do.
BACKOFF     waiting until the next try; `run()` then says CONNECT.
CONNECTING  a try is under way; after its time `run()` says DISCONNECT.
ACTIVE      connected; when nothing came for the probe interval, `run()` says PROBE.
IDLE        connected and probed; nothing for another interval means DISCONNECT.
RECONNECT   connected but not wanted any more: `run()` says DISCONNECT.
LISTENING   waiting for a peer to connect.

The wait between tries doubles from the minimum to the maximum; a connection that
lasted longer than the wait before it resets that. Source: the behaviour and log lines
of the reference's reconnect library. Times are monotonic milliseconds.
"""

from __future__ import annotations

from ovswitch.runtime import fatal, vlog

CONNECT, DISCONNECT, PROBE = "connect", "disconnect", "probe"

DEFAULT_MIN_BACKOFF = 1000
DEFAULT_MAX_BACKOFF = 8000
DEFAULT_PROBE_INTERVAL = 5000
UNLIMITED = 0xFFFFFFFF
NEVER = 1 << 62

_LIVE = frozenset({"ACTIVE", "IDLE"})
_log = vlog.Module("reconnect")


class Stats:
    """What is known about a connection's past; times are None if there was none."""

    __slots__ = (
        "backoff",
        "creation_time",
        "is_connected",
        "last_activity",
        "last_connected",
        "last_disconnected",
        "msec_since_connect",
        "msec_since_disconnect",
        "n_attempted_connections",
        "n_successful_connections",
        "seqno",
        "state",
        "state_elapsed",
        "total_connected_duration",
    )

    def __init__(self, fsm: Reconnect, now: int) -> None:
        self.creation_time = fsm.creation_time
        self.last_activity = fsm.last_activity
        self.last_connected = fsm.last_connected
        self.last_disconnected = fsm.last_disconnected
        self.backoff = fsm.backoff
        self.seqno = fsm.seqno
        self.is_connected = fsm.is_connected
        self.msec_since_connect = _elapsed(now, fsm.last_connected)
        self.msec_since_disconnect = _elapsed(now, fsm.last_disconnected)
        self.total_connected_duration = fsm.total_connected_duration
        if fsm.is_connected and self.msec_since_connect is not None:
            self.total_connected_duration += self.msec_since_connect
        self.n_attempted_connections = fsm.n_attempted_connections
        self.n_successful_connections = fsm.n_successful_connections
        self.state = fsm.state
        self.state_elapsed = now - fsm.state_entered


def _elapsed(now: int, since: int | None) -> int | None:
    return None if since is None else now - since


class Reconnect:
    """The state machine of one connection."""

    def __init__(self, now: int) -> None:
        self.name = "void"
        self.min_backoff = DEFAULT_MIN_BACKOFF
        self.max_backoff = DEFAULT_MAX_BACKOFF
        self.probe_interval = DEFAULT_PROBE_INTERVAL
        self.passive = False
        self.max_tries = UNLIMITED
        self.backoff_free_tries = 0
        self.state = "VOID"
        self.state_entered = now
        self.backoff = 0
        self.creation_time = now
        self.last_activity = now
        self.last_connected: int | None = None
        self.last_disconnected: int | None = None
        self.last_receive_attempt = now
        self.n_attempted_connections = 0
        self.n_successful_connections = 0
        self.total_connected_duration = 0
        self.seqno = 0
        self._info = vlog.INFO

    # Configuration.

    def set_name(self, name: str) -> None:
        """Name the peer in log lines."""
        self.name = name

    def set_quiet(self, quiet: bool) -> None:
        """Log the ordinary course of things at debug level only."""
        self._info = vlog.DBG if quiet else vlog.INFO

    def set_max_tries(self, max_tries: int) -> None:
        """Limit the tries that are left; `UNLIMITED` doesn't."""
        self.max_tries = max_tries

    def set_backoff_free_tries(self, tries: int) -> None:
        """Make that many tries without waiting between them."""
        self.backoff_free_tries = tries

    def set_backoff(self, min_backoff: int, max_backoff: int) -> None:
        """Set the shortest and longest wait between tries; 0 means the default."""
        self.min_backoff = max(min_backoff, 1000)
        wanted = max(max_backoff, 1000) if max_backoff else DEFAULT_MAX_BACKOFF
        self.max_backoff = max(wanted, self.min_backoff)
        if self.state == "BACKOFF" and self.backoff > max_backoff:
            self.backoff = max_backoff

    def set_probe_interval(self, ms: int) -> None:
        """Probe after that long without a sign of life; 0 disables, 1000 is least."""
        self.probe_interval = max(1000, ms) if ms else 0

    def set_passive(self, passive: bool, now: int) -> None:
        """Listen for the peer instead of connecting to it."""
        if self.passive == passive:
            return
        self.passive = passive
        if passive:
            restart = self.state in {"CONNECTING", "RECONNECT"}
        else:
            restart = self.state == "LISTENING" and self._may_retry()
        if restart:
            self._enter("BACKOFF", now)
            self.backoff = 0

    # What the owner does.

    @property
    def is_enabled(self) -> bool:
        """Whether the machine works at all."""
        return self.state != "VOID"

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection."""
        return self.state in _LIVE

    def enable(self, now: int) -> None:
        """Start working: `run()` will say CONNECT."""
        if self.state == "VOID" and self._may_retry():
            self._enter("BACKOFF", now)
            self.backoff = 0

    def disable(self, now: int) -> None:
        """Stop working."""
        if self.state != "VOID":
            self._enter("VOID", now)

    def force_reconnect(self, now: int) -> None:
        """Drop the connection, or the try to make one, and start over."""
        if self.state in {"CONNECTING", "ACTIVE", "IDLE"}:
            self._enter("RECONNECT", now)

    # What happened.

    def connecting(self, now: int) -> None:
        """A try has begun."""
        if self.state == "CONNECTING":
            return
        if self.passive:
            _log.log(self._info, "%s: listening...", self.name)
        elif self.backoff < self.max_backoff:
            _log.log(self._info, "%s: connecting...", self.name)
        self._enter("CONNECTING", now)

    def listening(self, now: int) -> None:
        """The owner listens for the peer."""
        if self.state != "LISTENING":
            _log.log(self._info, "%s: listening...", self.name)
            self._enter("LISTENING", now)

    def listen_error(self, now: int, error: int) -> None:
        """Listening failed."""
        if self.state == "LISTENING":
            self.disconnected(now, error)

    def connected(self, now: int) -> None:
        """The try succeeded, or a peer connected."""
        if self.is_connected:
            return
        self.connecting(now)
        _log.log(self._info, "%s: connected", self.name)
        self._enter("ACTIVE", now)
        self.last_connected = now

    def connect_failed(self, now: int, error: int) -> None:
        """The try failed."""
        self.connecting(now)
        self.disconnected(now, error)

    def activity(self, now: int) -> None:
        """Something came from the peer."""
        if self.state == "IDLE":
            self._enter("ACTIVE", now)
        self.last_activity = now

    def receive_attempted(self, now: int) -> None:
        """The owner looked whether something came: probes only count after that."""
        self.last_receive_attempt = now

    def disconnected(self, now: int, error: int = 0) -> None:
        """The connection or the try ended: an error number, `fatal.EOF`, or 0."""
        if self.state in {"BACKOFF", "VOID"}:
            return
        self._report_end(error)
        if self.is_connected:
            self.last_disconnected = now
        if not self._may_retry():
            self._enter("VOID", now)
            return
        self._back_off()
        self._enter("BACKOFF", now)

    def _report_end(self, error: int) -> None:
        if self.is_connected:
            if error > 0:
                text = fatal.retval_text(error)
                _log.warn("%s: connection dropped (%s)", self.name, text)
            elif error == fatal.EOF:
                _log.log(self._info, "%s: connection closed by peer", self.name)
            else:
                _log.log(self._info, "%s: connection dropped", self.name)
        elif self.state == "LISTENING":
            if error > 0:
                text = fatal.retval_text(error)
                _log.warn("%s: error listening for connections (%s)", self.name, text)
            else:
                _log.log(self._info, "%s: error listening for connections", self.name)
        elif self.backoff < self.max_backoff:
            what = "listen" if self.passive else "connection"
            if error > 0:
                text = fatal.retval_text(error)
                _log.info("%s: %s attempt failed (%s)", self.name, what, text)
            else:
                _log.log(self._info, "%s: %s attempt timed out", self.name, what)

    def _back_off(self) -> None:
        """Choose how long to wait until the next try."""
        if self.backoff_free_tries > 1:
            self.backoff_free_tries -= 1
            self.backoff = 0
        elif self.is_connected and (self.passive or self._lasted() >= self.backoff):
            self.backoff = 0 if self.passive else self.min_backoff
        elif self.backoff < self.min_backoff:
            self.backoff = self.min_backoff
        elif self.backoff < self.max_backoff // 2:
            self.backoff *= 2
            _log.log(
                self._info,
                "%s: waiting %.3g seconds before %s",
                self.name,
                self.backoff / 1000,
                "trying to listen again" if self.passive else "reconnect",
            )
        else:
            if self.backoff < self.max_backoff:
                _log.info(
                    "%s: continuing to %s in the background but suppressing further "
                    "logging",
                    self.name,
                    "try to listen" if self.passive else "reconnect",
                )
            self.backoff = self.max_backoff

    def _lasted(self) -> int:
        if self.last_connected is None:
            return 0
        return self.last_activity - self.last_connected

    def _may_retry(self) -> bool:
        if self.max_tries == UNLIMITED:
            return True
        if self.max_tries > 0:
            self.max_tries -= 1
            return True
        return False

    def _enter(self, state: str, now: int) -> None:
        if self.state == "CONNECTING":
            self.n_attempted_connections += 1
            if state == "ACTIVE":
                self.n_successful_connections += 1
        if self.is_connected != (state in _LIVE):
            if self.is_connected and self.last_connected is not None:
                self.total_connected_duration += now - self.last_connected
            self.seqno += 1
        _log.dbg("%s: entering %s", self.name, state)
        self.state = state
        self.state_entered = now

    # What to do.

    def deadline(self, now: int) -> int:
        """Return when `run()` has something to say, `NEVER` if nothing will come."""
        if self.state == "BACKOFF":
            return self.state_entered + self.backoff
        if self.state == "CONNECTING":
            return self.state_entered + max(1000, self.backoff)
        if self.state == "RECONNECT":
            return self.state_entered
        if self.is_connected and self.probe_interval:
            base = self.state_entered
            if self.state == "ACTIVE":
                base = max(base, self.last_activity)
            expiration = base + self.probe_interval
            if now < expiration or self.last_receive_attempt >= expiration:
                return expiration
            return now + 1  # the owner was busy: let it look for input first
        return NEVER

    def timeout(self, now: int) -> int | None:
        """Return in how many ms `run()` has something to say, None for never."""
        deadline = self.deadline(now)
        return None if deadline == NEVER else max(0, deadline - now)

    def run(self, now: int) -> str | None:
        """Return CONNECT, DISCONNECT, PROBE, or None for nothing."""
        if now < self.deadline(now):
            return None
        if self.state == "BACKOFF":
            return CONNECT
        if self.state == "ACTIVE":
            idle = now - max(self.last_activity, self.state_entered)
            _log.dbg("%s: idle %d ms, sending inactivity probe", self.name, idle)
            self._enter("IDLE", now)
            return PROBE
        if self.state == "IDLE":
            _log.err(
                "%s: no response to inactivity probe after %.3g seconds, disconnecting",
                self.name,
                (now - self.state_entered) / 1000,
            )
            return DISCONNECT
        return DISCONNECT if self.state in {"CONNECTING", "RECONNECT"} else None

    def stats(self, now: int) -> Stats:
        """Return statistics as of now."""
        return Stats(self, now)
