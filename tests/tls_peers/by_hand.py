# SPDX-License-Identifier: Apache-2.0
# The binary against a peer whose records are made by hand, in both roles, with a WebSocket on them.
import asyncio
import contextlib
import itertools

from conformance import peer
from support.suite import PATIENCE, check
from tls_peers import records, stacks, talk

WAIT = 6 * PATIENCE
CANARY = b"never to be seen"
_numbers = itertools.count()


def log_file_for(environment):
    return environment.directory / f"keys-{next(_numbers)}.log"


@contextlib.asynccontextmanager
async def our_server(environment, layer, suite):
    """A WebSocket on our records against the shared server."""
    server = await talk.server(environment, layer)
    stream = await records.connect(server.port, suite, log_file_for(environment))
    stream.role = "client"
    try:
        yield await talk.upgrade(stream, server.port)
    finally:
        stream.abort()


class OurClient(peer.Connector):
    """`fairlead connect` against our records: `peer` is the server's end of the WebSocket."""

    def __init__(self, environment, layer, suite, *arguments):
        super().__init__(environment.certificates, *stacks.flags(layer), *arguments)
        self.certificates, self.suite, self.log_file = environment.certificates, suite, log_file_for(environment)

    async def accept(self, behind=None, ticket=True):
        """Our client leaves its records to OpenSSL until it has a ticket: without one, that is what a case is about."""
        reader, writer = await self.tcp()
        stream = await records.accept(reader, writer, self.certificates, self.suite, self.log_file, behind)
        stream.role = "server"
        if ticket:
            await stream.write(stream.record(records.HANDSHAKE, records.ticket(0)))
        self.peer = peer.Peer(stream, masks=False)
        return await self.peer.read_head()


async def expect_alert(stream, alerts):
    while data := await asyncio.wait_for(stream.receive(), WAIT):
        check(CANARY not in data, "the content of a bad record came back")
    wanted = " or ".join(records.ALERTS[alert] for alert in sorted(alerts))
    check(stream.alert in alerts, f"expected the alert {wanted}, got {stream.ended}")
    await asyncio.wait_for(stream.await_fin(), WAIT)
    stream.writer.close()  # RFC 8446 6.2: both parties close; ours waits for that
