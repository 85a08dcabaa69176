# SPDX-License-Identifier: Apache-2.0
"""RequestReadTimeout's limit for the handshake, which we enforce where mod_reqtimeout's filter is not called: read as
mod_reqtimeout itself reads it, for it is asked beside us."""
import re

import pytest
from harness import third_party
from harness.config import Vhost

# What stands in the main server, and in the second virtual host; the first one inherits.
LINES = [
    ("RequestReadTimeout handshake=5", ""),
    ("RequestReadTimeout header=20 handshake=5", ""),
    ('RequestReadTimeout "handshake=5"', ""),
    ("RequestReadTimeout 'handshake=5' header=20-40,MinRate=500", ""),
    ("RequestReadTimeout header=20 \\\n\thandshake=5", ""),
    ("RequestReadTimeout\theader=20\thandshake=7\t", ""),
    ("RequestReadTimeout header=20  body=3   handshake=7  ", ""),
    ("RequestReadTimeout handshake=5-40,MinRate=500", ""),
    ("RequestReadTimeout handshake=5-40,minrate=500", ""),
    ("RequestReadTimeout handshake=5,MINRATE=500", ""),
    ("RequestReadTimeout HandShake=6", ""),
    ("requestreadtimeout handshake=6", ""),
    ("RequestReadTimeout handshake=+6", ""),
    ("RequestReadTimeout handshake=006", ""),
    ('RequestReadTimeout "handshake= 6"', ""),
    ("RequestReadTimeout handshake=0", ""),
    ("RequestReadTimeout handshake=0,MinRate=500", ""),
    ("RequestReadTimeout header=20 body=20", ""),
    ("RequestReadTimeout handshake=5 handshake=9", ""),
    ("RequestReadTimeout handshake=5-40,MinRate=500 handshake=9", ""),
    ("RequestReadTimeout handshake=5-40,MinRate=500\nRequestReadTimeout handshake=9", ""),
    ("RequestReadTimeout handshake=5\nRequestReadTimeout header=3", ""),
    ("RequestReadTimeout handshake=5\nRequestReadTimeout handshake=0", ""),
    ("RequestReadTimeout handshake=5-40,MinRate=500", "RequestReadTimeout handshake=0"),
    ("RequestReadTimeout handshake=5-40,MinRate=500", "RequestReadTimeout handshake=3"),
    ("RequestReadTimeout handshake=5-40,MinRate=500", "RequestReadTimeout header=3"),
    ("", "RequestReadTimeout handshake=3,MinRate=10\nRequestReadTimeout handshake=4"),
    ("RequestReadTimeout handshake=2", "<IfModule mod_reqtimeout.c>\nRequestReadTimeout 'handshake=8'\n</IfModule>"),
    ("Define LIMIT 12\nRequestReadTimeout handshake=${LIMIT}", ""),
    ("<IfDefine !NOBODY>\n  RequestReadTimeout handshake=11\n</IfDefine>", ""),
    ("", ""),
]
REFUSED = ["handshake=5-40", "handshake=x", "handshake=5s", "handshake=-5", "handshake=", "handshake=5,MinRate=0",
           "handshake=50-40,MinRate=500", "handshake=5,MinRate=5x", "handshake"]


@pytest.fixture(scope="module")
def teller(tmp_path_factory):
    return third_party.build(tmp_path_factory.mktemp("limits"), "mod_limits")


@pytest.fixture(scope="module")
def server(shared_httpd, ca, teller):
    made = shared_httpd([Vhost("heir.test", [ca.issue("heir.test")]), Vhost("own.test", [ca.issue("own.test")])],
                        modules=("reqtimeout",), start=False)
    return made


def told(server, teller, main: str, own: str):
    server.vhosts[1].extra = own
    server.write(config=f"LoadModule limits_module {teller}\n{main}")
    return server.run("-t", "-D", "DUMP_TLS")


def of_ours(text: str) -> dict[str, tuple[int, int, int]]:
    """What -D DUMP_TLS says of each virtual host; nothing where there is no limit."""
    found, host = {}, ""
    for line in text.splitlines():
        if not line.startswith("  "):
            host = re.split("[: ]", line)[0]  # the main server has no port
        elif limit := re.search(r"RequestReadTimeout handshake=(\d+)(?:-(\d+))?(?:,MinRate=(\d+))?,", line):
            found[host] = tuple(int(number or 0) for number in limit.groups())
    return found


def of_theirs(text: str) -> dict[str, tuple[int, int, int]]:
    rows = re.findall(r"^limits (\S+) (-?\d+) (-?\d+) (-?\d+)$", text, re.M)
    read = {name: tuple(max(int(number), 0) for number in numbers) for name, *numbers in rows}
    return {name: limit for name, limit in read.items() if limit[0] > 0}


@pytest.mark.parametrize("main,own", LINES)
def test_the_limit_is_what_mod_reqtimeout_reads(server, teller, main, own):
    done = told(server, teller, main, own)
    assert done.returncode == 0, done.stderr
    assert of_theirs(done.stdout) == of_ours(done.stdout)


def test_there_are_limits_to_compare(server, teller):
    done = told(server, teller, "RequestReadTimeout handshake=7-9,MinRate=3", "RequestReadTimeout handshake=2")
    assert of_theirs(done.stdout) == {"base.test": (7, 9, 3), "heir.test": (7, 9, 3), "own.test": (2, 0, 0)}


@pytest.mark.parametrize("word", REFUSED)
def test_what_mod_reqtimeout_refuses_never_comes_to_us(server, teller, word):
    assert told(server, teller, f"RequestReadTimeout {word}", "").returncode != 0
