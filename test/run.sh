#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Installs what is missing, builds, runs tests. See usage() or --help.
set -u -o pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=test/setup.sh
. "$top/test/setup.sh"
python=/usr/bin/python3

usage() {
  cat <<EOF
usage: sudo test/run.sh [--full] [SUITE...]

Runs the named suites, or all: $(all_suites)

  lint   format, layers and habits of the sources
  unit   unit tests                          with address and undefined-behaviour sanitizers; then random
                                             operations on the model, 100,000 of a kind, without
  sim    protocol engines, virtual time      with sanitizers; then many more seeds without
  fuzz   libFuzzer on every parser, a few seconds each
  guard  instructions per packet, counted by valgrind, beside test/guard.txt
  lab-*  real peers and hosts in network namespaces (needs root); single ones: test/lab/run.py --help
  lab-vm the same with guests: the IPsec of Debian's kernel, and transitd on virtio NICs

--full   long sweeps: more seeds, longer fuzzing
-k WORD  only tests whose name fits this regular expression

Builds in build/ (release), build-asan/ and build-fuzz/. Ends with one line: N passed, N failed.
EOF
}

all_suites() {
  echo "lint unit sim fuzz guard $("$top/test/lab/run.py" --suites 2>/dev/null)"
}

reason_lines=24 # of a failed test, once more at the end
passed=0 failed=0
failures=$(mktemp)
output=$(mktemp)
finish() {
  rm -f "$failures" "$output"
  restore_hugepages
}
trap finish EXIT
trap 'exit 130' INT TERM

# count COMMAND...: runs a runner, shows what it prints, adds up its last line.
count() {
  local line
  "$@" 2>&1 | tee "$output"
  line=$(tail -n 1 "$output")
  if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    passed=$((passed + BASH_REMATCH[1]))
    failed=$((failed + BASH_REMATCH[2]))
    grep -A "$reason_lines" '^FAIL ' "$output" | grep '^FAIL \|^   ' >>"$failures"
  else
    failed=$((failed + 1))
    echo "FAIL  $* ended without a result" | tee -a "$failures"
  fi
}

build_or_fail() {
  if ! { configure "$@" && compile "$1"; }; then
    failed=$((failed + 1))
    echo "FAIL  build in $1/" | tee -a "$failures"
    return 1
  fi
}

build_release() {
  build_or_fail build -Dwerror=true
}

build_asan() {
  build_or_fail build-asan -Dwerror=true -Dbuildtype=debugoptimized -Db_sanitize=address,undefined \
    -Db_lundef=false
}

build_fuzz() {
  CC=clang build_or_fail build-fuzz -Dfuzz=true -Dtests=false -Dbuildtype=debugoptimized
}

# What guests boot from: packages that nothing else needs, some of them unpacked and not installed.
prepare_guests() {
  # shellcheck disable=SC2086  # a list of words
  install_missing $packages_vm
  if ! "$top/test/lab/guest/image.sh" "$top/build/lab-vm"; then
    failed=$((failed + 1))
    echo "FAIL  image of the guests in build/lab-vm" | tee -a "$failures"
    return 1
  fi
}

run_suite() {
  echo "== $1"
  case $1 in
  lint) count "$python" "$top/test/programs.py" lint "${only[@]}" ;;
  unit)
    build_asan && count "$python" "$top/test/programs.py" unit "$top/build-asan" "${only[@]}"
    build_release && count "$python" "$top/test/programs.py" property "$top/build" "${only[@]}"
    ;;
  sim)
    build_asan && count "$python" "$top/test/programs.py" sim "$top/build-asan" "${only[@]}"
    build_release && count "$python" "$top/test/programs.py" sweep "$top/build" "${only[@]}"
    ;;
  fuzz) build_fuzz && count "$python" "$top/test/programs.py" fuzz "$top/build-fuzz" \
    --seconds "$fuzz_seconds" "${only[@]}" ;;
  guard) build_release && count "$python" "$top/test/guard.py" "$top/build" "${only[@]}" ;;
  lab-*)
    [ "$1" != lab-vm ] || prepare_guests || return 0
    build_release && build_asan && TRANSITD_BUILD="$top/build" TRANSITD_BUILD_ASAN="$top/build-asan" \
      count "$python" "$top/test/lab/run.py" "$1" "${only[@]}"
    ;;
  esac
}

suites=() only=() fuzz_seconds=10
while [ $# -gt 0 ]; do
  case $1 in
  -h | --help) usage && exit 0 ;;
  --full) export TRANSITD_TEST_FULL=1 fuzz_seconds=120 ;;
  -k) only=(-k "${2:?-k needs a word}") && shift ;;
  -*) usage >&2 && exit 2 ;;
  *) suites+=("$1") ;;
  esac
  shift
done

# shellcheck disable=SC2086  # lists of words
install_missing $packages_build $packages_lab $packages_testpmd $packages_lint $packages_guard
known=" $(all_suites) "
[ ${#suites[@]} -gt 0 ] || read -ra suites <<<"$known"
for suite in "${suites[@]}"; do
  [[ $known == *" $suite "* ]] || die "unknown suite '$suite'; there are:$known"
  [[ $suite != lab-* ]] || need_root "$suite makes network namespaces"
done
# A clone that belongs to somebody else is fine: git is only asked for the list of files.
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0="$top"
[ "$(id -u)" != 0 ] || want_hugepages 256

for suite in "${suites[@]}"; do
  run_suite "$suite"
done
if [ $((passed + failed)) = 0 ]; then
  failed=1
  echo "FAIL  no test has such a name" >>"$failures"
fi
if [ -s "$failures" ]; then
  echo "== failed"
  cat "$failures"
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
