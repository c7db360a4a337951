# SPDX-License-Identifier: Apache-2.0
# The command line as scripts see it: exit statuses for each kind of failure, draining, certificates that change.
import asyncio
import contextlib
import pathlib
import shutil
import signal
import socket
import ssl
import tempfile

from conformance.frames import CLOSE, Frame, close, text
from conformance.peer import Client
from support import processes, tlsstream
from support.suite import Book, check, expect

book = Book()
# What cli/exit_status.h promises to scripts.
OK, USAGE, BAD_URL, DNS, UNREACHABLE, TIMED_OUT, CERTIFICATE, HOST, TLS, REFUSED, HANDSHAKE, PROTOCOL, CLOSED, ABNORMAL = (
    0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)
OVER_LIMIT = 16


def _fails(done, status, advice=True):
    check(done.status == status, f"exit status: expected {status}, got {done.status}; it says {done.error[-300:]!r}")
    expect("standard output", done.output, b"")
    check(not advice or len(done.error.strip()) > 20, f"no sentence on stderr: {done.error!r}")


# ── Failures before the channel is open ──────────────────────────────────────────────────────────────────────────────
for _name, _status, _arguments in [
        ("no-url", USAGE, ()), ("unknown-option", USAGE, ("--nonsense", "wss://localhost:1/")),
        ("scheme-http", BAD_URL, ("http://localhost/",)), ("no-scheme", BAD_URL, ("localhost",)), ("bad-port", BAD_URL, ("wss://localhost:99999/",)),
        ("no-host", BAD_URL, ("wss:///path",)), ("cleartext", {BAD_URL, USAGE}, ("ws://localhost:1/",)),
        ("dns", DNS, ("--timeout", "10", "wss://no-such-host.invalid/"))]:
    async def _usage(environment, status=_status, arguments=_arguments):
        done = await environment.fairlead("connect", *arguments, input=b"")
        expect("exit status", done.status, status)
        expect("standard output", done.output, b"")
        check(len(done.error.strip()) > 10, "nothing on stderr")
    book.add(f"client/exit/{_name}", "exit status", f"{_name}", _usage, timeout=40)


@book.case("client/exit/refused", "exit status", "nobody listens")
async def nobody_listens(environment):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        _fails(await environment.fairlead("connect", f"wss://127.0.0.1:{taken.getsockname()[1]}/", input=b""), UNREACHABLE)


@book.case("client/exit/timeout", "exit status", "somebody listens and never answers; --timeout 1", timeout=30)
async def never_answers(environment):
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(5)
        _fails(await environment.fairlead("connect", "--timeout", "1", f"wss://127.0.0.1:{listening.getsockname()[1]}/", input=b""),
               TIMED_OUT)


def _certificate(name, title, status, cert, *flags, trust=True, host="localhost"):
    async def run(environment):
        connector = environment.connector(*flags, cert=cert, trust=trust, host=host)
        async with connector as client:
            serving = asyncio.ensure_future(_serve_once(client))
            client.process.stdin.close()
            got = await client.exit_status(15)
            serving.cancel()
            check(got == status, f"exit status: expected {status}, got {got}; it says {client.error[-300:]!r}")
    book.add(f"client/certificate/{name}", "certificates", title, run, timeout=30)


async def _serve_once(client):
    with contextlib.suppress(Exception):
        await client.open()
        await client.peer.next(8)
        await client.peer.send(close(1000))
        await client.peer.stream.close_notify()
        client.peer.stream.end_tcp()


_certificate("good", "a certificate of the given CA", OK, "server")
_certificate("ip", "the address as IP SAN", OK, "server", host="127.0.0.1")
_certificate("wrong-host", "a certificate for another name", HOST, "wrong-host")
_certificate("expired", "an expired certificate", CERTIFICATE, "expired")
_certificate("not-yet", "a certificate of the future", CERTIFICATE, "not-yet")
_certificate("stranger", "a certificate of another CA", CERTIFICATE, "stranger")
_certificate("self-signed", "a self-signed certificate", CERTIFICATE, "self-signed")
_certificate("wrong-usage", "a client's certificate as a server's", CERTIFICATE, "wrong-usage")
_certificate("system-store", "the test CA is not in the system's store", CERTIFICATE, "server", trust=False)
_certificate("insecure", "--insecure takes any", OK, "wrong-host", "--insecure", trust=False)
_certificate("insecure-expired", "--insecure takes an expired one", OK, "expired", "--insecure", trust=False)


# ── Answers, and ends of an open channel ─────────────────────────────────────────────────────────────────────────────
for _line in ("401 Unauthorized", "403 Forbidden", "404 Not Found", "426 Upgrade Required", "500 Internal Server Error", "503 Service Unavailable",
              "200 OK", "302 Found"):
    async def _answered(environment, line=_line):
        async with environment.connector() as client:
            await client.accept()
            await client.peer.send(f"HTTP/1.1 {line}\r\nContent-Length: 0\r\nLocation: /x\r\nConnection: close\r\n\r\n".encode())
            got = await client.exit_status()
            check(got == REFUSED, f"exit status: expected {REFUSED}, got {got}; it says {client.error[-200:]!r}")
            check(line[:3] in client.error, f"the message does not name the status: {client.error!r}")
    book.add(f"client/exit/http-{_line[:3]}", "exit status", f"HTTP {_line}", _answered)


@book.case("client/exit/bad-accept", "exit status", "a wrong Sec-WebSocket-Accept")
async def bad_accept(environment):
    async with environment.connector() as client:
        head = await client.accept()
        await client.peer.send(client.response(head, accept="AAAAAAAAAAAAAAAAAAAAAAAAAAA="))
        expect("exit status", await client.exit_status(), HANDSHAKE)


async def _end_with(environment, frames, status, words=(), flags=()):
    async with environment.connector("--exit-on-close", *flags) as client:
        await client.open()
        await client.peer.send(*frames)
        with contextlib.suppress(asyncio.TimeoutError):
            while (frame := await client.peer.next(5)) is not None and frame.opcode != CLOSE:
                pass
        await client.peer.stream.close_notify()
        client.peer.stream.end_tcp()
        got = await client.exit_status()
        check(got == status, f"exit status: expected {status}, got {got}; it says {client.error[-300:]!r}")
        for word in words:
            check(word in client.error, f"the message lacks {word!r}: {client.error!r}")


for _code, _status in [(1000, OK), (1001, OK), (1005, OK), (1008, CLOSED), (1009, CLOSED), (1011, CLOSED), (1012, CLOSED), (1013, CLOSED), (4000, CLOSED)]:
    book.add(f"client/exit/close-{_code}", "exit status", f"the server closes with {_code}",
             lambda environment, code=_code, status=_status: _end_with(
                 environment, [close(code if code != 1005 else None, b"because" if code != 1005 else b"")], status,
                 [str(code), "because"] if status == CLOSED else ()))
book.add("client/exit/protocol", "exit status", "the server breaks the protocol",
         lambda environment: _end_with(environment, [text(b"\xff")], PROTOCOL))
book.add("client/exit/masked", "exit status", "the server masks",
         lambda environment: _end_with(environment, [text("x", mask="wrong")], PROTOCOL))
book.add("client/exit/over-limit", "exit status", "a message past --max-message",
         lambda environment: _end_with(environment, [Frame(2, b"x" * 101)], OVER_LIMIT, flags=("--max-message", "100")))


@book.case("client/exit/abnormal", "exit status", "1006: the connection breaks")
async def abnormal(environment):
    async with environment.connector("--exit-on-close") as client:
        await client.open()
        client.peer.stream.reset()
        expect("exit status", await client.exit_status(), ABNORMAL)


@book.case("client/signal/interrupt", "exit status", "SIGINT closes with 1000 and ends well")
async def interrupted(environment):
    async with environment.connector("--exit-on-close") as client:
        await client.open()
        await client.peer.send(text("ready"))
        await client.expect_output(b"ready\n")
        client.process.send_signal(signal.SIGINT)
        await client.peer.expect_close({1000, 1001})
        await client.peer.send(close(1000))
        await client.peer.stream.close_notify()
        client.peer.stream.end_tcp()
        expect("exit status", await client.exit_status(), {0, 130})


# ── Draining ─────────────────────────────────────────────────────────────────────────────────────────────────────────
@book.case("server/drain/sigterm", "drain", "SIGTERM closes 50 connections with 1001 or 1012 and ends with status 0", timeout=40)
async def drain(environment):
    async with environment.server() as server, contextlib.AsyncExitStack() as stack:
        client = environment.client_of(server)
        peers = [await stack.enter_async_context(client.open()) for _ in range(50)]
        server.process.send_signal(signal.SIGTERM)

        async def one(peer):
            frame = await peer.expect_close({1001, 1012}, timeout=10)
            await peer.send(close(frame.code))
            await peer.expect_end(10)
        await asyncio.gather(*(one(peer) for peer in peers))
        expect("exit status", await asyncio.wait_for(server.process.wait(), 10), 0)


@book.case("server/drain/no-new", "drain", "no new connection while draining; an answered message still arrives", timeout=40)
async def drain_no_new(environment):
    async with environment.server("--drain", "3") as server:
        client = environment.client_of(server)
        async with client.open() as peer:
            server.process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.3)
            try:
                async with client.open():
                    check(False, "a new connection while draining")
            except (OSError, ConnectionError):
                pass
            except Exception as refused:
                check("101" in str(refused) or "ended" in str(refused), f"unexpected: {refused}")
            await peer.expect_close({1001, 1012}, timeout=10)


@book.case("server/drain/deaf", "drain", "clients that never answer do not hold the end up", timeout=40)
async def drain_deaf(environment):
    async with environment.server() as server, contextlib.AsyncExitStack() as stack:
        client = environment.client_of(server)
        for _ in range(5):
            await stack.enter_async_context(client.open())
        server.process.send_signal(signal.SIGTERM)
        expect("exit status", await asyncio.wait_for(server.process.wait(), 20), 0)


@book.case("server/drain/idle", "drain", "SIGINT with nobody connected ends at once", timeout=20)
async def drain_idle(environment):
    async with environment.server() as server:
        server.process.send_signal(signal.SIGINT)
        expect("exit status", await asyncio.wait_for(server.process.wait(), 5), 0)


@book.case("server/start/taken-port", "exit status", "a port that is taken: a sentence and a status", timeout=20)
async def taken_port(environment):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        pair = ("--cert", environment.certificates.cert("server"), "--key", environment.certificates.key("server"))
        done = await environment.fairlead("echo", "--listen", f"127.0.0.1:{taken.getsockname()[1]}", *pair, timeout=10)
        check(0 < done.status < 126 and len(done.error) > 20, f"exit {done.status}: {done.error!r}")


for _name, _cert, _key in [("wrong-key", "server", "server-next"), ("expired", "expired", "expired"), ("missing", "nothing", "nothing"),
                           ("not-pem", "garbage", "server")]:
    async def _bad_pair(environment, cert=_cert, key=_key):
        certificates = environment.certificates
        (environment.directory / "garbage.pem").write_text("this is no certificate")
        done = await environment.fairlead("echo", "--listen", "127.0.0.1:0", "--cert", certificates.cert(cert), "--key",
                                          certificates.key(key), timeout=10)
        check(0 < done.status < 126 and len(done.error) > 20 and b"listening" not in done.output, f"exit {done.status}: {done.error!r}")
    book.add(f"server/start/{_name}", "certificates", f"a pair that cannot be served: {_name}", _bad_pair, timeout=20)


# ── Certificates that change ─────────────────────────────────────────────────────────────────────────────────────────
class Reloading:
    """A server whose certificate files a case replaces."""

    def __init__(self, environment):
        self.certificates = environment.certificates
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="reload-", dir=environment.directory))
        self.install("server")
        self.server = processes.Server("--cert", self.folder / "cert.pem", "--key", self.folder / "key.pem")

    def install(self, cert, key=None):
        for source, target in [(self.certificates.key(key or cert), "key.pem"), (self.certificates.cert(cert), "cert.pem")]:
            shutil.copy(source, self.folder / f"{target}.new")
            (self.folder / f"{target}.new").rename(self.folder / target)

    def signal(self):
        self.server.process.send_signal(signal.SIGHUP)

    async def shown(self):
        """The certificate that a new connection sees."""
        stream = await tlsstream.connect("127.0.0.1", self.server.port, tlsstream.client_context(self.certificates.ca))
        shown = stream.tls.getpeercert(binary_form=True)
        stream.abort()
        return shown

    def known(self, name):
        return ssl.PEM_cert_to_DER_cert(self.certificates.cert(name).read_text())

    async def becomes(self, name, seconds):
        for _ in range(int(seconds / 0.1)):
            if await self.shown() == self.known(name):
                return True
            await asyncio.sleep(0.1)
        return False


def _reload(name, by_signal):
    @book.case(f"server/reload/{name}", "certificates", f"a new pair by {name}: new connections see it, open ones stay", timeout=60)
    async def run(environment):
        reloading = Reloading(environment)
        async with reloading.server as server:
            client = Client(server.port, environment.certificates)
            async with client.open() as peer:
                check(await reloading.shown() == reloading.known("server"), "not the first certificate at first")
                reloading.install("server-next")
                if by_signal:
                    reloading.signal()
                check(await reloading.becomes("server-next", 20), "the new certificate is not shown")
                await peer.send(text("still open"))
                expect("echo", (await peer.message())[1], b"still open")
                await peer.close_cleanly()


_reload("signal", True)
_reload("watch", False)


@book.case("server/reload/broken", "certificates", "a broken new pair changes nothing and is reported", timeout=60)
async def reload_broken(environment):
    reloading = Reloading(environment)
    async with reloading.server as server:
        client = Client(server.port, environment.certificates)
        async with client.open() as peer:
            for cert, key in [("server-next", "server"), ("expired", "expired")]:
                reloading.install(cert, key)
                logged = len(server.log)
                reloading.signal()
                await asyncio.sleep(1.0)
                check(await reloading.shown() == reloading.known("server"), f"{cert} with the key of {key} is shown")
                check(len(server.log) > logged, "nothing was reported")
            (reloading.folder / "cert.pem").write_text("-----BEGIN CERTIFICATE-----\nbroken")
            reloading.signal()
            await asyncio.sleep(1.0)
            check(await reloading.shown() == reloading.known("server"), "the broken file took effect")
            await peer.send(text("still open"))
            expect("echo", (await peer.message())[1], b"still open")
        reloading.install("server-next")
        reloading.signal()
        check(await reloading.becomes("server-next", 10), "a good pair after a broken one is not shown")


def all_cases():
    return book.cases
