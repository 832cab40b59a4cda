# SPDX-License-Identifier: Apache-2.0
"""Keys and certificates for tests, made with the openssl program."""

import shutil
import subprocess

HAS_OPENSSL = shutil.which("openssl") is not None
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Authority:
    """A CA in a folder: `ca` is its certificate, `issue()` makes others."""

    def __init__(self, folder, name="ca"):
        self.folder = folder
        self.ca = folder / f"{name}.pem"
        self._key = folder / f"{name}.key"
        self._openssl(
            "req", "-x509", *_KEY, "-keyout", self._key, "-out", self.ca,
            "-subj", f"/C=US/O=Open vSwitch/CN=the {name}", "-days", "2",
        )  # fmt: skip

    def _openssl(self, *words):
        words = ["openssl", *map(str, words)]
        subprocess.run(words, cwd=self.folder, check=True, capture_output=True)

    def issue(self, name, common_name=None):
        """Make a key and a certificate; return their files."""
        key, certificate = self.folder / f"{name}.key", self.folder / f"{name}.pem"
        request = self.folder / f"{name}.csr"
        subject = f"/CN={common_name or name}"
        self._openssl("req", *_KEY, "-keyout", key, "-out", request, "-subj", subject)
        self._openssl(
            "x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self._key,
            "-CAcreateserial", "-out", certificate, "-days", "2",
        )  # fmt: skip
        return key, certificate
