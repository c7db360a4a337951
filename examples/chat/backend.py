#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The backend of the chat page: an example to copy. Python's standard library alone.

It uses what every backend has: the server's rpc webhook (requests signed by the server) and its HTTP API. It keeps
rooms, people and pictures in a SQLite file; the messages themselves are the server's.

  methods of the page: hello, rooms.list, rooms.create, users.list, direct.open, pictures.use, pictures.release
  methods of the server, for pictures: attachments.put, attachments.get
"""
import argparse
import base64
import binascii
import hashlib
import hmac
import json
import os
import re
import secrets
import signal
import sqlite3
import ssl
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LARGEST_IMAGE = 1024 * 1024  # bytes; the server's attachments.max_size is the same
LARGEST_BODY = LARGEST_IMAGE * 4 // 3 + 64 * 1024  # base64, and what is around it
ROOMS_OF_A_USER = 50
IMAGES_BYTES_OF_A_USER = 64 * 1024 * 1024
MESSAGES_OF_A_PICTURE = 1000
SIGNATURE_SECONDS = 300
LISTED = 200
ROOM = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,46}[A-Za-z0-9])?")
DIRECT_USER = re.compile(r"[!-\"$-+\--~]{1,96}")  # printable, without ',' and '#'
IDENTIFIER = re.compile(r"[A-Za-z0-9-]{1,64}")
BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF", b"GIF8")  # the server has looked, too

SCHEMA = """
CREATE TABLE IF NOT EXISTS rooms (name TEXT PRIMARY KEY, creator TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS users (id TEXT PRIMARY KEY, name TEXT NOT NULL, seen INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS pictures (id TEXT PRIMARY KEY, user TEXT NOT NULL, digest BLOB NOT NULL, bytes BLOB NOT NULL,
  at INTEGER NOT NULL, UNIQUE (user, digest));
CREATE TABLE IF NOT EXISTS picture_uses (picture TEXT NOT NULL, message TEXT NOT NULL, PRIMARY KEY (picture, message))
  WITHOUT ROWID;
"""


class Refused(Exception):
    """An answer to the client: its code and its sentence."""

    def __init__(self, code, message, temporary=False):
        super().__init__(message)
        self.answer = {"code": code, "message": message, "temporary": temporary}


def bad_request(what):
    return Refused(107, f"bad request: {what}")


def matching(pattern, value, what):
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise bad_request(what)
    return value


def whole_number(value, lowest, highest, what):
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise bad_request(what)
    return value


class Api:
    """The server's HTTP API, as much of it as is needed."""

    def __init__(self, url, key, ca):
        self.url, self.key = url.rstrip("/"), key
        self.tls = ssl.create_default_context(cafile=ca or None) if url.startswith("https:") else None

    def publish(self, channel, data, idempotency_key):
        call = {"channel": channel, "data": data, "idempotency_key": idempotency_key}
        request = urllib.request.Request(
            f"{self.url}/publish", json.dumps(call).encode(),
            {"Content-Type": "application/json", "X-API-Key": self.key})
        with urllib.request.urlopen(request, timeout=5, context=self.tls) as answer:
            said = json.load(answer)
        if "error" in said:
            raise OSError(f"publish: {said['error'].get('message')}")


class Backend:
    def __init__(self, path, api):
        self.api = api
        self.database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.database.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;" + SCHEMA)
        self.lock = threading.Lock()
        self.methods = {
            "hello": self.hello, "rooms.list": self.list_rooms, "rooms.create": self.create_room,
            "users.list": self.list_users, "direct.open": self.open_direct,
            "pictures.use": self.use_picture, "pictures.release": self.release_picture}
        self.attachments = {"attachments.put": self.put_picture, "attachments.get": self.get_picture}

    def ask(self, sql, *values):
        with self.lock:
            return self.database.execute(sql, values).fetchall()

    # The "result" of the answer.
    def rpc(self, question):
        user, method, data = question.get("user"), question.get("method"), question.get("data") or {}
        if not isinstance(user, str) or not user:
            raise Refused(103, "permission denied")
        if method in self.attachments:
            # By HTTP, not as a frame of a client: the server has looked at the size and at what it is.
            if question.get("transport") != "http":
                raise Refused(104, "method not found")
            return self.attachments[method](user, question)
        if method not in self.methods:
            raise Refused(104, "method not found")
        if not isinstance(data, dict):
            raise bad_request("data")
        return {"data": self.methods[method](user, data)}

    def name_of(self, user):
        rows = self.ask("SELECT name FROM users WHERE id = ?", user)
        return rows[0][0] if rows else user

    # ── Rooms and people ────────────────────────────────────────────────────────────────────────────────────────────
    def hello(self, user, data):
        name = data.get("name")
        name = name[:64] if isinstance(name, str) and name else user
        self.ask("INSERT INTO users VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name, seen = excluded.seen",
                 user, name, int(time.time()))
        return {}

    def list_rooms(self, _user, _data):
        return {"rooms": [name for (name,) in self.ask("SELECT name FROM rooms ORDER BY at DESC LIMIT ?", LISTED)]}

    def list_users(self, user, _data):
        rows = self.ask("SELECT id, name FROM users WHERE id <> ? ORDER BY seen DESC LIMIT ?", user, LISTED)
        return {"users": [{"user": identity, "name": name} for identity, name in rows]}

    def create_room(self, user, data):
        name = matching(ROOM, data.get("name"), "name")
        if self.ask("SELECT count(*) FROM rooms WHERE creator = ?", user)[0][0] >= ROOMS_OF_A_USER:
            raise Refused(106, "limit exceeded")
        now = int(time.time())
        made = self.ask("INSERT INTO rooms VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING name", name, user, now)
        # Also when the room was there: the announcement may have failed before. The keys drop a repetition.
        self.publish("chat:rooms", {"t": "room", "name": name}, f"room-{name}")
        if made:
            text = f"{self.name_of(user)} made this room."
            self.publish(f"chat:room-{name}", {"t": "system", "id": secrets.token_hex(16), "at": now * 1000, "text": text},
                         f"made-{name}")
        return {"name": name, "made": bool(made)}

    def open_direct(self, user, data):
        other = matching(DIRECT_USER, data.get("user"), "user")
        self.publish(f"chat:inbox#{other}", {"t": "invite", "user": user, "name": self.name_of(user)},
                     f"invite-{hashlib.sha256(user.encode()).hexdigest()}")
        return {}

    def publish(self, channel, data, key):
        try:
            self.api.publish(channel, data, key)
        except (OSError, ValueError) as problem:
            print(f"the server's API: {problem}", file=sys.stderr, flush=True)
            raise Refused(100, "internal server error", True) from problem

    # ── Pictures ────────────────────────────────────────────────────────────────────────────────────────────────────
    # The same picture of the same user has the same name: what came again, after an answer that was lost, is there once.
    def put_picture(self, user, question):
        try:
            picture = base64.b64decode(question.get("b64data", ""), validate=True)
        except (binascii.Error, ValueError, TypeError) as problem:
            raise bad_request("b64data") from problem
        if len(picture) > LARGEST_IMAGE or not picture.startswith(BEGINNINGS):
            raise bad_request("not such a picture")
        digest = hashlib.sha256(picture).digest()
        known = self.ask("SELECT id FROM pictures WHERE user = ? AND digest = ?", user, digest)
        if known:
            return {"data": {"id": known[0][0]}}
        used = self.ask("SELECT coalesce(sum(length(bytes)), 0) FROM pictures WHERE user = ?", user)[0][0]
        if used + len(picture) > IMAGES_BYTES_OF_A_USER:
            raise Refused(106, "you have no room for more pictures")
        # Who knows the name may see the picture.
        name = self.ask("INSERT INTO pictures VALUES (?, ?, ?, ?, ?) ON CONFLICT (user, digest) DO UPDATE SET at = excluded.at "
                        "RETURNING id", secrets.token_hex(16), user, digest, picture, int(time.time()))[0][0]
        return {"data": {"id": name}}

    # Without data: there is none.
    def get_picture(self, _user, question):
        name = matching(IDENTIFIER, (question.get("data") or {}).get("id"), "id")
        rows = self.ask("SELECT bytes FROM pictures WHERE id = ?", name)
        return {"b64data": base64.b64encode(rows[0][0]).decode()} if rows else {}

    # A picture is kept as long as a message has it. Each of these may come again after an answer that was lost.
    def use_picture(self, user, data):
        name, message = self.picture_and_message(data)
        self.ask("INSERT INTO picture_uses SELECT id, ? FROM pictures WHERE id = ? AND user = ? AND "
                 "(SELECT count(*) FROM picture_uses WHERE picture = id) < ? ON CONFLICT DO NOTHING",
                 message, name, user, MESSAGES_OF_A_PICTURE)
        return {"kept": bool(self.ask("SELECT 1 FROM picture_uses WHERE picture = ? AND message = ?", name, message))}

    def release_picture(self, user, data):
        name, message = self.picture_and_message(data)
        self.ask("DELETE FROM picture_uses WHERE picture = (SELECT id FROM pictures WHERE id = ? AND user = ?) AND message = ?",
                 name, user, message)
        self.ask("DELETE FROM pictures WHERE id = ? AND user = ? AND id NOT IN (SELECT picture FROM picture_uses WHERE picture = ?)",
                 name, user, name)
        return {}

    @staticmethod
    def picture_and_message(data):
        return matching(IDENTIFIER, data.get("id"), "id"), matching(IDENTIFIER, data.get("message"), "message")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # the server keeps its connections
    timeout = 120
    disable_nagle_algorithm = True

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if self.path != "/rpc" or not length.isdigit() or int(length) > LARGEST_BODY:
            self.close_connection = True
            return self.answer(404, {})
        body = self.rfile.read(int(length))
        if not self.is_signed(body):
            return self.answer(403, {})
        try:
            self.answer(200, {"result": self.server.backend.rpc(json.loads(body))})
        except Refused as refusal:
            self.answer(200, {"error": refusal.answer})
        except (ValueError, AttributeError):
            self.answer(400, {})

    # hex(HMAC-SHA256(secret, timestamp "." body)), compared in constant time, and not old.
    def is_signed(self, body):
        timestamp = self.headers.get("X-Fairlead-Timestamp", "")
        signature = self.headers.get("X-Fairlead-Signature", "")
        if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > SIGNATURE_SECONDS:
            return False
        wanted = hmac.new(self.server.secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(wanted.encode(), signature.encode())

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass  # messages and names are nobody's business


class Server(ThreadingHTTPServer):
    daemon_threads = True


def main():
    parser = argparse.ArgumentParser(description="The backend of the chat page.",
                                     epilog="Secrets come from the environment: CHAT_API_KEY is the server's "
                                            "http_api.key, CHAT_SIGNING_SECRET its rpc.proxy.signing_secret.")
    parser.add_argument("--listen", default="127.0.0.1:3001", help="HOST:PORT; port 0 picks a free one")
    parser.add_argument("--api", default="https://localhost:8443/api", help="the server's HTTP API")
    parser.add_argument("--ca", default="", help="the CA of its certificate, PEM; the system's otherwise")
    parser.add_argument("--until-eof", action="store_true", help="end when the standard input does: with whoever started it")
    parser.add_argument("--database", default="chat.db", help="the SQLite file")
    options = parser.parse_args()
    key, secret = os.environ.get("CHAT_API_KEY", ""), os.environ.get("CHAT_SIGNING_SECRET", "")
    if not key or not secret:
        parser.error("CHAT_API_KEY and CHAT_SIGNING_SECRET must be set")
    host, _, port = options.listen.rpartition(":")
    server = Server((host, int(port)), Handler)
    server.backend = Backend(options.database, Api(options.api, key, options.ca))
    server.secret = secret.encode()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if options.until_eof:
        threading.Thread(target=lambda: (sys.stdin.buffer.read(), os.kill(os.getpid(), signal.SIGTERM)), daemon=True).start()
    print(f"listening on http://{host}:{server.server_address[1]}/rpc", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
