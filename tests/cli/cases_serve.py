# SPDX-License-Identifier: Apache-2.0
# `fairlead serve` as its operator meets it: where it listens, which setting wins, reloading, ending, service managers.
import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import harness
from harness import FAIRLEAD, PATIENCE_SECONDS, Serving, case, contains, context, equal, lacks, run, wait_for

KEY = "the-key-of-the-api"
# Each test writes what it needs of it; the file is read again on SIGHUP.
CONFIGURATION = """
[listen]
secure = ["localhost:0"]
[client]
allow_anonymous_connect_without_token = true
[http_api]
key = "the-key-of-the-api"
[shutdown]
timeout = "1s"
[channel.without_namespace]
presence = true
history_size = 100
history_ttl = "1h"
allow_recovery = true
allow_subscribe_for_client = true
allow_subscribe_for_anonymous = true
allow_history_for_subscriber = true
allow_history_for_anonymous = true
[[channel.namespaces]]
name = "quiet"
allow_subscribe_for_client = true
allow_subscribe_for_anonymous = true
"""


def write_configuration(text=CONFIGURATION, name="fairlead.toml"):
    path = harness.HOME / name
    path.write_text(text)
    return path


def serving(*arguments, text=CONFIGURATION):
    """`fairlead serve` with a configuration; its log's first lines are known once it listens."""
    return Serving("--config", write_configuration(text), *arguments, verb="serve", listen=None)


def call(server, method, body, key=KEY, port=None):
    """The status and the JSON that the HTTP API answers."""
    request = urllib.request.Request(f"https://localhost:{port or server.port}/api/{method}", json.dumps(body).encode(),
                                     {"X-API-Key": key, "Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, context=context(), timeout=PATIENCE_SECONDS) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, None


class Subscribing:
    """`fairlead subscribe` in the background: what it prints, line by line."""

    def __init__(self, server, *arguments):
        command = [FAIRLEAD, "subscribe", *arguments, "--verbose", "--ca", "dev", "--url", f"https://localhost:{server.port}"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, bufsize=0)  # what select and readline see is the same

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    def _line(self, stream):
        assert select.select([stream], [], [], PATIENCE_SECONDS)[0], "nothing was printed"
        return stream.readline().decode().rstrip("\n")

    def line(self):
        return self._line(self.process.stdout)

    def remark(self):
        return self._line(self.process.stderr)

    def remarked(self, what):
        """Reads remarks until one has `what` in it."""
        for _ in range(20):
            line = self.remark()
            if what in line:
                return line
        raise AssertionError(f"was not remarked: {what}")

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)


def first_lines(process, count):
    lines = []
    for _ in range(count):
        assert select.select([process.stdout], [], [], PATIENCE_SECONDS)[0], f"only {lines}"
        lines.append(os.read(process.stdout.fileno(), 4096).decode())
        if "".join(lines).count("\n") >= count:
            break
    return "".join(lines).splitlines()


@case
def serve_prints_one_line_for_each_listener():
    command = [FAIRLEAD, "serve", "--config", write_configuration(), "--listen", "localhost:0", "--listen", "127.0.0.1:0",
               "--insecure-cleartext-listen", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        lines = first_lines(process, 3)
        process.send_signal(signal.SIGTERM)
        log = process.stderr.read().decode()
        equal(process.wait(PATIENCE_SECONDS), 0)
    equal([line.split(":")[0] for line in lines], ["listening on https", "listening on https", "listening on http"])
    contains(log, "127.0.0.1:0 is cleartext", "reads and changes everything")


def first_answer(address, port, request=b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"):
    """What a peer without TLS is told, to the end."""
    with socket.create_connection((address, port), timeout=PATIENCE_SECONDS) as plain:
        plain.sendall(request)
        told = b""
        try:
            while piece := plain.recv(4096):
                told += piece
        except ConnectionResetError:
            pass
        return told


UPGRADE = (b"GET /connection/websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")


@case
def serve_speaks_cleartext_on_ipv4_and_ipv6_where_it_is_told_to_and_nowhere_else():
    for address, where in (("127.0.0.1", "127.0.0.1:0"), ("::1", "[::1]:0")):
        command = [FAIRLEAD, "serve", "--config", write_configuration(), "--listen", where, "--insecure-cleartext-listen", where]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            try:
                lines = first_lines(process, 2)
                secure, cleartext = (int(line.rstrip("/").rsplit(":", 1)[1]) for line in lines)
                equal([line.split("//")[0] for line in lines], ["listening on https:", "listening on http:"])
                contains(first_answer(address, cleartext), b"HTTP/1.1 200 ")
                with socket.create_connection((address, cleartext), timeout=PATIENCE_SECONDS) as client:
                    client.sendall(UPGRADE)
                    contains(client.recv(4096), b"HTTP/1.1 101 ")
                # Beside it, what is not named so stays TLS alone: in cleartext it says that, and nothing else.
                for request in (b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", UPGRADE):
                    told = first_answer(address, secure, request)
                    contains(told, b"HTTP/1.1 400 ")
                    lacks(told, b" 200 ", b" 101 ", b"{}")
                process.send_signal(signal.SIGTERM)
                log = process.stderr.read().decode()
                equal(process.wait(PATIENCE_SECONDS), 0)
            finally:
                process.kill()
        contains(log, f"{where} is cleartext", "reads and changes everything")
    # No shorter or quieter name leads there.
    for quiet in (("--cleartext-listen", "[::1]:0"), ("--cleartext",), ("--set", "listen.cleartext=[::1]:0")):
        run("serve", "--config", write_configuration(), *quiet, status=2)
    contains(run("serve", "--config", write_configuration(), "--listen", "http://[::1]:0", status=None)[1], "http://[::1]:0")


@case
def serve_without_configuration_prints_new_secrets_once():
    command = [FAIRLEAD, "serve", "--listen", "localhost:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        lines = first_lines(process, 5)
        process.send_signal(signal.SIGTERM)
        log = process.stderr.read().decode()
        equal(process.wait(PATIENCE_SECONDS), 0)
    secrets = [line.split()[-1] for line in lines[1:4]]
    contains("\n".join(lines), "http_api.key", "admin.password", "hmac_secret_key", "listening on https://localhost:")
    lacks(log, *secrets)


@case
def serve_suggests_the_nearest_key():
    path = write_configuration(CONFIGURATION.replace("presence =", "presense ="), "typing.toml")
    _, err = run("serve", "--config", path, status=2)
    contains(err, "channel.without_namespace.presense is not a key", "did you mean channel.without_namespace.presence?")
    contains(run("serve", "--config", harness.HOME / "nowhere.toml", status=2)[1], "cannot read", "nowhere.toml")
    contains(run("serve", "--config", write_configuration(), "--set", "http_api.kee=x", status=2)[1], "http_api.key")
    contains(run("serve", "--set", "nonsense", status=2)[1], "KEY=VALUE")
    contains(run("serve", "--engine", "etcd", status=2)[1], "sqlite:PATH")


@case
def serve_takes_the_environment_before_the_file_and_flags_before_both():
    os.environ["FAIRLEAD_HTTP_API_KEY"] = "of-the-environment"
    try:
        with serving() as server:
            equal(call(server, "info", {})[0], 401)
            equal(call(server, "info", {}, "of-the-environment")[0], 200)
        with serving("--set", "http_api.key=of-a-flag") as server:
            equal(call(server, "info", {}, "of-the-environment")[0], 401)
            equal(call(server, "info", {}, "of-a-flag")[0], 200)
    finally:
        del os.environ["FAIRLEAD_HTTP_API_KEY"]


@case
def serve_says_in_one_sentence_why_it_does_not_start():
    config = write_configuration()
    bad = harness.HOME / "no-certificate.pem"
    bad.write_text("nothing of the kind\n")
    key = harness.HOME / "server.key"
    _, err = run("serve", "--config", config, "--cert", bad, "--key", key, status=None)
    contains(err, "no-certificate.pem")
    equal(err.count("fairlead:"), 1)
    _, err = run("serve", "--config", config, "--cert", harness.HOME / "server.pem", "--key", harness.HOME / "other.key", status=None)
    equal(err.count("fairlead:"), 1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        _, err = run("serve", "--config", config, "--listen", f"127.0.0.1:{port}", status=None)
        contains(err, str(port))
        equal(err.count("fairlead:"), 1)
    _, err = run("serve", "--config", config, "--engine", "sqlite:/proc/nowhere/fairlead.db", status=15)
    contains(err, "/proc/nowhere/fairlead.db", "cannot be opened")
    equal(err.count("fairlead:"), 1)


@case
def serve_reloads_a_namespace_and_keeps_its_clients():
    with serving() as server, Subscribing(server, "news") as client:
        client.remarked("subscribed to news")
        equal(call(server, "presence", {"channel": "quiet:x"})[1]["error"]["code"], 108)
        write_configuration(CONFIGURATION + "presence = true\n")
        server.send(signal.SIGHUP)
        wait_for(lambda: "reloaded" in server.log(), "a reload")
        contains(call(server, "presence", {"channel": "quiet:x"})[1], "result")
        equal(call(server, "publish", {"channel": "news", "data": 1})[0], 200)
        equal(client.line(), "1")


@case
def serve_bounds_the_connections_of_one_address():
    with serving(text=CONFIGURATION.replace("[listen]", "[listen]\nconnections_per_address = 2")) as server:
        kept = [socket.create_connection(("127.0.0.1", server.port), PATIENCE_SECONDS) for _ in range(2)]
        with socket.create_connection(("127.0.0.1", server.port), PATIENCE_SECONDS) as third:
            equal(third.recv(1), b"")
        wait_for(lambda: "too_many_connections_per_address" in server.log(), "the refusal in the log")
        for one in kept:
            one.close()

        def served():
            try:
                return call(server, "info", {})[0] == 200
            except OSError:  # the server has not seen yet that they are closed
                return False

        wait_for(served, "a place that is given back")


@case
def serve_refuses_a_broken_file_and_goes_on():
    with serving() as server, Subscribing(server, "news") as client:
        client.remarked("subscribed to news")
        write_configuration(CONFIGURATION.replace("presence =", "presense ="))
        server.send(signal.SIGHUP)
        wait_for(lambda: "not reloaded" in server.log(), "a refusal")
        contains(server.log(), "channel.without_namespace.presence?")
        write_configuration("[[[ not toml")
        server.send(signal.SIGHUP)
        wait_for(lambda: server.log().count("not reloaded") == 2, "a second refusal")
        contains(call(server, "presence", {"channel": "news"})[1], "result")
        equal(call(server, "publish", {"channel": "news", "data": {"a": "still here"}})[0], 200)
        equal(json.loads(client.line()), {"a": "still here"})
        lacks(server.log(), KEY)


@case
def serve_drains_on_sigterm():
    with serving() as server, Subscribing(server, "news", "--no-reconnect") as client:
        client.remarked("subscribed to news")
        equal(server.end(signal.SIGTERM), 0)
        contains(client.remarked("closed"), "3001")
        equal(client.process.wait(PATIENCE_SECONDS), 13)
        contains(server.err, "draining", "drained 1 clients")


@case
def serve_ends_at_once_on_a_second_signal():
    with serving("--set", "shutdown.timeout=10m") as server, Subscribing(server, "news", "--no-reconnect") as client:
        client.remarked("subscribed to news")
        server.send(signal.SIGTERM)
        wait_for(lambda: "draining" in server.log(), "the drain")
        equal(server.end(signal.SIGINT), 0)


def status_of(server, path):
    try:
        with urllib.request.urlopen(f"https://localhost:{server.port}{path}", context=context(), timeout=PATIENCE_SECONDS) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


@case
def serve_is_healthy_but_not_ready_while_it_drains():
    # Of two clients of one loop the second is sent away after a fiftieth of the window.
    with serving("--set", "shutdown.timeout=60m", "--set", "listen.threads=1") as server, \
            Subscribing(server, "news", "--no-reconnect") as one, Subscribing(server, "news", "--no-reconnect") as other:
        for client in (one, other):
            client.remarked("subscribed to news")
        equal([status_of(server, "/health"), status_of(server, "/ready")], [200, 200])
        server.send(signal.SIGTERM)
        wait_for(lambda: status_of(server, "/ready") == 503, "the end of being ready")
        equal(status_of(server, "/health"), 200)
        equal(server.end(signal.SIGINT), 0)


@case
def serve_logs_lines_of_json_when_told_to():
    with serving("--set", "log.format=json", "--set", "log.level=info") as server:
        server.send(signal.SIGHUP)
        wait_for(lambda: "reloaded" in server.log(), "a reload")
        lines = [json.loads(line) for line in server.log().splitlines()]
        assert all({"time", "level", "message"} <= set(line) for line in lines), lines
        lacks(server.log(), KEY)


# ── Tokens and configurations, without a server ─────────────────────────────────────────────────────────────────────

@case
def a_token_is_made_looked_at_and_believed():
    config = write_configuration(CONFIGURATION.replace("allow_anonymous_connect_without_token = true",
                                                       'token.hmac_secret_key = "a secret of the tests, long enough"'), "token.toml")
    token = run("token", "create", "--config", config, "--user", "42", "--claim", 'info={"name":"Ada"}')[0].strip()
    equal(token.count("."), 2)
    shown = run("token", "inspect", "-", "--config", config, stdin=token)[0]
    contains(shown, '"sub":"42"', '"name":"Ada"', "HS256", "valid for a connection")
    of_channel = run("token", "create", "--config", config, "--user", "42", "--channel", "$secret")[0].strip()
    contains(run("token", "inspect", "-", "--config", config, stdin=of_channel)[0], "valid for a subscription")
    forged = token[:-4] + ("AAAA" if not token.endswith("AAAA") else "BBBB")
    contains(run("token", "inspect", "-", "--config", config, stdin=forged, status=1)[0], "invalid")
    expired = run("token", "create", "--config", config, "--user", "42", "--claim", "nbf=99999999999")[0].strip()
    contains(run("token", "inspect", "-", "--config", config, stdin=expired, status=1)[0], "expired")
    run("token", "inspect", "-", stdin="no token", status=1)
    run("token", "create", "--config", config, "--user", "42", "--claim", "exp=soon", status=2)
    run("token", "create", "--config", write_configuration(), "--user", "42", status=1)


@case
def a_configuration_is_checked_and_printed_without_its_secrets():
    config = write_configuration()
    run("config", "check", config)
    printed = run("config", "print", config)[0]
    contains(printed, "history_size = 100")
    lacks(printed, KEY)
    again = harness.HOME / "printed.toml"
    again.write_text(printed)
    run("config", "check", again)
    standard = harness.HOME / "standard.toml"
    standard.write_text(run("config", "default")[0])
    run("config", "check", standard)
    bad = write_configuration("[client]\nping_interval = \"1s\"\nprezence = true\n", "bad.toml")
    contains(run("config", "check", bad, status=1)[1], "client.prezence is not a key")


# ── Service managers ────────────────────────────────────────────────────────────────────────────────────────────────

# Does what systemd does for a socket unit: the listening socket is descriptor 3, and the variables name this process.
LAUNCHER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES=sys.argv[2])
os.execv(sys.argv[3], sys.argv[3:])
"""


def launched(listener, name, *arguments):
    command = [sys.executable, "-c", LAUNCHER, str(listener.fileno()), name, FAIRLEAD, "serve", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[listener.fileno()])


@case
def serve_takes_the_sockets_of_a_service_manager():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with launched(listener, "https", "--config", write_configuration()) as process:
            lines = first_lines(process, 1)
            contains(lines[0], "listening on https://", str(port))
            equal(call(None, "info", {}, port=port)[0], 200)
            process.send_signal(signal.SIGTERM)
            equal(process.wait(PATIENCE_SECONDS), 0)


@case
def serve_warns_of_a_cleartext_socket_of_a_service_manager():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with launched(listener, "insecure-cleartext", "--config", write_configuration()) as process:
            contains(first_lines(process, 1)[0], "listening on http://")
            process.send_signal(signal.SIGTERM)
            log = process.communicate(timeout=PATIENCE_SECONDS)[1].decode()
            contains(log, "the inherited socket 3 is cleartext", "reads and changes everything")


@case
def serve_tells_a_service_manager_how_it_is():
    path = harness.HOME / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(PATIENCE_SECONDS)
        os.environ["NOTIFY_SOCKET"] = str(path)
        try:
            with serving() as server:
                equal(manager.recv(4096), b"READY=1")
                server.send(signal.SIGHUP)
                contains(manager.recv(4096).decode(), "RELOADING=1", "MONOTONIC_USEC=")
                equal(manager.recv(4096), b"READY=1")
                server.send(signal.SIGTERM)
                equal(manager.recv(4096), b"STOPPING=1")
                equal(server.end(), 0)
        finally:
            del os.environ["NOTIFY_SOCKET"]
            pathlib.Path(path).unlink()
