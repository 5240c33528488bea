#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# config/package.sh [--from BUILD] [OUT]: builds the Debian package and its source package with dpkg-buildpackage from
# a temporary copy of the tree, and puts both into OUT (default: build/packages). Prints the path of the former. With
# --from the programs are those of a build directory that is ready, which takes seconds. What building needs is
# installed when it is missing, as root.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=test/setup.sh
. "$top/test/setup.sh"
if [ "${1:-}" = --from ]; then
  TRANSITD_PREBUILT=$(cd "${2:?--from needs a build directory}" && pwd)
  export TRANSITD_PREBUILT
  shift 2
  grep -q '"name": "prefix", "value": "/usr"' "$TRANSITD_PREBUILT/meson-info/intro-buildoptions.json" || {
    echo "$TRANSITD_PREBUILT is not made for /usr: meson configure $TRANSITD_PREBUILT -Dprefix=/usr; then compile it" >&2
    exit 1
  }
fi
out=${1:-$top/build/packages}
# shellcheck disable=SC2086  # lists of words
install_missing $packages_build $packages_package >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$out" "$work/transitd"
# tracked files as they are now; without git, everything but builds
if git -c safe.directory="$top" -C "$top" rev-parse >/dev/null 2>&1; then
  git -c safe.directory="$top" -C "$top" ls-files -z | tar -C "$top" --null -T - -cf - | tar -C "$work/transitd" -xf -
else
  tar -C "$top" --exclude='./build*' -cf - . | tar -C "$work/transitd" -xf -
fi
cp -r "$work/transitd/config/debian" "$work/transitd/debian"
cd "$work/transitd"
dpkg-buildpackage --build=full --no-sign "${PACKAGE_OPTIONS:---jobs=auto}" >"$out/build.log" 2>&1 || {
  tail -40 "$out/build.log" >&2
  exit 1
}
rm -f "$out"/transitd*.{deb,dsc,tar.xz,changes,buildinfo}
cp "$work"/transitd*.{deb,dsc,tar.xz,changes,buildinfo} "$out"/
ls "$out"/transitd_*.deb
