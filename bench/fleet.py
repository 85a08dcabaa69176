"""Which servers there are, and their life."""

import pathlib

import load
import pki
from arms import MOD_SSL, Arm, build_sink, ssl_words, tls_words

SMALL = 1024
LARGE = 10 * 1024 * 1024


class Fleet:
    """Starts the arms of a site when a row first asks for them, and stops all at the end.

    A site is a certificate kind ("ecdsa", "rsa"), an arm one server of it:
    plain      no TLS: the floor
    mod_ssl    Debian's module
    mod_tls    ours, own vocabulary
    ssl_words  ours, configured with mod_ssl's vocabulary
    in_process ours, private keys in the children (TLSKeyIsolation off)
    """

    def __init__(self, work: pathlib.Path, module: pathlib.Path, client: pathlib.Path):
        self.work = work
        self.module = module
        # Another build of our module in mod_ssl's place; mod_ssl's vocabulary for mod_tls.
        self.against: pathlib.Path | None = None
        self.ssl_words = False
        self.authority = pki.Authority(work)
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
            self.certificates[kind] = self.authority.issue(f"server-{kind}", "localhost", kind)
        return self.certificates[kind]

    def get(self, site: str, name: str) -> Arm:
        """The running arm."""
        if (site, name) not in self.running:
            self.running[site, name] = self.fresh(site, name)
        return self.running[site, name]

    def fresh(self, site: str, name: str) -> Arm:
        """A newly started arm; the caller stops it, unless it went through `get`."""
        certificate = self.certificate(site)
        module = self.module
        if name == "mod_ssl" and self.against:
            return self.custom(name, f"LoadModule tls_module {self.against}", lambda port: tls_words(port, certificate))
        if name == "mod_tls" and self.ssl_words:
            return self.custom(name, f"LoadModule ssl_module {module}", lambda port: ssl_words(port, certificate))
        tls_load, ssl_load = f"LoadModule tls_module {module}", f"LoadModule ssl_module {module}"
        load_line, config = {
            "plain": ("", lambda port: ""),
            "mod_ssl": (f"LoadModule ssl_module {MOD_SSL}", lambda port: ssl_words(port, certificate)),
            "mod_tls": (tls_load, lambda port: tls_words(port, certificate)),
            "ssl_words": (ssl_load, lambda port: ssl_words(port, certificate)),
            "in_process": (tls_load, lambda port: "TLSKeyIsolation off\n" + tls_words(port, certificate)),
        }[name]
        return self.custom(name, load_line, config)

    def custom(self, name: str, load_line: str, config) -> Arm:
        """A newly started arm with a configuration of its own."""
        self.made += 1
        arm = Arm(name, self.work / f"{self.made:03}-{name}", self.work, load_line, config)
        try:
            arm.start()
        except RuntimeError:
            arm.stop()
            raise
        return arm

    def stop(self) -> None:
        """Stops every arm that `get` started."""
        for arm in self.running.values():
            arm.stop()
        self.running.clear()
