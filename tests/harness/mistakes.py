# SPDX-License-Identifier: Apache-2.0
"""A mistake in a configuration, what is said of it, and what puts it right."""
import re
from dataclasses import dataclass

from .clientauth import revocation_list
from .config import Vhost

MODULES = ("socache_shmcb", "authn_core", "authz_user")


@dataclass
class Mistake:
    """`wrong` and `right` are a virtual host's words, `globally` what stands outside of it; `stops`: it must not start."""

    engine: str
    wrong: str
    right: str
    says: str
    globally: bool = False
    stops: bool = False
    port: str = "*:@TLS@"
    modules: tuple[str, ...] = ()
    own_certificate: bool = True  # of the virtual host, before these words


def fill(server, text):
    return text.replace("@CONF@", str(server.conf)).replace("@HOME@", str(server.home))


def told_and_put_right(httpd, ca, case: Mistake) -> None:
    server = httpd([], engine=case.engine, modules=(*MODULES, *case.modules), start=False, log_level="notice", allow=(".*",))
    server.put("ca.pem", ca.pem())
    server.put("secret", bytes(range(80)), mode=0o644)
    server.put("program", "#!/bin/sh\necho secret\n", mode=0o755)
    server.put("list.pem", revocation_list(ca))
    server.put("rsa.pem", ca.issue("a.test", kind="rsa2048").combined_pem(), mode=0o600)

    crt, key = ca.issue("b.test").write(server.home / "extra", "b")

    def write(words):
        words = words.replace("@CERT@", f"{crt} {key}").replace("@SSLCERT@", f"{crt}\nSSLCertificateKeyFile {key}")
        inside = "" if case.globally else words
        pairs = [ca.issue("a.test")] if case.own_certificate else []
        server.write([Vhost("a.test", pairs, extra=inside, address=case.port), Vhost("z.test", [ca.issue("z.test")])],
                     config=words if case.globally else "")

    write(case.wrong)
    pattern = fill(server, case.says)
    test = server.run("-t")
    assert re.search(pattern, test.stderr + test.stdout), test.stderr
    assert (test.returncode != 0) == case.stops, test.stderr
    told = re.search(pattern, test.stderr)[0]
    if case.stops:
        started = server.start_fails()
    else:
        server.start()
        started = server.said()
    assert told in started, started
    server.stop() if not case.stops else None
    write(case.right)
    test = server.run("-t")
    assert test.returncode == 0 and not re.search(pattern, test.stderr), test.stderr
