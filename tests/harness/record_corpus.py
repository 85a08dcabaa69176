# SPDX-License-Identifier: Apache-2.0
"""Writes rust/core/tests/corpus.txt anew: what Debian's mod_ssl says of every certificate of the corpus.

    /usr/bin/python3 -m tests.harness.record_corpus
"""
import base64
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote_from_bytes

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import variables  # noqa: E402
from harness.certs import Authority  # noqa: E402
from harness.corpus import Corpus  # noqa: E402
from harness.httpd import Httpd  # noqa: E402

TARGET = Path(__file__).resolve().parents[2] / "rust/core/tests/corpus.txt"
SAFE = " !\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~"
# What depends on the moment, or is no field of the certificate.
LEFT_OUT = ("SSL_CLIENT_V_REMAIN", "SSL_CLIENT_VERIFY", "SSL_CLIENT_CERT", "ASKED_SSL_CLIENT_CERT_CHAIN_0")


def main() -> None:
    corpus, lines = Corpus(), ["# Written by tests/harness/record_corpus.py"]
    server = variables.server(lambda vhosts, start, **options: Httpd(vhosts, **options), "mod_ssl", Authority(), corpus,
                              variables.MOD_SSL, "SSLOptions")
    try:
        with tempfile.TemporaryDirectory() as directory:
            for entry in corpus.entries:
                lines += record(server, entry, Path(directory))
    finally:
        server.stop()
        server.remove()
    TARGET.write_text("\n".join(lines) + "\n")
    print(sum(line.startswith("cert ") for line in lines), "certificates")


def record(server, entry, directory: Path) -> list[str]:
    lines = [f"cert {entry.name} {base64.b64encode(entry.der).decode()}"]
    for form, path in (("rfc2253", "/print"), ("legacy", "/legacy")):
        try:
            said = variables.ask(server.port, entry, directory, path)
        except OSError:
            return []  # OpenSSL itself cannot read it
        for name, value in sorted(said.items()):
            if name.startswith(("SSL_CLIENT_", "ASKED_")) and name not in LEFT_OUT:
                lines.append(f"{form} {name} {quote_from_bytes(value, SAFE)}")
    return lines


if __name__ == "__main__":
    main()
