# SPDX-License-Identifier: Apache-2.0
# The programs that come with OpenSSL, GnuTLS and NSS, as streams: plaintext on standard input and output. Each has its
# own way to say what was agreed on and how the other side ended.
import asyncio
import contextlib
import re
import socket

from support import processes
from support.suite import PATIENCE, Failure, check
from support.tlsstream import CLOSE_NOTIFY, TRUNCATED

WAIT = 8.0 * PATIENCE
OPENSSL_SUITES = {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
                  "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
                  "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305"}


def free_port():
    """For programs that cannot choose one themselves."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Tool:
    """One process whose output is plaintext behind a prelude that ends with `marker`."""

    marker = b""

    def __init__(self, *command):
        self.command = command
        self.process = self.ended = self.opened = None
        self.fin = False
        self.output, self.errors = bytearray(), bytearray()
        self._taken = 0
        self._finished = False  # we have said close_notify
        self._news = asyncio.Event()

    async def __aenter__(self):
        self.process = await processes.spawn(*self.command)
        self._tasks = [asyncio.ensure_future(self._collect(self.process.stdout, self.output)),
                       asyncio.ensure_future(self._collect(self.process.stderr, self.errors))]
        return self

    async def __aexit__(self, *_):
        await processes.reap(self.process, grace=1)
        for task in self._tasks:
            task.cancel()
        with contextlib.suppress(OSError):
            await self.process.stdin.wait_closed()

    async def _collect(self, pipe, into):
        while data := await pipe.read(65536):
            into += data
            self._news.set()
        self._news.set()

    @property
    def log(self):
        return (bytes(self.output[:4000]) + b"\n" + bytes(self.errors)).decode(errors="replace")

    async def wait_for(self, found, what, timeout=WAIT):
        """Waits until `found()` is true or the process has ended."""
        async def look():
            while not found():
                if self._over():
                    raise Failure(f"{self.command[0]} ended before {what}: {self.log[-500:]}")
                self._news.clear()
                await self._news.wait()
        try:
            await asyncio.wait_for(look(), timeout)
        except asyncio.TimeoutError:
            raise Failure(f"no {what} within {timeout:g} s: {self.log[-500:]}") from None

    async def settle(self):
        """Waits until the program has gone, by itself or not; what it said is complete then."""
        self.process.stdin.close()
        await asyncio.wait_for(asyncio.gather(self.process.wait(), *self._tasks), WAIT)

    def _over(self):
        return all(task.done() for task in self._tasks)

    async def open(self):
        if self.marker:
            await self.wait_for(lambda: self.marker in self.output, "handshake")
            self._taken = self.output.index(self.marker) + len(self.marker)
        return self

    async def receive(self):
        while len(self.output) == self._taken or self._finished:  # behind our goodbye they talk to people
            if self._over():
                await self.process.wait()
                self.ended = self.how_it_ended()
                return b""
            self._news.clear()
            await self._news.wait()
        data = bytes(self.output[self._taken:])
        self._taken += len(data)
        return data

    async def send(self, data, pieces=None):
        try:
            self.process.stdin.write(bytes(data))
            await self.process.stdin.drain()
        except ConnectionError:
            pass  # reading tells why it has gone

    async def close_notify(self):
        """All of these say it when their input ends."""
        self._finished = True
        self.process.stdin.close()

    async def cut(self):
        """The system ends TCP for a process that is killed; nothing is said in TLS."""
        await asyncio.sleep(0.3)  # what was sent before must have left
        if self.process.returncode is None:
            self.process.kill()

    async def await_fin(self):
        await asyncio.wait_for(self.process.wait(), WAIT)

    def end_tcp(self):
        pass

    def abort(self):
        pass

    def how_it_ended(self):
        raise NotImplementedError


class Openssl(Tool):
    """s_client and s_server. A command letter counts only at the start of what one read of theirs gives, so data must
    hold none of them (`safe`), and commands go alone."""

    letters = b"QqRrKkcPSB"

    async def update(self, ask):
        before = self.errors.count(b"KEYUPDATE")
        await asyncio.sleep(0.05)  # what was sent before has been read by now
        await self.send(b"K\n" if ask else b"k\n")
        await self.wait_for(lambda: self.errors.count(b"KEYUPDATE") > before, "KEYUPDATE")

    def how_it_ended(self):
        text = self.log
        if "unexpected eof" in text:
            return TRUNCATED
        found = re.search(r"[^\n]*error:[^\n]*", text)
        return found.group(0) if found else CLOSE_NOTIFY


def openssl_suite(version, suite):
    if version == "1.3":
        return ["-tls1_3", "-ciphersuites", suite]
    return ["-tls1_2", "-cipher", OPENSSL_SUITES[suite]]


class SClient(Openssl):
    def __init__(self, port, certificates, version, suite, *extra):
        super().__init__("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost", "-CAfile",
                         certificates.ca, "-verify_return_error", "-verify_hostname", "localhost", "-brief", "-alpn",
                         "http/1.1", *openssl_suite(version, suite), *extra)

    async def open(self):
        await self.wait_for(lambda: b"Server Temp Key" in self.errors or b"Verification: OK" in self.errors, "handshake")
        await asyncio.sleep(0.05)
        found = re.search(r"Protocol version: (\S+)\s+Ciphersuite: (\S+)", self.log)
        check(found, f"s_client says nothing about the handshake: {self.log[-300:]}")
        names = {theirs: ours for ours, theirs in OPENSSL_SUITES.items()}
        self.opened = (found[1], names.get(found[2], found[2]), "")
        return self


class SServer(Openssl):
    marker = b"Secure Renegotiation IS supported\n"

    def __init__(self, certificates, version, suite, *extra):
        super().__init__("stdbuf", "-oL", "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", certificates.cert("server"), "-key",
                         certificates.key("server"), "-naccept", 1, "-alpn", "http/1.1", *openssl_suite(version, suite),
                         *extra)
        self.port = None

    async def listen(self):
        await self.wait_for(lambda: b"ACCEPT 127.0.0.1:" in self.output and self.output.endswith(b"\n"), "port")
        self.port = int(re.search(rb"ACCEPT 127\.0\.0\.1:(\d+)", self.output)[1])
        return self

    async def open(self):
        await super().open()
        suite = re.search(r"CIPHER is (\S+)", self.log)[1]
        version = "TLSv1.3" if suite.startswith("TLS_") else "TLSv1.2"
        names = {theirs: ours for ours, theirs in OPENSSL_SUITES.items()}
        self.opened = (version, names.get(suite, suite), "resumed" if "Reused session-id" in self.log else "full")
        return self

    async def receive(self):
        """Plaintext without the words that it puts there when a record held none (a KeyUpdate)."""
        while data := await super().receive():
            if data := data.replace(b"Read BLOCK\n", b""):
                break
        return data

    async def update(self, ask):
        """It says on standard output that it did; the words are taken out of the plaintext."""
        words = b"SSL_do_handshake -> 1\n"
        await asyncio.sleep(0.05)
        await self.send(b"K\n" if ask else b"k\n")
        await self.wait_for(lambda: words in self.output[self._taken:], "KeyUpdate")
        at = self.output.index(words, self._taken)
        del self.output[at:at + len(words)]


class GnutlsCli(Tool):
    """gnutls-cli, whose own words go to a file, all of them at its end."""

    def __init__(self, port, certificates, version, suite, log_file, *extra):
        self.log_file = log_file
        cipher = next(name for suffix, name in (("AES_128_GCM", "AES-128-GCM"), ("AES_256_GCM", "AES-256-GCM"),
                                                ("CHACHA20", "CHACHA20-POLY1305")) if suffix in suite)
        super().__init__("gnutls-cli", "127.0.0.1", "--port", port, "--x509cafile", certificates.ca, "--sni-hostname",
                         "localhost", "--verify-hostname", "localhost", "--alpn", "http/1.1", "--logfile", log_file,
                         "--priority", f"NORMAL:-VERS-ALL:+VERS-TLS{version}:-CIPHER-ALL:+{cipher}", *extra)

    def said(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    async def update(self, ask):
        await asyncio.sleep(0.05)
        await self.send(b"^rekey^\n" if ask else b"^rekey1^\n")
        await asyncio.sleep(0.1)

    def how_it_ended(self):
        text = self.said() + self.log
        if "non-properly terminated" in text:
            return TRUNCATED
        return CLOSE_NOTIFY if "closed the GnuTLS connection" in text else text[-200:]


class Tstclnt(Tool):
    """NSS' client. It cannot tell close_notify from the end of TCP."""

    def __init__(self, port, database, version, suite):
        number = {"TLS_AES_128_GCM_SHA256": "1301", "TLS_AES_256_GCM_SHA384": "1302",
                  "TLS_CHACHA20_POLY1305_SHA256": "1303", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "c02b"}[suite]
        super().__init__("tstclnt", "-h", "127.0.0.1", "-a", "localhost", "-p", port, "-d", f"sql:{database}", "-V",
                         f"tls{version}:tls{version}", "-c", f":{number.upper()}", "-f")

    async def open(self):
        return self

    def how_it_ended(self):
        return None
