#!/bin/sh
# Starts a real IRC server from Debian's packages on 127.0.0.1, for tests.
#   ircd.sh start KIND DIR    KIND: inspircd, ngircd. DIR is made, and must be empty.
#   ircd.sh kill DIR          kill -9, as a power cut would
#   ircd.sh restart DIR       ends it where it still runs, and starts it again on the same ports
#   ircd.sh stop DIR
# When start or restart returns 0 the server answers on PORT, and over TLS on TLSPORT. DIR/env
# holds KIND, PORT, TLSPORT, CA and FINGERPRINT, for `. DIR/env`.
# Environment: PINGFREQ (seconds of silence after which the server sends PING, 600), PASSWORD
# (what clients must give with PASS; none).
set -eu
here=$(cd "$(dirname "$0")" && pwd)

die() {
	echo "ircd.sh: $*" >&2
	[ -z "${starting:-}" ] || end KILL
	exit 1
}

make_certs() {
	(
		cd "$dir"
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
			-subj '/CN=ebb test CA' -keyout ca.key -out ca.crt
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
			-subj '/CN=localhost' -keyout server.key -out server.csr
		printf 'subjectAltName=DNS:localhost,DNS:irc.test,IP:127.0.0.1\n' > server.ext
		openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial \
			-days 30 -extfile server.ext -out server.crt
	) > "$dir/openssl.log" 2>&1 || die "openssl failed, see $dir/openssl.log"
}

fingerprint() {
	openssl x509 -in "$1" -noout -fingerprint -sha256 | sed 's/.*=//; s/://g' | tr A-F a-f
}

fill() {
	password=
	case $1 in
	inspircd.conf) [ -z "${PASSWORD:-}" ] || password="password=\"$PASSWORD\"" ;;
	ngircd.conf) [ -z "${PASSWORD:-}" ] || password="Password = $PASSWORD" ;;
	esac
	sed -e "s|@DIR@|$dir|g" -e "s|@PORT@|$port|g" -e "s|@TLSPORT@|$tlsport|g" \
		-e "s|@PINGFREQ@|${PINGFREQ:-600}|g" -e "s|@PASSWORD@|$password|g" \
		-e "s|@UID@|$uid|g" -e "s|@GID@|$gid|g" "$here/$1.in" > "$dir/$1"
}

# In the background, output and process id into DIR. The servers refuse to run as root, or drop
# it: as root, run them as `irc`, a user that every Debian system has.
launch() {
	case $KIND in
	inspircd) set -- /usr/sbin/inspircd --nofork --config "$dir/inspircd.conf" ;;
	ngircd) set -- /usr/sbin/ngircd -n -f "$dir/ngircd.conf" ;;
	esac
	[ -x "$1" ] || die "$1 is not installed"
	[ "$(id -u)" != 0 ] || set -- setpriv --reuid=irc --regid=irc --clear-groups "$@"
	setsid "$@" > "$dir/ircd.out" 2>&1 < /dev/null &
	echo $! > "$dir/ircd.pid"
	n=0
	until python3 "$here/probe.py" --port "$port" --tls-port "$tlsport" --ca "$dir/ca.crt"; do
		kill -0 "$(cat "$dir/ircd.pid")" 2> /dev/null || {
			cat "$dir/ircd.out" >&2
			die "$KIND ended"
		}
		n=$((n + 1))
		[ $n -lt 300 ] || die "no answer on port $port"
		sleep 0.1
	done
}

start() {
	KIND=$1 dir=$2
	case $KIND in
	inspircd | ngircd) ;;
	*) die "no such kind: $KIND" ;;
	esac
	mkdir -p "$dir"
	dir=$(cd "$dir" && pwd)
	[ -z "$(ls -A "$dir")" ] || die "$dir is not empty"
	starting=1
	set -- $(python3 "$here/probe.py" --free-ports 2)
	port=$1 tlsport=$2
	uid=$(id -un) gid=$(id -gn)
	[ "$(id -u)" != 0 ] || uid=irc gid=irc
	make_certs
	fill "$KIND.conf"
	chmod 755 "$dir"
	if [ "$(id -u)" = 0 ]; then chown -R irc:irc "$dir"; fi
	cat > "$dir/env" <<-EOT
		KIND=$KIND
		PORT=$port
		TLSPORT=$tlsport
		CA=$dir/ca.crt
		FINGERPRINT=$(fingerprint "$dir/server.crt")
	EOT
	launch
}

# end SIGNAL: only what launch started, whose command line names DIR
end() {
	[ -f "$dir/ircd.pid" ] || return 0
	pid=$(cat "$dir/ircd.pid")
	rm -f "$dir/ircd.pid"
	grep -qaF "$dir" "/proc/$pid/cmdline" 2> /dev/null || return 0
	kill "-$1" "$pid" 2> /dev/null || :
	n=0
	while kill -0 "$pid" 2> /dev/null && [ $n -lt 50 ]; do
		n=$((n + 1))
		sleep 0.1
	done
	kill -9 "$pid" 2> /dev/null || :
}

restart() {
	. "$dir/env"
	port=$PORT tlsport=$TLSPORT starting=1
	end KILL
	launch
}

usage='usage: ircd.sh start KIND DIR | kill DIR | restart DIR | stop DIR'
command=${1:-}
case $command:$# in
start:3)
	start "$2" "$3"
	exit
	;;
kill:2 | restart:2 | stop:2) dir=$(cd "$2" && pwd) ;;
*) die "$usage" ;;
esac
case $command in
kill) end KILL ;;
restart) restart ;;
stop) end TERM ;;
esac
