#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Our data path beside its ceilings, in one run, the contenders in turns. One line per profile and ceiling:
#
#   ratio PROFILE OURS CEILING RATIO      millions of packets per second, ours / ceiling
#
# usage: test/bench/compare.sh [ALGORITHM...]     aes128gcm16 aes128-sha1; others: aes256gcm16 aes128-sha256 3des-sha1
#
# Ceilings: intel-ipsec-mb alone (cipher-bench), the same behind DPDK's crypto device (dpdk-test-crypto-perf), and for
# plain forwarding a whole transitd beside dpdk-testpmd on the same ports (port_ceiling.py). Lines
# that begin with `cycles` have core cycles per packet, whose clock is sampled by a loop of dependent
# multiplications. A contender that does not run is told, and the exit code is 1. README.md beside this tells more.
set -u -o pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=test/setup.sh
. "$top/test/setup.sh"
core=${BENCH_CORE:-0}
seconds=${BENCH_SECONDS:-0.3}
turns=${BENCH_TURNS:-3}
port_seconds=${BENCH_PORT_SECONDS:-3}
operations=${BENCH_OPERATIONS:-2000000}
missing=0
algorithms=("$@")
[ $# -gt 0 ] || algorithms=(aes128gcm16 aes128-sha1)
for algorithm in "${algorithms[@]}"; do
  [[ " aes128gcm16 aes256gcm16 aes128-sha1 aes128-sha256 3des-sha1 " == *" $algorithm "* ]] ||
    die "no algorithm '$algorithm'; there are: aes128gcm16 aes256gcm16 aes128-sha1 aes128-sha256 3des-sha1"
done

# Each prints "MPPS CYCLES"; a device has no cycles of its own.
ours() { # PROFILE
  "$top/build/app/transitbench" --core "$core" --seconds "$seconds" "$1" 2>/dev/null |
    awk 'NR == 2 { print $2, $4 }'
}

library() { # ALGORITHM SIZE DIRECTION
  taskset -c "$core" "$top/build/test/bench/cipher-bench" "$1" "$2" "$3" "$seconds" |
    awk '{ print $3, $1 }'
}

other_core() { # the main lcore of dpdk-test-crypto-perf, which waits
  taskset -cp $$ | sed 's/.*: //' | tr ',' '\n' |
    awk -F- -v core="$core" '{ for (i = $1; i <= $NF; i++) if (i != core) { print i; exit } }'
}

# As many bytes as ESP encrypts of the frame. Inbound AES-CBC is not to be had: the tool checks an HMAC in test vectors alone.
device() { # ALGORITHM SIZE DIRECTION
  local options bytes operation=encrypt vdev=crypto_aesni_mb
  bytes=$("$top/build/test/bench/cipher-bench" "$1" "$2" "$3" 0.001 | awk '{ print $5 }')
  [ "$3" = out ] || operation=decrypt
  case $1 in
  aes*gcm16)
    vdev=crypto_aesni_gcm
    options="--optype aead --aead-algo aes-gcm --aead-op $operation --aead-key-sz
      $([ "$1" = aes128gcm16 ] && echo 16 || echo 32) --aead-iv-sz 12 --aead-aad-sz 8 --digest-sz 16"
    ;;
  aes128-sha1) options="$(chain aes-cbc 16 16) $(hmac sha1-hmac 20 12)" ;;
  aes128-sha256) options="$(chain aes-cbc 16 16) $(hmac sha2-256-hmac 32 16)" ;;
  3des-sha1) options="$(chain 3des-cbc 24 8) $(hmac sha1-hmac 20 12)" ;;
  esac
  # shellcheck disable=SC2086  # a list of words
  dpdk-test-crypto-perf --lcores "0@$(other_core),1@$core" --no-huge -m 512 --no-pci --no-telemetry --no-shconf \
    --vdev $vdev -- --devtype $vdev --ptest throughput --silent --csv-friendly --total-ops "$operations" \
    --burst-sz 64 --buffer-sz "$bytes" $options 2>/dev/null |
    awk -F, '/^[0-9]/ { print $8, 0 }'
}

chain() { # CIPHER KEY-BYTES IV-BYTES
  echo "--optype cipher-then-auth --cipher-op encrypt --cipher-algo $1 --cipher-key-sz $2 --cipher-iv-sz $3"
}

hmac() { # HMAC KEY-BYTES ICV-BYTES
  echo "--auth-op generate --auth-algo $1 --auth-key-sz $2 --digest-sz $3"
}

port() { # CONTENDER
  echo "$("$top/test/bench/port_ceiling.py" "$top/build" "$1" --core "$core" --seconds "$port_seconds") 0"
}

better() { # keeps the better of two measurements
  printf '%s\n%s\n' "$1" "$2" | sort -g | tail -n 1
}

ratio() { # PROFILE OURS CEILING, each "MPPS CYCLES"
  awk -v name="$1" -v ours="$2" -v ceiling="$3" 'BEGIN {
    split(ours, o); split(ceiling, c)
    if (!(o[1] > 0 && c[1] > 0)) {
      printf "%s: no figure of %s\n", name, (o[1] > 0 ? "the ceiling" : "ours") > "/dev/stderr"
      exit 1
    }
    printf "ratio %s %.2f %.2f %.3f\n", name, o[1], c[1], o[1] / c[1]
    if (c[2] > 0)
      printf "cycles %s %.0f %.0f\n", name, o[2], c[2]
  }' || missing=$((missing + 1))
}

# A device has no cycles of its own: its time, at the clock that the library alone was measured at.
with_cycles() { # DEVICE LIBRARY
  awk -v device="$1" -v library="$2" 'BEGIN {
    split(device, d); split(library, l)
    print d[1] + 0, (d[1] > 0 ? l[1] * l[2] / d[1] : 0)
  }'
}

has_device() { # ALGORITHM DIRECTION
  [ "$2" = out ] || [[ $1 == *gcm16 ]]
}

compare() { # ALGORITHM SIZE DIRECTION
  local mine="0 0" bare="0 0" dev="0 0" profile="$3/$1/$2/1/1"
  for _ in $(seq "$turns"); do
    mine=$(better "$mine" "$(ours "$profile")")
    bare=$(better "$bare" "$(library "$1" "$2" "$3")")
    ! has_device "$1" "$3" || dev=$(better "$dev" "$(device "$1" "$2" "$3")")
  done
  ratio "$profile:ipsec-mb" "$mine" "$bare"
  ! has_device "$1" "$3" || ratio "$profile:cryptodev" "$mine" "$(with_cycles "$dev" "$bare")"
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
for algorithm in "${algorithms[@]}"; do
  for size in 64 256 1424; do
    for direction in out in; do
      compare "$algorithm" "$size" "$direction"
    done
  done
done
compare_ports
[ "$missing" = 0 ]
