# SPDX-License-Identifier: Apache-2.0
"""The commands of ovs-dpctl and of `ovs-appctl dpctl/*`: one table for both.

`run()` is what ovs-dpctl does with its command line, `run_unixctl()` what ovs-vswitchd
does with a dpctl/NAME request; `COMMANDS` tells the rest. Commands are imported when
they are used.
Source: ovs-dpctl(8); the reference's dpctl.c for texts.
"""

from __future__ import annotations

from ovswitch.datapath.dpctl.session import (
    EINVAL,
    CommandFailedError,
    Environment,
    Session,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

ANY = 0x7FFFFFFF


class Command:
    """One command: arguments it takes, and where its function is."""

    __slots__ = (
        "_function",
        "_module",
        "changes",
        "max_args",
        "min_args",
        "name",
        "usage",
    )

    def __init__(
        self,
        name: str,
        usage: str,
        min_args: int,
        max_args: int,
        where: str,
        *,
        changes: bool = False,
    ) -> None:
        self.name = name
        self.usage = usage
        self.min_args = min_args
        self.max_args = max_args
        self._module, _, function = where.partition(".")
        self._function = function or name.replace("-", "_")
        self.changes = changes  # not to be done with --read-only

    @property
    def function(self) -> Callable[[Session, list[str]], None]:
        """The command's function."""
        # The built-in import takes no detour through importlib's modules.
        module = __import__(f"{__name__}.{self._module}", fromlist=[self._function])
        function: Callable[[Session, list[str]], None] = getattr(module, self._function)
        return function


COMMANDS = (
    Command("add-dp", "dp [iface...]", 1, ANY, "ports", changes=True),
    Command("del-dp", "dp", 1, 1, "ports", changes=True),
    Command("add-if", "dp iface...", 2, ANY, "ports", changes=True),
    Command("del-if", "dp iface...", 2, ANY, "ports", changes=True),
    Command("set-if", "dp iface...", 2, ANY, "ports", changes=True),
    Command("dump-dps", "", 0, 0, "show"),
    Command("show", "[-s] [dp...]", 0, ANY, "show"),
    Command(
        "dump-flows",
        "[-m] [--names] [dp] [filter=..] [type=..] [pmd=..]",
        0,
        6,
        "flows",
    ),
    Command("add-flow", "[dp] flow actions", 2, 3, "flows", changes=True),
    Command("mod-flow", "[dp] flow actions", 2, 3, "flows", changes=True),
    Command("get-flow", "[dp] ufid", 1, 2, "flows"),
    Command("del-flow", "[dp] flow", 1, 2, "flows", changes=True),
    Command("add-flows", "[dp] file", 1, 2, "flows", changes=True),
    Command("mod-flows", "[dp] file", 1, 2, "flows", changes=True),
    Command("del-flows", "[dp] [file]", 0, 2, "flows", changes=True),
    Command("offload-stats-show", "[dp]", 0, 1, "show"),
    Command("dump-conntrack", "[-m] [-s] [dp] [zone=N]", 0, 4, "conntrack"),
    Command(
        "flush-conntrack",
        "[dp] [zone=N] [ct-orig-tuple] [ct-reply-tuple]",
        0,
        4,
        "conntrack",
        changes=True,
    ),
    Command("cache-get-size", "[dp]", 0, 1, "show"),
    Command("cache-set-size", "dp cache <size>", 3, 3, "show", changes=True),
    Command("ct-stats-show", "[dp] [zone=N]", 0, 3, "conntrack"),
    Command("ct-bkts", "[dp] [gt=N]", 0, 2, "conntrack"),
    Command("ct-set-maxconns", "[dp] maxconns", 1, 2, "conntrack", changes=True),
    Command("ct-get-maxconns", "[dp]", 0, 1, "conntrack"),
    Command("ct-get-nconns", "[dp]", 0, 1, "conntrack"),
    Command("ct-enable-tcp-seq-chk", "[dp]", 0, 1, "conntrack", changes=True),
    Command("ct-disable-tcp-seq-chk", "[dp]", 0, 1, "conntrack", changes=True),
    Command("ct-get-tcp-seq-chk", "[dp]", 0, 1, "conntrack"),
    Command(
        "ct-set-limits",
        "[dp] [default=L] [zone=N,limit=L]...",
        1,
        ANY,
        "conntrack",
    ),
    Command("ct-del-limits", "[dp] zone=N1[,N2]...", 1, 2, "conntrack"),
    Command("ct-get-limits", "[dp] [zone=N1[,N2]...]", 0, 2, "conntrack"),
    Command("ipf-set-enabled", "[dp] v4|v6", 1, 2, "conntrack", changes=True),
    Command("ipf-set-disabled", "[dp] v4|v6", 1, 2, "conntrack", changes=True),
    Command(
        "ipf-set-min-frag", "[dp] v4|v6 minfragment", 2, 3, "conntrack", changes=True
    ),
    Command("ipf-set-max-nfrags", "[dp] maxfrags", 1, 2, "conntrack", changes=True),
    Command("ipf-get-status", "[dp]", 0, 1, "conntrack"),
    Command("help", "", 0, ANY, "help_text.show_help"),
    Command("list-commands", "", 0, ANY, "help_text.list_commands"),
    Command("parse-actions", "actions", 1, ANY, "parse.parse"),
    Command("normalize-actions", "actions", 2, ANY, "normalize.normalize"),
)

_BY_NAME = {command.name: command for command in COMMANDS}


def run(session: Session, words: list[str]) -> int:
    """Do a command line; return an errno, having put out what is wrong."""
    if not words:
        session.error(0, "missing command name; use --help for help")
        return EINVAL
    name, args = words[0], words[1:]
    command = _BY_NAME.get(name)
    if command is None:
        session.error(0, f"unknown command '{name}'; use --help for help")
        return EINVAL
    if len(args) < command.min_args:
        problem = f"requires at least {command.min_args} arguments"
    elif len(args) > command.max_args:
        problem = f"takes at most {command.max_args} arguments"
    elif command.changes and session.read_only:
        problem = "does not work in read only mode"
    else:
        return call(session, command, args)
    session.error(0, f"'{name}' command {problem}")
    return EINVAL


def call(session: Session, command: Command, args: list[str]) -> int:
    """Do a command; return an errno, having put out what is wrong."""
    try:
        command.function(session, args)
    except CommandFailedError as error:
        return error.errno
    except OSError as error:
        # The datapath failed where the command expects no failure.
        session.error(error.errno or EINVAL, command.name)
        return error.errno or EINVAL
    return 0


_LONG_OPTIONS = {
    "--statistics": ("print_statistics", True),
    "--clear": ("zero_statistics", True),
    "--may-create": ("may_create", True),
    "--names": ("names", True),
    "--no-names": ("names", False),
}


def run_unixctl(
    environment: Environment, command: Command, words: list[str]
) -> tuple[bool, str]:
    """Do a request dpctl/NAME with its options and arguments.

    Returns whether it went well, and the text of the reply.
    """
    output: list[str] = []
    session = Session(environment, lambda text, _is_error: output.append(text))
    session.is_appctl = True
    args = list(words)
    problem = _take_options(session, args)
    if problem:
        return False, problem
    succeeded = call(session, command, args) == 0
    return succeeded, "".join(output)


def _take_options(session: Session, args: list[str]) -> str:
    """Take the options that the words begin with; return what is wrong, or ""."""
    names_given = False
    while args and args[0].startswith("-") and args[0] != "-":
        word = args.pop(0)
        if word.startswith("--"):
            if word == "--more":
                session.verbosity += 1
            elif word in _LONG_OPTIONS:
                attribute, value = _LONG_OPTIONS[word]
                setattr(session, attribute, value)
                names_given = names_given or attribute == "names"
            else:
                return f"Unrecognized option {word}"
            continue
        for letter in word[1:]:
            if letter == "m":
                session.verbosity += 1
            elif letter == "s":
                session.print_statistics = True
            else:
                return f"Unrecognized option -{letter}"
    if not names_given:
        session.names = session.verbosity > 0
    return ""
