#include "support/roster_check.h"

#include "base/mem.h"
#include "irc/roster_inside.h"

#include <stdlib.h>
#include <string.h>

/* Of slots: every thing that is linked is found, and counts agree. */

static const char *pages_fault(const struct slots *s)
{
	uint32_t n = 0, n_room = 0, n_roomy = 0;
	for (uint32_t i = 0; i < s->n_pages; i++) {
		const struct slots_page *page = &s->pages[i];
		n += page->n;
		n_room += page->n < slots_page_size(s, i);
		if ((page->n == 0) != (page->things == NULL))
			return "an empty page keeps its memory";
	}
	for (uint32_t i = s->roomy; i != SLOTS_NONE && n_roomy <= s->n_pages; i = s->pages[i].next)
		n_roomy++;
	if (n_room != n_roomy)
		return "pages with room are lost";
	return n == s->n ? NULL : "pages hold another number of things";
}

static const char *buckets_fault(const struct slots *s)
{
	uint32_t n = 0;
	for (uint32_t b = 0; b < s->n_buckets; b++) {
		for (uint32_t i = s->buckets[b]; i != SLOTS_NONE; i = slots_next(s, i)) {
			const struct slot *slot = slots_at(s, i);
			uint32_t at = slots_first(s, slot->hash);
			if (at != s->buckets[b])
				return "a thing is in a bucket that is not its own";
			if (++n > s->n_linked)
				return "buckets hold too much";
		}
	}
	if (n != s->n_linked)
		return "things are lost from their buckets";
	return s->n_linked > s->n_buckets + 1 ? "buckets are too few" : NULL;
}

static const char *slots_fault(const struct slots *s)
{
	const char *fault = pages_fault(s);
	return fault ? fault : buckets_fault(s);
}

/* Of the book. */

static const char *member_fault(const struct book *b, uint32_t index, const struct member *m)
{
	const struct channel *c = book_channel(b, m->channel);
	if (m->position >= c->n_members || c->members[m->position] != index)
		return "a member is not where its channel has it";
	if (book_find_member(b, m->channel, m->user) != index)
		return "a member is not found";
	if (strlen(b->prefix_modes) < 16 && m->prefixes >> strlen(b->prefix_modes))
		return "a member has a prefix that is none";
	return NULL;
}

static const char *user_members_fault(const struct book *b, uint32_t user, uint32_t *n)
{
	const struct user *u = book_user(b, user);
	uint32_t prev = SLOTS_NONE;
	for (uint32_t i = u->first; i != SLOTS_NONE; i = book_member(b, i)->next) {
		const struct member *m = book_member(b, i);
		if (m->user != user || m->prev != prev)
			return "the list of a user's members is broken";
		const char *fault = member_fault(b, i, m);
		if (fault)
			return fault;
		if (++*n > b->members.n)
			return "users have too many members";
		prev = i;
	}
	return NULL;
}

static const char *user_fault(const struct book *b, uint32_t i, uint32_t *n)
{
	const struct user *u = book_user(b, i);
	struct str nick = book_text(u, TEXT_NICK);
	if (u->first == SLOTS_NONE && i != b->me)
		return "a user without a channel stays";
	if (nick.n == 0 || nick.n > ROSTER_NAME_MAX_BYTES)
		return "a user has no nick";
	if (book_is_seen(b, u) && book_find_user(b, nick) != i)
		return "a user is not found";
	if (!book_is_seen(b, u) && book_find_user(b, nick) == i)
		return "a user who is gone is found";
	return user_members_fault(b, i, n);
}

static const char *users_fault(const struct book *b)
{
	uint32_t n = 0, n_members = 0;
	size_t text_bytes = 0;
	for (uint32_t i = 0; i < slots_end(&b->users); i++) {
		const struct user *u = slots_peek(&b->users, i);
		if (!u || !u->generation)
			continue;
		const char *fault = user_fault(b, i, &n_members);
		if (fault)
			return fault;
		for (int t = TEXT_USER; t < TEXT_COUNT; t++)
			text_bytes += u->lengths[t];
		n++;
	}
	if (text_bytes != b->text_bytes || text_bytes > ROSTER_TEXT_MAX_BYTES)
		return "the size of texts is another";
	if (n != b->users.n)
		return "the number of users is another";
	return n_members == b->members.n ? NULL : "members belong to nobody";
}

static const char *channels_fault(const struct book *b)
{
	uint32_t n = 0, n_members = 0, n_gone = 0;
	for (uint32_t i = 0; i < slots_end(&b->channels); i++) {
		const struct channel *c = slots_peek(&b->channels, i);
		if (!c || !c->node.next)
			continue;
		n_members += c->n_members;
		n += c->generation != 0;
		n_gone += c->generation == 0;
		if (c->index != i)
			return "a channel has another index";
		if (c->generation && book_find_channel(b, str_of(c->name)) != i)
			return "a channel is not found";
		if (c->generation && c->n_modes > ROSTER_MODES_MAX)
			return "a channel has too many modes";
	}
	list_each (node, &b->gone)
		n_gone--;
	if (n_gone)
		return "channels are neither here nor gone";
	if (n != b->n_channels || n > ROSTER_CHANNELS_MAX)
		return "the number of channels is another";
	return n_members == b->members.n ? NULL : "channels have another number of members";
}

static const char *who_fault(const struct roster *r)
{
	size_t n = 0;
	list_each (node, &r->unasked) {
		const struct channel *c = container_of(node, struct channel, node);
		if (!c->generation)
			return "a channel that is gone is to be asked about";
		if (++n > r->book.n_channels)
			return "too many are to be asked about";
	}
	return NULL;
}

const char *roster_fault(const struct roster *r)
{
	const struct book *b = &r->book;
	const char *fault = slots_fault(&b->users);
	fault = fault ? fault : slots_fault(&b->channels);
	fault = fault ? fault : slots_fault(&b->members);
	fault = fault ? fault : channels_fault(b);
	fault = fault ? fault : users_fault(b);
	return fault ? fault : who_fault(r);
}

/* The facts. */

struct entry {
	char *text;
};

struct entries {
	struct entry *of;
	size_t n;
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->text, ((const struct entry *)b)->text);
}

static void add_entry(struct entries *all, struct buf *b)
{
	all->of = mem_resize(all->of, all->n + 1, sizeof(*all->of));
	all->of[all->n++] = (struct entry){buf_detach(b)};
}

static void must(int result)
{
	if (result < 0)
		abort();
}

/* Adds all of them, sorted, each after `before`. */
static void put_entries(struct entries *all, const char *before, const char *after, struct buf *out)
{
	if (all->n)
		qsort(all->of, all->n, sizeof(*all->of), compare);
	for (size_t i = 0; i < all->n; i++) {
		must(buf_addf(out, "%s%s%s", before, all->of[i].text, after));
		free(all->of[i].text);
	}
	free(all->of);
	*all = (struct entries){0};
}

static void put_members(const struct roster *r, struct handle channel, struct buf *out)
{
	struct entries all = {0};
	struct roster_member m;
	struct roster_user u;
	size_t cursor = 0;
	while (roster_next_member(r, channel, &cursor, &m)) {
		struct buf b;
		buf_init(&b, SIZE_MAX / 2);
		if (!roster_user(r, m.user, &u))
			abort();
		must(buf_addf(&b, "%s%" STR_F, m.prefixes, STR_A(u.nick)));
		add_entry(&all, &b);
	}
	put_entries(&all, " ", "", out);
}

static void put_topic(const struct roster_channel *c, struct buf *out)
{
	if (c->topic.p)
		must(buf_addf(out, " | %" STR_F, STR_A(c->topic)));
	if (c->topic_setter.p)
		must(buf_addf(
			out, " (%" STR_F " %lld)", STR_A(c->topic_setter), (long long)c->topic_s));
	if (c->created_s)
		must(buf_addf(out, " since %lld", (long long)c->created_s));
}

static void put_channel(const struct roster *r, struct handle channel, struct buf *out)
{
	struct roster_channel c;
	if (!roster_channel(r, channel, &c))
		abort();
	must(buf_addf(out, "%" STR_F " ", STR_A(c.name)));
	size_t n = buf_str(out).n;
	must(roster_put_modes(r, channel, out));
	must(buf_addf(out, "%s%zu%s", buf_str(out).n > n ? " " : "", c.n_members,
		c.is_complete ? ":" : "?"));
	put_members(r, channel, out);
	put_topic(&c, out);
}

static void put_user(const struct roster_user *u, struct buf *out)
{
	must(buf_addf(out, "%" STR_F, STR_A(u->nick)));
	if (u->user.p || u->host.p)
		must(buf_addf(out, "!%" STR_F "@%" STR_F, STR_A(u->user), STR_A(u->host)));
	if (u->account.p)
		must(buf_addf(out, " account=%" STR_F, STR_A(u->account)));
	if (u->is_away)
		must(buf_addf(out, " away(%" STR_F ")", STR_A(u->away_message)));
	must(buf_addf(out, "%s%s%s", u->is_bot ? " bot" : "", u->is_oper ? " oper" : "",
		u->is_me ? " me" : ""));
	if (u->real_name.p)
		must(buf_addf(out, " \"%" STR_F "\"", STR_A(u->real_name)));
}

static void put_channels(const struct roster *r, struct buf *out)
{
	struct entries all = {0};
	struct handle h;
	size_t cursor = 0;
	while (roster_next_channel(r, &cursor, &h)) {
		struct buf b;
		buf_init(&b, SIZE_MAX / 2);
		put_channel(r, h, &b);
		add_entry(&all, &b);
	}
	put_entries(&all, "", "\n", out);
}

static void put_users(const struct roster *r, struct buf *out)
{
	struct entries all = {0};
	for (uint32_t i = 0; i < slots_end(&r->book.users); i++) {
		const struct user *u = slots_peek(&r->book.users, i);
		struct roster_user facts;
		struct buf b;
		if (!u || !roster_user(r, (struct handle){i, u->generation}, &facts))
			continue;
		buf_init(&b, SIZE_MAX / 2);
		put_user(&facts, &b);
		add_entry(&all, &b);
	}
	put_entries(&all, "", "\n", out);
}

void roster_dump(const struct roster *r, struct buf *out)
{
	put_channels(r, out);
	put_users(r, out);
}
