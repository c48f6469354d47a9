#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The Debian package under systemd, step by step as docs/install.md says: a Debian is booted in a container without a network, the
# package is installed, configured, started, reloaded, killed, upgraded, removed and purged.
#
#     tests/package/systemd.sh [SUITE...]     bookworm trixie; as root, three minutes each. `make deb-boot` runs it
#
# DEBS=FOLDER tests the packages in there (build/deb).
. "$(dirname "$0")/../lib.sh"
[ "$(id -u)" = 0 ] || skip_all "it boots a Debian: run it as root"
for tool in mmdebstrap systemd-nspawn; do
	command -v "$tool" >/dev/null || skip_all "$tool is not installed: apt-get install mmdebstrap systemd-container"
done
suites=("$@")
[ $# -gt 0 ] || suites=(bookworm trixie)

# Runs in the container, as a unit of its own; prints `WORD what it found`.
cat >"$T/inside" <<'END'
set -u
exec >/srv/out 2>/srv/err
export DEBIAN_FRONTEND=noninteractive HOME=/root
cd /srv
try() { local word=$1; shift; "$@" >>/srv/log 2>&1; echo "$word $?"; }
is() { systemctl is-active nowcast; }
settles() { local i; for i in $(seq 100); do [ "$(is)" = "$1" ] && break; sleep 0.2; done; is; } # STATE
answers() { local i; for i in $(seq 100); do curl -fsS -m 2 http://127.0.0.1:8321/healthz >/dev/null 2>&1 && break; sleep 0.2; done; try "$1" curl -fsS -m 2 http://127.0.0.1:8321/healthz; }
logged() { local i; for i in $(seq 50); do journalctl -u nowcast --no-pager -o cat | grep -q "$2" && break; sleep 0.2; done; echo "$1 $(journalctl -u nowcast --no-pager -o cat | grep -c "$2")"; }
pid() { systemctl show -p MainPID --value nowcast; }
list() { find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /run -o -path /srv -o -path /root -o -path /var/lib/dpkg -o -path /var/lib/apt -o -path /var/lib/systemd -o -path /var/lib/redis -o -path /var/cache -o -path /var/log \) -prune -o -print | sort; }
list >before

try installed apt-get -qq -y install --no-install-recommends ./old/nowcast.deb
echo "enabled $(systemctl is-enabled nowcast)"
echo "started $(is)"
redis-cli config set requirepass topsecret >/dev/null
printf '%s\n' 'brokers = 127.0.0.1:1' 'topics = cloudtrail' 'listen = 127.0.0.1:8321' 'dead_letter.file = /var/lib/nowcast/dead.ndjson' >>/etc/nowcast/nowcast.conf
install -m 600 /dev/null /etc/nowcast/secrets.conf
echo 'redis = redis://:topsecret@127.0.0.1:6379' >>/etc/nowcast/secrets.conf
try checked nowcast check-config --config /etc/nowcast/nowcast.conf --secrets.file /etc/nowcast/secrets.conf
try enable systemctl enable --now nowcast
echo "runs $(settles active)"
answers healthy
echo "privileges $(ps -o user= -p "$(pid)") $(grep -E '^(CapEff|NoNewPrivs):' "/proc/$(pid)/status" | awk '{ print $2 }' | paste -sd' ')"
echo "schema $(redis-cli -a topsecret --no-auth-warning get nowcast:schema)"
nowcast doctor --config /etc/nowcast/nowcast.conf --secrets.file /etc/nowcast/secrets.conf >doctor 2>&1
echo "doctor $(grep -cE '^(ok|OK) +redis' doctor)"
before=$(pid)
echo '# changed' >>/etc/nowcast/nowcast.conf
try reload systemctl reload nowcast
logged reloaded 'configuration read again'
systemctl kill -s USR1 --kill-whom=main nowcast
logged stats msg=stats
echo "same $([ "$(pid)" = "$before" ] && echo yes)"
systemctl kill -s KILL --kill-whom=main nowcast
sleep 1
echo "again $(settles active) $([ "$(pid)" != "$before" ] && echo other)"

before=$(pid)
try upgraded apt-get -qq -y install --no-install-recommends ./new/nowcast.deb
echo "version $(dpkg-query -W -f '${Version}' nowcast)"
echo "restarted $(settles active) $([ "$(pid)" != "$before" ] && echo other) $(grep -c 'topics = cloudtrail$' /etc/nowcast/nowcast.conf)"
answers healthy-again
echo 'no.such.key = 1' >>/etc/nowcast/nowcast.conf
systemctl restart nowcast >>log 2>&1
sleep 7 # RestartSec is five seconds
echo "wrong $(is) $(systemctl show -p NRestarts --value nowcast)"
sed -i '/no.such.key/d' /etc/nowcast/nowcast.conf
systemctl reset-failed nowcast
systemctl start nowcast
echo "mended $(settles active)"

try removed apt-get -qq -y remove nowcast
echo "gone $(is) $(grep -c 'topics = cloudtrail$' /etc/nowcast/nowcast.conf)"
try purged apt-get -qq -y purge nowcast
list >after
echo "left $(diff before after | grep -c '^[<>]')"
diff before after >&2
for folder in /var/lib/nowcast /var/lib/private/nowcast /var/cache/nowcast /var/cache/private/nowcast /etc/nowcast; do [ ! -e $folder ] || echo "left-folder $folder"; done
journalctl -u nowcast --no-pager -o cat >journal
END
cat >"$T/boot.service" <<'END'
[Unit]
After=dbus.service redis-server.service systemd-logind.service
[Service]
Type=oneshot
ExecStart=/bin/bash /srv/inside
ExecStopPost=/bin/systemctl --no-block poweroff
TimeoutStartSec=240
[Install]
WantedBy=multi-user.target
END

package() { find "${DEBS:-build/deb}" -name "nowcast_*~deb$(awk -F, -v s="$1" '$3 == s { print $1 }' /usr/share/distro-info/debian.csv)_*.deb" | sort | tail -n 1; } # SUITE
said() { sed -n "s/^$1 //p" "$root/srv/out" | xargs; } # WORD
# The package, and one that differs by a later version, which an upgrade goes to.
make_two() { # SUITE
	mkdir -p "$T/$1.debs/old" "$T/$1.debs/new"
	cp "$(package "$1")" "$T/$1.debs/old/nowcast.deb"
	dpkg-deb -R "$T/$1.debs/old/nowcast.deb" "$T/$1.debs/unpacked"
	sed -i 's/^Version: .*/Version: 99/' "$T/$1.debs/unpacked/DEBIAN/control"
	dpkg-deb --root-owner-group -b "$T/$1.debs/unpacked" "$T/$1.debs/new/nowcast.deb" >/dev/null
	rm -rf "$T/$1.debs/unpacked"
}
for suite in "${suites[@]}"; do
	[ -n "$(package "$suite")" ] || { diag "no package for $suite in ${DEBS:-build/deb}: make deb SUITE=$suite"; continue; }
	root=$T/root-$suite
	ok "$suite: two packages" make_two "$suite"
	# What it depends on is installed beforehand: there is no network inside.
	ok "$suite: a root that boots" mmdebstrap --quiet --variant=minbase --include=systemd,systemd-sysv,dbus,redis-server,procps,curl,ca-certificates \
		--customize-hook="copy-in $T/$suite.debs/old $T/$suite.debs/new $T/inside /srv" --customize-hook="copy-in $T/boot.service /etc/systemd/system" \
		--customize-hook='chroot "$1" sh -c "apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends /srv/old/nowcast.deb && dpkg --purge nowcast && systemctl enable boot.service redis-server.service"' \
		"$suite" "$root"
	timeout 300 systemd-nspawn --quiet --directory="$root" --machine="nowcast-$$-$suite" --private-network --register=no --keep-unit --boot --console=pipe </dev/null >"$T/$suite.boot" 2>&1
	[ -s "$root/srv/out" ] || { tail -n 5 "$T/$suite.boot" | sed 's/^/# /'; bail "$suite does not boot in a container here"; }
	is "$suite: it installs, and is not started before it is configured" "$(said installed) $(said enabled) $(said started)" "0 disabled inactive"
	is "$suite: check-config has no complaint" "$(said checked)" 0
	is "$suite: systemd starts it and hears that it is ready" "$(said enable) $(said runs)" "0 active"
	is "$suite: it answers, and reaches Redis with the password of secrets.conf" "$(said healthy) $(said schema)" "0 3"
	has "$suite: under a user of its own, without privileges" "$(said privileges)" '^(nowcast|6[1-5][0-9]{3}) 0+ 1$' # a number, where no libnss-systemd knows the name
	ok "$suite: doctor reaches Redis as well" test "$(said doctor)" -gt 0
	is "$suite: reload and USR1" "$(said reload) $(said same)" "0 yes"
	has "$suite: both are in the journal" "$(said reloaded) $(said stats)" '^[1-9][0-9]* [1-9][0-9]*$'
	is "$suite: killed, it is started anew" "$(said again)" "active other"
	is "$suite: an upgrade restarts it with its configuration" "$(said upgraded) $(said version) $(said restarted) $(said healthy-again)" "0 99 active other 1 0"
	is "$suite: with a wrong configuration it is not tried again" "$(said wrong)" "failed 0"
	is "$suite: mended, it runs" "$(said mended)" active
	is "$suite: removal ends it and keeps the configuration" "$(said removed) $(said gone)" "0 inactive 1"
	is "$suite: nothing outlives purging" "$(said purged) $(said left)$(said left-folder)" "0 0" || tail -n 5 "$root/srv/err" | sed 's/^/# /'
	[ -z "${KEEP:-}" ] || cp -r "$root/srv" "$T/srv-$suite"
	rm -rf "$root"
done
finish
