#!/usr/bin/env bash
# Boots a second Debian on this machine's own files: systemd as process 1 in namespaces of its own, with a layer over the files that takes all
# changes. It has no network but a loopback of its own. Nothing of it stays, and nothing of this machine is changed. Prints process 1's id and the
# folder of the changes, as seen from this process, and runs until its input ends.
set -euo pipefail

base=$(mktemp -d)
trap 'umount --recursive --lazy "$base" || true; rmdir "$base"' EXIT
mount -t tmpfs none "$base"
mkdir "$base"/{cgroup,upper,work,new}
mount -t cgroup2 none "$base/cgroup"
group=$base/cgroup/stillage-test-$$
mkdir "$group"
echo $$ > "$group/cgroup.procs"

cat > "$base/init.sh" <<'INIT'
set -euo pipefail
base=$1
mount -t overlay none -o "lowerdir=/,upperdir=$base/upper,workdir=$base/work" "$base/new"
cd "$base/new"
mount -t proc none proc
mount --bind proc/sys proc/sys && mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro none sys
mount -t tmpfs -o mode=755 none run
mount -t tmpfs -o mode=755 none dev
for node in null:3 zero:5 full:7 random:8 urandom:9; do mknod -m 666 "dev/${node%:*}" c 1 "${node#*:}"; done
mkdir dev/pts dev/shm && mount -t devpts -o newinstance,ptmxmode=666 none dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t tmpfs none dev/shm
mkdir -p sys/fs/cgroup && mount -t cgroup2 none sys/fs/cgroup
# This machine's services are not started again, nor is its hardware set up: only a journal.
rm -rf usr/lib/systemd/system/{sysinit,basic,local-fs,multi-user,sockets,timers}.target.wants etc/systemd/system/*.wants
mkdir -p usr/lib/systemd/system/sysinit.target.wants
ln -s ../systemd-journald.service usr/lib/systemd/system/sysinit.target.wants/
# Whether packages may start services is here a question of the package alone.
rm -f usr/sbin/policy-rc.d
: > etc/fstab
pivot_root . .
umount -l .
export container=stillage-test
exec /lib/systemd/systemd --system --unit=multi-user.target --show-status=no --log-target=journal
INIT

unshare --mount --pid --net --ipc --uts --cgroup --fork --kill-child bash "$base/init.sh" "$base" </dev/null &
namespaces=$!
until init=$(cat "/proc/$namespaces/task/$namespaces/children" 2>/dev/null) && [ -n "$init" ]; do kill -0 "$namespaces"; sleep 0.05; done
# Ready to be asked.
until [ -S "/proc/${init// /}/root"/run/systemd/private ]; do kill -0 "$namespaces"; sleep 0.05; done
echo "${init// /} /proc/$$/root$base/upper"
cat >/dev/null || true
kill -KILL "$namespaces" 2>/dev/null || true
wait "$namespaces" 2>/dev/null || true
# Whoever waits for the end may rely on nothing being left.
echo $$ > "$base/cgroup/cgroup.procs"
until find "$group" -depth -type d -exec rmdir {} + 2>/dev/null; do sleep 0.05; done
