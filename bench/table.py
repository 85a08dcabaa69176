"""The results as plain text and as Markdown."""

from measure import Result

HEAD = ["operation", "plain", "mod_ssl", "mod_tls", "ratio (quartiles)", "TLS part", "target", ""]
# Others that were measured too, and what their columns are called.
PEERS = {"nginx": "nginx", "openssl35": "mod_ssl, OpenSSL 3.5"}
PEERS_AT = 3


def _value(result: Result, name: str) -> str:
    value = result.values.get(name)
    if value is None:
        return "-"
    return f"{value:.0f} {result.unit}" if value >= 100 else f"{value:.2f} {result.unit}"


def _cells(result: Result, ours: str, theirs: str) -> list[str]:
    ratio = result.ratio
    return [
        result.title,
        _value(result, "plain"),
        _value(result, theirs),
        _value(result, ours),
        f"{ratio.median:.2f} ({ratio.low:.2f}..{ratio.high:.2f})" if ratio else "-",
        f"{result.tls_ratio:.2f}" if result.tls_ratio is not None else "-",
        result.target,
        result.verdict,
    ]


def _rows(results: list[Result]) -> list[list[str]]:
    rows = []
    for result in results:
        names = [name for name in result.values if name != "plain"]
        ours = names[-1] if names else "mod_tls"
        theirs = names[0] if len(names) > 1 else "mod_ssl"
        rows.append(_cells(result, ours, theirs))
    return rows


def _table(results: list[Result], head: list[str]) -> list[list[str]]:
    """Head and rows, with a column for each peer that was measured."""
    head, rows = [*head], _rows(results)
    measured = [name for name in PEERS if any(name in result.values for result in results)]
    head[PEERS_AT:PEERS_AT] = [PEERS[name] for name in measured]
    for row, result in zip(rows, results):
        row[PEERS_AT:PEERS_AT] = [_value(result, name) for name in measured]
    return [head, *rows]


def text(results: list[Result]) -> str:
    """Columns of equal width; a note behind the last one."""
    rows = _table(results, HEAD)
    notes = ["", *(result.note for result in results)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row, note in zip(rows, notes):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths))
        lines.append(f"{line}  {note}".rstrip())
    return "\n".join(lines)


def markdown(results: list[Result]) -> str:
    """A table for docs/measurements.md."""
    head, *rows = _table(results, [*HEAD[:-1], "verdict"])
    rows = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
