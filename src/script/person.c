#include "script/person.h"

#include <lauxlib.h>
#include <string.h>

enum { NICK_MAX_BYTES = 128 };

struct person {
	struct str network, channel, account; /* in bytes; channel absent in private */
	bool is_told; /* the server tells the account with each line, or that there is none */
	bool (*takes)(struct str message); /* NULL: not asked yet */
	uint64_t number;                   /* of the last event that counts for the nick */
	size_t nick_n;                     /* 0: they have none that we know */
	char nick[NICK_MAX_BYTES];
	char bytes[];
};

static const char person_type[] = "ebb.person";

/* A field that is text; absent when there is none. */
static struct str text_of(const struct event *e, struct str name)
{
	struct value v;
	bool is_text = event_field(e, name, &v) && (v.type == VALUE_STR || v.type == VALUE_ESCAPED);
	return is_text ? v.str : STR_NONE;
}

static struct str keep(struct str s, char **end)
{
	if (!s.p)
		return s;
	char *copy = *end;
	memcpy(copy, s.p, s.n);
	*end += s.n;
	return (struct str){copy, s.n};
}

/* One that is too long is not known: it never matches. */
static void set_nick(struct person *p, struct str nick)
{
	p->nick_n = nick.n <= sizeof(p->nick) ? nick.n : 0;
	if (p->nick_n)
		memcpy(p->nick, nick.p, p->nick_n);
}

static bool has_nick(const struct person *p, enum casemap cm, struct str nick)
{
	return p->nick_n && casemap_eq(cm, (struct str){p->nick, p->nick_n}, nick);
}

/* Somebody changes nick, or quits where new_nick is absent. */
static void step(struct person *p, enum casemap cm, struct str nick, struct str new_nick)
{
	if (has_nick(p, cm, nick))
		set_nick(p, new_nick);
	else if (has_nick(p, cm, new_nick))
		set_nick(p, STR_NONE); /* they gave it up where we did not see it */
}

static void follow(struct person *p, const struct event *e)
{
	if (e->number > p->number && !e->is_replayed)
		step(p, e->isupport->casemap, e->m.nick, text_of(e, STR("new_nick")));
}

static void follow_trail(struct person *p, const struct trail *t, enum casemap cm)
{
	list_each (node, &t->steps) {
		const struct trail_step *s = container_of(node, struct trail_step, node);
		if (s->number <= p->number)
			continue;
		step(p, cm, s->nick, s->new_nick);
		p->number = s->number;
	}
}

struct person *person_push(lua_State *L, const struct event *e, const struct trail *t)
{
	struct str nick = text_of(e, STR("nick"));
	struct str channel = text_of(e, STR("channel")), account = text_of(e, STR("account"));
	if (!nick.n)
		return NULL;
	size_t n = e->net_name.n + channel.n + account.n;
	struct person *p = lua_newuserdatauv(L, sizeof(*p) + n, 0);
	*p = (struct person){.is_told = message_tag(&e->m, STR("account")).n > 0};
	p->number = e->number;
	char *end = p->bytes;
	p->network = keep(e->net_name, &end);
	p->channel = keep(channel, &end);
	p->account = keep(account, &end);
	set_nick(p, nick);
	if (e->kind == EVENT_NICK || e->kind == EVENT_QUIT)
		step(p, e->isupport->casemap, nick, text_of(e, STR("new_nick")));
	follow_trail(p, t, e->isupport->casemap);
	luaL_newmetatable(L, person_type);
	lua_setmetatable(L, -2);
	return p;
}

struct person *person_test(lua_State *L, int index)
{
	return luaL_testudata(L, index, person_type);
}

struct str person_network(const struct person *p)
{
	return p->network;
}

void person_ask(struct person *p, bool (*takes)(struct str message))
{
	p->takes = takes;
}

static bool is_same(const struct person *p, const struct event *e)
{
	struct str account = text_of(e, STR("account"));
	if (p->account.n && (account.n || p->is_told))
		return str_eq(account, p->account);
	return has_nick(p, e->isupport->casemap, e->m.nick);
}

static bool is_here(const struct person *p, const struct event *e)
{
	struct str channel = text_of(e, STR("channel"));
	return casemap_eq(e->isupport->casemap, channel, p->channel); /* absent: in private */
}

bool person_answers(struct person *p, const struct event *e)
{
	if (e->kind != EVENT_PRIVMSG) {
		follow(p, e);
		return false;
	}
	return p->takes && is_same(p, e) && is_here(p, e) && p->takes(text_of(e, STR("message")));
}
