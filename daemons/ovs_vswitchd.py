# SPDX-License-Identifier: Apache-2.0
"""ovs-vswitchd: options, signals, main loop. The switch is in `ovswitch.bridge`."""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
from dataclasses import dataclass, field

from ovswitch.bridge import commands as bridge_commands
from ovswitch.bridge import dummy_commands
from ovswitch.bridge.switch import Switch
from ovswitch.netdev import dummy, linux, patch, tunnel_types
from ovswitch.runtime import (
    dirs,
    fatal,
    loop,
    memory,
    options,
    proctitle,
    program,
    timewarp,
    version,
    vlog,
    vlog_control,
)
from ovswitch.runtime.daemon import Daemon
from ovswitch.runtime.daemon import usage as daemon_usage
from ovswitch.runtime.options import (
    OPTIONAL_ARGUMENT,
    REQUIRED_ARGUMENT,
    Option,
    Parser,
)
from ovswitch.runtime.unixctl import commands, server

_log = vlog.Module("vswitchd")

_OPTIONS = (
    Option("help", short="h"),
    Option("version", short="V"),
    Option("mlockall"),
    Option("unixctl", REQUIRED_ARGUMENT),
    *options.DAEMON,
    *options.LOGGING,
    *options.SSL,
    options.PEER_CA_CERT,
    options.BOOTSTRAP_CA_CERT,
    Option("enable-dummy", OPTIONAL_ARGUMENT),
    Option("disable-system"),
    Option("disable-system-route"),
    Option("dpdk", OPTIONAL_ARGUMENT),
    Option("dummy-numa", REQUIRED_ARGUMENT),
)

_MCL_CURRENT, _MCL_FUTURE = 1, 2


_DUMMY_LEVELS = ("", "system", "override")


@dataclass
class Settings:
    """What the command line asks for.

    Attributes:
        dummy: None without --enable-dummy, else its argument or "".
    """

    remote: str = ""
    unixctl: str | None = None
    mlockall: bool = False
    dummy: str | None = None
    disable_system: bool = False
    daemon: Daemon = field(default_factory=Daemon)


def usage() -> str:
    """Return what `--help` prints."""
    name, rundir = program.name, dirs.rundir()
    return f"""{name}: Open vSwitch daemon
usage: {name} [OPTIONS] [DATABASE]
where DATABASE is a socket on which ovsdb-server is listening
      (default: "unix:{rundir}/db.sock").

Active DATABASE connection methods:
  tcp:HOST:PORT           PORT at remote HOST
  ssl:HOST:PORT           SSL PORT at remote HOST
  unix:FILE               Unix domain socket named FILE
PKI configuration (required to use SSL):
  -p, --private-key=FILE  file with private key
  -c, --certificate=FILE  file with certificate for private key
  -C, --ca-cert=FILE      file with peer CA certificate
  --bootstrap-ca-cert=FILE  file with peer CA certificate to read or create
SSL options:
  --ssl-protocols=PROTOS  list of SSL protocols to enable
  --ssl-ciphers=CIPHERS   list of SSL ciphers to enable
{daemon_usage()}{vlog_control.usage()}
DPDK options:
Configuration of DPDK via command-line is removed from this
version of Open vSwitch. DPDK is configured through ovsdb.

Other options:
  --unixctl=SOCKET          override default control socket name
  -h, --help                display this help message
  -V, --version             display version information
"""


def parse(argv: list[str]) -> Settings:
    """Read the command line; some options end the program at once."""
    settings = Settings()
    parser = Parser(argv[0], _OPTIONS)
    for key, argument in parser.iterate_or_die(argv[1:]):
        if (
            options.handle_logging(key, argument)
            or settings.daemon.handle_option(key, argument)
            or options.handle_ssl(key, argument)
        ):
            continue
        if key == "help":
            sys.stdout.write(usage())
            raise SystemExit(0)
        if key == "version":
            print(version.version_text(program.name))
            raise SystemExit(0)
        if key == "dpdk":
            fatal.die("Using --dpdk to configure DPDK is not supported.")
        if key == "mlockall":
            settings.mlockall = True
        elif key == "unixctl":
            settings.unixctl = argument
        elif key == "enable-dummy":
            settings.dummy = argument or ""
            if settings.dummy not in _DUMMY_LEVELS:
                fatal.die(f"{argument}: unknown dummy level")
        elif key == "disable-system":
            settings.disable_system = True
    if len(parser.rest) > 1:
        _log.fatal("at most one non-option argument accepted; use --help for usage")
    settings.remote = parser.rest[0] if parser.rest else f"unix:{dirs.rundir()}/db.sock"
    return settings


def _lock_memory() -> None:
    """Keep the kernel from paging any of the process out."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(_MCL_CURRENT | _MCL_FUTURE):
        _log.err("mlockall failed: %s", os.strerror(ctypes.get_errno()))


def _register_classes(settings: Settings) -> None:
    linux.register_classes()
    patch.register_class()
    tunnel_types.register_classes()
    if settings.dummy is not None:
        dummy.register_classes(settings.dummy)


async def _serve(settings: Settings) -> int:
    """Run until somebody asks for the end."""
    try:
        control = await server.serve(settings.unixctl)
    except OSError:
        return 1
    exiting: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def on_exit(args: list[str]) -> None:
        if not exiting.done():
            exiting.set_result(args == ["--cleanup"])

    commands.register("exit", "[--cleanup]", 0, 1, on_exit)
    memory.start()
    switch = Switch(
        settings.remote,
        dummy=settings.dummy,
        disable_system=settings.disable_system,
        self_confine=settings.daemon.self_confine,
        on_ready=settings.daemon.complete,
    )
    bridge_commands.register(switch)
    if settings.dummy is not None:
        timewarp.register_commands()
        dummy_commands.register(switch.wires)
    await switch.start()
    cleanup = await exiting
    await switch.stop(delete_datapath=cleanup)
    if control:
        await control.close()
    return 0


def main(argv: list[str]) -> int:
    """Run ovs-vswitchd."""
    program.set_name(argv[0])
    proctitle.init(argv)
    settings = parse(argv)
    settings.daemon.start(access_datapath=True)
    if settings.mlockall:
        _lock_memory()
    _register_classes(settings)
    return loop.run(lambda: _serve(settings))
