# SPDX-License-Identifier: Apache-2.0
# openssl s_client against the server: versions, suites, ALPN, resumption, key updates, client certificates.
import asyncio
import base64
import os
import re
import ssl

from conformance.frames import FrameReader, text
from conformance.peer import request
from support import processes, tlsstream
from support.suite import Book, Failure, check, expect

book = Book()


async def _handshake(environment, port, *arguments, input=b"", timeout=15):
    """s_client's whole output for a handshake; the input ends at once."""
    done = await environment.run("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost",
                                 "-CAfile", environment.certificates.ca, "-verify_return_error", *arguments, input=input,
                                 timeout=timeout)
    return done, done.output.decode(errors="replace") + done.error


def _accepted(name, title, wanted, *arguments, certificate="server"):
    async def run(environment):
        server = await environment.shared(certificate=certificate)
        done, log = await _handshake(environment, server.port, *arguments)
        check(done.status == 0, f"the handshake failed: {_alert(log)}")
        for text_wanted in wanted:
            check(text_wanted in log, f"expected {text_wanted!r} in s_client's output")
    book.add(f"server/openssl/{name}", "openssl", title, run)


def _is_refused(done, log, alert):
    """The handshake failed, and with the alert that says why (RFC 8446 6.2, RFC 7301 3.2)."""
    check(done.status != 0 and "New, (NONE)" in log, f"the handshake succeeded: {log[-200:]}")
    check(f"alert {alert}:" in log, f"expected the alert {alert!r}, got {_alert(log)!r}")


def _refused(name, title, alert, *arguments, certificate="server"):
    async def run(environment):
        server = await environment.shared(certificate=certificate)
        _is_refused(*await _handshake(environment, server.port, *arguments), alert)
        _, log = await _handshake(environment, server.port)
        check("Verify return code: 0" in log, "the server does not serve any more")
    book.add(f"server/openssl/{name}", "openssl", title, run)


def _alert(log):
    found = re.search(r"alert[^\n]*|error:[^\n]*", log)
    return found.group(0) if found else log[-200:]


_accepted("tls1.3", "TLS 1.3 and its chain", ["TLSv1.3", "Verify return code: 0"], "-tls1_3")
_accepted("tls1.2", "TLS 1.2", ["TLSv1.2", "Verify return code: 0"], "-tls1_2")
_accepted("x25519", "X25519", ["X25519"], "-groups", "X25519")
_accepted("p256", "P-256", ["prime256v1"], "-groups", "P-256")
for _suite in ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"):
    _accepted(f"suite-{_suite}", f"suite {_suite}", [_suite], "-tls1_3", "-ciphersuites", _suite)
for _suite in ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"):
    _accepted(f"suite-{_suite}", f"suite {_suite}", [_suite], "-tls1_2", "-cipher", _suite)
_accepted("alpn-http1", "ALPN http/1.1", ["ALPN protocol: http/1.1"], "-alpn", "http/1.1")
_accepted("alpn-both", "ALPN h2 and http/1.1", ["ALPN protocol: http/1.1"], "-alpn", "h2,http/1.1")
_accepted("alpn-none", "no ALPN", ["No ALPN negotiated"])
_accepted("no-compression", "no TLS compression", ["Compression: NONE"], "-tls1_2", "-comp")
_accepted("secure-renegotiation", "no insecure renegotiation", ["Secure Renegotiation IS supported"], "-tls1_2")

for _suite in ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"):
    _accepted(f"suite-{_suite}", f"suite {_suite}", [_suite], "-tls1_2", "-cipher", _suite, certificate="server-rsa")

_ANY = ["-cipher", "ALL:@SECLEVEL=0"]
_refused("tls1.1", "TLS 1.1 is refused", "protocol version", "-tls1_1", *_ANY)
_refused("tls1.0", "TLS 1.0 is refused", "protocol version", "-tls1", *_ANY)
# Suites that a server could take with the certificate it has: by certificate, version and name.
WEAK = [("server", "-tls1_2", suite) for suite in ("ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-AES128-CCM",
                                                   "aNULL", "eNULL")]
WEAK += [("server-rsa", "-tls1_2", suite) for suite in ("AES128-GCM-SHA256", "AES256-SHA256", "DHE-RSA-AES128-GCM-SHA256",
                                                        "ECDHE-RSA-AES128-SHA256")]
WEAK += [("server", "-tls1_3", "TLS_AES_128_CCM_8_SHA256")]


def _only(version, suite):
    return [version, "-ciphersuites" if version == "-tls1_3" else "-cipher", suite if version == "-tls1_3" else f"{suite}:@SECLEVEL=0"]


for _certificate, _version, _suite in WEAK:
    _refused(f"weak-{_suite}", f"suite {_suite} is refused", "handshake failure", *_only(_version, _suite), certificate=_certificate)


@book.case("server/openssl/weak-control", "openssl", "control: a server that takes the weak suites gets them from the same client", timeout=60)
async def weak_control(environment):
    certificates = environment.certificates
    for certificate, version, suite in WEAK:
        server = await processes.spawn("openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", certificates.cert(certificate), "-key",
                                       certificates.key(certificate), *_only(version, suite))
        try:
            while b"ACCEPT" not in (line := await asyncio.wait_for(server.stdout.readline(), 15)):
                check(line, f"openssl s_server with {suite} did not start")
            port = int(line.rpartition(b":")[2])
            done, log = await _handshake(environment, port, *_only(version, suite))
            try:
                _is_refused(done, log, "handshake failure")
            except Failure as found:
                check("the handshake succeeded" in str(found), f"{suite}: {found}")
                continue
            raise Failure(f"the check of a refusal finds nothing wrong with a server that takes {suite}")
        finally:
            await processes.reap(server)


_refused("alpn-h2", "ALPN h2 alone is refused", "no application protocol", "-alpn", "h2")
_refused("alpn-unknown", "an unknown ALPN alone is refused", "no application protocol", "-alpn", "spdy/1")


def _resumption(version, flag):
    @book.case(f"server/openssl/resume-{version}", "openssl", f"TLS {version}: the second handshake resumes the first", timeout=30)
    async def run(environment):
        server = await environment.shared()
        session = environment.directory / f"session-{version}.pem"
        first = Interactive(environment, server.port, flag, "-sess_out", session)
        async with first:
            await first.open()
        check(session.exists(), "no session was saved")
        second = Interactive(environment, server.port, flag, "-sess_in", session)
        async with second:
            await second.open()
            await second.echo(b"resumed")
        check("Reused, " in second.log(), "the session was not resumed")


class Interactive:
    """s_client with a WebSocket on it; commands such as K (update the key) go between frames."""

    def __init__(self, environment, port, *arguments):
        self.port = port
        self.command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost",
                        "-CAfile", environment.certificates.ca, *arguments]
        self.process = None
        self.output, self.errors = bytearray(), bytearray()
        self.reader = FrameReader(from_client=False)

    async def __aenter__(self):
        self.process = await processes.spawn(*self.command)
        self._tasks = [asyncio.ensure_future(self._collect(self.process.stdout, self.output)),
                       asyncio.ensure_future(self._collect(self.process.stderr, self.errors))]
        return self

    async def __aexit__(self, *_):
        self.process.stdin.close()
        try:
            await asyncio.wait_for(self.process.wait(), 3)
        except asyncio.TimeoutError:
            pass
        await processes.reap(self.process)
        for task in self._tasks:
            task.cancel()

    @staticmethod
    async def _collect(pipe, into):
        while data := await pipe.read(65536):
            into += data

    def log(self):
        return (self.output + self.errors).decode(errors="replace")

    async def wait_for(self, data, start=0, timeout=6.0):
        for _ in range(int(timeout / 0.02)):
            at = self.output.find(data, start)
            if at >= 0:
                return at
            await asyncio.sleep(0.02)
        raise Failure(f"s_client did not show {data!r}; it says {self.log()[-300:]!r}")

    async def write(self, data):
        self.process.stdin.write(data)
        await self.process.stdin.drain()
        await asyncio.sleep(0.15)  # s_client takes a command only at the start of what one read gives

    async def open(self):
        await self.wait_for(b"Verify return code: 0")
        await self.write(request(self.port, key=base64.b64encode(os.urandom(16)).decode()))
        await self.wait_for(b"101 Switching Protocols")

    async def echo(self, payload):
        start = len(self.output)
        await self.write(text(payload).encode(True))
        await self.wait_for(bytes([0x81, len(payload)]) + payload, start)


_resumption("1.3", "-tls1_3")
_resumption("1.2", "-tls1_2")


@book.case("server/openssl/key-update", "openssl", "TLS 1.3 key updates, alone and asking for one back, again and again", timeout=40)
async def key_update(environment):
    server = await environment.shared()
    async with Interactive(environment, server.port, "-tls1_3") as client:
        await client.open()
        await client.echo(b"before")
        for number, command in enumerate((b"k\n", b"K\n", b"K\n", b"k\n")):
            await client.write(command)
            await client.echo(b"after %d" % number)
        check("KEYUPDATE" in client.log(), "s_client did not update keys")


@book.case("server/openssl/renegotiation", "openssl", "TLS 1.2 renegotiation is refused and hurts nobody else", timeout=30)
async def renegotiation(environment):
    server = await environment.shared()
    async with Interactive(environment, server.port, "-tls1_2") as client:
        await client.open()
        await client.write(b"R\n")
        await asyncio.sleep(0.5)
        log = client.log()
        check("RENEGOTIATING" in log, "s_client did not try")
        check("no renegotiation" in log or client.process.returncode is not None or "alert" in log or "error" in log,
              f"the server took part: {log[-200:]!r}")
    done, log = await _handshake(environment, server.port)
    check(done.status == 0, "the server does not serve any more")


# ── Server names ─────────────────────────────────────────────────────────────────────────────────────────────────────
# RFC 6066 3: a server need not refuse a name that it does not know. We have one certificate and show it to everybody: whether
# it is good for the name is the client's to judge.
for _name, _arguments in [("none", ("-noservername",)), ("other", ("-servername", "elsewhere.example")),
                          ("long", ("-servername", "a" * 60 + ".example"))]:
    async def _sni(environment, arguments=_arguments):
        server = await environment.shared()
        done = await environment.run("openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-CAfile", environment.certificates.ca,
                                     "-verify_return_error", *arguments, input=b"", timeout=15)
        log = done.output.decode(errors="replace") + done.error
        expect("exit status of s_client", done.status, 0)
        check("subject=CN = localhost" in log, f"not our certificate: {log[-200:]}")
        check("alert" not in log, f"the name was refused: {_alert(log)}")
    book.add(f"server/openssl/sni-{_name}", "openssl", f"server name {_name}: the one certificate is shown", _sni)


# ── Client certificates ──────────────────────────────────────────────────────────────────────────────────────────────
def _mutual(name, title, client, allowed, version):
    async def run(environment):
        certificates = environment.certificates
        server = await environment.shared("--client-ca", str(certificates.ca))
        context = tlsstream.client_context(certificates.ca)
        if client:
            context.load_cert_chain(certificates.cert(client), certificates.key(client))
        if version == "1.2":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        answer = b""
        try:
            stream = await tlsstream.connect("127.0.0.1", server.port, context)
            await stream.send(request(server.port))
            answer = await asyncio.wait_for(stream.receive(), 8)
            stream.abort()
        except (OSError, ConnectionError):
            pass
        expect("upgrade", b" 101 " in answer, allowed)
    book.add(f"server/mutual-tls/{name}-{version}", "client certificates", f"{title}, TLS {version}", run)


for _version in ("1.2", "1.3"):
    _mutual("good", "a certificate of the right CA", "client", True, _version)
    _mutual("none", "no certificate: required means required", None, False, _version)
    _mutual("stranger", "a certificate of another CA", "client-stranger", False, _version)
    _mutual("wrong-usage", "a server's certificate as a client's", "server", False, _version)


@book.case("server/mutual-tls/connect", "client certificates", "fairlead connect with and without --cert", timeout=30)
async def mutual_connect(environment):
    certificates = environment.certificates
    server = await environment.shared("--client-ca", str(certificates.ca))
    url = f"wss://localhost:{server.port}/"
    good = await environment.fairlead("connect", "--ca", certificates.ca, "--cert", certificates.cert("client"), "--key",
                                      certificates.key("client"), url, input=b"hello\n")
    expect("exit status and output", (good.status, good.output), (0, b"hello\n"))
    bad = await environment.fairlead("connect", "--ca", certificates.ca, url, input=b"hello\n")
    check(bad.status not in (0, 1) and bad.output == b"", f"without a certificate: exit {bad.status}, {bad.error[-200:]!r}")


def all_cases():
    return book.cases
