# SPDX-License-Identifier: Apache-2.0
"""What is said of a file that is something else than was asked for: what it is, and a command which, followed, makes the
start succeed."""
import base64
import re
import shlex
import shutil
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from harness.clients import s_client
from harness.config import Vhost
from harness.der import in_pieces


def openssl(server, *words, given: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *words], cwd=server.home, input=given, capture_output=True, check=True).stdout


def request(server) -> bytes:
    return openssl(server, "req", "-new", "-key", "good.key", "-subj", "/CN=a.test")


def wrapped(form: str):
    return lambda server: openssl(server, "crl2pkcs7", "-nocrl", "-certfile", "good.crt", "-outform", form)


def wide(name: str):
    return lambda server: ("\ufeff" + (server.home / name).read_text()).encode("utf-16-le")


def long_length(server) -> bytes:
    """PKCS#8 whose first length has an octet more than DER allows, which OpenSSL reads."""
    der = openssl(server, "pkey", "-in", "good.key", "-outform", "DER")
    assert der[:2] == b"\x30\x82"
    return b"-----BEGIN PRIVATE KEY-----\n" + base64.encodebytes(b"\x30\x83\x00" + der[2:]) + b"-----END PRIVATE KEY-----\n"


def of_openssh(server) -> bytes:
    key = serialization.load_pem_private_key((server.home / "good.key").read_bytes(), None)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())


def old_mac(name: str):
    return lambda server: (server.home / name).read_bytes().replace(b"\n", b"\r")




def putty(server) -> bytes:
    """As puttygen itself makes it of an OpenSSH key."""
    (server.home / "ssh.key").write_bytes(of_openssh(server))
    (server.home / "ssh.key").chmod(0o600)
    subprocess.run(["puttygen", "ssh.key", "-O", "private", "-o", "x.ppk"], cwd=server.home, check=True, capture_output=True)
    return (server.home / "x.ppk").read_bytes()


# What is in the place of the certificate or the key, what is said, the command, and the file that it makes (None: in place).
CASES = {
    "request": ("crt", request, r"holds no certificate, but a request.*\(CSR\)", ".crt"),
    "pkcs7": ("crt", wrapped("PEM"), "holds no certificate, but certificates that are wrapped in PKCS#7", ".pem"),
    "pkcs7-der": ("crt", wrapped("DER"), "holds no certificate, but certificates that are wrapped in PKCS#7", ".pem"),
    "wide": ("crt", wide("good.crt"), "holds no certificate, but text in UTF-16", ".pem"),
    "wide-key": ("key", wide("good.key"), "holds no private key, but text in UTF-16", ".pem"),
    "old-mac": ("crt", old_mac("good.crt"), "holds no certificate, but one line", None),
    "long-length-key": ("key", long_length, "cannot be used: its numbers do not belong together", ".pem"),
    "openssh-key": ("key", of_openssh, "holds (no private key, but )?a key in OpenSSH's format", "copy"),
    "old-mac-key": ("key", old_mac("good.key"), "holds no private key.*one line", None),
    "mislabelled": ("crt", lambda server: (server.home / "good.crt").read_bytes().replace(b"CERTIFICATE", b"SERVER CERT"),
                    "holds no certificate, but one under a label that certificates do not have", None),
    "putty": ("key", putty, "holds no private key, but a key in PuTTY's format", ".pem"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_command_makes_it_right(httpd, ca, case):
    what, make, said, ending = CASES[case]
    if case == "putty" and shutil.which("puttygen") is None:
        pytest.skip("no puttygen here, by which keys of PuTTY are made and converted")
    pair = ca.issue("a.test", kind="rsa2048")
    server = httpd([Vhost("a.test", tls=False, extra="SSLEngine on\nSSLCertificateFile @HOME@/x.crt\n"
                          "SSLCertificateKeyFile @HOME@/x.key")], engine="mod_tls-ssl", start=False)
    for prefix in ("good", "x"):
        server.put(f"{prefix}.crt", pair.certificate_pem())
        server.put(f"{prefix}.key", pair.key_pem(), 0o600)
    odd = server.put(f"x.{what}", make(server), 0o600)
    line = server.run("-t").stderr
    found = re.search(rf"{re.escape(str(odd))} {said}.*?: ((?:openssl|iconv|perl|sed|ssh-keygen|puttygen) .*?) \(virtual host", line)
    assert found, line
    command = shlex.split(found[found.lastindex].replace("-signkey KEY", "-signkey good.key"))
    if ending == "copy":
        if shutil.which(command[0]) is None:
            pytest.skip(f"no {command[0]} here, by which keys of OpenSSH are converted")
        # It asks for pass phrases on the terminal alone.
        command = [str(odd) if word == "COPY" else word for word in command] + ["-P", "", "-N", ""]
    subprocess.run(command, cwd=server.home, check=True, capture_output=True)
    if ending and ending != "copy":
        (server.home / f"x.{what}{ending}").replace(odd)
    done = server.run("-t")
    assert done.returncode == 0, done.stderr


NAMED = {
    "list": ("crt", lambda server, ca: _list(ca), "holds no certificate, but a revocation list"),
    "public": ("key", lambda server, ca: openssl(server, "pkey", "-in", "good.key", "-pubout"), "holds a public key"),
    "request": ("key", lambda server, ca: request(server), "holds no private key, but a request"),
    "certificate": ("key", lambda server, ca: (server.home / "good.crt").read_bytes(), "holds no private key, but a certificate"),
    "key": ("crt", lambda server, ca: (server.home / "good.key").read_bytes(), 'holds no certificate, but "PRIVATE KEY"'),
    "pkcs7 as key": ("key", lambda server, ca: wrapped("PEM")(server), "holds no private key, but certificates that are wrapped"),
    "public as certificate": ("crt", lambda server, ca: openssl(server, "pkey", "-in", "good.key", "-pubout"),
                              "holds no certificate, but a public key"),
    "list as key": ("key", lambda server, ca: _list(ca), "holds no private key, but a revocation list"),
    "openssh as certificate": ("crt", lambda server, ca: of_openssh(server), "holds no certificate, but a key in OpenSSH's format"),
    "openssh's public key": ("key", lambda server, ca: b"ssh-rsa AAAAB3NzaC1yc2E= somebody\n", "holds no private key, but a public key in OpenSSH's"),
    "page": ("crt", lambda server, ca: b"<!DOCTYPE html><title>404</title>\n", "holds no certificate, but a page in HTML"),
    "putty as certificate": ("crt", lambda server, ca: b"PuTTY-User-Key-File-3: ssh-rsa\n", "holds no certificate, but a key in PuTTY's"),
}


def _list(ca) -> bytes:
    from harness.clientauth import revocation_list
    return revocation_list(ca)


@pytest.mark.parametrize("case", NAMED)
def test_what_no_command_makes_right_is_named(httpd, ca, case):
    what, make, said = NAMED[case]
    pair = ca.issue("a.test", kind="rsa2048")
    server = httpd([Vhost("a.test", tls=False, extra="SSLEngine on\nSSLCertificateFile @HOME@/x.crt\n"
                          "SSLCertificateKeyFile @HOME@/x.key")], engine="mod_tls-ssl", start=False)
    for prefix in ("good", "x"):
        server.put(f"{prefix}.crt", pair.certificate_pem())
        server.put(f"{prefix}.key", pair.key_pem(), 0o600)
    server.put(f"x.{what}", make(server, ca), 0o600)
    done = server.run("-t")
    assert done.returncode != 0 and f"{server.home}/x.{what} {said}" in done.stderr, done.stderr


@pytest.mark.parametrize("what", ["crt", "key"])
def test_an_archive_is_unpacked(httpd, ca, what):
    import zipfile
    pair = ca.issue("a.test", kind="rsa2048")
    server = httpd([Vhost("a.test", tls=False, extra="SSLEngine on\nSSLCertificateFile @HOME@/x.crt\n"
                          "SSLCertificateKeyFile @HOME@/x.key")], engine="mod_tls-ssl", start=False)
    server.put("x.crt", pair.certificate_pem())
    server.put("x.key", pair.key_pem(), 0o600)
    with zipfile.ZipFile(server.home / "packed", "w") as archive:
        archive.write(server.home / f"x.{what}", f"inner.{what}")
    (server.home / "packed").replace(server.home / f"x.{what}")
    (server.home / f"x.{what}").chmod(0o600)
    line = server.run("-t").stderr
    found = re.search(rf"x\.{what} holds no .*, but an archive \(ZIP\); unpack it and name the file with the \w+: (unzip .*?) \(virtual host", line)
    assert found, line
    subprocess.run(shlex.split(found[1]), cwd=server.home, check=True, capture_output=True)
    (server.home / f"inner.{what}").replace(server.home / f"x.{what}")
    (server.home / f"x.{what}").chmod(0o600)
    assert server.run("-t").returncode == 0


@pytest.mark.parametrize("form", ["JKS", "JCEKS"])
def test_java_keystores(httpd, ca, form, tmp_path):
    """Of before Java 9, whose format has been PKCS#12 since: the command makes the file that is named for both."""
    if shutil.which("keytool") is None:
        pytest.skip("no keytool here, by which Java's keystores are made and converted")
    pair = ca.issue("a.test", kind="rsa2048")
    program = tmp_path / "ask"
    program.write_text("#!/bin/sh\necho 'pass word'\n")
    program.chmod(0o755)
    server = httpd([Vhost("a.test", tls=False, extra="SSLEngine on\nSSLCertificateFile @HOME@/x.jks\nSSLCertificateKeyFile @HOME@/x.jks")],
                   engine="mod_tls-ssl", start=False, config=f"SSLPassPhraseDialog exec:{program}")
    server.put("good.key", pair.key_pem(), 0o600)
    server.put("good.crt", pair.certificate_pem())
    openssl(server, "pkcs12", "-export", "-inkey", "good.key", "-in", "good.crt", "-passout", "pass:pass word", "-out", "x.p12")
    passes = ["-srcstorepass", "pass word", "-deststorepass", "pass word", "-noprompt"]
    subprocess.run(["keytool", "-importkeystore", "-srckeystore", "x.p12", "-destkeystore", "x.jks", "-deststoretype", form, *passes],
                   cwd=server.home, check=True, capture_output=True)
    (server.home / "x.jks").chmod(0o600)
    line = server.run("-t").stderr
    found = re.search(r"x\.jks holds no certificate, but a keystore in Java's own format; .*?: (keytool .*?) \(virtual host", line)
    assert found, line
    subprocess.run([*shlex.split(found[1]), *passes, "-srcstoretype", form], cwd=server.home, check=True, capture_output=True)
    (server.home / "x.jks.p12").replace(server.home / "x.jks")
    (server.home / "x.jks").chmod(0o600)
    server.start()
    assert s_client(server.port, name="a.test", ca=ca.file).verified


def test_pkcs12_in_the_place_of_a_chain(httpd, ca):
    below = ca.intermediate("Packed CA")
    pair = below.issue("a.test", kind="rsa2048")
    pair.chain = []
    server = httpd([Vhost("a.test", [pair], extra="SSLCertificateChainFile @HOME@/chain.p12")], engine="mod_tls-ssl", start=False)
    server.put("below.crt", below.pem())
    openssl(server, "pkcs12", "-export", "-nokeys", "-in", "below.crt", "-passout", "pass:x", "-out", "chain.p12")
    line = server.run("-t").stderr
    found = re.search(r"chain\.p12 holds no certificate, but PKCS#12, .*?: (openssl pkcs12 .*?) \(virtual host", line)
    assert found, line
    openssl(server, *shlex.split(found[1])[1:], "-passin", "pass:x")
    (server.home / "chain.p12.pem").replace(server.home / "chain.p12")
    server.start()
    assert s_client(server.port, name="a.test", ca=ca.file).verified


FORMS = {
    "labelled pkcs1": lambda server, pem: pem.replace(b"PRIVATE KEY", b"RSA PRIVATE KEY"),
    "der": lambda server, pem: openssl(server, "pkey", "-in", "good.key", "-outform", "DER"),
    "der pkcs1": lambda server, pem: openssl(server, "rsa", "-in", "good.key", "-outform", "DER", "-traditional"),
    "mark": lambda server, pem: b"\xef\xbb\xbf" + pem,
    "behind a certificate": lambda server, pem: (server.home / "good.crt").read_bytes() + pem,
}


@pytest.mark.parametrize("form", FORMS)
def test_keys_are_told_by_their_octets(httpd, ca, form):
    pair = ca.issue("a.test", kind="rsa2048")
    server = httpd([Vhost("a.test", tls=False, extra="SSLEngine on\nSSLCertificateFile @HOME@/x.crt\n"
                          "SSLCertificateKeyFile @HOME@/x.key")], engine="mod_tls-ssl", start=False)
    server.put("good.key", pair.key_pem(), 0o600)
    server.put("good.crt", pair.certificate_pem())
    server.put("x.crt", pair.certificate_pem())
    server.put("x.key", FORMS[form](server, pair.key_pem()), 0o600)
    done = server.run("-t")
    assert done.returncode == 0, done.stderr


EXPORTS = {"new": (), "legacy": ("-legacy",), "des": ("-legacy", "-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES"),
           "sha512": ("-macalg", "sha512"), "pieces": (), "legacy pieces": ("-legacy",)}


@pytest.mark.parametrize("engine", ["mod_tls-ssl", "mod_tls"])
@pytest.mark.parametrize("export", EXPORTS)
def test_pkcs12_serves_its_chain(httpd, ca, export, engine, tmp_path):
    """A .pfx as certificate and key, with the dialog of SSLPassPhraseDialog."""
    below = ca.intermediate("Export CA")
    pair = below.issue("a.test", kind="rsa2048")
    program = tmp_path / "ask"
    program.write_text("#!/bin/sh\necho 'pass word'\n")
    program.chmod(0o755)
    words = ("SSLEngine on\nSSLCertificateFile @HOME@/x.pfx\nSSLCertificateKeyFile @HOME@/x.pfx" if engine == "mod_tls-ssl"
             else "TLSCertificate @HOME@/x.pfx")
    dialog = "SSLPassPhraseDialog" if engine == "mod_tls-ssl" else "TLSKeyPassphrase"
    server = httpd([Vhost("a.test", tls=False, extra=words)], engine=engine, start=False,
                   config=f"{dialog} exec:{program}")
    server.put("good.key", pair.key_pem(), 0o600)
    server.put("good.crt", pair.certificate_pem())
    server.put("below.crt", below.pem())
    openssl(server, "pkcs12", "-export", "-inkey", "good.key", "-in", "good.crt", "-certfile", "below.crt", "-passout",
            "pass:pass word", "-out", "x.pfx", *EXPORTS[export])
    if "pieces" in export:
        file = server.home / "x.pfx"
        file.write_bytes(in_pieces(file.read_bytes()))
        openssl(server, "pkcs12", "-in", "x.pfx", "-passin", "pass:pass word", "-nodes", *EXPORTS[export])
    server.start()
    shown = s_client(server.port, "-showcerts", "-CAfile", str(ca.file), name="a.test")
    assert shown.done and shown.text.count("-----BEGIN CERTIFICATE-----") >= 2
    assert "Verify return code: 0" in shown.text


def test_the_list_of_differences_comes_whatever_is_wrong_with_files(httpd, ca):
    """A fault of a file stands in the list, with the line that names it; the exit status tells of what stops a start."""
    pair = ca.issue("a.test", kind="rsa2048")
    server = httpd([Vhost("a.test", tls=False, extra="SSLEngine on\n"
                          "SSLCertificateFile @HOME@/x.crt\nSSLCertificateKeyFile @HOME@/x.key")],
                   engine="mod_tls-ssl", start=False)
    server.put("x.crt", pair.certificate_pem())
    key = server.put("x.key", pair.key_pem(), 0o600)
    done = server.run("-t", "-D", "DUMP_TLS_MIGRATION")
    assert done.returncode == 0 and "Differences from mod_ssl" in done.stdout, done.stderr
    key.write_bytes(b"damaged")
    done = server.run("-t", "-D", "DUMP_TLS_MIGRATION")
    number = next(n for n, line in enumerate(server.conf.read_text().splitlines(), 1) if "x.key" in line)
    assert done.returncode != 0 and "Differences from mod_ssl" in done.stdout
    assert f"{server.conf}:{number}: stops the start: {key} holds no PEM block" in done.stdout, done.stdout
    key.write_bytes(pair.key_pem())
    server.conf.write_text(server.conf.read_text() + "SSLCryptoDevice nonsense\n")
    done = server.run("-t", "-D", "DUMP_TLS_MIGRATION")
    assert done.returncode != 0 and "stops the start: SSLCryptoDevice" in done.stdout, done.stdout
