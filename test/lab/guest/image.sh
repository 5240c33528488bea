#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Makes what the guests of the lab boot from, once, out of Debian packages that are unpacked and never
# installed: usage: image.sh DIRECTORY
#
#   DIRECTORY/vmlinuz      Debian's kernel
#   DIRECTORY/initramfs    busybox, init.sh and the modules that init.sh needs to reach the rest
#   DIRECTORY/usr          the kernel's modules, libreswan and OpenIKED with the libraries this machine lacks
#
# A guest sees the /usr of this machine with DIRECTORY/usr on top, so it runs the same programs and
# libraries; what it has of its own is the kernel.
set -eu -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:?usage: image.sh DIRECTORY}
peers="libreswan openiked"
# in the initramfs: what it takes to see devices, the host's folders and the two disks of an overlay
modules="virtio_pci virtio_console virtio_net 9pnet_virtio 9p overlay"

say() {
  echo "guest image: $*"
}

# The kernel's package and what the peers need and this machine has not (or in an older version).
wanted() {
  apt-cache depends linux-image-amd64 | awk '/Depends: linux-image/ { print $2 }'
  # shellcheck disable=SC2086  # a list of words
  apt-get -s install --no-install-recommends $peers | awk '/^Inst / { print $2 }'
}

fetch() {
  local packages
  packages=$(wanted)
  [ -n "$packages" ] || { say "apt knows no kernel" && exit 1; }
  # shellcheck disable=SC2086  # a list of words
  say "fetching and unpacking" $packages
  # shellcheck disable=SC2086
  (cd "$out/debs" && apt-get -q -o APT::Sandbox::User=root download $packages >/dev/null)
}

unpack() {
  local deb kernel
  for deb in "$out"/debs/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" |
      tar -x -C "$out/root" --keep-directory-symlink --exclude='./usr/share/doc' --exclude='./usr/share/man'
  done
  kernel=$(ls "$out/root/lib/modules")
  # graphics, sound and the like are two thirds of it
  (cd "$out/root/lib/modules/$kernel/kernel" && rm -rf sound drivers/gpu drivers/media drivers/net/wireless \
    drivers/infiniband drivers/iio drivers/staging fs/xfs fs/btrfs)
  /sbin/depmod -b "$out/root" "$kernel" 2>/dev/null
  cp "$out/root/boot/vmlinuz-$kernel" "$out/vmlinuz"
  mkdir -p "$out/root/usr/lib"
  cp -a "$out/root/lib/." "$out/root/usr/lib/"
  mv "$out/root/usr" "$out/usr"
}

pack() {
  local tree="$out/tree" module kernel n=10
  kernel=$(ls "$out/usr/lib/modules")
  rm -rf "$tree"
  mkdir -p "$tree"/{bb,modules,dev,proc,sys,run,tmp,var,etc,lower}
  cp /usr/bin/busybox "$tree/bb/busybox"
  install -m 755 "$here/init.sh" "$tree/init"
  cp "$here/agent.sh" "$tree/agent"
  for module in $modules; do
    /sbin/modprobe -d "$out/usr" -S "$kernel" --show-depends "$module" | awk '$1 == "insmod" { print $2 }'
  done | awk '!seen[$0]++' | while read -r module; do
    n=$((n + 1))
    cp "$module" "$tree/modules/$n-${module##*/}"
  done
  (cd "$tree" && find . | cpio --quiet -o -H newc -R 0:0) | gzip -1 >"$out/initramfs"
  rm -rf "$tree"
}

stamp=$(cksum <"$here/image.sh")
if [ "$(cat "$out/stamp" 2>/dev/null)" != "$stamp" ]; then
  rm -rf "$out"
  mkdir -p "$out"/{debs,root}
  [ -n "$(apt-cache pkgnames linux-image-amd64)" ] || apt-get -q update
  fetch
  unpack
  rm -rf "$out/debs" "$out/root"
  echo "$stamp" >"$out/stamp"
  say "made in $out: $(du -sh "$out" | cut -f 1)"
fi
if [ "$here/init.sh" -nt "$out/initramfs" ] || [ "$here/agent.sh" -nt "$out/initramfs" ]; then
  pack
fi
