# SPDX-License-Identifier: Apache-2.0
# What the relays in Python share: options, the protocol of ../stream.py, and one loop over the commands and the socket.
import os
import select
import socket
import struct
import sys

CLOSE_NOTIFY, TRUNCATED = "close_notify", "truncated"
TICKET_REQUEST = b"GET /ticket HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
READ_BYTES = 65536
WAITING_BYTES = 1024 * 1024  # commands are read while less than this waits to be sealed


def options():
    return dict(argument.split("=", 1) for argument in sys.argv[1:])


def report(kind, payload):
    data = payload if isinstance(payload, bytes) else payload.encode()
    view = memoryview(kind.encode() + struct.pack("!I", len(data)) + data)
    while view:
        view = view[os.write(1, view):]


class End(Exception):
    """The other side will send nothing more; the text says how it ended."""


class Relay:
    """One connection. A stack derives from it: what is below is what it has to say."""

    def __init__(self, sock):
        self.sock = sock
        self.queue = []  # commands that have not been carried out
        self.partial = b""
        self.readable = True

    def handshake(self):
        """On a blocking socket. Returns `VERSION SUITE full|resumed`."""
        raise NotImplementedError

    def read(self):
        """Plaintext, or empty when there is none now; raises End."""
        raise NotImplementedError

    def pending(self):
        """Whether plaintext waits inside the stack."""
        return False

    def write(self, data, padding):
        """How many bytes were taken; 0 when the socket is full."""
        raise NotImplementedError

    def update(self, ask):
        raise NotImplementedError

    def close_notify(self):
        raise NotImplementedError

    # ── The loop ─────────────────────────────────────────────────────────────────────────────────────────────────────
    def commands(self):
        """Takes what is on standard input; false at its end."""
        data = os.read(0, READ_BYTES)
        self.partial += data
        while len(self.partial) >= 5:
            size = struct.unpack_from("!I", self.partial, 1)[0]
            if len(self.partial) < 5 + size:
                break
            self.queue.append((chr(self.partial[0]), self.partial[5:5 + size]))
            self.partial = self.partial[5 + size:]
        return bool(data)

    def obey(self):
        """Carries commands out until the socket is full; true when the next connection is wanted."""
        while self.queue:
            kind, payload = self.queue[0]
            if kind in "DP" and self.readable is not None:
                padding = struct.unpack_from("!H", payload)[0] if kind == "P" else 0
                data = payload[2:] if kind == "P" else payload
                taken = self.write(data, padding) if data else 0
                if taken < len(data):
                    self.queue[0] = (kind, payload[:2] * (kind == "P") + data[taken:])
                    return False
            elif kind in "kK":
                self.update(kind == "K")
            elif kind == "C":
                self.close_notify()
            elif kind == "X":
                self.sock.shutdown(socket.SHUT_RDWR)
            elif kind == "N":
                return True
            self.queue.pop(0)
        return False

    def take(self):
        try:
            while self.readable:
                data = self.read()
                if not data:
                    return
                report("D", data)
        except End as end:
            report("E", str(end))
            self.readable = False

    def run(self):
        """Until the next connection is wanted (true) or the input ends (false)."""
        self.sock.setblocking(False)
        self.take()
        while True:
            waiting = sum(len(payload) for _, payload in self.queue)
            reads = [self.sock] * bool(self.readable) + [0] * (waiting < WAITING_BYTES)
            ready, _, _ = select.select(reads, [self.sock] if self.queue else [], [], 0 if self.pending() else 60)
            if 0 in ready and not self.commands():
                return False
            if self.sock in ready or self.pending():
                self.take()
            try:
                if self.obey():
                    return True
            except End as end:
                report("E", str(end))
                self.readable, self.queue = False, []


def serve(make, chosen):
    """Runs the role that the options name. `make(sock)` gives a Relay."""
    if chosen["role"] == "client":
        address = ("127.0.0.1", int(chosen["port"]))
        if chosen.get("resume"):
            warm_up(make(socket.create_connection(address, 20)))
        one(make, socket.create_connection(address, 20))
        return
    listener = socket.create_server(("127.0.0.1", 0))
    report("L", str(listener.getsockname()[1]))
    while one(make, listener.accept()[0]):
        pass


def one(make, sock):
    sock.settimeout(20)
    relay = make(sock)
    try:
        report("O", relay.handshake())
    except End as end:
        report("E", str(end))
        relay.readable = False
    again = relay.run()
    sock.close()
    return again


def warm_up(relay):
    """An ordinary request whose answer brings a ticket."""
    relay.handshake()
    relay.write(TICKET_REQUEST, 0)
    try:
        while True:
            if not relay.read() and not relay.pending():
                select.select([relay.sock], [], [], 20)
    except End:
        pass
    relay.close_notify()
    relay.finished()
    relay.sock.close()
