# SPDX-License-Identifier: Apache-2.0
"""When a switch connects to its controller, probes it and gives it up: pure.

Its owner does what `run` returns, tells what came of it, and asks again at `deadline`.
Times are monotonic milliseconds.

BACKOFF        waiting until the next try.
CONNECTING     a try is under way, hello included.
ACTIVE         connected and heard of lately.
IDLE           connected, silent for the probe interval: an echo request is out.
DISCONNECTED   over, for a connection that the other side opened.

The wait between tries is 1 s and doubles up to the maximum; a connection that lasted
longer than the wait before it starts again at 1 s.

Source: ovs-vswitchd.conf.db(5), Controller; states and texts as the reference's.
"""

from __future__ import annotations

from ovswitch.runtime import fatal, vlog

VOID, BACKOFF, CONNECTING = "VOID", "BACKOFF", "CONNECTING"
ACTIVE, IDLE, DISCONNECTED = "ACTIVE", "IDLE", "DISCONNECTED"
_CONNECTED = (ACTIVE, IDLE)

#: What `run` asks for.
CONNECT, PROBE, DROP = "connect", "probe", "drop"

ETIMEDOUT = 110
EOF = -1

_NEVER = 1 << 62
_ADMISSION_MS = 30_000

_log = vlog.Module("rconn")


class Rconn:
    """The life of one controller connection.

    Args:
        name: for logs: "br0<->tcp:127.0.0.1:6653".
        reliable: whether we connect, and again after each loss.
        probe_interval: seconds of silence before a probe; 0 for none.
        max_backoff: greatest wait between tries, in seconds.

    Attributes:
        state: see the module.
        last_error: an errno, EOF, or 0.
        last_connected, last_disconnected: when, or None.
    """

    __slots__ = (
        "_backoff",
        "_backoff_deadline",
        "_last_admitted",
        "_max_backoff",
        "_probably_admitted",
        "last_activity",
        "last_connected",
        "last_disconnected",
        "last_error",
        "name",
        "probe_interval",
        "reliable",
        "state",
        "state_entered",
    )

    def __init__(
        self,
        name: str,
        now: int,
        *,
        reliable: bool = True,
        probe_interval: int = 5,
        max_backoff: int = 8,
    ) -> None:
        self.name = name
        self.reliable = reliable
        self.probe_interval = probe_interval
        self.state = BACKOFF if reliable else CONNECTING
        self.state_entered = now
        self.last_error = 0
        self.last_connected: int | None = None
        self.last_disconnected: int | None = None
        self.last_activity = now
        self._backoff = 0
        self._max_backoff = 0
        self._backoff_deadline = 0
        self._last_admitted = now
        self._probably_admitted = False
        self.set_max_backoff(max_backoff)

    def set_max_backoff(self, seconds: int) -> None:
        """Set the greatest wait between tries."""
        self._max_backoff = max(1, seconds) * 1000
        self._backoff = min(self._backoff, self._max_backoff)

    @property
    def is_connected(self) -> bool:
        """Whether messages can be sent."""
        return self.state in _CONNECTED

    def failure_seconds(self, now: int) -> int:
        """Return for how long no controller has admitted us (for fail-open)."""
        if self.is_connected and self._is_admitted(now):
            return 0
        return (now - self._last_admitted) // 1000

    def _is_admitted(self, now: int) -> bool:
        return self._probably_admitted or (
            self.last_connected is not None
            and now - self.last_connected >= _ADMISSION_MS
        )

    def _enter(self, state: str, now: int) -> None:
        if state in _CONNECTED and not self.is_connected:
            self._probably_admitted = False
        _log.dbg("%s: entering %s", self.name, state)
        self.state = state
        self.state_entered = now

    def _timeout(self) -> int:
        if self.state == BACKOFF:
            return self._backoff
        if self.state == CONNECTING:
            return max(1000, self._backoff)
        if self.state == ACTIVE and self.probe_interval:
            base = max(self.last_activity, self.state_entered)
            return base + self.probe_interval * 1000 - self.state_entered
        if self.state == IDLE:
            return self.probe_interval * 1000
        return _NEVER

    def deadline(self) -> int | None:
        """Return when `run` must be called at the latest; None for never."""
        timeout = self._timeout()
        return None if timeout == _NEVER else self.state_entered + timeout

    @property
    def _logs_attempts(self) -> bool:
        """Whether tries are still news: at the greatest wait they no longer are."""
        return self._backoff < self._max_backoff

    def run(self, now: int) -> str | None:
        """Return what has to be done now: CONNECT, PROBE, DROP or nothing."""
        if now < self.state_entered + self._timeout():
            return None
        if self.state == BACKOFF:
            if self._logs_attempts:
                _log.info("%s: connecting...", self.name)
            self._backoff_deadline = now + self._backoff
            self._enter(CONNECTING, now)
            return CONNECT
        if self.state == CONNECTING:
            if self._logs_attempts:
                _log.info("%s: connection timed out", self.name)
            self._backoff_deadline = _NEVER
            self._lose(ETIMEDOUT, now)
            return DROP
        if self.state == ACTIVE:
            silent = (now - max(self.last_activity, self.state_entered)) // 1000
            _log.dbg("%s: idle %d seconds, sending inactivity probe", self.name, silent)
            self._enter(IDLE, now)
            return PROBE
        _log.err(
            "%s: no response to inactivity probe after %d seconds, disconnecting",
            self.name,
            (now - self.state_entered) // 1000,
        )
        self._lose(ETIMEDOUT, now)
        return DROP

    def status(self, now: int) -> dict[str, str]:
        """Return what a Controller row's `status` says of the connection."""
        pairs = {"state": self.state}
        if self.last_error:
            pairs["last_error"] = fatal.retval_text(self.last_error)
        if self.last_connected is not None:
            pairs["sec_since_connect"] = str((now - self.last_connected) // 1000)
        if self.last_disconnected is not None:
            seconds = (now - self.last_disconnected) // 1000
            pairs["sec_since_disconnect"] = str(seconds)
        return pairs

    def connected(self, now: int) -> None:
        """Note that the connection is up and a version agreed on."""
        level = vlog.INFO if self.reliable else vlog.DBG
        _log.log(level, "%s: connected", self.name)
        self._enter(ACTIVE, now)
        self.last_connected = now

    def failed(self, error: int, text: str, now: int) -> None:
        """Note that the try to connect failed."""
        if self._logs_attempts:
            _log.info("%s: connection failed (%s)", self.name, text)
        self._lose(error, now)

    def received(self, now: int, is_admission: bool) -> None:
        """Note that a message came.

        Args:
            now: the time.
            is_admission: whether it is one that only a controller sends that has
                accepted this switch, rather than one that finds out about it.
        """
        if is_admission or self._is_admitted(now):
            self._probably_admitted = True
            self._last_admitted = now
        self.last_activity = now
        if self.state == IDLE:
            self._enter(ACTIVE, now)

    def sent(self, now: int) -> None:
        """Note that queued messages went out."""
        self.last_activity = now

    def lost(self, error: int, text: str, now: int) -> None:
        """Note that the connection is gone; `error` is an errno or EOF."""
        if error == EOF:
            level = vlog.INFO if self.reliable else vlog.DBG
            _log.log(level, "%s: connection closed by peer", self.name)
        else:
            _log.warn("%s: connection dropped (%s)", self.name, text)
        self._lose(error, now)

    def reconnect(self, now: int) -> bool:
        """Give the connection up to make it anew; return whether there was one."""
        if not self.is_connected:
            return False
        _log.info("%s: disconnecting", self.name)
        self._lose(0, now)
        return True

    def _lose(self, error: int, now: int) -> None:
        self.last_error = error
        if not self.reliable:
            self.last_disconnected = now
            self._enter(DISCONNECTED, now)
            return
        if self.state in (CONNECTING, ACTIVE, IDLE):
            self.last_disconnected = now
        if now >= self._backoff_deadline:
            self._backoff = 1000
        elif self._backoff < self._max_backoff // 2:
            self._backoff = max(1000, 2 * self._backoff)
            _log.info(
                "%s: waiting %d seconds before reconnect",
                self.name,
                self._backoff // 1000,
            )
        else:
            if self._logs_attempts:
                _log.info(
                    "%s: continuing to retry connections in the background but "
                    "suppressing further logging",
                    self.name,
                )
            self._backoff = self._max_backoff
        self._backoff_deadline = now + self._backoff
        self._enter(BACKOFF, now)
