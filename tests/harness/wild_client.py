# SPDX-License-Identifier: Apache-2.0
"""The client of the configurations in tests/configs: one connection for each request, and what it saw.

Options of a request, each `name=value` or a bare name:

    tls=1.0|1.1|1.2|1.3  the only version offered     ciphers=LIST   OpenSSL's list, for TLS 1.2 and older
    group=NAME           the only group offered        sni=NAME|-     another server name than the URL's, or none
    host=NAME|-          another Host than the URL's, or HTTP/1.0 without one
    cert=WHO             a client certificate (materials.py)
    verify               the server's chain must hold  resume         a second connection, with the session of the first
    h2                   HTTP/2 (by curl)              address=IP     where to connect
    user=NAME:PASSWORD   Basic authentication          header=NAME:VALUE
    proxy=HOST:PORT      the server is asked for http://HOST:PORT, as a proxy
    body=TEXT            a body to send                idle           a request, then another on the same connection
"""
import base64
import re
import socket
import ssl
from urllib.parse import urlsplit

from .clients import curl
from .materials import Materials
from .tls import Reader
from .wild import Request

SECONDS = 30
VERSIONS = {"1.0": ssl.TLSVersion.TLSv1, "1.1": ssl.TLSVersion.TLSv1_1, "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
ENVIRONMENT = "/env.shtml"
UNCOMPARABLE = {"date", "content-length"}


class WildClient:
    def __init__(self, ports: dict[str, int], materials: Materials):
        self.ports, self.materials = ports, materials

    def ask(self, request: Request) -> dict[str, str]:
        """Everything seen, by name; `outcome` is the status or `refused`."""
        url = urlsplit(request.url)
        port = self.port(request)
        path = f"{url.path or '/'}?{url.query + '&' if url.query else ''}{request.mark}"
        seen = self._curl if "h2" in request.options else self._python
        return {name: self._normal(value) for name, value in seen(request, url, port, path).items()}

    def port(self, request: Request) -> int:
        url = urlsplit(request.url)
        return self.ports[str(url.port or (443 if url.scheme == "https" else 80))]

    def _curl(self, request: Request, url, port: int, path: str) -> dict[str, str]:
        options = []
        if who := request.options.get("cert"):
            options = ["--cert", str(self.materials.clients[who])]
        if "host" in request.options:
            options += ["-H", f"Host: {request.options['host']}"]
        if request.method != "GET":
            options += ["-X", request.method]
        answer = curl(port, path, *options, name=url.hostname, h2=True)
        if not answer.status:
            return {"outcome": "refused"}
        seen = {"outcome": str(answer.status), "http version": answer.version}
        return seen | _answer(answer.headers, answer.body)

    def _python(self, request: Request, url, port: int, path: str) -> dict[str, str]:
        using = self._context(request.options) if url.scheme == "https" else None
        try:
            session = None
            if "resume" in request.options:
                _, session = self._visit(request, url, port, f"{path}-first", using)
            return self._visit(request, url, port, path, using, session)[0]
        except ssl.SSLError as refused:
            return {"outcome": "refused", "alert": refused.reason or ""}
        except (OSError, EOFError):
            return {"outcome": "refused"}

    def _visit(self, request: Request, url, port: int, path: str, using, session=None):
        options = request.options
        raw = socket.create_connection((options.get("address", "127.0.0.1"), port), SECONDS)
        with raw:
            seen, connection = {}, raw
            if using:
                name = options.get("sni", url.hostname)
                connection = using.wrap_socket(raw, server_hostname=None if name == "-" else name, session=session)
                seen = {
                    "tls version": connection.version(), "tls cipher": connection.cipher()[0],
                    "tls resumed": str(connection.session_reused), "alpn": str(connection.selected_alpn_protocol()),
                    "tls certificate": connection.getpeercert(True).hex(),
                }
            reader = Reader(connection)
            for number in range(2 if "idle" in options else 1):
                connection.sendall(self._request(request, url, path, last="idle" not in options or number == 1))
                status, headers, body = reader.response(request.method)
            seen |= {"outcome": str(status)} | _answer(headers, body)
            return seen, connection.session if using else None

    def _request(self, request: Request, url, path: str, last: bool) -> bytes:
        options = request.options
        host = options.get("host", url.hostname)
        if "proxy" in options:
            name, _, port = options["proxy"].partition(":")
            host = f"{name}:{self.ports[port]}"
            path = f"http://{host}{path}"
        named = [f"{request.method} {path} HTTP/1.1", f"Host: {host}"]
        lines = [*(named if host != "-" else [f"{request.method} {path} HTTP/1.0"]), f"Connection: {'close' if last else 'keep-alive'}"]
        if "header" in options:
            lines.append(options["header"].replace(":", ": ", 1))
        if "user" in options:
            lines.append(f"Authorization: Basic {base64.b64encode(options['user'].encode()).decode()}")
        body = options.get("body", "")
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", body]).encode()

    def _context(self, options: dict[str, str]) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        made.check_hostname = "verify" in options
        made.verify_mode = ssl.CERT_REQUIRED if "verify" in options else ssl.CERT_NONE
        made.load_verify_locations(self.materials.trusted)
        made.set_alpn_protocols(["http/1.1"])
        if version := options.get("tls"):
            made.minimum_version = made.maximum_version = VERSIONS[version]
            if version in ("1.0", "1.1"):
                made.set_ciphers("ALL:@SECLEVEL=0")
        if "ciphers" in options:
            made.set_ciphers(options["ciphers"] + ":@SECLEVEL=0")
        if "group" in options:
            made.set_ecdh_curve(options["group"])
        if who := options.get("cert"):
            made.load_cert_chain(self.materials.clients[who])
        return made

    def _normal(self, text: str) -> str:
        return normal(text, self.ports)


def normal(text: str, ports: dict[str, int]) -> str:
    """`text` without what is a server's own: its ports."""
    for name, number in ports.items():
        text = re.sub(rf"\b{number}\b", f"@{name}@", text)
    return text


def _answer(headers: dict[str, str], body: bytes) -> dict[str, str]:
    seen = {f"header {name}": value for name, value in headers.items() if name not in UNCOMPARABLE}
    if "header etag" in seen:  # weak while the file is younger than a second
        seen["header etag"] = seen["header etag"].removeprefix("W/")
    text = body.decode(errors="backslashreplace")
    if "\nGATEWAY_INTERFACE=" not in f"\n{text}":
        return seen | {"body": text}
    variables = dict(re.findall(r"^([A-Za-z_]\w*)=((?:.|\n(?![A-Za-z_]\w*=))*)", text, re.M))
    return seen | {f"env {name}": value for name, value in variables.items()
                   if re.match(r"SSL_|HTTPS|REMOTE_USER|AUTH_TYPE|X_", name)}
