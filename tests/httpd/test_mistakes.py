# SPDX-License-Identifier: Apache-2.0
"""What administrators do wrong: each mistake is told under -t and at a start in the same words, with file, line and a remedy, and the
remedy works when it is followed."""
import re
import subprocess

import pytest
from harness.clientauth import Clients
from harness.config import Vhost
from harness.mistakes import MODULES, Mistake, told_and_put_right

MISTAKES = {
    "suite that is not here": Mistake("mod_tls", "TLSCiphersPrefer AES128-SHA", "TLSCiphersPrefer ECDHE-ECDSA-AES128-GCM-SHA256",
                                      r"TLSCiphersPrefer: not supported and left out: AES128-SHA"),
    "suite that is not here, suppressed": Mistake("mod_tls", "TLSCiphersSuppress TLS_SM4_GCM_SM3", "TLSCiphersSuppress default",
                                                  r"TLSCiphersSuppress: not supported and left out: TLS_SM4_GCM_SM3"),
    "user of no variable": Mistake("mod_tls", "<Location /x>\nTLSUserName SSL_CLIENT_S_DN_XX\n</Location>",
                                   "<Location /x>\nTLSUserName SSL_CLIENT_S_DN_CN\n</Location>", r"TLS0119: .*SSL_CLIENT_S_DN_XX"),
    "user of no variable, SSL words": Mistake("mod_tls-ssl", "SSLUserName SSL_CLIENT_CN", "SSLUserName SSL_CLIENT_S_DN_CN_0_RAW",
                                              r'TLS0119: .*"SSL_CLIENT_CN"'),
    "authorities, and nobody asked": Mistake("mod_tls", "TLSClientCA @HOME@/ca.pem", "TLSClientCA @HOME@/ca.pem\nTLSClientCertificate optional",
                                             "TLS0114: .*nobody is asked for a certificate.*TLSClientCertificate required"),
    "pass phrases of nobody": Mistake("mod_tls", "TLSKeyPassphrase exec:@HOME@/missing", "TLSKeyPassphrase exec:@HOME@/program",
                                      "TLS0114: .*@HOME@/missing, cannot be run: No such file"),
    "pass phrases of nobody, SSL words": Mistake("mod_tls-ssl", "SSLPassPhraseDialog exec:@HOME@/missing",
                                                 "SSLPassPhraseDialog exec:@HOME@/program", "TLS0114: .*@HOME@/missing, cannot be run",
                                                 globally=True),
    "certificate at another port": Mistake("mod_tls", "", "TLSEngine on", "TLS0114: .*has a certificate, but none of its ports",
                                           port="127.0.0.1:@PLAIN@"),
    "ports in a virtual host": Mistake("mod_tls", "TLSEngine 443", "TLSEngine on",
                                       "TLSEngine: ports are listed outside of virtual hosts.*TLSEngine on", stops=True),
    "a list that is open": Mistake("mod_tls", "TLSSessionTickets file:@HOME@/secret", "TLSSessionTickets on",
                                   r"TLS0601: .*@HOME@/secret is open to everybody \(mode 0644\): chmod 600 it \(@CONF@:\d+\)",
                                   globally=True, stops=True),
    "a secret that mod_ssl takes": Mistake("mod_tls-ssl", "SSLSessionTicketKeyFile @HOME@/secret", "",
                                           r"TLS0609: .*@HOME@/secret.*chmod 600 @HOME@/secret \(@CONF@:\d+\)"),
    "HTTP/2 of nobody": Mistake("mod_tls", "Protocols h2 http/1.1", "Protocols http/1.1", "TLS0118: .*mod_http2 is not loaded"),
    "words of mod_ssl": Mistake("mod_tls", "SSLCertificateFile x.pem", "", "SSLCertificateFile: this is a word of mod_ssl", stops=True),
    "words of ours": Mistake("mod_tls-ssl", "TLSCertificate x.pem", "", "TLSCertificate: TLS. words are read where", stops=True),
    "pass phrase in no file": Mistake("mod_tls", "TLSKeyPassphrase file:@HOME@/missing", "TLSKeyPassphrase file:@HOME@/secret",
                                      "TLS0114: .*the file with the pass phrase, @HOME@/missing, cannot be read: No such file"),
    "a cache that is too small": Mistake("mod_tls", "TLSSessionCache shmcb:@HOME@/run/cache(12)", "TLSSessionCache shmcb:@HOME@/run/cache(512000)",
                                         r"TLS0601: .*shmcb:@HOME@/run/cache\(12\): .*size has to be >= 8192 bytes \(@CONF@:\d+\)",
                                         globally=True, stops=True),
    "nobody listens": Mistake("mod_tls", "</VirtualHost>\n<VirtualHost *:21444>\nServerName b.test\nTLSEngine on\nTLSCertificate @CERT@",
                              "</VirtualHost>\n<VirtualHost *:@TLS@>\nServerName b.test\nTLSCertificate @CERT@",
                              r'TLS0114: .*b\.test.*listens at none of its addresses; add "Listen 21444" \(@CONF@:\d+\)'),
    "nobody listens, SSL words": Mistake("mod_tls-ssl", "</VirtualHost>\n<VirtualHost *:21444>\nServerName b.test\nSSLEngine on\nSSLCertificateFile @SSLCERT@",
                                         "</VirtualHost>\n<VirtualHost *:@TLS@>\nServerName b.test\nSSLEngine on\nSSLCertificateFile @SSLCERT@",
                                         'TLS0114: .*b\\.test.*listens at none of its addresses; add "Listen 21444"'),
    "an alias in another's way": Mistake("mod_tls", "ServerAlias *.test", "ServerAlias y.test",
                                         r"TLS0114: virtual host z\.test:\d+: has a ServerName that is covered by ServerAlias \*\.test of a virtual host before it"),
    "clients without an authority": Mistake("mod_tls", "TLSClientCertificate required", "TLSClientCertificate required\nTLSClientCA @HOME@/ca.pem",
                                            r"TLS0502: .*no CA certificate to judge clients by, .*TLSClientCA.*, @CONF@:\d+\)"),
    "clients of a section without an authority": Mistake(
        "mod_tls-ssl", "<Location /x>\nSSLVerifyClient require\n</Location>", "<Location /x>\nSSLVerifyClient require\nSSLCACertificateFile @HOME@/ca.pem\n</Location>",
        r"TLS0502: .*no CA certificate to judge clients by, .*, @CONF@:\d+\)"),
    "responders, and nobody asked": Mistake("mod_tls-ssl", "SSLOCSPEnable on", "SSLOCSPEnable off", "TLS0114: .*OCSP responders are to be asked.*SSLVerifyClient require"),
    "a log of keys called on": Mistake("mod_tls", "TLSKeyLogFile on", "TLSKeyLogFile off", "TLSKeyLogFile: expected the name of a file or off", stops=True),
    "a proxy without http": Mistake("mod_tls", "TLSFetchProxy proxy.test:3128", "TLSFetchProxy http://proxy.test:3128/",
                                    "TLS0110: TLSFetchProxy: .*write one such as http://proxy.example.com:3128/"),
    "quotation marks of a page": Mistake("mod_tls", "TLSProtocol \u201cTLSv1.3+\u201d", 'TLSProtocol "TLSv1.3+"',
                                         "TLSProtocol: .*begins with a quotation mark", stops=True),
    "a comment behind": Mistake("mod_tls", "TLSProtocol TLSv1.3+ # no others", "# no others\nTLSProtocol TLSv1.3+",
                                r"TLSProtocol: expected .*a comment \(#\) needs a line of its own", stops=True),
    "commas": Mistake("mod_tls", "TLSGroups X25519,P-256", "TLSGroups X25519:P-256\nTLSPostQuantum off", "TLSGroups: .*names in a list are divided by colons", stops=True),
    "suites of the next version": Mistake("mod_tls-ssl", "SSLCipherSuite TLS_AES_128_GCM_SHA256", "SSLCipherSuite TLSv1.3 TLS_AES_128_GCM_SHA256",
                                          'SSLCipherSuite: .*write "SSLCipherSuite TLSv1.3 TLS_AES_128_GCM_SHA256"', stops=True),
    "an option that is misspelled": Mistake("mod_tls-ssl", "SSLOptions +StdEnvVar", "SSLOptions +StdEnvVars",
                                            'SSLOptions: Illegal option .StdEnvVar.; .*did you mean "StdEnvVars"', stops=True),
    "suites of a section": Mistake("mod_tls-ssl", "<Location /x>\nSSLCipherSuite AES128-SHA\n</Location>",
                                   "<Location /x>\nSSLCipherSuite ECDHE+AESGCM\n</Location>", "SSLCipherSuite: no suite of .AES128-SHA. is there"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_and_its_remedy_works(httpd, ca, name):
    told_and_put_right(httpd, ca, MISTAKES[name])


def test_a_port_that_nobody_listens_at(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], start=False, tls_engine="@TLS@ 21299 127.0.0.2:@TLS@", allow=("TLS0114",))
    said = server.run("-t")
    assert said.returncode == 0, said.stderr
    assert 'add "Listen 21299"' in said.stderr and f'add "Listen 127.0.0.2:{server.port}"' in said.stderr
    assert "no certificate" not in said.stderr
    server.start()
    server.write(config=f"Listen 21299\nListen 127.0.0.2:{server.port}")
    assert "TLS0114" not in server.run("-t").stderr


def test_two_virtual_hosts_of_one_name(httpd, ca):
    pair = ca.issue("a.test", "b.test")
    server = httpd([Vhost("a.test", [pair]), Vhost("a.test", [pair])], start=False, allow=("TLS0114",))
    assert re.search("TLS0114: .*has the ServerName of a virtual host before it", server.run("-t").stderr)
    server.write([Vhost("a.test", [pair]), Vhost("b.test", [pair])])
    assert "TLS0114" not in server.run("-t").stderr


def test_a_cache_whose_module_is_missing_is_told_once_and_alike(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], start=False, config="TLSSessionCache shmcb:@HOME@/run/cache(512000)")
    told = re.search(r"TLS0601: [^\n]*", server.run("-t").stderr)[0]
    assert re.search(rf"\({server.conf}:\d+\)$", told), told
    assert told in server.start_fails()
    server.write(modules=("socache_shmcb",))
    assert server.run("-t").returncode == 0


@pytest.mark.parametrize("engine, require, authority", [
    ("mod_tls", "TLSClientCertificate required", "TLSClientCA"), ("mod_tls-ssl", "SSLVerifyClient require", "SSLCACertificateFile")])
def test_who_was_refused(httpd, ca, tmp_path, engine, require, authority):
    """In the handshake and in a section: escaped, and cut where it is long."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID
    from harness.clients import curl

    people = Clients(tmp_path)
    long = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, 'evil "\n' + "x" * 40), *(
        x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "y" * 60) for _ in range(20))])
    pair = people.other.issue("evil", client=True, subject=long)
    presented = people.write("evil", pair)
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=f"{require}\n{authority} {people.pem(people.ca, 'ca')}"),
                    Vhost("b.test", [ca.issue("b.test")], extra=f"<Location />\n{require}\n{authority} {people.pem(people.ca, 'ca')}\n</Location>")],
                   engine=engine, allow=("AH02039", "AH02008"))
    serial = f"{pair.certificate.serial_number:X}"
    curl(server.port, "/", *presented, ca=ca.file)
    [line] = server.log.expect("TLS0402")
    assert re.search(rf'client: subject "[^"]*\.\.\.", issuer "CN=Other CA", serial 0*{serial}', line.raw), line.raw
    assert len(line.raw) < 1200 and "\n" not in line.raw
    assert curl(server.port, "/", *presented, name="b.test", ca=ca.file).status == 403
    [line] = server.log.expect("TLS0517")
    assert re.search(rf'subject ".*", issuer "CN=Other CA", serial 0*{serial}\)', line.raw), line.raw


def test_a_list_of_suites_that_are_not_here_refuses_old_connections_alone(httpd, ca):
    from harness.clients import curl

    for engine in ("mod_ssl", "mod_tls-ssl"):
        server = httpd([Vhost("a.test", [ca.issue("a.test")], extra="<Location /x>\nSSLCipherSuite AES128-SHA\n</Location>")], engine=engine,
                       modules=MODULES, allow=(".*",))
        server.put("docs/a.test/x", "content")
        assert curl(server.port, "/x", "--tlsv1.3", ca=ca.file).status == 200, engine
        # mod_ssl begins a handshake anew, which fails.
        assert curl(server.port, "/x", "--tls-max", "1.2", ca=ca.file).status == (403 if engine == "mod_tls-ssl" else 0), engine


@pytest.mark.parametrize("engine", ["mod_tls", "mod_tls-ssl"])
def test_a_key_that_children_may_read_is_told_with_the_command_that_helps(httpd, ca, engine):
    """Open to everybody, to User or to one of its groups; not where a directory above keeps them out."""
    import grp
    import os
    import pwd

    server = httpd([Vhost("a.test", [ca.issue("a.test")])], engine=engine, start=False, allow=("TLS0114",))
    key = server.home / "certs" / "a.test-0.key"
    user, group = pwd.getpwnam("www-data").pw_uid, grp.getgrnam("www-data").gr_gid
    for owner, owning_group, mode in ((0, 0, 0o644), (user, 0, 0o400), (0, group, 0o640)):
        os.chown(key, owner, owning_group)
        key.chmod(mode)
        said = server.run("-t")
        found = re.search(rf"TLS0114: .*the private key in {key} can be read by .* \(mode {mode:04o}\).*: (chown root \S+ && chmod 600 \S+) \({server.conf}:\d+\)",
                          said.stderr)
        assert said.returncode == 0 and found, said.stderr
        subprocess.run(["sh", "-ec", found[1]], check=True)
        assert "TLS0114" not in server.run("-t").stderr
    key.chmod(0o644)
    (server.home / "certs").chmod(0o700)
    assert "TLS0114" not in server.run("-t").stderr


@pytest.mark.parametrize("published", [False, True])
@pytest.mark.parametrize("engine", ["mod_tls", "mod_tls-ssl"])
def test_an_intermediate_that_is_missing_is_named_and_appending_it_helps(httpd, ca, engine, published):
    """A warning for a certificate of who says where its own is to be had, as public authorities do; else a notice."""
    from cryptography import x509
    from cryptography.x509.oid import AuthorityInformationAccessOID

    below = ca.intermediate("Middle CA")
    place = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier("http://ca.test/middle.crt"))
    pair = below.issue("a.test", extensions=[(x509.AuthorityInformationAccess([place]), False)] if published else [])
    pair.chain = []
    server = httpd([Vhost("a.test", [pair])], engine=engine, start=False, allow=("TLS0202",))
    file = server.home / "certs" / "a.test-0.crt"
    told = f'{file}: the issuer of a.test, "CN=Middle CA", is neither in the file nor among the system\'s roots'
    assert f"{'TLS0202' if published else 'TLS0203'}: {told}" in server.run("-t").stderr
    server.start()
    assert told in server.said()
    file.write_bytes(file.read_bytes() + below.pem())
    assert told not in server.run("-t").stderr



def told_once_and_alike(server, line: str) -> None:
    """One line for one fault, with file and line of the configuration, under -t and at a start; no words of a programming language."""
    test = server.run("-t")
    found = [said for said in test.stderr.splitlines() if re.search(line, said)]
    assert len(found) == 1 and test.returncode != 0, test.stderr
    assert len([said for said in test.stderr.splitlines() if "TLS" in said and ":notice]" not in said]) == 1, test.stderr
    assert "os error" not in test.stderr
    assert re.search(rf"{server.conf}:\d+\)$", found[0]), found[0]
    assert re.search(r"TLS0.*", found[0])[0] in server.start_fails()


@pytest.mark.parametrize("engine, words", [
    ("mod_tls", ("TLSClientCertificate required", "TLSClientCA", "TLSClientCRL", "")),
    ("mod_tls-ssl", ("SSLVerifyClient require", "SSLCACertificateFile", "SSLCARevocationFile", "SSLCARevocationCheck leaf"))])
@pytest.mark.parametrize("what", ["authority", "list"])
def test_a_file_for_clients_that_is_missing_or_something_else(httpd, ca, tmp_path, engine, words, what):
    asks, authority, revoked, check = words
    good = tmp_path / "ca.pem"
    good.write_bytes(ca.pem())
    bad = tmp_path / "bad.pem"
    lines = [asks, f"{authority} {bad if what == 'authority' else good}", *([f"{revoked} {bad}", check] if what == "list" else [])]
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra="\n".join(lines))], engine=engine, start=False)
    told_once_and_alike(server, rf"TLS0501: .*{bad}: cannot be read: No such file or directory; check the path")
    bad.write_bytes(ca.issue("x").key_pem())
    told_once_and_alike(server, rf"TLS0501: .*{bad}: holds no {'certificate' if what == 'authority' else 'revocation list'}, but ")


LINES = {  # which line is blamed, and what for
    "chain": ("SSLCertificateChainFile @HOME@/none.pem", "none.pem cannot be read"),
    "key": ("SSLCertificateKeyFile @HOME@/none.key", "none.key cannot be read"),
    "spare key": ("SSLCertificateKeyFile @HOME@/certs/a.test-0.key\nSSLCertificateKeyFile @HOME@/none.key", "none.key cannot be read"),
}


@pytest.mark.parametrize("what", LINES)
def test_the_line_that_names_the_file_is_blamed(httpd, ca, what):
    words, says = LINES[what]
    first = "" if "Key" in words else "SSLCertificateKeyFile @HOME@/certs/a.test-0.key\n"
    server = httpd([Vhost("a.test", tls=False, extra=f"SSLEngine on\nSSLCertificateFile @HOME@/certs/a.test-0.crt\n{first}{words}"),
                    Vhost("b.test", [ca.issue("b.test")])], engine="mod_tls-ssl", start=False)
    crt, key = ca.issue("a.test").write(server.home / "certs", "a.test-0")
    number = next(n for n, line in enumerate(server.conf.read_text().splitlines(), 1) if "/none." in line)
    told_once_and_alike(server, rf"TLS0201: .*{says}.*{server.conf}:{number}\)")


def purposes(*wanted):
    from cryptography import x509
    return x509.ExtendedKeyUsage(wanted)


def usage(**bits):
    from cryptography import x509
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
             "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: bits.get(name, False) for name in names})


def unfit():
    """name -> (extensions besides the names, what is said)."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose
    return {
        "an authority's": ([x509.BasicConstraints(True, None)], "is an authority's .basicConstraints CA:TRUE"),
        "a client's": ([purposes(Purpose.CLIENT_AUTH)], "extendedKeyUsage lacks serverAuth"),
        "an encrypting one": ([usage(key_encipherment=True)], "keyUsage lacks digitalSignature"),
        "an odd one": ([x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0")], "has a critical extension that clients do not know"),
        "one for all": ([purposes(Purpose.CLIENT_AUTH, Purpose.ANY_EXTENDED_KEY_USAGE), usage(digital_signature=True, key_agreement=True),
                         x509.BasicConstraints(False, None)], None),
    }


@pytest.mark.parametrize("engine", ["mod_tls", "mod_tls-ssl"])
@pytest.mark.parametrize("name", unfit())
def test_a_certificate_that_clients_refuse_for_its_use_is_told(httpd, ca, engine, name):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from harness import certs, keys

    extensions, says = unfit()[name]
    key = keys.key("p256", 7)
    builder = (x509.CertificateBuilder().subject_name(certs.common_name("a.test")).issuer_name(ca.name).public_key(key.public_key())
               .serial_number(x509.random_serial_number()).not_valid_before(certs.now() - certs.DAY).not_valid_after(certs.now() + 90 * certs.DAY)
               .add_extension(x509.SubjectAlternativeName([x509.DNSName("a.test")]), False))
    for extension in extensions:
        builder = builder.add_extension(extension, True)
    pair = certs.Pair(builder.sign(ca.key, hashes.SHA256()), key)
    server = httpd([Vhost("a.test", [pair])], engine=engine, start=False, allow=("TLS0202",))
    said = server.run("-t").stderr
    assert ("TLS0202" in said) == (says is not None) and re.search(rf"TLS0202: .*a\.test-0\.crt: the certificate .*{says}.*{server.conf}:\d+\)" if says else "", said), said


def test_one_that_issued_another_without_being_allowed_to_is_told(httpd, ca):
    """A leaf that signs, as home-made authorities do: no client believes what it signed."""
    from cryptography import x509
    from harness import certs, keys

    middle = certs.Authority.__new__(certs.Authority)
    middle.name, middle.key, middle.issuer = certs.common_name("No CA"), keys.key("p256", 8), ca
    middle.certificate = ca._sign(middle.name, middle.key.public_key(), ca, certs.now() - certs.DAY, certs.now() + certs.DAY,
                                  [(x509.BasicConstraints(False, None), True)])
    server = httpd([Vhost("a.test", [middle.issue("a.test")])], start=False, allow=("TLS0202",))
    assert re.search(r"TLS0202: .*certificate 2 of the chain \(No CA\) is no authority's", server.run("-t").stderr)


def test_files_that_were_joined_without_a_line_break_are_told_as_such(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], start=False)
    file = server.home / "certs" / "a.test-0.crt"
    good = file.read_bytes()
    file.write_bytes(good.rstrip(b"\n") + ca.pem())
    told_once_and_alike(server, rf"TLS0201: .*{file}: line {len(good.splitlines())} has the end of a block and the beginning of the next")
    file.write_bytes(good + ca.pem())
    assert server.run("-t").returncode == 0


def test_a_pass_phrase_of_a_file_is_tried_under_t(httpd, ca):
    """Wrong ones are told there, in the words of a start; programs are not run, and nobody is asked."""
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra="TLSKeyPassphrase file:@HOME@/phrase")], start=False, allow=("TLS0203",))
    phrase = server.put("phrase", "wrong\n", 0o600)
    pair = ca.issue("a.test")
    (server.home / "certs" / "a.test-0.crt").write_bytes(pair.certificate_pem())
    (server.home / "certs" / "a.test-0.key").write_bytes(pair.key_pem(passphrase=b"secret"))
    told_once_and_alike(server, rf"TLS0201: .*the first line of {phrase} is not its pass phrase")
    phrase.write_text("secret\n")
    said = server.run("-t")
    assert said.returncode == 0 and "is not checked here" not in said.stderr, said.stderr


def test_a_key_in_the_place_of_a_chain_is_called_one(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra="SSLCertificateChainFile @HOME@/certs/a.test-0.key")], engine="mod_tls-ssl",
                   start=False)
    told_once_and_alike(server, r'TLS0201: .*a\.test-0\.key holds no certificate, but "PRIVATE KEY"; name a file with certificates in PEM here')


def test_settings_are_printed_whatever_is_wrong_with_files(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")]), Vhost("b.test", [ca.issue("b.test")])], start=False)
    key = server.home / "certs" / "a.test-0.key"
    key.write_bytes(b"damaged")
    done = server.run("-t", "-D", "DUMP_TLS")
    assert done.returncode != 0 and f"b.test:{server.port} (" in done.stdout and "protocol" in done.stdout, done.stdout
    assert re.search(rf"{server.conf}:\d+: stops the start: {key} holds no PEM block", done.stdout), done.stdout


def test_the_migration_list_judges_what_clients_are_judged_by(httpd, ca, tmp_path):
    """Before the change, from the files: CAs and lists that refuse this site's clients."""
    from harness.clientauth import revocation_list

    people = Clients(tmp_path)
    trusted, old = people.pem(people.ca, "ca"), tmp_path / "old.pem"
    old.write_bytes(revocation_list(people.ca, days=-2))
    words = f"SSLVerifyClient require\nSSLCACertificateFile {trusted}\nSSLCARevocationFile {old}\nSSLCARevocationCheck leaf"
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=words)], engine="mod_tls-ssl", start=False, allow=("TLS0502",))
    line = next(n for n, text in enumerate(server.written().splitlines(), 1) if "SSLCARevocationFile" in text)
    done = server.run("-t", "-D", "DUMP_TLS_MIGRATION")
    assert done.returncode == 0, done.stderr
    assert re.search(rf'{server.conf}:{line}: client certificates: {old}: the revocation list of "CN=Client CA" has expired', done.stdout), done.stdout
    old.unlink()
    done = server.run("-t", "-D", "DUMP_TLS_MIGRATION")
    assert done.returncode != 0 and f"{server.conf}:{line}: stops the start: client certificates: {old}: cannot be read" in done.stdout, done.stdout


def test_a_user_who_may_not_read_keys_gets_the_list_and_is_told_so(httpd, ca):
    import shutil

    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra="SSLProtocol all")], engine="mod_tls-ssl", start=False)
    module = server.home / "mod_tls.so"
    shutil.copy(re.search(r"ssl_module (\S+)", server.conf.read_text())[1], module)
    server.conf.write_text(re.sub(r"ssl_module \S+", f"ssl_module {module}", server.conf.read_text()))
    module.chmod(0o644)
    for folder in (server.home, server.home / "certs"):
        folder.chmod(0o755)
    done = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "/usr/sbin/apache2", "-f", str(server.conf), "-t",
                           "-D", "DUMP_TLS_MIGRATION"], capture_output=True, text=True)
    assert 'SSLProtocol: "all" is TLSv1.2 and TLSv1.3' in done.stdout, done.stderr
    assert "a.test-0.key cannot be read: Permission denied (root reads it at a start, and this is another user: run it as root)" in done.stdout


@pytest.mark.parametrize("engine, words", [
    ("mod_tls", ("TLSProxyEngine on", "TLSProxyMachineCertificate")), ("mod_tls-ssl", ("SSLProxyEngine on", "SSLProxyMachineCertificateFile"))])
def test_a_machine_certificate_without_its_key(httpd, ca, engine, words):
    """The line that names the file is blamed, and the key behind the certificate makes it right."""
    on, machine = words
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=f"{on}\n\n{machine} @HOME@/machine.pem")], engine=engine, modules=("proxy", "proxy_http"),
                   start=False, allow=("TLS0703",))
    pair = ca.issue("machine", client=True)
    file = server.put("machine.pem", pair.certificate_pem())
    number = next(n for n, line in enumerate(server.conf.read_text().splitlines(), 1) if machine in line)
    said = server.run("-t")
    found = re.search(rf"{file}: it holds a certificate, but not its private key; .*\((cat KEY >> \S+)\), or .*\({server.conf}:{number}\)", said.stderr)
    assert said.returncode != 0 and found, said.stderr
    listed = server.run("-t", "-D", "DUMP_TLS_MIGRATION").stdout if engine == "mod_tls-ssl" else ""
    assert engine == "mod_tls" or f"{server.conf}:{number}: stops the start: TLS to backends: {file}: it holds" in listed, listed
    key = server.put("machine.key", pair.key_pem(), 0o600)
    subprocess.run(["sh", "-ec", found[1].replace("KEY", str(key))], check=True)
    file.chmod(0o600)
    assert server.run("-t").returncode == 0


def test_what_is_said_of_a_virtual_host_that_mod_md_may_serve_is_what_happens(httpd, ca):
    """Where an MDomain has its name it starts, with a placeholder; where none has, it does not."""
    server = httpd([Vhost("a.test"), Vhost("b.test", [ca.issue("b.test")])], modules=("md",), start=False, allow=("TLS0207", "AH10", r"\[md:"))
    line = r"TLS0205: virtual host a\.test.* names no certificate; mod_md may have one for it, or shows a placeholder"
    managed = "MDCertificateAgreement accepted\nMDCertificateAuthority http://127.0.0.1:1/dir\nMDContactEmail a@a.test\nMDomain a.test"
    said = server.run("-t")
    assert said.returncode == 0 and re.search(line + r".* If no MDomain has its ServerName it does not start", said.stderr), said.stderr
    assert "speaks TLS but has no certificate" in server.start_fails()
    server.write(config=managed)
    assert re.search(line, server.run("-t").stderr)
    server.start()
    server.log.expect(r"TLS0207: virtual host a\.test:\d+: there is no certificate yet, so a placeholder is served")
