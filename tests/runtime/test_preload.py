# SPDX-License-Identifier: Apache-2.0
"""What is imported before a daemon gives up its rights."""

import subprocess
import sys
import types
from importlib.machinery import ModuleSpec

import pytest

from ovswitch.runtime import preload

EVERYTHING_THEN_LATE_IMPORTS = """
import sys
from {program} import main
from ovswitch.runtime import preload
preload.everything()
loaded = [name for name in sys.modules if name.startswith("ovswitch.")]
wanted = set().union(*(preload.late_imports(sys.modules[name]) for name in loaded))
print(*sorted(wanted - set(sys.modules)))
print(*sorted({late!r} - set(sys.modules)))
"""


class Loader:
    def __init__(self, source):
        self.source = source

    def get_code(self, name):
        return compile(self.source, name, "exec")


def late_imports(source, name="ovswitch.example"):
    module = types.ModuleType(name)
    module.__spec__ = ModuleSpec(name, Loader(source))
    return preload.late_imports(module)


def test_only_what_functions_import_is_late():
    source = """
import now
def function():
    import later, package.module
    class Inner:
        def method(self):
            from package import name
            return lambda: name
"""
    assert late_imports(source) >= {"later", "package.module", "package.name"}
    assert "now" not in late_imports(source)


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ('f"ovswitch.runtime.unixctl.{name}"', "ovswitch.runtime.unixctl.client"),
        ('f"{__name__}.{name}"', "ovswitch.runtime.unixctl.server"),
    ],
)
def test_a_made_up_name_may_be_any_module_of_its_package(expression, found):
    source = f"def function(name):\n    return __import__({expression})\n"
    assert found in late_imports(source, "ovswitch.runtime.unixctl")


@pytest.mark.parametrize(
    ("program", "late"),
    [
        ("ovswitch.daemons.ovsdb_server", {"syslog", "ovswitch.runtime.json_slow"}),
        (
            "ovswitch.daemons.ovs_vswitchd",
            {
                "syslog",
                "encodings.idna",
                "ovswitch.openflow.messages.meter",
                "ovswitch.datapath.dpctl.conntrack",
            },
        ),
    ],
)
def test_nothing_is_left_to_import(program, late):
    """What can't be imported at all is a name in a module, not a module."""
    script = EVERYTHING_THEN_LATE_IMPORTS.format(program=program, late=late)
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    names, missing = done.stdout.split("\n")[:2]
    assert missing == ""
    for name in names.split():
        package, _, attribute = name.rpartition(".")
        assert hasattr(
            sys.modules.get(package) or __import__(package, fromlist=["_"]), attribute
        ), name
