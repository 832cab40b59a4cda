# SPDX-License-Identifier: Apache-2.0
"""The module of typed rows fits the schema, and what rows read as."""

from helpers.programs import SCHEMA
from idl_rows import SCHEMA as SMALL
from idl_rows import A, C, insert, make_replica

from ovswitch.ovsdb import row_types
from ovswitch.ovsdb.idl_transaction import TransactionCore
from ovswitch.ovsdb.schema import Schema


def made(schema_json):
    text = row_types.module_text(Schema.from_json(schema_json))
    names = {"__name__": "typed_rows"}
    exec(compile(text, "typed_rows", "exec"), names)
    return names


def test_annotations_are_what_columns_read_as():
    module = made(SMALL)
    hints = module["Child"].__annotations__
    assert hints == {
        "friend": "list[Child]",
        "name": "str",
        "numbers": "list[int]",
        "options": "dict[str, str]",
        "tag": "list[int]",
    }
    assert module["Root"].__annotations__["counter"] == "int"
    row = insert(make_replica(), "Child", A, name="x", options=["map", [["a", "b"]]])
    kinds = {"list": list, "dict": dict, "str": str}
    for name, hint in hints.items():
        assert isinstance(getattr(row, name), kinds[hint.partition("[")[0]])


def test_rows_come_from_an_idl_and_a_transaction():
    module = made(SMALL)
    replica = make_replica()
    root = insert(replica, "Root", C, counter=7)
    assert module["Root"].rows_of(replica) == {C: root}
    txn = TransactionCore(replica)
    new = module["Child"].insert_with(txn)
    new.name = "y"
    assert new.is_new()
    assert new in replica.table("Child").rows.values()


def test_program_writes_the_whole_schema(capsys):
    assert row_types.main(["row_types", str(SCHEMA)]) == 0
    text = capsys.readouterr().out
    compile(text, "vswitch_rows", "exec")
    assert "    ports: list[Port]\n" in text
    assert "    flow_tables: dict[int, Flow_Table]\n" in text
    assert row_types.main(["row_types"]) == 2
