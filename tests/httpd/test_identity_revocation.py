# SPDX-License-Identifier: Apache-2.0
"""Revocation lists: Debian's mod_ssl and ours asked the same, and what is only ours."""
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from harness.certs import Authority, now
from harness.chains import Chain, below, make
from harness.clientauth import revocation_list
from harness.config import Vhost
from harness.der import bits, integer, oid, sequence, utc_time
from harness.keys import key
from harness.migration import is_listed
from harness.verdicts import verdict
from harness.waiting import wait_until

PEM = serialization.Encoding.PEM
CHECKS = ("leaf", "chain", "leaf no_crl_for_cert_ok", "chain no_crl_for_cert_ok", "none")


class Lists:
    """Clients of a root and of an intermediate CA, and lists of both in every state."""

    def __init__(self, directory):
        self.root, self.other = Authority("Root"), Authority("Root")
        self.middle, self.bad_middle = below(self.root, "Middle"), below(self.root, "Bad Middle")
        self.clients = {name: self.client(directory, name, issuer) for name, issuer in (
            ("direct", self.root), ("direct-revoked", self.root), ("deep", self.middle), ("deep-revoked", self.middle),
            ("below-revoked", self.bad_middle))}
        files = self.files
        good_root = revocation_list(self.root, files["direct-revoked"], self.bad_middle.certificate)
        good_middle = revocation_list(self.middle, files["deep-revoked"])
        bad_middle = revocation_list(self.bad_middle)
        self.sets = {
            "all": good_root + good_middle + bad_middle,
            "root-only": good_root,
            "middle-only": good_middle,
            "expired": revocation_list(self.root, files["direct-revoked"], days=-1) + good_middle,
            "middle-expired": good_root + revocation_list(self.middle, days=-1),
            "not-yet": self.early() + good_middle,
            "forged": revocation_list(self.other, files["direct"]) + good_middle,
            "empty": revocation_list(self.root) + revocation_list(self.middle) + bad_middle,
        }

    def client(self, directory, name, issuer):
        made = make(name, key("p256", len(name) + 5000), issuer)
        self.files = getattr(self, "files", {}) | {name: made}
        behind = [] if issuer is self.root else [issuer.certificate.public_bytes(PEM)]
        return Chain([made.public_bytes(PEM), *behind], key("p256", len(name) + 5000)).write(directory, name)

    def early(self) -> bytes:
        """A list that is not in force yet."""
        builder = (x509.CertificateRevocationListBuilder().issuer_name(self.root.name)
                   .last_update(now() + timedelta(days=1)).next_update(now() + timedelta(days=9)))
        return builder.add_extension(x509.CRLNumber(1), False).sign(self.root.key, hashes.SHA256()).public_bytes(PEM)


@pytest.fixture(scope="module")
def lists(tmp_path_factory):
    return Lists(tmp_path_factory.mktemp("lists"))


def vhost(ca, name, check, mode="optional", source="SSLCARevocationFile @HOME@/{}.pem"):
    return Vhost(name, [ca.issue(name)], extra=f"""SSLVerifyClient {mode}
SSLVerifyDepth 3
SSLCACertificateFile @HOME@/root.pem
SSLCARevocationCheck {check}
{source.format(name.partition('.')[0])}
Header always set X-Verify "%{{SSL_CLIENT_VERIFY}}s\"""")


@pytest.fixture(scope="module", params=CHECKS)
def servers(request, shared_httpd, ca, lists):
    def serve(engine):
        made = shared_httpd([vhost(ca, f"{name}.test", request.param) for name in lists.sets], engine=engine, mpm="prefork",
                            log_level="warn ssl:debug", start=False, allow=("TLS040", "TLS0502.*(has expired|not in force|there is no revocation list of|is signed by another key)", "AH0", "SSL Library"))
        made.put("root.pem", lists.root.pem())
        for name, content in lists.sets.items():
            made.put(f"{name}.pem", content)
        return made.start()
    return serve("mod_ssl"), serve("mod_tls-ssl")


def test_lists_are_used_as_by_mod_ssl(request, servers, lists):
    check = request.node.callspec.params["servers"]
    differences = []
    for name in lists.sets:
        for client, file in lists.clients.items():
            theirs, ours = (verdict(server, f"{name}.test", file, "1.3") for server in servers)
            listed = name == "forged" and "no_crl" in check and is_listed("crl-foreign")
            if theirs.split(":")[0] != ours.split(":")[0] and not listed:
                differences.append(f"{name} {client}: {theirs} {ours}")
    assert not differences, "mod_ssl's and ours:\n" + "\n".join(differences)


# What both say of one fault at a time.
SAID = [("all", "direct", "SUCCESS"), ("all", "direct-revoked", "refused: certificate revoked"),
        ("all", "deep-revoked", "refused: certificate revoked"), ("all", "below-revoked", "refused: certificate revoked"),
        ("root-only", "deep", "refused: unable to get certificate CRL"),
        ("middle-only", "direct", "refused: unable to get certificate CRL"),
        ("expired", "direct", "refused: CRL has expired"), ("middle-expired", "deep", "refused: CRL has expired"),
        ("not-yet", "direct", "refused: CRL is not yet valid")]


@pytest.mark.parametrize("servers", ["chain"], indirect=True)
def test_reasons_are_those_of_mod_ssl(servers, lists):
    for name, client, said in SAID:
        assert [verdict(server, f"{name}.test", lists.clients[client], "1.3") for server in servers] == [said] * 2


@pytest.mark.parametrize("servers", ["chain"], indirect=True)
def test_a_list_that_has_expired_is_named_at_the_start(servers):
    for name in ("expired", "middle-expired"):
        assert servers[1].log.matching(rf'TLS0502.*{servers[1].home}/{name}.pem[^:]*: the revocation list of "[^"]*" has expired on [^;]*, a day ago')


@pytest.mark.parametrize("engine", ["mod_tls", "mod_tls-ssl"])
def test_a_directory_of_lists(httpd, ca, lists, engine):
    """As c_rehash leaves it, every list under two names, with files between that are no lists."""
    words = {"mod_tls": """TLSClientCertificate optional
TLSClientDepth 3
TLSClientCA @HOME@/cas
TLSClientCRL @HOME@/lists
Header always set X-Verify "%{SSL_CLIENT_VERIFY}s\"""",
             "mod_tls-ssl": vhost(ca, "a.test", "chain", source="SSLCARevocationPath @HOME@/lists").extra.replace(
                 "SSLCACertificateFile @HOME@/root.pem", "SSLCACertificatePath @HOME@/cas")}[engine]
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=words)], engine=engine, start=False, mpm="prefork",
                   log_level=f"warn {'tls' if engine == 'mod_tls' else 'ssl'}:debug", allow=("TLS040", "TLS0502.*there is no revocation list of"))
    server.put("cas/root.pem", lists.root.pem())
    server.put("cas/12345678.0", lists.root.pem())
    server.put("cas/README", "CAs of this house\n")
    parts = lists.sets["all"].split(b"-----END X509 CRL-----\n")
    for number, part in enumerate(part + b"-----END X509 CRL-----\n" for part in parts[:-1]):
        server.put(f"lists/{number}.pem", part)
        server.put(f"lists/0000000{number}.r0", part)
    server.put("lists/README", "lists of this house\n")
    server.start()
    assert verdict(server, "a.test", lists.clients["deep"], "1.3") == "SUCCESS"
    for client in ("direct-revoked", "deep-revoked", "below-revoked"):
        assert verdict(server, "a.test", lists.clients[client], "1.3") == "refused: certificate revoked"


BROKEN = {"cut off": b"", "damaged": b"-----BEGIN X509 CRL-----\nbroken\n-----END X509 CRL-----\n", "gone": None}


def test_a_broken_list_takes_no_running_server_down(httpd, ca, lists):
    """A restart goes on with the newest good lists, also with those that came since the start."""
    server = httpd([vhost(ca, "all.test", "leaf")], engine="mod_tls-ssl", start=False, allow=("TLS040", "TLS0504"),
                   log_level="notice ssl:debug")
    server.put("root.pem", lists.root.pem())
    file = server.put("all.pem", lists.sets["empty"])
    server.start()

    def said(client="direct-revoked"):
        return verdict(server, "all.test", lists.clients[client], "1.3")

    assert said() == "SUCCESS"
    file.write_bytes(lists.sets["all"])
    server.log.expect("TLS0506")
    wait_until(lambda: said() == "refused: certificate revoked", "the new list to be used")
    for content in BROKEN.values():
        file.unlink() if content is None else file.write_bytes(content)
        server.graceful()
        server.log.expect(f"TLS0507.*{file}: .*what was read from it before stays in force")
        assert (said(), said("direct")) == ("refused: certificate revoked", "SUCCESS")
        assert "TLS0501" in server.run("-t").stderr


def large_list(issuer, revoked, size) -> bytes:
    """A list of `issuer` in DER of at least `size` octets: `revoked` stands at its end."""
    small = x509.load_pem_x509_crl(revocation_list(issuer, revoked))
    when = utc_time(f"{now() - timedelta(days=1):%y%m%d%H%M%S}Z")
    entry = sequence(integer(1 << 152), when)
    head, tail = entry[:-len(when) - 4], entry[-len(when):]  # the last four octets of the serial number count
    others = b"".join(head + number.to_bytes(4) + tail for number in range(size // len(entry) + 1))
    algorithm = sequence(oid("1.2.840.10045.4.3.2"))
    times = [utc_time(f"{moment:%y%m%d%H%M%S}Z") for moment in (small.last_update, small.next_update)]
    last = sequence(integer(revoked.serial_number), when)
    tbs = sequence(integer(1), algorithm, small.issuer.public_bytes(), *times, sequence(others, last))
    return sequence(tbs, algorithm, bits(issuer.key.sign(tbs, ec.ECDSA(hashes.SHA256()))))


def test_a_list_of_more_than_64_mib(httpd, ca, lists):
    server = httpd([vhost(ca, "large.test", "leaf")], engine="mod_tls-ssl", mpm="prefork", start=False,
                   log_level="notice ssl:debug", allow=("TLS040", "TLS0502.*there is no"))
    server.put("root.pem", lists.root.pem())
    server.put("large.pem", large_list(lists.root, lists.files["direct-revoked"], 65 << 20))
    server.start(180)
    said = {client: verdict(server, "large.test", lists.clients[client], "1.3") for client in ("direct", "direct-revoked")}
    assert said == {"direct": "SUCCESS", "direct-revoked": "refused: certificate revoked"}
