# SPDX-License-Identifier: Apache-2.0
"""Compile the `ovs-forwarder` executable.

`setup.py` runs this file with `__file__` set and calls `build`. The sources are the
same that the cffi module is made of, but for each one's own ends: see `SHARED`,
`FORWARDER_ONLY` and build_core.py.
"""

from __future__ import annotations

import os
import runpy
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
CSRC = HERE / "csrc"

#: Sources of the datapath itself.
SHARED = (
    "action_check",
    "actions",
    "checksum",
    "datapath",
    "encap",
    "extract",
    "flow_hash",
    "flow_table",
    "key_attrs",
    "key_headers",
    "key_to_attrs",
    "key_tunnel",
    "meter",
    "netlink",
    "offload",
    "packet",
    "port",
    "rcu",
    "request",
    "request_datapath",
    "request_flow",
    "request_meter",
    "request_packet",
    "request_vport",
    "set_field",
    "subtable",
    "upcall",
    "worker",
)
#: Sources of the process around it.
FORWARDER_ONLY = ("connection", "forwarder", "port_packet", "port_tap", "server")

#: The code reads flow keys as words, headers as structures: hence no strict aliasing.
CFLAGS = (
    "-std=gnu11",
    "-D_GNU_SOURCE",
    "-O2",
    "-g",
    "-fno-strict-aliasing",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-pthread",
)


def compile_program(
    output: Path, temp_dir: Path, sources: list[Path], extra_flags: tuple[str, ...] = ()
) -> None:
    """Compile and link C `sources` into the executable `output`.

    Args:
        output: the executable's path.
        temp_dir: where objects and `flow_key.h` go.
        sources: the C files.
        extra_flags: compiler and linker flags beside `CFLAGS`.

    Raises:
        subprocess.CalledProcessError: the compiler failed; it has said why.
    """
    runpy.run_path(str(HERE / "build_key.py"))["write"](temp_dir)
    compiler = shlex.split(os.environ.get("CC", "gcc"))
    flags = [*CFLAGS, *extra_flags, f"-I{temp_dir}", f"-I{CSRC}"]

    def compile_one(source: Path) -> str:
        target = temp_dir / f"{source.stem}.o"
        subprocess.run(
            [*compiler, *flags, "-c", str(source), "-o", str(target)], check=True
        )
        return str(target)

    temp_dir.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(compile_one, sources))
    # A running program must not be written over: link beside it, then rename.
    new = output.with_name(output.name + ".new")
    subprocess.run(
        [*compiler, *flags, "-o", str(new), *objects, "-pthread"], check=True
    )
    new.replace(output)


def build(target_dir: Path, temp_dir: Path) -> None:
    """Compile `ovs-forwarder` into `target_dir`, with objects in `temp_dir`."""
    target_dir.mkdir(parents=True, exist_ok=True)
    compile_program(
        target_dir / "ovs-forwarder",
        Path(temp_dir) / "forwarder",
        [CSRC / f"{name}.c" for name in SHARED + FORWARDER_ONLY],
    )


if __name__ == "__main__":
    build(HERE, HERE.parent.parent / "build" / "temp")
