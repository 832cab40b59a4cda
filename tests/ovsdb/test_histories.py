# SPDX-License-Identifier: Apache-2.0
"""Random histories in files: each implementation reads what the other wrote.

At every length of a history the reader must have what the writer had then.
"""

import copy
import re

import pytest
from helpers.programs import Ours, Reference, RunDir, wait_until
from test_damaged_files import Client
from test_model import Dice, contents
from tree_schema import TREE, Transactor

from ovswitch.ovsdb import log, storage

N_STEPS = 40
TIME = re.compile(r"^\S+Z\|\d+\|", re.MULTILINE)


def named(name):
    return {**copy.deepcopy(TREE), "name": name}


def write(path, records):
    file = log.open_log(str(path), log.MAGIC, log.CREATE_EXCLUSIVE)
    for record in records:
        file.write(record)
    file.close()


def ask_contents(client, name, database):
    """Return what a server has, as `contents` has it of ours."""
    found = {}
    for table in database.tables.values():
        columns = [c for c in table.schema.ordered[2:] if c.persistent]
        names = ["_uuid", *(column.name for column in columns)]
        select = {"op": "select", "table": table.name, "where": [], "columns": names}
        (result,) = client.transact(name, select)["result"]
        found[table.name] = {
            row["_uuid"][1]: {c.name: c.type.from_json_value(row[c.name], None)
                              for c in columns}
            for row in result["rows"]
        }  # fmt: skip
    drop_dangling(found)
    return found


def drop_dangling(found):
    """Remove weak references to rows that aren't there.

    The reference keeps one if its row was changed in the transaction that has the
    other deleted as garbage, and looks at them in the wrong order.
    """
    for row in found["Root"].values():
        row["friends"] = tuple(u for u in row["friends"] if u in found["Leaf"])
        row["named"] = tuple(p for p in row["named"] if p[1] in found["Leaf"])
    for row in found["Leaf"].values():
        row["needs"] = tuple(u for u in row["needs"] if u in found["Leaf"])


def start(run_dir, implementation, names):
    run_dir.start(
        [
            implementation.path("ovsdb-server"),
            f"--remote=punix:{run_dir / 'sock'}",
            f"--unixctl={run_dir / 'ctl'}",
            "-vconsole:off",
            *names,
        ]
    )
    wait_until(lambda: (run_dir / "ctl").exists())
    return Client(run_dir / "sock")


def random_operations(dice):
    count = dice.random.randint(1, 3)
    return [operation for _ in range(count) for operation in dice.operation()]


@pytest.mark.reference
@pytest.mark.parametrize("seed", range(2))
def test_the_reference_reads_our_histories(seed):
    tree = Transactor()
    dice = Dice(seed, tree)
    states = []
    with RunDir() as run_dir:
        for number in range(N_STEPS):
            tree(*random_operations(dice))
            states.append(contents(tree.database, with_ephemeral=False))
            name = f"D{number:03}"
            write(run_dir / name, [named(name), *tree.storage.records])
        names = [f"D{number:03}" for number in range(N_STEPS)]
        client = start(run_dir, Reference, names)
        for name, state in zip(names, states, strict=True):
            assert ask_contents(client, name, tree.database) == state
        client.close()


@pytest.mark.reference
@pytest.mark.parametrize("use_diff", [True, False])
def test_we_read_the_references_histories(use_diff):
    """A copy of ours follows the reference's file, record by record."""
    tree = Transactor()
    dice = Dice(7, tree)
    with RunDir() as run_dir:
        write(run_dir / "file", [TREE])
        options = [] if use_diff else ["--disable-file-column-diff"]
        client = start(run_dir, Reference, [*options, "file"])
        path = str(run_dir / "file")
        for number in range(N_STEPS):
            operations = random_operations(dice)
            client.transact("Tree", *operations)
            if number == N_STEPS // 2:
                tool = Reference.path("ovs-appctl")
                command = [tool, "-t", run_dir / "ctl", "ovsdb-server/compact"]
                run_dir.run(command, check=True)
            opened = storage.open_storage(path, writable=False)
            tree.database, error = storage.load(opened)
            opened.close()
            assert error is None
            state = contents(tree.database, with_ephemeral=False)
            assert ask_contents(client, "Tree", tree.database) == state
        client.close()


@pytest.mark.reference
def test_they_take_turns_at_one_file():
    tree = Transactor()
    dice = Dice(3, tree)
    with RunDir() as run_dir:
        write(run_dir / "file", [TREE])
        state = None
        for implementation in (Ours, Reference) * 2:
            client = start(run_dir, implementation, ["file"])
            if state is not None:
                assert ask_contents(client, "Tree", tree.database) == state
            for _ in range(5):
                client.transact("Tree", *random_operations(dice))
                opened = storage.open_storage(str(run_dir / "file"), writable=False)
                tree.database, error = storage.load(opened)
                assert error is None
                opened.close()
            state = ask_contents(client, "Tree", tree.database)
            assert contents(tree.database, with_ephemeral=False) == state
            client.close()
            run_dir._children[-1].kill()
            run_dir._children[-1].wait()
            (run_dir / "ctl").unlink(missing_ok=True)


@pytest.mark.reference
@pytest.mark.parametrize("holder", [Ours, Reference])
def test_a_locked_file_is_refused_with_the_same_words(holder):
    with RunDir() as run_dir:
        write(run_dir / "file", [TREE])
        start(run_dir, holder, ["file"]).close()
        pid = run_dir._children[-1].pid
        refusals = []
        for implementation in (Ours, Reference):
            for program, words in (
                ("ovsdb-server", ["-vPATTERN:console:%c|%p|%m"]),
                ("ovsdb-tool", ["compact"]),
            ):
                command = [implementation.path(program), *words, run_dir / "file"]
                refusal = run_dir.run(command)
                assert refusal.status == 1
                err = refusal.err.replace(implementation.path(program), program)
                refusals.append(TIME.sub("", err))
        assert refusals[:2] == refusals[2:]
        assert f"already locked by pid {pid}" in refusals[0]
        name = run_dir / "file"
        assert f"{name}: failed to lock lockfile (Resource temp" in refusals[1]
