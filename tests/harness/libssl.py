# SPDX-License-Identifier: Apache-2.0
"""OpenSSL's library used as many programs do: sessions are collected by its new-session callback, and the newest is kept."""
import ctypes
import socket

_ssl = ctypes.CDLL("libssl.so.3")
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
for _name in ("TLS_client_method", "SSL_CTX_new", "SSL_new"):
    getattr(_ssl, _name).restype = ctypes.c_void_p
SET_CACHE_MODE, SET_SERVER_NAME, SET_MAX_VERSION = 44, 55, 124
CLIENT_WITHOUT_STORE = 0x0001 | 0x0300
VERSIONS = {"1.2": 0x0303, "1.3": 0x0304}


class CallbackClient:
    def __init__(self, version: str):
        self._context = ctypes.c_void_p(_ssl.SSL_CTX_new(ctypes.c_void_p(_ssl.TLS_client_method())))
        self._session: int | None = None
        self._callback = _CALLBACK(self._keep)
        _ssl.SSL_CTX_ctrl(self._context, SET_CACHE_MODE, ctypes.c_long(CLIENT_WITHOUT_STORE), None)
        _ssl.SSL_CTX_ctrl(self._context, SET_MAX_VERSION, ctypes.c_long(VERSIONS[version]), None)
        _ssl.SSL_CTX_sess_set_new_cb(self._context, self._callback)

    def _keep(self, _connection, session) -> int:
        self._forget()
        self._session = session
        return 1

    def _forget(self) -> None:
        if self._session is not None:
            _ssl.SSL_SESSION_free(ctypes.c_void_p(self._session))
            self._session = None

    def visit(self, port: int, name: str = "a.test") -> bool:
        """One connection with a request; whether it was resumed."""
        request = f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode()
        buffer = ctypes.create_string_buffer(65536)
        with socket.create_connection(("127.0.0.1", port), 30) as raw:
            raw.settimeout(None)  # OpenSSL works on the descriptor
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
            connection = ctypes.c_void_p(_ssl.SSL_new(self._context))
            try:
                _ssl.SSL_ctrl(connection, SET_SERVER_NAME, ctypes.c_long(0), name.encode())
                if self._session is not None:
                    _ssl.SSL_set_session(connection, ctypes.c_void_p(self._session))
                _ssl.SSL_set_fd(connection, raw.fileno())
                assert _ssl.SSL_connect(connection) == 1, "the handshake"
                reused = bool(_ssl.SSL_session_reused(connection))
                assert _ssl.SSL_write(connection, request, len(request)) == len(request)
                got = b""
                while (length := _ssl.SSL_read(connection, buffer, len(buffer))) > 0:
                    got += buffer.raw[:length]
                assert got.startswith(b"HTTP/1.1 200")
                _ssl.SSL_shutdown(connection)
                return reused
            finally:
                _ssl.SSL_free(connection)

    def close(self) -> None:
        self._forget()
        _ssl.SSL_CTX_free(self._context)
