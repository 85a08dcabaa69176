# SPDX-License-Identifier: Apache-2.0
"""Critical extensions beyond those of RFC 5280 in clients' certificates and CAs: let in and refused as by mod_ssl."""
import pytest
from cryptography import x509
from harness import admission
from harness.certs import Authority
from harness.config import Vhost
from harness.der import bits, integer, octets, oid, sequence, tlv
from harness.paths import passable

ENGINES = ("mod_ssl", "mod_tls-ssl")
BLOCKS, SYSTEMS = "1.3.6.1.5.5.7.1.7", "1.3.6.1.5.5.7.1.8"
INHERIT = tlv(0x05)


def extension(dotted: str, value: bytes):
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(dotted), value), True


def blocks(*prefixes: bytes, family: bytes = b"\x00\x01"):
    """IPv4 addresses: whole octets of prefixes; none: those of the issuer."""
    what = sequence(*map(bits, prefixes)) if prefixes else INHERIT
    return extension(BLOCKS, sequence(sequence(octets(family), what)))


def systems(*numbers: int):
    what = sequence(*map(integer, numbers)) if numbers else INHERIT
    return extension(SYSTEMS, sequence(tlv(0xA0, what)))


TEN, NET = b"\x0a", b"\x0a\x01"
# Extensions of the root, of the CA below it, and of the client.
CASES = {
    "none": ((), (), ()),
    "blocks in blocks": ([blocks(TEN)], [blocks(TEN)], [blocks(NET)]),
    "the same blocks": ([blocks(TEN)], [blocks(TEN)], [blocks(TEN)]),
    "inherited": ([blocks(TEN)], [blocks()], [blocks()]),
    "inherited, then too many": ([blocks(NET)], [blocks()], [blocks(TEN)]),
    "too many": ([blocks(TEN)], [blocks(NET)], [blocks(TEN)]),
    "others": ([blocks(TEN)], [blocks(TEN)], [blocks(b"\x0b")]),
    "of a CA without": ([], [], [blocks(NET)]),
    "of a root without": ([], [blocks(TEN)], [blocks(NET)]),
    "of a CA without, inherited": ([], [], [blocks()]),
    "the root inherits": ([blocks()], [blocks(TEN)], [blocks(NET)]),
    "of CAs alone": ([blocks(TEN)], [blocks(NET)], []),
    "adjacent blocks": ([blocks(TEN, b"\x0b")], [blocks(TEN)], [blocks(NET)]),
    "blocks in disorder": ([blocks(TEN)], [blocks(TEN)], [blocks(b"\x0a\x03", b"\x0a\x01")]),
    "blocks in order": ([blocks(TEN)], [blocks(TEN)], [blocks(b"\x0a\x01", b"\x0a\x03")]),
    "another family": ([blocks(TEN)], [blocks(TEN)], [blocks(b"\x20\x01", family=b"\x00\x02")]),
    "a family nobody knows": ([blocks(TEN)], [blocks(TEN)], [blocks(NET, family=b"\x00\x09")]),
    "numbers": ([systems(5, 7, 9)], [systems(5, 9)], [systems(9)]),
    "numbers of others": ([systems(5, 7, 9)], [systems(5, 9)], [systems(7)]),
    "numbers inherited": ([systems(5)], [systems()], [systems()]),
    "adjacent numbers": ([systems(5, 7)], [systems(5, 7)], [systems(5, 6)]),
    "numbers and blocks": ([systems(5), blocks(TEN)], [systems(5), blocks(TEN)], [systems(5), blocks(NET)]),
    "numbers, but no blocks": ([systems(5), blocks(TEN)], [systems(5)], [systems(5), blocks(NET)]),
    "no check by OCSP": ([], [], [extension("1.3.6.1.5.5.7.48.1.5", INHERIT)]),
    "must staple": ([], [], [extension("1.3.6.1.5.5.7.1.24", sequence(integer(5)))]),
    "authority information": ([], [], [extension("1.3.6.1.5.5.7.1.1", sequence(
        sequence(oid("1.3.6.1.5.5.7.48.1"), tlv(0x86, b"http://a.test/"))))]),
    "issuer's other names": ([], [], [(x509.IssuerAlternativeName([x509.DNSName("ca.test")]), True)]),
    "freshest list": ([], [], [(x509.FreshestCRL([x509.DistributionPoint(
        [x509.UniformResourceIdentifier("http://a.test/")], None, None, None)]), True)]),
    "nobody's": ([], [], [extension("1.2.3.4", INHERIT)]),
    "nobody's, of a CA": ([], [extension("1.2.3.4", INHERIT)], []),
}


def authority(name: str, extensions, issuer: Authority | None = None) -> Authority:
    made = Authority(name, issuer=issuer)
    wanted = [(x509.BasicConstraints(True, None), True), *extensions]
    made.certificate = made._sign(made.name, made.key.public_key(), issuer or made, made.certificate.not_valid_before,
                                  made.certificate.not_valid_after, wanted)
    return made


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return passable(tmp_path_factory.mktemp("critical"))


@pytest.fixture(scope="module")
def clients(directory):
    """What each client sends; NAME.ca beside it for the server."""
    made = {}
    for number, (name, (of_root, of_ca, own)) in enumerate(CASES.items()):
        root = authority(f"Root {number}", of_root)
        pair = authority(f"CA {number}", of_ca, root).issue("client", client=True, extensions=own)
        file = directory / f"{number}.pem"
        file.write_bytes(pair.certificate_pem() + pair.key_pem())
        file.with_suffix(".ca").write_bytes(root.pem())
        made[name] = f"c{number}.test", file
    return made


@pytest.fixture(scope="module")
def servers(shared_httpd, ca, clients):
    hosts = [Vhost(host, [ca.issue(host)], extra=f"SSLVerifyClient require\nSSLVerifyDepth 5\n"
                   f"SSLCACertificateFile {file.with_suffix('.ca')}") for host, file in clients.values()]
    return [shared_httpd(hosts, engine=engine, allow=(".",)) for engine in ENGINES]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("case", CASES)
def test_the_same_are_let_in(servers, clients, case, version):
    host, file = clients[case]
    context = admission.client_context(file, version)
    assert context is not None
    theirs, ours = (admission.admitted(server, host, context) for server in servers)
    assert ours == theirs
