# SPDX-License-Identifier: Apache-2.0
"""What a server makes of a client's certificate: SSL_CLIENT_VERIFY, or the reason that its log gives for a refusal.

Virtual hosts have to say `Header always set X-Verify "%{SSL_CLIENT_VERIFY}s"`, and the level of the log must be debug: what
repeats is told there only.
"""
import re

from . import tls
from .waiting import wait_until

# Reasons for which OpenSSL has other words.
WORDS = {"Certificate Chain too long": "certificate chain too long", "": "certificate cannot be read"}
OF_MOD_SSL = re.compile(r"Certificate Verification: (?:Error \(\d+\): )?(.*?)(?: \[subject: .*| \(chain has .*)?$", re.M)
OF_MOD_TLS = re.compile(r"certificate is refused(?:: (.*?))? \(name asked for")


def reasons(server) -> list[str]:
    pattern = OF_MOD_TLS if server.engine == "mod_tls" else OF_MOD_SSL
    return [found[1] or "" for found in pattern.finditer(server.log.text())]


def verdict(server, name, file, version):
    """What the variable says, or that the server refused and why."""
    context = tls.context(version=version)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(file)
    before = len(reasons(server))
    try:
        with tls.connect(server.port, name, using=context) as connection:
            return tls.get(connection, host=name)[1]["x-verify"]
    except (OSError, EOFError):
        said = wait_until(lambda: reasons(server)[before:], f"a reason in the log of {server.engine}")[-1]
        return f"refused: {WORDS.get(said, said)}"
