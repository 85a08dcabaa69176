# SPDX-License-Identifier: Apache-2.0
"""Every variable of every certificate of the corpus: Debian's mod_ssl and ours, side by side, through real servers."""
import pytest
from harness import variables
from harness.corpus import Corpus
from harness.migration import is_listed

# What is different by design, each with its id in docs/migrating-from-mod_ssl.md.
OTHER_VALUES = {
    "SSL_VERSION_INTERFACE": "library-name", "SSL_VERSION_LIBRARY": "library-name", "SSL_SESSION_ID": "library-name",
    "SSL_CIPHER": "suite-order", "SSL_CIPHER_USEKEYSIZE": "suite-order", "SSL_CIPHER_ALGKEYSIZE": "suite-order",
    "SSL_GROUP": "new-variables", "SSL_SIGALG": "new-variables",
}


@pytest.fixture(scope="module")
def corpus():
    return Corpus()


@pytest.fixture(scope="module")
def servers(shared_httpd, ca, corpus):
    theirs = variables.server(shared_httpd, "mod_ssl", ca, corpus, variables.MOD_SSL, "SSLOptions")
    ours = variables.server(shared_httpd, "mod_tls", ca, corpus, variables.MOD_TLS, "TLSOptions")
    return theirs, ours


def answers(port, entry, directory, path):
    try:
        said = variables.ask(port, entry, directory, path)
    except OSError as refusal:
        return {"refused": str(refusal)}
    return {name: value for name, value in said.items() if not name.startswith("SSL_SERVER") and name not in OTHER_VALUES}


def test_differences_are_written_down():
    assert all(map(is_listed, OTHER_VALUES.values()))


@pytest.mark.parametrize("path", ["/print", "/legacy"])
def test_every_variable_is_as_mod_ssl_has_it(servers, corpus, tmp_path, path):
    theirs, ours = servers
    compared, differences = 0, []
    for entry in corpus.entries:
        expected = answers(theirs.port, entry, tmp_path, path)
        if "PEM lib" in expected.get("refused", "") or "INVALID_CERT" in expected.get("refused", ""):
            continue  # OpenSSL itself cannot load it
        compared += 1
        got = answers(ours.port, entry, tmp_path, path)
        differences += [f"{entry.name} {name}: {expected.get(name)!r} {got.get(name)!r}"
                        for name in sorted(expected.keys() | got.keys()) if expected.get(name) != got.get(name)]
    assert not differences, "mod_ssl's and ours:\n" + "\n".join(differences)
    assert compared >= 150


def test_the_servers_certificate_is_shown_as_by_mod_ssl(servers, corpus, tmp_path):
    said = [variables.ask(server.port, corpus.entries[1], tmp_path) for server in servers]
    theirs, ours = ({name for name in names if name.startswith("SSL_SERVER")} for names in said)
    assert theirs == ours
    assert said[1]["SSL_SERVER_S_DN"] == b"CN=a.test"
    assert said[1]["SSL_SERVER_SAN_DNS_0"] == b"a.test"
