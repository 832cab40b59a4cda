# SPDX-License-Identifier: Apache-2.0
"""`--user`: daemons that go on as somebody else, here as nobody."""

import os
import pwd
import re
from pathlib import Path

import pytest
from helpers.programs import Ours, Reference, is_alive, wait_until

from ovswitch.runtime import privileges, vlog

pytestmark = pytest.mark.root
NOBODY = pwd.getpwnam("nobody")


@pytest.fixture
def home(run_dir):
    """A run directory that belongs to nobody."""
    os.chown(run_dir.path, NOBODY.pw_uid, NOBODY.pw_gid)
    return run_dir


def start_ovsdb_server(home, implementation, *options):
    tool = Ours.path("ovsdb-tool")
    schema = Path(__file__).parents[2] / "ovswitch" / "ovsdb" / "vswitch.ovsschema"
    home.run([tool, "create", home / "conf.db", schema], check=True)
    for name in ("conf.db", ".conf.db.~lock~"):
        os.chown(home / name, NOBODY.pw_uid, NOBODY.pw_gid)
    home.start_ovsdb_server(implementation, "--user=nobody", *options)
    return home.pid("ovsdb-server")


def start_vswitchd(home, implementation, user="nobody"):
    words = ["--detach", "--pidfile", "--no-chdir", "--log-file", "-vconsole:off"]
    dummy = ["--disable-system", "--enable-dummy=override", f"unix:{home / 'db.sock'}"]
    home.run(
        [implementation.path("ovs-vswitchd"), f"--user={user}", *words, *dummy],
        check=True,
    )
    return home.pid("ovs-vswitchd")


def identity(pid):
    """Return who a process is, and its capabilities without the inherited ones."""
    status = Path(f"/proc/{pid}/status").read_text()
    return re.findall(r"^(?:[UG]id|Groups|Cap(?:Prm|Eff|Bnd)):.*", status, re.M)


def end(home, program):
    pid = home.pid(program)
    assert home.appctl("-t", program, "exit").status == 0
    wait_until(lambda: not is_alive(pid))


def test_ovsdb_server_works_as_nobody(home):
    pid = start_ovsdb_server(home, Ours, "--monitor", "--remote=ptcp:0:127.0.0.1")
    status = "\n".join(identity(pid))
    assert f"Uid:\t{NOBODY.pw_uid}\t{NOBODY.pw_uid}" in status
    assert "CapEff:\t0000000000004400" in status
    monitor = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    assert identity(monitor) == identity(pid)
    vsctl = [Ours.path("ovs-vsctl"), "--no-wait"]
    home.run([*vsctl, "init"], check=True)
    # What needs modules that nobody else needed so far.
    for words in (
        ["vlog/reopen"],
        ["vlog/set", "syslog:dbg"],
        ["memory/show"],
        ["coverage/show"],
        ["ovsdb-server/compact"],
        ["ovsdb-server/add-remote", "pssl:0:127.0.0.1"],
        ["ovsdb-server/add-remote", "ptcp:0:localhost"],
    ):
        done = home.appctl("-t", "ovsdb-server", *words)
        assert done.status == 0, (words, done)
    home.run([*vsctl, "add-br", "br0"], check=True)
    log = (home / "ovsdb-server.log").read_text()
    assert "Error" not in log
    assert "Traceback" not in log
    end(home, "ovsdb-server")


@pytest.mark.slow
@pytest.mark.reference
def test_daemons_of_both_end_up_with_the_same_rights(home):
    found = []
    for implementation in (Ours, Reference):
        server = start_ovsdb_server(home, implementation)
        switch = start_vswitchd(home, implementation)
        found.append([identity(server), identity(switch)])
        add = [Ours.path("ovs-vsctl"), "add-br", "br0", "--", "set", "bridge", "br0"]
        home.run([*add, "datapath_type=dummy"], check=True)
        home.run([Ours.path("ovs-ofctl"), "add-flow", "br0", "actions=normal"])
        trace = home.appctl("ofproto/trace", "br0", "in_port=1,tcp")
        assert "Datapath actions" in trace.out
        assert home.appctl("vlog/reopen").status == 0
        assert "Traceback" not in (home / "ovs-vswitchd.log").read_text()
        for program in ("ovs-vswitchd", "ovsdb-server"):
            end(home, program)
        (home / "conf.db").unlink()
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("nosuchuser", "X: user nosuchuser not found, aborting."),
        ("nobody:nosuchgroup", "X: group nosuchgroup not found, aborting."),
        (
            "nobody:root",
            "X: Invalid --user option nobody:root (user nobody is not in group root), "
            "aborting.",
        ),
    ],
)
def test_users_and_groups_have_to_exist_and_fit(spec, message, capsys, monkeypatch):
    log = vlog.Module("daemon_unix")
    monkeypatch.setattr(log, "levels", list(log.levels))
    with pytest.raises(SystemExit):
        privileges.parse(spec, "X")
    assert message in capsys.readouterr().err
