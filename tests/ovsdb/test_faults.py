# SPDX-License-Identifier: Apache-2.0
"""Whatever fails, and whenever: what was acknowledged as durable is there afterwards.

A workload on two databases (creation, durable and other transactions, some of which
share a sync, compaction, conversion, reopening) runs once for each of its steps on
the disk, which fails then in each possible way. The workload goes on after errors, as
a server does, unless the process died. Then the databases are opened again, as a
killed process leaves them and as a power failure does, and compared with what the
workload was told.
"""

import errno
import os
import shutil

import pytest
from faulty_disk import FAULTS, FaultyDisk, KilledError

from ovswitch.ovsdb import log, storage
from ovswitch.ovsdb.error import OvsdbError
from ovswitch.ovsdb.schema import Schema
from ovswitch.ovsdb.server.files import OpenFile

COLUMNS = {"n": {"type": "integer"}, "half": {"type": "string"}}
WIDER = {**COLUMNS, "more": {"type": "string"}}


def schema(name, columns=COLUMNS):
    table = {"isRoot": True, "indexes": [["n", "half"]], "columns": columns}
    return {"name": name, "tables": {"T": table}}


def open_database(path, disk):
    file = storage.open_storage(str(path), writable=True, disk=disk)
    file.defers_sync = True
    try:
        database, error = storage.load(file, misfit=pytest.fail)
    except BaseException:
        file.close()
        raise
    return OpenFile(database, file), error


class Workload:
    """What was done to one database, and what was answered."""

    def __init__(self, folder, name, disk):
        self.path = folder / name
        self.name = name
        self.disk = disk
        self.created = False
        self.was_created = False
        self.opened = None
        self.attempted = []
        self.acknowledged = []
        self.durable = []  # acknowledged as such

    def create(self):
        try:
            file = log.open_log(
                str(self.path), log.MAGIC, log.CREATE_EXCLUSIVE, disk=self.disk
            )
            try:
                file.write(schema(self.name))
                file.sync()
                self.created = self.was_created = True
            finally:
                file.close()
        except OvsdbError:
            pass

    def open(self):
        if self.created:
            self.opened, _ = open_database(self.path, self.disk)

    def transact(self, *numbers, durable=True):
        """Commit a transaction for each number; they share a sync."""
        if self.opened is None:
            return
        answered = [n for n in numbers if self._execute(n, durable)]
        try:
            self.opened.storage.sync_pending()
        except OvsdbError:
            return
        self.acknowledged += answered
        if durable:
            self.durable += answered

    def _execute(self, number, durable):
        self.attempted.append(number)
        rows = [{"n": number, "half": half} for half in ("first", "second")]
        results = self.opened.database.transact(
            [
                self.name,
                *({"op": "insert", "table": "T", "row": row} for row in rows),
                *([{"op": "commit", "durable": True}] if durable else []),
            ],
            1,
        )
        return not any("error" in result for result in results)

    def compact(self):
        if self.opened is not None:
            try:
                self.opened.compact(2)
            except OvsdbError:
                return

    def convert(self):
        if self.opened is not None:
            try:
                self.opened.convert(schema(self.name, WIDER), 3)
            except OvsdbError:
                return

    def close(self):
        """Close it for good if nobody knows what the disk holds."""
        if self.opened is not None:
            try:
                self.opened.storage.close()
            finally:
                self.created = self.created and not self.opened.storage.is_doubtful
                self.opened = None


def run(one, two):
    """The script: what each step does is up to the databases."""
    for database in (one, two):
        database.create()
        database.open()
    one.transact(1, durable=False)
    one.transact(2)
    one.transact(3, 4)
    two.transact(1)
    one.transact(5, durable=False)
    one.compact()
    one.transact(6, durable=False)
    one.transact(7, 8)
    two.transact(2, durable=False)
    two.convert()
    two.transact(3)
    two.transact(4, durable=False)
    one.transact(9)
    for database in (one, two):
        database.close()
        database.open()
        database.transact(10)
        database.transact(11)
    two.transact(12, durable=False)


class Trial:
    """One run of the workload in a folder of its own."""

    def __init__(self, folder, *fault):
        self.folder = folder
        self.disk = FaultyDisk(*fault)
        self.databases = [Workload(folder, name, self.disk) for name in ("one", "two")]
        try:
            run(*self.databases)
        except KilledError:
            pass
        finally:
            for database in self.databases:
                database.close()

    def check(self, *, power_failed):
        """Open what is left and compare it with what was promised."""
        for database in self.databases:
            if database.was_created:
                check(database, power_failed=power_failed)

    def lose_power(self, seed=None):
        for name in ("one", "two", "one.tmp", "two.tmp"):
            (self.folder / name).unlink(missing_ok=True)
        for path, octets in self.disk.after_power_failure(seed).items():
            with open(path, "wb") as file:
                file.write(octets)


def check(database, *, power_failed):
    opened, error = open_database(database.path, FaultyDisk())
    torn = database.disk.fault.startswith("half")  # and it couldn't be cut off
    assert error is None or database.disk.is_dead or power_failed or torn
    halves = {}
    table = opened.database.tables["T"]
    for row in table.rows.values():
        number, half = row.key([table.schema.columns[name] for name in COLUMNS])
        halves.setdefault(number[0], set()).add(half[0])
    assert all(len(found) == 2 for found in halves.values())
    assert halves.keys() <= set(database.attempted)
    assert halves.keys() >= promised(database, power_failed), database.disk.log
    opened.database.transact(
        [database.name, {"op": "insert", "table": "T", "row": {"n": 99}}], 9
    )
    opened.storage.close()
    again, error = open_database(database.path, FaultyDisk())
    assert error is None
    assert len(again.database.tables["T"].rows) == 2 * len(halves) + 1
    again.storage.close()


def promised(database, power_failed):
    """What must be there: with the power gone, nothing after the last durable one."""
    told = database.acknowledged
    if not power_failed:
        return set(told)
    last = max((told.index(number) for number in database.durable), default=-1)
    return set(told[: last + 1])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "length"), [*((fault, 1) for fault in FAULTS), ("half, full", 3)]
)
def test_each_step_may_fail_and_nothing_promised_is_lost(
    tmp_path, fault, length, capfd
):
    n_steps = Trial(make(tmp_path / "whole")).disk.steps
    assert n_steps > 50
    for nth in range(1, n_steps + 1):
        folder = make(tmp_path / f"{nth}")
        trial = Trial(folder, nth, fault, length)
        trial.check(power_failed=False)
        for seed in (None, nth):
            trial.lose_power(seed)
            trial.check(power_failed=True)
        shutil.rmtree(folder)
    capfd.readouterr()


def test_without_a_fault_everything_is_promised(tmp_path):
    trial = Trial(tmp_path)
    one, two = trial.databases
    assert one.acknowledged == one.attempted == list(range(1, 12))
    assert two.acknowledged == two.attempted == [1, 2, 3, 4, 10, 11, 12]
    assert set(trial.disk.log) == {
        "open", "read", "write", "sync", "truncate", "rename", "unlink", "sync_folder",
    }  # fmt: skip
    trial.lose_power()
    trial.check(power_failed=True)


def test_after_a_failed_sync_the_file_is_written_anew(tmp_path):
    """The disk forgets what the failed sync didn't write; a later one succeeds."""
    steps = Trial(make(tmp_path / "a")).disk.log
    nth = [n for n, step in enumerate(steps, 1) if step == "sync"][2]
    trial = Trial(make(tmp_path / "b"), nth, "error")
    one = trial.databases[0]
    assert one.acknowledged == one.attempted
    assert trial.disk.log.count("rename") == steps.count("rename") + 1
    trial.lose_power()
    trial.check(power_failed=True)


def test_while_the_disk_fails_nothing_is_promised(tmp_path):
    steps = Trial(make(tmp_path / "a")).disk.log
    nth = [n for n, step in enumerate(steps, 1) if step == "sync"][2]
    trial = Trial(make(tmp_path / "b"), nth, "error", 1000)
    assert trial.databases[0].durable == []
    trial.check(power_failed=False)


def make(folder):
    folder.mkdir()
    return folder


def test_a_tool_takes_back_what_it_couldnt_make_durable(tmp_path):
    """Without a snapshot to write, the record that failed to sync is cut off."""
    disk = FaultyDisk()
    Workload(tmp_path, "one", disk).create()
    disk._failing, disk.fault = range(disk.steps, disk.steps + 99), "error"
    file = storage.open_storage(str(tmp_path / "one"), writable=True, disk=disk)
    disk._failing = range(0)
    database, _ = storage.load(file)
    disk._failing = [disk.steps + 3]  # after truncate and write
    insert = {"op": "insert", "table": "T", "row": {"n": 1}}
    commit = {"op": "commit", "durable": True}
    results = database.transact(["one", insert, commit], 1)
    assert results[2]["io-error"] == os.strerror(errno.EIO)
    assert database.transact(["one", insert, commit], 1)[0].keys() == {"uuid"}
    file.close()
    opened, error = open_database(tmp_path / "one", FaultyDisk())
    assert error is None
    assert len(opened.database.tables["T"].rows) == 1
    opened.storage.close()


def test_a_rename_that_isnt_known_to_last_holds_answers_back(tmp_path):
    """A durable transaction is acknowledged when the folder is synced at last."""
    steps = Trial(make(tmp_path / "a")).disk.log
    nth = len(steps) - steps[::-1].index("rename") + 1
    assert steps[nth - 1] == "sync_folder"
    trial = Trial(make(tmp_path / "b"), nth, "error", 1)
    assert trial.databases[1].acknowledged == [1, 2, 3, 4, 10, 11, 12]
    trial.lose_power()
    trial.check(power_failed=True)


def test_the_schema_survives(tmp_path):
    trial = Trial(tmp_path)
    opened, _ = open_database(tmp_path / "two", FaultyDisk())
    assert (
        opened.database.schema.to_json()
        == Schema.from_json(schema("two", WIDER)).to_json()
    )
    opened.storage.close()
    assert not trial.disk.is_dead
