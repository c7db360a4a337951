# SPDX-License-Identifier: Apache-2.0
# Each exit status of `fairlead connect`, and the sentence that says what to do.
import os
import signal
import socket
import subprocess
import time

import harness
from harness import FAIRLEAD, Peer, Serving, accept, answers, case, closes_with, contains, equal, frame, run, sends, wait_for



def connect(peer, *arguments, **options):
    return run("connect", peer.url(), "--ca", harness.HOME / "ca.pem", *arguments, **options)


@case
def status_0_clean_close():
    for code in (1000, 1001):
        with Peer(closes_with(code)) as peer:
            connect(peer, "--exit-on-close", status=0)

    def empty_close(stream, head):
        accept(stream, head)
        stream.sendall(frame(8))
        stream.recv(100)
    with Peer(empty_close) as peer:
        connect(peer, "--exit-on-close", status=0)


@case
def status_2_usage():
    contains(run("connect", "wss://localhost:1/", "-H", "no colon", status=2)[1], "Name: value")
    run("connect", "wss://localhost:1/", "-H", "bad name: x", status=2)
    run("connect", "wss://localhost:1/", "-H", "a: b\r\nc: d", status=2)


@case
def status_3_bad_url():
    for url in ("localhost", "https://localhost/", "wss://", "wss://a b/", "wss://user:pw@localhost/", "wss://x/#fragment",
                "wss://localhost:0/", "wss://localhost:99999/", "ws://localhost:1/", ""):
        contains(run("connect", url, status=3)[1], "fairlead:", "wss://")


@case
def status_4_dns():
    contains(run("connect", "wss://no-such-host.invalid/", status=4)[1], "spelling")


@case
def status_5_unreachable():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
        contains(run("connect", f"wss://127.0.0.1:{port}/", status=5)[1], "firewall")
    run("connect", "wss://localhost/", "--unix", harness.HOME / "no.sock", status=5)


@case
def status_6_timed_out():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        contains(run("connect", f"wss://127.0.0.1:{silent.getsockname()[1]}/", "--timeout", "0.4", status=6)[1], "--timeout")
        assert time.monotonic() - started < 5

    def never_answers(stream, _):
        harness.until_closed(stream)
    with Peer(never_answers) as peer:
        connect(peer, "--timeout", "0.5", status=6)


@case
def status_7_certificate():
    with Peer(closes_with(1000)) as peer:
        contains(run("connect", peer.url(), status=7)[1], "--ca FILE")
        contains(run("connect", peer.url(), "--ca", harness.HOME / "stranger.pem", status=7)[1], "cert show")
        contains(connect(peer, "--pin", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", status=7)[1], "--pin")


@case
def status_8_host_mismatch():
    with Peer(closes_with(1000), certificate="other") as peer:
        contains(connect(peer, status=8)[1], "name")


@case
def status_9_other_tls():
    with Peer(answers("HTTP/1.1 400 Bad Request\r\n\r\n"), secure=False) as peer:
        contains(run("connect", peer.url(), status=9)[1], "TLS")
    run("connect", "wss://localhost:1/", "--ca", "/nowhere.pem", status=9)
    with Serving("--client-ca", harness.HOME / "ca.pem") as server:
        contains(run("connect", server.url(), "--ca", "dev", status=9)[1], "--cert")


@case
def status_10_refused():
    for status, hint in ((401, "Authorization"), (403, "--origin"), (404, "path"), (429, "later"), (500, "log"), (302, "elsewhere")):
        with Peer(answers(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\nLocation: https://x.example/\r\n\r\n")) as peer:
            contains(connect(peer, status=10)[1], str(status), hint)


@case
def status_11_handshake():
    bad_accept = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n"
    with Peer(answers(bad_accept)) as peer:
        contains(connect(peer, status=11)[1], "handshake_bad_accept", "no WebSocket server")
    with Peer(answers("SSH-2.0-OpenSSH\r\n\r\n")) as peer:
        connect(peer, status=11)

    def unasked(stream, head):
        accept(stream, head, extra="Sec-WebSocket-Protocol: surprise\r\n")
        harness.until_closed(stream)
    with Peer(unasked) as peer:
        connect(peer, status=11)


@case
def status_12_protocol():
    masked = bytes([0x81, 0x81, 1, 2, 3, 4, ord("x") ^ 1])
    for bad in (masked, bytes([0x83, 0]), bytes([0xC1, 0]), bytes([0x80, 0]), frame(1, b"\xff"), frame(8, b"\x03")):
        with Peer(sends(bad)) as peer:
            contains(connect(peer, "--exit-on-close", status=12)[1], "bug of the peer")


@case
def status_13_closed_with_another_code():
    with Peer(closes_with(1008, b"go \x1b[2Jaway")) as peer:
        contains(connect(peer, "--exit-on-close", status=13)[1], "1008 policy violation", "go \\x1b[2Jaway")
    with Peer(closes_with(4321)) as peer:
        contains(connect(peer, "--exit-on-close", status=13)[1], "4321")


@case
def status_14_abnormal():
    def cut(stream, head):
        accept(stream, head)
        stream.sendall(frame(1, b"last words"))
    with Peer(cut) as peer:
        out, err = connect(peer, "--exit-on-close", status=14)
        equal(out, "last words\n")
        contains(err, "--reconnect")


@case
def status_15_local_io():
    with Peer(sends(frame(1, b"hello"))) as peer:
        with open("/dev/full", "wb") as full:
            contains(connect(peer, "--exit-on-close", status=15, stdout=full)[1], "cannot write")
    with Serving() as server:
        contains(run("connect", server.url(), "--ca", "dev", stdin=b"fine\n\xff\xfe\n", status=15)[1], "line 2", "UTF-8")
        done = subprocess.run([FAIRLEAD, "connect", server.url(), "--ca", "dev"], stdin=os.open("/", os.O_RDONLY),
                              capture_output=True, timeout=20, check=False)
        equal(done.returncode, 15)
        contains(done.stderr.decode(), "cannot read")


@case
def status_16_over_limit():
    with Peer(sends(frame(2, b"x" * 200))) as peer:
        contains(connect(peer, "--max-message", "199", "--exit-on-close", status=16)[1], "--max-message")
    with Peer(sends(frame(1, b"", fin=False), *[frame(0, b"", fin=False)] * 20)) as peer:
        contains(connect(peer, "--max-fragments", "8", "--exit-on-close", status=16)[1], "--max-fragments")


@case
def status_130_interrupted():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = subprocess.Popen([FAIRLEAD, "connect", f"wss://127.0.0.1:{silent.getsockname()[1]}/"], stdin=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        held, _ = silent.accept()  # closed at once it would be a refusal
        with held:
            process.send_signal(signal.SIGINT)
            equal(process.wait(20), 130)
            process.communicate()


@case
def an_interrupt_closes_cleanly_and_a_second_one_ends():
    seen = []

    def stubborn(stream, head):  # reads the close frame and never answers it
        accept(stream, head)
        seen.append(stream.recv(100))
        time.sleep(8)

    with Serving() as server:
        process = subprocess.Popen([FAIRLEAD, "connect", server.url(), "--ca", "dev"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdin.write(b"x\n")
        process.stdin.flush()
        equal(process.stdout.readline(), b"x\n")
        process.send_signal(signal.SIGINT)
        equal(process.wait(20), 0)
        process.communicate()
    with Peer(stubborn) as peer:
        process = subprocess.Popen([FAIRLEAD, "connect", peer.url(), "--ca", harness.HOME / "ca.pem"], stdin=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        wait_for(lambda: peer.heads, "the request")
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        wait_for(lambda: seen and seen[0], "the close frame")
        process.send_signal(signal.SIGTERM)
        equal(process.wait(5), 128 + signal.SIGTERM)
        process.communicate()
