# SPDX-License-Identifier: Apache-2.0
# Starts the binary under test and stops it again by its process id; every wait has an end.
import asyncio
import os
import pathlib
import re
import signal
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
ALIVE = set()  # every process that has been started and not yet been reaped


def binary():
    """The command under test: $FAIRLEAD, or the release build."""
    return os.path.abspath(os.environ.get("FAIRLEAD") or ROOT / "build/release/fairlead")


async def spawn(*command, **options):
    options.setdefault("stdin", asyncio.subprocess.PIPE)
    options.setdefault("stdout", asyncio.subprocess.PIPE)
    options.setdefault("stderr", asyncio.subprocess.PIPE)
    options.setdefault("limit", 256 * 1024 * 1024)
    process = await asyncio.create_subprocess_exec(*map(str, command), **options)
    ALIVE.add(process)
    return process


async def reap(process, grace=3.0, first=signal.SIGTERM):
    """Ends a process that we started: politely, then firmly. Returns its exit status."""
    if process.returncode is None:
        try:
            process.send_signal(first)
            await asyncio.wait_for(process.wait(), grace)
        except (asyncio.TimeoutError, ProcessLookupError):
            if process.returncode is None:
                process.kill()
                await process.wait()
    ALIVE.discard(process)
    process._transport.close()  # the pipes too, while there is a loop that can
    return process.returncode


async def reap_all():
    for process in list(ALIVE):
        await reap(process, grace=0.5)


def resident_bytes(pid):
    """Resident memory of a process, from /proc; anonymous pages only, so that mapped files do not blur it."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon:"))


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


class Server:
    """One process of `fairlead echo` (or another serving verb) on a port of its own choice."""

    def __init__(self, *arguments, verb="echo", listen="127.0.0.1:0", program=()):
        self.command = [*(program or [binary()]), verb, "--listen", listen, *map(str, arguments)]
        self.process = self.port = None
        self._said = []
        self._errors = tempfile.TemporaryFile()  # not a pipe: a suite that is busy must not hold up the server's log
        self._drains = []

    async def __aenter__(self):
        return await self.start()

    async def __aexit__(self, *_):
        await self.stop()

    async def start(self, timeout=20.0):
        self.process = await spawn(*self.command, stdin=asyncio.subprocess.DEVNULL, stderr=self._errors)
        try:
            self.port = await asyncio.wait_for(self._ready(), timeout)
        except BaseException:
            await self.stop()
            raise
        self._drains.append(asyncio.ensure_future(self.process.stdout.read()))
        return self

    async def _ready(self):
        while line := await self.process.stdout.readline():
            self._said.append(line.decode(errors="replace").rstrip())
            if found := re.search(r"listening on (?:wss|https)://\S*:(\d+)", self._said[-1]):
                return int(found.group(1))
        await asyncio.sleep(0.05)
        raise RuntimeError(f"{' '.join(self.command)} did not get ready: {self.log[-5:]}")

    @property
    def log(self):
        """What the server has said so far on standard output and standard error."""
        size = os.fstat(self._errors.fileno()).st_size
        return self._said + os.pread(self._errors.fileno(), size, 0).decode(errors="replace").splitlines()

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process is not None and self.process.returncode is None

    def rss(self):
        return resident_bytes(self.pid)

    async def stop(self):
        if self.process is None:
            return None
        status = await reap(self.process)
        for task in self._drains:
            task.cancel()
        self._errors.close()
        return status


def complain(text):
    print(text, file=sys.stderr, flush=True)
