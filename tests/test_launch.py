# SPDX-License-Identifier: Apache-2.0
"""Starting programs: how they are found, named and ended."""

import importlib.util
import os
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.programs import Ours

from ovswitch import launch

BIN = Path(sys.executable).parent


@pytest.fixture
def package(tmp_path):
    """A package with a module, a subpackage, and cache files for all but one."""
    sub = tmp_path / "sub"
    sub.mkdir()
    for path in (tmp_path / "module.py", sub / "__init__.py", tmp_path / "fresh.py"):
        path.write_text(f"name = {path.stem!r}\n")
        if path.stem != "fresh":
            py_compile.compile(str(path), doraise=True)
    return tmp_path


def find(package, name):
    return launch.Finder.find_spec(f"ovswitch.{name}", [str(package)])


def load(spec):
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_module_is_loaded_from_its_cache_file(package):
    module = load(find(package, "module"))
    assert module.name == "module"
    assert module.__file__ == str(package / "module.py")
    assert module.__cached__ == importlib.util.cache_from_source(module.__file__)
    assert module.__package__ == "ovswitch"
    assert not hasattr(module, "__path__")
    assert module.__spec__.loader.get_source("ovswitch.module") == "name = 'module'\n"


def test_a_package_has_a_path(package):
    module = load(find(package, "sub"))
    assert module.__path__ == [str(package / "sub")]
    assert module.__package__ == "ovswitch.sub"


def test_a_module_is_loaded_anew_from_its_source(package):
    spec = find(package, "module")
    load(spec)
    (package / "module.py").write_text("name = 'changed'\n")
    assert load(spec).name == "changed"


@pytest.mark.parametrize("name", ["fresh", "nothing", "sub.nothing"])
def test_what_has_no_cache_file_is_left_to_others(package, name):
    assert find(package, name) is None


def test_other_packages_are_left_to_others(package):
    assert launch.Finder.find_spec("module", [str(package)]) is None
    assert launch.Finder.find_spec("ovswitch", None) is None


@pytest.mark.parametrize("change", ["time", "size", "magic", "short"])
def test_an_outdated_cache_file_is_left_to_others(package, change):
    source = package / "module.py"
    cached = Path(importlib.util.cache_from_source(str(source)))
    match change:
        case "time":
            os.utime(source, (1, 1))
        case "size":
            status = source.stat()
            source.write_text("name = 'another one'\n")
            os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns))
        case "magic":
            cached.write_bytes(b"\0\0\0\0" + cached.read_bytes()[4:])
        case "short":
            cached.write_bytes(cached.read_bytes()[:15])
    assert find(package, "module") is None


def run_program(body, **options):
    """Run a program of a few lines as a launcher does."""
    script = f"""
import sys, types
from ovswitch import launch
program = types.ModuleType("program")
def main(argv):
    {body}
program.main = main
sys.modules["program"] = program
launch.run("program", ["/somewhere/prog", "argument"])
"""
    command = [sys.executable, "-I", "-c", script]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, **options
    )


@pytest.mark.parametrize(
    ("body", "status", "err"),
    [
        ("return 3", 3, ""),
        ("return None", 0, ""),
        ("sys.exit(4)", 4, ""),
        ("sys.exit('words')", 1, "words\n"),
        ("sys.exit(-1)", 255, ""),
        ("import threading; return 5", 5, ""),
    ],
)
def test_the_programs_status_is_the_processs(body, status, err):
    done = run_program(body)
    assert (done.returncode, done.stderr) == (status, err)


def test_output_is_flushed_and_exit_functions_run():
    body = "import atexit; atexit.register(print, 'end'); print(*argv, end=' '); return"
    assert run_program(body).stdout == "/somewhere/prog argument end\n"


def test_an_exception_is_shown():
    done = run_program("raise LookupError('missing')")
    assert done.returncode == 1
    assert done.stderr.endswith("LookupError: missing\n")


def test_lost_output_is_reported():
    with open("/dev/full", "w") as full:
        script = (
            "import sys, types; from ovswitch import launch\n"
            "sys.modules['p'] = p = types.ModuleType('p')\n"
            "p.main = lambda argv: print('x')\n"
            "launch.run('p', [''])\n"
        )
        command = [sys.executable, "-I", "-c", script]
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 120
    assert "No space left on device" in done.stderr


def test_a_program_is_named_as_it_was_called(tmp_path):
    """As glibc's getopt_long() names it: by argv[0]."""
    link = tmp_path / "ovs-vsctl"
    link.symlink_to(Ours.path("ovs-vsctl"))
    second = tmp_path / "second"
    second.symlink_to("ovs-vsctl")

    def error(program, path="/usr/bin:/bin", **options):
        done = subprocess.run(
            [program, "--nosuch"],
            capture_output=True,
            text=True,
            env={"PATH": path},
            check=False,
            **options,
        )
        assert done.returncode == 1
        return done.stderr.partition(": ")[0]

    assert error(Ours.path("ovs-vsctl")) == Ours.path("ovs-vsctl")
    assert error("./ovs-vsctl", cwd=BIN) == "./ovs-vsctl"
    assert error("./second", cwd=tmp_path) == "./second"
    assert error(link, path=f"/bin:{tmp_path}") == "ovs-vsctl"
    shell = [shutil.which("sh"), "-c", "ovs-vsctl --nosuch"]
    done = subprocess.run(
        shell, capture_output=True, text=True, env={"PATH": f"{BIN}:/bin"}, check=False
    )
    assert done.stderr.startswith("ovs-vsctl: unrecognized option")
