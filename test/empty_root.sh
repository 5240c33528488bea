#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The commands of the README on a machine with nothing installed: a fresh Debian 12 root, made here with
# debootstrap, a clone of what is committed in it, nothing of the caller's environment. See usage(). They are
# taken from the README itself, as a newcomer would copy them.
#
# What the root shares with this machine: the kernel with its /dev and /sys, the network (for the Debian
# mirror) and the settings by which apt reaches that mirror. It has namespaces of its own for mounts and
# processes, so whatever runs in it ends with it, and its folder is removed.
set -eu -o pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=test/setup.sh
. "$top/test/setup.sh"
release=bookworm
clone=/srv/transitd
root="$top/build/empty-root"
debs="$top/build/empty-root.debs"

usage() {
  cat <<EOF
usage: sudo test/empty_root.sh [--keep] [--demo] [SUITE...]

Makes an empty Debian 12 root in build/empty-root, clones HEAD into it, and runs there what README.md says: the demo,
the package, and the tests with the named suites, or: lint unit lab-core. Takes ten minutes and more, and 3 GB
while it runs.
Packages that were fetched are kept in build/empty-root.debs. Ends with one line: N passed, N failed.

--keep   leaves the root
--demo   the demo and the package alone

MIRROR in the environment names another mirror of Debian than the one that this machine uses.
EOF
}

finish() {
  [ -n "$keep" ] || rm -rf --one-file-system "$root"
}

# The mirror that this machine uses for Debian itself.
mirror() {
  local found=${MIRROR:-}
  # shellcheck disable=SC2016  # for apt-get
  [ -n "$found" ] || found=$(apt-get indextargets --format '$(SITE)' "Origin: Debian" "Codename: $release" |
    sed -n 1p)
  echo "${found:-http://deb.debian.org/debian}"
}

make_root() {
  local site
  site=$(mirror)
  site=${site%/}
  rm -rf --one-file-system "$root"
  mkdir -p "$root" "$debs"
  echo "== debootstrap $release from $site"
  debootstrap --variant=minbase --cache-dir="$debs" "$release" "$root" "$site" >"$root.log" 2>&1 ||
    { tail -n 20 "$root.log" && die "debootstrap failed, see $root.log"; }
  printf 'deb %s %s main\n' "$site" "$release" "$site" "$release-updates" \
    "${site%/debian}/debian-security" "$release-security" >"$root/etc/apt/sources.list"
  # proxies and time-outs, and nothing else of what is set here
  apt-config dump | grep -E '^Acquire::(https?::|Retries|Check-)' >"$root/etc/apt/apt.conf.d/90host" || true
  echo 'Binary::apt-get::APT::Keep-Downloaded-Packages "true";' >"$root/etc/apt/apt.conf.d/90keep"
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
  git -c safe.directory='*' clone -q --no-local "$top" "$root$clone"
}

# in_root LINE: runs a line of shell in the clone in the root.
in_root() {
  # shellcheck disable=SC2016  # for the inner shell
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 TERM=dumb \
    unshare --mount --pid --fork --kill-child bash -c '
      set -e
      root=$1 debs=$2
      mount --bind "$root" "$root"
      mount --rbind /dev "$root/dev"
      mount --rbind /sys "$root/sys"
      mount --bind "$debs" "$root/var/cache/apt/archives"
      mount -t proc proc "$root/proc"
      mount -t tmpfs -o mode=755 run "$root/run"
      exec chroot "$root" bash -c "cd $3 && $4"' in_root "$root" "$debs" "$clone" "$1" </dev/null
}

# command_of TITLE BEGIN: the command of that section of the README that begins so, without what is said of it.
command_of() {
  local line
  line=$(sed -n "/^## $1/,/^## /p" "$top/README.md" | sed -n "s,^    \\($2.*\\)\$,\\1,p" | sed 's/  .*//')
  [ -n "$line" ] || die "README.md has no command '$2' in the section '$1'"
  echo "$line"
}

# check WHAT LINE: runs it and counts it; its last words are shown, or more when it failed.
check() {
  local log="$root.${1// /-}.log"
  echo "== $1: $2"
  if in_root "$2" >"$log" 2>&1; then
    passed=$((passed + 1))
    echo "ok    $1: $(tail -n 1 "$log")"
  else
    failed=$((failed + 1))
    tail -n 40 "$log"
    echo "FAIL  $1, see $log"
  fi
}

keep="" demo_only="" suites=() passed=0 failed=0
while [ $# -gt 0 ]; do
  case $1 in
  -h | --help) usage && exit 0 ;;
  --keep) keep=yes ;;
  --demo) demo_only=yes ;;
  -*) usage >&2 && exit 2 ;;
  *) suites+=("$1") ;;
  esac
  shift
done
[ ${#suites[@]} -gt 0 ] || suites=(lint unit lab-core)
need_root "it makes a root of its own"
# shellcheck disable=SC2086  # a list of words
install_missing $packages_root
trap finish EXIT
trap 'exit 130' INT TERM

demo=$(command_of "Two commands" app/demo.sh)
tests=$(command_of "Two commands" test/run.sh)
package=$(command_of "On real NICs, as a service" config/package.sh)
make_root
check demo "$demo"
# apt asks nobody; there is no systemd in there that would start the service
check package "export DEBIAN_FRONTEND=noninteractive; ${package/apt install/apt install -y} &&
  transitd --check -c /etc/transitd/transitd.yaml && transitctl nic list && ls /usr/share/man/man5/transitd.yaml.5.gz"
if [ -z "$demo_only" ]; then
  check tests "$tests ${suites[*]}"
  # shellcheck disable=SC2016  # for the inner shell
  check "clean tree" 'test -z "$(git status --porcelain)" && echo nothing is left in the tree'
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
