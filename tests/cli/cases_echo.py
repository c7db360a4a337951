# SPDX-License-Identifier: Apache-2.0
# `fairlead echo`: every flag does what it says.
import asyncio
import contextlib
import fcntl
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import termios
import time

import websockets

import harness
from harness import Serving, case, contains, context, equal, lacks, run, wait_for


def talk(conversation, url, **options):
    """Runs an async function on an open connection."""
    async def whole():
        options.setdefault("ssl", context())
        options.setdefault("max_size", None)
        async with websockets.connect(url, **options) as ws:
            return await asyncio.wait_for(conversation(ws), harness.PATIENCE_SECONDS)
    return asyncio.run(whole())


def echoed(message):
    async def conversation(ws):
        await ws.send(message)
        return await ws.recv()
    return conversation


def close_code(*messages, wait=True):
    """Sends, and gives the code with which the server closes."""
    async def conversation(ws):
        try:
            for message in messages:
                await ws.send(message)
            while wait:
                await ws.recv()
        except websockets.ConnectionClosed:
            pass
        return ws.close_code
    return conversation


def status_of(url, **options):
    """The HTTP status with which the handshake is refused, or 101."""
    async def attempt():
        try:
            async with websockets.connect(url, ssl=options.pop("ssl", context()), **options):
                return 101
        except websockets.InvalidStatusCode as refusal:
            return refusal.status_code
    return asyncio.run(attempt())


@case
def echo_says_one_line_and_echoes_on_every_path():
    with Serving() as server:
        assert re.fullmatch(r"listening on wss://localhost:\d+/", server.line), server.line
        for path in ("/", "/a/b?c=d", "/x%20y"):
            equal(talk(echoed("héllo"), server.url(path)), "héllo")
            equal(talk(echoed(b"\0\xff"), server.url(path)), b"\0\xff")
        equal(talk(echoed(""), server.url()), "")
        equal(server.end(), 0)
        equal(server.out, "")


@case
def echo_listens_where_it_is_told():
    with Serving(listen="127.0.0.1:0") as server:
        contains(server.line, "wss://127.0.0.1:")
    with Serving(listen="[::1]:0") as server:
        contains(server.line, "wss://[::1]:")
        equal(talk(echoed("x"), server.url(host="[::1]")), "x")
    run("echo", "--listen", "nowhere", status=2)


@case
def echo_does_not_share_its_port():
    with Serving() as server:
        _, err = run("echo", "--listen", f"localhost:{server.port}", status=15)
        contains(err, str(server.port), "another program listens there already")
    with socket.socket(socket.AF_INET6) as six:
        try:
            six.bind(("::1", 0))
        except OSError:
            return  # no IPv6 here
        six.listen()
        # Browsers would reach the other program, though 127.0.0.1 is free.
        run("echo", "--listen", f"localhost:{six.getsockname()[1]}", status=15)


@case
def echo_answers_an_ordinary_request():
    with Serving() as server:
        page = subprocess.run(["curl", "-sS", "--cacert", harness.development_ca(), f"https://localhost:{server.port}/any"],
                              capture_output=True, text=True, check=True).stdout
        contains(page, "fairlead echo")


@case
def echo_serves_a_given_certificate():
    with Serving("--cert", harness.HOME / "server.pem", "--key", harness.HOME / "server.key") as server:
        equal(talk(echoed("x"), server.url(), ssl=context(harness.HOME / "ca.pem")), "x")
    contains(run("echo", "--cert", "/nowhere.pem", "--key", "/nowhere.key", status=9)[1], "/nowhere.pem")
    contains(run("echo", "--cert", harness.HOME / "server.pem", "--key", harness.HOME / "client.key", status=9)[1], "key")


@case
def echo_requires_a_client_certificate_when_told():
    with Serving("--client-ca", harness.HOME / "ca.pem") as server:
        known = context()
        known.load_cert_chain(harness.HOME / "client.pem", harness.HOME / "client.key")
        equal(talk(echoed("x"), server.url(), ssl=known), "x")
        with contextlib.suppress(ssl.SSLError, OSError, websockets.WebSocketException):
            talk(echoed("x"), server.url())
            raise AssertionError("a client without a certificate was let in")
    with Serving("--client-ca", harness.HOME / "ca.pem", "--client-optional") as server:
        equal(talk(echoed("x"), server.url()), "x")


@case
def echo_compresses_when_told():
    async def extensions(ws):
        await ws.send("x" * 5000)
        equal(await ws.recv(), "x" * 5000)
        return ws.response_headers.get("Sec-WebSocket-Extensions", "")
    with Serving() as server:
        equal(talk(extensions, server.url()), "")
    with Serving("--compress", "--compress-from", "10", "--compress-level", "9") as server:
        contains(talk(extensions, server.url()), "permessage-deflate", "no_context_takeover")
    with Serving("--compress", "--context-takeover") as server:
        lacks(talk(extensions, server.url()), "server_no_context_takeover")
    run("echo", "--context-takeover", status=2)


@case
def echo_limits_the_length_of_a_message():
    with Serving("--max-message", "1K") as server:
        equal(talk(echoed("x" * 1023), server.url()), "x" * 1023)
        equal(talk(echoed("x" * 1024), server.url()), "x" * 1024)
        equal(talk(close_code("x" * 1025), server.url()), 1009)
    with Serving() as server:
        equal(talk(close_code("x" * (1024 * 1024 + 1)), server.url()), 1009)


@case
def echo_limits_fragments():
    with Serving("--max-fragments", "4") as server:
        equal(talk(echoed(iter(["a", "b", "c"])), server.url()), "abc")
        equal(talk(close_code(iter(["a"] * 9)), server.url()), 1008)


@case
def echo_limits_rates():
    with Serving("--messages-per-second", "10") as server:
        equal(talk(close_code(*["x"] * 60), server.url()), 1008)
    with Serving() as server:
        async def many(ws):
            for _ in range(3000):
                await ws.send("x")
            return [await ws.recv() for _ in range(3000)]
        equal(len(talk(many, server.url())), 3000)

    async def pings(ws):
        try:
            for _ in range(60):
                (await ws.ping()).cancel()
            await ws.recv()
        except websockets.ConnectionClosed:
            pass
        return ws.close_code
    with Serving("--control-frames-per-second", "5") as server:
        equal(talk(pings, server.url()), 1008)


@case
def echo_limits_connections():
    async def second_is_refused(ws):
        try:
            async with websockets.connect(ws_url, ssl=context()):
                return False
        except (OSError, websockets.WebSocketException, asyncio.IncompleteReadError):
            return True
    for flag in ("--max-connections-per-address", "--max-connections"):
        with Serving(flag, "1", "--threads", "1") as server:
            ws_url = server.url()
            equal(talk(second_is_refused, server.url()), True, flag)


@case
def echo_closes_what_is_idle():
    async def silent(ws):
        # A client that answers no ping.
        ws.transport.pause_reading()
        await asyncio.sleep(1.5)
        ws.transport.resume_reading()
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                await ws.recv()
        return True
    with Serving("--idle", "0.4") as server:
        equal(talk(silent, server.url(), ping_interval=None), True)

        async def lively(ws):
            await asyncio.sleep(1.5)  # pings are answered
            await ws.send("x")
            return await ws.recv()
        equal(talk(lively, server.url(), ping_interval=None), "x")


@case
def echo_looks_at_the_origin():
    with Serving("--allow-origin", "https://a.example", "--allow-origin", "https://b.example:8443") as server:
        url = server.url()
        equal(status_of(url), 101)
        equal(status_of(url, origin="https://a.example"), 101)
        equal(status_of(url, origin="https://b.example:8443"), 101)
        equal(status_of(url, origin=f"https://localhost:{server.port}"), 101)
        for origin in ("https://b.example", "http://a.example", "https://a.example.evil", "null", "https://evil"):
            equal(status_of(url, origin=origin), 403, origin)
    with Serving("--allow-any-origin") as server:
        equal(status_of(server.url(), origin="https://evil.example"), 101)


@case
def echo_looks_at_the_host():
    with Serving("--allow-host", "good.example") as server:
        assert status_of(server.url()) in (400, 403, 421)
        async def named():
            async with websockets.connect(f"wss://good.example:{server.port}/", ssl=context(), server_hostname="localhost",
                                          host="localhost", port=server.port):
                return True
        equal(asyncio.run(named()), True)
        # A page that reached this server under a name of its own reads nothing, by upgrade or by an ordinary request.
        for host, status in (("good.example", b"200"), ("rebound.example", b"400"), ("good.example.evil", b"400")):
            with socket.create_connection(("localhost", server.port), harness.PATIENCE_SECONDS) as plain:
                with context().wrap_socket(plain, server_hostname="localhost") as stream:
                    stream.sendall(f"GET /any HTTP/1.1\r\nHost: {host}:{server.port}\r\nConnection: close\r\n\r\n".encode())
                    equal(stream.recv(12)[9:], status, host)
        equal(server.end(), 0)
        contains(server.err, "http_host_invalid")


@case
def echo_goes_on_when_nobody_reads_its_log():
    command = [harness.FAIRLEAD, "echo", "--listen", "localhost:0", "--cleartext"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as server:
        try:
            port = int(re.search(rb":(\d+)/", server.stdout.readline())[1])
            for _ in range(1500):  # each is refused, with a line: many more than a pipe holds
                with socket.create_connection(("localhost", port), harness.PATIENCE_SECONDS) as stream:
                    stream.sendall(b"GET / HTTP/1.1\r\n\r\n")
                    equal(stream.recv(12), b"HTTP/1.1 400")
            full = fcntl.ioctl(server.stderr, termios.FIONREAD, b"1234")
            assert int.from_bytes(full, sys.byteorder) > 60_000, "the pipe is not full: this shows nothing"
            server.terminate()
            equal(server.wait(harness.PATIENCE_SECONDS), 0)
        finally:
            server.kill()


def ocsp_response(name, signer="ca"):
    """A DER response that calls the certificate good for a day."""
    certificate = file_of(f"{name}.pem")
    serial = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-serial"], check=True, capture_output=True,
                            text=True).stdout.strip().split("=")[1]
    index = file_of("index.txt")
    index.write_text(f"V\t491231235959Z\t\t{serial}\tunknown\t/CN={name}\n")
    response = file_of(f"{name}-{signer}.der")
    harness.openssl("ocsp", "-index", index, "-rsigner", file_of(f"{signer}.pem"), "-rkey", file_of(f"{signer}.key"),
                    "-CA", file_of("ca.pem"), "-issuer", file_of("ca.pem"), "-cert", certificate, "-ndays", 1, "-noverify",
                    "-respout", response)
    return response


def file_of(name):
    return harness.HOME / name


@case
def echo_staples_an_ocsp_response():
    chain = file_of("server-chain.pem")
    chain.write_text(file_of("server.pem").read_text() + file_of("ca.pem").read_text())
    files = ["--cert", chain, "--key", file_of("server.key")]

    def asked(server):
        return subprocess.run(["openssl", "s_client", "-connect", f"localhost:{server.port}", "-servername", "localhost", "-status",
                               "-CAfile", file_of("ca.pem")], input="", capture_output=True, text=True,
                              timeout=harness.PATIENCE_SECONDS, check=False).stdout

    with Serving(*files, "--ocsp", ocsp_response("server")) as server:
        contains(asked(server), "OCSP Response Status: successful", "Cert Status: good")
    with Serving(*files) as server:
        contains(asked(server), "OCSP response: no response sent")
    for response in (ocsp_response("server", "stranger"), ocsp_response("other"), file_of("ca.pem")):
        contains(run("echo", "--listen", "localhost:0", *files, "--ocsp", response, status=9)[1], str(response))
    run("echo", "--ocsp", response, status=2)


@case
def echo_refuses_policies_that_could_match_nobody():
    for option, entry in (("--allow-origin", "example.org"), ("--allow-origin", "https://a.example/page"), ("--allow-host", ""),
                          ("--allow-host", "https://a.example")):
        contains(run("echo", "--listen", "localhost:0", option, entry, status=2)[1], option, f"'{entry}' is not of the form")


@case
def echo_agrees_on_a_subprotocol():
    async def chosen(ws):
        return ws.subprotocol
    with Serving("--subprotocol", "b", "--subprotocol", "a") as server:
        equal(talk(chosen, server.url(), subprotocols=["a", "b"]), "b")
        equal(talk(chosen, server.url(), subprotocols=["a"]), "a")
        equal(talk(chosen, server.url()), None)


@case
def echo_speaks_the_chosen_tls():
    old = context()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with Serving() as server:
        equal(talk(echoed("x"), server.url(), ssl=old), "x")
    with Serving("--tls-profile", "modern") as server:
        equal(talk(echoed("x"), server.url()), "x")
        try:
            talk(echoed("x"), server.url(), ssl=old)
        except (ssl.SSLError, OSError):
            return
    raise AssertionError("TLS 1.2 was accepted by --tls-profile modern")


@case
def echo_listens_on_a_unix_socket():
    path = harness.HOME / "echo.sock"
    with Serving("--unix", path, listen=None) as server:
        equal(server.line, f"listening on unix:{path}")

        async def over_unix():
            async with websockets.unix_connect(str(path), "wss://localhost/", ssl=context(), server_hostname="localhost") as ws:
                await ws.send("x")
                return await ws.recv()
        equal(asyncio.run(over_unix()), "x")
        equal(server.end(), 0)


@case
def echo_speaks_cleartext_on_loopback_only():
    with Serving("--cleartext", listen="127.0.0.1:0") as server:
        contains(server.line, "listening on ws://127.0.0.1:")

        async def plain():
            async with websockets.connect(server.url(host="127.0.0.1", scheme="ws")) as ws:
                await ws.send("x")
                return await ws.recv()
        equal(asyncio.run(plain()), "x")
    run("echo", "--cleartext", "--listen", "0.0.0.0:0", status=2)


@case
def echo_streams_in_little_memory():
    with Serving("--chunks", "--max-message", "unlimited", "--max-fragments", "unlimited") as server:
        async def large(ws):
            piece = os.urandom(65536)

            async def pieces():
                for _ in range(512):
                    yield piece
            sending = asyncio.ensure_future(ws.send(pieces()))
            message = await ws.recv()
            await sending
            return message == piece * 512
        before = server.resident_bytes()
        equal(talk(large, server.url()), True)
        grown = server.resident_bytes() - before
        assert grown < 16 * 1024 * 1024, f"grew by {grown} bytes"


@case
def echo_streams_without_a_hole():  # to a slow reader, whose queue holds less than a piece
    data = os.urandom(24 * 1024 * 1024)

    async def slowly():
        async with websockets.connect(server.url(host="127.0.0.1", scheme="ws"), max_size=None, compression=None,
                                      ping_interval=None, read_limit=4096) as ws:
            sending = asyncio.ensure_future(ws.send(data))
            await asyncio.sleep(0.5)  # what the system holds is full
            message = await asyncio.wait_for(ws.recv(), harness.PATIENCE_SECONDS)
            await sending
            return len(message), message == data
    for queue in ("0", "20K", "200K"):
        with Serving("--chunks", "--cleartext", "--max-message", "unlimited", "--max-fragments", "unlimited",
                     "--queue-bytes", queue, listen="127.0.0.1:0") as server:
            equal(asyncio.run(slowly()), (len(data), True), queue)


@case
def echo_drains_with_1001():
    async def until_drained(ws):
        await ws.send("x")
        await ws.recv()
        server.send(signal.SIGTERM)
        with contextlib.suppress(websockets.ConnectionClosed):
            await ws.recv()
        return ws.close_code
    with Serving("--drain", "0.2") as server:
        equal(talk(until_drained, server.url()), 1001)
        equal(server.process.wait(10), 0)
        contains(server.log(), "drain")
    with Serving("--drain", "0") as server:
        equal(server.end(signal.SIGINT), 0)


@case
def echo_stops_at_once_on_a_second_signal():
    with Serving("--drain", "20") as server:
        stream = raw_channel(server)  # never answers the close
        server.send(signal.SIGTERM)
        wait_for(lambda: "drain" in server.log(), "the drain")
        time.sleep(0.1)
        started = time.monotonic()
        equal(server.end(signal.SIGTERM), 0)
        assert time.monotonic() - started < 4
        stream.close()


def served_name(port, ca):
    with socket.create_connection(("localhost", port)) as plain:
        with context(ca).wrap_socket(plain, server_hostname="localhost") as stream:
            return dict(part[0] for part in stream.getpeercert()["subject"])["commonName"]


@case
def echo_reads_certificates_again_on_sighup():
    chain, key = harness.HOME / "live.pem", harness.HOME / "live.key"
    ca = harness.HOME / "ca.pem"

    def install(name):
        for source, target in ((f"{name}.pem", chain), (f"{name}.key", key)):
            fresh = target.with_suffix(".fresh")
            fresh.write_bytes((harness.HOME / source).read_bytes())
            fresh.rename(target)

    install("server")
    with Serving("--cert", chain, "--key", key) as server:
        equal(served_name(server.port, ca), "server")
        install("renewed")
        server.send(signal.SIGHUP)
        wait_for(lambda: "certificates reloaded" in server.log(), "the reload")
        equal(served_name(server.port, ca), "renewed")
        chain.write_text("broken")
        server.send(signal.SIGHUP)
        wait_for(lambda: "old certificates stay" in server.log(), "the failed reload")
        equal(served_name(server.port, ca), "renewed")
        equal(server.log().count("certificates reloaded"), 1, "one line for one event")


@case
def echo_logs_as_asked():
    with Serving("--quiet") as server:
        talk(echoed("secret-payload"), server.url("/?token=secret-token"))
        server.end()
        equal(server.err, "")
    with Serving("--verbose", "--stats", "--threads", "2") as server:
        talk(echoed("secret-payload"), server.url("/?token=secret-token"))
        server.end()
        lacks(server.err, "secret-payload", "secret-token")
        contains(server.err, "websocket opened peer=", " path=/ subprotocol=none tls=TLSv1.3", "websocket ended peer=", " code=1000 ")
        contains(server.err, "stats accepted=", "messages_in=1", "messages_out=1", "upgrades=1")
        for line in server.err.splitlines():
            assert line.startswith("stats ") or re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (debug|info|warning|error) ", line), line


@case
def echo_writes_a_key_log_only_when_told():
    log = harness.HOME / "echo-keys.log"
    os.environ["SSLKEYLOGFILE"] = str(harness.HOME / "never.log")
    try:
        with Serving() as server:
            with socket.create_connection(("localhost", server.port)) as plain:
                tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                tls.load_verify_locations(harness.development_ca())
                tls.wrap_socket(plain, server_hostname="localhost").close()
        equal((harness.HOME / "never.log").exists(), False)
    finally:
        del os.environ["SSLKEYLOGFILE"]
    with Serving("--key-log", log) as server:
        talk(echoed("x"), server.url())
    contains(log.read_text(), "CLIENT_TRAFFIC_SECRET_0")
    equal(log.stat().st_mode & 0o777, 0o600)


def raw_channel(server):
    """A socket on which the opening handshake is done."""
    stream = context().wrap_socket(socket.create_connection(("localhost", server.port)), server_hostname="localhost")
    stream.sendall(f"GET / HTTP/1.1\r\nHost: localhost:{server.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode())
    contains(harness.read_head(stream), " 101 ")
    stream.setblocking(False)
    return stream


WAITING = (ssl.SSLWantReadError, ssl.SSLWantWriteError)


def send_until_blocked(stream, message, quiet_seconds, limit):
    """Repeats the bytes until nothing has been taken for a while; how often they went out as a whole."""
    whole, left, quiet_since = 0, b"", time.monotonic()
    while time.monotonic() - quiet_since < quiet_seconds and whole < limit:
        left = left or message
        try:
            left = left[stream.send(left):]
            quiet_since = time.monotonic()
            whole += not left
        except WAITING:
            time.sleep(0.01)
    return whole


def receive_bytes(stream, count):
    got, until = 0, time.monotonic() + harness.PATIENCE_SECONDS
    while got < count and time.monotonic() < until:
        try:
            piece = stream.recv(65536)
            if not piece:
                break
            got += len(piece)
        except WAITING:
            time.sleep(0.005)
    return got


@case
def echo_slows_down_who_does_not_read():
    size = 65536
    message = bytes([0x82, 0xFF]) + size.to_bytes(8, "big") + bytes(4) + bytes(size)
    with Serving("--queue-bytes", "256K") as server:
        before = server.resident_bytes()
        stream = raw_channel(server)
        sent = send_until_blocked(stream, message, 1.5, limit=4000)
        grown = server.resident_bytes() - before
        assert sent < 4000, "everything was taken although nothing was read"
        assert grown < 4 * 1024 * 1024, f"grew by {grown} bytes"
        answers = sent * (size + 10)  # a server's frames are not masked
        assert receive_bytes(stream, answers) >= answers
        stream.close()


@case
def echo_answers_a_crowd_alike_whichever_system_calls_it_makes():
    """Rounds of messages on many connections at once, of sizes that are read and written together, and of others."""
    sizes = (1, 1_000, 5_000, 40_000, 150_000)

    async def crowd(url):
        async with contextlib.AsyncExitStack() as stack:
            connections = [await stack.enter_async_context(websockets.connect(url, ssl=context(), max_size=None))
                           for _ in range(50)]
            for size in sizes:
                messages = [os.urandom(size + i) for i in range(len(connections))]
                await asyncio.gather(*(ws.send(message) for ws, message in zip(connections, messages)))
                answers = await asyncio.gather(*(ws.recv() for ws in connections))
                equal([one == other for one, other in zip(answers, messages)], [True] * len(messages))

    for calls in ("automatic", "one-by-one"):
        with Serving("--system-calls", calls) as server:
            asyncio.run(asyncio.wait_for(crowd(server.url()), 3 * harness.PATIENCE_SECONDS))
    contains(run("echo", "--system-calls", "none", status=2)[1], "--system-calls", "automatic")
