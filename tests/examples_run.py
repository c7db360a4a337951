#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every example for real: servers on a free port, clients against them, and looks at what they say.

usage: examples_run.py FOLDER [NAME]…     FOLDER holds the built examples; last line: N passed, N failed
"""
import asyncio
import base64
import hmac
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request

import websockets

HOST = "localhost"
PATIENCE_SECONDS = 20


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_until_listening(process, port):
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise AssertionError(f"the server ended with {process.returncode}: {process.stderr.read()}")
        try:
            socket.create_connection((HOST, port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise AssertionError("the server does not listen")


class Running:
    """An example that serves."""

    def __init__(self, name, *arguments):
        self.port = free_port()
        self.command = [str(FOLDER / name), f"{HOST}:{self.port}", *map(str, arguments)]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            wait_until_listening(self.process, self.port)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.out, self.err = self.process.communicate()

    def url(self, path):
        return f"wss://{HOST}:{self.port}{path}"

    def connect(self, path, **options):
        # The certificate and its CA exist once a server has started.
        return websockets.connect(self.url(path), ssl=tls(), **options)


def tls():
    return ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])


def client(name, *arguments, text=""):
    done = subprocess.run([str(FOLDER / name), *map(str, arguments)], input=text, capture_output=True, text=True,
                          timeout=PATIENCE_SECONDS)
    assert done.returncode == 0, f"{name} ended with {done.returncode}: {done.stderr}"
    return done.stdout


async def once(server, path, *messages, answers=1, **options):
    """Sends messages, returns the answers."""
    async with server.connect(path, max_size=None, **options) as ws:
        for message in messages:
            await ws.send(message)
        return [await asyncio.wait_for(ws.recv(), PATIENCE_SECONDS) for _ in range(answers)]


def equal(got, wanted):
    assert got == wanted, f"expected {wanted!r}, got {got!r}"


# ── One function for each example ───────────────────────────────────────────────────────────────────────────────────

def echo_server():
    with Running("echo_server") as server:
        equal(asyncio.run(once(server, "/echo", "héllo", b"\0\1", answers=2)), ["héllo", b"\0\1"])
    equal(server.process.returncode, 0)


def echo_client():
    with Running("echo_server") as server:
        equal(client("echo_client", server.url("/echo")), "hello\n")


def blocking():
    with Running("echo_server") as server:
        equal(client("blocking", server.url("/echo"), text="one\ntwo\n"), "one\ntwo\n")


def handlers():
    with Running("handlers") as server:
        equal(asyncio.run(once(server, "/shout", "hello", answers=2)), ["say something", "HELLO"])
    assert "closed with 1000, clean" in server.err, server.err


def broadcast():
    async def two():
        first, second = await asyncio.gather(once(server, "/clock", answers=3), once(server, "/clock", answers=3))
        for heard in (first, second):
            numbers = [int(text.removeprefix("tick ")) for text in heard]
            equal(numbers, list(range(numbers[0], numbers[0] + 3)))

    with Running("broadcast") as server:
        asyncio.run(two())


def accept():
    def refused():
        try:
            asyncio.run(once(server, "/private"))
        except websockets.InvalidStatusCode as refusal:
            return refusal.status_code
        return None

    with Running("accept") as server:
        token = {"Authorization": "Bearer open-sesame"}
        equal(asyncio.run(once(server, "/private", extra_headers=token)), ["welcome, the one with the token"])
        equal(refused(), 401)


def accept_certificate():
    folder = pathlib.Path(os.environ["XDG_DATA_HOME"])
    certificate, key = folder / "client.pem", folder / "client.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=ada", "-addext", "extendedKeyUsage=clientAuth", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    with Running("accept", certificate) as server:
        context = tls()
        context.load_cert_chain(certificate, key)

        async def identified():
            async with websockets.connect(server.url("/private"), ssl=context) as ws:
                return await ws.recv()

        equal(asyncio.run(identified()), "welcome, ada")


def streaming():
    with Running("streaming") as server:
        size = 8 * 1024 * 1024 + 1
        equal(asyncio.run(once(server, "/count", bytes(size), "abc", answers=2)), [f"{size} bytes", "3 bytes"])


def reconnect():
    with Running("echo_server") as server:
        equal(client("reconnect", server.url("/echo"), 1), "connected\nsubscribe\n")


def reconnect_after_a_restart():
    with Running("echo_server") as server:
        process = subprocess.Popen([str(FOLDER / "reconnect"), server.url("/echo"), "2"], stdout=subprocess.PIPE, text=True)
        try:
            equal([process.stdout.readline() for _ in range(2)], ["connected\n", "subscribe\n"])
            port = server.port
            server.__exit__()
            again = Running("echo_server")
            again.port, again.command[1] = port, f"{HOST}:{port}"
            with again:
                equal([process.stdout.readline() for _ in range(2)], ["connected\n", "subscribe\n"])
                equal(process.wait(PATIENCE_SECONDS), 0)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()


def static_files():
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "index.html").write_text("<!doctype html><title>x</title>")
        with Running("static_files", folder) as server:
            def fetch(path):
                done = subprocess.run(["curl", "-sSi", "--cacert", os.environ["SSL_CERT_FILE"],
                                       f"https://{HOST}:{server.port}{path}"], capture_output=True, text=True, check=True)
                return done.stdout
            page = fetch("/")
            assert "200 OK" in page and "<title>x</title>" in page, page
            assert "content-security-policy: default-src 'self'" in page.lower(), page
            assert fetch("/api/hello?name=ada").endswith("hello, ada\n")
            assert " 404 " in fetch("/nothing")
            equal(asyncio.run(once(server, "/live", "x")), ["x"])


def asio_context():
    with Running("asio_context") as server:
        equal(asyncio.run(once(server, "/echo", "x")), ["x"])
        while server.process.stdout.readline() != "1 messages so far\n":
            pass
    equal(server.process.returncode, 0)


def in_memory_pipe():
    client("in_memory_pipe")


class ChatBackend:
    """The backend of the chat, asked as the server asks it."""

    def __init__(self, folder):
        environment = {**os.environ, "CHAT_API_KEY": "key", "CHAT_SIGNING_SECRET": "secret"}
        script = pathlib.Path(__file__).parent.parent / "examples/chat/backend.py"
        self.process = subprocess.Popen(
            [sys.executable, script, "--listen", "127.0.0.1:0", "--database", pathlib.Path(folder, "chat.db"), "--until-eof"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        self.url = self.process.stdout.readline().removeprefix("listening on ").strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def ask(self, user, method, data=None, **more):
        body = json.dumps({"user": user, "method": method, "data": data or {}, **more}).encode()
        now = str(int(time.time()))
        signature = hmac.new(b"secret", now.encode() + b"." + body, "sha256").hexdigest()
        request = urllib.request.Request(self.url, body, {"X-Fairlead-Timestamp": now, "X-Fairlead-Signature": signature})
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            said = json.load(answer)
        return said["result"] if "result" in said else said["error"]["code"]

    def put(self, user, picture):
        return self.ask(user, "attachments.put", transport="http", b64data=base64.b64encode(picture).decode())["data"]["id"]

    def has(self, picture):
        return "b64data" in self.ask("bob", "attachments.get", {"id": picture}, transport="http")

    def use(self, user, picture, message):
        return self.ask(user, "pictures.use", {"id": picture, "message": message})["data"]["kept"]

    def release(self, user, picture, message):
        equal(self.ask(user, "pictures.release", {"id": picture, "message": message}), {"data": {}})


def chat_pictures_go_with_their_last_message():
    with tempfile.TemporaryDirectory() as folder, ChatBackend(folder) as backend:
        picture = backend.put("ada", b"GIF8 one")
        for message in ("m1", "m1", "m2"):
            equal(backend.use("ada", picture, message), True)
        backend.release("ada", picture, "m1")
        equal(backend.has(picture), True)
        backend.release("ada", picture, "m2")
        equal(backend.has(picture), False)
        backend.release("ada", picture, "m2")  # the answer was lost
        equal(backend.use("ada", picture, "m3"), False)
        again = backend.put("ada", b"GIF8 one")
        equal(backend.use("ada", again, "m3"), True)
        unused = backend.put("ada", b"GIF8 before messages were told of")
        backend.release("ada", unused, "m4")
        equal(backend.has(unused), False)


def chat_pictures_are_released_by_their_user_alone():
    with tempfile.TemporaryDirectory() as folder, ChatBackend(folder) as backend:
        picture = backend.put("ada", b"GIF8 one")
        equal(backend.use("bob", picture, "m1"), False)
        backend.release("bob", picture, "m1")
        equal(backend.has(picture), True)
        equal(backend.use("ada", picture, "m1"), True)
        backend.release("bob", picture, "m1")
        equal(backend.has(picture), True)
        for wrong in ({"id": picture}, {"message": "m1"}, {"id": picture, "message": 1}, {"id": "a/b", "message": "m1"}):
            equal(backend.ask("ada", "pictures.release", wrong), 107)


CASES = [echo_server, echo_client, blocking, handlers, broadcast, accept, accept_certificate, streaming, reconnect,
         reconnect_after_a_restart, static_files, asio_context, in_memory_pipe, chat_pictures_go_with_their_last_message,
         chat_pictures_are_released_by_their_user_alone]


def main():
    wanted = sys.argv[2:]
    failed = 0
    passed = 0
    for case in CASES:
        if wanted and case.__name__ not in wanted:
            continue
        try:
            case()
            passed += 1
        except Exception as error:  # pylint: disable=broad-except
            failed += 1
            print(f"not ok {case.__name__}: {type(error).__name__}: {error}", flush=True)
    built = {path.name for path in FOLDER.iterdir() if path.is_file() and not path.suffix and os.access(path, os.X_OK)}
    covered = {case.__name__ for case in CASES}
    for name in sorted(built - covered):
        failed += 1
        print(f"not ok {name}: no case runs this example")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    FOLDER = pathlib.Path(sys.argv[1]).resolve()
    # A development certificate of its own, trusted by nobody else.
    with tempfile.TemporaryDirectory() as home:
        os.environ["XDG_DATA_HOME"] = home
        os.environ["SSL_CERT_FILE"] = f"{home}/fairlead/ca.pem"
        status = main()
    sys.exit(status)
