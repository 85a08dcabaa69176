# SPDX-License-Identifier: Apache-2.0
"""The names of object identifiers are those of OpenSSL 3.0, all of them."""
import ctypes
import ctypes.util

from harness.paths import ROOT

LAST = 1500  # beyond OpenSSL's last number


def of_openssl() -> dict[str, tuple[str, str]]:
    library = ctypes.CDLL(ctypes.util.find_library("crypto"))
    library.OBJ_nid2obj.restype = ctypes.c_void_p
    library.OBJ_nid2sn.restype = library.OBJ_nid2ln.restype = ctypes.c_char_p
    names, text = {}, ctypes.create_string_buffer(200)
    for number in range(1, LAST):
        found = library.OBJ_nid2obj(number)
        if found and library.OBJ_obj2txt(text, len(text), ctypes.c_void_p(found), 1) > 0:
            names[text.value.decode()] = (library.OBJ_nid2sn(number).decode(), library.OBJ_nid2ln(number).decode())
    return names


def test_names_of_objects_are_those_of_openssl():
    rows = (line.split("\t") for line in (ROOT / "rust/core/src/x509/objects.txt").read_text().splitlines())
    ours, theirs = {dotted: (short, long) for dotted, short, long in rows}, of_openssl()
    assert len(theirs) > 900
    different = {dotted: (ours.get(dotted), names) for dotted, names in theirs.items() if ours.get(dotted) != names}
    assert not different
