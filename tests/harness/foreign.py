# SPDX-License-Identifier: Apache-2.0
"""https servers that others wrote, each a process of its own on a free port: nginx, Node, openssl, GnuTLS."""
import shutil
import socket
import subprocess
from pathlib import Path

from .ports import free_port
from .waiting import wait_until

NGINX = """daemon off; master_process off; worker_processes 1; pid {home}/nginx.pid; error_log {home}/nginx.log;
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/fastcgi;
  scgi_temp_path {home}/scgi; uwsgi_temp_path {home}/uwsgi; client_max_body_size 0;
  server {{
    listen 127.0.0.1:{port} ssl {http2}; ssl_certificate {crt}; ssl_certificate_key {key}; ssl_protocols {versions};
    ssl_session_cache shared:SSL:1m; {extra}
    location / {{
      return 200 "$ssl_protocol|$ssl_server_name|$ssl_session_reused|$server_protocol|$ssl_client_verify|$ssl_client_s_dn";
    }}
  }}
}}
"""
NODE = """const https = require('https'), fs = require('fs');
const [port, crt, key, version] = process.argv.slice(1);
https.createServer({cert: fs.readFileSync(crt), key: fs.readFileSync(key), minVersion: version, maxVersion: version},
  (request, response) => response.end([request.socket.getProtocol(), request.socket.servername,
    request.socket.isSessionReused() ? 'r' : '.'].join('|'))).listen(Number(port), '127.0.0.1');
"""


class Foreign:
    """One of them, running from its making to close()."""

    def __init__(self, kind: str, pair, home: Path, *, version: str = "1.3", http2: bool = False, extra: str = ""):
        self.port = free_port()
        crt, key = (str(path) for path in pair.write(home, f"{kind}-{self.port}"))
        port = str(self.port)
        if kind == "nginx":
            conf = home / f"nginx-{port}.conf"
            conf.write_text(NGINX.format(home=home, port=port, crt=crt, key=key, versions=f"TLSv{version}",
                                         http2="http2" if http2 else "", extra=extra))
            command = ["nginx", "-c", str(conf), "-e", str(home / "nginx.log")]
        elif kind == "node":
            command = ["node", "-e", NODE, port, crt, key, f"TLSv{version}"]
        elif kind == "openssl":
            command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", crt, "-key", key, "-www", "-quiet",
                       "-tls" + version.replace(".", "_")]
        else:
            command = ["gnutls-serv", "--http", "-p", port, "--x509certfile", crt, "--x509keyfile", key, "--disable-client-cert",
                       "--priority", f"NORMAL:-VERS-ALL:+VERS-TLS{version}"]
        assert shutil.which(command[0]), f"{command[0]} is not installed"
        with open(home / f"{kind}.out", "ab") as out:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        wait_until(self._listens, f"{kind} to listen; it said {(home / f'{kind}.out').read_text()}")

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(20)
