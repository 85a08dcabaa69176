"""The table of what is measured: one entry a row, with its target."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import load
from agent import AgentDeaths, AgentLatency
from arms import Arm
from crowd import Crowd, idle, stalled
from deadresponder import DeadResponder
from ech import EchCost
from fleet import LARGE, SMALL, Fleet
from measure import CpuRow
from openloop import OpenLoop, storm
from proxy import proxy_rows
from special import IdleMemory, ModuleSize, SystemCalls, ManyHosts

SUITE_13 = "TLS_AES_128_GCM_SHA256"
SUITE_12 = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
X25519 = "X25519"


def _offer(version: str, suite: str, group: str = X25519) -> list[str]:
    """What the client offers, and insists on: the same in all arms."""
    # With TLS 1.2 OpenSSL takes an ECDSA certificate only if its curve is offered as a group.
    groups = group if version == "1.3" else f"{group},P-256"
    return [
        *("--versions", version, "--suites", suite, "--groups", groups),
        *("--expect-version", f"TLSv{version}", "--expect-suite", suite),
    ]


def _full(version: str, suite: str) -> Callable[[Fleet, Arm, int], load.Done]:
    """Connect, full handshake, close."""

    def run(fleet: Fleet, arm: Arm, count: int) -> load.Done:
        arguments = [*_offer(version, suite), "--connections", str(count), "--requests", "0"]
        return fleet.client.run(arm, [*arguments, "--expect-group", X25519, "--expect-resumed", "0"], count)

    return run


def _at_once(clients: int, one: Callable[[Fleet, Arm, int], load.Done]) -> Callable[[Fleet, Arm, int], load.Done]:
    """The same by so many clients at a time."""

    def run(fleet: Fleet, arm: Arm, count: int) -> load.Done:
        each = max(1, count // clients)
        with ThreadPoolExecutor(clients) as pool:
            done = list(pool.map(lambda _: one(fleet, arm, each), range(clients)))
        # Each saw the CPU of all that ended meanwhile; the last one's is nearest to the whole.
        return load.Done(each * clients, max(part.client_cpu_ns for part in done), done[0].summary)

    return run


def _post_quantum(fleet: Fleet, arm: Arm, count: int) -> load.Done:
    """As above; the hybrid group where the server knows it, X25519 with the others."""
    group = X25519 if arm.name in ("mod_ssl", "nginx") else "X25519MLKEM768"
    arguments = [*_offer("1.3", SUITE_13, group), "--connections", str(count), "--requests", "0"]
    return fleet.client.run(arm, [*arguments, "--expect-group", group, "--expect-resumed", "0"], count)


def _resumed(version: str, suite: str, mode: str) -> Callable[[Fleet, Arm, int], load.Done]:
    """Connect, resume, GET, close; the first connection of each run is a full handshake."""

    def run(fleet: Fleet, arm: Arm, count: int) -> load.Done:
        resumed = 0 if arm.name == "plain" else count - 1
        arguments = [*_offer(version, suite), "--connections", str(count), "--resume", mode]
        arguments += ["--path", "/small", "--expect-status", "200", "--expect-resumed", str(resumed)]
        return fleet.client.run(arm, arguments, count)

    return run


def _client_certificate(fleet: Fleet) -> list[str]:
    file = str(fleet.client_certificate())
    return ["--cert", file, "--key", file]


def _mutual(fleet: Fleet, arm: Arm, count: int) -> load.Done:
    """Connect, full handshake with certificates on both sides, close."""
    arguments = [*_offer("1.3", SUITE_13), *_client_certificate(fleet), "--connections", str(count)]
    return fleet.client.run(arm, [*arguments, "--requests", "0", "--expect-resumed", "0"], count)


def _variables(fleet: Fleet, arm: Arm, count: int) -> load.Done:
    """GETs of 1 KiB over one h1 connection with a client certificate, SSL_* variables for each."""
    arguments = [*_offer("1.3", SUITE_13), *_client_certificate(fleet), "--requests", str(count)]
    return fleet.client.run(arm, [*arguments, "--path", "/small", "--expect-status", "200"], count)


def _keep_alive(fleet: Fleet, arm: Arm, count: int) -> load.Done:
    """GETs of 1 KiB over one h1 connection."""
    arguments = [*_offer("1.3", SUITE_13), "--alpn", "http/1.1", "--requests", str(count), "--path", "/small"]
    return fleet.client.run(arm, [*arguments, "--expect-status", "200", "--expect-bytes", str(SMALL)], count)


def _h2_small(fleet: Fleet, arm: Arm, count: int) -> load.Done:
    """GETs of 1 KiB over one h2 connection, 16 streams at a time."""
    return load.h2load(arm, ["-c", "1", "-m", "16"], count, "/small")


def _download_h1(fleet: Fleet, arm: Arm, count: int) -> load.Done:
    arguments = [*_offer("1.3", SUITE_13), "--alpn", "http/1.1", "--requests", str(count), "--path", "/large"]
    return fleet.client.run(arm, [*arguments, "--expect-status", "200", "--expect-bytes", str(LARGE)], count)


def _download_h2(fleet: Fleet, arm: Arm, count: int) -> load.Done:
    return load.h2load(arm, ["-c", "1", "-m", "1"], count, "/large")


def _upload_h1(fleet: Fleet, arm: Arm, count: int) -> load.Done:
    """POSTs of 10 MiB to the handler that reads and throws away."""
    arguments = [*_offer("1.3", SUITE_13), "--alpn", "http/1.1", "--requests", str(count), "--path", "/sink"]
    return fleet.client.run(arm, [*arguments, "--upload", str(LARGE), "--expect-status", "204"], count)


def _upload_h2(fleet: Fleet, arm: Arm, count: int) -> load.Done:
    return load.h2load(arm, ["-c", "1", "-m", "1", "-d", str(fleet.docroot / "large")], count, "/sink")


def in_process_rows() -> list[CpuRow]:
    """Full handshakes once more, without the key agent: the targets are of a time before it."""
    kinds = [
        ("full13off", "TLS 1.3 ECDSA", 0.52, _full("1.3", SUITE_13), "ecdsa"),
        ("full12off", "TLS 1.2 ECDSA", 0.60, _full("1.2", SUITE_12), "ecdsa"),
        ("full13rsaoff", "TLS 1.3 RSA-2048", 0.70, _full("1.3", SUITE_13), "rsa"),
        ("full13pqoff", "TLS 1.3 X25519MLKEM768", 0.62, _post_quantum, "ecdsa"),
    ]
    return [CpuRow(name, f"`TLSKeyIsolation off`: full {title}", target, run, 1500, site=site, ours="in_process")
            for name, title, target, run, site in kinds]


ROWS = [
    CpuRow("full13", "connect, full TLS 1.3 ECDSA P-256 + X25519, close", 0.52, _full("1.3", SUITE_13), 1500,
           peer=True),
    CpuRow("full13x16", "full TLS 1.3 ECDSA, 16 clients at once", 0.60, _at_once(16, _full("1.3", SUITE_13)), 1600, peer=True),
    CpuRow("full12", "full TLS 1.2 ECDSA", 0.60, _full("1.2", SUITE_12), 1500, peer=True),
    CpuRow("full13rsa", "full TLS 1.3 RSA-2048", 0.70, _full("1.3", SUITE_13), 1500, site="rsa", peer=True),
    CpuRow("full13pq", "full TLS 1.3 X25519MLKEM768 (mod_ssl: X25519)", 0.62, _post_quantum, 1500, peer=True),
    *in_process_rows(),
    CpuRow("resumed13", "resumed TLS 1.3 + GET + close", 0.58, _resumed("1.3", SUITE_13, "newest"), 1500, peer=True),
    CpuRow("resumed12", "resumed TLS 1.2 by ticket + GET + close", 0.70, _resumed("1.2", SUITE_12, "newest"), 1500, peer=True),
    CpuRow(
        "resumed12id",
        "resumed TLS 1.2 by session id (shmcb) + GET + close",
        0.80,
        _resumed("1.2", SUITE_12, "session-id"),
        1500,
        site="cache",
    ),
    CpuRow("mutual", "full TLS 1.3 with client certificate", 0.60, _mutual, 1000, site="mutual", peer=True),
    CpuRow("variables", "h1 keep-alive request with StdEnvVars", 0.80, _variables, 4000, site="mutual"),
    CpuRow("h1small", "h1 keep-alive request, 1 KiB", 0.57, _keep_alive, 6000, peer=True),
    CpuRow("h2small", "h2 request, 1 KiB, 16 streams", 0.85, _h2_small, 6000, peer=True),
    CpuRow("h1down", "10 MiB download, h1", 0.42, _download_h1, 60, unit="ms", peer=True),
    CpuRow("h2down", "10 MiB download, h2", 0.70, _download_h2, 60, unit="ms", peer=True),
    SystemCalls("syscalls", "system calls for 10 MiB, h1", 400),
    CpuRow("h1up", "10 MiB upload, h1", 0.60, _upload_h1, 60, unit="ms"),
    CpuRow("h2up", "10 MiB upload, h2", 0.75, _upload_h2, 40, unit="ms"),
    CpuRow("agent13", "keys in the agent / in the children: full TLS 1.3 ECDSA", 1.08, _full("1.3", SUITE_13), 1500,
           theirs="in_process", floor=None),
    CpuRow("agent13x16", "keys in the agent / in the children: full TLS 1.3 ECDSA, 16 clients at once", 1.02,
           _at_once(16, _full("1.3", SUITE_13)), 1600, theirs="in_process", floor=None),
    CpuRow("agent13rsa", "keys in the agent / in the children: full TLS 1.3 RSA-2048", 1.06, _full("1.3", SUITE_13), 1500,
           site="rsa", theirs="in_process", floor=None),
    CpuRow("agentresumed", "keys in the agent / in the children: resumed TLS 1.3 + GET", 1.02,
           _resumed("1.3", SUITE_13, "newest"), 1500, theirs="in_process", floor=None),
    CpuRow("sslwords13", "SSL* words / TLS* words: full TLS 1.3 ECDSA", 1.03, _full("1.3", SUITE_13), 1500, ours="ssl_words",
           theirs="mod_tls", floor=None),
    CpuRow("sslwordsh1", "SSL* words / TLS* words: h1 keep-alive request, 1 KiB", 1.03, _keep_alive, 6000, ours="ssl_words",
           theirs="mod_tls", floor=None),
    AgentLatency("agentlatency", "latency of a full TLS 1.3 handshake: keys in the agent / in the children", 30,
                 handshakes=400),
    AgentDeaths("agentdeaths", "first handshake after the agent was killed", 500),
    EchCost("ech", "full TLS 1.3 handshake whose hello is encrypted (ECH)", 60, 3, _offer("1.3", SUITE_13), 1000),
    *proxy_rows(),
    OpenLoop("latency", "small requests on 16 open connections, 500 a second", 500, 5000),
    OpenLoop("latencystorm", "the same beside 8 clients that shake hands without end", 500, 5000, storm),
    DeadResponder("deadresponder", "full handshakes beside 50 clients that wait for a dead OCSP responder: p99", 1.2, 50, 400),
    IdleMemory("idle", "idle keep-alive connection above plain", 6.0, connections=1000),
    Crowd("idle10k", "10,000 idle connections: memory of each", 10_000, idle, 40),
    Crowd("stalled10k", "10,000 handshakes that do not go on: memory of each", 10_000, stalled, 24),
    ManyHosts("vhosts", "10,000 virtual hosts with own certificates", start=1.6, graceful=0.5, agent_kib=4.0, poll=0.01, hosts=10_000),
    ModuleSize("size", "mod_tls.so, stripped", 5.0),
]
