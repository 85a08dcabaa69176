# SPDX-License-Identifier: Apache-2.0
"""The list of what a change to this module will meet is made from the site's files while mod_ssl still serves it: a certificate, key, CA or list
of each kind that docs/migrating-from-mod_ssl.md says is treated otherwise is named there, with the line that names its file."""
import re
import subprocess
from dataclasses import dataclass

import pytest
from harness import paths
from harness.clients import curl
from harness.config import Vhost

CLIENTS = "SSLVerifyClient require\nSSLVerifyDepth 3\nSSLCACertificateFile @HOME@/x.pem"
LISTED = "SSLVerifyClient require\nSSLCACertificateFile @HOME@/ca.pem\nSSLCARevocationFile @HOME@/x.pem\nSSLCARevocationCheck leaf"
PROXY = "SSLProxyEngine on\nSSLProxyVerify require\nProxyPass /x https://127.0.0.1:1/\n"
CURVE = "ec -pkeyopt ec_paramgen_curve:"
EXPLICIT = "ec -pkeyopt ec_paramgen_curve:prime256v1 -pkeyopt ec_param_enc:explicit"
SECONDS = 60


@dataclass
class Kind:
    """`make` writes x.pem (and x.key), `words` name it, `says` is the list's line, `line` is the directive that it names."""

    make: tuple[str, ...]
    words: str
    says: str
    line: str


def own(algorithm: str) -> tuple[str, ...]:
    """A certificate that signed itself, with a key of some kind."""
    return (f"openssl genpkey -algorithm {algorithm} -out x.key", "openssl req -x509 -key x.key -subj /CN=a.test -days 30 -out x.pem")


SERVER = "SSLCertificateFile @HOME@/x.pem\nSSLCertificateKeyFile @HOME@/x.key"
DSA = ("openssl genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:2048 -out dsa.pem", "openssl genpkey -paramfile dsa.pem -out x.key",
       "openssl req -x509 -key x.key -subj /CN=a.test -days 30 -out x.pem")
BELOW = ("openssl req -new -key ca.key -subj /CN=below -out below.csr",
         "openssl x509 -req -in below.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile below.ext -out below.pem")
LIST = "openssl ca -config list.cnf -gencrl -keyfile ca.key -cert ca.pem -out x.pem"
KINDS = {
    "key of Ed448": Kind(own("ED448"), SERVER, r'stops the start: .*x\.key is of a kind that TLS cannot use here \(Ed448\)', "SSLCertificateKeyFile"),
    "key of brainpool": Kind(own(CURVE + "brainpoolP256r1"), SERVER, r'stops the start: .*\(brainpoolP256r1\)', "SSLCertificateKeyFile"),
    "key of DSA": Kind(DSA, SERVER, r'stops the start: .*\(DSA\)', "SSLCertificateKeyFile"),
    "short RSA key": Kind(own("RSA -pkeyopt rsa_keygen_bits:1024"), SERVER, r'stops the start: .*x\.key has 1024 bits', "SSLCertificateKeyFile"),
    "key encrypted with Camellia": Kind((*own("RSA -pkeyopt rsa_keygen_bits:2048"), "openssl rsa -in x.key -camellia256 -passout pass:x -traditional -out y.key", "mv y.key x.key"),
                                        SERVER, r'stops the start: .*not supported \(CAMELLIA-256-CBC\); encrypt it anew', "SSLCertificateKeyFile"),
    "expired certificate": Kind((*own("ED25519")[:1], "faketime -f -90d openssl req -x509 -key x.key -subj /CN=a.test -days 30 -out x.pem"), SERVER, r'.*x\.pem: the certificate expired on', "SSLCertificateFile"),
    "another's key": Kind((*own("ED25519"), "openssl genpkey -algorithm ED25519 -out x.key"), SERVER, r'stops the start: the key in .*x\.key does not fit', "SSLCertificateFile"),
    "CA of Ed448": Kind(own("ED448"), CLIENTS, r'client certificates: .*x\.pem: the CA "CN=a\.test" has a key of a kind that nothing is verified by here', "SSLCACertificateFile"),
    "CA of brainpool": Kind(own(CURVE + "brainpoolP256r1"), CLIENTS, r'client certificates: .*x\.pem: the CA "CN=a\.test" has a key of a kind that nothing is verified by here', "SSLCACertificateFile"),
    "CA of P-224": Kind(own(CURVE + "secp224r1"), CLIENTS, r'client certificates: .*x\.pem: the CA "CN=a\.test" has a key of a kind that nothing is verified by here', "SSLCACertificateFile"),
    "CA of DSA": Kind(DSA, CLIENTS, r'client certificates: .*x\.pem: the CA "CN=a\.test" has a key of a kind that nothing is verified by here', "SSLCACertificateFile"),
    "CA of an explicit curve": Kind(own(EXPLICIT), CLIENTS, r'client certificates: .*x\.pem: the CA "CN=a\.test" has a key of a kind that nothing is verified by here', "SSLCACertificateFile"),
    "expired CA": Kind((*own("ED25519")[:1], "faketime -f -90d openssl req -x509 -key x.key -subj /CN=old -days 30 -out x.pem"), CLIENTS, r'client certificates: .*the CA "CN=old" has expired', "SSLCACertificateFile"),
    "CA without its root": Kind((*BELOW, "cp below.pem x.pem"), CLIENTS, r'client certificates: .*is of an intermediate CA, and the one above it is not listed', "SSLCACertificateFile"),
    "CA signed with SHA-224": Kind((*BELOW[:1], BELOW[1] + " -sha224", "sh -c 'cat below.pem ca.pem > x.pem'"), CLIENTS, r'client certificates: .*the CA "CN=below" is signed by an algorithm', "SSLCACertificateFile"),
    "expired list": Kind((f"faketime -f -90d {LIST}",), LISTED, r'client certificates: .*the revocation list of "CN=Test CA" has expired', "SSLCARevocationFile"),
    "list signed with SHA-224": Kind((LIST + " -md sha224",), LISTED, r'client certificates: .*the revocation list of "CN=Test CA" is signed by an algorithm', "SSLCARevocationFile"),
    "list of a delta": Kind((LIST + " -crlexts delta",), LISTED, r'client certificates: .*"CN=Test CA" is a delta, and the full list', "SSLCARevocationFile"),
    "list with a critical extension": Kind((LIST + " -crlexts odd",), LISTED, r'client certificates: .*cannot be used: unhandled critical CRL extension', "SSLCARevocationFile"),
    "list of another key": Kind(("openssl genpkey -algorithm RSA -out other.key", "openssl req -x509 -key other.key -subj '/CN=Test CA' -days 30 -out other.pem",
                                 LIST.replace("ca.key", "other.key").replace("ca.pem", "other.pem")), LISTED, r'client certificates: .*"CN=Test CA" is signed by another key', "SSLCARevocationFile"),
    "no list of the CA": Kind((*own("ED25519"), "openssl ca -config list.cnf -gencrl -keyfile x.key -cert x.pem -out y.pem", "mv y.pem x.pem"), LISTED, r'client certificates: .*there is no revocation list of "CN=Test CA"', "SSLCACertificateFile"),
    "backends' CA of Ed448": Kind(own("ED448"), PROXY + "SSLProxyCACertificateFile @HOME@/x.pem", r'TLS to backends: .*the CA "CN=a\.test" has a key of a kind', "SSLProxyCACertificateFile"),
    "backends' expired list": Kind((f"faketime -f -90d {LIST}",), PROXY + "SSLProxyCACertificateFile @HOME@/ca.pem\nSSLProxyCARevocationFile @HOME@/x.pem\nSSLProxyCARevocationCheck leaf", r'TLS to backends: .*the revocation list of "CN=Test CA" has expired', "SSLProxyCARevocationFile"),
    "machine's key of Ed448": Kind((*own("ED448"), "sh -c 'cat x.key >> x.pem'"), PROXY + "SSLProxyMachineCertificateFile @HOME@/x.pem\nSSLProxyCACertificateFile @HOME@/ca.pem", r'stops the start: TLS to backends: .*\(Ed448\)', "SSLProxyMachineCertificateFile"),
    "ticket keys that others read": Kind(("openssl rand -out x.pem 80", "chmod 644 x.pem"), "SSLSessionTicketKeyFile @HOME@/x.pem", r'SSLSessionTicketKeyFile: the file is the secret', "SSLSessionTicketKeyFile"),
    "directory without a certificate": Kind(("mkdir x",), "SSLVerifyClient require\nSSLCACertificatePath @HOME@/x", r'client certificates: .*no file in it holds a certificate', "SSLCACertificatePath"),
}
FILES = {
    "below.ext": "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\npolicyConstraints=critical,requireExplicitPolicy:0\n",
    "index.txt": "", "list.cnf": "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ndefault_md=sha256\ndefault_crl_days=30\n[delta]\n2.5.29.20=DER:020105\n"
    "2.5.29.27=critical,DER:020101\n[odd]\n1.2.3.4=critical,DER:0500\n",
    "dh.pem": "-----BEGIN DH PARAMETERS-----\nMEYCQQDaWDwW2YUiidDkr3VvTMqS3UvlM7gE+w/tlO+cikQD7VdGUNNpmdsp13Yn\na6LT1BLiGPTdHghM9tgAPnxHdOgzAgEC\n-----END DH PARAMETERS-----\n",
}


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_is_told_before_the_change(httpd, ca, name):
    kind = KINDS[name]
    server = httpd([], engine="mod_ssl", modules=("proxy", "proxy_http"), start=False, allow=(".",))
    for file, text in FILES.items():
        server.put(file, text)

    def run(command):
        subprocess.run(["sh", "-ec", command], cwd=server.home, check=True, capture_output=True, timeout=SECONDS)
    run("openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -subj '/CN=Test CA' -days 30 -out ca.pem")
    for command in kind.make:
        run(command)
    if "SSLCertificateFile" in kind.words:
        host = Vhost("a.test", tls=False, extra="SSLEngine on\n" + kind.words)
    else:
        host = Vhost("a.test", [ca.issue("a.test")], extra=kind.words)
    server.write([host])
    done = server.run("-t", "-D", "DUMP_TLS_MIGRATION", "-C", f"LoadModule ssl_module {paths.mod_tls_so()}")
    number = next(n for n, line in enumerate(server.conf.read_text().splitlines(), 1) if line.strip().startswith(kind.line + " "))
    assert "Differences from mod_ssl" in done.stdout, done.stderr
    assert re.search(rf"^{server.conf}:{number}: {kind.says}", done.stdout, re.M), done.stdout
    assert (done.returncode != 0) == kind.says.startswith("stops the start"), done.stderr


def test_the_server_that_serves_is_not_touched(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], engine="mod_ssl", allow=(".",))
    done = server.run("-t", "-D", "DUMP_TLS_MIGRATION", "-C", f"LoadModule ssl_module {paths.mod_tls_so()}")
    assert done.returncode == 0 and "Differences from mod_ssl" in done.stdout, done.stderr
    assert server.running() and curl(server.port, "/", ca=ca.file).status == 200
    assert not server.log.matching("TLS0")
