# SPDX-License-Identifier: Apache-2.0
# What the cases use: the integration suite's environment, programs that are compiled once, and NSS' databases.
import asyncio
import pathlib

from integration.environment import Environment as IntegrationEnvironment
from support import processes
from support.suite import Failure
from tls_peers import stacks, stream

HERE = pathlib.Path(__file__).resolve().parent
PASSWORD = "test"


class Environment(IntegrationEnvironment):
    def __init__(self):
        super().__init__()
        self._once = {}
        self.layers = stacks.record_layers()

    async def once(self, name, make):
        """The result of `make()`, which runs once, whoever asks first."""
        if name not in self._once:
            self._once[name] = asyncio.ensure_future(make())
        return await asyncio.shield(self._once[name])

    async def tool(self, *command, **options):
        done = await self.run(*command, timeout=180, **options)
        if done.status != 0:
            raise Failure(f"{' '.join(map(str, command))}: {done.error[-800:]}")
        return done

    # ── Relays ───────────────────────────────────────────────────────────────────────────────────────────────────────
    async def relay(self, stack, role, version, suite, **options):
        """A relay over `stack`, not started: `async with await environment.relay(…) as relay`."""
        certificates = self.certificates
        if role == "client":
            options = {"ca": certificates.ca, **options}
        else:
            options = {"cert": certificates.cert("server"), "key": certificates.key("server"), **options}
        if stack == "nss":
            options["db"] = await self.nss_database(options.get("cert"))
        command = await self._command(stack, suite)
        return stream.Relay(command, role=role, version=version, suite=suite, **options)

    async def _command(self, stack, suite):
        relays = HERE / "relays"
        if stack == "go":
            # crypto/tls prefers ChaCha20-Poly1305 where there are no instructions for AES.
            without_aes = ["env", "GODEBUG=cpu.aes=off"] if "CHACHA20" in suite else []
            return [*without_aes, await self.once("go", self._go)]
        if stack == "java":
            classes = await self.once("java", self._java)
            return ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m", "-cp", classes, "Relay"]
        if stack == "bun":
            return [await self.once("bun", self._bun), relays / "relay.mjs"]
        return ["/usr/bin/python3", "-B", relays / f"{stack}.py"]

    async def _go(self):
        program = self.directory / "relay-go"
        cache = processes.ROOT / "build/go-cache"
        await self.tool("env", "CGO_ENABLED=0", f"GOCACHE={cache}", "GOFLAGS=-mod=mod", "go", "build", "-o", program,
                        HERE / "relays/relay.go")
        return program

    async def _java(self):
        classes = self.directory / "java"
        await self.tool("javac", "-d", classes, HERE / "relays/Relay.java")
        return classes

    async def _bun(self):
        program = HERE / "node_modules/.bin/bun"
        if not program.exists():
            await self.tool("npm", "ci", "--prefix", HERE, "--no-audit", "--no-fund")
        return program

    # ── NSS ──────────────────────────────────────────────────────────────────────────────────────────────────────────
    async def nss_database(self, cert=None):
        """A database that trusts the CA, with the certificate `cert` (a path) as `own`."""
        name = pathlib.Path(cert).stem if cert else "none"
        return await self.once(f"nss {name}", lambda: self._nss_database(name, cert))

    async def _nss_database(self, name, cert):
        folder = self.directory / f"nss-{name}"
        folder.mkdir()
        await self.tool("certutil", "-N", "-d", f"sql:{folder}", "--empty-password")
        await self.tool("certutil", "-A", "-d", f"sql:{folder}", "-n", "ca", "-t", "CT,C,", "-i", self.certificates.ca)
        if cert:
            bundle = folder / "own.p12"
            await self.tool("openssl", "pkcs12", "-export", "-in", cert, "-inkey", self.certificates.key(name), "-name", "own",
                            "-passout", f"pass:{PASSWORD}", "-out", bundle)
            await self.tool("pk12util", "-i", bundle, "-d", f"sql:{folder}", "-W", PASSWORD, "-K", "")
        return folder

    async def close(self):
        for task in self._once.values():
            task.cancel()
        await super().close()


async def make():
    return Environment()
