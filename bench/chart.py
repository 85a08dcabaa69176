#!/usr/bin/env python3
"""Draws results (bench/run.py --json) as SVG: a group of bars for each row, mod_ssl's = 1, shorter is better. Five of
the rows are the README's figures.

  bench/chart.py docs/measurements.json     writes docs/pictures/speed.svg and the table in README.md
"""

import html
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Rows in the chart's order, and what they are called there.
ROWS = {
    "full13": "full TLS 1.3 handshake, ECDSA",
    "full13x16": "the same, 16 clients at once",
    "full13pq": "X25519MLKEM768 (others: X25519)",
    "full12": "full TLS 1.2 handshake, ECDSA",
    "mutual": "full TLS 1.3 with a client certificate",
    "resumed13": "resumed TLS 1.3, request",
    "h1small": "small request, HTTP/1.1",
    "h2small": "small request, HTTP/2",
    "h1down": "10 MiB download, HTTP/1.1",
    "h2down": "10 MiB download, HTTP/2",
    "h1up": "10 MiB upload, HTTP/1.1",
}
# Those of the README.
FIGURES = ("full13", "mutual", "resumed13", "h1small", "h1down")
SERVERS = {
    "mod_tls": "mod_tls",
    "mod_ssl": "mod_ssl",
    "openssl35": "mod_ssl, OpenSSL 3.5",
    "nginx": "nginx",
    "plain": "httpd without TLS",
}

WIDTH, LEFT, BAR, GAP, TOP, RIGHT = 780, 290, 11, 12, 64, 96

STYLE = """
text{font:13px system-ui,sans-serif;fill:#1f2328}.small{font-size:11px;fill:#59636e}.title{font-size:16px;font-weight:600}
.mod_tls{fill:#1a7f37}.mod_ssl{fill:#8c959f}.openssl35{fill:#afb8c1}.nginx{fill:#54aeff}.plain{fill:#d0d7de}.line{stroke:#d0d7de}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.small{fill:#9198a1}.mod_tls{fill:#3fb950}.mod_ssl{fill:#6e7681}
.openssl35{fill:#484f58}.nginx{fill:#388bfd}.plain{fill:#30363d}.line{stroke:#30363d}}
"""


def value(number: float, unit: str) -> str:
    """As people read it."""
    return f"{number:.0f} {unit}" if number >= 100 else f"{number:.3g} {unit}"


def share_of(row: dict, name: str) -> float:
    """What a server takes of mod_ssl's; of ours the median of the rounds, as the table has it."""
    if name == "mod_tls" and "ratio" in row:
        return row["ratio"]["median"]
    return row["values"][name] / row["values"]["mod_ssl"]


def svg(results: dict) -> str:
    """The picture; every figure in it is one of the results."""
    rows = {row["name"]: row for row in results["rows"]}
    chosen = [(rows[name], title) for name, title in ROWS.items() if name in rows]
    servers = [name for name in SERVERS if any(name in row["values"] for row, _ in chosen)]
    longest = max(share_of(row, name) for row, _ in chosen for name in row["values"])
    unit = (WIDTH - LEFT - RIGHT) / longest
    out, y = [], TOP
    for row, title in chosen:
        values = row["values"]
        own = [name for name in servers if name in values]
        height = BAR * len(own)
        out.append(f'<text x="{LEFT - 10}" y="{y + height / 2 + 4:.0f}" text-anchor="end">{html.escape(title)}</text>')
        for name in own:
            share = share_of(row, name)
            shown = value(values[name], row["unit"].replace("us", "\u00b5s"))
            width = max(1.0, share * unit)
            out.append(f'<rect class="{name}" x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR - 2}"/>')
            mark = f"{share:.2f}" if name != "mod_ssl" else "1"
            out.append(f'<text class="small" x="{LEFT + width + 4:.0f}" y="{y + BAR - 2}">{mark} \u00b7 {shown}</text>')
            y += BAR
        y += GAP
    legend, x = [], 12
    for name in servers:
        legend.append(f'<rect class="{name}" x="{x}" y="40" width="10" height="10"/>')
        legend.append(f'<text class="small" x="{x + 14}" y="49">{SERVERS[name]}</text>')
        x += 30 + 7 * len(SERVERS[name])
    one = LEFT + unit
    machine = results["machine"]
    foot = f"{machine['cpu']}; {machine['system']}, httpd {machine['httpd']}, OpenSSL {machine['openssl']}"
    if machine.get("nginx"):
        foot += f", {machine['nginx']}"
    foot += f"; medians of {results['rounds']} rounds"
    head = f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 24}" role="img"
 aria-label="Server CPU for each operation, mod_ssl = 1"><style>{STYLE}</style>
<text class="title" x="12" y="24">Server CPU for each operation, mod_ssl = 1; shorter is better</text>
<line class="line" x1="{one:.1f}" x2="{one:.1f}" y1="{TOP - 6}" y2="{y - GAP + 4}"/>"""
    end = f'<text class="small" x="12" y="{y + 14}">{html.escape(foot)}</text>\n</svg>\n'
    return "\n".join([head, *legend, *out, end])


def figures(results: dict) -> str:
    """The README's table."""
    rows = {row["name"]: row for row in results["rows"]}
    lines = ["| operation | mod_ssl | mod_tls | of mod_ssl's |", "|---|---|---|---|"]
    for name in FIGURES:
        row = rows[name]
        cells = [value(row["values"][server], row["unit"]) for server in ("mod_ssl", "mod_tls")]
        lines.append(f"| {ROWS[name]} | {cells[0]} | {cells[1]} | {share_of(row, 'mod_tls'):.2f} |")
    return "\n".join(lines)


def with_figures(readme: str, results: dict) -> str:
    """The README with them."""
    return re.sub(r"(<!-- figures:begin -->\n).*?(<!-- figures:end -->)", lambda found: f"{found[1]}{figures(results)}\n{found[2]}", readme,
                  flags=re.S)


def main() -> int:
    """Reads results and writes what is made of them."""
    results = json.loads(pathlib.Path(sys.argv[1]).read_text())
    (ROOT / "docs/pictures/speed.svg").write_text(svg(results))
    readme = ROOT / "README.md"
    readme.write_text(with_figures(readme.read_text(), results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
