# SPDX-License-Identifier: Apache-2.0
"""Which name is sent to backends as SNI, and which their certificates must bear."""
import pytest
from cryptography import x509
from cryptography.x509.name import _ASN1Type as Asn1Type
from harness.https_backend import HttpsBackend
from harness.proxies import FAILURES, MODULES, PLAIN, get

COMMON_NAME = x509.oid.NameOID.COMMON_NAME

# Host header, name in the certificate, is it accepted, SNI (None: none is sent).
PRESERVED = {
    "same": ("www.far.test", ["www.far.test"], True, "www.far.test"),
    "case": ("WWW.Far.Test", ["www.far.test"], True, "www.far.test"),
    "case of the certificate": ("www.far.test", ["WWW.FAR.test"], True, "www.far.test"),
    "trailing dot": ("www.far.test.", ["www.far.test"], True, "www.far.test"),
    "with a port": ("www.far.test:8443", ["www.far.test"], True, "www.far.test"),
    "second name": ("www.far.test", ["far.test", "www.far.test"], True, "www.far.test"),
    "wildcard": ("www.far.test", ["*.far.test"], True, "www.far.test"),
    "wildcard for two labels": ("a.www.far.test", ["*.far.test"], False, "a.www.far.test"),
    "wildcard for none": ("far.test", ["*.far.test"], False, "far.test"),
    "part of a label": ("www.far.test", ["w*.far.test"], False, "www.far.test"),
    "wildcard of a whole zone": ("far.test", ["*.test"], False, "far.test"),
    "international": ("xn--bcher-kva.far.test", ["xn--bcher-kva.far.test"], True, "xn--bcher-kva.far.test"),
    "international under a wildcard": ("xn--bcher-kva.far.test", ["*.far.test"], True, "xn--bcher-kva.far.test"),
    "underscore": ("my_host.far.test", ["*.far.test"], True, "my_host.far.test"),
    "suffix": ("evilfar.test", ["far.test"], False, "evilfar.test"),
    "address": ("127.0.0.1", ["127.0.0.1"], True, None),
    "other address": ("127.0.0.1", ["127.0.0.2"], False, None),
    "address of version 6": ("[::1]", ["::1"], True, None),
    "address as a DNS name": ("127.0.0.1", ["*.0.0.1"], False, None),
}


@pytest.fixture(scope="module")
def backends(ca, tmp_path_factory):
    directory = tmp_path_factory.mktemp("names")
    made = {name: HttpsBackend(ca.issue(*case[1]), directory) for name, case in PRESERVED.items()}
    yield made
    for one in made.values():
        one.close()


@pytest.fixture(scope="module", params=["mod_tls", "mod_tls-ssl"])
def front(request, shared_httpd, ca, backends):
    words = {"mod_tls": f"TLSProxyEngine on\nTLSProxyCA {ca.file}",
             "mod_tls-ssl": f"SSLProxyEngine on\nSSLProxyVerify require\nSSLProxyCACertificateFile {ca.file}"}
    passes = [f"ProxyPass /{number}/ https://127.0.0.1:{backend.port}/"
              for number, backend in enumerate(backends.values())]
    return shared_httpd([], config="\n".join([words[request.param], "ProxyPreserveHost on", *passes]),
                        engine=request.param, modules=MODULES, allow=FAILURES, **PLAIN)


@pytest.mark.parametrize("name", PRESERVED)
def test_preserved_host_is_the_name_to_prove(front, backends, name):
    host, _, accepted, sni = PRESERVED[name]
    far, number = backends[name], list(PRESERVED).index(name)
    before = len(far.named)
    assert get(front, f"/{number}/page", "-H", f"Host: {host}").status == (200 if accepted else 500)
    assert {seen and seen.lower() for seen in far.named[before:]} == {sni}
    if not accepted:
        assert front.log.matching(rf"TLS0704: TLS to backend 127\.0\.0\.1:{far.port}.*its certificate is for ")


def test_another_host_is_never_served_over_the_same_connection(httpd, ca, tmp_path):
    far = HttpsBackend(ca.issue("one.far.test", "two.far.test"), tmp_path)
    front = httpd([], config=f"TLSProxyEngine on\nTLSProxyCA {ca.file}\nProxyPreserveHost on\n"
                  f"ProxyPass / https://127.0.0.1:{far.port}/", modules=MODULES, **PLAIN)
    for host in ("one.far.test", "two.far.test") * 3:
        assert get(front, "/page", "-H", f"Host: {host}").status == 200
    assert {seen["sni"] for seen in far.seen} == {"one.far.test", "two.far.test"}
    far.close()


def test_backend_over_ipv6(httpd, ca, tmp_path):
    far = HttpsBackend(ca.issue("::1"), tmp_path, address="::1")
    front = httpd([], config=f"TLSProxyEngine on\nTLSProxyCA {ca.file}\nProxyPass / https://[::1]:{far.port}/",
                  modules=MODULES, **PLAIN)
    assert get(front).status == 200
    assert far.named == [None]
    far.close()


def test_common_name_counts_for_mod_ssl_alone(httpd, ca, tmp_path):
    """RFC 9525 2: "clients MUST NOT" look for names in the subject."""
    far = HttpsBackend(ca.issue("localhost", san=False), tmp_path)
    front = httpd([], config=f"TLSProxyEngine on\nTLSProxyCA {ca.file}\nProxyPass / https://localhost:{far.port}/",
                  modules=MODULES, allow=FAILURES, **PLAIN)
    assert get(front).status == 500
    assert front.log.matching("TLS0704: .*no subjectAltName")
    far.close()


def subject(*names: str, form=Asn1Type.UTF8String) -> x509.Name:
    return x509.Name([x509.NameAttribute(COMMON_NAME, name, _type=form) for name in names])


# Subject, further names of subjectAltName, does mod_ssl take it for localhost.
COMMON_NAMES = {
    "the only one": (subject("localhost"), [], True),
    "the first of three": (subject("localhost", "b.test", "c.test"), [], True),
    "the second of three": (subject("a.test", "localhost", "c.test"), [], True),
    "the last of three": (subject("a.test", "b.test", "localhost"), [], True),
    "none of three": (subject("a.test", "b.test", "c.test"), [], False),
    "beside other names": (subject("localhost"), ["b.test"], True),
    "two octets a character": (subject("localhost", form=Asn1Type.BMPString), [], True),
    "four octets a character": (subject("localhost", form=Asn1Type.UniversalString), [], True),
    "of telex": (subject("localhost", form=Asn1Type.T61String), [], True),
    "part of it": (subject("localhost.b.test"), [], False),
}


@pytest.fixture(scope="module")
def commonly_named(ca, tmp_path_factory):
    directory = tmp_path_factory.mktemp("commonly")
    made = {}
    for name, (own, others, _) in COMMON_NAMES.items():
        pair = ca.issue(*others, subject=own, san=bool(others))
        made[name] = HttpsBackend(pair, directory / name.replace(" ", "-"))
    yield made
    for one in made.values():
        one.close()


@pytest.fixture(scope="module", params=["mod_ssl", "mod_tls-ssl"])
def lenient(request, shared_httpd, ca, commonly_named):
    passes = [f"ProxyPass /{number}/ https://localhost:{backend.port}/"
              for number, backend in enumerate(commonly_named.values())]
    words = f"SSLProxyEngine on\nSSLProxyVerify require\nSSLProxyCACertificateFile {ca.file}"
    return shared_httpd([], config="\n".join([words, *passes]), engine=request.param, modules=MODULES,
                        allow=FAILURES, **PLAIN)


@pytest.mark.parametrize("name", COMMON_NAMES)
def test_every_common_name_counts_as_with_mod_ssl(lenient, name):
    number = list(COMMON_NAMES).index(name)
    accepted = COMMON_NAMES[name][2]
    assert get(lenient, f"/{number}/page").status == (200 if accepted else 500)
