# SPDX-License-Identifier: Apache-2.0
# What every case may use: certificates and servers that are started once for each set of flags.
import asyncio
import copy
import tempfile

from conformance import peer
from support import certs, processes


class Environment:
    def __init__(self):
        self._directory = tempfile.TemporaryDirectory(prefix="fairlead-conformance-")
        self.certificates = certs.Certificates(self._directory.name)
        self._servers = {}
        self._starting = asyncio.Lock()
        self.flags = ()  # of every program under test

    def with_flags(self, *flags):
        """The same environment, whose programs all get these flags too."""
        other = copy.copy(self)
        other.flags = (*self.flags, *flags)
        return other

    def server(self, *flags, certificate="server", **options):
        """A new server of the case's own: `async with environment.server(…) as server`."""
        pair = ("--cert", self.certificates.cert(certificate), "--key", self.certificates.key(certificate))
        return processes.Server(*pair, *self.flags, *flags, **options)

    async def shared(self, *flags, certificate="server"):
        """A server for everybody with the same flags and certificate."""
        async with self._starting:
            name = (certificate, *self.flags, *flags)
            known = self._servers.get(name)
            if known is None or not known.alive():
                known = self._servers[name] = await self.server(*flags, certificate=certificate).start()
        return known

    async def client(self, *flags):
        """A factory of raw clients for the shared server with these flags."""
        server = await self.shared(*flags)
        return peer.Client(server.port, self.certificates)

    def client_of(self, server):
        return peer.Client(server.port, self.certificates)

    def connector(self, *flags, **options):
        return peer.Connector(self.certificates, *self.flags, *flags, **options)

    def dead_servers(self):
        return [flags for flags, server in self._servers.items() if not server.alive()]

    async def close(self):
        for server in self._servers.values():
            await server.stop()
        self._directory.cleanup()


async def make():
    return Environment()
