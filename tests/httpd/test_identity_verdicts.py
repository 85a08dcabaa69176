# SPDX-License-Identifier: Apache-2.0
"""Who is let in and why not: Debian's mod_ssl and ours asked the same, with good and bad chains of every kind."""
import pytest
from harness.chains import Chains
from harness.config import Vhost
from harness.verdicts import verdict

MODES = ("optional", "require", "optional_no_ca")


@pytest.fixture(scope="module")
def chains(tmp_path_factory):
    return Chains(tmp_path_factory.mktemp("chains"))


@pytest.fixture(scope="module")
def servers(shared_httpd, ca, chains):
    middle = chains.directory / "middle.pem"
    middle.write_bytes(chains.middle.pem())

    def make(engine):
        asked = [(mode, mode, chains.file) for mode in MODES] + [("link", "optional", middle)]
        vhosts = [Vhost(f"{name}.test", [ca.issue(f"{name}.test")], extra=f"""
SSLVerifyClient {mode}
SSLVerifyDepth 2
SSLCACertificateFile {file}
Header always set X-Verify "%{{SSL_CLIENT_VERIFY}}s\"""") for name, mode, file in asked]
        return shared_httpd(vhosts, engine=engine, mpm="prefork", log_level="warn ssl:debug",
                            allow=("TLS040", "TLS0502.*(middle.pem|has expired)", "AH0", "SSL Library"))
    return make("mod_ssl"), make("mod_tls-ssl")


@pytest.mark.parametrize("mode, version", [("optional", "1.2"), ("optional", "1.3"), ("require", "1.3"),
                                           ("optional_no_ca", "1.2"), ("optional_no_ca", "1.3")])
def test_every_chain_is_judged_as_by_mod_ssl(servers, chains, tmp_path, mode, version):
    differences = {}
    for name, chain in chains.all.items():
        file = chain.write(tmp_path, name)
        theirs, ours = (verdict(server, f"{mode}.test", file, version) for server in servers)
        if theirs != ours:
            differences[name] = f"{theirs!r} {ours!r}"
    assert not differences, "mod_ssl's and ours:\n" + "\n".join(f"{name}: {found}" for name, found in differences.items())


def test_an_intermediate_alone_is_nobody_to_trust(servers, chains, tmp_path):
    """As with mod_ssl; with the words of mod_tls it is (below)."""
    for name in ("one-below", "one-below-with-root", "link-missing"):
        file = chains.all[name].write(tmp_path, name)
        assert all(verdict(server, "link.test", file, "1.3").startswith("refused") for server in servers)


def test_an_intermediate_alone_is_trusted_where_tls_client_ca_names_it(httpd, ca, chains, tmp_path):
    server = httpd([Vhost("link.test", [ca.issue("link.test")], extra=f"""TLSClientCertificate required
TLSClientCA {chains.directory}/middle.pem
Header always set X-Verify "%{{SSL_CLIENT_VERIFY}}s\"""")], allow=("TLS040",))
    assert verdict(server, "link.test", chains.all["one-below"].write(tmp_path, "one"), "1.3") == "SUCCESS"
    assert verdict(server, "link.test", chains.all["good"].write(tmp_path, "good"), "1.3").startswith("refused")
