#include "irc/aim.h"

/* Only what keeps its meaning when it stays behind is missing here: a line about nobody is not held
 * to the order of the others. */
static const struct {
	const char *command;
	unsigned first, last; /* the parameters that name targets */
} rows[] = {
	{"CHATHISTORY", 1, 1},
	{"CNOTICE",     1, 1}, /* its channel, as below */
	{"CPRIVMSG",    1, 1},
	{"INVITE",      1, 1},
	{"JOIN",        0, 0},
	{"KICK",        0, 0},
	{"KNOCK",       0, 0},
	{"LIST",        0, 0},
	{"MARKREAD",    0, 0},
	{"MODE",        0, 0},
	{"NAMES",       0, 0},
	{"NOTICE",      0, 0},
	{"PART",        0, 0},
	{"PRIVMSG",     0, 0},
	{"REDACT",      0, 0},
	{"RENAME",      0, 1},
	{"SQUERY",      0, 0},
	{"TAGMSG",      0, 0},
	{"TOPIC",       0, 0},
	{"WHO",         0, 0},
	{"WHOIS",       0, 0},
	{"WHOWAS",      0, 0},
};

static size_t add_name(const struct isupport *is, struct str name, char *out, size_t n)
{
	struct str channel = isupport_channel_of(is, name, NULL);
	if (channel.p)
		name = channel;
	size_t comma = n > 0;
	if (name.n == 0 || name.n + comma > AIM_MAX_BYTES - n)
		return n;
	if (comma)
		out[n++] = ',';
	casemap_fold_str(is->casemap, name, out + n);
	return n + name.n;
}

struct str aim_of(const struct isupport *is, const struct message *m, char *out)
{
	size_t i = 0, n = 0;
	while (i < COUNTOF(rows) && !str_ieq(m->command, str_of(rows[i].command)))
		i++;
	if (i == COUNTOF(rows))
		return STR_NONE;
	for (size_t k = rows[i].first; k <= rows[i].last; k++) {
		struct str names = message_param(m, k);
		while (names.n)
			n = add_name(is, str_cut(&names, ','), out, n);
	}
	return n ? (struct str){out, n} : STR_NONE;
}
