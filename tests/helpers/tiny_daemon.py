# SPDX-License-Identifier: Apache-2.0
"""The smallest daemon: options, pidfile, unixctl, `exit`. Run as a program.

Commands of its own: `echo [ARG]...`, `fail TEXT`, `slow MS` (waits in virtual time),
`crash` (an exception in a task), `die SIGNAL`.
"""

import asyncio
import os
import sys

from ovswitch.runtime import (
    daemon,
    fatal,
    loop,
    memory,
    options,
    proctitle,
    program,
    timewarp,
    vlog,
)
from ovswitch.runtime.unixctl import CommandError, commands, server

_OPTIONS = (
    options.Option("unixctl", options.REQUIRED_ARGUMENT),
    options.Option("enable-dummy", options.OPTIONAL_ARGUMENT),
    options.Option("name", options.REQUIRED_ARGUMENT),
    options.Option("fail-early"),
    *options.DAEMON,
    *options.LOGGING,
)


def fail(args):
    raise CommandError(args[0])


def die(args):
    os.kill(os.getpid(), int(args[0]))
    return ""


async def slow(args):
    await loop.sleep(int(args[0]))
    return "done"


async def crash():
    raise RuntimeError("as asked")


async def serve(process, unixctl):
    done = asyncio.Event()
    commands.register("echo", "[arg]...", 0, None, " ".join)
    commands.register("fail", "text", 1, 1, fail)
    commands.register("slow", "ms", 1, 1, slow)
    commands.register("die", "signal", 1, 1, die)
    commands.register("crash", "", 0, 0, lambda _args: loop.spawn("c", crash()) and "")
    commands.register("exit", "", 0, 0, lambda _args: done.set())
    memory.register(lambda: {"b": 2, "a": 1})
    memory.start()
    control = await server.serve(unixctl)
    process.complete()
    vlog.Module("vswitchd").info("ready")
    await done.wait()
    if control is not None:
        await control.close()


def main(argv):
    vlog.set_program("tiny")
    process = daemon.Daemon()
    unixctl = None
    for key, argument in options.Parser("tiny", _OPTIONS).iterate_or_die(argv[1:]):
        if key == "unixctl":
            unixctl = argument
        elif key == "name":
            program.set_name(argument)
        elif key == "enable-dummy":
            timewarp.register_commands()
        elif key == "fail-early":
            process.fail = True
        elif not process.handle_option(key, argument):
            options.handle_logging(key, argument)
    proctitle.init([program.name, *argv[1:]])
    process.start()
    if getattr(process, "fail", False):
        fatal.die("failing early", 7)
    return loop.run(lambda: serve(process, unixctl))


if __name__ == "__main__":
    sys.exit(main(sys.argv))
