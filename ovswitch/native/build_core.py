# SPDX-License-Identifier: Apache-2.0
"""Define the cffi module `ovswitch.native._core` (API mode).

`setup.py` takes `ffi` from here. The declarations come from csrc/core_api.h itself, so
that there is one text, and the compiler checks it against the functions.
"""

from __future__ import annotations

import re
import runpy
from pathlib import Path

from cffi import FFI

HERE = Path(__file__).parent if "__file__" in globals() else Path("ovswitch/native")
ROOT = HERE.resolve().parent.parent
CSRC = HERE.resolve() / "csrc"
GENERATED = ROOT / "build" / "native"

_forwarder = runpy.run_path(str(HERE / "build_forwarder.py"))
SOURCES = (*_forwarder["SHARED"], "core_api", "core_dummy", "port_dummy")


def declarations() -> str:
    """Return core_api.h without comments and preprocessor lines."""
    text = (CSRC / "core_api.h").read_text()
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return "\n".join(line for line in text.splitlines() if not line.startswith("#"))


runpy.run_path(str(HERE / "build_key.py"))["write"](GENERATED)
ffi = FFI()
ffi.cdef(declarations())
ffi.set_source(
    "ovswitch.native._core",
    '#include "core_api.h"',
    sources=[f"ovswitch/native/csrc/{name}.c" for name in SOURCES],
    include_dirs=["ovswitch/native/csrc", str(GENERATED)],
    extra_compile_args=[
        flag for flag in _forwarder["CFLAGS"] if flag not in ("-Werror", "-Wextra")
    ],
    extra_link_args=["-pthread"],
    depends=[str(path) for path in (*CSRC.glob("*.h"), *GENERATED.glob("*.h"))],
)
