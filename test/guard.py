#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Instructions per packet of the data path, counted by callgrind and compared with recorded ones.

usage: test/guard.py BUILD [--record] [-k WORD]

Times are noisy, counts are not. transitbench runs a small and a large fixed set of packets; what lies between the two is
packets alone, no set-up. Counted are the functions of lib/datapath and lib/boundary themselves: the cipher is left
out, because valgrind has not the vector units that the library would pick, so that the counts are those of the compiler
and not of the CPU. A profile fails when it takes MARGIN more than test/guard.txt says, or with another compiler than
the one recorded there OTHER_MARGIN more. When it takes as much less it fails as well: record anew (--record) in the commit
that made it faster, so that what was won is guarded, and what only moved out of sight of the two libraries is seen.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

MARGIN = 0.03
OTHER_MARGIN = 0.25
BURST = 64
FEW, MANY = 4, 12
PROFILES = (
    'out/aes128gcm16/64/1/1',
    'out/aes128gcm16/64/16ecmp/1',
    'in/aes128gcm16/64/1/1',
    'in/aes128gcm16/64/16ecmp/1',
    'relay/aes128-sha1/64/1/1',
    'plain/none/64/1/1',
)
RECORD = Path(__file__).with_name('guard.txt')


def own_functions(build):
    """Names of what the two libraries define."""
    names = set()
    for layer in ('datapath', 'boundary'):
        archive = build / 'lib' / layer / f'lib{layer}.a'
        symbols = subprocess.run(['nm', '--defined-only', archive], check=True, text=True,
                                 capture_output=True).stdout
        names |= set(re.findall(r' [tT] (\S+)$', symbols, re.M))
    return names


def self_costs(path):
    """Instructions by function, without those of the functions it calls."""
    names, costs, function, skip = {}, {}, None, False
    for line in path.read_text().splitlines():
        if line.startswith('fn='):
            number, name = re.match(r'fn=\((\d+)\)(?: (.*))?', line).groups()
            if name:
                names[number] = name.split("'")[0]
            function = names[number]
        elif line.startswith('cfn='):
            number, name = re.match(r'cfn=\((\d+)\)(?: (.*))?', line).groups()
            if name:
                names[number] = name.split("'")[0]
        elif line.startswith('calls='):
            skip = True  # the next line is the cost of the call
        elif re.match(r'[+*\d-]', line) and function:
            if not skip:
                costs[function] = costs.get(function, 0) + int(line.split()[1])
            skip = False
    return costs


def instructions(build, profile, bursts, own):
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / 'callgrind.out'
        command = ['valgrind', '-q', '--tool=callgrind', f'--callgrind-out-file={out}',
                   build / 'app' / 'transitbench', '--count', str(bursts), profile]
        run = subprocess.run(command, text=True, capture_output=True, timeout=120)
        if run.returncode != 0:
            raise RuntimeError(run.stderr.strip()[-400:])
        return sum(cost for name, cost in self_costs(out).items() if name in own)


def compiler(build):
    """What the libraries were compiled with, as the compiler left it in them."""
    archive = build / 'lib' / 'datapath' / 'libdatapath.a'
    comments = subprocess.run(['readelf', '-p', '.comment', archive], check=True, text=True,
                              capture_output=True).stdout
    return re.search(r'^ +\[ *\w+\] +(.+)$', comments, re.M).group(1)


def recorded():
    """Counts by profile, and the compiler."""
    lines = RECORD.read_text().splitlines() if RECORD.exists() else []
    by = [line.removeprefix('# compiler: ') for line in lines if line.startswith('# compiler: ')]
    counts = [line.split() for line in lines if not line.startswith('#')]
    return {profile: float(count) for profile, count in counts}, by[0] if by else ''


def write(counts, by):
    text = ['# SPDX-License-Identifier: BSD-3-Clause',
            '# Instructions per packet, without the cipher. Written by test/guard.py --record.',
            f'# compiler: {by}']
    text += [f'{profile} {count:.1f}' for profile, count in counts.items()]
    RECORD.write_text('\n'.join(text) + '\n')


def check(profile, count, before, margin):
    """Prints the verdict; true when it holds."""
    if profile not in before:
        print(f'FAIL  {profile}: {count:.1f} instructions per packet, none recorded')
        return False
    share = count / before[profile] - 1
    good = abs(share) <= margin
    why = '' if good else f', {share:+.0%}: ' + (
        'what made it slower?' if share > 0 else 'if meant, record it: test/guard.py BUILD --record')
    print(f'{"ok  " if good else "FAIL"}  {profile}: {count:.1f} instructions per packet, '
          f'recorded {before[profile]:.1f}{why}')
    return good


def main(argv):
    build = Path(argv[0])
    word = argv[argv.index('-k') + 1] if '-k' in argv else ''
    own, by, counts, passed, failed = own_functions(build), compiler(build), {}, 0, 0
    before, recorded_by = recorded()
    margin = MARGIN if by == recorded_by else OTHER_MARGIN
    if margin != MARGIN and '--record' not in argv:
        print(f'compiled by {by}, recorded with {recorded_by}: {margin:.0%} more are allowed')
    for profile in (p for p in PROFILES if re.search(word, p)):
        try:
            few, many = (instructions(build, profile, n, own) for n in (FEW, MANY))
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            print(f'FAIL  {profile}: {error}')
            failed += 1
            continue
        counts[profile] = (many - few) / (MANY - FEW) / BURST
        good = '--record' in argv or check(profile, counts[profile], before, margin)
        passed += good
        failed += not good
    if '--record' in argv:
        write(counts, by)
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
