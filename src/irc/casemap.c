#include "irc/casemap.h"

/* All fold a run of bytes from A on by the same distance; they differ in where the run ends. Early
 * drafts of RPL_ISUPPORT name the strict one the other way round. */
static const struct {
	const char *name;
	enum casemap casemap;
	char last;
} rows[] = {
	{"ascii",          CASEMAP_ASCII,          'Z'},
	{"rfc1459",        CASEMAP_RFC1459,        '^'},
	{"rfc1459-strict", CASEMAP_RFC1459_STRICT, ']'},
	{"strict-rfc1459", CASEMAP_RFC1459_STRICT, ']'},
};

bool casemap_parse(struct str name, enum casemap *out)
{
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		if (str_ieq(name, str_of(rows[i].name))) {
			*out = rows[i].casemap;
			return true;
		}
	}
	return false;
}

const char *casemap_name(enum casemap cm)
{
	return rows[cm].name;
}

char casemap_fold(enum casemap cm, char c)
{
	return (char)(c >= 'A' && c <= rows[cm].last ? c + ('a' - 'A') : c);
}

bool casemap_eq(enum casemap cm, struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (a.p[i] != b.p[i] && casemap_fold(cm, a.p[i]) != casemap_fold(cm, b.p[i]))
			return false;
	return true;
}

void casemap_fold_str(enum casemap cm, struct str s, char *out)
{
	for (size_t i = 0; i < s.n; i++)
		out[i] = casemap_fold(cm, s.p[i]);
}
