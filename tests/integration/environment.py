# SPDX-License-Identifier: Apache-2.0
# What the integration cases use: the conformance suite's environment, and other people's programs.
import asyncio
import json
import pathlib
import shutil

from conformance.environment import Environment as ConformanceEnvironment
from support import processes
from support.suite import Failure, Skip

NODE = pathlib.Path(__file__).resolve().parent / "node"


class Done:
    def __init__(self, status, output, error):
        self.status, self.output, self.error = status, output, error


class Environment(ConformanceEnvironment):
    def __init__(self):
        super().__init__()
        self._installing = asyncio.Lock()

    @property
    def directory(self):
        return pathlib.Path(self.certificates.directory)

    async def run(self, *command, input=None, timeout=60):
        """Runs a program to its end, which must come in time."""
        if shutil.which(str(command[0])) is None:
            raise Skip(f"{command[0]} is not installed")
        process = await processes.spawn(*command)
        try:
            output, error = await asyncio.wait_for(process.communicate(input), timeout)
        except asyncio.TimeoutError:
            raise Failure(f"{command[0]} {command[1]} has not ended after {timeout} s") from None
        finally:
            await processes.reap(process)
        return Done(process.returncode, output, error.decode(errors="replace"))

    async def fairlead(self, verb, *arguments, **options):
        return await self.run(processes.binary(), verb, *self.flags, *arguments, **options)

    async def _node_ready(self):
        async with self._installing:
            if shutil.which("node") is None or shutil.which("npm") is None:
                raise Skip("node or npm is not installed")
            if not (NODE / "node_modules/ws").is_dir():
                done = await self.run("npm", "ci", "--prefix", NODE, "--no-audit", "--no-fund", timeout=180)
                if done.status != 0:
                    raise Failure(f"npm ci: {done.error[-500:]}")

    async def node_client(self, **plan):
        """Runs the Node client and returns what it reports."""
        await self._node_ready()
        plan = {"role": "client", "ca": str(self.certificates.ca), "sizes": [], **plan}
        done = await self.run("node", NODE / "peer.mjs", json.dumps(plan), timeout=120)
        try:
            report = json.loads(done.output.splitlines()[-1])
        except (ValueError, IndexError):
            raise Failure(f"the Node client said nothing: {done.error[-500:]}") from None
        if not report.get("ok"):
            raise Failure(f"the Node client: {report.get('error')}")
        return report

    async def node_server(self, deflate):
        """Starts the Node server: an object with `port`, `line()` and `stop()`."""
        await self._node_ready()
        pair = {"cert": str(self.certificates.cert("server")), "key": str(self.certificates.key("server"))}
        plan = json.dumps({"role": "server", "deflate": deflate, **pair})
        return await NodeServer(await processes.spawn("node", NODE / "peer.mjs", plan)).ready()


class NodeServer:
    def __init__(self, process):
        self.process, self.port = process, None

    async def ready(self):
        self.port = (await self.line())["port"]
        return self

    async def line(self):
        return json.loads(await asyncio.wait_for(self.process.stdout.readline(), 20))

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await processes.reap(self.process)


async def make():
    return Environment()
