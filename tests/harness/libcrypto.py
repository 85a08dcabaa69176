# SPDX-License-Identifier: Apache-2.0
"""What the OpenSSL of mod_ssl reads."""
import ctypes

_crypto = ctypes.CDLL("libcrypto.so.3")
_crypto.d2i_X509_CRL.restype = ctypes.c_void_p
_crypto.d2i_X509_CRL.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_long]
_crypto.X509_CRL_free.argtypes = [ctypes.c_void_p]


def reads_list(der: bytes) -> bool:
    """Whether these octets, to the last, are a revocation list for it."""
    buffer = ctypes.create_string_buffer(der, len(der))
    place = ctypes.c_void_p(ctypes.addressof(buffer))
    made = _crypto.d2i_X509_CRL(None, ctypes.byref(place), len(der))
    _crypto.X509_CRL_free(made)
    return made is not None and place.value == ctypes.addressof(buffer) + len(der)
