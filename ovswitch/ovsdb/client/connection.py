# SPDX-License-Identifier: Apache-2.0
"""ovsdb-client's connection: which server, which database, and requests to it.

A server argument may name several remotes; then the first that is up and has the
database in a good state is used. Source: ovsdb/ovsdb-client.c.
"""

from __future__ import annotations

from ovswitch.ovsdb import uuids
from ovswitch.ovsdb.client import settings
from ovswitch.ovsdb.error import OvsdbError
from ovswitch.ovsdb.schema import Schema
from ovswitch.runtime import dirs, fatal, json, jsonrpc, target, vlog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NEED_NONE = 0
NEED_RPC = 1
NEED_DATABASE = 2
DEFAULT_DATABASE = "Open_vSwitch"

_EAFNOSUPPORT = 97
_log = vlog.Module("ovsdb_client")


def default_remote() -> str:
    """Return the server that is used if none is named."""
    return f"unix:{dirs.rundir()}/db.sock"


class Connection:
    """A connection to a server, for one database if the command needs one."""

    __slots__ = ("client", "database")

    def __init__(self, client: jsonrpc.Client, database: str) -> None:
        self.client = client
        self.database = database

    @property
    def name(self) -> str:
        """The server's name."""
        return self.client.name

    def call(self, method: str, params: list[Any]) -> Any:
        """Return a request's result; exit if it has none."""
        reply = self._transact(method, params)
        if reply.error is not None:
            text = json.to_string(reply.error, sort=True, pretty=settings.style.pretty)
            fatal.die(f"transaction returned error: {text}")
        return reply.result

    def _transact(self, method: str, params: list[Any]) -> jsonrpc.Message:
        try:
            return self.client.call(method, params)
        except OSError as error:
            fatal.die("transaction failed", error=error.errno or 0)

    def fetch_dbs(self) -> list[str]:
        """Return the databases' names in order."""
        names = self.call("list_dbs", [])
        if not isinstance(names, list):
            fatal.die("list_dbs response is not array")
        for index, name in enumerate(names):
            if not isinstance(name, str):
                fatal.die(f"list_dbs response {index} is not string")
        return sorted(names)

    def fetch_schema_json(self, database: str | None = None) -> Any:
        """Return a database's schema as the server sent it."""
        return self.call("get_schema", [database or self.database])

    def fetch_schema(self, database: str | None = None) -> Schema:
        """Return a database's schema. Raises: OvsdbError: it makes no sense."""
        return Schema.from_json(self.fetch_schema_json(database))

    def database_info(self, database: str) -> dict[str, Any] | None:
        """Return the server's row about a database, None if it hasn't got it."""
        result = self.call("transact", _info_request(database))
        return _find_info(self.name, result, database, None)

    def announce_change_awareness(self) -> None:
        """Tell the server that we follow changes of its databases."""
        if settings.db_change_aware is False:
            return
        try:
            reply = self.client.call("set_db_change_aware", [True])
        except OSError as error:
            fatal.die(
                f"{self.name}: error setting db_change_aware", error=error.errno or 0
            )
        if reply.error is not None and settings.db_change_aware:
            text = json.to_string(reply.error)
            fatal.die(f"{self.name}: set_db_change_aware failed ({text})")


def connect(
    args: list[str], min_args: int, need: int, database: str | None = None
) -> tuple[Connection, list[str]]:
    """Connect as the first arguments say; return also the arguments after them.

    Exits if that isn't possible.
    """
    remotes, cid = [default_remote()], None
    if len(args) > min_args and _is_remote(args[0]):
        remotes, cid = parse_remotes(args[0])
        args = args[1:]
    if len(remotes) != 1:
        if database is None and need == NEED_DATABASE:
            if len(args) <= min_args:
                fatal.die("database name is required with multiple remotes")
            database, args = args[0], args[1:]
        return _connect_any(remotes, cid, database), args
    connection = Connection(_open(remotes[0]), database or "")
    if need == NEED_DATABASE and database is None:
        names = connection.fetch_dbs()
        if len(args) > min_args and args[0] in names:
            connection.database, args = args[0], args[1:]
        else:
            connection.database = _default_database(names)
    return connection, args


def _is_remote(text: str) -> bool:
    return text[:1].isascii() and text[:1].isalpha() and ":" in text


def parse_remotes(text: str) -> tuple[list[str], str | None]:
    """Return the remotes in a comma list, and the cluster's id if it is in there."""
    remotes: list[str] = []
    for word in text.split(","):
        word = word.lstrip(" \t")
        # A comma may also be part of a method's arguments.
        if remotes and not _begins_remote(word):
            remotes[-1] += f",{word}"
        else:
            remotes.append(word)
    for remote in remotes:
        cid = uuids.parse(remote[4:]) if remote.startswith("cid:") else None
        if cid is not None:
            remotes.remove(remote)
            return remotes, cid
    return remotes, None


def _begins_remote(word: str) -> bool:
    method, colon, _ = word.partition(":")
    return bool(colon) and method.isascii() and method.isalpha() and method.islower()


def _default_database(names: list[str]) -> str:
    if DEFAULT_DATABASE in names:
        return DEFAULT_DATABASE
    others = [name for name in names if not name.startswith("_")]
    if len(others) != 1:
        fatal.die("could not find a default database, please specify a database name")
    return others[0]


def _open(remote: str) -> jsonrpc.Client:
    try:
        return jsonrpc.Client(remote)
    except OSError as error:
        if error.errno == _EAFNOSUPPORT:
            return jsonrpc.Client(_accept(remote))
        fatal.die(f'failed to connect to "{remote}"', error=error.errno or 0)


def _accept(remote: str) -> target.Stream:
    """Wait for the server to connect to us."""
    import socket

    try:
        where = target.parse_passive(remote, target.OVSDB_PORT)
        if where.is_unix:
            listener = socket.socket(socket.AF_UNIX)
            _bind_unix(listener, where.path)
        else:
            family, address = target.resolve(where)
            listener = socket.socket(family)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        listener.listen(1)
    except OSError as error:
        fatal.die(f'failed to connect or listen to "{remote}"', error=error.errno or 0)
    _log.info("%s: waiting for connection...", remote)
    try:
        accepted, _ = listener.accept()
    except OSError as error:
        fatal.die(f'failed to accept connection on "{remote}"', error=error.errno or 0)
    listener.close()
    return target.Stream(remote, accepted)


def _bind_unix(listener: Any, path: str) -> None:
    fatal.unlink_at_exit(path)
    try:
        listener.bind(path)
    except OSError as error:
        fatal.unlink_now(path)
        log = vlog.Module("stream_unix")
        log.err("%s: binding failed: %s", path, error.strerror)
        raise


def _connect_any(
    remotes: list[str], cid: str | None, database: str | None
) -> Connection:
    """Connect to the first remote, in random order, that is of use."""
    import os

    log = vlog.Module("reconnect")
    order = sorted(remotes, key=lambda _remote: os.urandom(4))
    for remote in order:
        log.info("%s: connecting...", remote)
        try:
            connection = Connection(jsonrpc.Client(remote), database or "")
        except OSError as error:
            text = fatal.retval_text(error.errno or 0)
            log.info("%s: connection attempt failed (%s)", remote, text)
            continue
        log.info("%s: connected", remote)
        try:
            if database is None or _is_acceptable(connection, database, cid):
                return connection
        except OSError as error:
            text = fatal.retval_text(error.errno or 0)
            log.warn("%s: connection dropped (%s)", remote, text)
        else:
            log.info("%s: connection attempt timed out", remote)
        connection.client.close()
    return fatal.die("no servers were available")


def _info_request(database: str) -> list[Any]:
    """Return the transaction that asks for the server's row about a database."""
    where = [["name", "==", database]]
    return ["_Server", {"op": "select", "table": "Database", "where": where}]


def _find_info(
    server: str, result: Any, database: str, cid: str | None
) -> dict[str, Any] | None:
    """Return the row in the answer to that, None if there is no such database."""
    if not (isinstance(result, list) and result and isinstance(result[0], dict)):
        _log.warn("%s: unexpected reply to _Server request for %s", server, database)
        return None
    rows = result[0].get("rows")
    if not isinstance(rows, list):
        _log.warn(
            '%s: missing "rows" member in  _Server reply for %s', server, database
        )
        return None
    for row in rows:
        if not isinstance(row, dict):
            _log.warn("%s: bad row in  _Server reply for %s", server, database)
        elif row.get("name") == database and cid in {None, _uuid(row.get("cid"))}:
            return row
    return None


def _uuid(value: object) -> str | None:
    """Return the UUID in a column's JSON, if there is one."""
    if isinstance(value, list) and len(value) == 2 and value[0] == "uuid":
        return uuids.parse(value[1]) if isinstance(value[1], str) else None
    return None


def _is_acceptable(connection: Connection, database: str, cid: str | None) -> bool:
    reply = connection.client.call("transact", _info_request(database))
    row = None
    if reply.error is None:
        row = _find_info(connection.name, reply.result, database, cid)
    if row is None:
        return False
    if row.get("model") == "standalone":
        return True
    if row.get("connected") is False:
        return False
    return not settings.leader_only or row.get("leader") is not False


def parse_json(text: str) -> Any:
    """Parse an argument; exit if it isn't JSON."""
    try:
        return json.from_string(text)
    except json.JsonError as error:
        fatal.die(f'"{text}": {error}')


def schema_from_file(path: str) -> Schema:
    """Read a schema file; exit if that fails."""
    try:
        return Schema.from_file(path)
    except OvsdbError as error:
        fatal.die(str(error))
