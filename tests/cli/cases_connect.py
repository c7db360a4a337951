# SPDX-License-Identifier: Apache-2.0
# `fairlead connect`: every flag, as a filter and on a terminal.
import os
import pty
import re
import subprocess
import time

import harness
from harness import FAIRLEAD, Peer, Serving, accept, case, contains, development_ca, equal, frame, lacks, run, sends, until_closed


def filtered(server, data, *arguments, **options):
    return run("connect", server.url(), "--ca", "dev", *arguments, stdin=data, **options)


@case
def lines_go_out_and_lines_come_in():
    with Serving() as server:
        equal(filtered(server, "one\ntwo 🚢\n\nlast without newline"), ("one\ntwo 🚢\n\nlast without newline\n", ""))
        equal(filtered(server, ""), ("", ""))


@case
def binary_messages_are_hexadecimal_lines_without_the_flag():
    with Peer(sends(frame(2, b"\0\xff\x10"), frame(1, b"text"), frame(8, b"\x03\xe8"))) as peer:
        out, _ = run("connect", peer.url(), "--ca", harness.HOME / "ca.pem", "--exit-on-close")
        equal(out, "00ff10\ntext\n")


@case
def bytes_go_out_and_bytes_come_in():
    data = os.urandom(300_000)
    with Serving() as server:
        equal(filtered(server, data, "--binary", text=False)[0], data)
        equal(filtered(server, data, "-b", "--chunk-bytes", "1000", text=False)[0], data)
        equal(filtered(server, data, "--binary", "--one-message", text=False)[0], data)
        contains(filtered(server, data, "--binary", "--chunk-bytes", "100000", "--stats", text=False)[1], "messages_out=3 ", "messages_in=3 ")
        contains(filtered(server, data, "--binary", "--one-message", "--stats", text=False)[1], "messages_out=1 ", "messages_in=1 ")


@case
def the_request_is_as_asked_for():
    with Peer(sends(frame(8, b"\x03\xe8"))) as peer:
        run("connect", peer.url("/chat?room=1"), "--ca", harness.HOME / "ca.pem", "--exit-on-close", "-H", "X-One: 1",
            "--header", "Authorization: Bearer t", "--origin", "https://page.example")
        head = peer.heads[0]
        contains(head, "GET /chat?room=1 HTTP/1.1\r\n", "X-One: 1\r\n", "Authorization: Bearer t\r\n",
                 "Origin: https://page.example\r\n", f"Host: localhost:{peer.port}\r\n")
        lacks(head, "permessage-deflate", "Sec-WebSocket-Protocol")


@case
def subprotocols_are_offered_in_order():
    with Serving("--subprotocol", "b") as server:
        contains(filtered(server, "", "-s", "a", "--subprotocol", "b", "--verbose")[1], "subprotocol b")


@case
def compression_is_offered_when_told():
    with Serving("--compress") as server:
        text = "x" * 10_000
        out, err = filtered(server, text, "--compress", "--verbose")
        equal(out, text + "\n")
        contains(err, "permessage-deflate")
        lacks(filtered(server, "x", "--verbose")[1], "permessage-deflate")
    with Serving("--compress", "--context-takeover") as server:
        out, err = filtered(server, "abc\n" * 100, "--compress", "--context-takeover", "-v")
        equal(out, "abc\n" * 100)
        lacks(err, "server_no_context_takeover")


@case
def the_development_ca_is_trusted_only_when_told():
    with Serving() as server:
        run("connect", server.url(), status=7)
        filtered(server, "")
        run("connect", server.url(), "--ca", development_ca())


@case
def insecure_connects_and_says_so():
    with Peer(sends(frame(1, b"hello"), frame(8, b"\x03\xe8")), certificate="other") as peer:
        out, err = run("connect", peer.url(), "--insecure", "--exit-on-close")
        equal(out, "hello\n")
        contains(err, "--insecure")


@case
def a_client_certificate_is_shown():
    with Serving("--client-ca", harness.HOME / "ca.pem") as server:
        equal(filtered(server, "x\n", "--cert", harness.HOME / "client.pem", "--key", harness.HOME / "client.key")[0], "x\n")


@case
def pins_and_server_names_are_checked():
    import json
    with Serving("--cert", harness.HOME / "server.pem", "--key", harness.HOME / "server.key") as server:
        ca = ["--ca", harness.HOME / "ca.pem"]
        pin = json.loads(run("cert", "show", harness.HOME / "server.pem", "--json")[0])["chain"][0]["spki_sha256"]
        run("connect", server.url(), *ca, "--pin", pin)
        run("connect", server.url(), *ca, "--server-name", "other.example", status=8)
    with Serving("--cert", harness.HOME / "other.pem", "--key", harness.HOME / "other.key") as server:
        run("connect", server.url(), *ca, status=8)
        run("connect", server.url(), *ca, "--server-name", "other.example")


@case
def tls_profile_modern_is_1_3_only():
    with Serving() as server:
        contains(filtered(server, "", "--tls-profile", "modern", "-v")[1], "TLSv1.3")


@case
def key_log_is_written_when_told():
    log = harness.HOME / "connect-keys.log"
    with Serving() as server:
        filtered(server, "x\n", "--key-log", log)
    contains(log.read_text(), "CLIENT_TRAFFIC_SECRET_0")


@case
def unix_sockets_and_cleartext():
    path = harness.HOME / "connect.sock"
    with Serving("--unix", path, listen=None):
        equal(run("connect", "wss://localhost/", "--unix", path, "--ca", "dev", stdin="x\n")[0], "x\n")
    with Serving("--cleartext", listen="127.0.0.1:0") as server:
        url = server.url(host="127.0.0.1", scheme="ws")
        equal(run("connect", url, "--allow-cleartext", stdin="x\n")[0], "x\n")
        run("connect", url, status=3)


@case
def linger_no_wait_and_exit_on_close():
    def late(stream, head):  # answers after a while
        accept(stream, head)
        stream.recv(1000)
        time.sleep(0.6)
        stream.sendall(frame(1, b"late"))
        stream.recv(1000)

    def last(stream, head):  # closes by itself
        accept(stream, head)
        time.sleep(0.6)
        stream.sendall(frame(1, b"late") + frame(8, b"\x03\xe8"))
        stream.recv(1000)

    ca = ["--ca", harness.HOME / "ca.pem"]
    with Peer(late) as peer:
        equal(run("connect", peer.url(), *ca, "--linger", "3", stdin="x\n", status=None)[0], "late\n")
    with Peer(last) as peer:
        equal(run("connect", peer.url(), *ca, "--exit-on-close")[0], "late\n")
    with Serving() as server:
        started = time.monotonic()
        filtered(server, "", "--no-wait")
        assert time.monotonic() - started < 0.9, "--no-wait waited"
        started = time.monotonic()
        filtered(server, "x\n", "--linger", "1.5")
        assert time.monotonic() - started > 1.4, "--linger did not wait"
    run("connect", "wss://x/", "--no-wait", "--linger", "1", status=2)


@case
def pings_print_the_round_trip():
    with Serving() as server:
        _, err = filtered(server, "", "--ping", "0.1", "--linger", "0.5", "--stats")
        times = re.findall(r"^rtt (\d+\.\d+) ms$", err, re.MULTILINE)
        assert len(times) >= 2, err
        assert all(0 < float(one) < 5000 for one in times), times
        contains(err, "stats connections=1 ", "rtt_ms=")


@case
def stats_count_what_passed():
    with Serving() as server:
        contains(filtered(server, "ab\ncd\n", "--stats")[1], "messages_out=2 bytes_out=4 messages_in=2 bytes_in=4")


@case
def large_messages_need_the_flag():
    with Serving("--max-message", "300M", "--queue-bytes", "300M") as server:
        text = "y" * (70 * 1024 * 1024)
        filtered(server, text, status=16)
        assert filtered(server, text, "--max-message", "100M", "--linger", "5")[0] == text + "\n"


@case
def it_comes_back_when_told():
    connections = []

    def first_breaks(stream, head):
        accept(stream, head)
        connections.append(1)
        if len(connections) == 1:
            stream.sendall(frame(1, b"first"))
            return  # cut
        stream.sendall(frame(1, b"second") + frame(8, b"\x03\xe8"))
        stream.recv(1000)

    with Peer(first_breaks) as peer:
        out, err = run("connect", peer.url(), "--ca", harness.HOME / "ca.pem", "--reconnect", "--exit-on-close")
        equal(out, "first\nsecond\n")
        contains(err, "connecting again")


@case
def attempts_are_limited_when_told():
    import socket
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        run("connect", f"wss://127.0.0.1:{one.getsockname()[1]}/", "--reconnect", "--attempts", "2", status=5)
    run("connect", "wss://x/", "--attempts", "2", status=2)


@case
def input_survives_a_reconnect():
    heard = []

    def server(stream, head):
        accept(stream, head)
        data = stream.recv(1000)
        payload = bytes(byte ^ data[2 + i % 4] for i, byte in enumerate(data[6:6 + (data[1] & 127)]))
        heard.append(payload)
        if payload == b"one":
            return  # cut after the first line
        until_closed(stream)

    with Peer(server) as peer:
        process = subprocess.Popen([FAIRLEAD, "connect", peer.url(), "--ca", harness.HOME / "ca.pem", "--reconnect"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdin.write(b"one\n")
        process.stdin.flush()
        harness.wait_for(lambda: len(peer.heads) == 2, "the second connection")
        process.stdin.write(b"two\n")
        process.stdin.flush()
        harness.wait_for(lambda: len(heard) == 2, "the second line")
        equal(heard, [b"one", b"two"])
        process.kill()
        process.communicate()


class Terminal:
    """`fairlead connect` with a terminal for input and output."""

    def __init__(self, *arguments):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen([FAIRLEAD, "connect", *map(str, arguments)], stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        self.text = ""

    def type(self, text):
        os.write(self.master, text.encode())

    def read_until(self, part):
        while part not in self.text:
            self.text += os.read(self.master, 4096).decode(errors="replace")

    def end(self):
        status = self.process.wait(20)
        try:
            while more := os.read(self.master, 4096):
                self.text += more.decode(errors="replace")
        except OSError:
            pass
        os.close(self.master)
        return status


@case
def a_person_talks_on_a_terminal():
    with Serving() as server:
        terminal = Terminal(server.url(), "--ca", "dev")
        terminal.read_until("connected: TLSv1.3")
        terminal.type("hello\n")
        terminal.read_until("\x1b[36mhello")
        terminal.type("\x04")  # Ctrl-D ends the input
        equal(terminal.end(), 0)
        contains(terminal.text, "closed: 1000 normal")


@case
def a_peer_cannot_command_the_terminal():
    with Peer(sends(frame(1, b"a\x1b[2Jb\xc2\x9b31m"), frame(8, b"\x03\xe8"))) as peer:
        terminal = Terminal(peer.url(), "--ca", harness.HOME / "ca.pem", "--exit-on-close")
        equal(terminal.end(), 0)
        contains(terminal.text, "a\\x1b[2Jb\\x9b31m")
        lacks(terminal.text, "\x1b[2J")
    with Peer(sends(frame(1, b"a\x1b[2Jb"), frame(8, b"\x03\xe8"))) as peer:  # a filter passes bytes on as they are
        equal(run("connect", peer.url(), "--ca", harness.HOME / "ca.pem", "--exit-on-close")[0], "a\x1b[2Jb\n")
