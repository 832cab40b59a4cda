# SPDX-License-Identifier: Apache-2.0
"""stub: connmgr.py, ofconn.py, requests/ and packet_in queues are being written by helper C
(another engineer, since 21:03). Whoever works on upcalls, revalidation and trace: leave
these files to C and only call Connmgr.
"""


class Connmgr:
    def __init__(self, ofproto):
        self.ofproto = ofproto

    def __getattr__(self, name):
        return lambda *a, **k: None
