#include "irc/farewell.h"

#include <ctype.h>

/* When a word counts: always; before we are registered only; or there only for want of others. */
enum when { ALWAYS, BEFORE, LAST_BEFORE };

/* Each is where a word of the text begins, in any case; ? is any one letter. */
static const struct farewell {
	const char *word;
	int kind;
	enum when when;
} farewells[] = {
	{"quit:",                ERR_CLOSED,    ALWAYS     }, /* what follows is our own */
	{"(\"",		  ERR_CLOSED,    ALWAYS     }, /* the same, of IRCnet */
	{"killed",               ERR_KILLED,    LAST_BEFORE},
	{"local kill",           ERR_KILLED,    LAST_BEFORE},
	{"?-line",               ERR_BANNED,    ALWAYS     },
	{"?:line",               ERR_BANNED,    ALWAYS     },
	{"?line",                ERR_BANNED,    ALWAYS     },
	{"gzline",               ERR_BANNED,    ALWAYS     },
	{"akill",                ERR_BANNED,    ALWAYS     },
	{"autokill",             ERR_BANNED,    ALWAYS     },
	{"banned",               ERR_BANNED,    ALWAYS     },
	{"not welcome",          ERR_BANNED,    ALWAYS     },
	{"blacklist",            ERR_BANNED,    ALWAYS     },
	{"dnsbl",                ERR_BANNED,    ALWAYS     },
	{"dronebl",              ERR_BANNED,    ALWAYS     },
	{"listed in",            ERR_BANNED,    ALWAYS     },
	{"open proxy",           ERR_BANNED,    ALWAYS     },
	{"throttl",              ERR_THROTTLED, ALWAYS     },
	{"too fast",             ERR_THROTTLED, ALWAYS     },
	{"too quickly",          ERR_THROTTLED, ALWAYS     },
	{"too many",             ERR_THROTTLED, ALWAYS     },
	{"no more connections",  ERR_THROTTLED, ALWAYS     },
	{"connections in use",   ERR_THROTTLED, ALWAYS     },
	{"maximum connections",  ERR_THROTTLED, ALWAYS     },
	{"class is full",        ERR_THROTTLED, ALWAYS     },
	{"server is full",       ERR_THROTTLED, ALWAYS     },
	{"limit exceeded",       ERR_THROTTLED, ALWAYS     },
	{"limit reached",        ERR_THROTTLED, ALWAYS     },
	{"flood",                ERR_THROTTLED, ALWAYS     },
	{"recvq",                ERR_THROTTLED, ALWAYS     },
	{"ping timeout",         ERR_PING,      ALWAYS     },
	{"registration timeout", ERR_TIMEOUT,   ALWAYS     },
	{"connection timeout",   ERR_TIMEOUT,   ALWAYS     },
	{"timed out",            ERR_TIMEOUT,   ALWAYS     },
	{"sasl",		 ERR_SASL,      BEFORE     },
};

/* "nick[host] (", "user@host server (", "nick by server (", "(user@host) [" */
static struct str skip_addressee(struct str text)
{
	const struct str opening = STR("closing link:");
	struct str rest = str_skip(text, opening.n);
	if (!str_ieq((struct str){text.p, text.n < opening.n ? text.n : opening.n}, opening))
		return text;
	struct str whole = rest;
	struct str who = str_word(&rest, " ");
	if (who.n && who.p[0] == '(' && !(str_has(who, '@') && who.p[who.n - 1] == ')'))
		return whole;
	struct str after = rest, next = str_word(&after, " ");
	if (str_eq(next, STR("by"))) {
		str_word(&after, " ");
		rest = after;
	} else if (str_has(next, '.') && next.p[0] != '(' && next.p[0] != '[') {
		rest = after;
	}
	while (rest.n && rest.p[0] == ' ')
		rest = str_skip(rest, 1);
	return rest.n && (rest.p[0] == '(' || rest.p[0] == '[') ? rest : whole;
}

static bool fits(char c, char wanted)
{
	unsigned char u = (unsigned char)c;
	return wanted == '?' ? isalpha(u) : tolower(u) == wanted;
}

static bool begins(struct str text, struct str word)
{
	if (text.n < word.n)
		return false;
	for (size_t i = 0; i < word.n; i++)
		if (!fits(text.p[i], word.p[i]))
			return false;
	return true;
}

/* Where the word is in the text; past its end: nowhere. */
static size_t find(struct str text, struct str word)
{
	for (size_t i = 0; i < text.n; i++)
		if ((i == 0 || !isalnum((unsigned char)text.p[i - 1])) &&
			begins(str_skip(text, i), word))
			return i;
	return SIZE_MAX;
}

/* Less is more. */
static size_t rank(const struct farewell *f, struct str text, bool is_registered)
{
	if (f->when == BEFORE && is_registered)
		return SIZE_MAX;
	size_t at = find(text, str_of(f->word));
	return at != SIZE_MAX && f->when == LAST_BEFORE && !is_registered ? at + text.n : at;
}

int farewell_kind(struct str text, bool is_registered, int otherwise)
{
	size_t least = SIZE_MAX;
	int kind = otherwise;
	struct str words = skip_addressee(text);
	for (size_t i = 0; i < COUNTOF(farewells); i++) {
		size_t at = rank(&farewells[i], words, is_registered);
		if (at >= least)
			continue;
		least = at;
		kind = farewells[i].kind;
	}
	return kind;
}
