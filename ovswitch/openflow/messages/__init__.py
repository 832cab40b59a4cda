# SPDX-License-Identifier: Apache-2.0
"""OpenFlow messages: what they say, whatever version says it.

One module a family: classes with the fields, and how they go to octets and back.
`codec` finds the right one; a program that needs few messages loads few modules.
"""
