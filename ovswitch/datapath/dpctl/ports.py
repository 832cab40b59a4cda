# SPDX-License-Identifier: Apache-2.0
"""Commands that change datapaths and their ports: add-dp, del-dp, add-if and so on."""

from __future__ import annotations

from ovswitch.datapath.dpctl.session import (
    EINVAL,
    CommandFailedError,
    Session,
)
from ovswitch.datapath.dpif import Dpif, DpifError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    _PortCommand = Callable[[Session, Dpif, str, str], None]

ENOENT = 2
ENODEV = 19


def add_dp(session: Session, args: list[str]) -> None:
    """Make a datapath, with ports where any are named."""
    try:
        session.open(args[0], create=True)
    except DpifError as error:
        session.fail(error.errno or EINVAL, "add_dp")
    if len(args) > 1:
        add_if(session, args)


def del_dp(session: Session, args: list[str]) -> None:
    """Delete a datapath."""
    dpif = _open(session, args[0])
    try:
        dpif.delete()
    except DpifError as error:
        session.fail(error.errno or EINVAL, "del_dp")


def _open(session: Session, argument: str) -> Dpif:
    try:
        return session.open(argument)
    except DpifError as error:
        session.fail(error.errno or EINVAL, "opening datapath")


def _each(session: Session, args: list[str], one: _PortCommand) -> None:
    """Do something to each port named; go on after failures, and fail at last."""
    dpif = _open(session, args[0])
    failure = 0
    for argument in args[1:]:
        try:
            one(session, dpif, args[0], argument)
        except CommandFailedError as error:
            failure = error.errno
    if failure:
        raise CommandFailedError(failure)


def _split(session: Session, argument: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the device and the options of "NAME[,KEY=VALUE]..."."""
    words = [word for word in argument.split(",") if word]
    if not words:
        session.error(0, f"{argument} is not a valid network device name")
        raise CommandFailedError(EINVAL)
    options = []
    for word in words[1:]:
        key, _, value = word.partition("=")
        options.append((key, value))
    return words[0], options


def _to_number(text: str) -> int:
    """Return the number that a text starts with, as atoi() does."""
    digits = ""
    for char in text.strip():
        if not char.isdigit():
            break
        digits += char
    return int(digits[:10] or "0")


def add_if(session: Session, args: list[str]) -> None:
    """Add ports to a datapath."""
    _each(session, args, _add_one)


def _add_one(session: Session, dpif: Dpif, dp_name: str, argument: str) -> None:
    name, options = _split(session, argument)
    port_type = "system"
    port_no: int | None = None
    config: dict[str, str] = {}
    for key, value in options:
        if key == "type":
            port_type = value
        elif key == "port_no":
            port_no = _to_number(value)
        elif key in config:
            session.error(0, f'duplicate "{key}" option')
        else:
            config[key] = value
    try:
        session.environment.open_device(name, port_type)
    except OSError as error:
        text = f"{name}: failed to open network device"
        session.fail(error.errno or EINVAL, text)
    try:
        number = dpif.port_add(name, port_type, port_no, upcalls=False)
    except DpifError as error:
        if error.errno == ENODEV and port_type == "system":
            session.fail(ENODEV, f"{name}: failed to open network device")
        session.fail(error.errno or EINVAL, f"adding {name} to {dp_name} failed")
    if config:
        session.environment.set_port_config(dpif.port_query_by_number(number), config)
    try:
        session.environment.bring_up(name)
    except OSError as error:
        session.fail(error.errno or EINVAL, f"{name}: failed bringing interface up")


def del_if(session: Session, args: list[str]) -> None:
    """Remove ports, by name or number."""
    _each(session, args, _delete_one)


def _delete_one(session: Session, dpif: Dpif, dp_name: str, argument: str) -> None:
    if argument.isascii() and argument.isdigit():
        port_no = int(argument[:10])
    else:
        try:
            port_no = dpif.port_query_by_name(argument).port_no
        except DpifError:
            session.error(0, f"no port named {argument}")
            raise CommandFailedError(ENOENT) from None
    try:
        dpif.port_del(port_no)
    except DpifError as error:
        text = f"deleting port {argument} from {dp_name} failed"
        session.fail(error.errno or EINVAL, text)


def set_if(session: Session, args: list[str]) -> None:
    """Change ports' configuration."""
    _each(session, args, _set_one)


def _set_one(session: Session, dpif: Dpif, dp_name: str, argument: str) -> None:
    name, options = _split(session, argument)
    try:
        port = dpif.port_query_by_name(name)
    except DpifError as error:
        text = f"{name}: failed to query port in {dp_name}"
        session.fail(error.errno or EINVAL, text)
    config = dict(session.environment.port_config(port))
    for key, value in options:
        if key == "type":
            if value != port.type:
                text = f"{name}: can't change type from {port.type} to {value}"
                session.error(0, text)
                raise CommandFailedError(EINVAL)
        elif key == "port_no":
            number = _to_number(value)
            if number != port.port_no:
                session.error(
                    0,
                    f"{name}: can't change port number from {port.port_no} to {number}",
                )
                raise CommandFailedError(EINVAL)
        elif value:
            config[key] = value
        else:
            config.pop(key, None)
    problem = session.environment.set_port_config(port, config)
    if problem:
        session.error(0, problem)
        raise CommandFailedError(EINVAL)
