#include "script/event.h"

#include "base/mem.h"
#include "script/persist.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* An event on the heap; the host's list, while it waits for its turn. */
struct kept {
	struct list node;
	struct event e;
};

static size_t count;

size_t event_count(void)
{
	return count;
}

/* Copies s behind *end. */
static void move_str(struct str *s, char **end)
{
	if (!s->p)
		return;
	if (s->n)
		memcpy(*end, s->p, s->n);
	s->p = *end;
	*end += s->n;
}

/* Points a slice of the old line at the same place in the new one. */
static void rebase(struct str *s, const char *from, const char *to)
{
	if (s->p)
		s->p = to + (s->p - from);
}

static void move_message(struct message *m, char **end)
{
	const char *from = m->raw.p;
	move_str(&m->raw, end);
	const char *to = m->raw.p;
	struct str *parts[] = {&m->tags, &m->source, &m->nick, &m->user, &m->host, &m->command};
	for (size_t i = 0; i < COUNTOF(parts); i++)
		rebase(parts[i], from, to);
	for (size_t i = 0; i < m->n_params; i++)
		rebase(&m->params[i], from, to);
}

/* Without the parameters that it does not have. */
static size_t head_size(const struct event *e)
{
	if (!e->is_line)
		return offsetof(struct event, values) + sizeof(e->values);
	return offsetof(struct event, m.params) + e->m.n_params * sizeof(struct str);
}

size_t event_size(const struct event *e)
{
	return head_size(e) + e->net_name.n + e->extra.n + e->opening.n +
	       (e->is_line ? e->m.raw.n : e->values.n);
}

void event_copy(const struct event *from, void *to)
{
	struct event *e = to;
	size_t head = head_size(from);
	char *end = (char *)to + head;
	memcpy(to, from, head);
	e->refs = 0;
	move_str(&e->net_name, &end);
	move_str(&e->extra, &end);
	move_str(&e->opening, &end);
	if (from->is_line)
		move_message(&e->m, &end);
	else
		move_str(&e->values, &end);
}

void event_hold(struct event **e)
{
	const struct event *from = *e;
	if (from->refs)
		return;
	struct kept *k = mem_new(offsetof(struct kept, e) + event_size(from));
	list_init(&k->node);
	event_copy(from, &k->e);
	k->e.refs = 1;
	if (from->isupport)
		isupport_ref(from->isupport);
	count++;
	*e = &k->e;
}

struct list *event_node(struct event *e)
{
	return &container_of(e, struct kept, e)->node;
}

struct event *event_of(struct list *node)
{
	return &container_of(node, struct kept, node)->e;
}

int64_t event_wall_ns(const struct event *e)
{
	int64_t server_ns;
	bool has_time = e->is_line && e->m.tags.p &&
			message_time(message_tag(&e->m, STR("time")), &server_ns);
	return has_time ? server_ns : e->wall_ns;
}

struct event *event_ref(struct event *e)
{
	assert(e->refs);
	e->refs++;
	return e;
}

void event_unref(struct event *e)
{
	if (!e || --e->refs)
		return;
	if (e->isupport)
		isupport_unref(e->isupport);
	free(container_of(e, struct kept, e));
	count--;
}

bool event_is_talk(const struct event *e)
{
	return e->kind == EVENT_PRIVMSG || e->kind == EVENT_NOTICE || e->kind == EVENT_TAGMSG ||
	       e->kind == EVENT_CTCP || e->kind == EVENT_CTCP_REPLY || e->kind == EVENT_ACTION;
}

static struct value str_value(struct str s)
{
	return (struct value){.type = s.p ? VALUE_STR : VALUE_NONE, .str = s};
}

static struct value bool_value(bool b)
{
	return (struct value){.type = VALUE_BOOL, .integer = b};
}

/* The fields that extra is, each of the one kind that has it. */
static struct value extra_value(const struct event *e, enum value_type type)
{
	return (struct value){.type = e->extra.p ? type : VALUE_NONE, .str = e->extra};
}

/* Of a batch that closes, from the words that opened it. */
static bool opening_field(const struct event *e, struct str name, struct value *out)
{
	struct str params = e->opening, type = str_word(&params, " ");
	if (!type.p)
		return false;
	if (str_eq(name, STR("type")))
		*out = str_value(type);
	else if (str_eq(name, STR("batch_params")))
		*out = (struct value){.type = VALUE_WORDS, .str = params};
	else
		return false;
	return true;
}

/* What is no message's: of every event. net and time are for convert.c to make. */
static bool own_field(const struct event *e, struct str name, struct value *out)
{
	if (str_eq(name, STR("event")))
		*out = str_value(str_of(e->name));
	else if (str_eq(name, STR("network")))
		*out = str_value(e->net_name);
	else if (str_eq(name, STR("mine")))
		*out = bool_value(e->is_mine);
	else if (str_eq(name, STR("replayed")))
		*out = bool_value(e->is_replayed);
	else if (e->kind == EVENT_QUIT && str_eq(name, STR("channels")))
		*out = extra_value(e, VALUE_WORDS);
	else if (e->kind == EVENT_BATCH && str_eq(name, STR("messages")))
		*out = extra_value(e, VALUE_LINES);
	else
		return opening_field(e, name, out);
	return true;
}

bool event_field(const struct event *e, struct str name, struct value *out)
{
	if (!e->is_line)
		return own_field(e, name, out) || persist_find(e->values, name, out);
	const struct field *f = field_find(e->kind < EVENT_KINDS ? e->kind : EVENT_UNKNOWN, name);
	if (!f)
		return own_field(e, name, out);
	field_read(f, &e->m, e->isupport, out);
	if (out->type == VALUE_NONE)
		own_field(e, name, out);
	return true;
}
