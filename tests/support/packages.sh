#!/bin/sh
# packages.sh NAME... [-- NAME...]: installs those Debian packages that are missing; those after --,
# which conflict with one of the others, are unpacked into /opt/ebb-tests/NAME instead, with a link in
# /usr/lib, where their programs look for their modules. As root or through sudo; where it may not,
# it ends with the commands to type.
set -eu
unpacked=/opt/ebb-tests

missing= commands='apt-get update -q'
while [ $# != 0 ] && [ "$1" != -- ]; do
	dpkg-query -W -f '${db:Status-Status}\n' "$1" 2> /dev/null | grep -qx installed ||
		missing="$missing $1"
	shift
done
[ -z "$missing" ] || commands="$commands &&
DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends$missing"
[ $# = 0 ] || shift

for package; do
	[ ! -d "$unpacked/$package" ] || [ ! -e "/usr/lib/$package" ] || continue
	missing="$missing $package"
	new=$unpacked/.$package # moved when it is whole
	commands="$commands &&
rm -rf $new && install -d -m 755 $unpacked $new && cd $new &&
apt-get download -q -o APT::Sandbox::User=root $package && dpkg -x ${package}_*.deb . &&
rm ${package}_*.deb && rm -rf $unpacked/$package && mv $new $unpacked/$package &&
{ [ -e /usr/lib/$package ] || ln -s $unpacked/$package/usr/lib/$package /usr/lib/$package; }"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
	as_root=
elif sudo -n true 2> /dev/null || { [ -t 0 ] && command -v sudo > /dev/null; }; then
	as_root=sudo
else
	printf 'missing packages:%s; please run as root:\n%s\n' "$missing" "$commands" >&2
	exit 1
fi
echo "installing:$missing"
$as_root sh -c "$commands"
