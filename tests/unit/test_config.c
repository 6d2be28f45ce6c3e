#include "daemon/config.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "support/certs.h"
#include "support/check.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Every test runs in a folder of its own process, with these files beside ebb.ini, and those of
 * write_keys. */
static const char *const files[] = {
	"karma.lua", "ca.pem", "example-ca.pem", "lib/tell.lua", "lib/quiz/init.lua"};

static char *root; /* the folder of the sources */

static void write_bytes(const char *path, struct str bytes)
{
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes.p, 1, bytes.n, f), bytes.n);
	assert_int_equal(fclose(f), 0);
}

static void write_file(const char *path, const char *text)
{
	write_bytes(path, str_of(text));
}

static struct buf read_file(const char *path)
{
	struct buf b;
	buf_init(&b, 1 << 20);
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	char *end = buf_reserve(&b, 1 << 16);
	buf_commit(&b, fread(end, 1, 1 << 16, f));
	fclose(f);
	return b;
}

static struct config *accept(const char *text)
{
	struct buf errors;
	struct config *c = NULL;
	buf_init(&errors, 1 << 16);
	write_file("ebb.ini", text);
	int r = config_load("ebb.ini", &c, &errors);
	assert_string_equal(buf_str(&errors).p, "");
	assert_int_equal(r, 0);
	assert_non_null(c);
	buf_fini(&errors);
	return c;
}

/* Each line of expected is one of the errors, without "ebb.ini:" in front. */
static void refuse_file(const char *expected)
{
	struct buf errors;
	struct config *c = NULL;
	buf_init(&errors, 1 << 16);

	int r = config_load("ebb.ini", &c, &errors);

	struct str rest = buf_str(&errors), wanted = str_of(expected);
	while (wanted.p) {
		struct str line = str_cut(&rest, '\n');
		char *text = str_dup(str_cut(&wanted, '\n'));
		assert_true(str_starts(line, STR("ebb.ini:")));
		assert_slice(str_skip(line, strlen("ebb.ini:")), text);
		free(text);
	}
	assert_slice(rest, "");
	assert_int_equal(r, ERR_CONFIG);
	assert_null(c);
	buf_fini(&errors);
}

#define X10   "xxxxxxxxxx"
#define X50   X10 X10 X10 X10 X10
#define X190  X50 X50 X50 X10 X10 X10 X10
#define X187  X50 X50 X50 X10 X10 X10 "xxxxxxx"
#define NET   "[network n]\nhost = h\nnick = x\n"  /* lines 1 to 3 */
#define KARMA "[script karma]\nfile = karma.lua\n" /* lines 1 and 2 */
#define HEX   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

#define INDENTED                                                                        \
	"the line is indented, as one that continues the value above; begin it in the " \
	"first column"
#define INDENTED_BELOW_NOTHING                                                             \
	"the line is indented, as one that continues the value above, and there is none; " \
	"begin it in the first column"
#define NOT_TEXT "the line holds a NUL, a carriage return or a form feed; the file must be text"
#define NO_KEY   "what stands before \"=\" is no key: 1 to 49 of the letters, the digits and _ - ."
#define ONE_LINE "takes one line, and an indented line below continues it"
#define BAD_NAME                                                                           \
	"its name may hold letters, digits and _ - . only, and begins with a letter or a " \
	"digit"
#define NOT_A_NICK                                                                          \
	"is not a nick: no spaces, none of ! @ : * ? , . and no digit or one of # & $ + % " \
	"~ - in front"
#define NOT_A_HOST    "is not a host: write NAME, NAME:PORT or [ADDRESS]:PORT"
#define NOT_A_SIZE    "is not a size such as 500K, 64M or 1G"
#define NOT_A_CAP     "is not a capability: write NAME, or -NAME to refuse it"
#define NOT_MODES     "is not a change of modes such as +ix-w"
#define NO_TLS        "does nothing where tls = no; remove one of the two"
#define PROXY         NET "proxy = socks5h://" /* lines 1 to 4 */
#define PROXY_FILE    NET "proxy_file = "      /* lines 1 to 4 */
#define X255          X190 X50 X10 "xxxxx"
#define BAD_PROXY     "4: [network n] proxy: "
#define PROXY_FORMS   "; write socks5h://HOST:PORT or socks5h://USER:PASSWORD@HOST:PORT"
#define NO_PROXY_HOST BAD_PROXY "has no host behind socks5h://" PROXY_FORMS
#define NO_PROXY \
	BAD_PROXY "does not begin with socks5h://, the one kind of proxy there is" PROXY_FORMS
#define PROXY_LOGIN BAD_PROXY "its user and its password must have 1 to 255 bytes each"
#define PROXY_PORT  BAD_PROXY "its port is not within 1 and 65535"
#define PROXY_ESCAPE                                                                \
	BAD_PROXY "has a % that two hex digits other than 00 do not follow; write " \
		  "%25 for the sign itself"
#define NEEDS_PASSWORD "needs password; add password or password_file"
#define ECDSA          NET "sasl = ecdsa-nist256p-challenge\necdsa_key = " /* lines 1 to 5 */

/* Rows in the form of a call, for what they hold takes lines of its own. */
#define REFUSED(name, text, errors) \
	{                           \
		name, text, errors  \
	}
#define ACCEPTED(name, text, show, shown) \
	{                                 \
		name, text, show, shown   \
	}

static const struct refusal {
	const char *name, *text, *errors;
} refusals[] = {
	/* what inih would do without a word */
	REFUSED("a line of 199 bytes", NET "realname = x" X187 "\n",
		"4: [network n] the line is longer than 198 bytes"),
	REFUSED("an indented line of 199 bytes", NET "channels = #a,\n        #" X190 "\n",
		"5: [network n] the line is longer than 198 bytes"),
	REFUSED("a section name of 50 bytes",
		"[network " X10 X10 X10 X10 "xx]\nhost = h\nnick = x\n",
		"1: [network " X10 X10 X10 X10 "xx] the section name is longer than 49 bytes"),
	REFUSED("a key of 50 bytes", KARMA X50 " = 1\n  2\n", "3: [script karma] " NO_KEY),
	REFUSED("a section without keys", "[network n]\n",
		"1: [network n] host: is missing; add a line host = ...\n"
		"1: [network n] nick: is missing; add a line nick = ..."),
	REFUSED("a continuation that begins with #", NET "channels = a,\n\t#b c d\n",
		"4: [network n] channels: a is not a channel: it must begin with # & + or !\n"
		"4: [network n] channels: too much follows #b: separate channels by commas"),
	REFUSED("a line without =", NET "autoconnect\n",
		"4: [network n] the line has no \"=\"; write KEY = VALUE"),
	REFUSED("a second line without =", NET "autoconnect\nfoo\n",
		"4: [network n] the line has no \"=\"; write KEY = VALUE\n"
		"5: [network n] the line has no \"=\"; write KEY = VALUE"),
	REFUSED("a colon in place of =", NET "port: 6697\n",
		"4: [network n] the line has no \"=\"; write KEY = VALUE"),
	REFUSED("a colon within a key", NET "po:rt = 6697\n", "4: [network n] " NO_KEY),
	REFUSED("no key before =", NET "= 1\n", "4: [network n] " NO_KEY),
	REFUSED("an indented known key", NET " port = 6697\n", "4: [network n] " INDENTED),
	REFUSED("an indented known key of a file", NET "\tserver_password_file=x\n",
		"4: [network n] " INDENTED),
	REFUSED("an indented commented key", NET "channels = #a\n  #tls=no\n",
		"5: [network n] " INDENTED),
	REFUSED("an indented line below a header", "[network n]\n  host = h\nhost = h\nnick = x\n",
		"2: [network n] " INDENTED_BELOW_NOTHING),
	REFUSED("an indented header", NET "  [script karma]\nfile = nope.lua\n",
		"4: [script karma] the section header is indented; begin it in the first column\n"
		"5: [script karma] file: nope.lua: No such file or directory"),
	REFUSED("an empty value", NET "alt_nicks =\n",
		"4: [network n] alt_nicks: is empty; give it a value or remove the line"),
	REFUSED("a value that is a comment", NET "alt_nicks = ; none\n",
		"4: [network n] alt_nicks: is empty; give it a value or remove the line"),
	REFUSED("an empty required value", "[network n]\nhost =\nnick = x\n",
		"2: [network n] host: is empty; give it a value or remove the line"),
	REFUSED("an empty value of a script", "[script karma]\nfile = karma.lua\ngreeting =\n",
		"3: [script karma] greeting: is empty; give it a value or remove the line"),
	REFUSED("a key before the first section", "nick = x\n  more\n[daemon]\n",
		"1: nick: stands before the first section header"),
	REFUSED("a header without ]", "[daemon\nlog_level = loud\n",
		"1: [daemon] the section header has no closing ]\n"
		"2: [daemon] log_level: loud is not one of: error warning info debug trace"),
	REFUSED("a pair behind a header", "[daemon] log_level = info\n",
		"1: [daemon] something follows the section header; give it a line of its own"),
	REFUSED("an empty header", "[ ]\n", "1: the section header is empty"),
	REFUSED("a carriage return within a line", NET "user = a\rb\n", "4: [network n] " NOT_TEXT),
	REFUSED("a form feed", NET "user = a\f;b\n", "4: [network n] " NOT_TEXT),
	REFUSED("a continued value that was refused", NET "po:rt = 1\n  2\n  3\ntls = maybe\n",
		"4: [network n] " NO_KEY "\n7: [network n] tls: maybe is neither yes nor no"),

	/* sections and keys */
	REFUSED("an unknown section", "[role admin]\naccounts = alice\n",
		"1: [role admin] is unknown; there are [daemon], [network NAME] and [script NAME]"),
	REFUSED("a mistyped section", "[netwrok n]\n",
		"1: [netwrok n] is unknown; do you mean network?"),
	REFUSED("a section in capitals", "[Daemon]\n",
		"1: [Daemon] is unknown; do you mean daemon?"),
	REFUSED("a section twice", NET "[network n]\nport = 0\n",
		"4: [network n] begins in line 1 already; put the keys together there\n"
		"5: [network n] port: 0 is not within 1 and 65535"),
	REFUSED("a section twice, spaced otherwise", NET "[network  n ]\n",
		"4: [network n] begins in line 1 already; put the keys together there"),
	REFUSED("a daemon with a name", "[daemon x]\n",
		"1: [daemon x] takes no name; write [daemon]"),
	REFUSED("a network without a name", "[network]\nhost = h\nnick = x\n",
		"1: [network] has no name; write [network NAME]"),
	REFUSED("a name with a space", "[network a b]\nhost = h\nnick = x\n",
		"1: [network a b] " BAD_NAME),
	REFUSED("a name with a slash", "[script ../karma]\nfile = karma.lua\n",
		"1: [script ../karma] " BAD_NAME),
	REFUSED("a name that begins with a dot", "[script ..]\nfile = karma.lua\n",
		"1: [script ..] " BAD_NAME),
	REFUSED("an unknown key", NET "charset = latin1\n",
		"4: [network n] charset: is unknown; ebb.ini(5) lists the keys"),
	REFUSED("a mistyped key", NET "prot = 6697\n",
		"4: [network n] prot: is unknown; do you mean port?"),
	REFUSED("a mistyped key of a file", NET "server_pasword_file = x\n",
		"4: [network n] server_pasword_file: is unknown; do you mean server_password_file?"),
	REFUSED("a key in capitals", NET "Port = 6697\n",
		"4: [network n] Port: is unknown; do you mean port?"),
	REFUSED("a key of another section", NET "log_level = info\n",
		"4: [network n] log_level: is unknown; ebb.ini(5) lists the keys"),
	REFUSED("a file for what is no secret", NET "user_file = x\n",
		"4: [network n] user_file: is unknown; ebb.ini(5) lists the keys"),
	REFUSED("a key twice", NET "port = 1\nport = 2\n",
		"5: [network n] port: stands in line 4 already; keep one of the two"),
	REFUSED("a script's own key twice", "[script karma]\nfile = karma.lua\na = 1\na = 2\n",
		"4: [script karma] a: stands in line 3 already; keep one of the two"),
	REFUSED("a required key is missing", "[network n]\nnick = x\n",
		"1: [network n] host: is missing; add a line host = ..."),

	/* values */
	REFUSED("a port of 0", NET "port = 0\n",
		"4: [network n] port: 0 is not within 1 and 65535"),
	REFUSED("a port too high", NET "port = 99999\n",
		"4: [network n] port: 99999 is not within 1 and 65535"),
	REFUSED("a port in words", NET "port = ircs\n",
		"4: [network n] port: ircs is not a whole number"),
	REFUSED("a port too high for any type", NET "port = 99999999999999999999\n",
		"4: [network n] port: 99999999999999999999 is not a whole number"),
	REFUSED("a whole number with a point", NET "queue_max = 1.5\n",
		"4: [network n] queue_max: 1.5 is not a whole number"),
	REFUSED("a value of two lines", NET "port = 66\n  97\n", "4: [network n] port: " ONE_LINE),
	REFUSED("a text of two lines", NET "realname = a\n  bot\n",
		"4: [network n] realname: " ONE_LINE),
	REFUSED("a secret of two lines", NET "server_password = a\n  b\n",
		"4: [network n] server_password: " ONE_LINE),
	REFUSED("a boolean in doubt", NET "tls = maybe\n",
		"4: [network n] tls: maybe is neither yes nor no"),
	REFUSED("a boolean in digits", NET "tls = 1\n",
		"4: [network n] tls: 1 is neither yes nor no"),
	REFUSED("no such choice", NET "register = later\n",
		"4: [network n] register: later is not one of: auto manual"),
	REFUSED("a choice in capitals", "[daemon]\nlog_level = INFO\n",
		"2: [daemon] log_level: INFO is not one of: error warning info debug trace"),
	REFUSED("a time of 0", NET "ping_timeout = 0\n",
		"4: [network n] ping_timeout: 0 is not within 0.1 and 86400"),
	REFUSED("a time with a unit", NET "ping_timeout = 30s\n",
		"4: [network n] ping_timeout: 30s is not a number such as 2 or 0.5"),
	REFUSED("a negative rate", NET "flood_rate = -1\n",
		"4: [network n] flood_rate: -1 is not a number such as 2 or 0.5"),
	REFUSED("a rate of no number", NET "flood_rate = nan\n",
		"4: [network n] flood_rate: nan is not a number such as 2 or 0.5"),
	REFUSED("a rate with a comma", NET "flood_rate = 0,5\n",
		"4: [network n] flood_rate: 0,5 is not a number such as 2 or 0.5"),
	REFUSED("a rate that ends in its point", NET "flood_rate = 2.\n",
		"4: [network n] flood_rate: 2. is not a number such as 2 or 0.5"),
	REFUSED("a rate too small", "[daemon]\ndial_rate = 0.01\n",
		"2: [daemon] dial_rate: 0.01 is not within 0.1 and 1000"),
	REFUSED("a host with two bad ports", "[network n]\nhost = a:0 b:70000 c\nnick = x\n",
		"2: [network n] host: the port of a:0 is not within 1 and 65535\n"
		"2: [network n] host: the port of b:70000 is not within 1 and 65535"),
	REFUSED("a host whose port is a word", "[network n]\nhost = h:irc\nnick = x\n",
		"2: [network n] host: h:irc " NOT_A_HOST),
	REFUSED("a host that is no name", "[network n]\nhost = irc://h/\nnick = x\n",
		"2: [network n] host: irc://h/ " NOT_A_HOST),
	REFUSED("an address that is none", "[network n]\nhost = 1:2:3\nnick = x\n",
		"2: [network n] host: 1:2:3 " NOT_A_HOST),
	REFUSED("an address in half a bracket", "[network n]\nhost = [::1\nnick = x\n",
		"2: [network n] host: [::1 " NOT_A_HOST),
	REFUSED("a name in brackets", "[network n]\nhost = [h]:1\nnick = x\n",
		"2: [network n] host: [h]:1 " NOT_A_HOST),
	REFUSED("something behind brackets", "[network n]\nhost = [::1]6697\nnick = x\n",
		"2: [network n] host: [::1]6697 " NOT_A_HOST),
	REFUSED("a host of signs", "[network n]\nhost = ♥.example\nnick = x\n",
		"2: [network n] host: ♥.example is not a host name: string contains a "
		"disallowed character"),
	REFUSED("a host that is no UTF-8", "[network n]\nhost = b\xfc.example:1\nnick = x\n",
		"2: [network n] host: b\xfc.example is not a host name: string encoding error"),
	REFUSED("a host with a sign for several", "[network n]\nhost = a℀.example\nnick = x\n",
		"2: [network n] host: a℀.example is not a host name: it stands for "
		"aa/c.example"),
	REFUSED("a local address that is none", NET "bind = eth0\n",
		"4: [network n] bind: eth0 is not an address such as 192.0.2.7 or 2001:db8::7"),
	REFUSED("a local address with a port", NET "bind = 192.0.2.7:80\n",
		"4: [network n] bind: 192.0.2.7:80 is not an address such as 192.0.2.7 or "
		"2001:db8::7"),
	REFUSED("a local address in brackets", NET "bind = [::1]\n",
		"4: [network n] bind: [::1] is not an address such as 192.0.2.7 or 2001:db8::7"),
	REFUSED("a family that is none", NET "family = inet6\n",
		"4: [network n] family: inet6 is not one of: any ipv4 ipv6"),
	REFUSED("a local address of IPv4 for IPv6", NET "bind = 192.0.2.7\nfamily = ipv6\n",
		"4: [network n] bind: 192.0.2.7 reaches no address of family = ipv6; remove one of "
		"the two"),
	REFUSED("a local address of IPv6 for IPv4", NET "family = ipv4\nbind = ::1\n",
		"5: [network n] bind: ::1 reaches no address of family = ipv4; remove one of the "
		"two"),
	REFUSED("hosts that are commas", "[network n]\nhost = ,\nnick = x\n",
		"2: [network n] host: names no host"),
	REFUSED("a nick with a space", "[network n]\nhost = h\nnick = a b\n",
		"3: [network n] nick: a b " NOT_A_NICK),
	REFUSED("a nick that begins with a digit", NET "alt_nicks = x_ 9x #x\n",
		"4: [network n] alt_nicks: 9x " NOT_A_NICK
		"\n4: [network n] alt_nicks: #x " NOT_A_NICK),
	REFUSED("a user with a space", NET "user = a b\n",
		"4: [network n] user: a b is not one word without @ ! :"),
	REFUSED("channels without a comma", NET "channels = #a #b\n",
		"4: [network n] channels: too much follows #a: separate channels by commas"),
	REFUSED("a channel with two keys", NET "channels = #a b c\n",
		"4: [network n] channels: too much follows #a: separate channels by commas"),
	REFUSED("a channel key with a colon", NET "channels = #a :b\n",
		"4: [network n] channels: the key of #a cannot be sent: it begins with a colon or "
		"holds control characters"),
	REFUSED("channels that are commas", NET "channels = , ,\n",
		"4: [network n] channels: names no channel"),
	REFUSED("a proxy that resolves no names", NET "proxy = socks5://h\n",
		BAD_PROXY "is socks5://, which has names resolved here; write socks5h://, for they "
			  "are resolved at the proxy"),
	REFUSED("a proxy of HTTP", NET "proxy = http://h:3128\n", NO_PROXY),
	REFUSED("a proxy without a scheme", NET "proxy = h:1080\n", NO_PROXY),
	REFUSED("a proxy without a host", PROXY "\n", NO_PROXY_HOST),
	REFUSED("a proxy with a port alone", PROXY ":1080\n", NO_PROXY_HOST),
	REFUSED("a proxy with a login alone", PROXY "bob:pass@\n", NO_PROXY_HOST),
	REFUSED("a proxy with a path", PROXY "h:1080/\n", NO_PROXY_HOST),
	REFUSED("a proxy of two words", PROXY "h g\n", NO_PROXY_HOST),
	REFUSED("a proxy with a bracket too few", PROXY "[::1\n", NO_PROXY_HOST),
	REFUSED("a proxy with a port that is none", PROXY "h:irc\n", NO_PROXY_HOST),
	REFUSED("a proxy with a host that is no name", PROXY "a\xff:1\n",
		BAD_PROXY "has no host name behind socks5h://" PROXY_FORMS),
	REFUSED("a proxy with port 0", PROXY "h:0\n", PROXY_PORT),
	REFUSED("a proxy with port 65536", PROXY "h:65536\n", PROXY_PORT),
	REFUSED("a proxy's user without a password", PROXY "bob@h\n", PROXY_LOGIN),
	REFUSED("a proxy's empty password", PROXY "bob:@h\n", PROXY_LOGIN),
	REFUSED("a proxy's empty user", PROXY ":pass@h\n", PROXY_LOGIN),
	REFUSED("a proxy's login of nothing", PROXY "@h\n", PROXY_LOGIN),
	REFUSED("a proxy's password too long", PROXY_FILE "long-proxy\n",
		"4: [network n] proxy_file: its user and its password must have 1 to 255 bytes "
		"each"),
	REFUSED("a proxy's NUL", PROXY "bob:pa%00ss@h\n", PROXY_ESCAPE),
	REFUSED("a proxy's escape without digits", PROXY "bob:pa%xx@h\n", PROXY_ESCAPE),
	REFUSED("a proxy's escape with one digit", PROXY "bob:pass%2@h\n", PROXY_ESCAPE),
	REFUSED("a proxy's escape at the end", PROXY "bo%:pass@h\n", PROXY_ESCAPE),
	REFUSED("a proxy of two lines", PROXY "h\n  g\n", BAD_PROXY ONE_LINE),
	REFUSED("a proxy and its file", PROXY "h\nproxy_file = a-proxy\n",
		"5: [network n] proxy_file: proxy in line 4 says it already; keep one of the two"),
	REFUSED("a proxy that is not there", PROXY_FILE "nope\n",
		"4: [network n] proxy_file: nope is not there"),
	REFUSED("a mistyped key of a proxy's file", NET "proxi_file = x\n",
		"4: [network n] proxi_file: is unknown; do you mean proxy_file?"),
	REFUSED("a fingerprint too short", NET "tls_fingerprint = " HEX " abcd\n",
		"4: [network n] tls_fingerprint: abcd is not a SHA-256 in 64 hex digits, nor spki: "
		"and one"),
	REFUSED("a fingerprint too long", NET "tls_fingerprint = " HEX "00\n",
		"4: [network n] tls_fingerprint: " HEX "00 is not a SHA-256 in 64 hex "
		"digits, nor spki: and one"),
	REFUSED("a fingerprint with a colon amid a byte", NET "tls_fingerprint = 0:1\n",
		"4: [network n] tls_fingerprint: 0:1 is not a SHA-256 in 64 hex digits, nor spki: "
		"and one"),
	REFUSED("a fingerprint without TLS", NET "tls = no\ntls_fingerprint = " HEX "\n",
		"5: [network n] tls_fingerprint: checks nothing where tls = no; remove one of the "
		"two"),
	REFUSED("a fingerprint where TLS is in doubt",
		NET "tls = maybe\ntls_fingerprint = " HEX "\nserver_password =\n",
		"4: [network n] tls: maybe is neither yes nor no\n"
		"6: [network n] server_password: is empty; give it a value or remove the line"),
	REFUSED("authorities without TLS", NET "tls_ca = ca.pem\ntls = no\n",
		"4: [network n] tls_ca: checks nothing where tls = no; remove one of the two"),
	REFUSED("authorities that are not there", NET "tls_ca = nope.pem\n",
		"4: [network n] tls_ca: nope.pem: No such file or directory"),
	REFUSED("authorities that are a folder", NET "tls_ca = lib\n",
		"4: [network n] tls_ca: lib: Is a directory"),
	REFUSED("a certificate without TLS",
		NET "tls = no\ntls_cert = cert.pem\ntls_key = key.pem\n",
		"5: [network n] tls_cert: " NO_TLS "\n6: [network n] tls_key: " NO_TLS),
	REFUSED("a key without a certificate", NET "tls_key = key.pem\n",
		"4: [network n] tls_key: does nothing without tls_cert; add it, or remove tls_key"),
	REFUSED("a key without a certificate and TLS", NET "tls_key = key.pem\ntls = no\n",
		"4: [network n] tls_key: " NO_TLS),
	REFUSED("a certificate that is not there", NET "tls_cert = nope.pem\ntls_key = nope.key\n",
		"4: [network n] tls_cert: nope.pem is not there\n"
		"5: [network n] tls_key: nope.key is not there"),
	REFUSED("a certificate that is a folder", NET "tls_cert = lib\n",
		"4: [network n] tls_cert: lib: is not a file"),
	REFUSED("a certificate that is a device", NET "tls_cert = /dev/zero\n",
		"4: [network n] tls_cert: /dev/zero: is not a file"),
	REFUSED("a certificate that is none", NET "tls_cert = key.pem\n",
		"4: [network n] tls_cert: key.pem: holds no certificate in PEM"),
	REFUSED("a certificate without its key", NET "tls_cert = cert.pem\n",
		"4: [network n] tls_cert: cert.pem: holds no private key in PEM"),
	REFUSED("a key that is none", NET "tls_key = ca.pem\ntls_cert = cert.pem\n",
		"4: [network n] tls_key: ca.pem: holds no private key in PEM"),
	REFUSED("a key that is not there", NET "tls_cert = cert.pem\ntls_key = nope.key\n",
		"5: [network n] tls_key: nope.key is not there"),
	REFUSED("the key of another certificate",
		NET "tls_cert = cert.pem\ntls_key = other-key.pem\n",
		"5: [network n] tls_key: other-key.pem: is not the key of cert.pem"),
	REFUSED("a key with a passphrase", NET "tls_cert = cert.pem\ntls_key = locked-key.pem\n",
		"5: [network n] tls_key: locked-key.pem: the key is locked with a passphrase; "
		"store it without"),

	/* the login */
	REFUSED("mechanisms that are unknown",
		NET "sasl = plian gssapi SCRAM-SHA-1 external\n"
		    "tls_cert = both.pem\n",
		"4: [network n] sasl: plian is unknown; do you mean plain?\n"
		"4: [network n] sasl: gssapi is unknown; ebb.ini(5) lists the mechanisms\n"
		"4: [network n] sasl: SCRAM-SHA-1 is unknown; do you mean scram-sha-512?"),
	REFUSED("a mechanism twice", NET "sasl = plain Plain\npassword = p\n",
		"4: [network n] sasl: Plain stands there twice"),
	REFUSED("mechanisms that are commas", NET "sasl = , ,\n",
		"4: [network n] sasl: names no mechanism"),
	REFUSED("a mechanism longer than all", NET "sasl = " X50 X50 "\n",
		"4: [network n] sasl: " X50 X50 " is unknown; ebb.ini(5) lists the mechanisms"),
	REFUSED("mechanisms without a password", NET "sasl = scram-sha-512 scram-sha-256 PLAIN\n",
		"4: [network n] sasl: scram-sha-512 " NEEDS_PASSWORD
		"\n4: [network n] sasl: scram-sha-256 " NEEDS_PASSWORD
		"\n4: [network n] sasl: plain " NEEDS_PASSWORD),
	REFUSED("a password that is not there", NET "sasl = plain\npassword_file = nope\n",
		"5: [network n] password_file: nope is not there"),
	REFUSED("a login by hand", NET "register = manual\nsasl = plain\npassword = p\n",
		"5: [network n] sasl: does nothing where register = manual; remove one of the two"),
	REFUSED("external without a certificate", NET "sasl = external\n",
		"4: [network n] sasl: external needs tls_cert; add it"),
	REFUSED("external without TLS", NET "sasl = external\ntls = no\n",
		"4: [network n] sasl: external needs tls; remove tls = no"),
	REFUSED("ecdsa without a key", NET "sasl = ecdsa-nist256p-challenge\npassword = p\n",
		"4: [network n] sasl: ecdsa-nist256p-challenge needs ecdsa_key; add it"),
	REFUSED("keys of a login without sasl",
		NET "account = a\npassword = p\necdsa_key = key.pem\nsasl_required = no\n",
		"4: [network n] account: does nothing without sasl; add sasl = scram-sha-256 plain, "
		"or remove it\n"
		"5: [network n] password: does nothing without sasl; add sasl = scram-sha-256 plain, "
		"or remove it\n"
		"6: [network n] ecdsa_key: does nothing without sasl; add sasl = "
		"ecdsa-nist256p-challenge, or remove it\n"
		"7: [network n] sasl_required: does nothing without sasl; add it, or remove "
		"sasl_required"),
	REFUSED("the file of a password without sasl", NET "password_file = secret.txt\n",
		"4: [network n] password_file: does nothing without sasl; add sasl = scram-sha-256 "
		"plain, or remove it"),
	REFUSED("an account of two words", NET "sasl = plain\npassword = p\naccount = a b\n",
		"6: [network n] account: a b is not one word without @ ! :"),
	REFUSED("sasl_required in doubt", NET "sasl = plain\npassword = p\nsasl_required = 1\n",
		"6: [network n] sasl_required: 1 is neither yes nor no"),
	REFUSED("an ecdsa key that is not there", ECDSA "nope\n",
		"5: [network n] ecdsa_key: nope is not there"),
	REFUSED("an ecdsa key that is a folder", ECDSA "lib\n",
		"5: [network n] ecdsa_key: lib: Is a directory"),
	REFUSED("an ecdsa key that is empty", ECDSA "ca.pem\n",
		"5: [network n] ecdsa_key: ca.pem holds nothing in PEM"),
	REFUSED("an ecdsa key that does not end", ECDSA "/dev/zero\n",
		"5: [network n] ecdsa_key: /dev/zero is longer than 65536 bytes"),
	REFUSED("an ecdsa key that is a certificate", ECDSA "cert.pem\n",
		"5: [network n] ecdsa_key: cert.pem holds no private key in PEM"),
	REFUSED("an ecdsa key of another curve", ECDSA "p384-key.pem\n",
		"5: [network n] ecdsa_key: p384-key.pem holds a key that is not of the curve NIST "
		"P-256"),
	REFUSED("an ecdsa key of another kind", ECDSA "ed25519-key.pem\n",
		"5: [network n] ecdsa_key: ed25519-key.pem holds a key that is not of the curve NIST "
		"P-256"),
	REFUSED("an ecdsa key with a passphrase", ECDSA "locked-key.pem\n",
		"5: [network n] ecdsa_key: locked-key.pem is locked with a passphrase; store it "
		"without"),
	REFUSED("capabilities that are none", NET "caps = ok - -- ~a a=b\n",
		"4: [network n] caps: - " NOT_A_CAP "\n4: [network n] caps: -- " NOT_A_CAP
		"\n4: [network n] caps: ~a " NOT_A_CAP "\n4: [network n] caps: a=b " NOT_A_CAP),
	REFUSED("capabilities twice", NET "caps = a -b -a b\n",
		"4: [network n] caps: a stands there twice\n"
		"4: [network n] caps: b stands there twice"),
	REFUSED("capabilities that have keys", NET "caps = sts -sasl\n",
		"4: [network n] caps: sts goes by the key sts\n"
		"4: [network n] caps: -sasl goes by the key sasl"),
	REFUSED("capabilities that are commas", NET "caps = ,\n",
		"4: [network n] caps: names no capability"),
	REFUSED("modes without a sign", NET "umodes = ix\n",
		"4: [network n] umodes: ix " NOT_MODES),
	REFUSED("modes that are signs", NET "umodes = +-\n",
		"4: [network n] umodes: +- " NOT_MODES),
	REFUSED("modes with a space", NET "umodes = +i x\n",
		"4: [network n] umodes: +i x " NOT_MODES),
	REFUSED("sts in doubt", NET "sts = maybe\n",
		"4: [network n] sts: maybe is neither yes nor no"),

	REFUSED("a state folder that is not there", "[daemon]\nstate_dir = nope\n",
		"2: [daemon] state_dir: nope: No such file or directory"),
	REFUSED("a state folder that is a file", "[daemon]\nstate_dir = ca.pem\n",
		"2: [daemon] state_dir: ca.pem: Not a directory"),
	REFUSED("a script path without a folder", "[daemon]\nscript_path = :\n",
		"2: [daemon] script_path: names no folder"),

	/* scripts */
	REFUSED("a script that is not there", "[script karma]\nfile = /nope/karma.lua\n",
		"2: [script karma] file: /nope/karma.lua: No such file or directory"),
	REFUSED("a script that is nowhere", "[daemon]\nscript_path = lib:/nope\n[script x]\n",
		"3: [script x] file: is not given, and there is none at lib/x.lua, "
		"lib/x/init.lua, /nope/x.lua, /nope/x/init.lua"),
	REFUSED("a script of an unknown network",
		NET "[script karma]\nfile = karma.lua\nnetworks = n m\n",
		"6: [script karma] networks: there is no section [network m]"),
	REFUSED("a script of a network twice",
		NET "[script karma]\nfile = karma.lua\nnetworks = n, n\n",
		"6: [script karma] networks: n stands there twice"),
	REFUSED("a key of a later version", KARMA "command_prefix = !\n",
		"3: [script karma] command_prefix: is reserved for a later version, and would do "
		"nothing; remove the line"),
	REFUSED("a size in words", KARMA "memory_max = lots\n",
		"3: [script karma] memory_max: lots " NOT_A_SIZE),
	REFUSED("a size of 0", KARMA "memory_max = 0\n",
		"3: [script karma] memory_max: 0 is not within 1M and 2G"),
	REFUSED("a size too small", KARMA "memory_max = 1023K\n",
		"3: [script karma] memory_max: 1023K is not within 1M and 2G"),
	REFUSED("a size too large", KARMA "memory_max = 3G\n",
		"3: [script karma] memory_max: 3G is not within 1M and 2G"),
	REFUSED("a size too large for any type", KARMA "memory_max = 9999999999999G\n",
		"3: [script karma] memory_max: 9999999999999G " NOT_A_SIZE),
	REFUSED("a size in an unknown unit", KARMA "memory_max = 1T\n",
		"3: [script karma] memory_max: 1T " NOT_A_SIZE),
	REFUSED("a size in two letters", KARMA "memory_max = 64MB\n",
		"3: [script karma] memory_max: 64MB " NOT_A_SIZE),
	REFUSED("a size with a space", KARMA "memory_max = 64 M\n",
		"3: [script karma] memory_max: 64 M " NOT_A_SIZE),
	REFUSED("a size with a point", KARMA "memory_max = 1.5G\n",
		"3: [script karma] memory_max: 1.5G " NOT_A_SIZE),
	REFUSED("a negative size", KARMA "memory_max = -64M\n",
		"3: [script karma] memory_max: -64M " NOT_A_SIZE),
	REFUSED("a unit alone", KARMA "memory_max = M\n",
		"3: [script karma] memory_max: M " NOT_A_SIZE),
	REFUSED("a trust in doubt", KARMA "trust = maybe\n",
		"3: [script karma] trust: maybe is not one of: restricted full"),
	REFUSED("a collector that there is not", KARMA "gc = fast\n",
		"3: [script karma] gc: fast is not one of: auto generational incremental"),
	REFUSED("debug in doubt", KARMA "debug = 2\n",
		"3: [script karma] debug: 2 is neither yes nor no"),
	REFUSED("no processor time", KARMA "cpu_max = 0\n",
		"3: [script karma] cpu_max: 0 is not within 0.05 and 8"),
	REFUSED("too much processor time", KARMA "cpu_max = 10\n",
		"3: [script karma] cpu_max: 10 is not within 0.05 and 8"),

	/* secrets */
	REFUSED("a script's password and its file",
		KARMA "password = x\npassword_file = secret.txt\n",
		"4: [script karma] password_file: line 3 says it already; keep one of the two"),
	REFUSED("the file of a script's password and itself",
		KARMA "password_file = secret.txt\npassword = x\n",
		"4: [script karma] password: line 3 says it already; keep one of the two"),
	REFUSED("a script's password that is not there", KARMA "password_file = nope\n",
		"3: [script karma] password_file: nope is not there"),
	REFUSED("a secret and its file", NET "server_password = a\nserver_password_file = secret\n",
		"5: [network n] server_password_file: server_password in line 4 says it already; "
		"keep one of the two"),
	REFUSED("a secret that is not there", NET "server_password_file = nope\n",
		"4: [network n] server_password_file: nope is not there"),
	REFUSED("a secret that is a folder", NET "server_password_file = lib\n",
		"4: [network n] server_password_file: lib: Is a directory"),
};

static void config_refuses(void **state)
{
	const struct refusal *row = *state;
	write_file("ebb.ini", row->text);
	refuse_file(row->errors);
}

typedef void show(const struct config *c, struct buf *out);

static void tell(struct buf *out, const char *fmt, ...) PRINTF(2, 3);
static void tell(struct buf *out, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	assert_int_equal(buf_addv(out, fmt, ap), 0);
	va_end(ap);
}

static void tell_names(const struct config_names *list, struct buf *out)
{
	for (size_t i = 0; i < list->n; i++)
		tell(out, "%s%s", i ? "|" : "", list->names[i]);
}

static void show_hosts(const struct config *c, struct buf *out)
{
	const struct config_hosts *list = &c->networks[0]->host;
	for (size_t i = 0; i < list->n; i++)
		tell(out, "%s%s %d", i ? "|" : "", list->hosts[i].name, list->hosts[i].port);
}

static void show_channels(const struct config *c, struct buf *out)
{
	const struct config_channels *list = &c->networks[0]->channels;
	for (size_t i = 0; i < list->n; i++)
		tell(out, "%s%s%s%s", i ? "|" : "", list->channels[i].name,
			list->channels[i].key ? " " : "",
			list->channels[i].key ? list->channels[i].key : "");
}

static void show_way(const struct config *c, struct buf *out)
{
	const struct config_network *n = c->networks[0];
	tell(out, "%s from %s, %d", n->host.hosts[0].ascii, n->bind ? n->bind : "-", n->family);
}

static void show_person(const struct config *c, struct buf *out)
{
	const struct config_network *n = c->networks[0];
	tell(out, "%s|%s|%s|", n->nick, n->user ? n->user : "-", n->realname ? n->realname : "-");
	tell_names(&n->alt_nicks, out);
}

static void show_pins(const struct config *c, struct buf *out)
{
	const struct config_pins *list = &c->networks[0]->tls_fingerprint;
	for (size_t i = 0; i < list->n; i++)
		tell(out, "%s%02x%02x..%02x ", list->pins[i].is_key ? "spki:" : "",
			list->pins[i].sha256[0], list->pins[i].sha256[1], list->pins[i].sha256[31]);
}

static void show_proxy(const struct config *c, struct buf *out)
{
	const struct config_proxy *p = &c->networks[0]->proxy;
	if (p->host)
		tell(out, "%s %d", p->host, p->port);
	else
		tell(out, "none");
	if (p->user)
		tell(out, " %s %s", p->user, p->password);
}

static void show_switches(const struct config *c, struct buf *out)
{
	const struct config_network *n = c->networks[0];
	tell(out, "tls %d verify %d autoconnect %d register %d", n->tls, n->tls_verify,
		n->autoconnect, n->registration);
}

static void show_pace(const struct config *c, struct buf *out)
{
	const struct config_network *n = c->networks[0];
	tell(out, "%d lines, %g a second, %d at most, %g", n->flood_burst, n->flood_rate,
		n->queue_max, c->daemon.dial_rate);
}

static void show_times(const struct config *c, struct buf *out)
{
	const struct config_network *n = c->networks[0];
	tell(out, "%lld %lld %lld %lld", (long long)(n->connect_timeout_ns / NS_PER_MS),
		(long long)(n->register_timeout_ns / NS_PER_MS),
		(long long)(n->ping_interval_ns / NS_PER_MS),
		(long long)(n->ping_timeout_ns / NS_PER_MS));
}

static void show_files(const struct config *c, struct buf *out)
{
	const char *ca = c->n_networks ? c->networks[0]->tls_ca : NULL;
	tell_names(&c->daemon.script_path, out);
	tell(out, " ca %s", ca ? ca : "none");
	for (size_t i = 0; i < c->n_scripts; i++)
		tell(out, " %s %s", c->scripts[i]->name,
			c->scripts[i]->path ? c->scripts[i]->path : "none");
}

static void show_script(const struct config *c, struct buf *out)
{
	const struct config_script *script = c->scripts[0];
	tell(out, "%s:", script->enabled ? "on" : "off");
	tell_names(&script->networks, out);
	for (size_t i = 0; i < script->n_pairs; i++)
		tell(out, " %s=%s@%d", script->pairs[i].key, script->pairs[i].value,
			script->pairs[i].line);
}

static void show_limits(const struct config *c, struct buf *out)
{
	const struct config_script *script = c->scripts[0];
	tell(out, "trust %d, memory %zu, cpu %lld, gc %d, debug %d", script->trust,
		script->memory_max, (long long)(script->cpu_max_ns / NS_PER_MS), script->gc,
		script->debug);
}

static void show_login(const struct config *c, struct buf *out)
{
	const struct config_network *n = c->networks[0];
	for (size_t i = 0; i < n->sasl.n; i++)
		tell(out, "%s%s", i ? "|" : "", config_mechanism_name(n->sasl.mechanisms[i]));
	tell(out, " account %s, password %s, %s", n->account ? n->account : "-",
		n->password ? n->password : "-", n->sasl_required ? "required" : "not required");
	if (n->ecdsa_key)
		tell(out, ", a key");
}

static void show_identity(const struct config *c, struct buf *out)
{
	const struct config_network *n = c->networks[0];
	tell(out, "%s %s", n->tls_cert ? n->tls_cert : "-", n->tls_key ? n->tls_key : "-");
}

static void show_session(const struct config *c, struct buf *out)
{
	const struct config_network *n = c->networks[0];
	tell(out, "sts %d, %s, ", n->sts, n->umodes ? n->umodes : "-");
	tell_names(&n->caps, out);
}

static void show_state(const struct config *c, struct buf *out)
{
	tell(out, "%s", c->daemon.state_dir ? c->daemon.state_dir : "-");
}

static void show_daemon(const struct config *c, struct buf *out)
{
	tell(out, "level %d, %zu networks, %zu scripts", c->daemon.log_level, c->n_networks,
		c->n_scripts);
}

#define HOST(value) "[network n]\nnick = x\nhost = " value "\n"
#define DEFAULTS    "tls 1 verify 1 autoconnect 1 register 0"

static const struct acceptance {
	const char *name, *text;
	show *show;
	const char *shown;
} acceptances[] = {
	ACCEPTED("an empty file", "", show_daemon, "level 2, 0 networks, 0 scripts"),
	ACCEPTED("a comment alone", "; nothing\n# either", show_daemon,
		"level 2, 0 networks, 0 scripts"),
	ACCEPTED("a log level", "[daemon]\nlog_level = trace\n", show_daemon,
		"level 4, 0 networks, 0 scripts"),
	ACCEPTED("an empty section", "[daemon]\n", show_daemon, "level 2, 0 networks, 0 scripts"),
	ACCEPTED("several sections", NET "[network m.2]\nhost = h\nnick = x\n" KARMA, show_daemon,
		"level 2, 2 networks, 1 scripts"),
	ACCEPTED("lines that end in CR LF", "[daemon]\r\nlog_level = error\r\n", show_daemon,
		"level 0, 0 networks, 0 scripts"),
	ACCEPTED("a byte order mark", "\xef\xbb\xbf[daemon]\nlog_level = error\n", show_daemon,
		"level 0, 0 networks, 0 scripts"),
	ACCEPTED("no newline at the end", "[daemon]\nlog_level = warning", show_daemon,
		"level 1, 0 networks, 0 scripts"),
	ACCEPTED("comments behind everything", "[daemon] ; a\nlog_level = debug ; b = c ; d\n",
		show_daemon, "level 3, 0 networks, 0 scripts"),
	ACCEPTED("a long comment", "[daemon]\n; " X190 X190 "\nlog_level = debug ; " X190 "\n",
		show_daemon, "level 3, 0 networks, 0 scripts"),

	ACCEPTED("a host", HOST("irc.example.net"), show_hosts, "irc.example.net 6697"),
	ACCEPTED("a host and the network's port", HOST("h") "port = 7000\n", show_hosts, "h 7000"),
	ACCEPTED("a host with a port", HOST("h:6667") "port = 7000\n", show_hosts, "h 6667"),
	ACCEPTED("hosts by spaces and commas", HOST("a b:1,c , 192.0.2.1:2"), show_hosts,
		"a 6697|b 1|c 6697|192.0.2.1 2"),
	ACCEPTED("an IPv6 address", HOST("2001:db8::1"), show_hosts, "2001:db8::1 6697"),
	ACCEPTED("an IPv6 address in brackets", HOST("[2001:db8::1]"), show_hosts,
		"2001:db8::1 6697"),
	ACCEPTED("an IPv6 address with a port", HOST("[::1]:6667"), show_hosts, "::1 6667"),
	ACCEPTED("a host with letters beyond ASCII", HOST("irc.bücher.example:7000"), show_hosts,
		"irc.bücher.example 7000"),
	ACCEPTED("the same as DNS knows it", HOST("irc.BÜCHER.example"), show_way,
		"irc.xn--bcher-kva.example from -, 0"),
	ACCEPTED("a host with an underscore", HOST("my_host"), show_way, "my_host from -, 0"),
	ACCEPTED("an IPv6 address as DNS knows it", HOST("[::1]:6667"), show_way, "::1 from -, 0"),
	ACCEPTED("a local address", NET "bind = 192.0.2.7\n", show_way, "h from 192.0.2.7, 0"),
	ACCEPTED("a local address of IPv6", NET "bind = 2001:db8::7\nfamily = ipv6\n", show_way,
		"h from 2001:db8::7, 2"),
	ACCEPTED("a family", NET "family = ipv4\n", show_way, "h from -, 1"),
	ACCEPTED("hosts on indented lines", HOST("a") "  b:1\n\t[::1]:2\n", show_hosts,
		"a 6697|b 1|::1 2"),
	ACCEPTED("hosts that begin in the next line", HOST("") "  a ; first\n  b\n", show_hosts,
		"a 6697|b 6697"),

	ACCEPTED("channels", NET "channels = #a, &b,+c\n", show_channels, "#a|&b|+c"),
	ACCEPTED("channels with keys", NET "channels = #a k,#b, #c   l\n", show_channels,
		"#a k|#b|#c l"),
	ACCEPTED("channels on indented lines", NET "channels = #a,\n  #b key,\n\t&c\n  #d\n",
		show_channels, "#a|#b key|&c|#d"),
	ACCEPTED("channels that begin with commas", NET "channels = #a\n  ,#b\n", show_channels,
		"#a|#b"),
	ACCEPTED("channels of two hashes", NET "channels = #a\n  ##b\n", show_channels, "#a|##b"),
	ACCEPTED("comments between channels",
		NET "channels = #a ; a\n# b\n  # c\n  ## d\n\n  ;e\n  #f ; f\n", show_channels,
		"#a|#f"),
	ACCEPTED("a channel with a semicolon", NET "channels = #a;b\n", show_channels, "#a;b"),
	ACCEPTED("a channel with =", NET "channels = #a\n  #c=d\n", show_channels, "#a|#c=d"),

	ACCEPTED("a nick alone", NET, show_person, "x|-|-|"),
	ACCEPTED("a person", NET "alt_nicks = x_, x`\n  [x]\nuser = bot\nrealname = a = b, c: d\n",
		show_person, "x|bot|a = b, c: d|x_|x`|[x]"),
	ACCEPTED("a line of 198 bytes", NET "realname = " X187 "\n", show_person, "x|-|" X187 "|"),

	ACCEPTED("no login", NET, show_login, " account -, password -, not required"),
	ACCEPTED("a login", NET "sasl = PLAIN\npassword = a b\n", show_login,
		"plain account -, password a b, required"),
	ACCEPTED("a login in every way",
		NET
		"sasl = plain, Scram-SHA-256\n  scram-sha-512 ecdsa-nist256p-challenge external\n"
		"account = bot\npassword_file = secret.txt\necdsa_key = key.pem\n"
		"tls_cert = both.pem\nsasl_required = no\n",
		show_login,
		"plain|scram-sha-256|scram-sha-512|ecdsa-nist256p-challenge|external account bot, "
		"password s3cret, not required, a key"),
	ACCEPTED("a login that is required",
		NET "sasl = plain\npassword = p\nsasl_required = yes\n", show_login,
		"plain account -, password p, required"),
	ACCEPTED("a login in the clear", NET "tls = no\nsasl = plain\npassword = p\n", show_login,
		"plain account -, password p, required"),
	ACCEPTED("no certificate", NET, show_identity, "- -"),
	ACCEPTED("a certificate and its key in one", NET "tls_cert = both.pem\n", show_identity,
		"both.pem -"),
	ACCEPTED("a certificate and its key", NET "tls_cert = cert.pem\ntls_key = key.pem\n",
		show_identity, "cert.pem key.pem"),
	ACCEPTED("no more capabilities", NET, show_session, "sts 1, -, "),
	ACCEPTED("more capabilities",
		NET "caps = a/b.c, -draft/d\n  -e\numodes = +ix-w\nsts = no\n", show_session,
		"sts 0, +ix-w, a/b.c|-draft/d|-e"),
	ACCEPTED("no state folder", "", show_state, "-"),
	ACCEPTED("a state folder", "[daemon]\nstate_dir = lib\n", show_state, "lib"),

	ACCEPTED("a proxy with letters beyond ASCII", PROXY "bücher.example\n", show_proxy,
		"xn--bcher-kva.example 1080"),
	ACCEPTED("no proxy", NET, show_proxy, "none"),
	ACCEPTED("a proxy", PROXY "h\n", show_proxy, "h 1080"),
	ACCEPTED("a proxy with a port", PROXY "h.example:9050\n", show_proxy, "h.example 9050"),
	ACCEPTED("a proxy beyond ASCII",
		PROXY "b\xc3\xbc"
		      "cher.example:1\n",
		show_proxy, "xn--bcher-kva.example 1"),
	ACCEPTED("a proxy in capitals", NET "proxy = SOCKS5H://h\n", show_proxy, "h 1080"),
	ACCEPTED("a proxy by IPv4", PROXY "192.0.2.7:1\n", show_proxy, "192.0.2.7 1"),
	ACCEPTED("a proxy by IPv6", PROXY "[2001:db8::7]\n", show_proxy, "2001:db8::7 1080"),
	ACCEPTED("a proxy by IPv6 with a port", PROXY "[::1]:65535\n", show_proxy, "::1 65535"),
	ACCEPTED("a proxy with a login", PROXY "bob:pass@h:1\n", show_proxy, "h 1 bob pass"),
	ACCEPTED("a proxy with a login of every sign", PROXY "b%3a%40:p:%25%2F@x#;%c3%A9@h:1\n",
		show_proxy, "h 1 b:@ p:%/@x#;\xc3\xa9"),
	ACCEPTED("a proxy with a longest login", PROXY_FILE "longest-proxy\n", show_proxy,
		"h 1080 " X255 " " X255),
	ACCEPTED("a proxy in a file", PROXY_FILE "a-proxy\n", show_proxy, "h 7 bob s3cret"),

	ACCEPTED("no switches", NET, show_switches, DEFAULTS),
	ACCEPTED("all switches", NET "tls=no\ntls_verify=OFF\nautoconnect=false\nregister=manual\n",
		show_switches, "tls 0 verify 0 autoconnect 0 register 1"),
	ACCEPTED("switches in other words", NET "tls = on\ntls_verify = True\nautoconnect = YES\n",
		show_switches, DEFAULTS),
	ACCEPTED("the default pace", NET, show_pace, "5 lines, 0.5 a second, 512 at most, 5"),
	ACCEPTED("a pace",
		NET "flood_burst=1\nflood_rate=0\nqueue_max=100000\n[daemon]\ndial_rate=0.25\n",
		show_pace, "1 lines, 0 a second, 100000 at most, 0.25"),
	ACCEPTED("the default times", NET, show_times, "30000 60000 120000 30000"),
	ACCEPTED("times", NET "connect_timeout=0.1\nregister_timeout=1.5\nping_interval=86400\n",
		show_times, "100 1500 86400000 30000"),

	ACCEPTED("fingerprints", NET "tls_fingerprint = " HEX "\n  " HEX "\n", show_pins,
		"0123..ef 0123..ef "),
	ACCEPTED("fingerprints of both kinds",
		NET "tls_fingerprint = " HEX " spki:" HEX
		    ",\n spki:q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=\n",
		show_pins, "0123..ef spki:0123..ef spki:abcd..89 "),
	ACCEPTED("a fingerprint with colons",
		NET "tls_fingerprint = AB:CD:"
		    "456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
		    "\n",
		show_pins, "abcd..ef "),
	ACCEPTED("authorities", NET "tls_ca = ca.pem\n", show_files,
		"/etc/ebb/scripts|/usr/share/ebb/scripts ca ca.pem"),
	ACCEPTED("a script path", "[daemon]\nscript_path = lib:/b : c\n", show_files,
		"lib|/b|c ca none"),
	ACCEPTED("scripts on the path",
		"[script tell]\n[script quiz]\n[script karma]\nfile = karma.lua\n"
		"[daemon]\nscript_path = /nope:lib\n",
		show_files,
		"/nope|lib ca none tell lib/tell.lua quiz lib/quiz/init.lua karma karma.lua"),
	ACCEPTED("scripts that are off and not there",
		"[script a]\nenabled = no\n[script b]\nenabled = no\nfile = b.lua\n"
		"[daemon]\nscript_path = lib\n",
		show_files, "lib ca none a none b b.lua"),

	ACCEPTED("a script", KARMA, show_script, "on:"),
	ACCEPTED("a script that is off", KARMA "enabled = no\n", show_script, "off:"),
	ACCEPTED("a script of two networks",
		KARMA "networks = n, m\n" NET "[network m]\nhost = h\nnick = x\n", show_script,
		"on:n|m"),
	ACCEPTED("a script's own keys", KARMA "b = 1\nA-c.d = x = y\ntoken_file = t\n", show_script,
		"on: b=1@3 A-c.d=x = y@4 token_file=t@5"),
	ACCEPTED("a script's password in a file", KARMA "password_file = secret.txt\nb = 1\n",
		show_script, "on: password=s3cret@3 b=1@4"),
	ACCEPTED("the default limits", KARMA, show_limits,
		"trust 0, memory 67108864, cpu 0, gc 0, debug 0"),
	ACCEPTED("limits",
		KARMA "trust=full\nmemory_max=2G\ncpu_max=0.25\ngc=incremental\ndebug=yes\n",
		show_limits, "trust 1, memory 2147483648, cpu 250, gc 2, debug 1"),
	ACCEPTED("a size in bytes", KARMA "memory_max = 1048576\n", show_limits,
		"trust 0, memory 1048576, cpu 0, gc 0, debug 0"),
	ACCEPTED("a size in K", KARMA "memory_max = 1024K\n", show_limits,
		"trust 0, memory 1048576, cpu 0, gc 0, debug 0"),
	ACCEPTED("a script's own value of lines", KARMA "text = a ; b\n  #c\n\n  ,d\n", show_script,
		"on: text=a\n#c\n,d@3"),
};

static void config_accepts(void **state)
{
	const struct acceptance *row = *state;
	struct config *c = accept(row->text);
	struct buf shown;
	buf_init(&shown, 1 << 16);

	row->show(c, &shown);

	assert_slice(buf_str(&shown), row->shown);
	buf_fini(&shown);
	config_free(c);
}

static void all_errors_come_in_the_order_of_lines(void **state)
{
	(void)state;
	write_file("ebb.ini", "[script karma]\n"
			      "file = karma.lua\n"
			      "networks = m\n"
			      "trust = none\n"
			      "[nettwork a]\n"
			      "[network n]\n"
			      "port = 0\n"
			      "host\n"
			      "alt_nicks =\n"
			      "  port = 1\n"
			      "channels = a\n"
			      "[daemon]\n"
			      "dial_rate = 5000\n");

	refuse_file("3: [script karma] networks: there is no section [network m]\n"
		    "4: [script karma] trust: none is not one of: restricted full\n"
		    "5: [nettwork a] is unknown; do you mean network?\n"
		    "6: [network n] host: is missing; add a line host = ...\n"
		    "6: [network n] nick: is missing; add a line nick = ...\n"
		    "7: [network n] port: 0 is not within 1 and 65535\n"
		    "8: [network n] the line has no \"=\"; write KEY = VALUE\n"
		    "9: [network n] alt_nicks: is empty; give it a value or remove the line\n"
		    "10: [network n] " INDENTED "\n"
		    "11: [network n] channels: a is not a channel: it must begin with # & + or !\n"
		    "13: [daemon] dial_rate: 5000 is not within 0.1 and 1000");
}

static void errors_stop_where_their_buffer_is_full(void **state)
{
	(void)state;
	struct buf errors;
	struct config *c;
	buf_init(&errors, 60);
	write_file("ebb.ini", NET "port = 0\nport = 0\n");

	assert_int_equal(config_load("ebb.ini", &c, &errors), ERR_CONFIG);

	assert_slice(
		buf_str(&errors), "ebb.ini:4: [network n] port: 0 is not within 1 and 65535\n");
	buf_fini(&errors);
}

static void refuse_path(const char *path, const char *expected)
{
	struct buf errors;
	struct config *c;
	buf_init(&errors, 1 << 16);
	assert_int_equal(config_load(path, &c, &errors), ERR_CONFIG);
	assert_slice(buf_str(&errors), expected);
	buf_fini(&errors);
}

static void a_file_that_cannot_be_read_is_one_error(void **state)
{
	(void)state;
	refuse_path("nope.ini", "nope.ini: No such file or directory\n");
	refuse_path("lib", "lib: Is a directory\n");
	refuse_path("/dev/zero", "/dev/zero: is larger than 16777216 bytes\n");
}

static void a_line_with_a_nul_is_refused(void **state)
{
	(void)state;
	write_bytes("ebb.ini", STR("[daemon]\nlog_level = in\0fo\n"));
	refuse_file("2: [daemon] " NOT_TEXT);
}

static void relative_paths_begin_at_the_folder_of_the_file(void **state)
{
	(void)state;
	struct buf errors;
	struct config *c;
	buf_init(&errors, 1 << 16);
	write_file("lib/ebb.ini", "[script tell]\nfile = tell.lua\n[daemon]\nscript_path = a:/b\n");

	assert_int_equal(config_load("./lib/ebb.ini", &c, &errors), 0);

	assert_string_equal(config_script(c, STR("tell"))->path, "./lib/tell.lua");
	assert_string_equal(c->daemon.script_path.names[0], "./lib/a");
	assert_string_equal(c->daemon.script_path.names[1], "/b");
	config_free(c);
	buf_fini(&errors);
}

static void ten_thousand_networks_and_a_script_that_names_them_fit(void **state)
{
	(void)state;
	enum { NETWORKS = 10000 };
	struct buf text;
	buf_init(&text, 16 << 20);
	for (int i = 0; i < NETWORKS; i++)
		assert_int_equal(0,
			buf_addf(&text,
				"[network customer-%05d]\nhost = irc%05d.example.org irc.example.net\n"
				"nick = bot-%05d\nchannels = #ebb, #another-channel\n"
				"realname = a bot, see https://example.org/\nflood_rate = 2\n\n",
				i, i, i));
	assert_int_equal(buf_add(&text, STR(KARMA "networks =")), 0);
	for (int i = 0; i < NETWORKS; i++)
		assert_int_equal(0, buf_addf(&text, "%s customer-%05d", i % 8 ? "" : "\n", i));
	assert_true(text.n > 1 << 20);

	struct config *c = accept(buf_str(&text).p);

	assert_int_equal(c->n_networks, NETWORKS);
	assert_string_equal(c->networks[NETWORKS - 1]->name, "customer-09999");
	assert_int_equal(c->scripts[0]->networks.n, NETWORKS);
	config_free(c);
	buf_fini(&text);
}

static void networks_and_scripts_are_found_by_name(void **state)
{
	(void)state;
	struct config *c = accept(NET KARMA "[daemon]\nscript_path = lib\n");

	assert_ptr_equal(config_network(c, STR("n")), c->networks[0]);
	assert_null(config_network(c, STR("N")));
	assert_ptr_equal(config_script(c, STR("karma")), c->scripts[0]);
	assert_null(config_script(c, STR("tell")));
	assert_int_equal(c->networks[0]->line, 1);
	assert_int_equal(c->scripts[0]->line, 4);

	char *path = config_find_script(c, STR("quiz"), NULL);
	assert_string_equal(path, "lib/quiz/init.lua");
	free(path);
	assert_null(config_find_script(c, STR("nope"), NULL));
	config_free(c);
}

static void a_key_is_kept_as_its_text(void **state)
{
	(void)state;
	struct config *c = accept(ECDSA "key.pem\n");
	struct buf text = read_file("key.pem");
	assert_slice(buf_str(&text), c->networks[0]->ecdsa_key);
	buf_fini(&text);
	config_free(c);
}

static void certificates_and_keys_are_looked_up_among_the_credentials_first(void **state)
{
	(void)state;
	setenv("CREDENTIALS_DIRECTORY", "creds", 1);
	assert_int_equal(link("both.pem", "creds/secret_my.pem"), 0);
	struct config *c = accept(ECDSA "my.pem\ntls_cert = my.pem\ntls_key = ./key.pem\n");
	assert_string_equal(c->networks[0]->tls_cert, "creds/secret_my.pem");
	assert_string_equal(c->networks[0]->tls_key, "./key.pem");
	assert_non_null(c->networks[0]->ecdsa_key);
	config_free(c);

	write_file("ebb.ini", NET "tls_cert = nope\n");
	refuse_file("4: [network n] tls_cert: nope is not there, nor a credential of that name");
	assert_int_equal(unlink("creds/secret_my.pem"), 0);
	unsetenv("CREDENTIALS_DIRECTORY");
}

static void a_certificate_is_not_waited_for(void **state)
{
	(void)state;
	assert_int_equal(mkfifo("pipe", 0600), 0);
	write_file("ebb.ini", ECDSA "pipe\ntls_cert = pipe\n");
	alarm(60);
	refuse_file("5: [network n] ecdsa_key: pipe holds nothing in PEM\n"
		    "6: [network n] tls_cert: pipe: is not a file");
	alarm(0);
	assert_int_equal(unlink("pipe"), 0);
}

#define SECRET_FILE NET "server_password_file = "

static void assert_secret(const char *text, const char *secret)
{
	struct config *c = accept(text);
	assert_string_equal(c->networks[0]->server_password, secret);
	config_free(c);
}

static void a_secret_is_a_path_where_there_are_no_credentials(void **state)
{
	(void)state;
	unsetenv("CREDENTIALS_DIRECTORY");
	write_file("secret", "pass word ;#\n");

	assert_secret(NET "server_password = a b; c\n", "a b; c");
	assert_secret(SECRET_FILE "secret\n", "pass word ;#");
	assert_secret(SECRET_FILE "./secret\n", "pass word ;#");
	write_file("secret", "x\r\n");
	assert_secret(SECRET_FILE "secret\n", "x");
	write_file("secret", "x");
	assert_secret(SECRET_FILE "secret\n", "x");
}

static void a_secret_is_looked_up_among_the_credentials_first(void **state)
{
	(void)state;
	setenv("CREDENTIALS_DIRECTORY", "creds", 1);
	write_file("password", "by path\n");
	assert_secret(SECRET_FILE "password\n", "by path");

	write_file("creds/secret_password", "with a prefix\n");
	assert_secret(SECRET_FILE "password\n", "with a prefix");
	write_file("creds/password", "by name\n");
	assert_secret(SECRET_FILE "password\n", "by name");

	assert_secret(SECRET_FILE "./password\n", "by path");
	write_file("ebb.ini", SECRET_FILE "nope\n");
	refuse_file("4: [network n] server_password_file: nope is not there, nor a credential of "
		    "that name");
	unsetenv("CREDENTIALS_DIRECTORY");
}

static const struct secret_row {
	const char *name;
	struct str bytes;
	const char *why;
} secret_rows[] = {
	{"secret: empty",             {"", 0},       "is empty"                    },
	{"secret: a newline alone",   {"\n", 1},     "is empty"                    },
	{"secret: two lines",         {"a\nb\n", 4}, "holds a second line or a NUL"},
	{"secret: two newlines",      {"a\n\n", 3},  "holds a second line or a NUL"},
	{"secret: a carriage return", {"a\rb", 3},   "holds a second line or a NUL"},
	{"secret: a NUL",             {"a\0b", 3},   "holds a second line or a NUL"},
};

static void secret_is_refused(void **state)
{
	const struct secret_row *row = *state;
	char expected[128];
	write_bytes("secret", row->bytes);
	snprintf(expected, sizeof(expected), "4: [network n] server_password_file: secret %s",
		row->why);
	write_file("ebb.ini", SECRET_FILE "secret\n");
	refuse_file(expected);
}

static void a_secret_has_4096_bytes_at_most(void **state)
{
	(void)state;
	char bytes[4098];
	memset(bytes, 's', sizeof(bytes));
	bytes[4096] = '\n';
	write_bytes("secret", (struct str){bytes, 4097});
	struct config *c = accept(SECRET_FILE "secret\n");
	assert_int_equal(strlen(c->networks[0]->server_password), 4096);
	config_free(c);

	bytes[4096] = 's';
	bytes[4097] = '\n';
	write_bytes("secret", (struct str){bytes, 4098});
	write_file("ebb.ini", SECRET_FILE "secret\n");
	refuse_file("4: [network n] server_password_file: secret is longer than 4096 bytes");
}

static void a_secret_is_not_waited_for(void **state)
{
	(void)state;
	assert_int_equal(mkfifo("pipe", 0600), 0);
	write_file("ebb.ini", SECRET_FILE "pipe\n");
	alarm(60);
	refuse_file("4: [network n] server_password_file: pipe is empty");
	alarm(0);
	assert_int_equal(unlink("pipe"), 0);
}

static void errors_tell_no_secret(void **state)
{
	(void)state;
	struct buf errors;
	struct config *c;
	buf_init(&errors, 1 << 16);
	write_file("ebb.ini",
		NET "server_password = hunter2\n  hunter2\nserver_password : hunter2\n"
		    "channels = #a hunter2 hunter2, #b :hunter2\n"
		    "server_password hunter2 = hunter2\n"
		    "proxy = socks5h://hunter2:hunter2@h:0\n"
		    "[network m]\nhost = h\nnick = x\nproxy = http://hunter2:hunter2@h\n"
		    "[network q]\nhost = h\nnick = x\nproxy = socks5h://hunter2\xff\n"
		    "[network o]\nhost = h\nnick = x\nproxy = socks5h://hunter2:%hunter2@h\n"
		    "[network p]\nhost = h\nnick = x\nproxy = socks5h://hunter2\n  hunter2@h\n");

	assert_int_equal(config_load("ebb.ini", &c, &errors), ERR_CONFIG);

	assert_null(strstr(buf_str(&errors).p, "hunter2"));
	buf_fini(&errors);
}

static void every_row_of_the_table_is_complete(void **state)
{
	(void)state;
	const struct config_option *o;
	for (size_t i = 0; (o = config_option(i)); i++) {
		assert_non_null(o->key);
		assert_non_null(config_type_name(o->type));
		assert_true(strlen(o->help) > 5);
		assert_false(o->standard && o->without);
		assert_true(o->min <= o->max);
		bool is_number = o->type == CONFIG_WHOLE || o->type == CONFIG_NUMBER ||
				 o->type == CONFIG_SECONDS || o->type == CONFIG_SIZE;
		assert_int_equal(is_number, o->max > 0);
		assert_true(o->type != CONFIG_CHOICE || o->words);
		for (size_t k = 0; k < i; k++)
			assert_true(config_option(k)->kind != o->kind ||
				    strcmp(config_option(k)->key, o->key) != 0);
	}
}

/* A network as it was, and as it is now: each with what follows "nick = x". */
#define CHANGE(name, old, new, keys, change)               \
	{                                                  \
		name, old, new, keys, CONFIG_##change, "h" \
	}
#define AT(host, name, old, new, keys, change)              \
	{                                                   \
		name, old, new, keys, CONFIG_##change, host \
	}
#define LOGIN "host = h\nsasl = plain\npassword = p\n"
#define HEX2  "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static const struct change_row {
	const char *name, *old, *new, *keys;
	enum config_change change;
	const char *server; /* with port 6697, where a connection is */
} changes[] = {
	CHANGE("nothing", "host = h\n", "host = h\n", "", UNCHANGED),
	CHANGE("what is the default anyway", "host = h\n", "host = h\ntls = yes\nport = 6697\n", "",
		UNCHANGED),
	CHANGE("the same secret from a file", "host = h\nserver_password = s\n",
		"host = h\nserver_password_file = secret\n", "", UNCHANGED),
	CHANGE("a host more, in front", "host = h\n", "host = g h\n", "host", CHANGED_LIVE),
	CHANGE("the other host less", "host = g h\n", "host = h\n", "host", CHANGED_LIVE),
	CHANGE("the same host in capitals", "host = h\n", "host = H\n", "host", CHANGED_LIVE),
	CHANGE("the port written at the host", "host = h\n", "host = h:6697\n", "host",
		CHANGED_LIVE),
	CHANGE("another host", "host = h\n", "host = g\n", "host", CHANGED_CONNECTION),
	CHANGE("the host less that we are at", "host = g h\n", "host = g\n", "host",
		CHANGED_CONNECTION),
	AT("g", "the host less that we are not at", "host = g h\n", "host = g\n", "host",
		CHANGED_LIVE),
	CHANGE("another port of the host", "host = h\n", "host = h:7000\n", "host",
		CHANGED_CONNECTION),
	CHANGE("another port", "host = h\n", "host = h\nport = 7000\n", "port", CHANGED_CONNECTION),
	CHANGE("another port for nobody", "host = h:6697\n", "host = h:6697\nport = 7000\n", "port",
		CHANGED_LIVE),
	CHANGE("bind", "host = h\n", "host = h\nbind = ::1\n", "bind", CHANGED_CONNECTION),
	CHANGE("another bind", "host = h\nbind = ::1\n", "host = h\nbind = ::2\n", "bind",
		CHANGED_CONNECTION),
	CHANGE("family", "host = h\n", "host = h\nfamily = ipv6\n", "family", CHANGED_CONNECTION),
	CHANGE("tls", "host = h\n", "host = h\ntls = no\n", "tls", CHANGED_CONNECTION),
	CHANGE("tls_ca", "host = h\n", "host = h\ntls_ca = ca.pem\n", "tls_ca", CHANGED_CONNECTION),
	CHANGE("another tls_ca", "host = h\ntls_ca = example-ca.pem\n",
		"host = h\ntls_ca = ca.pem\n", "tls_ca", CHANGED_CONNECTION),
	CHANGE("tls_fingerprint", "host = h\n", "host = h\ntls_fingerprint = " HEX "\n",
		"tls_fingerprint", CHANGED_CONNECTION),
	CHANGE("another tls_fingerprint", "host = h\ntls_fingerprint = " HEX2 "\n",
		"host = h\ntls_fingerprint = " HEX "\n", "tls_fingerprint", CHANGED_CONNECTION),
	CHANGE("tls_verify", "host = h\n", "host = h\ntls_verify = no\n", "tls_verify",
		CHANGED_CONNECTION),
	CHANGE("user", "host = h\n", "host = h\nuser = x\n", "user", CHANGED_CONNECTION),
	CHANGE("realname", "host = h\nrealname = a\n", "host = h\nrealname = b\n", "realname",
		CHANGED_CONNECTION),
	CHANGE("server_password", "host = h\nserver_password = s\n",
		"host = h\nserver_password = t\n", "server_password", CHANGED_CONNECTION),
	CHANGE("a tls_cert", "host = h\n", "host = h\ntls_cert = both.pem\n", "tls_cert",
		CHANGED_CONNECTION),
	CHANGE("another tls_key", "host = h\ntls_cert = both.pem\n",
		"host = h\ntls_cert = both.pem\ntls_key = key.pem\n", "tls_key",
		CHANGED_CONNECTION),
	CHANGE("sts", "host = h\n", "host = h\nsts = no\n", "sts", CHANGED_LIVE),
	CHANGE("sasl and its default", "host = h\n", LOGIN, "sasl, password, sasl_required",
		CHANGED_CONNECTION),
	CHANGE("the same sasl in capitals", LOGIN, "host = h\nsasl = PLAIN\npassword = p\n", "",
		UNCHANGED),
	CHANGE("another sasl", LOGIN, "host = h\nsasl = scram-sha-256\npassword = p\n", "sasl",
		CHANGED_CONNECTION),
	CHANGE("another order of sasl", "host = h\nsasl = plain scram-sha-256\npassword = p\n",
		"host = h\nsasl = scram-sha-256 plain\npassword = p\n", "sasl", CHANGED_CONNECTION),
	CHANGE("account", LOGIN, LOGIN "account = a\n", "account", CHANGED_CONNECTION),
	CHANGE("password", LOGIN, "host = h\nsasl = plain\npassword = q\n", "password",
		CHANGED_CONNECTION),
	CHANGE("an ecdsa_key", LOGIN "ecdsa_key = other-key.pem\n", LOGIN "ecdsa_key = key.pem\n",
		"ecdsa_key", CHANGED_CONNECTION),
	CHANGE("the same ecdsa_key elsewhere", LOGIN "ecdsa_key = ./key.pem\n",
		LOGIN "ecdsa_key = key.pem\n", "", UNCHANGED),
	CHANGE("proxy", "host = h\n", "host = h\nproxy = socks5h://h\n", "proxy",
		CHANGED_CONNECTION),
	CHANGE("a proxy's port", "host = h\nproxy = socks5h://h:1\n",
		"host = h\nproxy = socks5h://h:2\n", "proxy", CHANGED_CONNECTION),
	CHANGE("a proxy's password", "host = h\nproxy = socks5h://b:p@h\n",
		"host = h\nproxy = socks5h://b:q@h\n", "proxy", CHANGED_CONNECTION),
	CHANGE("a proxy's user", "host = h\nproxy = socks5h://b:p@h\n",
		"host = h\nproxy = socks5h://c:p@h\n", "proxy", CHANGED_CONNECTION),
	CHANGE("a proxy written in another way", "host = h\nproxy = socks5h://b:p@h\n",
		"host = h\nproxy = socks5h://%62:p@h:1080\n", "", UNCHANGED),
	CHANGE("sasl_required as by default", LOGIN, LOGIN "sasl_required = yes\n", "", UNCHANGED),
	CHANGE("sasl_required", LOGIN, LOGIN "sasl_required = no\n", "sasl_required",
		CHANGED_CONNECTION),
	CHANGE("caps", "host = h\ncaps = a\n", "host = h\ncaps = -a\n", "caps", CHANGED_CONNECTION),
	CHANGE("umodes", "host = h\n", "host = h\numodes = +i\n", "umodes", CHANGED_LIVE),
	CHANGE("register", "host = h\n", "host = h\nregister = manual\n", "register",
		CHANGED_CONNECTION),
	CHANGE("alt_nicks", "host = h\nalt_nicks = a b\n", "host = h\nalt_nicks = a c\n",
		"alt_nicks", CHANGED_LIVE),
	CHANGE("a channel more", "host = h\nchannels = #a\n", "host = h\nchannels = #a, #b\n",
		"channels", CHANGED_LIVE),
	CHANGE("another key of a channel", "host = h\nchannels = #a k\n",
		"host = h\nchannels = #a l\n", "channels", CHANGED_LIVE),
	CHANGE("a channel's key less", "host = h\nchannels = #a k\n", "host = h\nchannels = #a\n",
		"channels", CHANGED_LIVE),
	CHANGE("autoconnect", "host = h\n", "host = h\nautoconnect = no\n", "autoconnect",
		CHANGED_LIVE),
	CHANGE("connect_timeout", "host = h\n", "host = h\nconnect_timeout = 5\n",
		"connect_timeout", CHANGED_LIVE),
	CHANGE("register_timeout", "host = h\n", "host = h\nregister_timeout = 5\n",
		"register_timeout", CHANGED_LIVE),
	CHANGE("ping_interval", "host = h\n", "host = h\nping_interval = 5\n", "ping_interval",
		CHANGED_LIVE),
	CHANGE("ping_timeout", "host = h\n", "host = h\nping_timeout = 5\n", "ping_timeout",
		CHANGED_LIVE),
	CHANGE("flood_burst", "host = h\n", "host = h\nflood_burst = 6\n", "flood_burst",
		CHANGED_LIVE),
	CHANGE("flood_rate", "host = h\n", "host = h\nflood_rate = 0\n", "flood_rate",
		CHANGED_LIVE),
	CHANGE("queue_max", "host = h\n", "host = h\nqueue_max = 5\n", "queue_max", CHANGED_LIVE),
	CHANGE("several", "host = h\n",
		"host = h\nqueue_max = 5\nuser = u\nchannels = #a\nping_timeout = 5\n",
		"user, channels, ping_timeout, queue_max", CHANGED_CONNECTION),
	CHANGE("several that are live", "host = h\n", "host = h g\nchannels = #a\nqueue_max = 5\n",
		"host, channels, queue_max", CHANGED_LIVE),
};

static struct config *accept_network(const char *keys)
{
	struct buf text;
	buf_init(&text, 4096);
	tell(&text, "[network n]\nnick = x\n%s", keys);
	struct config *c = accept(buf_str(&text).p);
	buf_fini(&text);
	return c;
}

static void networks_are_compared(void **state)
{
	const struct change_row *row = *state;
	struct config_host server = {.ascii = (char *)(uintptr_t)row->server, .port = 6697};
	struct buf keys;
	buf_init(&keys, 4096);
	write_file("secret", "s\n");
	struct config *old = accept_network(row->old), *new = accept_network(row->new);
	const struct config_network *a = old->networks[0], *b = new->networks[0];

	assert_int_equal(config_compare_networks(a, b, &server, &keys), row->change);
	assert_string_equal(buf_str(&keys).p, row->keys);
	assert_int_equal(config_compare_networks(a, b, &server, NULL), row->change);
	assert_int_equal(config_compare_networks(b, b, &b->host.hosts[0], NULL), CONFIG_UNCHANGED);

	config_free(old);
	config_free(new);
	buf_fini(&keys);
}

static void every_key_of_networks_has_a_row_of_changes(void **state)
{
	(void)state;
	const struct config_option *o;
	for (size_t i = 0; (o = config_option(i)); i++) {
		bool is_there = o->kind != CONFIG_NETWORK || strcmp(o->key, "nick") == 0;
		for (size_t k = 0; k < COUNTOF(changes); k++)
			is_there |= strcmp(changes[k].keys, o->key) == 0;
		if (!is_there)
			fail_msg("no row changes %s alone", o->key);
	}
}

static void a_new_nick_is_live_where_the_user_name_is_not_given(void **state)
{
	(void)state;
	struct config *old = accept("[network n]\nhost = h\nnick = x\n");
	struct config *new = accept("[network n]\nhost = h\nnick = y\n");
	struct buf keys;
	buf_init(&keys, 4096);

	assert_int_equal(config_compare_networks(old->networks[0], new->networks[0],
				 &old->networks[0]->host.hosts[0], &keys),
		CONFIG_CHANGED_LIVE);
	assert_string_equal(buf_str(&keys).p, "nick");

	buf_fini(&keys);
	config_free(old);
	config_free(new);
}

static void a_network_that_was_taken_is_not_found(void **state)
{
	(void)state;
	struct config *c = accept(NET "[network m]\nhost = h\nnick = x\n");
	struct config_network *taken = c->networks[0];
	c->networks[0] = NULL;

	assert_null(config_network(c, STR("n")));
	assert_ptr_equal(config_network(c, STR("m")), c->networks[1]);

	config_network_free(taken);
	config_free(c);
}

/* What the manual and the sample are searched for: a line, whole. */
static bool next_line(struct str *rest, struct str *line)
{
	*line = str_cut(rest, '\n');
	return line->p != NULL;
}

static struct str sections_of(struct str text, const char *const begin[], enum config_kind kind)
{
	const char *from = strstr(text.p, begin[kind]);
	assert_non_null(from);
	const char *to = kind + 1 < CONFIG_KINDS ? strstr(from, begin[kind + 1]) : text.p + text.n;
	assert_non_null(to);
	return (struct str){from, (size_t)(to - from)};
}

/* The value of a key, commented out or not; *above gets the comment before it. */
static struct str find_in_sample(struct str text, const char *key, struct str *above)
{
	struct str line, rest = text, start = text;
	while (next_line(&rest, &line)) {
		struct str value = str_skip(line, str_starts(line, STR(";")) ? 1 : 0);
		struct str name = str_cut(&value, '=');
		if (name.n == strlen(key) + 1 && str_starts(name, str_of(key))) {
			*above = (struct str){start.p, (size_t)(line.p - start.p)};
			return str_trim(value);
		}
		if (line.n == 0)
			start = rest;
	}
	return STR_NONE;
}

static void assert_contains(struct str text, const char *needle)
{
	char *copy = str_dup(text);
	if (!strstr(copy, needle))
		print_error("not found: %s\n in: %s\n", needle, copy);
	assert_non_null(strstr(copy, needle));
	free(copy);
}

static struct buf read_source(const char *name)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s", root, name);
	return read_file(path);
}

static void the_sample_shows_every_key_with_its_default(void **state)
{
	(void)state;
	static const char *const begin[] = {"[daemon]", "[network example]", ";[script karma]"};
	struct buf sample = read_source("conf/ebb.ini");
	const struct config_option *o;
	for (size_t i = 0; (o = config_option(i)); i++) {
		char expected[512];
		struct str above,
			value = find_in_sample(
				sections_of(buf_str(&sample), begin, o->kind), o->key, &above);
		if (!value.p)
			print_error("not in the sample: %s\n", o->key);
		assert_non_null(value.p);
		snprintf(expected, sizeof(expected), "; %s.", o->help);
		assert_contains(above, expected);
		if (o->standard)
			assert_slice(value, o->standard);
		snprintf(expected, sizeof(expected), "Default: %s.", o->without);
		if (o->without)
			assert_contains(above, expected);
	}
	buf_fini(&sample);
}

/* A commented key is ";key =", prose has a space behind the semicolon. */
static char *uncommented(struct str text)
{
	struct buf out;
	struct str line;
	buf_init(&out, 1 << 16);
	while (next_line(&text, &line)) {
		bool is_prose = line.n < 2 || line.p[0] != ';' || line.p[1] == ' ';
		assert_int_equal(buf_add(&out, str_skip(line, is_prose ? 0 : 1)), 0);
		assert_int_equal(buf_add(&out, STR("\n")), 0);
	}
	return buf_detach(&out);
}

/* Takes text; in place of the folder of the service it names one that is there. */
static char *with_folder(char *text)
{
	static const char folder[] = "/var/lib/ebb";
	struct buf out;
	char *at = strstr(text, folder);
	assert_non_null(at);
	buf_init(&out, 1 << 16);
	tell(&out, "%.*slib%s", (int)(at - text), text, at + strlen(folder));
	free(text);
	return buf_detach(&out);
}

static void the_sample_is_accepted_as_it_is(void **state)
{
	(void)state;
	struct buf sample = read_source("conf/ebb.ini");
	struct config *c = accept(buf_str(&sample).p);

	assert_int_equal(c->n_networks, 1);
	assert_int_equal(c->n_scripts, 0);

	config_free(c);
	buf_fini(&sample);
}

static void the_sample_is_accepted_with_all_its_keys(void **state)
{
	(void)state;
	struct buf sample = read_source("conf/ebb.ini");
	char *text = with_folder(uncommented(buf_str(&sample)));
	write_file("other-password", "secret\n");

	struct config *c = accept(text);

	assert_int_equal(c->n_networks, 2);
	assert_int_equal(c->n_scripts, 1);
	assert_string_equal(c->scripts[0]->pairs[0].key, "greeting");
	assert_int_equal(c->scripts[0]->n_pairs, 1);
	assert_string_equal(c->networks[0]->password, "secret");
	assert_string_equal(c->networks[1]->server_password, "secret");
	config_free(c);
	free(text);
	buf_fini(&sample);
}

/* The two lines that the manual has below a key. */
static void describe(const struct config_option *o, struct buf *out)
{
	const char *name = config_type_name(o->type);
	char min[CONFIG_BOUND_BYTES], max[CONFIG_BOUND_BYTES];
	tell(out, "%c%s", name[0] - 'a' + 'A', name + 1);
	if (o->type == CONFIG_CHOICE)
		tell(out, ": %s", o->words);
	else if (o->words)
		tell(out, " of %s", o->words);
	if (o->max > 0) {
		config_bound(o, o->min, min);
		config_bound(o, o->max, max);
		tell(out, ", %s to %s", min, max);
	}
	if (o->standard || o->without)
		tell(out, ".\nDefault: %s.\n", o->standard ? o->standard : o->without);
	else
		tell(out, ".\nRequired.\n");
}

static void the_manual_says_what_the_table_says(void **state)
{
	(void)state;
	static const char *const begin[] = {
		".Sh DAEMON KEYS", ".Sh NETWORK KEYS", ".Sh SCRIPT KEYS"};
	struct buf manual = read_source("doc/ebb.ini.5");
	const struct config_option *o;
	for (size_t i = 0; (o = config_option(i)); i++) {
		struct buf entry;
		buf_init(&entry, 4096);
		tell(&entry, ".It Cm %s", o->key);
		if (config_may_be_file(o->type))
			tell(&entry, " , %s_file", o->key);
		tell(&entry, "\n");
		describe(o, &entry);
		assert_contains(sections_of(buf_str(&manual), begin, o->kind), buf_str(&entry).p);
		buf_fini(&entry);
	}
	buf_fini(&manual);
}

static void the_manual_has_no_key_beside_the_table(void **state)
{
	(void)state;
	struct buf manual = read_source("doc/ebb.ini.5");
	struct str rest = buf_str(&manual), line;
	size_t entries = 0, rows = 0;
	while (next_line(&rest, &line))
		entries += str_starts(line, STR(".It Cm "));
	while (config_option(rows))
		rows++;
	assert_int_equal(entries, rows);
	buf_fini(&manual);
}

/* The keys that need something when they change, as a sentence of the manual has them. */
static void list_keys(enum config_need need, struct buf *out)
{
	const struct config_option *o;
	const char *before = "A change of\n";
	for (size_t i = 0; (o = config_option(i)); i++) {
		if (o->kind != CONFIG_NETWORK || o->need != need)
			continue;
		tell(out, "%s.Cm %s", before, o->key);
		before = " ,\n";
	}
}

static void the_manual_says_which_changes_need_a_new_connection(void **state)
{
	(void)state;
	static const char *const after[] = {[CONFIG_SERVER] = "\nneeds one only where",
		[CONFIG_CONNECTION] = "\nneeds a new connection:"};
	struct buf manual = read_source("doc/ebb.ini.5");
	for (enum config_need need = CONFIG_SERVER; need <= CONFIG_CONNECTION; need++) {
		struct buf keys;
		buf_init(&keys, 4096);
		list_keys(need, &keys);
		tell(&keys, "%s", after[need]);
		assert_contains(buf_str(&manual), buf_str(&keys).p);
		buf_fini(&keys);
	}
	buf_fini(&manual);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

/* cert.pem with key.pem, both.pem, and keys that are not its own; and what the sample names. */
static void write_keys(void)
{
	struct certs certs;
	certs_make(&certs);
	EVP_PKEY *p384 = EVP_EC_gen("P-384"), *ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	cert_append("cert.pem", &certs.good);
	key_append("key.pem", certs.good.key, NULL);
	cert_append("both.pem", &certs.good);
	key_append("both.pem", certs.good.key, NULL);
	key_append("other-key.pem", certs.expired.key, NULL);
	key_append("locked-key.pem", certs.good.key, "open sesame");
	key_append("p384-key.pem", p384, NULL);
	key_append("ed25519-key.pem", ed25519, NULL);
	cert_append("example-cert.pem", &certs.good);
	key_append("example-key.pem", certs.good.key, NULL);
	key_append("example-ecdsa.pem", certs.good.key, NULL);
	EVP_PKEY_free(p384);
	EVP_PKEY_free(ed25519);
	certs_free(&certs);
}

static void enter_folder(char *folder)
{
	root = getcwd(NULL, 0);
	unsetenv("CREDENTIALS_DIRECTORY");
	if (!mkdtemp(folder) || chdir(folder) < 0 || mkdir("lib", 0700) < 0 ||
		mkdir("lib/quiz", 0700) < 0 || mkdir("creds", 0700) < 0)
		abort();
	for (size_t i = 0; i < COUNTOF(files); i++)
		write_file(files[i], "");
	write_file("secret.txt", "s3cret\n");
	write_file("a-proxy", "socks5h://bob:s3cret@h:7\n");
	write_file("longest-proxy", "socks5h://" X255 ":" X255 "@h\n");
	write_file("long-proxy", "socks5h://bob:x" X255 "@h\n");
	write_keys();
}

static void leave_folder(const char *folder)
{
	if (chdir(root) < 0 || nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) < 0)
		abort();
	free(root);
}

int main(void)
{
	char folder[] = "/tmp/ebb-test-config-XXXXXX";
	struct check c = {0};
	check_rows(&c, refusals, config_refuses);
	check_rows(&c, acceptances, config_accepts);
	check_test(&c, all_errors_come_in_the_order_of_lines);
	check_test(&c, errors_stop_where_their_buffer_is_full);
	check_test(&c, a_file_that_cannot_be_read_is_one_error);
	check_test(&c, a_line_with_a_nul_is_refused);
	check_test(&c, relative_paths_begin_at_the_folder_of_the_file);
	check_test(&c, ten_thousand_networks_and_a_script_that_names_them_fit);
	check_test(&c, networks_and_scripts_are_found_by_name);
	check_test(&c, a_key_is_kept_as_its_text);
	check_test(&c, certificates_and_keys_are_looked_up_among_the_credentials_first);
	check_test(&c, a_certificate_is_not_waited_for);
	check_test(&c, a_secret_is_a_path_where_there_are_no_credentials);
	check_test(&c, a_secret_is_looked_up_among_the_credentials_first);
	check_rows(&c, secret_rows, secret_is_refused);
	check_test(&c, a_secret_has_4096_bytes_at_most);
	check_test(&c, a_secret_is_not_waited_for);
	check_test(&c, errors_tell_no_secret);
	check_test(&c, every_row_of_the_table_is_complete);
	check_test(&c, the_sample_shows_every_key_with_its_default);
	check_test(&c, the_sample_is_accepted_as_it_is);
	check_test(&c, the_sample_is_accepted_with_all_its_keys);
	check_test(&c, the_manual_says_what_the_table_says);
	check_test(&c, the_manual_has_no_key_beside_the_table);
	check_test(&c, the_manual_says_which_changes_need_a_new_connection);
	check_rows(&c, changes, networks_are_compared);
	check_test(&c, every_key_of_networks_has_a_row_of_changes);
	check_test(&c, a_new_nick_is_live_where_the_user_name_is_not_given);
	check_test(&c, a_network_that_was_taken_is_not_found);
	enter_folder(folder);
	int status = check_run(&c, "config");
	leave_folder(folder);
	return status;
}
