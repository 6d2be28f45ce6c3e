/*
 * fuzz_roster: lines into a roster, which stays whole.
 *
 * Each line of the input is one of the server's. The session is played as far as the roster sees
 * it: 005 is applied and our nick followed. A line that begins with ! is none: the byte after it
 * says what the owner of the roster does.
 */
#include "irc/fields.h"
#include "irc/roster.h"
#include "support/roster_check.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct play {
	struct roster *roster;
	struct isupport *isupport;
	char nick[64];
};

static void apply_isupport(struct play *p, const struct message *m)
{
	for (size_t i = 1; i + 1 < m->n_params; i++)
		if (!isupport_apply(&p->isupport, m->params[i]))
			continue;
}

static void follow_nick(struct play *p, const struct message *m, int kind)
{
	bool is_mine = casemap_eq(p->isupport->casemap, m->nick, str_of(p->nick));
	if (kind == 1 || (kind == EVENT_NICK && is_mine))
		snprintf(p->nick, sizeof(p->nick), "%" STR_F, STR_A(m->params[0]));
}

static void hear(struct play *p, struct str line)
{
	struct message m;
	if (message_parse(&m, line) < 0)
		return;
	int kind = event_kind_of(&m, p->isupport);
	if (kind < 0)
		return;
	if (kind == 5)
		apply_isupport(p, &m);
	follow_nick(p, &m, kind);
	roster_hear(p->roster, &m, kind, p->isupport, str_of(p->nick));
}

static void ask_who(struct play *p)
{
	struct buf out;
	buf_init(&out, 64);
	roster_next_who(p->roster, p->isupport, &out);
	buf_fini(&out);
}

static void act(struct play *p, char what)
{
	switch (what) {
	case 'r':
		roster_reset(p->roster);
		break;
	case 's':
		roster_sweep(p->roster, 3);
		break;
	case 'w':
		ask_who(p);
		break;
	case 'g':
		roster_give_up_who(p->roster);
		break;
	case 't':
		roster_trust_account_tag(p->roster, true);
		break;
	}
}

static void check(const struct play *p)
{
	const char *fault = roster_fault(p->roster);
	if (!fault)
		return;
	fprintf(stderr, "%s\n", fault);
	abort();
}

static void dump(const struct play *p)
{
	struct buf out;
	buf_init(&out, SIZE_MAX / 2);
	roster_dump(p->roster, &out);
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct play p = {roster_new(size), isupport_new(), "ebb"};
	struct str rest = {(const char *)data, size};
	while (rest.n) {
		struct str line = str_cut(&rest, '\n');
		if (line.n >= 2 && line.p[0] == '!')
			act(&p, line.p[1]);
		else
			hear(&p, line);
		check(&p);
	}
	dump(&p);
	roster_reset(p.roster);
	while (roster_sweep(p.roster, 5))
		check(&p);
	roster_free(p.roster);
	isupport_unref(p.isupport);
	return 0;
}
