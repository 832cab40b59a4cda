# SPDX-License-Identifier: Apache-2.0
"""Random packets and requests against a build with address and UB sanitizers."""

import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
NATIVE = TESTS.parent.parent / "ovswitch" / "native"
SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O1")


@pytest.fixture(scope="module")
def fuzz(tmp_path_factory):
    """Return the path of the fuzz driver, compiled with sanitizers."""
    if not shutil.which("gcc"):
        pytest.skip("needs gcc")
    folder = tmp_path_factory.mktemp("fuzz")
    builder = runpy.run_path(str(NATIVE / "build_forwarder.py"))
    names = (*builder["SHARED"], "core_api", "core_dummy", "port_dummy")
    sources = [NATIVE / "csrc" / f"{name}.c" for name in names]
    program = folder / "fuzz"
    try:
        builder["compile_program"](
            program, folder / "objects", [*sources, TESTS / "fuzz.c"], SANITIZE
        )
    except subprocess.CalledProcessError:
        pytest.fail("the sanitizer build does not compile")
    return program


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_packets_and_requests_do_no_harm(fuzz, seed):
    done = subprocess.run(
        [fuzz, str(seed), "20000"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-4000:]
