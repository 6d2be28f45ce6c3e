#!/bin/sh
# bootsd.sh: a real systemd in namespaces of its own, for tests of units. Needs root.
#   bootsd.sh start DIR       boots it over a copy of this machine's files that is thrown away
#   bootsd.sh run DIR COMMAND...   runs a command in there, as root
#   bootsd.sh stop DIR        ends all that runs in there, and returns when nothing is left
# When start returns 0 units can be started. DIR/pid holds the id of its process 1, so
# /proc/PID/root are its files: what is written there is gone at the end. It has no network but a
# loopback of its own.
# Nothing is mounted outside: process 1 holds all of it.
set -eu

die() {
	echo "bootsd.sh: $*" >&2
	exit 1
}

# In the background, in a mount namespace that ends with it: what process 1 is to stand on, then
# process 1 itself. systemd wants a cgroup to be the root of, which outlives its processes.
hold() {
	mount --make-rprivate /
	mount -t tmpfs tmpfs "$dir/files"
	cd "$dir/files"
	mkdir upper work root cgroup
	mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
	mount -t cgroup2 cgroup2 cgroup
	group=$PWD/cgroup/bootsd.$$
	mkdir "$group"
	echo $$ > "$group/cgroup.procs"
	unshare --mount --pid --net --ipc --uts --cgroup --fork --kill-child --propagation private \
		sh "$self" boot "$dir" || true
	echo $$ > cgroup/cgroup.procs
	find "$group" -depth -type d -exec rmdir {} +
}

# As process 1: makes the files a root that systemd can begin with, and becomes systemd.
boot() {
	read -r pid rest < /proc/self/stat
	cd "$dir/files/root"
	# Nothing is started but what is asked for below, and what a unit requires.
	rm -rf etc/systemd/system/*.wants etc/systemd/system/*.requires lib/systemd/system/*.wants
	printf '%s\n' '[Unit]' 'Requires=basic.target' 'Wants=systemd-journald.socket' \
		'After=basic.target systemd-journald.socket' > etc/systemd/system/bootsd.target
	: > etc/fstab
	echo 0123456789abcdef0123456789abcdef > etc/machine-id

	mount -t proc proc proc
	mount -t sysfs -o ro sysfs sys
	mount -t cgroup2 cgroup2 sys/fs/cgroup
	mount -t tmpfs -o mode=755 tmpfs run
	mount -t tmpfs -o mode=1777 tmpfs tmp
	mount -t tmpfs -o mode=755 tmpfs dev
	for device in null zero full random urandom tty; do
		: > dev/$device
		mount --bind /dev/$device dev/$device
	done
	mkdir dev/shm dev/pts
	mount -t tmpfs tmpfs dev/shm
	ln -s /proc/self/fd dev/fd
	ln -s pts/ptmx dev/ptmx
	ip link set lo up

	echo "$pid" > "$dir/pid"
	mkdir old
	pivot_root . old
	cd /
	umount -l /old
	mount --make-rshared / # LoadCredential= needs it
	exec env -i container=bootsd PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system \
		--unit=bootsd.target --log-target=journal --show-status=no
}

is_running() {
	[ -s "$dir/pid" ] && kill -0 "$(cat "$dir/pid")" 2> /dev/null
}

run() {
	nsenter --target "$(cat "$dir/pid")" --all --root --wd "$@"
}

start() {
	[ "$(id -u)" = 0 ] || die "needs root"
	mkdir -p "$dir/files"
	rm -f "$dir/pid" "$dir/holder" # of one that was not stopped
	setsid unshare --mount sh "$self" hold "$dir" > "$dir/log" 2>&1 < /dev/null &
	echo $! > "$dir/holder"
	n=0
	until [ -s "$dir/pid" ] && run systemctl is-active --quiet bootsd.target 2> /dev/null; do
		n=$((n + 1))
		if [ $n = 200 ] || ! kill -0 "$(cat "$dir/holder")" 2> /dev/null; then
			cat "$dir/log" >&2
			run journalctl --no-pager >&2 || true
			stop
			die "systemd does not come up"
		fi
		sleep 0.1
	done
}

stop() {
	! is_running || kill -KILL "$(cat "$dir/pid")"
	n=0
	while [ -s "$dir/holder" ] && kill -0 "$(cat "$dir/holder")" 2> /dev/null; do
		n=$((n + 1))
		[ $n != 100 ] || die "does not end"
		sleep 0.1
	done
	rm -f "$dir/pid" "$dir/holder"
}

[ $# -ge 2 ] || { sed -n '2,10s/^# //p' "$0"; exit 2; }
self=$(readlink -f "$0")
command=$1 dir=$2
shift 2
case $command in
start | stop | hold | boot) "$command" ;;
run) run "$@" ;;
*) die "no such command: $command" ;;
esac
