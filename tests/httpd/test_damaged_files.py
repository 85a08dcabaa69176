# SPDX-License-Identifier: Apache-2.0
"""Every kind of file that a configuration names, damaged in every way: the very first start is refused; a restart goes on
with what was taken up before, never with less care, and says which file it is; and what nobody has any more ends nobody
else."""
import os
import re
import signal
from pathlib import Path

import pytest
from harness.agent import agent
from harness.certs import Authority
from harness.clientauth import Clients, revocation_list
from harness.clients import curl, s_client
from harness.config import Vhost
from harness.https_backend import HttpsBackend
from harness.ocsp import response
from harness.paths import passable
from harness.waiting import wait_until

MODULES = ("proxy", "proxy_http")


def missing(_path: Path) -> None:
    pass


def empty(path: Path) -> None:
    path.write_bytes(b"")


def garbage(path: Path) -> None:
    path.write_bytes(b"\x00junk\xff\n")


def pipe(path: Path) -> None:
    os.mkfifo(path, 0o644)


def directory(path: Path) -> None:
    path.mkdir()


def unreadable(path: Path) -> None:
    path.symlink_to(path.name)  # as root one may read all else


FAULTS = (missing, empty, garbage, pipe, directory, unreadable)
# Which directive's file each is, by the place in the server's directory.
NAMED = ("crt.pem", "key.pem", "chain.pem", "ca.pem", "names.pem", "lists.pem", "secret", "backends.pem", "backend-lists.pem",
         "machine.pem")
BESIDE = ("crt.pem.ocsp",)  # need not be there
LISTED = ("cas/ca.pem", "crls/lists.pem")  # in directories


def spoil(path: Path, fault) -> None:
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
    fault(path)


class Site:
    """A server that has a file of each kind, and who tries what they are for."""

    def __init__(self, httpd, ca, tmp_path, words: str):
        self.clients = clients = Clients(tmp_path)
        below = ca.intermediate("An authority in between")
        self.pair, revoked = below.issue("a.test"), clients.ca.issue("revoked", client=True)
        self.revoked = clients.write("revoked", revoked)
        machine = Authority("Machines")
        self.backends = [HttpsBackend(ca.issue("localhost"), tmp_path, clients=machine),
                         HttpsBackend(gone := ca.issue("localhost"), tmp_path, clients=machine),
                         HttpsBackend(Authority("Unknown").issue("localhost"), tmp_path, clients=machine)]
        asking = "SSLVerifyClient require\nSSLVerifyDepth 2\n"
        c = "@HOME@/certs"
        hosts = [
            Vhost("a.test", tls=False, extra=f"SSLEngine on\nSSLCertificateFile {c}/crt.pem\nSSLCertificateKeyFile {c}/key.pem\n"
                  f"SSLCertificateChainFile {c}/chain.pem"),
            Vhost("file.test", [ca.issue("file.test")], extra=f"{asking}SSLCACertificateFile {c}/ca.pem\n"
                  f"SSLCADNRequestFile {c}/names.pem\nSSLCARevocationFile {c}/lists.pem\nSSLCARevocationCheck leaf no_crl_for_cert_ok"),
            Vhost("dir.test", [ca.issue("dir.test")], extra=f"{asking}SSLCACertificatePath {c}/cas\n"
                  f"SSLCARevocationPath {c}/crls\nSSLCARevocationCheck leaf no_crl_for_cert_ok"),
        ]
        proxied = "".join(f'ProxyPass "/{n}/" "https://localhost:{backend.port}/"\n' for n, backend in enumerate(self.backends))
        self.server = httpd(hosts, engine="mod_tls-ssl", start=False, modules=MODULES, allow=(
            "TLS0(40|70[46]|802|604)", "AH0(2008|2039|1114|0898|1084|1097|2411|2005|2003|1144|1102|0961)", "SSL Library"),
            config=f"""{words}
SSLUseStapling on
SSLSessionTicketKeyFile {c}/secret
SSLProxyEngine on
SSLProxyVerify require
SSLProxyCACertificateFile {c}/backends.pem
SSLProxyCARevocationFile {c}/backend-lists.pem
SSLProxyCARevocationCheck leaf
SSLProxyMachineCertificateFile {c}/machine.pem
{proxied}""")
        own = machine.issue("machine", client=True)
        self.files = {
            "crt.pem": self.pair.certificate_pem(), "key.pem": self.pair.key_pem(), "chain.pem": below.pem(),
            "crt.pem.ocsp": response(below, self.pair), "ca.pem": clients.ca.pem(), "names.pem": clients.other.pem(),
            "lists.pem": revocation_list(clients.ca, revoked.certificate), "secret": bytes(range(80)),
            "backends.pem": ca.pem(), "backend-lists.pem": revocation_list(ca, gone.certificate),
            "machine.pem": own.certificate_pem() + own.key_pem(),
            "cas/ca.pem": clients.ca.pem(), "crls/lists.pem": revocation_list(clients.ca, revoked.certificate),
        }
        for name in self.files:
            self.repair(name)

    def repair(self, name: str) -> None:
        path = self.server.home / "certs" / name
        path.parent.mkdir(exist_ok=True)
        spoil(path, missing)
        path.write_bytes(self.files[name])
        path.chmod(0o600 if name in ("key.pem", "secret", "machine.pem") else 0o644)

    def verdicts(self) -> dict[str, object]:
        """What each file is for, tried."""
        port, clients = self.server.port, self.clients
        who = {"good": clients.good, "stranger": clients.stranger, "revoked": self.revoked}
        got = {f"{host}, {name}": curl(port, "/", *options, name=host, ca=None).status
               for host in ("file.test", "dir.test") for name, options in who.items()}
        text = s_client(port, "-showcerts", "-status", name="a.test").text
        got["chain"], got["stapled"] = text.count("BEGIN CERTIFICATE"), "Cert Status: good" in text
        # Without TLS 1.3 the names are part of what s_client prints at once.
        got["names"] = "CN = Other CA" in s_client(port, "-tls1_2", name="file.test").text
        for n, what in enumerate(("known", "revoked", "unknown")):
            got[f"backend, {what}"] = curl(self.server.plain_port, f"/{n}/x", scheme="http").status
        return got


KEPT = re.compile("still (served|used|sent)|stays in force|secret of before")
RIGHT = {"file.test, good": 200, "file.test, stranger": 0, "file.test, revoked": 0,
         "dir.test, good": 200, "dir.test, stranger": 0, "dir.test, revoked": 0, "chain": 2, "stapled": True, "names": True,
         "backend, known": 200, "backend, revoked": 500, "backend, unknown": 500}


@pytest.fixture
def site(httpd, ca, tmp_path):
    made = []

    def make(words: str = "") -> Site:
        made.append(Site(httpd, ca, tmp_path, words))
        return made[-1]

    yield make
    for one in made:
        for backend in one.backends:
            backend.close()


@pytest.mark.parametrize("isolation", ["on", "off"])
def test_the_first_start_is_refused(site, isolation):
    made = site(f"TLSKeyIsolation {isolation}")
    for name in NAMED:
        for fault in FAULTS:
            path = made.server.home / "certs" / name
            spoil(path, fault)
            made.server.log.path.write_text("")
            (made.server.home / "stderr").write_text("")
            said = made.server.start_fails()
            lines = [line for line in said.splitlines() if str(path) in line and ":emerg]" in line or "AH00526" in line]
            assert lines, f"{name} {fault.__name__}: {said}"
            made.repair(name)


@pytest.mark.slow
@pytest.mark.parametrize("isolation", ["on", "off"])
@pytest.mark.parametrize("again", ["graceful", "restart"])
def test_a_restart_goes_on_with_what_was_taken_up(site, again, isolation):
    """All files at once, then the restart with good ones, which needs nothing of before."""
    made = site(f"TLSKeyIsolation {isolation}")
    server = made.server
    server.start()
    assert made.verdicts() == RIGHT
    server.log.allow("TLS(0114.*key.pem can be read|0209|0504|0502.*no (file|CA)|0507|0604|0609|0708)")
    for fault, names in [*((fault, (*NAMED, *LISTED)) for fault in FAULTS), *((fault, BESIDE) for fault in FAULTS)]:
        if (fault, names) == (missing, BESIDE):
            continue  # a response need not be there
        for name in names:
            spoil(server.home / "certs" / name, fault)
        before = len(server.log.lines())
        for _ in range(2):  # what is kept is kept as long as the file is bad
            getattr(server, again)()
        said = [line.raw for line in server.log.lines()[before:]]
        for name in names:
            lines = [line for line in said if f"certs/{name}" in line and re.search(":error]|TLS0604", line)]
            if (fault, name) not in ((missing, name) for name in LISTED):  # what has gone from a directory is out of use
                assert any(KEPT.search(line) for line in lines), (name, fault, said)
        expected = RIGHT | ({"dir.test, good": 0} if fault is missing else {})
        assert made.verdicts() == expected, (fault, names)
        for name in made.files:
            made.repair(name)
        getattr(server, again)()
        assert made.verdicts() == RIGHT, f"after {fault}"


def two_hosts(httpd, ca, tmp_path, config: str = ""):
    """b.test's files, and the certificate that is shown to a backend, will be damaged."""
    machine = Authority("Machines")
    own = machine.issue("machine", client=True)
    backend = HttpsBackend(ca.issue("localhost"), tmp_path, clients=machine)
    server = httpd([Vhost("a.test", [ca.issue("a.test")]), Vhost("b.test", tls=False, extra="TLSCertificate certs/b.crt certs/b.key")],
                   modules=MODULES, start=False, allow=("TLS0306", "TLS040", "TLS0209", "TLS070[468]", "AH0", "TLS0802"), config=f"""{config}
TLSProxyEngine on
TLSProxyCA certs/backends.pem
TLSProxyMachineCertificate certs/machine.pem
ProxyPass /back/ https://localhost:{backend.port}/""")
    pair = ca.issue("b.test")
    files = {"b.crt": pair.certificate_pem(), "b.key": pair.key_pem(), "backends.pem": ca.pem(),
             "machine.pem": own.certificate_pem() + own.key_pem()}
    for name, content in files.items():
        server.put(f"certs/{name}", content, 0o600)
    server.start()
    return server, files


def served(server, ca) -> tuple[int, int, int]:
    """Statuses of a.test, of b.test and of what is proxied."""
    hosts = [curl(server.port, "/", name=name, ca=ca.file).status for name in ("a.test", "b.test")]
    return *hosts, curl(server.plain_port, "/back/x", scheme="http").status


@pytest.mark.parametrize("replaced", [False, True], ids=["dead", "replaced"])
@pytest.mark.parametrize("again", ["graceful", "restart"])
def test_what_nobody_has_any_more_ends_nobody_else(httpd, ca, tmp_path, again, replaced):
    """The supervisor died with what it had loaded of files that are damaged now: at the restart itself, or before it, so
    that its successor met them."""
    server, files = two_hosts(httpd, ca, tmp_path)
    assert served(server, ca) == (200, 200, 200)
    for name in ("b.crt", "b.key", "machine.pem"):
        (server.home / "certs" / name).write_bytes(b"junk\n")
    first = agent(server)
    os.kill(first.supervisor, signal.SIGKILL)
    if replaced:
        wait_until(lambda: server.log.matching("TLS0306.*a new one runs"), "a new supervisor", 30)
        server.log.expect("TLS0306.*certs/b.crt.*nobody has what was loaded from it before")
    for _ in range(2):
        before = len(server.log.lines())
        getattr(server, again)()
        said = "\n".join(line.raw for line in server.log.lines()[before:])
        for name in ("b.crt", "b.key"):
            assert re.search(f"TLS0209.*certs/{name}.*nobody has what was loaded.*answer no handshake", said), said
        assert re.search("TLS0708.*certs/machine.pem.*shown no certificate", said), said
        host, lost, back = served(server, ca)
        assert (host, lost) == (200, 0) and back != 200
    for name, content in files.items():
        (server.home / "certs" / name).write_bytes(content)
    getattr(server, again)()
    assert served(server, ca) == (200, 200, 200)


def test_a_repaired_file_is_taken_up_where_nobody_had_it(httpd, ca, tmp_path):
    server, files = two_hosts(httpd, ca, tmp_path, "TLSReload 1")
    (server.home / "certs/b.crt").write_bytes(b"junk\n")
    os.kill(agent(server).supervisor, signal.SIGKILL)
    server.graceful()
    assert served(server, ca) == (200, 0, 200)
    (server.home / "certs/b.crt").write_bytes(files["b.crt"])
    wait_until(lambda: served(server, ca) == (200, 200, 200), "the repaired file", 30, pause=0.3)


def test_who_was_never_served_has_no_excuse(httpd, ca, tmp_path):
    """A virtual host that comes with a restart needs its files."""
    server, _ = two_hosts(httpd, ca, tmp_path)
    server.put("certs/c.crt", "junk\n")
    server.write([*server.vhosts, Vhost("c.test", tls=False, extra="TLSCertificate certs/c.crt certs/b.key")])
    os.kill(server.pid, signal.SIGUSR1)
    server.expected_exit = None
    assert server.process.wait(30) == 1
    server.log.expect("TLS0201.*certs/c.crt")
    server.log.allow("AH00020")


@pytest.mark.parametrize("isolation", ["on", "off"])
def test_a_damaged_file_keeps_its_pair_and_no_other(httpd, ca, tmp_path, isolation):
    """Certificates of two keys at one host, and of two machines: what is good of the new files is taken up."""
    machines = Authority("Machines")
    backend = HttpsBackend(ca.issue("localhost"), tmp_path, clients=machines)
    server = httpd([Vhost("a.test", tls=False, extra="TLSCertificate certs/ec.crt certs/ec.key\nTLSCertificate certs/rsa.crt certs/rsa.key")],
                   modules=MODULES, start=False, allow=("TLS0209", "TLS0708", "AH0"), config=f"""TLSKeyIsolation {isolation}
TLSProxyEngine on
TLSProxyCA certs/backends.pem
TLSProxyMachineCertificate certs/one.pem
TLSProxyMachineCertificate certs/two.pem
ProxyPass /0/ https://localhost:{backend.port}/""")
    server.put("certs/backends.pem", ca.pem())

    def put(name: str, pair, key: bytes | None = None):
        server.put(f"certs/{name}.crt", pair.certificate_pem())
        server.put(f"certs/{name}.key", key or pair.key_pem(), 0o600)

    def shown(kind: str) -> str:
        schemes = "ecdsa_secp256r1_sha256" if kind == "ec" else "rsa_pss_rsae_sha256"
        return s_client(server.port, "-sigalgs", schemes, "-showcerts").text

    def has(kind: str, pair) -> bool:
        lines = pair.certificate_pem().decode().splitlines()
        return lines[2] in shown(kind)

    old = {"ec": ca.issue("a.test", kind="p256"), "rsa": ca.issue("a.test", kind="rsa2048")}
    new = {"ec": ca.issue("a.test", kind="p256"), "rsa": ca.issue("a.test", kind="rsa2048")}
    machine = machines.issue("machine", client=True)
    for kind, pair in old.items():
        put(kind, pair)
    for name in ("one", "two"):
        server.put(f"certs/{name}.pem", machine.certificate_pem() + machine.key_pem(), 0o600)
    server.start()
    assert has("ec", old["ec"]) and has("rsa", old["rsa"])
    assert curl(server.plain_port, "/0/x", scheme="http").status == 200
    put("ec", new["ec"])
    put("rsa", new["rsa"], b"junk\n")
    server.put("certs/two.pem", b"junk\n", 0o600)
    server.graceful()
    assert has("ec", new["ec"]) and has("rsa", old["rsa"])
    assert curl(server.plain_port, "/0/x", scheme="http").status == 200
    line = server.log.expect("TLS0209.*certs/rsa.key.*still served, and what belongs to it as it was then: .*certs/rsa.crt")
    assert "ec." not in line[0].raw
    server.log.expect("TLS0708.*certs/two.pem.*what was loaded from it before is still used")
    assert not server.log.matching("TLS0708.*one.pem")
    put("rsa", new["rsa"])
    server.graceful()
    assert has("rsa", new["rsa"])
    backend.close()


@pytest.mark.parametrize("again", ["graceful", "reload"])
def test_an_authority_that_was_taken_out_is_not_trusted_again(httpd, ca, tmp_path, again):
    """Of a file that was damaged in the same edit what can be read counts."""
    passable(tmp_path)
    clients = Clients(tmp_path)
    third = Authority("A third one")
    file = tmp_path / "cas.pem"
    file.write_bytes(clients.ca.pem() + clients.other.pem() + third.pem())
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=f"TLSClientCertificate required\nTLSClientCA {file}")],
                   config="TLSReload 1 all" if again == "reload" else "TLSReload off", allow=("TLS040", "TLS05", "TLS06"))

    def statuses() -> tuple[int, int]:
        return tuple(curl(server.port, "/", *who, ca=ca.file).status for who in (clients.good, clients.stranger))

    assert statuses() == (200, 200)
    fresh = file.with_suffix(".new")
    fresh.write_bytes(clients.other.pem() + third.pem().replace(b"-----END", b"----END"))
    fresh.rename(file)
    if again == "graceful":
        server.graceful()
    wait_until(lambda: statuses() == (0, 200), "the authority to be out of use", 30)
    server.log.expect(f"{file}.*no more is used than can be read of the file now")
    server.graceful()
    assert statuses() == (0, 200), "as it was at the next restart"
    file.write_bytes(b"junk\n")
    server.graceful()
    assert statuses() == (0, 200), "nor with what cannot be read at all"
