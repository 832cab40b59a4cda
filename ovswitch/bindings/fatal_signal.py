# SPDX-License-Identifier: Apache-2.0
"""What is to be done before a signal ends the program, as `ovs.fatal_signal`."""

from __future__ import annotations

from ovswitch.runtime import fatal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_cancels: list[Callable[[], None]] = []


def add_hook(
    hook: Callable[[], None], cancel: Callable[[], None] | None, run_at_exit: bool
) -> None:
    """Run `hook` on a fatal signal and, if `run_at_exit`, on a normal exit.

    `cancel` is run by `fork`.
    """
    fatal.add_hook(hook, at_exit=run_at_exit)
    if cancel is not None:
        _cancels.append(cancel)


def fork() -> None:
    """Drop all hooks: in a process that leaves the work to its child."""
    for cancel in _cancels:
        cancel()
    _cancels.clear()
    fatal.forget()


def add_file_to_unlink(file: str) -> None:
    """Remove a file when the program ends."""
    fatal.unlink_at_exit(file)


def remove_file_to_unlink(file: str) -> None:
    """Take back `add_file_to_unlink`."""
    fatal.keep(file)


def unlink_file_now(file: str) -> int:
    """Remove a file now; return 0 or an error number."""
    return fatal.unlink_now(file)


def signal_alarm(timeout: int | None) -> None:
    """End the program in so many seconds; None or 0 for never."""
    if timeout:
        fatal.set_timeout(timeout)
