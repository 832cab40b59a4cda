# SPDX-License-Identifier: Apache-2.0
"""Both implementations' servers side by side, and raw clients to ask them the same."""

import contextlib
import json
import re
import shutil
import socket

from helpers.programs import Ours, Reference, RunDir, wait_until

IMPLEMENTATIONS = (Reference, Ours)
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
ZERO = "00000000-0000-0000-0000-000000000000"
_ROWS = re.compile(r"First row, with (.*?)\.  Second row, with (.*?)\.")
_SYNC = {"id": "sync", "method": "echo", "params": ["sync"]}


class Client:
    """One connection to a server: octets in, JSON values out."""

    def __init__(self, where, timeout=10):
        """Connect to a unix socket's path, or take over a socket."""
        if isinstance(where, socket.socket):
            self.socket = where
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(str(where))
        self.socket.settimeout(timeout)
        self._text = ""
        self._decoder = json.JSONDecoder()

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.close()

    def send(self, message):
        """Send octets, or a value as JSON."""
        if not isinstance(message, bytes):
            message = json.dumps(message).encode()
        self.socket.sendall(message)

    def receive(self):
        """Return the next value; None when the server has closed the connection."""
        while True:
            if self._text:
                try:
                    value, end = self._decoder.raw_decode(self._text)
                except ValueError:
                    pass
                else:
                    self._text = self._text[end:]
                    return value
            try:
                octets = self.socket.recv(1 << 16)
            except ConnectionResetError:
                octets = b""
            if not octets:
                return None
            self._text += octets.decode("utf-8", "surrogateescape")

    def call(self, method, *params):
        """Ask and return the answer; notifications before it are dropped."""
        self.send({"id": "call", "method": method, "params": list(params)})
        while True:
            message = self.receive()
            if message is None or message.get("id") == "call":
                return message

    def sync(self):
        """Return all that comes until the server has seen what was sent so far."""
        with contextlib.suppress(OSError):
            self.send(_SYNC)
        messages = []
        while True:
            message = self.receive()
            if message is None:
                return [*messages, "closed"]
            if message.get("id") == "sync":
                return messages
            messages.append(message)

    def close(self):
        self.socket.close()


class Server:
    """A server of one implementation, with clients that are opened on demand."""

    def __init__(self, implementation, schema, *options):
        self.implementation = implementation
        self.run_dir = RunDir()
        self.clients = {}
        self.schema = self.run_dir / "schema"
        self.schema.write_text(json.dumps(schema))
        try:
            self.run_dir.start_ovsdb_server(
                implementation, *options, schema=self.schema
            )
        except BaseException:
            self.run_dir.close()
            raise

    @property
    def path(self):
        return self.run_dir / "db.sock"

    @property
    def log(self):
        return (self.run_dir / "ovsdb-server.log").read_text()

    def client(self, name):
        if name not in self.clients:
            self.clients[name] = Client(self.path)
        return self.clients[name]

    def forget(self, name):
        client = self.clients.pop(name, None)
        if client is not None:
            client.close()

    def appctl(self, *words):
        program = shutil.which("ovs-appctl", path="/usr/bin")
        words = ["-t", "ovsdb-server", *words]
        if program is None:
            return self.run_dir.appctl(*words)
        return self.run_dir.run([program, *words])

    def close(self):
        for name in list(self.clients):
            self.forget(name)
        self.run_dir.close()


class Names:
    """Gives UUIDs the numbers in which they come up."""

    def __init__(self):
        self._known = {ZERO: ZERO}

    def normalise(self, value):
        text = UUID.sub(
            lambda match: self._known.setdefault(match[0], f"<{len(self._known)}>"),
            json.dumps(value, sort_keys=True),
        )
        # Which row is called the first depends on the UUIDs.
        return _ROWS.sub(lambda m: "rows " + ", ".join(sorted(m.groups())), text)


__all__ = ["IMPLEMENTATIONS", "Client", "Names", "Ours", "Reference", "Server",
           "wait_until"]  # fmt: skip
