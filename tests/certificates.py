"""A company's own certificate authority, made with openssl, and certificates that it signed."""

import subprocess
from pathlib import Path

_EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")


class Authority:
    """`ca`, and of each name that is asked for a certificate and its key, PEM files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.ca, self._key = folder / "ca.pem", folder / "ca.key"
        _openssl("req", "-x509", *_EC, "-subj", "/CN=Acme Root", "-keyout", self._key,
                 "-out", self.ca, "-addext", "keyUsage=critical,keyCertSign")  # fmt: skip

    def sign(self, name: str, alternative: str = "DNS:localhost,IP:127.0.0.1") -> tuple[Path, Path]:
        """A certificate and its key."""
        cert, key, asked = (self._folder / f"{name}.{end}" for end in ("pem", "key", "csr"))
        extension = self._folder / f"{name}.ext"
        extension.write_text(f"subjectAltName={alternative}\n")
        _openssl("req", *_EC, "-subj", f"/CN={name}", "-keyout", key, "-out", asked)
        _openssl("x509", "-req", "-in", asked, "-CA", self.ca, "-CAkey", self._key, "-days", "2",
                 "-CAcreateserial", "-extfile", extension, "-out", cert)  # fmt: skip
        return cert, key


def _openssl(*arguments: object) -> None:
    words = ["openssl", *map(str, arguments)]
    subprocess.run(words, check=True, capture_output=True, timeout=30)
