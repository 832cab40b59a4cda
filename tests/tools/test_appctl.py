# SPDX-License-Identifier: Apache-2.0
"""ovs-appctl of both implementations against daemons of both, octet by octet."""

import re
import sys
from pathlib import Path

import pytest
from helpers.programs import Ours, Reference, RunDir, wait_until

TINY = Path(__file__).parent.parent / "helpers" / "tiny_daemon.py"

# Command lines that need no daemon.
ALONE = [
    ["--help"],
    ["--version"],
    ["--option"],
    [],
    ["-t", "nosuch", "version"],
    ["-t", "/nosuch/socket", "version"],
    ["--target=/etc/passwd", "version"],
    ["-e", "-e", "x"],
    ["-tA", "-tB", "x"],
    ["-T", "0", "x"],
    ["-T", "1x", "x"],
    ["--timeout=-1", "x"],
    ["-vfoo", "x"],
    ["-vinfo,dbg", "x"],
    ["-vconsole,file", "x"],
    ["-vvlog,unixctl", "x"],
    ["-vPATTERN", "x"],
    ["-vPATTERN:nowhere:x", "x"],
    ["-vFACILITY:nosuch", "x"],
    ["-vPATTERN:console:%m<%-8c>[%06N]%p%T%%%q%t", "-t", "/nosuch", "x"],
    ["-vconsole:off", "-t", "/nosuch", "x"],
    ["--syslog-method=telepathy", "x"],
    ["--log-file=/nosuch/file", "x"],
]

# Commands that every daemon answers alike.
COMMON = [
    ["version"],
    ["version", "extra"],
    ["nosuch/command"],
    ["vlog/set", "nosuch"],
    ["vlog/set", "ANY:nosuch"],
    ["vlog/set", "PATTERN"],
    ["vlog/set", "PATTERN:nowhere:x"],
    ["vlog/set", "FACILITY:nosuch"],
    ["vlog/set", "console:dbg,info"],
    ["vlog/set", "unixctl:file:warn", "timeval:off"],
    ["vlog/set", "PATTERN:console:%m"],
    ["vlog/list-pattern"],
    ["vlog/disable-rate-limit", "vlog", "UnixCtl"],
    ["vlog/list"],
    ["vlog/enable-rate-limit"],
    ["vlog/enable-rate-limit", "nosuch"],
    ["vlog/set"],
    ["vlog/list"],
    ["vlog/set", "ANY:ANY:info"],
    ["vlog/close"],
    ["vlog/reopen"],
    ["coverage/read-counter"],
    ["coverage/read-counter", "nosuch"],
    ["memory/show", "extra"],
    ["list-commands", "extra"],
    ["-vjsonrpc:console:dbg", "version"],
]


def start_tiny(run_dir, *options):
    run_dir.run(
        [
            sys.executable,
            TINY,
            *options,
            "--detach",
            "--no-chdir",
            "--pidfile",
            "--log-file",
            "-vconsole:off",
        ],
        check=True,
    )


def without_times(result):
    result.err = re.sub(r"(?m)^\S+Z\|", "T|", result.err)
    return result


def both(run_dir, words, env=None):
    results = [
        without_times(run_dir.appctl(*words, implementation=each, env=env))
        for each in (Ours, Reference)
    ]
    if results[0].err.count("ovs-appctl") > 1 or results[1].err.startswith("/"):
        results[1].err = results[1].err.replace(
            Reference.path("ovs-appctl"), "ovs-appctl"
        )
    return results


@pytest.mark.reference
@pytest.mark.parametrize("words", ALONE, ids=" ".join)
def test_command_lines_are_understood_as_the_reference_does(words, run_dir):
    ours, reference = both(run_dir, words)
    assert ours == reference


@pytest.fixture(scope="module")
def servers():
    """The reference's ovsdb-server and, in its own directory, our tiny daemon."""
    with RunDir() as theirs, RunDir() as ours:
        theirs.start_ovsdb_server(Reference)
        start_tiny(ours, "--name=ovsdb-server")
        yield theirs, ours


@pytest.mark.reference
def test_our_daemons_answer_common_commands_as_the_references_do(servers):
    """Each command goes through both clients to both servers: four equal results."""
    theirs, ours = servers
    for words in COMMON:
        answers = []
        for run_dir in (theirs, ours):
            for result in both(run_dir, ["-t", "ovsdb-server", *words]):
                result.err = result.err.replace(str(run_dir.path), "DIR")
                result.err = re.sub(r"server\.\d+\.ctl", "server.PID.ctl", result.err)
                answers.append(result)
        assert answers == [answers[1]] * 4, words


@pytest.mark.reference
def test_list_commands_and_coverage_have_the_references_shape(servers):
    theirs, ours = servers
    for command, pattern in (
        ("list-commands", r"The available commands are:\n(  \S+ +.*\n)+"),
        (
            "coverage/show",
            r"Event coverage, avg rate over last: 5 seconds, last minute, last hour,  "
            r"hash=[0-9a-f]{8}:\n"
            r"(\S{1,24} +\d+\.\d/sec +\d+\.\d{3}/sec +\d+\.\d{4}/sec   total: \d+\n)*"
            r"\d+ events never hit\n",
        ),
        ("memory/show", r"(\S+:\d+ ?)+\n"),
    ):
        for run_dir in (theirs, ours):
            found = run_dir.appctl("-t", "ovsdb-server", command)
            assert re.fullmatch(pattern, found.out), found


@pytest.mark.reference
def test_timeout_ends_both_by_the_alarm(servers, run_dir):
    start_tiny(run_dir)
    slow = ["-T", "1", "-t", "tiny", "slow", "60000"]
    ours, reference = both(run_dir, slow)
    assert ours == reference
    assert ours.status == -14
    ours, reference = both(run_dir, slow[2:], env={"OVS_CTL_TIMEOUT": "1"})
    assert ours == reference
    assert ours.status == -14


def test_exit_removes_pidfile_and_socket(run_dir):
    start_tiny(run_dir)
    assert run_dir.appctl("-t", "tiny", "exit").status == 0
    wait_until(lambda: not list(run_dir.path.glob("tiny.*[dl]")))


def test_failure_is_status_two_with_the_servers_words(run_dir):
    start_tiny(run_dir)
    result = run_dir.appctl("-t", "tiny", "fail", "no way\u00e9")
    assert result.status == 2
    assert result.err == "no way\u00e9\novs-appctl: tiny: server returned an error\n"
    assert run_dir.appctl("-t", "tiny", "echo", "a", "b c").out == "a b c\n"


def test_a_socket_path_may_be_longer_than_the_kernel_allows(run_dir):
    folder = run_dir / ("long" * 30)
    folder.mkdir()
    start_tiny(run_dir, f"--unixctl={folder}/ctl")
    assert "tiny" in run_dir.appctl("-t", f"{folder}/ctl", "version").out
