# SPDX-License-Identifier: Apache-2.0
# Both engines under the channel: which cases run a second time with OpenSSL's record layer instead of our own.
import dataclasses
import fnmatch

SUFFIX = "/openssl-records"
TITLE = ", OpenSSL's record layer"
FLAGS = ("--record-layer", "openssl")


def with_openssl_too(cases, patterns):
    """Each case, and behind them the named variants of those that match a pattern; a pattern that begins with `!` leaves out."""
    cases = list(cases)
    yield from cases
    for case in cases:
        if _chosen(case.id, patterns):
            yield dataclasses.replace(case, id=case.id + SUFFIX, title=case.title + TITLE, run=_on_openssl(case.run))


def _chosen(id, patterns):
    inside = any(fnmatch.fnmatch(id, pattern) for pattern in patterns if not pattern.startswith("!"))
    return inside and not any(fnmatch.fnmatch(id, pattern[1:]) for pattern in patterns if pattern.startswith("!"))


def _on_openssl(run):
    async def variant(environment):
        await run(environment.with_flags(*FLAGS))
    return variant
