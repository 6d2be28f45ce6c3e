#!/bin/sh
# floors.sh: a file under src/ includes headers of its own folder and of lower floors, nothing
# else, and lua.h stays within src/script.
set -u

floor() {
	case $1 in
	base) echo 0 ;;
	net | irc | sim | store | ctl) echo 1 ;;
	script) echo 2 ;;
	daemon) echo 3 ;;
	*) echo 4 ;;
	esac
}

# uses FOLDER: what it may include besides: a folder of the same floor, or the library's own header
uses() {
	case $1 in
	sim) echo irc ;;
	daemon) echo ebb.h ;;
	esac
}

bad=0
for file in src/*/*.[ch]; do
	own=$(basename "$(dirname "$file")")
	for header in $(sed -n 's/^#include "\([^"]*\)".*/\1/p' "$file"); do
		other=${header%%/*}
		[ "$own" = "$other" ] && continue
		[ "$(uses "$own")" = "$other" ] && continue
		if [ "$(floor "$other")" -ge "$(floor "$own")" ]; then
			echo "$file: includes $header, which is not on a lower floor"
			bad=1
		fi
	done
	if [ "$own" != script ] && grep -nE '#include <(lua|lauxlib|lualib)\.h>' "$file"; then
		echo "$file: only src/script includes Lua"
		bad=1
	fi
done
for file in src/base/*.[ch] src/irc/*.[ch]; do
	if grep -nE '#include <(ev|ares|sys/socket|openssl/ssl)\.h>' "$file"; then
		echo "$file: no I/O on this floor"
		bad=1
	fi
done
[ $bad = 0 ] && echo "floors: ok"
exit $bad
