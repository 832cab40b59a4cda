# SPDX-License-Identifier: Apache-2.0
"""The database of RFC 7047: values, schemas, the engine, its server and its clients."""
