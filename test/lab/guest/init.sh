#!/bb/busybox sh
# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=dash
#
# PID 1 of a guest. Mounts the host's /usr below that of the image, then serves the agent's commands.
# Folders of the host come as 9p: `usr`, `image`, and those whose names and places the command line lists
# as share=TAG:PATH:ro|rw.

export PATH=/usr/sbin:/usr/bin:/bb
/bb/busybox --install -s /bb

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts pts /dev/pts
mount -t tmpfs shm /dev/shm
for module in /modules/*.ko; do
	insmod "$module" || echo "init: no $module"
done

share() { # share TAG PATH ro|rw
	mkdir -p "$2"
	caching=loose
	[ "$3" = ro ] || caching=none
	mount -t 9p -o "trans=virtio,version=9p2000.L,msize=262144,cache=$caching,$3" "$1" "$2" ||
		echo "init: no share $1"
}

share usr /lower/usr ro
share image /lower/image ro
mkdir /usr
mount -t overlay -o ro,lowerdir=/lower/image:/lower/usr usr /usr
for folder in bin sbin lib lib64; do
	ln -s "usr/$folder" "/$folder"
done
tr ' ' '\n' </proc/cmdline | while IFS= read -r word; do
	case $word in
	share=*) # shellcheck disable=SC2046
		share $(echo "${word#share=}" | tr : ' ') ;;
	esac
done

ln -s /run /var/run
mkdir -p /var/lib /var/log /var/tmp /root /run/lock
echo "root:x:0:0:root:/root:/bin/sh" >/etc/passwd
echo "root:x:0:" >/etc/group
printf 'passwd: files\ngroup: files\nhosts: files\n' >/etc/nsswitch.conf
echo "127.0.0.1 localhost" >/etc/hosts
ip link set lo up
sysctl -qw net.ipv6.conf.all.disable_ipv6=1

exec sh /agent
