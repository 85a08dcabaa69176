#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Plants a fault for each fuzz target in a copy of the tree, and fuzzes until each is found.
usage: fuzz/planted.py [TARGET...]; a target that finds nothing within SECONDS has failed. Prints the rows of docs/robustness.md."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
COPY = TOP / "build" / "fuzz" / "planted"
SECONDS = 600
# Target: file, what stands there, what is put there instead, in words, and what is said by a target that finds it.
FAULTS = {
    "certificate": ("rust/core/src/x509/der.rs", "let value = content.get(..length)?;", "let value = &content[..length];",
                    "a length without its check", "x509/der.rs"),
    "ocsp": ("rust/core/src/x509/der.rs", "rest.split_at_checked(octets)?", "rest.split_at(octets)",
             "a length of a length without its check", "x509/der.rs"),
    "key": ("rust/core/src/x509/der.rs", "rest.split_at_checked(octets)?", "rest.split_at(octets)",
            "a length of a length without its check", "x509/der.rs"),
    "hello": ("rust/core/src/tls/reader.rs", "self.0.split_at_checked(length)?", "self.0.split_at(length)",
              "a length without its check", "tls/reader.rs"),
    "ticket": ("rust/core/src/ticket/session_state.rs", "[1] => Some(reader.client()?),", "[1 | 2] => Some(reader.client()?),",
               "two encodings of one session state", "resumption.rs"),
    "brotli": ("rust/core/src/compress/brotli.rs", "out.put(command.insert.extra_bits, command.insert.extra);",
               "out.put(command.insert.extra_bits, command.insert.extra & 0x1ff);", "runs of more than 1,600 literals cut short",
               "brotli.rs"),
    "pem": ("rust/core/src/creds/pem.rs", ".get(..start.len().saturating_sub(before.len()))",
            ".get(..start.len() - before.len() - 1)", "one octet too few", "creds/pem.rs"),
    "agent": ("rust/core/src/agent/protocol/wire.rs", "STATUSES.get(usize::from(code)).copied()",
              "Some(STATUSES[usize::from(code)])", "a status without its check", "protocol/wire.rs"),
    "orders": ("rust/core/src/agent/protocol/codec.rs", "self.0.split_at_checked(length).ok_or(Cut)?", "self.0.split_at(length)",
               "a length without its check", "protocol/codec.rs"),
    "http": ("rust/core/src/fetch/http.rs", "if taken.len() > self.most.saturating_sub(self.answer.content.len()) {",
             "if taken.len() > self.most {", "content that is bounded for each piece only", "fetch.rs"),
    "names": ("rust/core/src/fetch/resolve.rs", ".take(MOST_ADDRESSES)", ".take(MOST_RECORDS)", "more addresses than the bound",
              "fetch.rs"),
    "lists": ("rust/core/src/verify/revocation/list.rs", "let place = u32::try_from(offset).ok()?;",
              "let place = u32::try_from(offset + self.entries.len()).ok()?;", "entries that are read at the wrong place",
              "lists.rs"),
    "path": ("rust/core/src/verify/certificate.rs", "(Some(begin), _) if now < begin => Some(reason::NOT_YET_VALID),",
             "(Some(begin), _) if now + 86_400_000 < begin => Some(reason::NOT_YET_VALID),", "certificates that are accepted before they are valid",
             "path.rs"),
    "connection": ("rust/core/src/tls/session.rs", "self.incoming.discard(consumed);", "self.incoming.discard(consumed.min(4096));",
                   "octets that are read twice", "connection.rs"),
    "ech": ("rust/core/src/ech/inner.rs", "from.get(..from.len().checked_sub(r.0.len())?)?", "&from[..from.len() - r.0.len() + 1]",
            "one octet too many", "ech"),
    "ciphers": ("src/config/ciphers/cipher_language.cpp", "return order_.drop(match);", "return order_.kill(match);",
                "a suite that cannot come back", "does not hold"),
    "filters": ("src/conn/input.cpp", "if (!feed(data, length)) lose_input();", "if (!feed(data, length)) apr_brigade_cleanup(plain_);",
                "a failure that leaves a gap", "does not hold"),
    "directives": ("src/config/listener.cpp", "text.substr(0, colon)", "text.substr(colon + 3)", "the wrong end of an address",
                   "Assertion '"),
}
# Readers that others read by: their faults would be found by those.
READERS = ("certificate", "ocsp", "key", "hello")


def copy_tree() -> None:
    for part in ("rust", "src", "fuzz", "tests/unit", "tests/data", "tools", "Cargo.toml", "Cargo.lock", ".cargo", "dev", "tests/client"):
        source, copy = TOP / part, COPY / part
        if source.is_dir():
            shutil.rmtree(copy, ignore_errors=True)
            # As of now, so that what had a fault is built again without it.
            shutil.copytree(source, copy, copy_function=shutil.copy)
        else:
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)
    # What was built already of other crates serves here too.
    built, reused = TOP / "build" / "fuzz" / "target", COPY / "build" / "fuzz" / "target"
    if built.exists() and not reused.exists():
        shutil.copytree(built, reused, copy_function=os.link)


def plant(target: str) -> None:
    name, old, new, *_ = FAULTS[target]
    text = (COPY / name).read_text()
    if text.count(old) != 1:
        sys.exit(f"{name} does not have {old!r} once: plant another fault")
    (COPY / name).write_text(text.replace(old, new))


def find(target: str) -> str:
    log = COPY / "build" / "fuzz" / f"{target}.log"
    shutil.rmtree(COPY / "build" / "fuzz" / "corpus" / target, ignore_errors=True)
    log.unlink(missing_ok=True)
    done = subprocess.run([COPY / "tools" / "fuzz.sh", target, str(SECONDS)], capture_output=True, text=True)
    text = log.read_text(errors="replace") if log.exists() else done.stdout + done.stderr
    if done.returncode == 0 or "Test unit written" not in text:
        return f"NOT FOUND (code {done.returncode}): {text[-500:]}"
    where = re.search(r"(panicked at [^\n]*:|does not hold: [^\n(]*|terminate called[^\n]*|Assertion '[^\n]*|runtime error:[^\n]*|ERROR: AddressSanitizer: \S+)",
                      text)
    said = where[1].rstrip(":") if where else "a crash"
    if FAULTS[target][4] not in said:
        return f"NOT FOUND but something else: {said}"
    runs = re.findall(r"^#(\d+)", text, re.M)
    return f"{f'after {runs[-1]} inputs' if runs else 'by its seeds'}: {said}"


def round_of(targets: list[str]) -> int:
    """Faults of one copy, which is built once, and how many of them are not found."""
    failed = 0
    copy_tree()
    for name in {FAULTS[target][:3]: target for target in targets}.values():
        plant(name)
    for target in targets:
        said = find(target)
        failed += said.startswith("NOT")
        print(f"| `{target}` | {FAULTS[target][3]} (`{FAULTS[target][0]}`) | {said} |", flush=True)
    return failed


def main() -> int:
    targets = sys.argv[1:] or list(FAULTS)
    rounds = [[target for target in targets if (target in READERS) == readers] for readers in (True, False)]
    return 1 if sum(round_of(one) for one in rounds if one) else 0


if __name__ == "__main__":
    os.nice(10)
    sys.exit(main())
