# SPDX-License-Identifier: Apache-2.0
# The conformance suite: RFC 6455 and RFC 7692 as tables, run against the real binary in both roles.
