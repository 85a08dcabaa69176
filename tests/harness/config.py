# SPDX-License-Identifier: Apache-2.0
"""Generates httpd configurations: one text per server, with the engine's words for TLS in one place."""
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from .certs import Pair
from .paths import MODULES, mod_tls_so
from .sanitizers import THREADS

BASE_MODULES = ("authz_core", "dir", "mime", "alias", "env", "setenvif", "headers")
THREADED = """ServerLimit 4
StartServers 1
ThreadsPerChild 16
MinSpareThreads 1
MaxSpareThreads 64
MaxRequestWorkers 64"""
# One threaded child that never ends by itself.
ONE_CHILD = """ServerLimit 2
StartServers 1
ThreadsPerChild 16
MinSpareThreads 1
MaxSpareThreads 32
MaxRequestWorkers 16"""
MPM_SETTINGS = {
    "event": THREADED,
    "worker": THREADED,
    "prefork": "StartServers 4\nMinSpareServers 2\nMaxSpareServers 16\nMaxRequestWorkers 32",
}


@dataclass
class Vhost:
    """One <VirtualHost>. `extra` is configuration text inside it; `pairs` are written to files and named."""

    name: str
    pairs: list[Pair] = field(default_factory=list)
    aliases: tuple[str, ...] = ()
    address: str = "*:@TLS@"
    extra: str = ""
    tls: bool = True

    def stem(self) -> str:
        return re.sub(r"[^A-Za-z0-9.-]", "_", self.name)

    def certificate_files(self, home: Path, mark: str = "") -> list[tuple[Path, Path]]:
        return [pair.write(home / "certs", f"{self.stem()}{mark}-{i}") for i, pair in enumerate(self.pairs)]

    def render(self, home: Path, engine: str, mark: str = "") -> str:
        """Its text. Its files are named NAME-0.crt and so on; `mark` keeps those of a namesake apart."""
        docs = home / "docs" / self.stem()
        docs.mkdir(parents=True, exist_ok=True)
        index = docs / "index.html"
        if not index.exists():
            index.write_text(f"{self.name}\n")
        lines = [f"<VirtualHost {self.address}>", f"ServerName {self.name}", f'DocumentRoot "{docs}"',
                 f'Header always set X-Vhost "{self.name}"']
        if self.aliases:
            lines.append(f"ServerAlias {' '.join(self.aliases)}")
        if self.tls:
            lines += tls_lines(engine, self.certificate_files(home, mark))
        return "\n".join([*lines, self.extra, "</VirtualHost>"])


def tls_lines(engine: str, files: list[tuple[Path, Path]]) -> list[str]:
    if engine == "mod_tls":
        return [f'TLSCertificate "{crt}" "{key}"' for crt, key in files]
    if engine in ("mod_ssl", "mod_tls-ssl"):
        return ["SSLEngine on", *(f'SSLCertificateFile "{crt}"\nSSLCertificateKeyFile "{key}"' for crt, key in files)]
    return []


def load_lines(engine: str, mpm: str, modules: tuple[str, ...]) -> list[str]:
    """LoadModule lines. Engines: mod_tls (TLS*), mod_tls-ssl (SSL* by mod_tls), mod_ssl (Debian's), plain (none)."""
    names = [f"mpm_{mpm}", *BASE_MODULES, *modules, *(["socache_shmcb"] if engine == "mod_ssl" else [])]
    lines = [f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in dict.fromkeys(names)]
    if mpm == "event" and "MOD_TLS_OLDER_EVENT" in os.environ:  # test_older_event.py
        lines.append(f"LoadModule older_event_module {os.environ['MOD_TLS_OLDER_EVENT']}")
    if engine == "mod_tls":
        lines.append(f"LoadModule tls_module {mod_tls_so()}")
    elif engine == "mod_tls-ssl":
        lines.append(f"LoadModule ssl_module {mod_tls_so()}")
    elif engine == "mod_ssl":
        lines.append(f"LoadModule ssl_module {MODULES}/mod_ssl.so")
    return lines


def render(home: Path, vhosts: list[Vhost], *, engine: str, mpm: str, modules: tuple[str, ...], listen: list[str],
           config: str, mpm_settings: str | None, log_level: str, tls_engine: str | None) -> str:
    """The whole httpd.conf, placeholders (@TLS@, @PLAIN@, @HOME@) still in it."""
    docs = home / "docs"
    docs.mkdir(parents=True, exist_ok=True)
    index = docs / "index.html"
    if not index.exists():
        index.write_text("base\n")
    lines = [
        f'ServerRoot "{home}"', *load_lines(engine, mpm, modules), *(f"Listen {address}" for address in listen),
        "ServerName base.test", f'PidFile "{home}/httpd.pid"', f'DefaultRuntimeDir "{home}/run"',
        f'CoreDumpDirectory "{home}/core"', f'ErrorLog "{home}/error.log"', f"LogLevel {log_level}",
        f'CustomLog "{home}/access.log" "%v %H %m %U %>s %B"',
        "Timeout 30", "KeepAliveTimeout 10", "MaxKeepAliveRequests 0", "GracefulShutdownTimeout 5",
        "TypesConfig /etc/mime.types", "DirectoryIndex index.html", f'DocumentRoot "{docs}"',
        f'<Directory "{home}">\nRequire all granted\nOptions +ExecCGI\n</Directory>',
        mpm_settings or MPM_SETTINGS[mpm],
    ]
    if os.geteuid() == 0:
        lines += ["User www-data", "Group www-data"]
    if THREADS and engine.startswith("mod_tls") and "TLSKeyIsolation" not in config:
        lines.append("TLSKeyIsolation off")
    blocks: list[str] = []
    if engine == "mod_tls" and tls_engine:
        lines.append(f"TLSEngine {tls_engine}")
    seen: list[str] = []
    for vhost in vhosts:
        namesakes = seen.count(vhost.stem())
        seen.append(vhost.stem())
        blocks.append(vhost.render(home, engine, f".{namesakes}" if namesakes else ""))
    return "\n".join([*lines, config, *blocks]) + "\n"
