# SPDX-License-Identifier: Apache-2.0
"""What makes each series of the table of metrics grow: worlds of a server and the steps that are taken in it.

A step is what is done and the series that are one more by it ("name label=value", or with a number at the end; 0 for
some), and none else of their families. Steps of a world can be listed without it: what is done looks at the world only when it is done."""
import contextlib
import os
import re
import signal
import socket
import ssl
import struct
import subprocess
import time
from datetime import timedelta

from . import ech, metrics, process, tls, wire
from .agent import agent, named
from .certs import DAY, Authority, now
from .clientauth import Clients, revocation_list
from .clients import curl, s_client
from .config import ONE_CHILD, Vhost
from .faketime import Clock
from .https_backend import HttpsBackend
from .ocsp import names_responder
from .paths import passable
from .responder import Responder
from .resumption import visit
from .rustls_client import binary, rustls_client
from .wire import Hello

FULL13, FULL12 = "handshakes_total kind=full version=TLSv1.3", "handshakes_total kind=full version=TLSv1.2"
AGAIN13, AGAIN12 = "handshakes_total kind=resumed version=TLSv1.3", "handshakes_total kind=resumed version=TLSv1.2"


class World:
    """A server of one process; those that need more say so."""

    STANDING: tuple[str, ...] = ()  # series that are there before anything is done
    SECONDS = 5  # until numbers are there
    modules: tuple[str, ...] = ()
    config = ""
    options: dict = {}

    def __init__(self, httpd, ca, directory):
        self.ca, self.directory, self.made = ca, directory, []
        self.server = httpd(self.hosts(), config=f"{metrics.LOCATIONS}\n{self.configuration()}", start=False,
                            modules=("status", "authz_host", *self.modules), allow=(r"TLS0\d\d\d", r"AH\d+", "SSL Library", r"\[\w+:"),
                            **self.options)
        self.port = self.server.port
        self.begin()

    def begin(self) -> None:
        self.server.start(arguments=("-X",))

    def configuration(self) -> str:
        return self.config

    def hosts(self) -> list[Vhost]:
        return [Vhost("a.test", [self.ca.issue("a.test")])]

    def end(self) -> None:
        for one in self.made:
            one.close()

    # What clients do ----------------------------------------------------------------------------------------------------

    def agree(self, name: str, *options: str) -> None:
        said = s_client(self.port, *options, name=name)
        assert said.done, said.text

    def wired(self, hello: Hello | bytes, *pieces: bytes, end: bool = True) -> None:
        wire.exchange(self.port, hello.record() if isinstance(hello, Hello) else hello, *pieces, half_close=end)

    def shown(self, client: tuple[str, ...], name: str, *options: str) -> None:
        curl(self.port, "/", *client, *options, name=name)


class Settled(World):
    """What handshakes settle."""

    modules = ("http2", "proxy", "proxy_http")
    # Of these groups no client here knows all but the module itself.
    QUANTUM = ("X25519MLKEM768", "SecP256r1MLKEM768", "SecP384r1MLKEM1024", "MLKEM768", "MLKEM1024")
    config = "\n".join(["Protocols h2 http/1.1", f"TLSGroups {':'.join(QUANTUM)}:X25519:P-256:P-384", "TLSProxyEngine on", "TLSProxyVerify none", "TLSProxyVerifyName off",
                        *(f'ProxyPass /{group}/ https://localhost:@TLS@/by/{group}/ disablereuse=on\n<Proxy "https://localhost:@TLS@/by/{group}/">\n'
                          f"TLSProxyGroups {group}\n</Proxy>" for group in QUANTUM)])
    KINDS = ("p256", "p384", "p521", "ed25519", "rsa2048")

    def hosts(self):
        made = self.directory / "mldsa"
        made.mkdir(mode=0o755)
        subprocess.run([binary(), "make-ml-dsa", made], check=True, timeout=120)
        for key in made.glob("*.key"):
            key.chmod(0o600)
        subprocess.run(["openssl", "req", "-x509", "-new", "-newkey", "RSA-PSS", "-nodes", "-keyout", made / "pss.key", "-subj", "/CN=pss.test",
                        "-addext", "subjectAltName=DNS:pss.test", "-out", made / "pss.crt"], check=True, capture_output=True)
        (made / "pss.key").chmod(0o600)
        files = {"pss": "pss", **{f"mldsa{size}": f"server-{size}" for size in ("44", "65", "87")}}
        return [*(Vhost(f"{kind}.test", [self.ca.issue(f"{kind}.test", kind=kind)], aliases=("localhost",) if kind == "p256" else ())
                  for kind in self.KINDS),
                *(Vhost(f"{name}.test", extra=f"TLSCertificate {made}/{stem}.crt {made}/{stem}.key") for name, stem in files.items())]

    def steps(self):
        nothing = ("handshake_protocols_total alpn=none", "client_certificates_total verdict=none")
        suites12 = {"AES128-GCM-SHA256": "AES_128_GCM_SHA256", "AES256-GCM-SHA384": "AES_256_GCM_SHA384",
                    "CHACHA20-POLY1305": "CHACHA20_POLY1305_SHA256"}
        for suite in ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"):
            yield (lambda s=suite: self.agree("p256.test", "-tls1_3", "-ciphersuites", s), FULL13, f"handshake_cipher_suites_total suite={suite}",
                   "tickets_issued_total 2", "signatures_total key=ecdsa result=made", "handshake_duration_seconds_count",
                   "signature_duration_seconds_count", *nothing)
        for key, kind in (("ECDSA", "p256"), ("RSA", "rsa2048")):
            for short, name in suites12.items():
                yield (lambda k=key, n=kind, s=short: self.agree(f"{n}.test", "-tls1_2", "-cipher", f"ECDHE-{k}-{s}"), FULL12,
                       f"handshake_cipher_suites_total suite=TLS_ECDHE_{key}_WITH_{name}", f"signatures_total key={key.lower()} result=made",
                       "tickets_issued_total")
        for group in ("X25519", "P-256", "P-384"):
            yield lambda g=group: self.agree("p256.test", "-groups", g), f"handshake_groups_total group={group}"
        for group in self.QUANTUM:
            yield (lambda g=group: curl(self.server.plain_port, f"/{g}/", scheme="http"), f"handshake_groups_total group={group}",
                   "backend_handshakes_total kind=full")
        for name, scheme in (("p256", "ecdsa_secp256r1_sha256"), ("p384", "ecdsa_secp384r1_sha384"), ("p521", "ecdsa_secp521r1_sha512"),
                             ("ed25519", "ed25519"), ("pss", "other")):
            key = "ed25519" if name == "ed25519" else "rsa" if name == "pss" else "ecdsa"
            yield (lambda n=name: self.agree(f"{n}.test", "-tls1_3"), f"handshake_signatures_total scheme={scheme}",
                   f"signatures_total key={key} result=made")
        for size in ("256", "384", "512"):
            yield (lambda s=size: self.agree("rsa2048.test", "-tls1_3", "-sigalgs", f"RSA-PSS+SHA{s}"),
                   f"handshake_signatures_total scheme=rsa_pss_rsae_sha{size}")
            yield (lambda s=size: self.agree("rsa2048.test", "-tls1_2", "-sigalgs", f"RSA+SHA{s}"),
                   f"handshake_signatures_total scheme=rsa_pkcs1_sha{size}")
        for size in ("44", "65", "87"):
            yield (lambda s=size: rustls_client(self.port, "--requests", "0", name=f"mldsa{s}.test"), f"handshake_signatures_total scheme=mldsa{size}",
                   "signatures_total key=other result=made")
        for alpn in ("h2", "http/1.1"):
            yield lambda a=alpn: self.agree("p256.test", "-alpn", a), f"handshake_protocols_total alpn={alpn}"
        yield lambda: self.resume("1.3"), FULL13, AGAIN13, "tickets_accepted_total", "handshake_groups_total group=X25519 2"
        yield lambda: self.resume("1.2"), FULL12, AGAIN12, "tickets_accepted_total", "handshake_groups_total group=none", "handshake_groups_total group=X25519"
        yield (lambda: self.exchange(), "received_records_total peer=client", "sent_records_total peer=client", "received_bytes_total peer=client 0",
               "sent_bytes_total peer=client 0")
        yield lambda: self.misdirect(), "misdirected_requests_total"
        yield lambda: self.breaks(), "connections_broken_total"

    def resume(self, version: str) -> None:
        using = tls.context(version=version)
        _, session = visit(self.port, using, name="p256.test")
        assert visit(self.port, using, session, name="p256.test")[0]

    def exchange(self) -> None:
        with tls.connect(self.port, "p256.test") as connection:
            assert tls.get(connection, host="p256.test")[0] == 200

    def misdirect(self) -> None:
        with tls.connect(self.port, "p256.test") as connection:
            assert tls.get(connection, host="p384.test")[0] == 421

    def breaks(self) -> None:
        """Something that does not decrypt, on an open connection."""
        with tls.connect(self.port, "p256.test") as connection, socket.socket(fileno=os.dup(connection.fileno())) as raw:
            tls.get(connection, host="p256.test")
            raw.sendall(wire.record(bytes(64), wire.DATA, 0x0303))
            raw.shutdown(socket.SHUT_WR)
            with contextlib.suppress(OSError):
                while connection.recv(4096):
                    pass


class Refused(World):
    """Handshakes that fail, and the alerts that both sides give up with."""

    modules = ("http2",)
    config = "Protocols h2 http/1.1\nTLSHandshakeTimeout 1"
    # RFC 8446 6 and IANA's registry; those of a certificate that is not believed are told apart from the others.
    ALERTS = {"unexpected_message": 10, "bad_record_mac": 20, "record_overflow": 22, "handshake_failure": 40, "bad_certificate": 42,
              "unsupported_certificate": 43, "certificate_revoked": 44, "certificate_expired": 45, "certificate_unknown": 46,
              "illegal_parameter": 47, "unknown_ca": 48, "access_denied": 49, "decode_error": 50, "decrypt_error": 51,
              "protocol_version": 70, "internal_error": 80, "inappropriate_fallback": 86, "missing_extension": 109,
              "unrecognized_name": 112, "certificate_required": 116, "no_application_protocol": 120, "ech_required": 121, "other": 99}
    REJECTED = ("bad_certificate", "certificate_expired", "certificate_unknown", "unknown_ca")

    def hosts(self):
        issue, clients = self.ca.issue, Clients(self.directory)
        self.clients = clients
        self.revoked = clients.ca.issue("revoked", client=True)
        lists = self.directory / "lists.pem"
        lists.write_bytes(revocation_list(clients.ca, self.revoked.certificate))
        self.early = clients.write("early", clients.ca.issue("early", client=True, start=now() + DAY, end=now() + 9 * DAY))
        self.gone = clients.write("revoked", self.revoked)
        asks = f"TLSClientCA {clients.pem(clients.ca, 'clients')}\nTLSClientCRL {lists}"
        return [Vhost("a.test", [issue("a.test")]), Vhost("new.test", [issue("new.test")], extra="TLSProtocol TLSv1.3+"),
                Vhost("pq.test", [issue("pq.test")], extra="TLSPostQuantum require"),
                Vhost("rsa.test", [issue("rsa.test", kind="rsa2048")]),
                Vhost("knows.test", [issue("knows.test")], extra=f"TLSClientCertificate required\n{asks}"),
                Vhost("any.test", [issue("any.test")], extra=f"TLSClientCertificate any\n{asks}"),
                Vhost("may.test", [issue("may.test")], extra=f"TLSClientCertificate optional\n{asks}")]

    def steps(self):
        failed = "handshake_failures_total reason="
        sent = "alerts_sent_total alert="
        hello = {"versions": [0x0303], "suites": wire.SUITES12}
        for name, number in self.ALERTS.items():
            why = "certificate_rejected_by_client" if name in self.REJECTED else "other_alert_by_client"
            yield (lambda n=number: self.wired(Hello("a.test", **hello), wire.record(bytes((2, n)), wire.ALERT, 0x0303)), failed + why,
                   f"alerts_received_total alert={name}")
        for reason, alert, made in (
                ("no_certificate_fits", "handshake_failure", lambda: Hello("a.test", suites=[0x009E], versions=[0x0303])),
                ("no_common_group", "handshake_failure", lambda: Hello("a.test", groups=[0x001E], versions=[0x0304])),
                ("no_post_quantum_group", "handshake_failure", lambda: Hello("pq.test", versions=[0x0304])),
                ("no_common_version", "protocol_version", lambda: Hello("new.test", **hello)),
                ("no_common_protocol", "no_application_protocol", lambda: Hello("a.test", alpn=[b"smtp"])),
                ("no_certificate_fits", "handshake_failure", lambda: Hello("rsa.test", schemes=[0x0403], versions=[0x0304])),
                ("protocol_violation", "missing_extension", lambda: Hello("a.test", schemes=None, versions=[0x0304])),
                ("incompatible", "inappropriate_fallback", lambda: Hello("a.test", versions=[0x0303], suites=[*wire.SUITES12, 0x5600])),
                ("unknown_server_name", "unrecognized_name", lambda: Hello("nobody.test")),
                ("incompatible", "illegal_parameter", lambda: Hello("a.test", compression=b"\1", versions=[0x0304])),
                ("malformed_message", "decode_error", lambda: wire.record(b"\x01\0\0\x04abcd")),
                ("protocol_violation", "unexpected_message", lambda: Hello("a.test", **hello).record() * 2)):
            yield lambda m=made: self.wired(m()), failed + reason, sent + alert
        garbage = wire.record(bytes(64), wire.DATA, 0x0303)
        yield lambda: self.wired(Hello("a.test"), garbage), failed + "decryption", sent + "bad_record_mac"
        large = wire.record(bytes(16384 + 2049), wire.DATA, 0x0303)
        yield lambda: self.wired(Hello("a.test", **hello), large), failed + "malformed_message", sent + "record_overflow"
        yield lambda: self.wired(b"\0garbage of a scanner\r\n\r\n"), failed + "not_tls"
        yield lambda: self.wired(wire.sslv2_hello()), failed + "ssl_2"
        yield lambda: curl(self.port, "/", scheme="http"), failed + "plain_http"
        yield lambda: self.wired(b"\x16"), failed + "closed_before_hello"
        yield lambda: self.wired(Hello("a.test")), failed + "closed_by_client"
        yield lambda: self.wired(Hello("a.test").record()[:20], end=False), failed + "timeout"
        refused, none = failed + "client_certificate_refused", failed + "client_certificate_missing"
        yield lambda: self.shown((), "knows.test", "--tlsv1.3"), none, sent + "certificate_required"
        for name, alert in (("stranger", "unknown_ca"), ("expired", "certificate_expired")):
            yield lambda n=name: self.shown(getattr(self.clients, n), "knows.test"), refused, sent + alert
        yield lambda: self.shown(self.gone, "knows.test"), refused, sent + "certificate_revoked"
        for name, verdict in (("good", "success"), ("stranger", "unproven")):
            yield lambda n=name: self.shown(getattr(self.clients, n), "any.test"), f"client_certificates_total verdict={verdict}"


class Encrypted(World):
    """Encrypted ClientHello: both kinds of offers, and an answer that a client did not believe."""

    config = 'TLSECH public.test "@HOME@/ech"'

    def hosts(self):
        return [Vhost(name, [self.ca.issue(name, kind="p256")], extra=ech.SAYS) for name in ("public.test", "secret.test")]

    def steps(self):
        yield lambda: self.visit(self.keys(), "accepted"), "handshake_ech_total result=accepted"
        yield lambda: self.visit("", "grease", "grease"), "handshake_ech_total result=unknown_key"


    def keys(self) -> str:
        return ech.keys_in_dns(self.server)

    def visit(self, keys: str, expected: str, *words: str) -> None:
        found = ech.visit(self.port, "secret.test", keys, *words)
        assert found.ech == expected, found


class Limited(World):
    """Full handshakes a second: the second one is too many."""

    scope = "address"

    def configuration(self):
        return f"TLSHandshakeRate {self.scope}:1"

    def steps(self):
        yield (lambda: self.until_refused(), f"handshakes_limited_total limit={self.scope}_rate", "handshake_failures_total reason=limit",
               "alerts_sent_total alert=internal_error")

    def until_refused(self) -> None:
        for _ in range(40):
            if wire.exchange(self.port, Hello("a.test").record()).alerts == ["internal_error"]:
                return
        raise AssertionError("nobody is refused")


class LimitedChild(Limited):
    scope = "child"


class LimitedServer(Limited):
    scope = "server"


class UnderWay(World):
    """Handshakes under way: the second one is too many."""

    scope = "address"

    def configuration(self):
        return f"TLSHandshakesUnderWay {self.scope}:1"

    def steps(self):
        yield lambda: self.begin_one(), "handshakes_in_progress", "handshakes_waiting"
        yield lambda: self.wired(Hello("a.test")), f"handshakes_limited_total limit={self.scope}_under_way", "handshake_failures_total reason=limit"

    def begin_one(self) -> None:
        held = wire.connect(self.port)
        held.sendall(Hello("a.test").record()[:20])
        self.made.append(held)


class UnderWayChild(UnderWay):
    scope = "child"


class UnderWayServer(UnderWay):
    scope = "server"


class Tickets(World):
    """Tickets that resume nothing, in hellos of TLS 1.2; a full handshake follows."""

    def __init__(self, httpd, ca, directory):
        self.clock = Clock()
        self.options = {"environment": self.clock.environment}
        super().__init__(httpd, ca, directory)

    def hosts(self):
        clients = Clients(self.directory)
        self.brief = clients.write("brief", clients.ca.issue("brief", client=True, end=now() + timedelta(seconds=150)))
        return [Vhost("a.test", [self.ca.issue("a.test")]), Vhost("b.test", [self.ca.issue("b.test")]),
                Vhost("c.test", [self.ca.issue("c.test")], extra="TLSGroups X25519"),
                Vhost("k.test", [self.ca.issue("k.test")],
                      extra=f"TLSClientCertificate required\nTLSClientCA {clients.pem(clients.ca, 'clients')}")]

    def steps(self):
        refused = "tickets_refused_total reason="
        yield lambda: self.show("a.test", b"nothing"), refused + "malformed"
        yield lambda: self.show("a.test", self.bent(1)), refused + "unknown_key"
        yield lambda: self.show("a.test", self.bent(-1)), refused + "forged"
        yield lambda: self.show("b.test", self.ticket()), refused + "other_host"
        yield lambda: self.show("c.test", self.ticket()), refused + "other_policy"
        yield lambda: self.late(7200), refused + "expired"
        yield self.early, refused + "from_the_future"
        yield lambda: self.late(200, "k.test"), refused + "client_certificate"
        yield lambda: self.offer([b"nothing"] * 8), refused + "malformed 4", refused + "too_many_in_one_handshake 4"

    def ticket(self, name: str = "a.test") -> bytes:
        file = self.directory / "session"
        _, certificate, _, key = self.brief
        s_client(self.port, "-tls1_2", "-sess_out", str(file), "-cert", certificate, "-key", key, name=name)
        text = subprocess.run(["openssl", "sess_id", "-in", file, "-noout", "-text"], capture_output=True, text=True, check=True).stdout
        lines = re.findall(r"^ +[0-9a-f]{4} - ((?:[0-9a-f]{2}[ -]){1,16})", text[text.index("TLS session ticket:"):], re.M)
        return bytes.fromhex("".join(lines).replace("-", " "))

    def bent(self, at: int) -> bytes:
        octets = bytearray(self.ticket())
        octets[at] ^= 1
        return bytes(octets)

    def show(self, name: str, ticket: bytes) -> None:
        self.wired(Hello(name, versions=[0x0303], suites=wire.SUITES12, more=[(35, ticket)]))

    def offer(self, identities: list[bytes]) -> None:
        """In a hello of TLS 1.3, with binders that are none (RFC 8446 4.2.11)."""
        offered = b"".join(wire.vec(2, identity) + bytes(4) for identity in identities)
        binders = b"".join(wire.vec(1, bytes(32)) for _ in identities)
        self.wired(Hello("a.test", versions=[0x0304], more=[(41, wire.vec(2, offered) + wire.vec(2, binders))]))

    def late(self, seconds: int, name: str = "a.test") -> None:
        ticket = self.ticket(name)
        self.clock.set(seconds)
        self.show(name, ticket)
        self.clock.set(0)

    def early(self) -> None:
        """A ticket that is made ten minutes later than it is shown, both within the hour that one key is for."""
        ahead = 600 if time.time() % 3600 < 1800 else 0
        self.clock.set(ahead)
        ticket = self.ticket()
        self.clock.set(ahead - 600)
        self.show("a.test", ticket)
        self.clock.set(0)


class Cached(World):
    """The session cache."""

    modules = ("socache_shmcb",)
    config = "TLSSessionTickets off\nTLSSessionCache shmcb:@HOME@/cache(512000)"

    def steps(self):
        calls = "session_cache_duration_seconds_count"
        yield lambda: self.visit(), "session_cache_total result=stored", calls
        yield lambda: self.again(), "session_cache_total result=hit", AGAIN12
        yield lambda: self.wired(Hello("a.test", versions=[0x0303], suites=wire.SUITES12)), "session_cache_total result=miss"

    def visit(self) -> None:
        self.using = tls.context(version="1.2")
        _, self.session = visit(self.port, self.using)

    def again(self) -> None:
        assert visit(self.port, self.using, self.session)[0]


class Backends(World):
    """Connections to backends of every kind."""

    modules = ("proxy", "proxy_http")
    MANNERS = {"plain": "kind=full", "hang-up": "closed", "mute": "timeout", "http": "protocol"}

    def configuration(self):
        backends = {manner: HttpsBackend(self.ca.issue("localhost"), self.directory, manner=manner) for manner in self.MANNERS}
        backends["untrusted"] = HttpsBackend(Clients(self.directory).other.issue("localhost"), self.directory)
        backends["classic"] = HttpsBackend(self.ca.issue("localhost"), self.directory, version=ssl.TLSVersion.TLSv1_2)
        backends["asks"] = HttpsBackend(self.ca.issue("localhost"), self.directory, clients=self.ca, version=ssl.TLSVersion.TLSv1_3)
        self.made += backends.values()
        words = {"classic": "TLSProxyProtocol TLSv1.3+"}
        lines = ["TLSProxyEngine on", f"TLSProxyCA {self.ca.file}", "ProxyTimeout 1"]
        for name, far in backends.items():
            lines.append(f"ProxyPass /{name}/ https://localhost:{far.port}/ disablereuse=on retry=0\n<Proxy https://localhost:{far.port}/>\n"
                         f"{words.get(name, '')}\n</Proxy>")
        url = f"https://localhost:{backends['plain'].port}/quantum/"
        lines.insert(3, f"ProxyPass /quantum/ {url} disablereuse=on retry=0\n<Proxy {url}>\nTLSProxyPostQuantum require\n</Proxy>")
        return "\n".join(lines)

    def steps(self):
        done, failed = "backend_handshakes_total kind=", "backend_handshake_failures_total reason="
        yield lambda: self.ask("plain"), done + "full", "received_records_total peer=backend 0", "sent_records_total peer=backend", \
            "received_bytes_total peer=backend 0", "sent_bytes_total peer=backend 0"
        yield lambda: self.ask("plain"), done + "resumed"
        for name, reason in (("hang-up", "closed"), ("mute", "timeout"), ("http", "protocol"), ("untrusted", "certificate"),
                             ("classic", "negotiation"), ("quantum", "no_post_quantum_group"), ("asks", "alert")):
            yield lambda n=name: self.ask(n), failed + reason

    def ask(self, name: str) -> None:
        curl(self.server.plain_port, f"/{name}/page", scheme="http")


class Processes(World):
    """What children and the agent do: a server as it usually runs, whose parent sums up about every ten seconds."""

    STANDING = ("serving_processes", "current_processes", "agent_up")
    SECONDS = 60
    config = "TLSReload 1 all"
    options = {"mpm_settings": ONE_CHILD}

    def begin(self) -> None:
        self.server.start()

    def hosts(self):
        self.lists = passable(self.directory) / "lists.pem"
        self.authority = Clients(self.directory)
        self.lists.write_bytes(revocation_list(self.authority.ca))
        asks = f"TLSClientCertificate optional\nTLSClientCA {self.authority.pem(self.authority.ca, 'clients')}\nTLSClientCRL {self.lists}"
        return [Vhost(f"{kind}.test", [self.ca.issue(f"{kind}.test", kind=kind)], extra=asks if kind == "p256" else "")
                for kind in ("p256", "rsa2048", "ed25519")]

    def steps(self):
        yield lambda: None, *self.STANDING
        yield lambda: self.replace_lists(revocation_list(self.authority.ca)), "client_list_reloads_total result=taken 0"
        yield lambda: self.replace_lists(b"no list"), "client_list_reloads_total result=refused 0"
        yield lambda: self.renew(self.ca.issue("p256.test").certificate_pem()), "certificate_reloads_total result=taken"
        yield lambda: self.renew(b"nothing"), "certificate_reloads_total result=refused"
        yield lambda: self.end_of("signer"), "agent_signer_restarts_total"
        yield (lambda: self.stopped(), *(f"signatures_total key={key} result=failed" for key in ("ecdsa", "rsa", "ed25519")),
               "handshake_failures_total reason=signature_not_made 3")
        yield lambda: self.end_of("supervisor"), "agent_troubles_total 0"

    def replace_lists(self, octets: bytes) -> None:
        fresh = self.lists.with_suffix(".new")
        fresh.write_bytes(octets)
        fresh.rename(self.lists)

    def renew(self, octets: bytes) -> None:
        pair = self.ca.issue("p256.test")
        pair.write(self.server.home / "certs", "p256.test-0")
        if octets == b"nothing":
            (self.server.home / "certs" / "p256.test-0.crt").write_bytes(octets)

    def end_of(self, which: str) -> None:
        os.kill(getattr(agent(self.server), which), signal.SIGKILL)

    def stopped(self) -> None:
        both = agent(self.server)
        process.pause(both.supervisor, both.signer)
        for kind in ("p256", "rsa2048", "ed25519"):
            s_client(self.port, name=f"{kind}.test")
        for pid in (both.signer, both.supervisor):
            os.kill(pid, signal.SIGCONT)


class Asked(World):
    """OCSP responders that are asked about clients' certificates."""

    SECONDS = 60
    options = {"mpm_settings": ONE_CHILD}
    config = "TLSFetchLocal on"
    # Answers of the responder, what becomes of them, and what the fetcher says of each.
    ANSWERS = (("good", "hard", "good", "answered"), ("revoked", "hard", "revoked", "answered"), ("unknown", "hard", "unknown", "answered"),
               ("silent", "hard", "without_answer", "late"), ("status_500", "soft", "let_in", "garbage"), ("stranger", "soft", "let_in", "refused"),
               ("nobody", "soft", "let_in", "unreachable"), ("nameless", "soft", "let_in", "no_name"))

    def begin(self) -> None:
        self.server.start()

    def hosts(self):
        self.responder = Responder(Authority("Client CA"))
        issue = self.responder.authority.issue
        (passable(self.directory) / "clients.pem").write_bytes(self.responder.authority.pem())
        elsewhere = {"nobody": "http://127.0.0.1:1/", "nameless": "http://nobody.invalid/"}
        self.clients = {}
        for how, *_ in self.ANSWERS:
            pair = issue(how, client=True, extensions=[names_responder(elsewhere[how])]) if how in elsewhere else \
                self.responder.issue(how, how, client=True)
            crt, key = pair.write(self.directory, how)
            self.clients[how] = ("--cert", str(crt), "--key", str(key))
        return [Vhost(f"{name}.test", [self.ca.issue(f"{name}.test")],
                      extra=f"TLSClientCertificate required\nTLSClientCA {self.directory}/clients.pem\nTLSClientOCSP leaf{word}")
                for name, word in (("hard", ""), ("soft", " soft"))]

    def steps(self):
        for how, name, verdict, outcome in self.ANSWERS:
            yield (lambda h=how, n=name: self.shown(self.clients[h], f"{n}.test"), f"client_ocsp_total verdict={verdict}",
                   "client_ocsp_waits_total", f"ocsp_requests_total outcome={outcome}")
        yield lambda: self.end_fetcher(), "fetcher_restarts_total"

    def end_fetcher(self) -> None:
        for pid in named(self.server.pid, "tls-fetch"):
            os.kill(pid, signal.SIGKILL)

    def end(self) -> None:
        self.responder.end()
        super().end()


class Inside(Asked):
    """A certificate that names a responder on this machine, where that is not allowed; its client is refused."""

    config = ""
    ANSWERS = (("good", "hard", "without_answer", "inside"),)

    def steps(self):
        (what, *expected), *_ = Asked.steps(self)
        yield what, *expected, "alerts_sent_total alert=access_denied", "handshake_failures_total reason=client_certificate_refused"


class Written(World):
    """What no client of ours makes a server count: written into the words of a child as if it had counted it."""

    SECONDS = 60
    options = {"mpm_settings": ONE_CHILD}
    # And which test counts it.
    ELSEWHERE = {
        "handshake_failures_total reason=no_common_cipher_suite": "rustls asks for a certificate first, and none fits without a suite",
        "handshake_failures_total reason=record_too_long": "of a record that decrypts: test_peer_cost.py",
        "handshake_failures_total reason=server_stops": "the server stops: test_leaving.py",
        "handshake_failures_total reason=internal": "tests/inject",
        "handshake_failures_total reason=other": "for errors of a later rustls",
        "handshake_groups_total group=other": "for groups of a later table",
        "handshake_cipher_suites_total suite=other": "for suites of a later table",
        "handshake_protocols_total alpn=acme-tls/1": "test_acme.py",
        "handshake_protocols_total alpn=other": "of another module; none here has one",
        "handshake_ech_total result=not_decrypted": "GREASE that meets the number of a key: session/ech_tests.rs",
        "client_certificates_total verdict=failed": "where sections have a word of their own: verify/verifier.rs",
        "alerts_sent_total alert=bad_certificate": "verify/verifier.rs",
        "alerts_sent_total alert=decrypt_error": "a Finished or a signature that is none: test_mutants.py",
        "alerts_sent_total alert=unsupported_certificate": "for errors of a later rustls",
        "alerts_sent_total alert=certificate_unknown": "for errors of a later rustls",
        "alerts_sent_total alert=missing_extension": "for errors of a later rustls",
        "alerts_sent_total alert=ech_required": "clients alone send it",
        "alerts_sent_total alert=other": "for alerts of a later table",
        "session_cache_total result=refused": "test_resumption_cache.py",
        "session_cache_total result=error": "test_resumption_cache.py",
        "signatures_total key=other result=failed": "as of the other kinds",
        "signatures_waiting": "it is over before anybody has looked",
        "internal_errors_total kind=panic": "the guard of rust/bridge",
        "internal_errors_total kind=exception": "tests/inject",
    }

    def begin(self) -> None:
        self.server.start()

    def steps(self):
        yield lambda: self.write(), *self.ELSEWHERE

    def write(self) -> None:
        numbers = {one: number for number, one in enumerate(metrics.table())}
        [child] = self.server.children
        [line] = [line for line in open(f"/proc/{child}/maps").read().splitlines() if "mod_tls counts" in line]
        with open(f"/proc/{child}/mem", "r+b", buffering=0) as memory:
            for one in self.ELSEWHERE:
                memory.seek(int(line.split("-")[0], 16) + 8 * numbers[metrics.parsed(one)[0]])
                memory.write(struct.pack("=Q", 1))


WORLDS = {kind.__name__: kind for kind in (Settled, Refused, Encrypted, Limited, LimitedChild, LimitedServer, UnderWay, UnderWayChild,
                                           UnderWayServer, Tickets, Cached, Backends, Processes, Asked, Inside, Written)}
