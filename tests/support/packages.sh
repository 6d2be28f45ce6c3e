#!/bin/sh
# packages.sh NAME...: installs those Debian packages that are missing, as root or through sudo;
# where it may not, it ends with the command to type.
set -eu

missing=
for package; do
	dpkg-query -W -f '${db:Status-Status}\n' "$package" 2> /dev/null | grep -qx installed ||
		missing="$missing $package"
done
[ -n "$missing" ] || exit 0

install="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" = 0 ]; then
	as_root=env
elif sudo -n true 2> /dev/null || { [ -t 0 ] && command -v sudo > /dev/null; }; then
	as_root=sudo
else
	echo "missing packages; please run as root: apt-get update && $install" >&2
	exit 1
fi
echo "installing:$missing"
$as_root apt-get update -q
$as_root env DEBIAN_FRONTEND=noninteractive $install
