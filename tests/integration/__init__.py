# SPDX-License-Identifier: Apache-2.0
# Real peers: other people's programs and libraries against the real binary, both directions.
