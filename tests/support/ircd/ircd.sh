#!/bin/sh
# Starts a real IRC server from Debian's packages on 127.0.0.1, for tests.
#   ircd.sh start KIND DIR         DIR is made, and must be empty. KIND: inspircd, inspircd-atheme,
#                                  inspircd-anope (with services), ngircd, hybrid
#   ircd.sh kill DIR               kill -9 of the server, as a power cut would
#   ircd.sh restart DIR            ends it where it still runs, and starts it again on the same ports
#   ircd.sh stop-services DIR      returns when the server has seen them leave
#   ircd.sh start-services DIR
#   ircd.sh stop DIR
# When start or restart returns 0 the server answers on PORT, and over TLS on TLSPORT, and its
# services are linked. DIR/env holds KIND, PORT, TLSPORT, LINKPORT, CA and FINGERPRINT, for
# `. DIR/env`, and the credentials of a client that may be used for an account: CLIENT_PEM (a
# certificate and its key), CLIENT_FINGERPRINT (its SHA-256) and ECDSA_KEY.
# Environment: PINGFREQ (seconds of silence after which the server sends PING, 600), PASSWORD
# (what clients must give with PASS; none), STS (InspIRCd advertises its TLS port for as long,
# `60s`; it does not).
# Operators: OPER oper operpass.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
hybrid=/opt/ebb-tests/ircd-hybrid # where packages.sh unpacks it

die() {
	echo "ircd.sh: $*" >&2
	[ -z "${starting:-}" ] || stop KILL
	exit 1
}

make_certs() {
	ec='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
	(
		cd "$dir"
		openssl req -x509 $ec -days 30 -subj '/CN=ebb test CA' -keyout ca.key -out ca.crt
		openssl req $ec -subj '/CN=localhost' -keyout server.key -out server.csr
		printf 'subjectAltName=DNS:localhost,DNS:irc.test,IP:127.0.0.1\n' > server.ext
		openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial \
			-days 30 -extfile server.ext -out server.crt
		openssl req -x509 $ec -days 30 -subj '/CN=client' -keyout client.key -out client.crt
		cat client.crt client.key > client.pem
		openssl ecparam -name prime256v1 -genkey -noout -out ecdsa.pem
	) > "$dir/openssl.log" 2>&1 || die "openssl failed, see $dir/openssl.log"
}

fingerprint() {
	openssl x509 -in "$1" -noout -fingerprint -sha256 | sed 's/.*=//; s/://g' | tr A-F a-f
}

fill() {
	password='' sts=''
	case $1:${PASSWORD:+given} in
	inspircd.conf:given) password="password=\"$PASSWORD\"" ;;
	ngircd.conf:given) password="Password = $PASSWORD" ;;
	hybrid.conf:given) password="password = \"$PASSWORD\"; encrypted = no;" ;;
	esac
	[ -z "${STS:-}" ] || sts="<module name=\"ircv3_sts\">\\
<sts host=\"*\" duration=\"$STS\" port=\"$tlsport\">"
	sed -e "s|@DIR@|$dir|g" -e "s|@PORT@|$port|g" -e "s|@TLSPORT@|$tlsport|g" \
		-e "s|@LINKPORT@|$linkport|g" -e "s|@PINGFREQ@|${PINGFREQ:-600}|g" \
		-e "s|@PASSWORD@|$password|g" -e "s|@STS@|$sts|g" -e "s|@HYBRID@|$hybrid|g" \
		-e "s|@UID@|$uid|g" -e "s|@GID@|$gid|g" "$here/$1.in" > "$dir/$1"
}

# launch NAME PROBE COMMAND...: in the background, output and process id into DIR; returns when
# probe.py, with those words, says so. The servers refuse to run as root, or drop it: as root, run
# them as `irc`, a user that every Debian system has.
launch() {
	name=$1 probe=$2
	shift 2
	[ -x "$1" ] || die "$1 is not installed"
	[ "$(id -u)" != 0 ] || set -- setpriv --reuid=irc --regid=irc --clear-groups "$@"
	setsid "$@" > "$dir/$name.out" 2>&1 < /dev/null &
	echo $! > "$dir/$name.started"
	wait_for $probe
}

wait_for() {
	n=0
	until python3 "$here/probe.py" "$@"; do
		for pid in "$dir"/*.started; do
			kill -0 "$(cat "$pid")" 2> /dev/null || {
				cat "${pid%.started}.out" >&2
				die "$(basename "${pid%.started}") of $KIND ended"
			}
		done
		n=$((n + 1))
		[ $n -lt 300 ] || die "probe.py $*: in vain"
		sleep 0.1
	done
}

launch_ircd() {
	probe="--port $port --tls-port $tlsport --ca $dir/ca.crt"
	case $KIND in
	inspircd*) launch ircd "$probe" /usr/sbin/inspircd --nofork --config "$dir/inspircd.conf" ;;
	ngircd) launch ircd "$probe" /usr/sbin/ngircd -n -f "$dir/ngircd.conf" ;;
	hybrid)
		launch ircd "$probe" "$hybrid/usr/sbin/ircd-hybrid" -foreground \
			-configfile "$dir/hybrid.conf" -logfile "$dir/hybrid.log" \
			-pidfile "$dir/hybrid.pid" -klinefile "$dir/kline.db" \
			-dlinefile "$dir/dline.db" -xlinefile "$dir/xline.db" \
			-resvfile "$dir/resv.db"
		;;
	esac
}

launch_services() {
	case $KIND in
	*-atheme)
		launch services "--port $port --sasl" /usr/bin/atheme-services -n \
			-c "$dir/atheme.conf" -D "$dir" -p "$dir/atheme.pid" -l "$dir/atheme.log"
		;;
	*-anope)
		launch services "--port $port --sasl" /usr/sbin/anope --nofork \
			--confdir="$dir/anope" --dbdir="$dir" --logdir="$dir" \
			--modulesdir=/usr/lib/anope --localedir=/usr/share/anope/locale
		;;
	esac
}

start() {
	KIND=$1 dir=$2
	mkdir -p "$dir"
	dir=$(cd "$dir" && pwd)
	[ -z "$(ls -A "$dir")" ] || die "$dir is not empty"
	starting=1
	set -- $(python3 "$here/probe.py" --free-ports 3)
	port=$1 tlsport=$2 linkport=$3
	uid=$(id -un) gid=$(id -gn)
	[ "$(id -u)" != 0 ] || uid=irc gid=irc
	make_certs
	case $KIND in
	inspircd | inspircd-atheme | inspircd-anope) fill inspircd.conf ;;
	ngircd | hybrid) fill "$KIND.conf" ;;
	*) die "no such kind: $KIND" ;;
	esac
	case $KIND in
	*-atheme) fill atheme.conf ;;
	*-anope)
		mkdir "$dir/anope"
		fill anope.conf
		mv "$dir/anope.conf" "$dir/anope/services.conf"
		: > "$dir/anope.motd"
		;;
	esac
	chmod 755 "$dir"
	if [ "$(id -u)" = 0 ]; then chown -R irc:irc "$dir"; fi
	cat > "$dir/env" <<-EOT
		KIND=$KIND
		PORT=$port
		TLSPORT=$tlsport
		LINKPORT=$linkport
		CA=$dir/ca.crt
		FINGERPRINT=$(fingerprint "$dir/server.crt")
		CLIENT_PEM=$dir/client.pem
		CLIENT_FINGERPRINT=$(fingerprint "$dir/client.crt")
		ECDSA_KEY=$dir/ecdsa.pem
	EOT
	launch_ircd
	launch_services
}

# end NAME SIGNAL: only what launch started, whose command line names DIR
end() {
	[ -f "$dir/$1.started" ] || return 0
	pid=$(cat "$dir/$1.started")
	rm -f "$dir/$1.started"
	grep -qaF "$dir" "/proc/$pid/cmdline" 2> /dev/null || return 0
	kill "-$2" "$pid" 2> /dev/null || :
	n=0
	while kill -0 "$pid" 2> /dev/null && [ $n -lt 50 ]; do
		n=$((n + 1))
		sleep 0.1
	done
	kill -9 "$pid" 2> /dev/null || :
}

# stop SIGNAL
stop() {
	end services TERM
	end ircd "$1"
}

usage='usage: ircd.sh start KIND DIR | kill|restart|stop-services|start-services|stop DIR'
command=${1:-}
case $command:$# in
start:3)
	start "$2" "$3"
	exit
	;;
*:2) dir=$(cd "$2" && pwd) ;;
*) die "$usage" ;;
esac
[ "$command" = stop ] || . "$dir/env"
port=${PORT:-} tlsport=${TLSPORT:-}
case $command in
kill) end ircd KILL ;;
restart)
	starting=1
	stop KILL
	launch_ircd
	launch_services
	;;
stop-services)
	end services TERM
	wait_for --port "$port" --no-sasl
	;;
start-services) launch_services ;;
stop) stop TERM ;;
*) die "$usage" ;;
esac
