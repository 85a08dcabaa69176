# SPDX-License-Identifier: Apache-2.0
"""A server that tells its clients every variable it has of them, and the client that asks."""
import ssl

from cryptography.hazmat.primitives import serialization

from . import tls
from .config import Vhost

# Variables that StdEnvVars does not export: asked for one by one, through mod_rewrite.
ASKED = ["SSL_CLIENT_S_DN_CN_RAW", "SSL_CLIENT_S_DN_CN_0", "SSL_CLIENT_S_DN_CN_1", "SSL_CLIENT_S_DN_CN_0_RAW",
         "SSL_CLIENT_S_DN_OU_RAW", "SSL_CLIENT_S_DN_SP", "SSL_CLIENT_S_DN_OU_19", "SSL_CLIENT_S_DN_OU_20",
         "SSL_CLIENT_S_DN_XX", "SSL_CLIENT_SAN_DNS_0", "SSL_CLIENT_SAN_DNS_29", "SSL_CLIENT_SAN_DNS_00001",
         "SSL_CLIENT_SAN_Email_1", "SSL_CLIENT_SAN_OTHER_msUPN_1", "SSL_CLIENT_SAN_OTHER_dnsSRV_0",
         "SSL_CLIENT_CERT_CHAIN_0", "SSL_CLIENT_NONSENSE", "SSL_CLIENT_CERT_RFC4523_CEA"]
PRINTER = "#!/bin/sh\nprintf 'Content-Type: application/octet-stream\\r\\n\\r\\n'\nexec env -0\n"
MODULES = ("cgi", "rewrite")
# Takes every client certificate that OpenSSL can read.
MOD_SSL = """SSLCipherSuite "DEFAULT:@SECLEVEL=0"
SSLVerifyClient optional_no_ca
SSLVerifyDepth 10
SSLCACertificateFile @HOME@/ca.pem"""
MOD_TLS = """TLSClientCertificate any
TLSClientDepth 7
TLSClientCA @HOME@/ca.pem"""


def configuration(options: str, words: str) -> str:
    """Text of a virtual host: `options` and `words` are the engine's own."""
    asked = "\n".join(f"RewriteRule .* - [E=ASKED_{name}:%{{SSL:{name}}}]" for name in ASKED)
    return f"""{words}
ScriptAlias /print @HOME@/print.sh
ScriptAlias /legacy @HOME@/print.sh
RewriteEngine on
{asked}
<Location />
{options} +StdEnvVars +ExportCertData
</Location>
<Location /legacy>
{options} +LegacyDNStringFormat
</Location>
"""


def server(httpd, engine: str, ca, corpus, words: str, options: str):
    made = httpd([Vhost("a.test", [ca.issue("a.test")], extra=configuration(options, words))], engine=engine, mpm="prefork",
                 modules=MODULES, start=False, allow=("TLS0124: .*(S_DN_XX|SSL_CLIENT_NONSENSE)",))
    made.put("print.sh", PRINTER, mode=0o755)
    made.put("ca.pem", ssl.DER_cert_to_PEM_cert(corpus.ca))
    return made.start()


def context(entry, directory, version: str | None = None) -> ssl.SSLContext:
    made = tls.context(version=version)
    made.set_ciphers("DEFAULT:@SECLEVEL=0")
    file = directory / f"{entry.name}.pem"
    key = entry.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                  serialization.NoEncryption())
    file.write_bytes(ssl.DER_cert_to_PEM_cert(entry.der).encode() + key)
    made.load_cert_chain(file)
    return made


def ask(port: int, entry, directory, path: str = "/print", version: str | None = None) -> dict[str, bytes]:
    """All variables of one request that presents `entry`; those of the connection and the moment left out."""
    with tls.connect(port, using=context(entry, directory, version)) as connection:
        status, _, body = tls.get(connection, path)
    assert status == 200, (entry.name, status, body)
    variables = dict(item.split(b"=", 1) for item in body.split(b"\0") if b"=" in item)
    named = {name.decode("latin-1"): value for name, value in variables.items()}
    return {name: value for name, value in named.items() if name.startswith(("SSL_", "ASKED_", "HTTPS"))}
