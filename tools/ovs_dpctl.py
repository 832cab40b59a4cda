# SPDX-License-Identifier: Apache-2.0
"""ovs-dpctl: look at and change datapaths directly (ovs-dpctl(8)).

Works on the userspace forwarder of the run directory, whether ovs-vswitchd is running
or not. Commands are those of `ovs-appctl dpctl/*`: see `ovswitch.datapath.dpctl`.
"""

from __future__ import annotations

import sys

from ovswitch.datapath import dpctl
from ovswitch.datapath.dpctl.session import STATS, Environment, Session, vport_stats
from ovswitch.datapath.transport_userspace import UserspaceTransport
from ovswitch.runtime import dirs, fatal, options, program, version, vlog
from ovswitch.runtime.options import Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.datapath.dpif import Port

_OPTIONS = (
    Option("statistics", short="s"),
    Option("clear"),
    Option("may-create"),
    Option("read-only"),
    Option("more", short="m"),
    Option("names"),
    Option("no-names"),
    Option("timeout", options.REQUIRED_ARGUMENT, "t"),
    Option("help", short="h"),
    Option("option", short="o"),
    Option("version", short="V"),
    *options.LOGGING,
)
_ENOENT = 2

_USAGE = """\
{0}: Open vSwitch datapath management utility
usage: {0} [OPTIONS] COMMAND [ARG...]
  add-dp DP [IFACE...]     add new datapath DP (with IFACEs)
  del-dp DP                delete local datapath DP
  add-if DP IFACE...       add each IFACE as a port on DP
  set-if DP IFACE...       reconfigure each IFACE within DP
  del-if DP IFACE...       delete each IFACE from DP
  dump-dps                 display names of all datapaths
  show                     show basic info on all datapaths
  show DP...               show basic info on each DP
  dump-flows [DP]          display flows in DP
  add-flow [DP] FLOW ACTIONS add FLOW with ACTIONS to DP
  add-flows [DP] FILE        add flows from FILE
  mod-flow [DP] FLOW ACTIONS change FLOW actions to ACTIONS in DP
  mod-flows [DP] FILE        change flows from FILE
  get-flow [DP] ufid:UFID    fetch flow corresponding to UFID
  del-flow [DP] FLOW         delete FLOW from DP
  del-flows [DP] [FILE]      delete all or specified flows from DP
  cache-get-size [DP]             Show the current size for all caches
  cache-set-size DP CACHE SIZE  Set cache size for a specific cache
  dump-conntrack [DP] [zone=ZONE]  display conntrack entries for ZONE
  flush-conntrack [DP] [zone=ZONE] [ct-tuple]delete matched conntrack entries in ZONE
  ct-stats-show [DP] [zone=ZONE] [verbose] CT connections grouped by protocol
  ct-bkts [DP] [gt=N] display connections per CT bucket
Each IFACE on add-dp, add-if, and set-if may be followed by
comma-separated options.  See ovs-dpctl(8) for syntax, or the
Interface table in ovs-vswitchd.conf.db(5) for an options list.
For COMMAND dump-flows, add-flow, add-flows, mod-flow,
mod-flows, del-flow and del-flows, DP is optional if there is
only one datapath.
{1}
Options for show and mod-flow:
  -s,  --statistics           print statistics for port or flow

Options for dump-flows:
  -m, --more                  increase verbosity of output
  --names                     use port names in output

Options for mod-flow:
  --may-create                create flow if it doesn't exist
  --read-only                 do not run read/write commands
  --clear                     reset existing stats to zero

Other options:
  -t, --timeout=SECS          give up after SECS seconds
  -h, --help                  display this help message
  -V, --version               display version information
"""

# Options that only set an attribute of the session.
_FLAGS = {
    "statistics": ("print_statistics", True),
    "clear": ("zero_statistics", True),
    "may-create": ("may_create", True),
    "read-only": ("read_only", True),
    "names": ("names", True),
    "no-names": ("names", False),
}


def _usage() -> None:
    from ovswitch.runtime import vlog_control

    fatal.write_out(_USAGE.format(program.name, vlog_control.usage()))
    raise SystemExit(0)


def _parse_command_line(argv: list[str], session: Session) -> list[str]:
    """Set the session's options; return the command with its arguments."""
    parser = options.Parser(argv[0], _OPTIONS)
    timeout = 0
    names_given = False
    for key, argument in parser.iterate_or_die(argv[1:]):
        if key in _FLAGS:
            attribute, value = _FLAGS[key]
            setattr(session, attribute, value)
            names_given = names_given or attribute == "names"
        elif key == "more":
            session.verbosity += 1
        elif key == "timeout":
            timeout = _parse_timeout(argument or "")
        elif key == "help":
            _usage()
        elif key == "option":
            fatal.write_out(options.listing(_OPTIONS))
            raise SystemExit(0)
        elif key == "version":
            fatal.write_out(version.version_text(program.name) + "\n")
            raise SystemExit(0)
        else:
            options.handle_logging(key, argument)
    fatal.set_timeout(timeout)
    if not names_given:
        session.names = session.verbosity > 0
    return parser.rest


def _parse_timeout(text: str) -> int:
    valid = text.isascii() and text.isdigit() and 0 < int(text) <= 0xFFFFFFFF
    if not valid:
        fatal.die(f"value {text} on -t or --timeout is invalid")
    return int(text)


def _write(text: str, is_error: bool) -> None:
    if is_error:
        sys.stdout.flush()
        sys.stderr.write(text)
    else:
        fatal.write_out(text)


def _port_stats(port: Port) -> dict[str, int]:
    """Return what the kernel counted for the port's device; else the datapath's."""
    stats = vport_stats(port)
    for name in STATS:
        if name in stats:
            continue
        try:
            with open(f"/sys/class/net/{port.name}/statistics/{name}") as file:
                stats[name] = int(file.read())
        except (OSError, ValueError):
            continue
    return stats


def _bring_up(name: str) -> None:
    """Set the device's "up" flag."""
    import _socket
    import fcntl
    from struct import Struct

    request = Struct("16sh14x")
    get_flags, set_flags, flag_up = 0x8913, 0x8914, 1
    one = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)
    try:
        reply = fcntl.ioctl(one.fileno(), get_flags, request.pack(name.encode(), 0))
        _, flags = request.unpack(reply)
        if not flags & flag_up:
            octets = request.pack(name.encode(), flags | flag_up)
            fcntl.ioctl(one.fileno(), set_flags, octets)
    finally:
        one.close()


def _environment() -> Environment:
    environment = Environment({"netdev": UserspaceTransport(dirs.rundir())})
    # The kernel's datapath isn't driven yet: say what is said where it is missing.
    environment.missing = {"system": _ENOENT}
    environment.announce = lambda: vlog.Module("dpif_netlink").info(
        "Generic Netlink family 'ovs_datapath' does not exist. "
        "The Open vSwitch kernel module is probably not loaded."
    )
    environment.warn = lambda text: vlog.Module("dpif").warn("%s", text)
    environment.port_stats = _port_stats
    environment.bring_up = _bring_up
    return environment


def main(argv: list[str]) -> int:
    """Run the program; return its exit status."""
    vlog.set_program(argv[0])
    fatal.install()
    fatal.default_sigpipe()
    session = Session(_environment(), _write)
    session.usage = _usage
    words = _parse_command_line(argv, session)
    return 1 if dpctl.run(session, words) else 0
