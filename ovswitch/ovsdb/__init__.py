# SPDX-License-Identifier: Apache-2.0
"""The database of RFC 7047: values, schemas, the engine, its server and its clients.

For other programs, and stable: `aio_idl` (AioIdl, AioTransaction, TransactionError) and
`idl` (Idl, SchemaHelper, Transaction, Row) follow and change a database; `idl_index`
has `RowLike`, to search indexes with; `row_types` writes classes for type checkers.
docs/python-bindings.md describes them, and `ovswitch.bindings`, the drop-in for the
official package `ovs`. Nothing is imported here: a tool that needs one module shall not
pay for the others.
"""
