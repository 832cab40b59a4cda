# SPDX-License-Identifier: Apache-2.0
"""The modules of `ovs.db`: values, types, schemas, and the IDL."""
