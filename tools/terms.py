#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The vocabulary of the code: words that were invented here and have a name in the field, and names that one type may
have. Prints FILE:LINE: WHAT for every breach and fails where there is one."""
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
# A word of ours, as a part of an identifier or alone in a comment, and what to say instead.
INVENTED = {
    "board": "update_log (certificates) or shared_key_store (ticket keys)",
    "lane": "key_ring",
    "sealer": "ticket_protector",
    "envelope": "session_state",
    "courier": "cache_workers",
    "errand": "request",
    "desk": "load_pass or queue",
    "shelf": "file_cache or shared_keys",
    "gift": "handover",
    "speaker": "log_sender",
    "succession": "respawn",
    "keyring": "signing_keys",
    "afterlife": "grace",
    "bury": "drop_expired",
    "birth": "inheritance",
    "generous": "unverified",
    "patience": "timeout",
    "primed": "staplable",
    "belief": "unverified",
    "catch_up": "apply_updates",
    "wish": "settings or key_sources",
}
INVENTED |= {
    "breaker": "circuit_breaker",
}
# These are English besides: no type, module or file is called so. What it does has a name in the field.
NAMES = {
    "assemble": "loader",
    "joined": "Load",
    "fitting": "key_matching",
    "judge": "server_verifier, client_verifier, or what it checks (SignerCheck)",
    "live": "current_certificates",
    "admit": "peer_check",
    "shape": "message_check, or what it does to the message (Rewrite)",
    "public": "certificate_codec",
    "replace": "reload_check",
    "notice": "log_relay",
    "running": "supervisor_handle",
    "hands": "StepIo",
    "next": "Step",
    "noise": "Expected",
    "scopes": "module_config",
    "stream": "TlsConnection",
    "history": "Provenance (of a session)",
    "run": "Load",
}
# Names that stay, each with its reason.
KEPT = {
    "rust/core/src/metrics/history.rs": "the counts of the past hour, which the page draws as a curve",
    "rust/core/examples/judge.rs": "a program that says what the verifier says, for comparison with OpenSSL's",
    "Notice": "what a process has to say to the administrator",
    "Scopes": "a limit's scopes: an address, a child, the server",
    "Run": "one run of a model of memory, which tries them all",
}
# Where such a word is somebody else's: httpd's scoreboard, HPKE's sealer, a dashboard, names of data.
FOREIGN = re.compile(r"scoreboard|[Cc]ircuit.?[Bb]reakers?|[Dd]ashboard|sealer: Box<dyn HpkeSealer>|HpkeSealer|setup_sealer|\bsealer,$|self\.sealer\.seal\(&aad|"
                     r"\(enc, sealer\)|OfBirth|GENEROUS|verify-generous|proxy-belief")
# A type that is seen outside its file has its name to itself, in both languages; the boundary (rust/bridge) has a form of
# its own of what crosses it. These names stay, because of what they name:
SHARED = {name: why for why, names in {
    "what a reader says of what it reads, written with the reader's module (http::Fault)": "Fault Refusal",
    "the reader or writer of one encoding, which one module knows": "Reader Writer Parsed",
    "one side of an exchange, each of a protocol of its own": "Answer Question Request Order Status",
    "what a lookup gives, in the module that looks": "Found Outcome Offer Wants Stapled",
    "what has come of a look or an order, for who made it": "News Made Held",
    "what a process or connection is in, private to its protocol": "State Context Facts",
    "httpd's parent as one process that was forked from it sees it": "Parent Family Ends",
    "what a room is configured with": "Settings Spec Rules Limits Source Store",
    "the field's word for two things: a host of a URL, and a virtual host; a key of ECH, of a result, of a signature": "Host Key",
    "a kind of what the module is about": "Kind Suite",
    "a bound of rustls' own buffers, and one of a verifier's work": "Exhausted",
    "the same thing on both sides of the boundary, in one order": "Severity Side",
    "a page of shared memory, and a channel of it": "Words Sealed",
}.items() for name in names.split()}
ONE_TYPE = ("Certificate", "Pair", "Identity", "Binding", "Verdict", "Watch", "Engine", "Problem", "Board", "Wish", "Running")
TYPE = re.compile(r"\b(?:struct|enum|enum class|class|union|trait)\s+(%s)\b(?!\s*;)" % "|".join(ONE_TYPE))
# Types that other files see.
VISIBLE = {".rs": re.compile(r"^pub(?:\(crate\))? (?:struct|enum|union|trait|type) ([A-Z]\w*)", re.M),
           ".hpp": re.compile(r"^(?:struct|enum class|enum|class|union) (?:\[\[\w+\]\] )?([A-Z]\w*)\b(?!\s*;)[^;(]*\{", re.M)}
TEST = re.compile(r"tests|testing|^src/inject/|^fuzz/|^rust/core/(?:examples|benches)/")
# A word stands alone, or between underscores, or as a word of CamelCase.
WORD = {word: re.compile(r"(?<![A-Za-z]){0}(?:s|ed)?(?![a-z])|{1}s?(?![a-z])|(?<![A-Z]){2}S?(?![A-Z])".format(
    word, "".join(part.capitalize() for part in word.split("_")), word.upper())) for word in INVENTED}


def sources():
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "--", "src", "rust", "fuzz/*.rs", "fuzz/*.cpp", "docs/*.md"],
                         cwd=TOP, capture_output=True, text=True, check=True).stdout
    kinds = (".rs", ".cpp", ".hpp", ".def", ".md")
    return [TOP / name for name in out.split("\n") if name.endswith(kinds) and (TOP / name).exists()]


def words(name, text):
    """Each invented word of a text."""
    for number, line in enumerate(text.splitlines(), 1):
        line = FOREIGN.sub("", line)
        for word, instead in INVENTED.items():
            if WORD[word].search(line):
                yield name, number, f"“{word}”: {instead}"


NAMED = re.compile(r"\b(?:struct|enum|enum class|class|union|trait|type|mod|namespace)\s+(\w+)")


def names(name, text):
    """Each type, module or file that is called by an English word of no field."""
    stem = name.stem if name.stem not in ("mod", "lib") else name.parent.name
    if stem in NAMES and str(name) not in KEPT:
        yield name, 1, f"a file “{name.name}”: {NAMES[stem]}"
    for number, line in enumerate(text.splitlines(), 1):
        for found in NAMED.finditer(re.sub(r"//.*", "", line)):
            word = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", found[1]).lower()
            if word in NAMES and found[1] not in KEPT and not any(kept.endswith(f"/{found[1]}.rs") for kept in KEPT):
                yield name, number, f"the name “{found[1]}”: {NAMES[word]}"


def homonyms(texts):
    """Each type of a name that another type has."""
    seen = {}
    for name, text in texts:
        if name.parts[:2] == ("rust", "bridge"):
            continue
        code = re.sub(r"//[^\n]*", "", text)
        found = [(found[1], found.start()) for found in TYPE.finditer(code)]
        if name.suffix in VISIBLE and not TEST.search(str(name)):
            found += [(found[1], found.start(1)) for found in VISIBLE[name.suffix].finditer(code.split("\nmod tests {")[0])
                      if found[1] not in SHARED and found[1] not in ONE_TYPE]
        for word, at in found:
            place = name, code.count("\n", 0, at) + 1
            first = seen.setdefault(word, place)
            if first != place:
                yield *place, f"a second type {word}; the first is in {first[0]}:{first[1]}"


def stale(texts):
    """Names with a reason to stay that nothing shares any more."""
    shown = {}
    for name, text in texts:
        if name.suffix in VISIBLE and name.parts[:2] != ("rust", "bridge") and not TEST.search(str(name)):
            code = re.sub(r"//[^\n]*", "", text).split("\nmod tests {")[0]
            for found in VISIBLE[name.suffix].finditer(code):
                shown[found[1]] = shown.get(found[1], 0) + 1
    for name in SHARED:
        if shown.get(name, 0) < 2:
            yield pathlib.Path("tools/terms.py"), 1, f"{name} is the name of one type by now"
    named = {found[1] for name, text in texts for found in NAMED.finditer(text)} | {str(name) for name, _ in texts}
    for name in KEPT:
        if name not in named and not (TOP / name).is_file():
            yield pathlib.Path("tools/terms.py"), 1, f"{name} is no name any more"


def main():
    texts = [(path.relative_to(TOP), path.read_text()) for path in sources()]
    code = [(name, text) for name, text in texts if name.suffix != ".md"]
    found = [breach for name, text in texts for breach in words(name, text)] + list(homonyms(texts))
    found += stale(texts)
    found += [breach for name, text in code for breach in names(name, text)]
    for name, number, what in found:
        print(f"{name}:{number}: {what}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
