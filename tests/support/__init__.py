# SPDX-License-Identifier: Apache-2.0
# What the suites share that talk to the real binary: certificates, processes, a runner, a raw TLS stream.
