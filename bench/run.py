#!/usr/bin/env python3
"""Measures mod_tls beside Debian's mod_ssl and plain HTTP, and prints the table of targets.

Must run as root (it starts httpd, which changes its user, and reads other processes' memory
figures). Rows and rounds can be chosen, so that a single question is answered in seconds:
  bench/run.py --rows full13,h1down --rounds 3 --scale 0.2
"""

import argparse
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile

import peers
from fleet import Fleet
from load import LoadError
from report import as_json
from rows import ROWS
from table import markdown, text

TOP = pathlib.Path(__file__).resolve().parent.parent


def options() -> argparse.Namespace:
    """The command line."""
    names = ", ".join(row.name for row in ROWS)
    parser = argparse.ArgumentParser(description="Measure mod_tls beside mod_ssl.", epilog=f"rows: {names}")
    parser.add_argument("--rows", help="comma-separated; default all")
    parser.add_argument("--rounds", type=int, default=9, help="per row (default 9; fewer prove nothing)")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the operations per round")
    parser.add_argument("--module", type=pathlib.Path, default=TOP / "build/release/mod_tls.so")
    parser.add_argument("--client", type=pathlib.Path, help="default: built by cargo in target/release")
    parser.add_argument("--against", type=pathlib.Path, help="another mod_tls.so in mod_ssl's place")
    parser.add_argument("--ssl-words", action="store_true", help="configure mod_tls in mod_ssl's vocabulary")
    parser.add_argument("--peers", action="store_true", help="measure nginx, and mod_ssl of Debian 13, too")
    parser.add_argument("--json", type=pathlib.Path, help="write the results to this file; bench/chart.py draws them")
    parser.add_argument("--markdown", type=pathlib.Path, help="write the table for docs/measurements.md to this file")
    parser.add_argument("--keep", action="store_true", help="keep configurations and logs")
    return parser.parse_args()


def client_binary() -> pathlib.Path:
    """Builds the client with optimisation: a slow one lets the server idle between packets."""
    command = ["cargo", "build", "--locked", "--release", "--quiet", "-p", "tls-client"]
    subprocess.run(command, cwd=TOP, check=True)
    return TOP / "target/release/tls-client"


def chosen(names: str | None) -> list:
    """The rows asked for, in the table's order."""
    if names is None:
        return ROWS
    wanted = names.split(",")
    unknown = set(wanted) - {row.name for row in ROWS}
    if unknown:
        sys.exit(f"no such row: {', '.join(sorted(unknown))}")
    return [row for row in ROWS if row.name in wanted]


def tell(line: str) -> None:
    """Progress, apart from the table on standard output."""
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    """Runs the rows; the exit status says whether all of them could be measured."""
    args = options()
    if not args.module.exists():
        sys.exit(f"{args.module} is missing: build it first (./dev build)")
    if args.peers and not peers.available():
        sys.exit("--peers needs nginx: apt install nginx-light")
    open_files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, open_files))
    client = args.client or client_binary()
    work = pathlib.Path(tempfile.mkdtemp(prefix="tls-bench-"))
    work.chmod(0o755)
    fleet = Fleet(work, args.module.resolve(), client)
    fleet.against = args.against.resolve() if args.against else None
    fleet.ssl_words = args.ssl_words
    fleet.peers = args.peers
    results, measured, failed = [], [], []
    try:
        for row in chosen(args.rows):
            try:
                results.append(row.run(fleet, args.rounds, args.scale, tell))
                measured.append(row.name)
            except (LoadError, RuntimeError, OSError, subprocess.SubprocessError) as error:
                failed.append(row.name)
                tell(f"{row.name}: NOT MEASURED: {error}")
    finally:
        fleet.stop()
        if args.keep:
            tell(f"kept: {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)
    print(text(results))
    if args.markdown:
        args.markdown.write_text(markdown(results) + "\n")
    if args.json:
        args.json.write_text(as_json(measured, results, args.rounds))
    if failed:
        print(f"not measured: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
