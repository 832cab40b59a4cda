# SPDX-License-Identifier: Apache-2.0
"""Recordings: the form of their files, and running from them."""

import errno
import struct

import pytest
from helpers.programs import Ours, Reference, end, wait_until
from hypothesis import given, settings
from hypothesis import strategies as st

from ovswitch.runtime import replay


def test_files_are_named_after_letters_and_order():
    assert replay.stem("punix:/run/db.sock") == "replay_punix_run_db_sock_"
    assert replay.stem("unix#17") == "replay_unix_"
    assert replay.stem("tcp:127.0.0.1:6640") == "replay_tcp_"
    assert replay.stem("__uuid_generate") == "replay__uuid_generate_"


def test_what_was_recorded_comes_back_in_order(tmp_path):
    recording = replay.Recording(str(tmp_path))
    one, other = recording.open("unix:a"), recording.open("unix:a")
    one.read(b"first")
    one.wrote(17)
    other.read(b"second")
    one.failed(errno.ECONNRESET)
    other.read(b"")
    one.close()
    other.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["replay_unix_a_0", "replay_unix_a_2"]
    assert (tmp_path / names[0]).read_bytes() == struct.pack(
        "=iiii5siiii", 1, 0, 4, 5, b"first", -5, 17, 7, -errno.ECONNRESET
    )
    playback = replay.Playback(str(tmp_path))
    readers = [playback.open("unix:a"), playback.open("unix:a")]
    found = []
    for reader in readers:
        while (record := reader.take()) is not None:
            found.append((record.number, record.octets, record.error))
    assert sorted(found) == [
        (4, b"first", 0),
        (6, b"second", 0),
        (7, b"", errno.ECONNRESET),
        (8, b"", 0),
    ]
    with pytest.raises(OSError, match="No such file"):
        playback.open("unix:a")


def test_a_failure_to_open_fails_again(tmp_path):
    replay.Recording(str(tmp_path)).open("tcp:x", errno.ECONNREFUSED)
    with pytest.raises(ConnectionRefusedError):
        replay.Playback(str(tmp_path)).open("tcp:x")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_any_octets_are_a_file_that_ends_somewhere(octets):
    for record in replay.parse(octets):
        assert len(record.octets) <= len(octets)


@pytest.mark.reference
@pytest.mark.slow
def test_clients_replay_each_others_recordings(run_dir):
    run_dir.start_ovsdb_server(Ours)
    where = f"unix:{run_dir.path}/db.sock"
    words = ["list-tables", where]
    programs = [one.path("ovsdb-client") for one in (Ours, Reference)]
    expected = run_dir.run([programs[0], *words], check=True)
    for program in programs:
        folder = run_dir / program.replace("/", "_")
        folder.mkdir()
        run_dir.run([program, f"--record={folder}", *words], check=True)
    end(run_dir.pid("ovsdb-server"))
    for folder in (run_dir / program.replace("/", "_") for program in programs):
        for program in programs:
            assert run_dir.run([program, f"--replay={folder}", *words]) == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    "recorder", [Ours, pytest.param(Reference, marks=pytest.mark.reference)]
)
def test_a_replayed_server_does_what_the_recorded_one_did(run_dir, recorder):
    """The databases are the same afterwards, down to the UUIDs."""
    tool = [Ours.path("ovsdb-tool")]
    schema = run_dir / "schema"
    table = '{"isRoot":true,"columns":{"x":{"type":"string"}}}'
    schema.write_text(f'{{"name":"D","tables":{{"T":{table}}}}}')
    (run_dir / "rec").mkdir()
    query = '["D",{"op":"select","table":"T","where":[],"columns":["_uuid","x"]}]'
    results = []
    for option in (f"--record={run_dir.path}/rec", f"--replay={run_dir.path}/rec"):
        database = run_dir / f"{option[2:8]}.db"
        run_dir.run([*tool, "create", database, schema], check=True)
        implementation = recorder if "record" in option else Ours
        server = run_dir.start(
            [
                implementation.path("ovsdb-server"),
                "--remote=punix:db.sock",
                f"--unixctl={run_dir.path}/ctl",
                "-vconsole:off",
                option,
                database,
            ]
        )
        if "record" in option:
            wait_until((run_dir / "ctl").exists)
            client = [
                Ours.path("ovsdb-client"),
                "transact",
                f"unix:{run_dir.path}/db.sock",
            ]
            for text in ("one", "two"):
                insert = f'["D",{{"op":"insert","table":"T","row":{{"x":"{text}"}}}}]'
                run_dir.run([*client, insert], check=True)
            run_dir.appctl("-t", f"{run_dir.path}/ctl", "exit", check=True)
        assert server.wait(20) == 0
        results.append(run_dir.run([*tool, "query", database, query], check=True).out)
    assert results[0] == results[1]
    assert results[0].count('"x"') == 2
