# SPDX-License-Identifier: Apache-2.0
"""ovsdb-tool: works on database files and schemas (ovsdb-tool(1)).

Each command is a function of its arguments; what only some need is imported there,
for the program starts often. Source: ovsdb/ovsdb-tool.c.
"""

from __future__ import annotations

import os
import sys

from ovswitch.ovsdb import cmdl, disk, log, uuids
from ovswitch.ovsdb.cmdl import NO_LIMIT, Command
from ovswitch.ovsdb.error import OvsdbError
from ovswitch.ovsdb.schema import Schema, parse_version
from ovswitch.ovsdb.schema_text import ordered_json
from ovswitch.runtime import dirs, fatal, json, options, program, version, vlog
from ovswitch.runtime.options import NO_ARGUMENT, OPTIONAL_ARGUMENT, REQUIRED_ARGUMENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ovswitch.ovsdb.cluster_file import Header
    from ovswitch.ovsdb.cluster_show import ShowClusterLog
    from ovswitch.ovsdb.database import Database
    from ovswitch.ovsdb.show_log import ShowLog

_MAX_LINKS = 10
_MAGICS = f"{log.MAGIC}|{log.CLUSTER_MAGIC}"
_OPTIONS = (
    options.Option("more", NO_ARGUMENT, "m"),
    options.Option("rbac-role", REQUIRED_ARGUMENT),
    options.Option("cid", REQUIRED_ARGUMENT),
    options.Option("election-timer", REQUIRED_ARGUMENT),
    options.Option("verbose", OPTIONAL_ARGUMENT, "v"),
    options.Option("help", NO_ARGUMENT, "h"),
    options.Option("option", NO_ARGUMENT, "o"),
    options.Option("version", NO_ARGUMENT, "V"),
)
_USAGE = """\
{program}: Open vSwitch database management utility
usage: {program} [OPTIONS] COMMAND [ARG...]
  create [DB [SCHEMA]]    create DB with the given SCHEMA
  [--election-timer=ms] create-cluster DB CONTENTS LOCAL
    create clustered DB with given CONTENTS and LOCAL address
  [--cid=UUID] join-cluster DB NAME LOCAL REMOTE...
    join clustered DB with given NAME and LOCAL and REMOTE addrs
  compact [DB [DST]]      compact DB in-place (or to DST)
  convert [DB [SCHEMA [DST]]]   convert DB to SCHEMA (to DST)
  db-name [DB]            report name of schema used by DB
  db-version [DB]         report version of schema used by DB
  db-cksum [DB]           report checksum of schema used by DB
  db-cid DB               report cluster ID of clustered DB
  db-sid DB               report server ID of clustered DB
  db-local-address DB     report local address of clustered DB
  db-is-clustered DB      test whether DB is clustered
  db-is-standalone DB     test whether DB is standalone
  schema-name [SCHEMA]    report SCHEMA's name
  schema-version [SCHEMA] report SCHEMA's schema version
  schema-cksum [SCHEMA]   report SCHEMA's checksum
  compare-versions A OP B  compare OVSDB schema version numbers
  query [DB] TRNS         execute read-only transaction on DB
  transact [DB] TRNS      execute read/write transaction on DB
  cluster-to-standalone DB DB    Convert clustered DB to
      standalone DB when cluster is down and cannot be
        revived
  [-m]... show-log [DB]   print DB's log entries
The default DB is {db}.
The default SCHEMA is {schema}.
{logging}
Other options:
  -m, --more                  increase show-log verbosity
  --rbac-role=ROLE            RBAC role for transact and query commands
  -h, --help                  display this help message
  -V, --version               display version information
"""

_verbosity = 0  # of show-log
_rbac_role = ""  # of query and transact
_cid: str | None = None  # of join-cluster
_election_timer = 0  # of create-cluster, in milliseconds


def _print(text: str) -> None:
    sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
    sys.stdout.flush()


def _default_db() -> str:
    return f"{dirs.dbdir()}/conf.db"


def _default_schema() -> str:
    """Return the schema of ovs-vswitchd: the installed one, or our own copy."""
    path = f"{dirs.pkgdatadir()}/vswitch.ovsschema"
    own = f"{log.__file__.rpartition('/')[0]}/vswitch.ovsschema"
    return path if os.path.exists(path) else own


def _argument(args: list[str], index: int, default: str) -> str:
    return args[index] if index < len(args) else default


def _open_log(name: str) -> log.Log:
    return log.open_log(name, _MAGICS)


def _file_schema(args: list[str]) -> Schema:
    """Return the schema of the database file that a command names first."""
    from ovswitch.ovsdb import storage

    file = storage.open_storage(_argument(args, 0, _default_db()), writable=False)
    return file.read_schema()


def _schema(args: list[str], index: int = 0) -> Schema:
    return Schema.from_file(_argument(args, index, _default_schema()))


def _create(args: list[str]) -> None:
    schema = _schema(args, 1)
    file = log.open_log(
        _argument(args, 0, _default_db()), log.MAGIC, log.CREATE_EXCLUSIVE
    )
    file.write(ordered_json(schema))
    file.sync()
    file.close()


def _create_cluster(args: list[str]) -> None:
    from ovswitch.ovsdb import cluster_create

    name, source, local = args
    cluster_create.create(name, source, local, _election_timer)


def _join_cluster(args: list[str]) -> None:
    from ovswitch.ovsdb import cluster_create, parser

    db, name, local, *remotes = args
    if not parser.is_id(name):
        fatal.die(
            f'{name}: not a valid schema name (use "schema-name" command to find the '
            "correct name)"
        )
    cluster_create.join(db, name, local, remotes, _cid)


def _cluster_to_standalone(args: list[str]) -> None:
    from ovswitch.ovsdb import cluster_create
    from ovswitch.ovsdb.cluster_file import ClusterError

    name, source = args
    try:
        cluster_create.to_standalone(name, source)
    except ClusterError as error:
        fatal.die(str(error))


def _check_cluster(args: list[str]) -> None:
    from ovswitch.ovsdb.cluster_check import Checker
    from ovswitch.ovsdb.cluster_file import ClusterError

    try:
        Checker(_print).check(args)
    except ClusterError as error:
        fatal.die(str(error))


def _compact(args: list[str]) -> None:
    _rewrite(args, 1, None, "compacted")


def _convert(args: list[str]) -> None:
    _rewrite(args, 2, _schema(args, 1), "converted")


def _follow_links(name: str) -> str:
    """Return what a symbolic link names in the end, any other name as it is."""
    links = 0
    while os.path.islink(name) and links < _MAX_LINKS:
        name = os.path.join(os.path.dirname(name), os.readlink(name))
        links += 1
    return name


def _rewrite(
    args: list[str], target_index: int, schema: Schema | None, verb: str
) -> None:
    """Write a database anew, without its history, in place or to another file."""
    from ovswitch.ovsdb import lockfile, offline

    source = _follow_links(_argument(args, 0, _default_db()))
    in_place = target_index >= len(args)
    target = f"{source}.tmp" if in_place else _follow_links(args[target_index])
    locks = []
    for name in (source, target) if in_place else (target,):
        try:
            locks.append(lockfile.lock(name))
        except OSError as error:
            fatal.die(f"{name}: failed to lock lockfile", error=error.errno or 0)
    comment = f"{verb} by ovsdb-tool {version.OVS_VERSION}"
    _write_snapshot(offline.read_database(source, schema=schema), target, comment)
    if in_place:
        try:
            os.rename(target, source)
        except OSError as error:
            fatal.die(
                f'failed to rename "{target}" to "{source}"', error=error.errno or 0
            )
        disk.DISK.sync_folder(source)
    for lock in reversed(locks):
        lock.release()


def _write_snapshot(database: Database, target: str, comment: str) -> None:
    from ovswitch.runtime import clock

    database.use_diff = False  # a single record needs none
    file = log.open_log(target, log.MAGIC, log.CREATE, locking=False)
    try:
        file.write(ordered_json(database.schema))
        file.write(database.snapshot(clock.wall(), comment))
        file.sync()
    except OvsdbError:
        os.unlink(target)
        raise
    file.close()


def _needs_conversion(args: list[str]) -> None:
    have, want = _file_schema(args).to_json(), _schema(args, 1).to_json()
    same = json.to_string(have, sort=True) == json.to_string(want, sort=True)
    _print("no\n" if same else "yes\n")


def _db_name(args: list[str]) -> None:
    file = _open_log(_argument(args, 0, _default_db()))
    record = file.read()
    if file.magic == log.MAGIC:
        _print(f"{Schema.from_json(record).name}\n")
    else:
        _print(f"{_read_header(record).name}\n")


def _db_version(args: list[str]) -> None:
    _print(f"{_file_schema(args).version}\n")


def _db_cksum(args: list[str]) -> None:
    _print(f"{_file_schema(args).cksum}\n")


def _read_header(record: dict[str, Any] | None) -> Header:
    from ovswitch.ovsdb.cluster_file import Header

    return Header.from_json(record)


def _cluster_header(name: str) -> Header:
    file = _open_log(name)
    if file.magic != log.CLUSTER_MAGIC:
        fatal.die(f"{name}: not a clustered database")
    return _read_header(file.read())


def _db_cid(args: list[str]) -> int:
    cid = _cluster_header(args[0]).cluster_id
    if cid == uuids.ZERO:
        sys.stderr.write(f"{args[0]}: cluster ID not yet known\n")
        return 2
    _print(f"{cid}\n")
    return 0


def _db_sid(args: list[str]) -> None:
    _print(f"{_cluster_header(args[0]).server_id}\n")


def _db_local_address(args: list[str]) -> None:
    _print(f"{_cluster_header(args[0]).local_address}\n")


def _db_is_clustered(args: list[str]) -> int:
    return 0 if _open_log(args[0]).magic == log.CLUSTER_MAGIC else 2


def _db_is_standalone(args: list[str]) -> int:
    return 0 if _open_log(args[0]).magic == log.MAGIC else 2


def _schema_name(args: list[str]) -> None:
    _print(f"{_schema(args).name}\n")


def _schema_version(args: list[str]) -> None:
    _print(f"{_schema(args).version}\n")


def _schema_cksum(args: list[str]) -> None:
    _print(f"{_schema(args).cksum}\n")


def _query(args: list[str]) -> None:
    _execute(args, writable=False)


def _transact(args: list[str]) -> None:
    _execute(args, writable=True)


def _execute(args: list[str], *, writable: bool) -> None:
    from ovswitch.ovsdb import offline, rbac
    from ovswitch.runtime import clock

    name = args[0] if len(args) > 1 else _default_db()
    database = offline.read_database(name, writable=writable)
    try:
        request = json.from_string(args[-1])
    except json.JsonError as error:
        fatal.die(f'"{args[-1]}": {error}')
    client = rbac.Client(_rbac_role)
    result = database.transact(request, clock.wall(), client=client)
    _print(json.to_string(result, sort=True) + "\n")


def _show_log(args: list[str]) -> None:
    file = _open_log(_argument(args, 0, _default_db()))
    shown: ShowLog | ShowClusterLog
    if file.magic == log.MAGIC:
        from ovswitch.ovsdb.show_log import ShowLog

        shown = ShowLog(_verbosity)
    else:
        from ovswitch.ovsdb.cluster_show import ShowClusterLog

        shown = ShowClusterLog(_verbosity)
    while (record := file.read()) is not None:
        for text in shown.record(record):
            _print(text)


def _compare_versions(args: list[str]) -> int:
    numbers = []
    for text in (args[0], args[2]):
        number = parse_version(text)
        if number is None:
            fatal.die(f"{text}: not an OVSDB version number in format x.y.z")
        numbers.append(number)
    a, b = numbers
    results = {
        "<": a < b,
        "<=": a <= b,
        "==": a == b,
        ">=": a >= b,
        ">": a > b,
        "!=": a != b,
    }
    if args[1] not in results:
        fatal.die(f"{args[1]}: not a relational operator")
    return 0 if results[args[1]] else 2


def _help(_args: list[str]) -> None:
    from ovswitch.runtime import vlog_control

    _print(
        _USAGE.format(
            program=program.name,
            db=_default_db(),
            schema=_default_schema(),
            logging=vlog_control.usage(),
        )
    )


def _list_commands(_args: list[str]) -> None:
    _print(cmdl.listing(_COMMANDS))


_COMMANDS = (
    Command("create", "[db [schema]]", 0, 2, _create),
    Command("create-cluster", "db contents local", 3, 3, _create_cluster),
    Command("join-cluster", "db name local remote...", 4, NO_LIMIT, _join_cluster),
    Command("compact", "[db [dst]]", 0, 2, _compact),
    Command("convert", "[db [schema [dst]]]", 0, 3, _convert),
    Command("needs-conversion", "", 0, 2, _needs_conversion),
    Command("db-name", "[db]", 0, 1, _db_name),
    Command("db-version", "[db]", 0, 1, _db_version),
    Command("db-cksum", "[db]", 0, 1, _db_cksum),
    Command("db-cid", "db", 1, 1, _db_cid),
    Command("db-sid", "db", 1, 1, _db_sid),
    Command("db-local-address", "db", 1, 1, _db_local_address),
    Command("db-is-clustered", "db", 1, 1, _db_is_clustered),
    Command("db-is-standalone", "db", 1, 1, _db_is_standalone),
    Command("schema-name", "[schema]", 0, 1, _schema_name),
    Command("schema-version", "[schema]", 0, 1, _schema_version),
    Command("schema-cksum", "[schema]", 0, 1, _schema_cksum),
    Command("query", "[db] trns", 1, 2, _query),
    Command("transact", "[db] trns", 1, 2, _transact),
    Command("show-log", "[db]", 0, 1, _show_log),
    Command("check-cluster", "db...", 1, NO_LIMIT, _check_cluster),
    Command("compare-versions", "a op b", 3, 3, _compare_versions),
    Command("help", "", 0, NO_LIMIT, _help),
    Command("list-commands", "", 0, NO_LIMIT, _list_commands),
    Command("cluster-to-standalone", "db clusterdb", 2, 2, _cluster_to_standalone),
)


def _take_option(key: str, argument: str | None) -> None:
    global _verbosity, _rbac_role
    if key == "more":
        _verbosity += 1
    elif key == "rbac-role":
        _rbac_role = argument or ""
    elif key in {"cid", "election-timer"}:
        _take_cluster_option(key, argument or "")
    elif key == "help":
        _help([])
        raise SystemExit(0)
    elif key == "option":
        _print(options.listing(_OPTIONS))
        raise SystemExit(0)
    elif key == "version":
        _print(version.version_text(program.name) + "\n")
        raise SystemExit(0)
    elif key == "verbose":
        options.handle_logging(key, argument)


def _take_cluster_option(key: str, text: str) -> None:
    global _cid, _election_timer
    if key == "cid":
        _cid = uuids.parse(text)
        if _cid in {None, uuids.ZERO}:
            fatal.die(f"{text}: not a valid UUID")
    else:
        from ovswitch.ovsdb.cluster_file import validate_election_timer

        _election_timer = _leading_number(text)
        validate_election_timer(_election_timer)


def _leading_number(text: str) -> int:
    """Return the number that `text` begins with, 0 without one, as atoll() does."""
    text = text.lstrip(" \t\n\v\f\r")
    sign = text[:1] if text[:1] in {"+", "-"} else ""
    n_digits = 0
    for digit in text[len(sign) :]:
        if digit not in "0123456789":
            break
        n_digits += 1
    return int(text[: len(sign) + n_digits]) if n_digits else 0


def main(argv: list[str]) -> int:
    """Run the program; return its exit status."""
    vlog.set_program(argv[0])
    parser = options.Parser(argv[0], _OPTIONS)
    try:
        for key, argument in parser.iterate_or_die(argv[1:]):
            _take_option(key, argument)
        command = cmdl.find(_COMMANDS, parser.rest)
        return command.function(parser.rest[1:]) or 0
    except OvsdbError as error:
        fatal.die(str(error))
