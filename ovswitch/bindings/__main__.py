# SPDX-License-Identifier: Apache-2.0
"""Run a program written for `ovs`: ``python -m ovswitch.bindings PROGRAM ...``.

``-m MODULE`` instead of a program's name runs a module.
"""

from __future__ import annotations

import runpy
import sys

from ovswitch.bindings import install


def main() -> int:
    """Run the program in sys.argv with the official names taken."""
    words = sys.argv[1:]
    is_module = words[:1] == ["-m"]
    if is_module:
        del words[0]
    if not words:
        print("usage: python -m ovswitch.bindings {PROGRAM | -m MODULE} [ARGUMENT...]")
        return 2
    install()
    sys.argv = words
    if is_module:
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(words[0], run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main())
