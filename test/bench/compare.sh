#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Our data path beside its ceilings, in one run, the contenders in turns. One line per profile and ceiling:
#
#   ratio PROFILE OURS CEILING RATIO      millions of packets per second, ours / ceiling
#
# Ceilings: intel-ipsec-mb alone (cipher-bench), the same behind DPDK's crypto device (dpdk-test-crypto-perf), and for
# plain forwarding a whole transitd beside dpdk-testpmd on the same ports (port_ceiling.py). Lines
# that begin with `cycles` have core cycles per packet, whose clock is sampled by a loop of dependent
# multiplications. README.md beside this tells more.
set -u -o pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=test/setup.sh
. "$top/test/setup.sh"
core=${BENCH_CORE:-0}
seconds=${BENCH_SECONDS:-0.3}
turns=${BENCH_TURNS:-3}

# Each prints "MPPS CYCLES"; a device has no cycles of its own.
ours() { # PROFILE
  "$top/build/app/transitbench" --core "$core" --seconds "$seconds" "$1" 2>/dev/null |
    awk 'NR == 2 { print $2, $4 }'
}

library() { # ALGORITHM SIZE DIRECTION
  taskset -c "$core" "$top/build/test/bench/cipher-bench" "$1" "$2" "$3" "$seconds" |
    awk '{ print $3, $1 }'
}

device() { # ALGORITHM SIZE
  local options
  case $1 in
  aes128gcm16)
    options="--devtype crypto_aesni_gcm --optype aead --aead-algo aes-gcm --aead-op encrypt
      --aead-key-sz 16 --aead-iv-sz 12 --aead-aad-sz 8 --digest-sz 16"
    ;;
  aes128-sha1)
    options="--devtype crypto_aesni_mb --optype cipher-then-auth --cipher-algo aes-cbc
      --cipher-op encrypt --cipher-key-sz 16 --cipher-iv-sz 16 --auth-algo sha1-hmac
      --auth-op generate --auth-key-sz 20 --digest-sz 12"
    ;;
  esac
  # shellcheck disable=SC2086  # a list of words
  dpdk-test-crypto-perf -l 0,1 --no-huge -m 512 --no-pci --no-telemetry --file-prefix compare \
    --vdev "crypto_aesni_$([ "$1" = aes128gcm16 ] && echo gcm || echo mb)" -- --ptest throughput \
    --silent --csv-friendly --total-ops 2000000 --burst-sz 64 --buffer-sz "$2" $options 2>/dev/null |
    awk -F, '/^[0-9]/ { print $8, 0 }'
}

port() { # CONTENDER
  echo "$("$top/test/bench/port_ceiling.py" "$top/build" "$1" --core "$core" --seconds 3) 0"
}

better() { # keeps the better of two measurements
  printf '%s\n%s\n' "$1" "$2" | sort -g | tail -n 1
}

ratio() { # PROFILE OURS CEILING, each "MPPS CYCLES"
  awk -v name="$1" -v ours="$2" -v ceiling="$3" 'BEGIN {
    split(ours, o); split(ceiling, c)
    if (o[1] > 0 && c[1] > 0)
      printf "ratio %s %.2f %.2f %.3f\n", name, o[1], c[1], o[1] / c[1]
    if (c[2] > 0)
      printf "cycles %s %.0f %.0f\n", name, o[2], c[2]
  }'
}

compare() { # ALGORITHM SIZE DIRECTION
  local mine="0 0" bare="0 0" dev="0 0" profile="$3/$1/$2/1/1"
  for _ in $(seq "$turns"); do
    mine=$(better "$mine" "$(ours "$profile")")
    bare=$(better "$bare" "$(library "$1" "$2" "$3")")
    [ "$3" = in ] || dev=$(better "$dev" "$(device "$1" "$2")")
  done
  ratio "$profile:ipsec-mb" "$mine" "$bare"
  [ "$3" = in ] || ratio "$profile:cryptodev" "$mine" "$dev"
}

compare_ports() {
  local mine="0 0" io="0 0"
  for _ in $(seq "$turns"); do
    mine=$(better "$mine" "$(port transitd)")
    io=$(better "$io" "$(port testpmd)")
  done
  ratio "plain/none/64/1/1024:testpmd-io" "$mine" "$io"
}

# shellcheck disable=SC2086  # lists of packages
install_missing python3 $packages_testpmd
if ! { configure build -Dwerror=true && compile build transitd transitctl transitbench cipher-bench >/dev/null; }; then
  die "build failed"
fi
for algorithm in aes128gcm16 aes128-sha1; do
  for size in 64 256 1424; do
    for direction in out in; do
      compare "$algorithm" "$size" "$direction"
    done
  done
done
compare_ports
