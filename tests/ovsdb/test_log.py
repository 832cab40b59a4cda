# SPDX-License-Identifier: Apache-2.0
"""Log files: their octets, damage, and disks that fail at every possible moment."""

import errno
import os
import subprocess
import sys

import pytest
from tree_schema import TREE

from ovswitch.ovsdb import lockfile, log, records, storage
from ovswitch.ovsdb.database import Database
from ovswitch.ovsdb.disk import DISK, Disk
from ovswitch.ovsdb.error import OvsdbError
from ovswitch.ovsdb.log_record import sha1
from ovswitch.ovsdb.schema import Schema

RECORDS = [{"n": 1}, {"n": 2, "text": "é"}, {"n": 3}]


class FailingDisk(Disk):
    """A disk whose nth operation fails, perhaps after doing half of it."""

    def __init__(self, nth, number=errno.ENOSPC, *, half=False):
        self.left = nth
        self.number = number
        self.half = half
        self.failed = False

    def _step(self):
        self.left -= 1
        if self.left == 0:
            self.failed = True
            raise OSError(self.number, os.strerror(self.number))

    def write(self, fd, octets):
        try:
            self._step()
        except OSError:
            if self.half:
                os.write(fd, octets[: len(octets) // 2])
            raise
        return super().write(fd, octets)

    def sync(self, fd):
        self._step()
        super().sync(fd)

    def rename(self, old, new):
        self._step()
        super().rename(old, new)


def make(path, records=RECORDS, disk=DISK):
    made = log.open_log(str(path), log.MAGIC, log.CREATE_EXCLUSIVE, disk=disk)
    for record in records:
        made.write(record)
    made.close()


def read(path):
    opened = log.open_log(str(path))
    records = []
    try:
        while (record := opened.read()) is not None:
            records.append(record)
    finally:
        opened.close()
    return records


def read_until_error(path):
    opened = log.open_log(str(path))
    records, message = [], ""
    try:
        while (record := opened.read()) is not None:
            records.append(record)
    except OvsdbError as error:
        message = str(error)
    opened.close()
    return records, message


def test_a_record_is_a_header_and_a_line_of_json(tmp_path):
    make(tmp_path / "db", [{"a": 1}])
    assert (tmp_path / "db").read_bytes() == (
        b'OVSDB JSON 8 64e0ac88e4b02ff9b14cea2ea3dba6a6c1c5f49d\n{"a":1}\n'.replace(
            b"64e0ac88e4b02ff9b14cea2ea3dba6a6c1c5f49d", sha1(b'{"a":1}\n').encode()
        )
    )
    assert len(sha1(b"")) == 40
    assert sha1(b"") == "da39a3ee5e6b4b0d3255bfef95601890afd80709"


def test_what_was_written_is_read(tmp_path):
    make(tmp_path / "db")
    assert read(tmp_path / "db") == RECORDS


def test_creating_over_a_file_is_refused(tmp_path):
    make(tmp_path / "db")
    with pytest.raises(OvsdbError, match=r"create failed .File exists."):
        make(tmp_path / "db")


def test_a_tail_cut_anywhere_leaves_the_records_before_it(tmp_path):
    path = tmp_path / "db"
    make(path)
    whole = path.read_bytes()
    ends = [0]
    for record in RECORDS:
        size = len(log._json.to_bytes(record)) + 1
        header = whole.index(b"\n", ends[-1]) + 1
        ends.append(header + size)
    assert ends[-1] == len(whole)
    for size in range(1, len(whole)):
        path.write_bytes(whole[:size])
        complete = sum(end <= size for end in ends[1:])
        if size <= whole.index(b"\n"):
            with pytest.raises(OvsdbError):
                read(path)
            continue
        records, message = read_until_error(path)
        assert records == RECORDS[:complete]
        assert bool(message) == (size not in ends)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: b[:-3] + b"4}\n", "have SHA-1 hash"),
        (lambda b: b[:-5], "error reading"),
        (lambda b: b + b"junk\n", 'in header line "junk"'),
        (lambda b: b.replace(b"OVSDB JSON 8 ", b"OVSDB JSOX 8 ", 1), None),
    ],
)
def test_damage_is_described_and_the_next_write_cuts_it_off(tmp_path, change, message):
    path = tmp_path / "db"
    make(path)
    whole = path.read_bytes()
    path.write_bytes(change(whole))
    if message is None:
        with pytest.raises(OvsdbError, match="cannot identify file type"):
            log.open_log(str(path))
        return
    opened = log.open_log(str(path), log.MAGIC, log.READ_WRITE)
    n_good = 0
    with pytest.raises(OvsdbError, match=message):  # noqa: PT012  at some record
        while opened.read() is not None:
            n_good += 1
    opened.write({"new": True})
    opened.close()
    assert read(path) == [*RECORDS[:n_good], {"new": True}]


def test_a_second_opener_is_refused_as_long_as_the_first_lives(tmp_path, capfd):
    path = tmp_path / "db"
    make(path)
    first = log.open_log(str(path), log.MAGIC, log.READ_WRITE)
    with pytest.raises(OvsdbError, match="failed to lock lockfile"):
        log.open_log(str(path), log.MAGIC, log.READ_WRITE)
    capfd.readouterr()
    log.open_log(str(path)).close()  # reading needs no lock
    first.close()
    log.open_log(str(path), log.MAGIC, log.READ_WRITE).close()


def test_another_process_holding_the_lock_is_named(tmp_path, capfd):
    path = tmp_path / "db"
    make(path)
    program = (
        "import sys; from ovswitch.ovsdb import lockfile\n"
        "lock = lockfile.lock(sys.argv[1]); print('locked', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout.readline() == b"locked\n"
        with pytest.raises(OSError, match="Resource temporarily unavailable"):
            lockfile.lock(str(path))
        child.communicate(b"\n")
    assert f"already locked by pid {child.pid}" in capfd.readouterr().err


def test_a_lock_file_lies_beside_the_target_of_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real" / "db")
    expected = str(tmp_path / "real" / ".db.~lock~")
    assert lockfile.lock_name(str(tmp_path / "link")) == expected


@pytest.mark.parametrize("half", [False, True])
def test_each_write_that_fails_leaves_whole_records_and_the_next_goes_on(
    tmp_path, half, capfd
):
    for nth in range(1, 6):
        path = tmp_path / f"db{nth}"
        disk = FailingDisk(nth, half=half)
        made = log.open_log(str(path), log.MAGIC, log.CREATE_EXCLUSIVE, disk=disk)
        kept, numbers = [], []
        for number in range(5):
            try:
                made.write({"n": number})
                kept.append({"n": number})
            except OvsdbError as error:
                numbers.append(error.errno)
        made.close()
        assert numbers == [errno.ENOSPC]
        assert len(kept) == 4
        assert read(path) == kept
    capfd.readouterr()


def test_replacing_fails_at_every_step_without_touching_the_file(tmp_path, capfd):
    for nth in range(1, 6):
        path = tmp_path / f"db{nth}"
        make(path)
        disk = FailingDisk(nth, errno.EIO, half=True)
        opened = log.open_log(str(path), log.MAGIC, log.READ_WRITE, disk=disk)
        while opened.read() is not None:
            pass
        try:
            opened.replace([{"only": 1}, {"two": 2}])
        except OvsdbError:
            assert disk.failed
            assert read(path) == RECORDS
            opened.write({"after": 1})
            opened.close()
            assert read(path) == [*RECORDS, {"after": 1}]
        else:
            assert nth == 5
            disk.left = 0
            opened.write({"after": 1})
            opened.close()
            assert read(path) == [{"only": 1}, {"two": 2}, {"after": 1}]
        assert not (tmp_path / f"db{nth}.tmp").exists()
    capfd.readouterr()


# Databases in files


def make_database(path, records=()):
    make(path, [TREE, *records])


UUID = "11111111-1111-1111-1111-111111111111"
INSERT = {"Root": {UUID: {"name": "a"}}, "_date": 1, "_is_diff": True}


def test_a_database_is_what_its_records_say(tmp_path):
    make_database(tmp_path / "db", [INSERT, {"Root": {UUID: {"set": ["set", [1, 2]]}}}])
    opened = storage.open_storage(str(tmp_path / "db"), writable=False)
    database, error = storage.load(opened)
    assert error is None
    row = database.tables["Root"].rows[UUID]
    assert row.fields[database.tables["Root"].schema.columns["set"].index] == (1, 2)


BAD = {"Root": {UUID: {"name": "b"}, "2" + UUID[1:]: {"name": "b"}}}
AFTER = {"Root": {"3" + UUID[1:]: {"name": "c", "number": 3}}}


def test_a_transaction_that_breaks_a_rule_is_left_out(tmp_path):
    make_database(tmp_path / "db", [INSERT, BAD, AFTER])
    opened = storage.open_storage(str(tmp_path / "db"), writable=False)
    errors = []
    database, error = storage.load(opened, misfit=errors.append)
    assert error is None
    assert [e.tag for e in errors] == ["constraint violation"]
    assert list(database.tables["Root"].rows) == [UUID, "3" + UUID[1:]]


@pytest.mark.parametrize("bad", [BAD, {"Root": {UUID: {"nope": 1}}}])
def test_what_doesnt_fit_ends_the_database_and_is_overwritten(tmp_path, bad):
    path = tmp_path / "db"
    make_database(path, [INSERT, bad, AFTER])
    opened = storage.open_storage(str(path), writable=True)
    database, error = storage.load(opened)
    assert (error is None) == (bad is BAD)
    assert len(database.tables["Root"].rows) == 1
    database.transact(["Tree", {"op": "delete", "table": "Root", "where": []}], 5)
    opened.close()
    assert read(path)[2:] == [{"Root": {UUID: None}, "_date": 5, "_is_diff": True}]


def test_a_clustered_file_is_refused(tmp_path):
    body = b'{"server_id":"x"}\n'
    head = f"OVSDB CLUSTER {len(body)} {sha1(body)}\n".encode()
    (tmp_path / "db").write_bytes(head + body)
    with pytest.raises(OvsdbError, match="cannot apply this operation to clustered"):
        storage.open_storage(str(tmp_path / "db"), writable=False)


def test_compaction_waits_for_time_and_growth(tmp_path, monkeypatch):
    make_database(tmp_path / "db")
    opened = storage.open_storage(str(tmp_path / "db"), writable=True)
    storage.load(opened)
    opened.schedule_snapshot(0, lambda _range: 0)
    opened.n_records = 100
    opened.file.offset = 11 * 1024 * 1024
    assert not opened.should_snapshot(10 * storage.MINUTE_MS - 1)
    assert opened.should_snapshot(10 * storage.MINUTE_MS)
    opened.n_records = 99
    assert not opened.should_snapshot(10 * storage.MINUTE_MS)
    assert opened.should_snapshot(storage.DAY_MS)
    opened.close()


def test_a_durable_transaction_whose_sync_fails_is_an_error(tmp_path):
    make_database(tmp_path / "db")
    disk = FailingDisk(2, errno.EIO)  # the write, then the sync
    opened = storage.open_storage(str(tmp_path / "db"), writable=True, disk=disk)
    database, _ = storage.load(opened)
    results = database.transact(
        [
            "Tree",
            {"op": "insert", "table": "Root", "row": {"name": "a"}},
            {"op": "commit", "durable": True},
        ],
        5,
    )
    assert results[2]["error"] == "I/O error"
    assert not database.tables["Root"].rows
    opened.close()


def test_the_schema_of_a_file_can_be_replaced_while_reading(tmp_path):
    make_database(tmp_path / "db", [INSERT])
    opened = storage.open_storage(str(tmp_path / "db"), writable=False)
    columns = {"label": {"type": "string"}}
    other = {"name": "Tree", "tables": {"Other": {"columns": columns}}}
    database, error = storage.load(opened, Schema.from_json(other))
    assert error is None
    assert list(database.tables) == ["Other"]


PLAIN = {
    "name": "Plain",
    "tables": {
        "T": {
            "isRoot": True,
            "columns": {
                "n": {"type": {"key": "integer", "min": 0, "max": 2}},
                "map": {"type": {"key": "string", "value": "string", "max": "unlimited",
                                 "min": 0}},
            },
        }
    },
}  # fmt: skip
ROW = {"n": ["set", [2, 1]], "map": ["map", [["b", "é"], ["a", ""]]]}


@pytest.mark.parametrize(
    ("rows", "error"),
    [
        ({UUID: ROW}, None),
        ({UUID: {}, "2" + UUID[1:]: {"n": 5}}, None),
        ({"A" + UUID[1:]: {"n": 1}}, None),
        ({"a" + UUID[1:]: {"n": 1}, "A" + UUID[1:]: {"n": 2}}, None),
        ({UUID: ROW, "zz": ROW}, "is not a valid UUID"),
        ({UUID: ROW, "2" + UUID[1:]: {"x": 1}}, "No column x"),
        ({UUID: ROW, "2" + UUID[1:]: {"map": ["map", ["ab"]]}}, "2-element array"),
        ({UUID: ROW, "2" + UUID[1:]: {"map": ["map", [["a", 1]]]}}, "expected string"),
        ({UUID: ROW, "2" + UUID[1:]: None}, "does not exist"),
        ([UUID], "object expected"),
    ],
)
def test_new_rows_of_plain_tables_are_read_as_a_transaction_would(rows, error):
    """The short way does all or nothing, and leaves what is wrong to the long one."""
    record = {"T": rows, "_date": 1}
    short, long = (Database(Schema.from_json(PLAIN)) for _ in range(2))
    assert short.tables["T"].is_plain
    took_short = short.replay_plainly(record)
    if error is not None:
        assert not took_short
        assert not short.tables["T"].rows
        with pytest.raises(OvsdbError, match=error):
            records.to_transaction(long.tables, record)
        return
    long.replay(records.to_transaction(long.tables, record))
    if not took_short:
        short.replay(records.to_transaction(short.tables, record))
    columns = long.tables["T"].schema.ordered
    for database in (short, long):
        for row in database.tables["T"].rows.values():
            row.fields[1] = ()  # versions are random
    assert {uuid: row.key(columns) for uuid, row in short.tables["T"].rows.items()} == {
        uuid: row.key(columns) for uuid, row in long.tables["T"].rows.items()
    }
    assert short.n_atoms == long.n_atoms
