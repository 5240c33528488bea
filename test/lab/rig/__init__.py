# SPDX-License-Identifier: BSD-3-Clause
"""Test networks on one machine: namespaces, hosts, strongSwan peers, transitd, traffic and faults."""
