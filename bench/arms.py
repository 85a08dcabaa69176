"""The servers that are compared: one httpd each, alike but for the TLS module."""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

HTTPD = shutil.which("apache2") or "/usr/sbin/apache2"
MODULES = pathlib.Path("/usr/lib/apache2/modules")
MOD_SSL = MODULES / "mod_ssl.so"
SERVER_CORE = 0
CLIENT_CORE = 1
# CPUCLOCK_SCHED of a whole process, threads that ended included: the sum of run times that
# /proc/PID/task/*/schedstat shows one by one, in nanoseconds. See clock_getcpuclockid(3).
CPUCLOCK_SCHED = 2

# One child, so that memory and CPU are of one process (and the parent, and the key agent); worker
# limits wide enough that the MPM neither starts another nor refuses an idle connection.
COMMON = """
ServerRoot {root}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule socache_shmcb_module {modules}/mod_socache_shmcb.so
LoadModule http2_module {modules}/mod_http2.so
LoadModule bench_sink_module {sink}
LoadModule proxy_module {modules}/mod_proxy.so
LoadModule proxy_http_module {modules}/mod_proxy_http.so
ServerLimit 1
StartServers 1
ThreadLimit 32
ThreadsPerChild 32
MaxRequestWorkers 32
MinSpareThreads 1
MaxSpareThreads 64
AsyncRequestWorkerFactor 200
MaxKeepAliveRequests 0
KeepAliveTimeout 300
Timeout 60
User www-data
Group www-data
PidFile {root}/httpd.pid
ErrorLog {root}/error.log
LogLevel warn
DocumentRoot {docroot}
ServerName localhost
Listen 127.0.0.1:{port}
Protocols h2 h2c http/1.1
<Directory />
AllowOverride None
</Directory>
<Location /sink>
SetHandler bench-sink
</Location>
"""


def build_sink(source: pathlib.Path, target: pathlib.Path) -> None:
    """Compiles the handler that swallows uploads."""
    includes = subprocess.run(["apr-1-config", "--includes", "--cppflags"], capture_output=True, text=True, check=True)
    command = ["g++", "-O2", "-shared", "-fPIC", "-I/usr/include/apache2", *includes.stdout.split()]
    subprocess.run([*command, str(source), "-o", str(target)], check=True)


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def accepts(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def ssl_words(port: int, certificate: pathlib.Path, engine: str = "", host: str = "") -> str:
    """One virtual host in mod_ssl's vocabulary; `engine` goes before it, `host` into it."""
    return f"""
{engine}
SSLSessionTickets on
<VirtualHost 127.0.0.1:{port}>
ServerName localhost
SSLEngine on
SSLCertificateFile {certificate}
{host}
</VirtualHost>
"""


def tls_words(port: int, certificate: pathlib.Path, engine: str = "", host: str = "") -> str:
    """The same in our own vocabulary."""
    return f"""
TLSEngine 127.0.0.1:{port}
{engine}
<VirtualHost 127.0.0.1:{port}>
ServerName localhost
TLSCertificate {certificate}
{host}
</VirtualHost>
"""


class Arm:
    """One running httpd."""

    # What starts httpd, and where its modules are.
    program: list[str] = [HTTPD]
    modules = MODULES

    def __init__(self, name: str, root: pathlib.Path, site: pathlib.Path, load: str, config):
        """`site`: holds htdocs and sink.so; `load`: the LoadModule line; `config(port,
        root)`: what follows the common part."""
        self.name = name
        self.tls = name != "plain"
        self.root = root
        self.port = free_port()
        self.process: subprocess.Popen | None = None
        root.mkdir(parents=True, exist_ok=True)
        root.chmod(0o755)
        common = COMMON.format(
            root=root, modules=self.modules, docroot=site / "htdocs", sink=site / "sink.so", port=self.port
        )
        (root / "httpd.conf").write_text(f"{common}\n{load}\n{config(self.port, root)}")

    @property
    def address(self) -> str:
        """What a client connects to."""
        return f"127.0.0.1:{self.port}"

    def start(self, timeout: float = 120) -> None:
        """Starts in the foreground on the server's core and waits until it accepts."""
        self.process = subprocess.Popen(
            ["taskset", "-c", str(SERVER_CORE), *self.program, "-DFOREGROUND", "-f", str(self.root / "httpd.conf")],
            stdout=subprocess.DEVNULL,
            stderr=(self.root / "stderr.log").open("wb"),
        )
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} did not start:\n{self.complaints()}")
            if accepts(self.port):
                return
            time.sleep(0.005)
        raise RuntimeError(f"{self.name} does not accept after {timeout} s")

    def stop(self) -> None:
        """Ends it and all its children."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            for pid in self.pids():
                os.kill(pid, signal.SIGKILL)
            self.process.wait(30)
        self.process = None

    def complaints(self) -> str:
        """The ends of its error log and of its standard error."""
        texts = []
        for name in ("stderr.log", "error.log"):
            path = self.root / name
            if path.exists():
                texts.append(path.read_text(errors="replace")[-2000:])
        return "\n".join(texts)

    def pids(self) -> list[int]:
        """The parent and everything below it (children, key agent)."""
        assert self.process is not None
        parents: dict[int, list[int]] = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                parents.setdefault(_parent_of(int(entry)), []).append(int(entry))
        found, todo = [], [self.process.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            todo += parents.get(pid, [])
        return found

    def cpu_ns(self) -> int:
        """CPU time of all its processes so far, read once it has come to rest."""
        last = -1
        for _ in range(100):
            total = sum(cpu_of(pid) for pid in self.pids())
            if last >= 0 and total - last < 100_000:
                return total
            last = total
            time.sleep(0.02)
        return last

    def pss_bytes(self) -> int:
        """Proportional set size of all its processes."""
        total = 0
        for pid in self.pids():
            try:
                text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            except OSError:
                continue
            match = re.search(r"^Pss:\s+(\d+) kB", text, re.M)
            total += int(match.group(1)) * 1024 if match else 0
        return total

    def worker_pid(self) -> int:
        """The child with the most threads: the one that serves."""
        return max(self.pids(), key=lambda pid: len(os.listdir(f"/proc/{pid}/task")))


def _parent_of(pid: int) -> int:
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return -1
    return int(stat.rpartition(")")[2].split()[1])


def cpu_of(pid: int) -> int:
    """CPU nanoseconds of a process so far; 0 when it has gone."""
    try:
        return time.clock_gettime_ns((~pid << 3) | CPUCLOCK_SCHED)
    except OSError:
        return 0
