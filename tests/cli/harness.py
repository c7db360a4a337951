# SPDX-License-Identifier: Apache-2.0
# What the cases of the command line need: running it, serving with it, and peers that behave as they are told.
import base64
import contextlib
import hashlib
import os
import pathlib
import re
import select
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
FAIRLEAD = os.path.abspath(os.environ.get("FAIRLEAD") or ROOT / "build/release/fairlead")
PATIENCE_SECONDS = 30
HOME = None  # a folder of this run: development certificate, test certificates
CASES = []


def case(function):
    CASES.append(function)
    return function


def equal(got, wanted, what=""):
    assert got == wanted, f"{what} expected {wanted!r}, got {got!r}".strip()


def contains(text, *parts):
    for part in parts:
        assert part in text, f"expected {part!r} in {text[-2000:]!r}"


def lacks(text, *parts):
    for part in parts:
        assert part not in text, f"did not expect {part!r} in {text[-2000:]!r}"


# ── Running the program ─────────────────────────────────────────────────────────────────────────────────────────────

def run(*arguments, stdin=b"", status=0, timeout=PATIENCE_SECONDS, **options):
    """Runs `fairlead` to its end; checks its status; gives (stdout, stderr) as text (or bytes, with text=False)."""
    text = options.pop("text", True)
    data = stdin.encode() if isinstance(stdin, str) else stdin
    options.setdefault("stdout", subprocess.PIPE)
    done = subprocess.run([FAIRLEAD, *map(str, arguments)], input=data, stderr=subprocess.PIPE, timeout=timeout, check=False,
                          **options)
    error = done.stderr.decode(errors="replace")
    if status is not None:
        assert done.returncode == status, f"status {done.returncode} instead of {status}: {error[-1500:]}"
    out = done.stdout if done.stdout is not None else b""
    return (out.decode(errors="replace") if text else out), error


class Serving:
    """`fairlead echo` (or another verb) until the end of the block."""

    def __init__(self, *arguments, verb="echo", listen="localhost:0"):
        place = [] if listen is None else ["--listen", listen]
        self.command = [FAIRLEAD, verb, *place, *map(str, arguments)]
        self.out = self.err = ""

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self._errors = []
        self._reader = threading.Thread(target=self._read_errors, daemon=True)
        self._reader.start()
        self.line = self._first_line()
        found = re.search(r"listening on \S+:(\d+)/$", self.line)
        self.port = int(found[1]) if found else None
        return self

    def _read_errors(self):
        for line in self.process.stderr:
            self._errors.append(line.decode(errors="replace"))

    def _first_line(self):
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE_SECONDS)
        line = self.process.stdout.readline().decode().rstrip("\n") if ready else ""
        if not line:
            self.process.kill()
            self.process.wait()
            self._reader.join()
            raise AssertionError(f"{self.command} does not serve: {self.log()}")
        return line

    def log(self):
        return "".join(self._errors)

    def send(self, number):
        self.process.send_signal(number)

    def end(self, number=signal.SIGTERM):
        """Ends it by a signal; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            status = self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("did not end on a signal") from None
        self._reader.join()
        self.out = self.process.stdout.read().decode()
        self.err = self.log()
        return status

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process.stdout.close()
        self.process.stderr.close()

    def url(self, path="/", host="localhost", scheme="wss"):
        return f"{scheme}://{host}:{self.port}{path}"

    def resident_bytes(self):
        return resident_bytes(self.process.pid)


def resident_bytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon:"))


def wait_for(condition, what):
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError(f"did not happen: {what}")


# ── Certificates ────────────────────────────────────────────────────────────────────────────────────────────────────

def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def make_certificates():
    """ca, server (localhost), other (other.example), client; each NAME.pem and NAME.key in HOME."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    for ca in ("ca", "stranger"):
        openssl("req", "-x509", *key, "-days", 30, "-subj", f"/CN=test {ca}", "-keyout", HOME / f"{ca}.key", "-out", HOME / f"{ca}.pem")
    issue("server", "DNS:localhost,IP:127.0.0.1,IP:::1", "serverAuth")
    issue("renewed", "DNS:localhost,IP:127.0.0.1,IP:::1", "serverAuth")
    issue("other", "DNS:other.example", "serverAuth")
    issue("client", "DNS:client.example", "clientAuth")


def issue(name, names, usage, days=20):
    extensions = HOME / f"{name}.ext"
    extensions.write_text(f"subjectAltName={names}\nextendedKeyUsage={usage}\nbasicConstraints=critical,CA:FALSE\n")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-keyout", HOME / f"{name}.key", "-out", HOME / f"{name}.csr")
    openssl("x509", "-req", "-in", HOME / f"{name}.csr", "-CA", HOME / "ca.pem", "-CAkey", HOME / "ca.key", "-days", days,
            "-CAcreateserial", "-extfile", extensions, "-out", HOME / f"{name}.pem")


def development_ca():
    return run("cert", "dev", "--print-ca-path")[0].strip()


def context(ca=None):
    return ssl.create_default_context(cafile=ca or development_ca())


# ── A peer that does what a case wants ──────────────────────────────────────────────────────────────────────────────

class Peer:
    """A TLS server that calls `behave(stream, head)` with each connection's request head, then closes."""

    def __init__(self, behave, certificate="server", secure=True):
        self.behave = behave
        self.context = None
        if secure:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(HOME / f"{certificate}.pem", HOME / f"{certificate}.key")
        self.heads = []

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(PATIENCE_SECONDS)

    def _serve(self):
        while True:
            try:
                stream, _ = self.listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError, ValueError):
                stream.settimeout(PATIENCE_SECONDS)
                self._serve_one(stream)
            stream.close()

    def _serve_one(self, plain):
        if self.context is None:
            plain.recv(4096)
            self.behave(plain, "")
            return
        with self.context.wrap_socket(plain, server_side=True) as stream:
            head = read_head(stream)
            if head:  # else it only looked at the certificate
                self.heads.append(head)
                self.behave(stream, head)

    def url(self, path="/", host="localhost"):
        return f"wss://{host}:{self.port}{path}"


def read_head(stream):
    head = b""
    while b"\r\n\r\n" not in head:
        more = stream.recv(4096)
        if not more:
            break
        head += more
    return head.decode("latin-1")


def accept(stream, head, extra=""):
    """The 101 that the request asks for."""
    key = re.search(r"sec-websocket-key: *(\S+)", head, re.IGNORECASE)[1]
    digest = hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    stream.sendall((f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    f"Sec-WebSocket-Accept: {base64.b64encode(digest).decode()}\r\n{extra}\r\n").encode())


def frame(opcode, payload=b"", fin=True):
    length = len(payload)
    head = bytes([opcode | (0x80 if fin else 0)])
    if length < 126:
        return head + bytes([length]) + payload
    return head + bytes([126]) + length.to_bytes(2, "big") + payload


def close_frame(code, reason=b""):
    return frame(8, code.to_bytes(2, "big") + reason)


def until_closed(stream):
    """Reads until the other side ends."""
    with contextlib.suppress(OSError):
        while stream.recv(65536):
            pass


def closes_with(code, reason=b""):
    return sends(close_frame(code, reason))


def sends(*frames):
    """Sends these, waits for the client's next word (its close), and ends the stream as a server does."""
    def behave(stream, head):
        accept(stream, head)
        for one in frames:
            stream.sendall(one)
        stream.recv(65536)
    return behave


def answers(text):
    return lambda stream, head: stream.sendall(text.encode())


# ── The run itself ──────────────────────────────────────────────────────────────────────────────────────────────────

def main(wanted):
    global HOME
    passed = failed = 0
    with tempfile.TemporaryDirectory() as home:
        HOME = pathlib.Path(home)
        os.environ.update(XDG_DATA_HOME=home, NO_COLOR="", TERM="xterm")
        make_certificates()
        for one in CASES:
            if wanted and not any(name in one.__name__ for name in wanted):
                continue
            started = time.monotonic()
            try:
                one()
                passed += 1
            except Exception as error:  # a bug of a case or of the program: a failure either way
                failed += 1
                print(f"not ok {one.__name__}: {type(error).__name__}: {error}", flush=True)
            if os.environ.get("VERBOSE"):
                print(f"   {one.__name__} {time.monotonic() - started:.2f} s", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0
