# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What test/run.sh and app/demo.sh share: Debian packages, huge pages, builds. Sourced by bash.

packages_build="gcc libc6-dev meson ninja-build pkg-config clang libclang-rt-14-dev libdpdk-dev
  libipsec-mb-dev libbpf-dev libxdp-dev libssl-dev libyaml-dev libjansson-dev libevent-dev
  libmicrohttpd-dev libseccomp-dev libcmocka-dev"
packages_package="build-essential debhelper"
packages_demo="python3 util-linux mount hostname procps iproute2 iputils-ping fping ethtool nftables tcpdump iperf3
  strongswan-charon strongswan-swanctl libstrongswan-standard-plugins libstrongswan-extra-plugins
  libcharon-extra-plugins bird2"
packages_lab="$packages_demo python3-scapy python3-cryptography conntrack curl prometheus systemd lintian frr gobgpd
  exabgp $packages_package"
packages_testpmd="dpdk-dev coreutils"
packages_vm="qemu-system-x86 busybox-static cpio kmod dpkg"
packages_root="debootstrap git util-linux mount"
packages_guard="valgrind binutils"
packages_lint="clang-format universal-ctags shellcheck cppcheck git"

die() {
  echo "$0: $*" >&2
  exit 1
}

need_root() {
  [ "$(id -u)" = 0 ] || die "$1: run it as root (sudo $0)"
}

# Some packages are daemons (strongSwan, BIRD, ...) that we start ourselves, in namespaces: while they are installed,
# none is started on the machine itself. Where the machine has a policy of its own, that one decides.
install_quietly() {
  local policy=/usr/sbin/policy-rc.d ours="" status=0
  if [ ! -e "$policy" ]; then
    ours=yes
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  apt-get -q -y --no-install-recommends install "$@" || status=$?
  [ -z "$ours" ] || rm -f "$policy"
  return "$status"
}

# install_missing PACKAGE...: asks the package mirror only when something is missing.
install_missing() {
  local package missing=""
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  echo "installing missing Debian packages:$missing"
  need_root "packages are missing"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -q update || die "apt-get update failed: is the Debian mirror within reach?"
  # shellcheck disable=SC2086  # a list of words
  install_quietly $missing || die "could not install:$missing"
}

# configure DIR OPTION...: sets a build directory up, once.
configure() {
  local dir="$top/$1"
  shift
  [ -f "$dir/build.ninja" ] || meson setup "$dir" "$top" "$@"
}

# compile DIR [TARGET...]: builds what has changed, of everything or of the named targets.
compile() {
  local dir="$top/$1"
  shift
  meson compile -C "$dir" "$@"
}

# Huge pages make things faster, nothing needs them. Whatever is changed here is undone by restore_hugepages.
hugepages_before=""
hugepages_mounted=""
want_hugepages() { # want_hugepages COUNT (of 2 MiB)
  local knob=/sys/kernel/mm/hugepages/hugepages-2048kB
  [ -w "$knob/nr_hugepages" ] || return 0
  if [ "$(cat "$knob/free_hugepages")" -lt "$1" ]; then
    hugepages_before=$(cat "$knob/nr_hugepages")
    echo $((hugepages_before + $1)) >"$knob/nr_hugepages" 2>/dev/null || true
  fi
  if ! grep -q ' hugetlbfs ' /proc/mounts; then
    if mkdir -p /dev/hugepages && mount -t hugetlbfs nodev /dev/hugepages 2>/dev/null; then
      hugepages_mounted=yes
    fi
  fi
}

restore_hugepages() {
  if [ -n "$hugepages_mounted" ]; then
    umount /dev/hugepages 2>/dev/null || true
  fi
  if [ -n "$hugepages_before" ]; then
    echo "$hugepages_before" >/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages || true
  fi
}
