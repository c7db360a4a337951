# SPDX-License-Identifier: Apache-2.0
"""The servers that are compared: how each is found, started on one core, and stopped."""

import contextlib
import dataclasses
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import threading
import time

BENCH = pathlib.Path(__file__).resolve().parent.parent
START_SECONDS = 10
STOP_SECONDS = 5

READY = r"listening on ((?:wss|https)://[^/\s]+)/"
API_KEY = "bench"  # as in peers/fairlead.toml

# Lifted so that what is measured is the work, not a refusal; the other peers' programs lift theirs likewise.
FAIRLEAD_LIMITS = ["--max-message", "16M", "--queue-bytes", "64M", "--max-connections-per-address", "unlimited"]


@dataclasses.dataclass(frozen=True)
class Peer:
    """A server program. `command` gets --port, --cert, --key and perhaps --compress appended, or what `kind` says."""

    name: str
    command: tuple
    version: str
    needs: pathlib.Path | None = None
    kind: str = ""  # "echo", "serve": verbs of ours; "nats": all that it is told stands in a file; "bare": it is told nothing
    ready: str = READY

    def arguments(self, cert, key, compress):
        where = ["--listen", "127.0.0.1:0", "--cert", cert, "--key", key, "--threads", "1"]
        if self.kind == "echo":
            more = ["--quiet", "--drain", "0", *FAIRLEAD_LIMITS]
            return [*self.command, *where, *more, *(["--compress"] if compress else [])]
        if self.kind == "serve":
            return [*self.command, *where, "--config", str(BENCH / "peers/fairlead.toml")]
        if self.kind == "bare":
            return [*self.command]
        if self.kind == "nats":
            return [*self.command, "--config", str(nats_configuration(cert, key))]
        return [*self.command, "--port", "0", "--cert", cert, "--key", key, *(["--compress"] if compress else [])]


class DidNotStart(Exception):
    """With what the server said."""


class Server:
    """A running peer, pinned to one core. `url(path)` and `pid` are good until `stop`."""

    def __init__(self, peer, core, cert, key, compress=False):
        self.peer = peer
        command = ["taskset", "-c", str(core), *peer.arguments(str(cert), str(key), compress)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=BENCH)
        self.pid = self.process.pid
        self.base = self._wait_until_ready()

    def _wait_until_ready(self):
        deadline = time.monotonic() + START_SECONDS
        said = ""
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self.process.stdout], [], [], left)[0]:
                break
            more = os.read(self.process.stdout.fileno(), 65536).decode(errors="replace")
            if not more:
                break
            said += more
            if found := re.search(self.peer.ready, said):
                threading.Thread(target=self._drain, daemon=True).start()
                return found[1]
        self.stop()
        raise DidNotStart(f"{self.peer.name} did not start: {said.strip() or 'it says nothing'}")

    def _drain(self):
        """Whatever it says later must not fill the pipe and stop it."""
        with contextlib.suppress(ValueError, OSError):
            while os.read(self.process.stdout.fileno(), 65536):
                pass

    def url(self, path):
        return self.base + path

    def port(self):
        return self.base.rsplit(":", 1)[1]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def bun_binary():
    """The npm package's binary for this machine, wherever npm put it: the first that runs."""
    for path in sorted(BENCH.glob("node_modules/@oven/bun-*/bin/bun")):
        if output_of(path, "--version"):
            return path
    return None


def package_version(package):
    return output_of("dpkg-query", "-W", "-f", "${Version}", package) or "unknown"


def npm_version(package):
    found = re.search(r'"version":\s*"([^"]+)"', (BENCH / "node_modules" / package / "package.json").read_text())
    return found[1] if found else "unknown"


def find_peers(fairlead, programs):
    """All peers that can run here, ours first, and the reasons why others cannot."""
    found, missing = [], []
    version = output_of(fairlead, "version").split("\n")[0] or "unknown"
    found.append(Peer("fairlead", (str(fairlead), "echo"), version, kind="echo"))

    bun = bun_binary()
    if bun:
        found.append(Peer("bun", (str(bun), str(BENCH / "peers/bun.mjs")), "Bun " + output_of(bun, "--version")))
    else:
        missing.append("bun: npm has no binary of it that runs on this machine")

    node = shutil.which("node")
    if node and (BENCH / "node_modules/ws").is_dir():
        version = f"ws {npm_version('ws')} on Node {output_of(node, '--version')}"
        found.append(Peer("node-ws", (node, str(BENCH / "peers/node_ws.mjs")), version))
    else:
        missing.append("node-ws: node or the npm package ws is missing")

    for name, package in (("beast", "libboost1.81-dev"), ("libwebsockets", "libwebsockets-dev")):
        program = programs / f"bench_peer_{name}"
        if program.exists():
            found.append(Peer(name, (str(program),), f"{package} {package_version(package)}"))
        else:
            missing.append(f"{name}: {program.name} was not built")
    return found, missing


def nats_configuration(cert, key):
    """nats-server takes no option for its WebSocket listener. Beside the certificate, which the run removes."""
    path = pathlib.Path(cert).parent / "nats.conf"
    path.write_text(f"""listen: "127.0.0.1:-1"
max_connections: 100000
websocket {{
  listen: "127.0.0.1:-1"
  compression: false
  tls {{ cert_file: "{cert}", key_file: "{key}", cipher_suites: ["TLS_AES_128_GCM_SHA256"] }}
}}
""")
    return path


def find_channel_peers(fairlead):
    """Those that have channels: `fairlead serve`, Bun's topics, and NATS over WebSocket."""
    version = output_of(fairlead, "version").split("\n")[0] or "unknown"
    found, missing = [Peer("fairlead", (str(fairlead), "serve"), version, kind="serve")], []
    bun = bun_binary()
    if bun:
        found.append(Peer("bun", (str(bun), str(BENCH / "peers/bun_channels.mjs")), "Bun " + output_of(bun, "--version")))
    else:
        missing.append("bun: npm has no binary of it that runs on this machine")
    nats = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin")
    if nats:
        found.append(Peer("nats-server", (nats,), f"nats-server {package_version('nats-server')}", kind="nats",
                          ready=r"Listening for websocket clients on (wss://\S+)"))
    else:
        missing.append("nats-server: the package is missing")
    return found, missing


def fanout_peer(peer, programs):
    """`fairlead echo` does not broadcast: for the fan-out our own peer is a small program over the public API."""
    if peer.kind != "echo":
        return peer
    return Peer(peer.name, (str(programs / "bench_peer_fairlead"),), peer.version)
