# SPDX-License-Identifier: Apache-2.0
"""The bindings' exception, as `ovs.db.error`."""

from __future__ import annotations

from contextlib import contextmanager

from ovswitch.ovsdb.error import OvsdbError
from ovswitch.runtime import json as _json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


class Error(Exception):
    """What is wrong with a schema, a value or a message.

    `tag` is the protocol's word for it, `json` what was refused, `msg` the sentence.
    """

    def __init__(self, msg: str, json: Any = None, tag: str | None = None) -> None:
        self.msg = msg
        self.json = json
        self.tag = tag or ("ovsdb error" if json is None else "syntax error")
        syntax = ""
        if json is not None:
            syntax = f'syntax "{_json.to_string(json, sort=True)}": '
        super().__init__(f"{syntax}{self.tag}: {msg}")


@contextmanager
def translated(json: Any = None) -> Iterator[None]:
    """Raise the library's errors inside the block as `Error`."""
    try:
        yield
    except OvsdbError as error:
        made = Error(error.details or error.tag, tag=error.tag)
        made.json = json
        made.args = (str(error),)  # which shows the very part that is wrong
        raise made from error
    except RecursionError:
        raise Error("nested too deeply", tag="syntax error") from None
