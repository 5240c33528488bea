#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The demo: two data centers and two VPC networks around one transit router, on this machine, in network
# namespaces that vanish with it. See usage().
set -eu -o pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=test/setup.sh
. "$top/test/setup.sh"
pid_file=/run/transitd-demo.pid

usage() {
  cat <<EOF
usage: sudo app/demo.sh [--keep]
       sudo app/demo.sh exec HOST COMMAND...
       sudo app/demo.sh ctl WORD...

Installs what is missing, builds, and shows tunnels, traffic, refusals, a failover and rekeys between
strongSwan data centers and VPC hosts. Ends with one line: demo: N passed, N failed.

--keep   leaves everything running until Ctrl-C, for the two commands below, from another terminal
exec     runs a command on a host of the kept demo: vpc-a, vpc-b, dc1, dc2, dc1-a (a gateway), inet, tr
ctl      asks the router: app/demo.sh ctl show tunnels
EOF
}

# Runs a command in the sandbox of a kept demo.
inside() {
  local demo pid
  need_root "the demo belongs to root"
  demo=$(cat "$pid_file" 2>/dev/null || true)
  if ! grep -qa demo.py "/proc/${demo:-none}/cmdline" 2>/dev/null || ! pid=$(pgrep -P "$demo"); then
    die "no demo is running; start one with --keep"
  fi
  exec nsenter -t "$pid" -m -n -p -i -u -- "$@"
}

case ${1:-} in
-h | --help) usage && exit 0 ;;
exec) shift && inside ip netns exec "$@" ;;
ctl) shift && inside "$top/build/app/transitctl" -s /run/transitd-tr/transitd.sock "$@" ;;
"" | --keep) ;;
*) usage >&2 && exit 2 ;;
esac

need_root "the demo makes network namespaces"
# shellcheck disable=SC2086  # lists of words
install_missing $packages_build $packages_demo
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "building in build/ ..."
if ! { configure build && compile build transitd transitctl probe relay vlan_switch; } >"$log" 2>&1; then
  cat "$log"
  die "the build failed"
fi
rm -f "$log"
exec /usr/bin/python3 "$top/app/demo.py" "$pid_file" "$@"
