# SPDX-License-Identifier: Apache-2.0
"""Build the native module, a launcher for each program, and the manual pages.

pyproject.toml holds the metadata; here is what it can't say: the programs'
launchers are written from one template, the forwarder is an executable of its own
beside the cffi module, and pages are built from their sources.
"""

import runpy
from pathlib import Path

from setuptools import setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).parent
NATIVE = ROOT / "ovswitch" / "native"
PROGRAMS = {
    "daemons": ("ovsdb-server", "ovs-vswitchd"),
    "tools": (
        "ovs-appctl",
        "ovs-dpctl",
        "ovs-ofctl",
        "ovs-vsctl",
        "ovsdb-client",
        "ovsdb-tool",
        "vtep-ctl",
    ),
}


def write_launchers() -> list[str]:
    """Write a launcher for each program; return their paths."""
    template = (ROOT / "tools" / "launcher.in").read_text()
    version = "0.1.0"
    folder = Path("build") / "programs"
    (ROOT / folder).mkdir(parents=True, exist_ok=True)
    paths = []
    for package, programs in PROGRAMS.items():
        for program in programs:
            module = f"ovswitch.{package}.{program.replace('-', '_')}"
            text = template.replace("@MODULE@", module)
            text = text.replace("@PROGRAM@", program).replace("@VERSION@", version)
            (ROOT / folder / program).write_text(text)
            paths.append(str(folder / program))
    return paths


def data_files() -> list[tuple[str, list[str]]]:
    """Return what goes below share/: manual pages and completion, by folder."""
    build = runpy.run_path(str(ROOT / "docs" / "man" / "build.py"))["build"]
    completion = sorted((ROOT / "tools" / "completion").glob("*.bash"))
    folders = {"share/bash-completion/completions": completion}
    for page in build(ROOT / "build" / "man"):
        folders.setdefault(f"share/man/{page.parent.name}", []).append(page)
    return [
        (folder, [str(path.relative_to(ROOT)) for path in paths])
        for folder, paths in folders.items()
    ]


class BuildNative(build_ext):
    """Build the cffi module, then the forwarder's executable."""

    def run(self) -> None:
        super().run()
        build = runpy.run_path(str(NATIVE / "build_forwarder.py"))["build"]
        target = ROOT if self.inplace else Path(self.build_lib)
        build(Path(target) / "ovswitch" / "native", Path(self.build_temp))


setup(
    scripts=write_launchers(),
    data_files=data_files(),
    cffi_modules=["ovswitch/native/build_core.py:ffi"],
    cmdclass={"build_ext": BuildNative},
)
