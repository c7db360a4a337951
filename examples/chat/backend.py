#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The backend of the chat page: an example to copy. Python's standard library alone.

It uses what every backend has: the server's rpc webhook (requests signed by the server) and its HTTP API. It keeps
rooms, people and pictures in a SQLite file; the messages themselves are the server's.

  methods of the page: hello, rooms.list, rooms.create, users.list, direct.open, image.put, image.get
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

LARGEST_BODY = 256 * 1024
CHUNK = 40 * 1024  # base64 characters in one call; a frame of the server takes 64 KiB
LARGEST_IMAGE = 600 * 1024  # bytes
MOST_CHUNKS = LARGEST_IMAGE * 4 // 3 // CHUNK + 2
UPLOAD_SECONDS = 3600  # what is not complete by then is forgotten
UPLOADS_OF_A_USER = 8
ROOMS_OF_A_USER = 50
IMAGES_BYTES_OF_A_USER = 64 * 1024 * 1024
SIGNATURE_SECONDS = 300
LISTED = 200
ROOM = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,46}[A-Za-z0-9])?")
DIRECT_USER = re.compile(r"[!-\"$-+\--~]{1,96}")  # printable, without ',' and '#'
IDENTIFIER = re.compile(r"[A-Za-z0-9-]{1,64}")
MAGIC = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n", "image/webp": b"RIFF"}

SCHEMA = """
CREATE TABLE IF NOT EXISTS rooms (name TEXT PRIMARY KEY, creator TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS users (id TEXT PRIMARY KEY, name TEXT NOT NULL, seen INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS uploads (user TEXT, upload TEXT, position INTEGER, at INTEGER NOT NULL, data TEXT NOT NULL,
  PRIMARY KEY (user, upload, position));
CREATE TABLE IF NOT EXISTS images (id TEXT PRIMARY KEY, user TEXT NOT NULL, upload TEXT NOT NULL, type TEXT NOT NULL,
  bytes BLOB NOT NULL, at INTEGER NOT NULL, UNIQUE (user, upload));
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
        self.database.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;" + SCHEMA)
        self.lock = threading.Lock()
        self.methods = {
            "hello": self.hello, "rooms.list": self.list_rooms, "rooms.create": self.create_room,
            "users.list": self.list_users, "direct.open": self.open_direct,
            "image.put": self.put_image, "image.get": self.get_image}

    def ask(self, sql, *values):
        with self.lock:
            return self.database.execute(sql, values).fetchall()

    def rpc(self, question):
        user, method, data = question.get("user"), question.get("method"), question.get("data") or {}
        if not isinstance(user, str) or not user:
            raise Refused(103, "permission denied")
        if method not in self.methods:
            raise Refused(104, "method not found")
        if not isinstance(data, dict):
            raise bad_request("data")
        return self.methods[method](user, data)

    def name_of(self, user):
        rows = self.ask("SELECT name FROM users WHERE id = ?", user)
        return rows[0][0] if rows else user

    # ── Rooms and people ────────────────────────────────────────────────────────────────────────────────────────────
    def hello(self, user, data):
        name = data.get("name")
        name = name[:64] if isinstance(name, str) and name else user
        self.ask("INSERT INTO users VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name, seen = excluded.seen",
                 user, name, int(time.time()))
        return {"largest_image": LARGEST_IMAGE, "chunk": CHUNK}

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
    # In pieces, each of which may come again; the one that completes it is answered with the picture's name, also when
    # it comes again.
    def put_image(self, user, data):
        upload = matching(IDENTIFIER, data.get("upload"), "upload")
        count = whole_number(data.get("count"), 1, MOST_CHUNKS, "count")
        index = whole_number(data.get("index"), 0, count - 1, "index")
        kind = data.get("type")
        piece = data.get("data")
        if kind not in MAGIC:
            raise bad_request("type")
        if not isinstance(piece, str) or not 0 < len(piece) <= CHUNK:
            raise bad_request("data")
        done = self.ask("SELECT id FROM images WHERE user = ? AND upload = ?", user, upload)
        if done:
            return {"id": done[0][0]}
        self.keep_piece(user, upload, index, piece)
        rows = self.ask("SELECT data FROM uploads WHERE user = ? AND upload = ? ORDER BY position", user, upload)
        if len(rows) < count:
            return {"have": len(rows)}
        return {"id": self.keep_image(user, upload, kind, "".join(piece for (piece,) in rows))}

    def keep_piece(self, user, upload, index, piece):
        now = int(time.time())
        self.ask("DELETE FROM uploads WHERE at < ?", now - UPLOAD_SECONDS)
        others = self.ask("SELECT count(DISTINCT upload) FROM uploads WHERE user = ? AND upload <> ?", user, upload)[0][0]
        if others >= UPLOADS_OF_A_USER:
            raise Refused(106, "limit exceeded")
        self.ask("INSERT OR REPLACE INTO uploads VALUES (?, ?, ?, ?, ?)", user, upload, index, now, piece)

    def keep_image(self, user, upload, kind, text):
        self.ask("DELETE FROM uploads WHERE user = ? AND upload = ?", user, upload)
        try:
            image = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as problem:
            raise bad_request("data is not base64") from problem
        if len(image) > LARGEST_IMAGE or not image.startswith(MAGIC[kind]):
            raise bad_request("not such a picture")
        used = self.ask("SELECT coalesce(sum(length(bytes)), 0) FROM images WHERE user = ?", user)[0][0]
        if used + len(image) > IMAGES_BYTES_OF_A_USER:
            raise Refused(106, "limit exceeded")
        name = secrets.token_hex(16)  # who knows the name may see the picture
        self.ask("INSERT INTO images VALUES (?, ?, ?, ?, ?, ?)", name, user, upload, kind, image, int(time.time()))
        return name

    def get_image(self, _user, data):
        name = matching(IDENTIFIER, data.get("id"), "id")
        rows = self.ask("SELECT type, bytes FROM images WHERE id = ?", name)
        if not rows:
            raise Refused(404, "no such picture")
        kind, image = rows[0]
        step = CHUNK // 4 * 3
        count = (len(image) + step - 1) // step
        index = whole_number(data.get("index"), 0, count - 1, "index")
        piece = base64.b64encode(image[index * step:(index + 1) * step]).decode()
        return {"data": piece, "count": count, "type": kind}


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
            self.answer(200, {"result": {"data": self.server.backend.rpc(json.loads(body))}})
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
