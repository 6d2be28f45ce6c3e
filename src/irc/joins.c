#include "irc/joins.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "irc/handle.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { JOIN_LINE_BYTES = 400 };

#define KICK_DELAY_NS  (5 * NS_PER_S)
#define KICK_FORGET_NS (600 * NS_PER_S) /* who was in that long was not thrown out in a row */
#define AGAIN_MAX_NS   (3600 * NS_PER_S)
#define ANSWER_NS      (600 * NS_PER_S) /* then it is asked again: the line may have gone nowhere */

/* Why we are kept out, and after how long it is worth asking again; 0: not by itself. */
static const struct refusal {
	int numeric, again_s;
} refusals[] = {
	{403, 600}, /* no such channel: it may be made yet */
	{405, 600}, /* in too many channels */
	{437, 30 }, /* held for a while after a split */
	{471, 60 }, /* full */
	{473, 300}, /* by invitation only; an invitation is followed at once */
	{474, 300}, /* banned */
	{475, 600}, /* wrong key */
	{476, 0  }, /* no channel's name */
	{477, 120}, /* for accounts only; a login is followed at once */
	{479, 0  }, /* no channel's name */
	{480, 60 }, /* joins too fast, or needs TLS */
	{489, 0  }, /* needs TLS */
	{495, 60 }, /* too soon after a kick */
	{519, 0  }, /* for administrators */
	{520, 0  }, /* for operators */
};

static struct joined *find(const struct session *s, struct str name)
{
	list_each (node, &s->joins.channels) {
		struct joined *j = container_of(node, struct joined, node);
		if (casemap_eq(s->isupport->casemap, str_of(j->name), name))
			return j;
	}
	return NULL;
}

static const struct session_channel *find_option(
	const struct session *s, const struct session_options *o, struct str name)
{
	for (size_t i = 0; i < o->n_channels; i++)
		if (casemap_eq(s->isupport->casemap, str_of(o->channels[i].name), name))
			return &o->channels[i];
	return NULL;
}

static void set_key(struct joined *j, struct str key)
{
	mem_wipe_free(j->key);
	j->key = key.n ? str_dup(key) : NULL;
}

/* NULL, and nothing is added, past the maximum. */
static struct joined *add(struct session *s, struct str name)
{
	if (s->joins.n == SESSION_CHANNELS_MAX) {
		log_warn("%s: channel %" STR_F ": not kept: these are %d already",
			s->options->network, STR_A(name), SESSION_CHANNELS_MAX);
		return NULL;
	}
	const struct session_channel *c = find_option(s, s->options, name);
	struct joined *j = mem_new(sizeof(*j));
	j->name = str_dup(name);
	j->again_ns = -1;
	j->is_configured = c != NULL;
	if (c)
		set_key(j, str_of(c->key));
	list_append(&s->joins.channels, &j->node);
	s->joins.n++;
	return j;
}

/* What is there, or is added; an absent key leaves the one that is known. */
static struct joined *note(struct session *s, struct str name, struct str key)
{
	struct joined *j = find(s, name);
	if (!j)
		j = add(s, name);
	if (j && key.n)
		set_key(j, key);
	return j;
}

static void forget(struct session *s, struct joined *j)
{
	list_remove(&j->node);
	assert(s->joins.channels.next != &j->node);
	s->joins.n--;
	free(j->name);
	mem_wipe_free(j->key);
	free(j);
}

void joins_init(struct session *s)
{
	const struct session_options *o = s->options;
	list_init(&s->joins.channels);
	s->joins.again_ns = -1;
	for (size_t i = 0; i < o->n_channels; i++) {
		struct joined *j = note(s, str_of(o->channels[i].name), str_of(o->channels[i].key));
		if (j)
			j->is_wanted = true;
	}
}

void joins_fini(struct session *s)
{
	list_each_safe (node, &s->joins.channels)
		forget(s, container_of(node, struct joined, node));
}

static void try_after(struct session *s, struct joined *j, int64_t delay_ns)
{
	j->again_ns = s->now_ns + delay_ns;
	s->joins.again_ns = clock_earlier(s->joins.again_ns, j->again_ns);
}

/* A JOIN line being filled; keys belong to the first channels of a line. */
struct join_line {
	struct buf channels, keys;
	size_t n, max; /* channels in it; max 0: as many as fit */
};

static void send_join(struct session *s, struct join_line *jl)
{
	struct str channels = buf_str(&jl->channels), keys = buf_str(&jl->keys);
	if (channels.n == 0)
		return;
	session_push(s, LANE_NORMAL, "JOIN %" STR_F "%s%" STR_F, STR_A(channels), keys.n ? " " : "",
		STR_A(keys));
	buf_reset(&jl->channels);
	buf_reset(&jl->keys);
	jl->n = 0;
}

static int add_item(struct buf *b, const char *item)
{
	return item ? buf_addf(b, "%s%s", buf_str(b).n ? "," : "", item) : 0;
}

static void add_channel(struct session *s, struct join_line *jl, const struct joined *j)
{
	size_t wanted = strlen(j->name) + (j->key ? strlen(j->key) : 0) + 2;
	bool is_full = jl->max && jl->n == jl->max;
	if (is_full || buf_str(&jl->channels).n + buf_str(&jl->keys).n + wanted > JOIN_LINE_BYTES)
		send_join(s, jl);
	jl->n++;
	if (add_item(&jl->channels, j->name) < 0 || add_item(&jl->keys, j->key) < 0)
		log_warn("%s: join %s: the name or key is too long", s->options->network, j->name);
}

static void join_some(struct session *s, struct join_line *jl, bool with_key)
{
	list_each (node, &s->joins.channels) {
		struct joined *j = container_of(node, struct joined, node);
		if (!j->is_due || (j->key != NULL) != with_key)
			continue;
		j->is_due = false;
		j->refusals += j->is_asked;
		j->is_asked = true;
		try_after(s, j, clock_doubled(ANSWER_NS, j->refusals, AGAIN_MAX_NS));
		add_channel(s, jl, j);
	}
}

/* Those that are due. */
static void join_due(struct session *s)
{
	struct join_line jl = {.max = isupport_targets_max(s->isupport, STR("JOIN"))};
	buf_init(&jl.channels, JOIN_LINE_BYTES);
	buf_init(&jl.keys, JOIN_LINE_BYTES);
	join_some(s, &jl, true);
	join_some(s, &jl, false);
	send_join(s, &jl);
	buf_fini(&jl.channels);
	buf_fini(&jl.keys);
}

void joins_enter_all(struct session *s)
{
	list_each (node, &s->joins.channels) {
		struct joined *j = container_of(node, struct joined, node);
		j->is_due = j->is_wanted;
	}
	join_due(s);
}

static void leave_old(struct session *s)
{
	list_each_safe (node, &s->joins.channels) {
		struct joined *j = container_of(node, struct joined, node);
		if (!j->is_configured || find_option(s, s->options, str_of(j->name)))
			continue;
		if ((j->is_in || j->is_asked) && session_is_talking(s))
			session_push(s, LANE_NORMAL, "PART %s", j->name);
		forget(s, j);
	}
}

static bool is_same_channel(const struct session_channel *a, const struct session_channel *b)
{
	return a && str_eq(str_of(a->key), str_of(b->key));
}

static void enter_new(struct session *s, const struct session_channel *c)
{
	struct joined *j = note(s, str_of(c->name), str_of(c->key));
	if (!j)
		return;
	j->is_wanted = true;
	set_key(j, str_of(c->key));
	j->is_due = session_is_talking(s) && !j->is_in;
}

/* What is as it was stays as it is: scripts may have left it, or somebody have thrown us out. */
void joins_configure(struct session *s, const struct session_options *old)
{
	leave_old(s);
	for (size_t i = 0; i < s->options->n_channels; i++) {
		const struct session_channel *c = &s->options->channels[i];
		if (!is_same_channel(find_option(s, old, str_of(c->name)), c))
			enter_new(s, c);
	}
	if (session_is_talking(s))
		join_due(s);
}

void joins_note_sent(struct session *s, const struct message *m)
{
	if (m->n_params < 2)
		return;
	struct str channels = m->params[0], keys = m->params[1];
	while (keys.n && channels.p) {
		struct str channel = str_cut(&channels, ',');
		note(s, channel, str_cut(&keys, ','));
	}
}

static void enter(struct session *s, struct joined *j)
{
	j->is_wanted |= !j->is_forward;
	j->is_in = true;
	j->is_asked = false;
	j->reason = 0;
	j->refusals = 0;
	j->again_ns = -1;
	j->in_ns = s->now_ns;
}

void joins_on_join(struct session *s, const struct message *m)
{
	struct joined *j = note(s, m->params[0], STR_NONE);
	if (j)
		enter(s, j);
}

void joins_on_part(struct session *s, const struct message *m)
{
	struct joined *j = find(s, m->params[0]);
	if (j)
		forget(s, j);
}

/* Who has been in the channel for long enough begins to count anew. */
void joins_on_kick(struct session *s, const struct message *m)
{
	struct joined *j = find(s, m->params[0]);
	if (!j)
		return;
	j->is_in = false;
	if (s->now_ns - j->in_ns >= KICK_FORGET_NS)
		j->kicks = 0;
	if (!j->is_wanted)
		return;
	if (++j->kicks > JOINS_KICKS_MAX)
		log_warn("%s: %s: kicked %u times: not joined again until the next connection",
			s->options->network, j->name, j->kicks);
	else
		try_after(s, j, clock_doubled(KICK_DELAY_NS, j->kicks - 1, AGAIN_MAX_NS));
}

/* What is wanted, and where we are not in. */
static struct joined *find_outside(const struct session *s, struct str name)
{
	struct joined *j = find(s, name);
	return j && j->is_wanted && !j->is_in ? j : NULL;
}

/* Where the new name stands already, the channel of the old one is gone. */
void joins_on_rename(struct session *s, const struct message *m)
{
	struct joined *j = find(s, m->params[0]), *other = find(s, m->params[1]);
	if (!j)
		return;
	if (other && other != j) {
		other->is_in |= j->is_in;
		forget(s, j);
		return;
	}
	free(j->name);
	j->name = str_dup(m->params[1]);
	j->is_configured = find_option(s, s->options, m->params[1]) != NULL;
}

void joins_on_invite(struct session *s, const struct message *m)
{
	struct joined *j = find_outside(s, m->params[1]);
	if (j && !j->is_asked && session_is_me(s, m->params[0]))
		try_after(s, j, 0);
}

static int64_t delay_of(int numeric)
{
	for (size_t i = 0; i < COUNTOF(refusals); i++)
		if (refusals[i].numeric == numeric)
			return refusals[i].again_s * NS_PER_S;
	return 0;
}

static void log_refusal(const struct session *s, const struct joined *j, struct str words)
{
	if (j->again_ns >= 0)
		log_info("%s: join %s: refused: %" STR_F ": tried again in %lld s",
			s->options->network, j->name, STR_A(words),
			(long long)((j->again_ns - s->now_ns) / NS_PER_S));
	else
		log_warn("%s: join %s: refused: %" STR_F, s->options->network, j->name,
			STR_A(words));
}

void joins_on_refusal(struct session *s, const struct message *m)
{
	struct joined *j = find_outside(s, message_param(m, 1));
	if (!j || !j->is_asked)
		return;
	int64_t delay_ns = delay_of(m->numeric);
	j->is_asked = false;
	j->again_ns = -1;
	j->reason = m->numeric;
	if (delay_ns)
		try_after(s, j, clock_doubled(delay_ns, j->refusals++, AGAIN_MAX_NS));
	log_refusal(s, j, message_last(m));
}

void joins_on_forward(struct session *s, const struct message *m)
{
	struct joined *from = find_outside(s, message_param(m, 1));
	struct str to = message_param(m, 2);
	if (!from || !from->is_asked || !isupport_is_channel(s->isupport, to))
		return;
	from->is_asked = false;
	from->again_ns = -1;
	from->reason = m->numeric;
	log_info("%s: join %s: forwarded to %" STR_F, s->options->network, from->name, STR_A(to));
	struct joined *j = note(s, to, STR_NONE);
	if (j && !j->is_wanted)
		j->is_forward = true;
}

void joins_on_login(struct session *s)
{
	list_each (node, &s->joins.channels) {
		struct joined *j = container_of(node, struct joined, node);
		if (j->reason == 477 && j->is_wanted && !j->is_in)
			try_after(s, j, 0);
	}
}

int64_t joins_deadline(const struct session *s)
{
	return session_is_talking(s) ? s->joins.again_ns : -1;
}

void joins_tick(struct session *s)
{
	if (s->joins.again_ns < 0 || s->joins.again_ns > s->now_ns)
		return;
	s->joins.again_ns = -1;
	list_each (node, &s->joins.channels) {
		struct joined *j = container_of(node, struct joined, node);
		j->is_due = j->again_ns >= 0 && j->again_ns <= s->now_ns && j->is_wanted;
		if (!j->is_due)
			s->joins.again_ns = clock_earlier(s->joins.again_ns, j->again_ns);
	}
	join_due(s);
}

void joins_end(struct session *s)
{
	s->joins.again_ns = -1;
	list_each_safe (node, &s->joins.channels) {
		struct joined *j = container_of(node, struct joined, node);
		j->is_in = j->is_asked = false;
		j->reason = 0;
		j->refusals = j->kicks = 0;
		j->again_ns = -1;
		if (!j->is_wanted)
			forget(s, j);
	}
}
