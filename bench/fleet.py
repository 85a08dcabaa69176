"""Which servers there are, and their life."""

import dataclasses
import pathlib
from collections.abc import Sequence

import load
import peers
import pki
from arms import MOD_SSL, Arm, build_sink, ssl_words, tls_words

SMALL = 1024
LARGE = 10 * 1024 * 1024


@dataclasses.dataclass(frozen=True)
class Site:
    """What the arms of a row serve: a certificate, and further lines in both vocabularies."""

    certificate: str = "ecdsa"
    ssl_engine: str = "SSLSessionCache none"
    ssl_host: str = ""
    tls_engine: str = ""
    tls_host: str = ""


# Client certificates are asked for and their variables handed to each request; both chains hold
# leaf, intermediate and root.
MUTUAL = Site(
    certificate="deep",
    ssl_host="SSLVerifyClient require\nSSLVerifyDepth 3\nSSLCACertificateFile {ca}\nSSLOptions +StdEnvVars",
    tls_host="TLSClientCertificate required\nTLSClientCA {ca}\nTLSOptions +StdEnvVars",
)

SITES = {
    "mutual": MUTUAL,
    "ecdsa": Site(),
    "rsa": Site(certificate="rsa"),
    "cache": Site(
        ssl_engine="SSLSessionCache shmcb:{root}/cache(512000)", tls_engine="TLSSessionCache shmcb:{root}/cache(512000)"
    ),
}


def started(arm: Arm) -> Arm:
    """Starts an arm; leaves nothing of one that does not start."""
    try:
        arm.start()
    except RuntimeError:
        arm.stop()
        raise
    return arm


class Fleet:
    """Starts the arms of a site when a row first asks for them, and stops all at the end.

    An arm is one server:
    plain      no TLS: the floor
    mod_ssl    Debian's module
    mod_tls    ours, own vocabulary
    ssl_words  ours, configured with mod_ssl's vocabulary
    in_process ours, private keys in the children (TLSKeyIsolation off)
    nginx      Debian's, where peers are asked for
    openssl35  mod_ssl of Debian 13 with its OpenSSL 3.5, where peers are asked for and there is one
    """

    def __init__(self, work: pathlib.Path, module: pathlib.Path, client: pathlib.Path):
        self.work = work
        self.module = module
        # Another build of our module in mod_ssl's place; mod_ssl's vocabulary for mod_tls.
        self.against: pathlib.Path | None = None
        self.ssl_words = False
        # nginx and OpenSSL 3.5 are measured too, where a row makes sense for them.
        self.peers = False
        self.authority = pki.Authority(work)
        self.below = pki.Authority(work, "bench intermediate", self.authority)
        self.client = load.TlsClient(client, self.authority.file)
        self.docroot = work / "htdocs"
        self.docroot.mkdir()
        (self.docroot / "small").write_bytes(b"x" * SMALL)
        (self.docroot / "large").write_bytes(b"x" * LARGE)
        build_sink(pathlib.Path(__file__).with_name("sink.cpp"), work / "sink.so")
        self.certificates: dict[str, pathlib.Path] = {}
        self.running: dict[tuple[str, str], Arm] = {}
        self.made = 0

    def certificate(self, kind: str) -> pathlib.Path:
        """The certificate (chain and key) of a site."""
        if kind not in self.certificates:
            issuer = self.below if kind == "deep" else self.authority
            self.certificates[kind] = issuer.issue(f"server-{kind}", "localhost", kind)
        return self.certificates[kind]

    def client_certificate(self) -> pathlib.Path:
        """A client's certificate, intermediate and key in one file."""
        if "client" not in self.certificates:
            self.certificates["client"] = self.below.issue("client", "client.example")
        return self.certificates["client"]

    def get(self, site: str, name: str) -> Arm:
        """The running arm."""
        if (site, name) not in self.running:
            self.running[site, name] = self.fresh(site, name)
        return self.running[site, name]

    def peers_of(self, names: Sequence[str]) -> list[str]:
        """These arms, and the peers where they are asked for; ours is the last."""
        newer = ["openssl35"] if self.peers and peers.has_debian13() else []
        return [*names[:-1], *(["nginx"] if self.peers else []), *newer, names[-1]]

    def fresh(self, site: str, name: str, words: str = "") -> Arm:
        """A newly started arm, `words` in front of its own configuration; the caller stops it, unless it went
        through `get`."""
        what = SITES[site]
        certificate = self.certificate(what.certificate)
        if name == "nginx":
            return self._nginx(site, certificate)

        def ssl(port: int, root: pathlib.Path) -> str:
            host = what.ssl_host.format(ca=self.authority.file)
            return ssl_words(port, certificate, what.ssl_engine.format(root=root), host)

        def tls(port: int, root: pathlib.Path) -> str:
            host = what.tls_host.format(ca=self.authority.file)
            return tls_words(port, certificate, what.tls_engine.format(root=root), host)

        ours, same = f"LoadModule tls_module {self.module}", f"LoadModule ssl_module {self.module}"
        against = (f"LoadModule tls_module {self.against}", tls) if self.against else None
        load_line, config = {
            "plain": ("", lambda port, root: ""),
            "mod_ssl": against or (f"LoadModule ssl_module {MOD_SSL}", ssl),
            "openssl35": (f"LoadModule ssl_module {peers.Debian13.modules}/mod_ssl.so", ssl),
            "mod_tls": (same, ssl) if self.ssl_words else (ours, tls),
            "ssl_words": (same, ssl),
            "in_process": (ours, lambda port, root: "TLSKeyIsolation off\n" + tls(port, root)),
        }[name]
        return self.custom(name, load_line, lambda port, root: words + config(port, root))

    def _nginx(self, site: str, certificate: pathlib.Path) -> Arm:
        self.made += 1
        more = peers.MUTUAL.format(ca=self.authority.file) if site == "mutual" else ""
        arm = peers.Nginx(self.work / f"{self.made:03}-nginx", self.work, certificate, more)
        return started(arm)

    def custom(self, name: str, load_line: str, config) -> Arm:
        """A newly started arm; `config(port, root)` is what follows the common configuration."""
        self.made += 1
        kind = peers.Debian13 if name == "openssl35" else Arm
        arm = kind(name, self.work / f"{self.made:03}-{name}", self.work, load_line, config)
        return started(arm)

    def stop(self) -> None:
        """Stops every arm that `get` started."""
        for arm in self.running.values():
            arm.stop()
        self.running.clear()
