# SPDX-License-Identifier: Apache-2.0
"""Private keys of every kind, made once and kept: RSA-8192 costs many seconds."""
import functools

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, ed448, rsa

from .paths import KEY_CACHE

CURVES = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1(), "secp256k1": ec.SECP256K1()}


@functools.cache
def key(kind: str, index: int = 0):
    """The `index`th key of a kind: rsa1024..rsa8192, p256, p384, p521, ed25519."""
    if kind in CURVES:
        return ec.generate_private_key(CURVES[kind])
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind == "ed448":
        return ed448.Ed448PrivateKey.generate()
    if not kind.startswith("rsa"):
        raise ValueError(f"no such kind of key: {kind}")
    return _rsa(int(kind[3:]), index)


def _rsa(bits: int, index: int):
    """RSA keys are kept on disk between runs: they protect nothing but test pages."""
    cached = KEY_CACHE / f"rsa{bits}-{index}.pem"
    if cached.exists():
        return serialization.load_pem_private_key(cached.read_bytes(), None)
    made = rsa.generate_private_key(65537, bits)
    KEY_CACHE.mkdir(parents=True, exist_ok=True)
    partial = cached.with_suffix(f".{id(made)}")
    partial.write_bytes(pem(made))
    partial.rename(cached)
    return made


def pem(private_key, form: str = "pkcs8", passphrase: bytes | None = None) -> bytes:
    """PEM text of a key; form is pkcs8 (PRIVATE KEY) or traditional (RSA/EC PRIVATE KEY)."""
    formats = {"pkcs8": serialization.PrivateFormat.PKCS8,
               "traditional": serialization.PrivateFormat.TraditionalOpenSSL}
    encryption = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return private_key.private_bytes(serialization.Encoding.PEM, formats[form], encryption)
