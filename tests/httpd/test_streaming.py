# SPDX-License-Identifier: Apache-2.0
"""Streams arrive as they are written: each event must reach the client before the backend writes the next."""
import os
import queue

import pytest
from harness import tls
from harness.backend import Backend, read_head
from harness.config import Vhost

EVENTS = 12


@pytest.fixture
def source():
    """An event source that writes one event for each permission it is given."""
    permissions: queue.Queue = queue.Queue()

    def handler(connection):
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        for number in range(EVENTS):
            permissions.get(timeout=60)
            connection.sendall(b"data: %d\n\n" % number)

    made = Backend(handler)
    made.permit = lambda: permissions.put(None)
    yield made
    made.close()


@pytest.mark.parametrize("options", ["", " flushpackets=on"])
def test_server_sent_events_through_a_proxy(httpd, ca, mpm, source, options):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], mpm=mpm, modules=("proxy", "proxy_http"),
                   config=f"ProxyPass / http://127.0.0.1:{source.port}/{options}")
    with tls.connect(server.port, ca=ca.file) as connection:
        connection.sendall(tls.request("/"))
        reader = tls.Reader(connection)
        assert b" 200 " in reader.until(b"\r\n\r\n")
        for number in range(EVENTS):
            source.permit()
            assert b"data: %d\n\n" % number in reader.until(b"\n\n")
        reader.until(b"0\r\n\r\n")


SCRIPT = r"""#!/bin/sh
printf 'Content-Type: text/event-stream\r\n\r\n'
exec 3< "@HOME@/fifo"
n=0
while [ $n -lt 5 ]; do
  read -r line <&3
  printf 'data: %s\n\n' "$line"
  n=$((n + 1))
done
"""


def test_a_script_that_writes_now_and_then(httpd, ca, mpm):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], mpm=mpm, modules=("cgi",),
                   config='ScriptAlias /cgi/ "@HOME@/cgi/"')
    server.put("cgi/events", server.fill(SCRIPT), 0o755)
    os.mkfifo(server.home / "fifo")
    (server.home / "fifo").chmod(0o666)
    with tls.connect(server.port, ca=ca.file) as connection:
        connection.sendall(tls.request("/cgi/events"))
        reader = tls.Reader(connection)
        # Opened once by both sides: what is written while no reader has it open would be lost, or waited for.
        with open(server.home / "fifo", "w", buffering=1) as events:
            for number in range(5):
                events.write(f"{number}\n")
                reader.until(b"data: %d\n\n" % number)
        reader.until(b"0\r\n\r\n")
