# SPDX-License-Identifier: Apache-2.0
# Every TLS stack of others against the real binary, in both roles; and hostile peers that make their records by hand.
