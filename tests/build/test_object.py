# SPDX-License-Identifier: Apache-2.0
"""The shared object as it is loaded: what it shows, what it asks for, how it is linked."""
import re
import subprocess

import elf
import pytest
from harness.paths import HTTPD, ROOT, mod_tls_so

SO = mod_tls_so()
BASE_LIBRARIES = {"libstdc++.so.6", "libgcc_s.so.1", "libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
SANITIZERS = {"libasan.so.8", "libubsan.so.1", "libtsan.so.2"}
# What is there has 6.21 MiB; of that ML-DSA of AWS-LC, metrics with the status page, and Encrypted ClientHello have 0.4,
# OCSP with the process that fetches another 0.4, and lists that it fetches 0.1. What is shown of fetched things and of
# policies of backends, arithmetic of peers' numbers that cannot overflow, and what is said of some 150 mistakes, are the
# last 0.2.
MAX_STRIPPED = 6.25 * 1024 * 1024


def module_records() -> set[str]:
    """The records that src/apr/httpd.hpp declares visible."""
    header = (ROOT / "src/apr/httpd.hpp").read_text()
    return set(re.findall(r'visibility\("default"\)\)\)\s+extern\s+module\s+(\w+);', header))


def test_only_the_module_records_are_exported():
    assert "tls_module" in module_records()
    assert elf.defined(SO) == module_records()


def test_nothing_of_openssl_is_needed():
    sanitized = bool(elf.needed(SO) & SANITIZERS)
    assert elf.needed(SO) - BASE_LIBRARIES <= (SANITIZERS if sanitized else set())


def test_a_crypto_library_in_the_process_cannot_stand_in():
    """httpd may have libcrypto mapped. What we import must not be found there: aws-lc's names stay our own."""
    crypto = re.compile(r"^(SSL|EVP|CRYPTO|OPENSSL|RSA|EC|BN|X509|aws_lc)_")
    ours = {name: weak for name, weak in elf.imported(SO).items() if crypto.match(name)}
    assert all(weak for weak in ours.values()), f"needed from elsewhere: {ours}"
    # aws-lc calls these allocation hooks where a program defines them; httpd and its libraries do not.
    assert all(name.startswith("OPENSSL_memory_") for name in ours), ours
    for library in elf.libraries(HTTPD) | {HTTPD}:
        assert not set(ours) & elf.defined(library), f"{library} defines allocation hooks of aws-lc"


def test_it_stays_loaded_and_its_tables_are_read_only():
    assert {"NOW", "NODELETE"} <= elf.flags(SO)
    segments = elf.segments(SO)
    assert "GNU_RELRO" in segments
    assert segments["GNU_STACK"] == "RW"
    assert "TEXTREL" not in elf.flags(SO)


@pytest.mark.parametrize("symbol", ["__stack_chk_fail"])
def test_hardening_is_compiled_in(symbol):
    assert symbol in elf.imported(SO)


FLOOR = ROOT / "tools" / "floor.py"


def below_the_floor(*words) -> list[str]:
    done = subprocess.run([FLOOR, *map(str, words)], capture_output=True, text=True)
    assert (done.returncode == 0) == (done.stderr == "") and "Traceback" not in done.stderr, done.stderr
    return done.stderr.splitlines()


def test_it_asks_for_no_newer_library_than_the_oldest_system_has():
    """The package's own object, without packed relocations and without names of folders, is looked at when it is built (tools/package.sh)."""
    if not elf.needed(SO) & SANITIZERS:
        assert below_the_floor("--packed", SO) == []
    assert 'tools/floor.py "$tree/build/package/mod_tls.so" "$top"' in (ROOT / "tools/package.sh").read_text()


@pytest.mark.parametrize("flags,said", [
    ((), None),
    (("-Wl,-z,pack-relative-relocs",), ["needs GLIBC_ABI_DT_RELR", "has packed relocations"]),
    (("-DNEW",), ["needs GLIBC_2.36"]),
    (("-DNAMED",), ["/of/the/builder 2 times"]),
])
def test_what_would_not_run_everywhere_is_found(tmp_path, flags, said):
    source, made = tmp_path / "a.c", tmp_path / "a.so"
    source.write_text("""#include <stdio.h>
#include <sys/pidfd.h>
int tell(void) { return printf("%d", 1); }
void* pointers[] = {tell, tell, pointers};
#ifdef NEW
int newer(void) { return pidfd_open(1, 0); }
#endif
#ifdef NAMED
const char* names[] = {"/of/the/builder/a.c", "/of/the/builder/b.c"};
#endif
""")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", made, source, *flags], check=True)
    found = below_the_floor(made, "/of/the/builder/")
    assert len(found) == len(said or ()) and all(words in line for words, line in zip(said or (), found)), found
    packed = below_the_floor("--packed", made)
    assert packed == ([] if "-z" in str(flags) else [line for line in found if "names" not in line]), packed


def test_no_release_has_faults_on_demand():
    """src/inject and rust/bridge/src/inject.rs are for tests alone."""
    for name in ("mod_tls.so", "mod_tls.so.debug"):
        release = ROOT / "build/release" / name
        assert release.exists(), "./dev build"
        assert b"MOD_TLS_INJECT" not in release.read_bytes() and b"tls_inject" not in release.read_bytes()


def test_the_release_module_is_small():
    release = ROOT / "build/release/mod_tls.so"
    assert release.exists(), "./dev build"
    assert release.stat().st_size <= MAX_STRIPPED
