# SPDX-License-Identifier: Apache-2.0
"""A server of the tests' own, on a thread."""

import socketserver
import threading


class Listener:
    """Listens on a free port of 127.0.0.1 while it is entered; each connection is `handler`'s."""

    handler: type[socketserver.BaseRequestHandler]

    def __enter__(self):
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self.handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
