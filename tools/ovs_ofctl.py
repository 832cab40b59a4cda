# SPDX-License-Identifier: Apache-2.0
"""ovs-ofctl: look at OpenFlow switches and change them (ovs-ofctl(8)).

Each command connects, asks or tells, prints and ends. Modules are loaded as commands
need them: `show` knows nothing of actions, `parse-flow` nothing of connections.

Exit status 0: done; 1: an error, said on stderr; 2: `diff-flows` found differences.
"""

from __future__ import annotations

import sys

from ovswitch.runtime import fatal, options, program, vlog
from ovswitch.runtime.options import NO_ARGUMENT, OPTIONAL_ARGUMENT, Option
from ovswitch.runtime.options import REQUIRED_ARGUMENT as NEEDED
from ovswitch.tools.ofctl.settings import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovswitch.runtime.daemon import Daemon

_ANY_NUMBER = 0x7FFFFFFF

_OPTIONS = (
    Option("timeout", NEEDED, "t"),
    Option("strict"),
    Option("readd"),
    Option("flow-format", NEEDED, "F"),
    Option("packet-in-format", NEEDED, "P"),
    Option("more", NO_ARGUMENT, "m"),
    Option("timestamp"),
    Option("sort", OPTIONAL_ARGUMENT),
    Option("rsort", OPTIONAL_ARGUMENT),
    Option("names"),
    Option("no-names"),
    Option("stats"),
    Option("no-stats"),
    Option("unixctl", NEEDED),
    Option("help", NO_ARGUMENT, "h"),
    Option("option", NO_ARGUMENT, "o"),
    Option("bundle"),
    Option("color", OPTIONAL_ARGUMENT),
    Option("may-create"),
    Option("pcap"),
    Option("raw"),
    Option("read-only"),
    *options.DAEMON,
    Option("version", NO_ARGUMENT, "V"),
    Option("protocols", NEEDED, "O"),
    *options.LOGGING,
    *options.SSL,
)

# fmt: off
# ruff: noqa: E501
# name, usage, least and most arguments, module, function, whether it changes nothing.
_COMMANDS: tuple[tuple[str, str, int, int, str, str, bool], ...] = (
    ("show", "switch", 1, 1, "show", "show", True),
    ("monitor", "switch [misslen] [invalid_ttl] [watch:[...]]", 1, 3, "monitor", "monitor", True),
    ("snoop", "switch", 1, 1, "monitor", "snoop", True),
    ("dump-desc", "switch", 1, 1, "show", "dump_desc", True),
    ("dump-tables", "switch", 1, 1, "show", "dump_tables", True),
    ("dump-table-features", "switch", 1, 1, "tables", "dump_table_features", True),
    ("dump-table-desc", "switch", 1, 1, "show", "dump_table_desc", True),
    ("dump-flows", "switch", 1, 2, "dump", "dump_flows", True),
    ("dump-aggregate", "switch", 1, 2, "dump", "dump_aggregate", True),
    ("queue-stats", "switch [port [queue]]", 1, 3, "show", "queue_stats", True),
    ("queue-get-config", "switch [port [queue]]", 1, 3, "show", "queue_get_config", True),
    ("add-flow", "switch flow", 2, 2, "flows", "add_flow", False),
    ("add-flows", "switch file", 2, 2, "flows", "add_flows", False),
    ("mod-flows", "switch flow", 2, 2, "flows", "mod_flows", False),
    ("del-flows", "switch [flow]", 1, 2, "flows", "del_flows", False),
    ("replace-flows", "switch file", 2, 2, "compare", "replace_flows", False),
    ("diff-flows", "source1 source2", 2, 2, "compare", "diff_flows", False),
    ("add-meter", "switch meter", 2, 2, "later", "unsupported", False),
    ("mod-meter", "switch meter", 2, 2, "later", "unsupported", False),
    ("del-meter", "switch meter", 1, 2, "later", "unsupported", False),
    ("del-meters", "switch", 1, 2, "later", "unsupported", False),
    ("dump-meter", "switch meter", 1, 2, "later", "unsupported", True),
    ("dump-meters", "switch", 1, 2, "later", "unsupported", True),
    ("meter-stats", "switch [meter]", 1, 2, "later", "unsupported", True),
    ("meter-features", "switch", 1, 1, "later", "unsupported", True),
    ("packet-out", 'switch "in_port=<port> packet=<hex data> actions=..."', 2, _ANY_NUMBER, "flows", "packet_out", False),
    ("dump-ports", "switch [port]", 1, 2, "show", "dump_ports", True),
    ("dump-ports-desc", "switch [port]", 1, 2, "show", "dump_ports_desc", True),
    ("mod-port", "switch iface act", 3, 3, "change", "mod_port", False),
    ("mod-table", "switch mod", 3, 3, "tables", "mod_table", False),
    ("get-frags", "switch", 1, 1, "change", "get_frags", True),
    ("set-frags", "switch frag_mode", 2, 2, "change", "set_frags", False),
    ("probe", "target", 1, 1, "echo", "probe", True),
    ("ping", "target [n]", 1, 2, "echo", "ping", True),
    ("benchmark", "target n count", 3, 3, "echo", "benchmark", True),
    ("dump-ipfix-bridge", "switch", 1, 1, "show", "dump_ipfix_bridge", True),
    ("dump-ipfix-flow", "switch", 1, 1, "show", "dump_ipfix_flow", True),
    ("ct-flush-zone", "switch zone", 2, 2, "conntrack", "ct_flush_zone", True),
    ("ct-flush", "switch [zone=N] [ct-orig-tuple [ct-reply-tuple]]", 1, 4, "later", "unsupported", True),
    ("ofp-parse", "file", 1, 1, "files", "ofp_parse", False),
    ("ofp-parse-pcap", "pcap", 1, _ANY_NUMBER, "files", "ofp_parse_pcap", False),
    ("add-group", "switch group", 1, 2, "later", "unsupported", False),
    ("add-groups", "switch file", 2, 2, "later", "unsupported", False),
    ("mod-group", "switch group", 1, 2, "later", "unsupported", False),
    ("del-groups", "switch [group]", 1, 2, "later", "unsupported", False),
    ("insert-buckets", "switch [group]", 1, 2, "later", "unsupported", False),
    ("remove-buckets", "switch [group]", 1, 2, "later", "unsupported", False),
    ("dump-groups", "switch [group]", 1, 2, "later", "unsupported", True),
    ("dump-group-stats", "switch [group]", 1, 2, "later", "unsupported", True),
    ("dump-group-features", "switch", 1, 1, "later", "unsupported", True),
    ("bundle", "switch file", 2, 2, "bundles", "bundle", False),
    ("add-tlv-map", "switch map", 2, 2, "tlv", "add_tlv_map", True),
    ("del-tlv-map", "switch [map]", 1, 2, "tlv", "del_tlv_map", True),
    ("dump-tlv-map", "switch", 1, 1, "tlv", "dump_tlv_map", True),
    ("help", "", 0, _ANY_NUMBER, "", "", True),
    ("list-commands", "", 0, _ANY_NUMBER, "", "", True),
    ("parse-flow", "", 1, 1, "parsing", "parse_flow", False),
    ("parse-flows", "", 1, 1, "parsing", "parse_flows", False),
    ("parse-group", "", 1, 1, "later", "unsupported", False),
    ("parse-nx-match", "", 0, 0, "matches", "parse_nxm", False),
    ("parse-nxm", "", 0, 0, "matches", "parse_nxm", False),
    ("parse-oxm", "", 1, 1, "matches", "parse_oxm", False),
    ("parse-actions", "", 1, 1, "parsing", "parse_actions", False),
    ("parse-instructions", "", 1, 1, "parsing", "parse_instructions", False),
    ("parse-ofp10-match", "", 0, 0, "matches", "parse_ofp10_match", False),
    ("parse-ofp11-match", "", 0, 0, "matches", "parse_ofp11_match", False),
    ("parse-pcap", "", 1, _ANY_NUMBER, "files", "parse_pcap", False),
    ("check-vlan", "", 2, 2, "matches", "check_vlan", False),
    ("print-error", "", 1, 1, "parsing", "print_error", False),
    ("encode-error-reply", "", 2, 2, "parsing", "encode_error_reply", False),
    ("ofp-print", "", 1, 2, "parsing", "ofp_print", False),
    ("encode-hello", "", 1, 1, "parsing", "encode_hello", False),
    ("parse-key-value", "", 1, _ANY_NUMBER, "parsing", "parse_key_value", False),
    ("compose-packet", "", 1, 2, "files", "compose_packet", True),
    ("parse-packet", "", 0, 0, "files", "parse_packet", True),
)
# fmt: on

_FLAGS = {
    "strict": "strict",
    "readd": "readd",
    "timestamp": "timestamp",
    "bundle": "bundle",
    "may-create": "may_create",
    "read-only": "read_only",
    "pcap": "pcap",
    "raw": "raw",
}
_SWITCHES = {
    "names": ("names", True),
    "no-names": ("names", False),
    "stats": ("stats", True),
    "no-stats": ("stats", False),
}
_PACKET_IN_FORMATS = {
    "standard": 0,
    "openflow10": 0,
    "nxt_packet_in": 1,
    "nxm": 1,
    "nxt_packet_in2": 2,
}
_COLOR_WORDS = {
    "always": True, "yes": True, "force": True,
    "never": False, "no": False, "none": False,
    "auto": None, "tty": None, "if-tty": None,
}  # fmt: skip


def write(text: str) -> None:
    """Print `text` as it is."""
    sys.stdout.write(text)


def _add_criterion(name: str | None, falling: bool) -> None:
    if name is None or name.lower() == "priority":
        settings.criteria.append((None, falling))
        return
    from ovswitch.flow.fields import FIELDS

    if name not in FIELDS:
        fatal.die(f"{name}: unknown field name")
    settings.criteria.append((FIELDS[name], falling))


def _set_colors(word: str | None) -> None:
    wanted: bool | None = None
    if word is not None:
        if word.lower() not in _COLOR_WORDS:
            fatal.die(f"incorrect value `{word}' for --color")
        wanted = _COLOR_WORDS[word.lower()]
    if wanted is None:
        import posix

        wanted = posix.isatty(1)
    if wanted:
        from ovswitch.openflow.actions.colors import colors
        from ovswitch.runtime import dirs

        colors.enable(dirs.environment("OVS_COLORS"))


def _set_versions(text: str) -> None:
    from ovswitch.openflow import version

    bitmap = 0
    for name in text.replace(",", " ").split():
        number = version.from_name(name)
        if number is None:
            fatal.die(f'Unknown OpenFlow version: "{name}"')
        bitmap |= 1 << number
    settings.versions = bitmap


def _set_flow_format(text: str) -> None:
    from ovswitch.openflow import protocol

    try:
        settings.protocols = protocol.from_string(text)
    except ValueError as error:
        fatal.die(str(error))


def _print_version() -> None:
    from ovswitch.runtime import version

    write(f"{version.version_text(program.name)}\nOpenFlow versions 0x1:0x6\n")
    raise SystemExit(0)


def _serve_information(key: str) -> None:
    """Carry out an option that prints something and ends the program."""
    if key == "version":
        _print_version()
    if key == "option":
        write(options.listing(_OPTIONS))
        raise SystemExit(0)
    _print_usage()


def _print_usage() -> None:
    from ovswitch.tools.ofctl import usage

    write(usage.usage())
    raise SystemExit(0)


def _take_option(key: str, argument: str | None) -> None:
    text = argument or ""
    if key in _FLAGS:
        setattr(settings, _FLAGS[key], True)
    elif key in _SWITCHES:
        setattr(settings, *_SWITCHES[key])
    elif key == "more":
        settings.verbosity += 1
    elif key == "flow-format":
        _set_flow_format(text)
    elif key == "packet-in-format":
        number = _PACKET_IN_FORMATS.get(text.lower())
        if number is None:
            fatal.die(f"unknown packet-in format `{text}'")
        settings.packet_in_format = number
    elif key in ("sort", "rsort"):
        _add_criterion(argument, key == "rsort")
    elif key == "unixctl":
        settings.unixctl = text
    elif key == "color":
        _set_colors(argument)
    elif key == "protocols":
        _set_versions(text)
    elif key in ("help", "option", "version"):
        _serve_information(key)
    elif not options.handle_logging(key, argument):
        options.handle_ssl(key, argument)


def _parse_options(argv: list[str]) -> tuple[list[str], list[tuple[str, str | None]]]:
    """Carry out the options; return the command's words and daemon options."""
    parser = options.Parser(argv[0], _OPTIONS)
    daemon_keys = {option.key for option in options.DAEMON}
    for_daemon: list[tuple[str, str | None]] = []
    timeout = 0
    for key, argument in parser.iterate_or_die(argv[1:]):
        if key == "timeout":
            timeout = _parse_timeout(argument or "")
        elif key in daemon_keys:
            for_daemon.append((key, argument))
        else:
            _take_option(key, argument)
    fatal.set_timeout(timeout)
    if settings.criteria:
        settings.criteria.append((None, True))
    _match_versions()
    return parser.rest, for_daemon


def _parse_timeout(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text) <= 0xFFFFFFFF:
        return int(text)
    return fatal.die(f"value {text} on -t or --timeout is invalid")


def _match_versions() -> None:
    """Leave only versions and protocols that go together."""
    from ovswitch.openflow import protocol, version

    if settings.bundle:
        settings.prefer_bundles()
    possible = protocol.of_versions(settings.versions)
    if not settings.protocols & possible:
        names = version.format_names(settings.versions)
        fatal.die(
            f"None of the enabled OpenFlow versions ({names}) supports any of the "
            f"enabled flow formats ({protocol.to_string(settings.protocols)}).  (Use "
            "-O to enable additional OpenFlow versions or -F to enable additional "
            "flow formats.)"
        )
    settings.protocols &= possible
    settings.restrict_versions(protocol.versions_of(settings.protocols))


def _find_command(words: list[str]) -> Callable[[list[str]], int | None]:
    """Return the function for a command; die if it is used wrongly."""
    if not words:
        fatal.die("missing command name; use --help for help")
    name, n_arguments = words[0], len(words) - 1
    for command, _, least, most, module, function, harmless in _COMMANDS:
        if command != name:
            continue
        if n_arguments < least:
            fatal.die(f"'{name}' command requires at least {least} arguments")
        if n_arguments > most:
            fatal.die(f"'{name}' command takes at most {most} arguments")
        if settings.read_only and not harmless:
            fatal.die(f"'{name}' command does not work in read only mode")
        if not module:
            return _list_commands if name == "list-commands" else _help
        path = f"ovswitch.tools.ofctl.{module}"
        __import__(path)
        found: Callable[[list[str]], int | None] = getattr(sys.modules[path], function)
        return found
    return fatal.die(f"unknown command '{name}'; use --help for help")


def _help(words: list[str]) -> int:
    _print_usage()
    return 0


def _list_commands(words: list[str]) -> int:
    write("The available commands are:\n")
    for name, usage, *_ in _COMMANDS:
        write(f"  {name:<23} {usage}\n")
    return 0


#: The daemon options that were given, for `monitor` and `snoop`.
daemon_options: list[tuple[str, str | None]] = []


_daemons: list[Daemon] = []


def make_daemon() -> Daemon:
    """Return what the daemon options ask for: always the same object."""
    from ovswitch.runtime.daemon import Daemon as Made

    if not _daemons:
        made = Made()
        for key, argument in daemon_options:
            made.handle_option(key, argument)
        _daemons.append(made)
    return _daemons[0]


def main(argv: list[str]) -> int:
    """Run the program; return its exit status."""
    vlog.set_program(argv[0])
    words, daemon_options[:] = _parse_options(argv)
    command = _find_command(words)
    if any(key == "user" for key, _ in daemon_options):
        make_daemon().become_user(access_datapath=False)
    status = command(words)
    sys.stdout.flush()
    return status or 0
