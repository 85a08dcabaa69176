# SPDX-License-Identifier: Apache-2.0
"""Starts one configuration with both modules, asks both the same, and says what differs."""
import os
import re
import shutil
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .httpd import Httpd
from .materials import Materials
from .wild import Request, Wild
from .wild_client import ENVIRONMENT, WildClient, normal

ENGINES = ("mod_ssl", "mod_tls-ssl")
# Lines of a log that a test accepts: all but those that tell of a crash.
HARMLESS = r"^(?!.*(exit signal|Segmentation|core dumped|panicked|Sanitizer|terminate called))"
CLIENT = ("M_VERSION", "M_SERIAL", "S_DN", "S_DN_CN", "S_DN_OU", "I_DN", "V_START", "V_END", "V_REMAIN", "A_SIG", "A_KEY", "CERT",
          "VERIFY", "SAN_Email_0", "CERT_CHAIN_0", "CERT_RFC4523_CEA")
SERVER = ("M_VERSION", "M_SERIAL", "S_DN", "S_DN_CN", "I_DN", "V_START", "V_END", "A_SIG", "A_KEY", "CERT", "SAN_DNS_0", "SAN_DNS_1")
CONNECTION = ("HTTPS", "SSL_PROTOCOL", "SSL_CIPHER", "SSL_CIPHER_USEKEYSIZE", "SSL_CIPHER_ALGKEYSIZE", "SSL_CIPHER_EXPORT",
              "SSL_SESSION_ID", "SSL_SESSION_RESUMED", "SSL_SECURE_RENEG", "SSL_COMPRESS_METHOD", "SSL_TLS_SNI",
              "SSL_VERSION_INTERFACE", "SSL_VERSION_LIBRARY")
LOGGED = [(name, f"%{{{name}}}x") for name in
          [*CONNECTION, *(f"SSL_CLIENT_{name}" for name in CLIENT), *(f"SSL_SERVER_{name}" for name in SERVER)]]
LOGGED += [(f"{name}c", f"%{{{name}}}c") for name in ("version", "cipher", "subjectdn", "issuerdn", "errcode", "errstr")]
LOGGED += [("vhost", "%v"), ("port", "%{local}p"), ("user", "%u"), ("status", "%>s"), ("request", "%r"), ("handler", "%R"),
           ("forwarded", "%{X-Forwarded-Proto}i"), ("note", "%{ssl-access-forbidden}n")]
FORMATS = r"""LogFormat "%v:%p %h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\"" vhost_combined
LogFormat "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\"" combined
LogFormat "%h %l %u %t \"%r\" %>s %b" common"""
# Lines about requests that rules of fail2ban and the like look for.
REFUSALS = re.compile(r"AH(01996|02031|02032|02033|02036|02219|02227|02229|02265)\b")
RANDOM = re.compile(r"SSL_SESSION_ID$")
TIME = re.compile(r"\[\d\d/\w{3}/\d{4}:[^\]]*\]|\d{4}-\d\d-\d\d[T ][\d:.+]+")

LENGTH = re.compile(r"(?<=\" \d{3}) \d+\b|(?<=\") \d+$")  # the page that shows all variables has a length of its own


class Side:
    """One of the two servers, running."""

    def __init__(self, engine: str, wild: Wild, root: Path, materials: Materials):
        self.wild = wild
        config = wild.placed(wild.text, root)
        for word, known in wild.elsewhere if engine == "mod_ssl" else ():
            config = config.replace(word, known)
        common = f"""Define APACHE_LOG_DIR @HOME@/logs
Define APACHE_RUN_DIR @HOME@/run
{FORMATS}
{config}
<Directory "{root}">
Require all granted
</Directory>
AddType text/html .shtml
AddOutputFilter INCLUDES .shtml
<LocationMatch "^{re.escape(ENVIRONMENT)}$">
Options +Includes
</LocationMatch>
GlobalLog @HOME@/fields.log "{chr(9).join(form for _, form in LOGGED)}"
"""
        self.server = Httpd([], config=common, engine=engine, mpm=wild.mpm, modules=("include", "socache_shmcb", *wild.modules), ports=wild.ports,
                            own_listen=True, log_level="info", allow=(HARMLESS,))
        for directory in set(re.findall(r"@HOME@/(logs(?:/[\w.-]+)*)/", common)) | {"logs"}:
            (self.server.home / directory).mkdir(parents=True, exist_ok=True)
        self.client = WildClient(self.server.ports, materials)

    def ask_all(self, requests: list[Request]) -> list[dict[str, str]]:
        with ThreadPoolExecutor(6) as pool:
            return list(pool.map(self.client.ask, requests))

    def refusals(self) -> Counter:
        texts = [file.read_text(errors="backslashreplace") for file in self.server.home.rglob("*error*") if file.is_file()]
        return Counter(number for text in texts for number in REFUSALS.findall(text))

    def logged(self, request: Request) -> dict[str, str]:
        """What log files say of a request."""
        seen = {}
        mark = re.compile(rf"{request.mark}(?!\d|-first)")
        fields = self.server.home / "fields.log"
        for line in fields.read_text(errors="backslashreplace").splitlines():
            if mark.search(line):
                values = dict(zip((name for name, _ in LOGGED), line.split("\t"), strict=True))
                # what the same httpd logs as the backend of its own proxy
                prefix = "log" if values["port"] == str(self.client.port(request)) else f"log of {values['port']}"
                seen |= {f"{prefix} {name}": value for name, value in values.items()}
        for file in sorted((self.server.home / "logs").rglob("*")):
            if not file.is_file() or "error" in file.name or "scache" in file.name:
                continue
            lines = [line for line in file.read_text(errors="backslashreplace").splitlines() if mark.search(line)]
            if lines:
                seen[f"log file {file.name}"] = LENGTH.sub(" ", TIME.sub("[time]", "\n".join(sorted(lines))))
        ports = self.server.ports
        return {normal(name, ports): normal(value, ports) for name, value in seen.items()}


@dataclass
class Comparison:
    """One configuration with both modules."""

    answers: list[tuple[Request, dict[str, str], dict[str, str]]]  # what was seen of each request: theirs, ours
    faults: list[str]                  # of ours, beyond that
    foretold: str                      # what ours says of its differences beforehand
    refusals: tuple[Counter, Counter]  # how often each number of a refused request stands in error logs: theirs, ours


def compare(wild: Wild, materials: Materials) -> Comparison:
    root = Path(tempfile.mkdtemp(prefix="mod_tls-wild-"))
    root.chmod(0o755)
    sides: list[Side] = []
    try:
        lay_out(wild, root, materials)
        for engine in ENGINES:
            sides.append(Side(engine, wild, root, materials))
            sides[-1].server.start()
        answers = [side.ask_all(wild.requests) for side in sides]
        for side in sides:
            side.server.stop()
        logs = [[side.logged(request) for request in wild.requests] for side in sides]
        faults = sides[1].server.judge()
        foretold = sides[1].server.run("-t", "-D", "DUMP_TLS_MIGRATION").stdout
        refusals = tuple(side.refusals() for side in sides)
    finally:
        for side in sides:
            side.server.stop()
            side.server.remove()
        shutil.rmtree(root)
    seen = [[_comparable(a | b) for a, b in zip(*both)] for both in zip(answers, logs)]
    return Comparison(list(zip(wild.requests, *seen)), faults, foretold, refusals)


def refusal(wild: Wild, materials: Materials) -> str:
    """What ours says when it refuses to start; mod_ssl does where the configuration `fails`."""
    root = Path(tempfile.mkdtemp(prefix="mod_tls-wild-"))
    root.chmod(0o755)
    sides: list[Side] = []
    try:
        lay_out(wild, root, materials)
        sides = [Side(engine, wild, root, materials) for engine in ENGINES]
        theirs, ours = (side.server for side in sides)
        if wild.fails:
            theirs.start_fails()
        else:
            theirs.start()
        return ours.start_fails()
    finally:
        for side in sides:
            side.server.stop()
            side.server.remove()
        shutil.rmtree(root)


def lay_out(wild: Wild, root: Path, materials: Materials) -> None:
    for words in wild.pairs:
        materials.place_pair(root, words)
    for words in wild.files:
        materials.place_file(root, words)
    for path, text in wild.texts.items():
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(wild.placed(text, root))
    for text in (wild.text, *wild.texts.values()):
        for path in re.findall(r'^\s*DocumentRoot\s+"?(/[^"\s]+)', text, re.M):
            documents = root / path.lstrip("/")
            documents.mkdir(parents=True, exist_ok=True)
            (documents / "index.html").write_text(f"{path}\n")
            (documents / ENVIRONMENT.lstrip("/")).write_text('<!--#printenv -->\n')
    old = time.time() - 3600  # httpd's ETag of a file of the last seconds is a weak one
    for file in root.rglob("*"):
        os.utime(file, (old, old))


def _comparable(seen: dict[str, str]) -> dict[str, str]:
    return {name: ("some" if value and value != "-" and RANDOM.search(name) else value) for name, value in seen.items()}


def differences(theirs: dict[str, str], ours: dict[str, str]) -> dict[str, tuple[str | None, str | None]]:
    return {name: (theirs.get(name), ours.get(name)) for name in sorted(theirs.keys() | ours.keys())
            if theirs.get(name) != ours.get(name)}
