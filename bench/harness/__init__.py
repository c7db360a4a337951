# SPDX-License-Identifier: Apache-2.0
# What ./dev bench does, in four parts: who is compared (peers), on what work (workloads), how it is measured (measure),
# and how it is told (report).
