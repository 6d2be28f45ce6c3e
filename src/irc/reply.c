#include "irc/reply.h"

#include <assert.h>
#include <string.h>

enum { NO_PARAM = 100 };

struct reply_row {
	struct str command;
	bool (*fits)(const struct asked *asked, char letter); /* NULL: always */
	char letter;
	int list; /* the parameter of the question whose elements end one by one */
	const struct reply_answer *answers;
	size_t n;
};

/* Parameter i, from the end where i is negative. */
static struct str param_at(const struct message *m, int i)
{
	if (i < 0)
		i += (int)m->n_params;
	return i < 0 ? STR_NONE : message_param(m, (size_t)i);
}

static bool same(const struct heard *h, struct str a, struct str b)
{
	return casemap_eq(h->is->casemap, a, b);
}

static bool is_one_of(const struct heard *h, struct str name, struct str list)
{
	while (list.n) {
		struct str element = str_cut(&list, ',');
		if (same(h, element, name))
			return true;
	}
	return false;
}

static bool has_wildcard(struct str s)
{
	return str_has(s, '*') || str_has(s, '?');
}

/* What the question left open holds for any reply, and so does a mask for the parts of an answer.
 */
static bool is_same(
	const struct heard *h, const struct reply_question *q, const struct reply_answer *a)
{
	struct str reply = param_at(h->m, a->at), wanted = param_at(&q->m, a->of);
	if (!wanted.p)
		return true;
	if (!reply.p)
		return false;
	if (a->role == ROLE_PART && has_wildcard(wanted))
		return true;
	bool is_list = q->row->list == a->of;
	return same(h, reply, wanted) || is_one_of(h, reply, is_list ? buf_str(&q->left) : wanted);
}

static bool is_from_us(const struct heard *h)
{
	return h->m->nick.p && same(h, h->m->nick, h->me);
}

static bool is_ours(
	const struct heard *h, const struct reply_question *q, const struct reply_answer *a)
{
	return is_from_us(h) && is_same(h, q, a);
}

static bool is_our_kick(
	const struct heard *h, const struct reply_question *q, const struct reply_answer *a)
{
	struct str channel = message_param(h->m, 0), channels = message_param(&q->m, 0);
	return channels.p && is_one_of(h, channel, channels) && is_ours(h, q, a);
}

/* A nick that is too long is cut by some servers. */
static bool is_our_nick(
	const struct heard *h, const struct reply_question *q, const struct reply_answer *a)
{
	struct str nick = param_at(h->m, a->at), wanted = param_at(&q->m, a->of);
	if (!wanted.p || !nick.n || nick.n > wanted.n || !is_from_us(h))
		return false;
	return same(h, nick, (struct str){wanted.p, nick.n});
}

/* The token, which is no name. */
static bool is_pong(
	const struct heard *h, const struct reply_question *q, const struct reply_answer *a)
{
	return str_eq(param_at(h->m, a->at), param_at(&q->m, a->of));
}

/* "nick!user@host,nick,…" against the nicks that were asked for */
static bool is_monitored(
	const struct heard *h, const struct reply_question *q, const struct reply_answer *a)
{
	struct str rest = param_at(h->m, a->at), wanted = param_at(&q->m, a->of);
	while (rest.n) {
		struct str target = str_cut(&rest, ',');
		if (is_one_of(h, str_cut(&target, '!'), wanted))
			return true;
	}
	return false;
}

static bool is_everything(struct str mask)
{
	return !mask.p || str_eq(mask, STR("*")) || str_eq(mask, STR("0"));
}

static bool is_mask(
	const struct heard *h, const struct reply_question *q, const struct reply_answer *a)
{
	struct str reply = param_at(h->m, a->at), wanted = param_at(&q->m, a->of);
	return is_everything(wanted) ? is_everything(reply) : is_same(h, q, a);
}

/* A mask that is no channel finds users in any. */
static bool is_in_channel(
	const struct heard *h, const struct reply_question *q, const struct reply_answer *a)
{
	struct str wanted = param_at(&q->m, a->of);
	return !wanted.p || !isupport_is_channel(h->is, wanted) || is_same(h, q, a);
}

/* "%tna,42": the token comes first where it is asked for (IRCv3 WHOX). */
static bool has_token(
	const struct heard *h, const struct reply_question *q, const struct reply_answer *a)
{
	struct str token = param_at(&q->m, a->of);
	struct str fields = str_cut(&token, ',');
	return !token.n || !str_has(fields, 't') || str_eq(param_at(h->m, a->at), token);
}

static bool is_command(
	const struct heard *h, const struct reply_question *q, const struct reply_answer *a)
{
	struct str command = param_at(h->m, a->at);
	return command.p && str_ieq(command, q->m.command);
}

/* CHATHISTORY LATEST #c … is answered by the history of #c, CHATHISTORY TARGETS … by a list. */
static bool is_history(
	const struct heard *h, const struct reply_question *q, const struct reply_answer *a)
{
	(void)a;
	const struct batch *b = h->batch->batch;
	struct str subcommand = message_param(&q->m, 0), target = message_param(&q->m, 1);
	if (h->batch->event != BATCH_OPENED || !subcommand.p)
		return false;
	if (str_ieq(subcommand, STR("TARGETS")))
		return str_eq(b->type, STR("draft/chathistory-targets"));
	return str_eq(b->type, STR("chathistory")) && b->n_params > 0 && target.p &&
	       same(h, b->params[0], target);
}

static bool has_none(const struct asked *asked, char letter)
{
	(void)letter;
	return asked->m->n_params == 0;
}

static bool has_one(const struct asked *asked, char letter)
{
	(void)letter;
	return asked->m->n_params == 1;
}

static bool has_letter(const struct asked *asked, char letter)
{
	struct str s = message_param(asked->m, 0);
	return s.n == 1 && str_ieq(s, (struct str){&letter, 1});
}

static bool has_no_names(const struct asked *asked, char letter)
{
	(void)letter;
	return asked->has_no_names;
}

static bool is_of_channel(const struct asked *asked, char letter)
{
	(void)letter;
	struct str target = message_param(asked->m, 0);
	return target.n && isupport_is_channel(asked->is, target) && asked->m->n_params > 1;
}

static bool is_channel_query(const struct asked *asked, char letter)
{
	(void)letter;
	struct str target = message_param(asked->m, 0);
	return target.n && isupport_is_channel(asked->is, target) && asked->m->n_params == 1;
}

/* MODE #c b, MODE #c +b */
static bool is_list_query(const struct asked *asked, char letter)
{
	struct str modes = message_param(asked->m, 1);
	if (str_starts(modes, STR("+")))
		modes = str_skip(modes, 1);
	return is_of_channel(asked, letter) && asked->m->n_params == 2 && modes.n == 1 &&
	       modes.p[0] == letter;
}

static bool is_whox(const struct asked *asked, char letter)
{
	(void)letter;
	return str_has(message_param(asked->m, 1), '%');
}

#include "irc/reply_table.h"

#define ANSWERS(...) ((const struct reply_answer[]){__VA_ARGS__})
#define REPLY_ROW(command, fits, letter, list, ...)                    \
	{STR_CONST(command), fits, letter, list, ANSWERS(__VA_ARGS__), \
		COUNTOF(ANSWERS(__VA_ARGS__))},

static const struct reply_row rows[] = {REPLY_TABLE(REPLY_ROW)};

static const struct reply_answer common_answers[] = {COMMON_ANSWERS};

const struct reply_row *reply_row(const struct asked *asked)
{
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		const struct reply_row *row = &rows[i];
		if (str_ieq(row->command, asked->m->command) &&
			(!row->fits || row->fits(asked, row->letter)))
			return row;
	}
	return NULL;
}

/* By label every line of the answer is known to be one: only its kind is asked for. */
static bool answers(
	const struct reply_answer *a, const struct heard *h, const struct reply_question *q)
{
	if (h->kind < a->first || h->kind > a->last)
		return false;
	return q->is_labeled || !a->fits || a->fits(h, q, a);
}

const struct reply_answer *question_hear(const struct reply_question *q, const struct heard *h)
{
	for (size_t i = 0; q->row && i < q->row->n; i++)
		if (answers(&q->row->answers[i], h, q))
			return &q->row->answers[i];
	for (size_t i = 0; i < COUNTOF(common_answers); i++)
		if (answers(&common_answers[i], h, q))
			return &common_answers[i];
	return NULL;
}

void question_init(struct reply_question *q, struct str line, const struct reply_row *row)
{
	int r = message_parse(&q->m, line);
	struct str list = row ? param_at(&q->m, row->list) : STR_NONE;
	q->row = row;
	buf_init(&q->left, list.n);
	if (r >= 0)
		r = buf_add(&q->left, list);
	assert(r >= 0);
}

void question_fini(struct reply_question *q)
{
	buf_fini(&q->left);
}

static void count_answers(
	uint16_t counts[EVENT_KINDS], const struct reply_answer *a, size_t n, int by)
{
	for (size_t i = 0; i < n; i++)
		for (int kind = a[i].first; kind <= a[i].last; kind++)
			counts[kind] = (uint16_t)(counts[kind] + by);
}

void question_count(const struct reply_question *q, uint16_t counts[EVENT_KINDS], int by)
{
	if (q->row)
		count_answers(counts, q->row->answers, q->row->n, by);
	count_answers(counts, common_answers, COUNTOF(common_answers), by);
}

/* Takes what equals name out of what is left. */
static void take_out(struct reply_question *q, const struct heard *h, struct str name)
{
	struct buf left;
	int added = 0;
	buf_init(&left, q->left.max);
	for (struct str rest = buf_str(&q->left); rest.n && added >= 0;) {
		struct str element = str_cut(&rest, ',');
		if (same(h, element, name))
			continue;
		if (left.n)
			added = buf_add(&left, STR(","));
		if (added >= 0)
			added = buf_add(&left, element);
	}
	assert(added >= 0);
	buf_fini(&q->left);
	q->left = left;
}

bool question_ends(struct reply_question *q, const struct heard *h, const struct reply_answer *a)
{
	struct str name = param_at(h->m, a->at), asked = param_at(&q->m, a->of);
	if (a->of != q->row->list || !name.p || !asked.p || same(h, name, asked))
		return true;
	take_out(q, h, name);
	return q->left.n == 0;
}

#define NO_FACT                      \
	{                            \
		NULL, NULL, FACT_SET \
	}
#define FACTS(...)           ((const struct fact[]){__VA_ARGS__, NO_FACT})
#define FACT_ROWS(kind, ...) [kind] = FACTS(__VA_ARGS__),

static const struct fact *const facts[EVENT_KINDS] = {FACT_TABLE(FACT_ROWS)};

const struct fact *reply_facts(int kind, size_t *n)
{
	assert(kind >= 0 && kind < EVENT_KINDS);
	const struct fact *f = facts[kind];
	for (*n = 0; f && f[*n].fact;)
		++*n;
	return f;
}

static bool is_list(const struct fact *f)
{
	return f->type == FACT_APPEND || f->type == FACT_COMMAS || f->type == FACT_ROW;
}

static void each_list_of(int kind, void (*found)(void *data, const char *fact), void *data)
{
	size_t n;
	const struct fact *f = reply_facts(kind, &n);
	for (size_t i = 0; i < n; i++)
		if (is_list(&f[i]))
			found(data, f[i].fact);
}

void reply_each_list(
	const struct reply_row *row, void (*found)(void *data, const char *fact), void *data)
{
	for (size_t i = 0; row && i < row->n; i++)
		for (int kind = row->answers[i].first; kind <= row->answers[i].last; kind++)
			each_list_of(kind, found, data);
}
