#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""64-byte frames between two ports of one kind, forwarded by transitd, plain or into tunnels, or by dpdk-testpmd in io mode.

usage: test/bench/port_ceiling.py BUILD transitd|testpmd [--tunnels N] [--huge-pages] [--core N] [--seconds S]

The ports are those of DPDK's net_pcap: one plays a capture of 1,024 flows for ever, the other drops what it is given. Prints
millions of packets per second of processor time of the thread that forwards, which does not count what else the machine
does, in the best of many short blocks. testpmd looks at nothing in a packet: what a router takes more is its own. With
--tunnels the way out is an ECMP group of so many tunnels with AES-128-GCM, or the one. Without --huge-pages both run on
ordinary memory, which costs testpmd more than transitd.
"""

import argparse
import glob
import json
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FLOWS = 1024
MAC = bytes.fromhex('027063617000')  # of the first such port
DEADLINE_S = 20
BLOCK_S = 0.3  # the best counts

CONFIG = """
system: {{control-core: {control}, worker-cores: [{core}], poll: busy, huge-pages: {huge}, run-dir: {dir}, state-dir: {dir}/state}}
ports:
  lan0: {{device: "vdev:net_pcap0,rx_pcap={dir}/in.pcap,infinite_rx=1"}}
  lan1: {{device: "vdev:net_pcap1,rx_pcap={dir}/none.pcap"}}
attachments:
  vpc-a: {{kind: vpc, port: lan0, address: 10.1.255.254/16}}
  vbr-b:
    kind: vbr
    port: lan1
    address: 10.2.0.1/24
    neighbors: [{{address: 10.2.0.2, mac: "02:00:00:00:00:fe"}}]
    routes: [{{prefix: 10.9.0.0/16, next-hop: 10.2.0.2}}]
"""

TUNNELS = """
system: {{control-core: {control}, worker-cores: [{core}], poll: busy, huge-pages: {huge}, run-dir: {dir}, state-dir: {dir}/state}}
ports:
  lan0: {{device: "vdev:net_pcap0,rx_pcap={dir}/in.pcap,infinite_rx=1"}}
  wan0:
    device: "vdev:net_pcap1,rx_pcap={dir}/none.pcap"
    address: 203.0.113.10/24
    gateway: 203.0.113.1
    neighbors: [{{address: 203.0.113.1, mac: "02:00:00:00:00:fe"}}]
customer-gateways:
{gateways}
vpn-connections:
{connections}
attachments:
  vpc-a: {{kind: vpc, port: lan0, address: 10.1.255.254/16}}
{attachments}
"""


def tunnels(count, **names):
    """A connection of one tunnel each, all with the same route."""
    keys = '{{spi: {spi}, encryption-key: "{key:040x}"}}'
    connection = """  t{n}:
    mode: single
    keying: manual
    tunnels:
      - customer-gateway: peer{n}
        gateway-address: 203.0.113.10
        ipsec: {{encryption: aes128gcm16, esn: no}}
        manual: {{in: {inbound}, out: {outbound}}}"""
    each = range(count)
    return TUNNELS.format(
        gateways='\n'.join(f'  peer{n}: {{address: 192.0.2.{n + 1}}}' for n in each),
        connections='\n'.join(connection.format(n=n, inbound=keys.format(spi=0x1000 + n, key=2 * n + 1),
                                                outbound=keys.format(spi=0x2000 + n, key=2 * n + 2)) for n in each),
        attachments='\n'.join(f'  t{n}: {{kind: vpn, connection: t{n}, routes: [{{prefix: 10.9.0.0/16}}]}}' for n in each),
        **names)


def checksum(header):
    total = sum(struct.unpack(f'!{len(header) // 2}H', header))
    total = (total & 0xffff) + (total >> 16)
    return ~((total & 0xffff) + (total >> 16)) & 0xffff


def frame(flow):
    """60 bytes: the checksum of the line is in no capture."""
    def ip(sum_):
        return struct.pack('!BBHHHBBHII', 0x45, 0, 46, flow, 0, 64, 17, sum_, 0x0a010001, 0x0a090000 + flow)
    return (MAC + bytes.fromhex('0200000000aa0800') + ip(checksum(ip(0))) +
            struct.pack('!HHHH', 1024 + flow, 9, 26, 0) + bytes(18))


def write_capture(path, flows):
    with open(path, 'wb') as out:
        out.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for flow in range(flows):
            data = frame(flow)
            out.write(struct.pack('<IIII', 0, 0, len(data), len(data)) + data)


def until(ask, what):
    end = time.monotonic() + DEADLINE_S
    while not (answer := ask()):
        if time.monotonic() > end:
            sys.exit(f'port_ceiling: not within {DEADLINE_S} s: {what}')
        time.sleep(0.05)
    return answer


def thread_of(pid, name):
    """The schedstat of a thread by name."""
    for comm in glob.glob(f'/proc/{pid}/task/*/comm'):
        if Path(comm).read_text().strip() == name:
            return Path(comm).with_name('schedstat')
    return None


class Transitd:
    """What left on the second port, as transitctl tells."""

    worker = 'rte-worker-1'  # the first one, on whatever core

    def __init__(self, build, directory, core, control, options):
        config = directory / 'transitd.yaml'
        config.touch(0o600)
        names = {'dir': directory, 'core': core, 'control': control, 'huge': 'required' if options.huge_pages else 'no'}
        count = options.tunnels
        config.write_text(tunnels(count, **names) if count else CONFIG.format(**names))
        self.ctl = [build / 'app' / 'transitctl', '--socket', directory / 'transitd.sock', '--json', 'show', 'counters']
        self.log = open(directory / 'log', 'w')
        self.process = subprocess.Popen([build / 'app' / 'transitd', '-c', config], stdout=self.log, stderr=self.log)

    def forwarded(self):
        answer = subprocess.run(self.ctl, capture_output=True, text=True)
        if answer.returncode:
            return 0
        return sum(row['sent'] for row in json.loads(answer.stdout))


class Testpmd:
    worker = 'rte-worker-{core}'

    def __init__(self, build, directory, core, control, options):
        self.path = directory / 'log'
        self.log = open(self.path, 'w')
        memory = ['--in-memory'] if options.huge_pages else ['--no-huge', '--no-shconf', '-m', '256']
        self.process = subprocess.Popen(
            ['stdbuf', '-o0', 'dpdk-testpmd', '-l', f'{control},{core}', '--main-lcore', str(control), *memory,
             '--no-pci', '--no-telemetry',
             '--vdev', f'net_pcap0,rx_pcap={directory}/in.pcap,infinite_rx=1', '--vdev',
             f'net_pcap1,rx_pcap={directory}/none.pcap',
             '--', '--no-mlockall', '--forward-mode=io', '--burst=64', '--total-num-mbufs=16384', '-i'],
            stdin=subprocess.PIPE, stdout=self.log, stderr=self.log, text=True)
        until(lambda: 'testpmd> ' in self.path.read_text(), 'testpmd takes commands')
        self.say('start')

    def say(self, line):
        self.process.stdin.write(line + '\n')
        self.process.stdin.flush()

    def forwarded(self):
        before = len(self.path.read_text())
        self.say('show port stats 1')

        def told():
            return re.search(r'TX-packets: (\d+)[^#]*Tx-pps', self.path.read_text()[before:])
        return int(until(told, 'testpmd tells its statistics')[1])


def measure(contender, seconds, core):
    def sample():
        spent = int(thread.read_text().split()[0])
        packets = contender.forwarded()
        return packets, (spent + int(thread.read_text().split()[0])) / 2

    until(lambda: contender.process.poll() is not None or contender.forwarded() > 0, 'packets leave')
    if contender.process.poll() is not None:
        sys.exit(f'port_ceiling: it ended: {Path(contender.log.name).read_text()[-2000:]}')
    thread = until(lambda: thread_of(contender.process.pid, contender.worker.format(core=core)), 'the thread that forwards')
    best, last = 0, sample()
    for _ in range(max(1, round(seconds / BLOCK_S))):
        time.sleep(BLOCK_S)
        before, last = last, sample()
        best = max(best, (last[0] - before[0]) / (last[1] - before[1]) * 1e3)
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('build', type=Path)
    parser.add_argument('contender', choices=('transitd', 'testpmd'))
    parser.add_argument('--tunnels', type=int, default=0)
    parser.add_argument('--huge-pages', action='store_true', help='for both; they must be reserved')
    parser.add_argument('--core', type=int, default=0)
    parser.add_argument('--seconds', type=float, default=3)
    options = parser.parse_args()
    control = next((cpu for cpu in sorted(os.sched_getaffinity(0)) if cpu != options.core), options.core)
    kind = {'transitd': Transitd, 'testpmd': Testpmd}[options.contender]
    with tempfile.TemporaryDirectory(prefix='ceiling') as directory:
        write_capture(Path(directory) / 'in.pcap', FLOWS)
        write_capture(Path(directory) / 'none.pcap', 0)
        contender = kind(options.build, Path(directory), options.core, control, options)
        try:
            print(f'{measure(contender, options.seconds, options.core):.2f}')
        finally:
            contender.process.send_signal(signal.SIGTERM)
            contender.process.wait(DEADLINE_S)


if __name__ == '__main__':
    main()
