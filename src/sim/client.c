#include "sim/client.h"

#include "base/clock.h"
#include "base/mem.h"
#include "sim/channel.h"
#include "sim/label.h"
#include "sim/monitor.h"
#include "sim/multiline.h"
#include "sim/whowas.h"
#include "sim/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool is_unheard(const struct sim_client *c)
{
	enum fault_silence how = c->faults.silence;
	return c->is_forgotten || c->is_ended || c->stage == SIM_SPLIT || how == FAULT_SILENT ||
	       (how == FAULT_SILENT_WHEN_READY && c->stage == SIM_READY && c->is_greeted);
}

static void free_all(struct sim_client *c)
{
	char *const owned[] = {
		c->nick, c->user, c->host, c->realname, c->account, c->away, c->password};
	for (size_t i = 0; i < COUNTOF(owned); i++)
		free(owned[i]);
	buf_fini(&c->sasl);
	sim_batch_free(c->batch);
}

void sim_client_init(struct sim_client *c, struct sim_network *net,
	const struct sim_client_ops *ops, const char *host)
{
	c->net = net;
	c->ops = ops;
	c->number = ++net->next_number;
	list_init(&c->channels);
	list_init(&c->monitors);
	list_append(&net->clients, &c->node);
	net->n_clients++;
	c->heard_ns = net->timers->now_ns;
	sim_set(&c->host, str_of(host), sim_limit(net->isupport->hostlen, 63));
}

void sim_client_free(struct sim_client *c)
{
	list_remove(&c->node);
	c->net->n_clients--;
	timers_cancel(c->net->timers, &c->timer);
	sim_wire_forget(c);
	sim_monitor_clear(c);
	free_all(c);
	c->ops->free(c);
}

void sim_client_bury(struct sim_client *c)
{
	if (c->stage != SIM_GONE || !c->is_forgotten)
		return;
	list_remove(&c->node);
	list_append(&c->net->graves, &c->node);
}

const char *sim_client_name(const struct sim_client *c)
{
	return c->nick ? c->nick : "*";
}

static bool is_nick_byte(const struct sim_network *net, unsigned char byte, bool is_first)
{
	bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
	if (is_letter || (byte && strchr("[]\\`_^{|}", byte)))
		return true;
	if (byte >= 0x80)
		return net->profile->is_utf8_only;
	return !is_first && ((byte >= '0' && byte <= '9') || byte == '-');
}

bool sim_is_nick(const struct sim_network *net, struct str nick)
{
	for (size_t i = 0; i < nick.n; i++)
		if (!is_nick_byte(net, (unsigned char)nick.p[i], i == 0))
			return false;
	return nick.n > 0 && nick.n <= sim_limit(net->isupport->nicklen, 30);
}

static void index_nick(struct sim_client *c, bool is_there)
{
	char key[SIM_NAME_MAX_BYTES];
	struct str folded = sim_fold(c->net, str_of(c->nick), key);
	if (is_there)
		map_put(&c->net->nicks, folded, c);
	else if (map_get(&c->net->nicks, folded) == c)
		map_remove(&c->net->nicks, folded);
}

void sim_client_register(struct sim_client *c)
{
	c->stage = SIM_READY;
	c->joined_ns = c->net->timers->now_ns;
	index_nick(c, true);
	sim_monitor_tell(c, true);
}

void sim_client_rename(struct sim_client *c, struct str nick)
{
	bool is_other = !c->nick || !sim_same(c->net, str_of(c->nick), nick);
	if (c->nick && is_other) {
		sim_gone_note(c);
		index_nick(c, false);
		sim_monitor_tell(c, false);
	}
	sim_set(&c->nick, nick, SIM_NAME_MAX_BYTES - 1);
	index_nick(c, true);
	if (is_other)
		sim_monitor_tell(c, true);
}

void sim_client_quit(struct sim_client *c, const char *reason, enum sim_stage stage)
{
	bool was_here = c->stage == SIM_READY;
	if (was_here)
		sim_tell_neighbours(c, "QUIT :%s", reason);
	sim_channel_leave_all(c);
	if (c->nick)
		index_nick(c, false);
	if (was_here) {
		sim_gone_note(c);
		sim_monitor_tell(c, false);
	}
	timers_cancel(c->net->timers, &c->timer);
	c->stage = stage;
	sim_client_bury(c);
}

void sim_client_error(struct sim_client *c, const char *reason, const char *words)
{
	if (c->stage == SIM_GONE)
		return;
	sim_tell_plain(c, "ERROR :%s", words);
	sim_label_end(c);
	if (!c->is_ended)
		sim_wire_put(c, SIM_WIRE_CLIENT_END, STR_NONE);
	c->is_ended = true;
	sim_client_quit(c, reason, SIM_GONE);
}

void sim_client_close(struct sim_client *c, const char *reason)
{
	char words[MESSAGE_BYTES];
	const char *user = c->user ? c->user : "unknown";
	switch (c->net->profile->closing) {
	case SIM_CLOSING_PLAIN:
		snprintf(words, sizeof(words), "%s", reason);
		break;
	case SIM_CLOSING_HOST:
		snprintf(words, sizeof(words), "Closing Link: %s (%s)", c->host, reason);
		break;
	case SIM_CLOSING_USER:
		snprintf(words, sizeof(words), "Closing link: (%s@%s) [%s]", user, c->host, reason);
		break;
	}
	sim_client_error(c, reason, words);
}

void sim_client_lost(struct sim_client *c, const char *reason)
{
	if (c->stage == SIM_GONE)
		return;
	if (!c->is_ended)
		sim_wire_put(c, SIM_WIRE_CLIENT_END, STR_NONE);
	c->is_ended = true;
	sim_client_quit(c, reason, SIM_GONE);
}

void sim_client_reset(struct sim_client *c)
{
	sim_wire_forget(c);
	c->faults = (struct sim_faults){0};
	c->due_ns[0] = c->due_ns[1] = 0;
	sim_wire_put(c, SIM_WIRE_CLIENT_RESET, STR_NONE);
	c->is_ended = true;
	if (c->stage != SIM_GONE)
		sim_client_quit(c, "Connection reset by peer", SIM_GONE);
}

static int put_time(struct buf *b, const struct sim_network *net, int64_t at_ns)
{
	int64_t wall_ns = (at_ns ? at_ns : net->timers->now_ns) + net->wall_offset_ns;
	time_t seconds = (time_t)(wall_ns / NS_PER_S);
	int ms = (int)(wall_ns % NS_PER_S / NS_PER_MS);
	struct tm tm;
	gmtime_r(&seconds, &tm);
	return buf_addf(b, "time=%04d-%02d-%02dT%02d:%02d:%02d.%03dZ;", tm.tm_year + 1900,
		tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, ms);
}

/* What a client may put on its lines for others to see. */
static int put_client_tags(struct buf *b, struct str tags)
{
	int r = 0;
	while (r == 0 && tags.n) {
		struct str tag = str_cut(&tags, ';');
		if (tag.n > 1 && tag.p[0] == '+')
			r = buf_addf(b, "%" STR_F ";", STR_A(tag));
	}
	return r;
}

bool sim_is_bot(const struct sim_client *c)
{
	struct str letter = isupport_get(c->net->isupport, STR("BOT"));
	return letter.n && str_has(str_of(c->modes), letter.p[0]);
}

static int put_batch(struct buf *b, const struct sim_extra *extra)
{
	int r = 0;
	if (extra->label)
		r |= buf_addf(b, "label=%s;", extra->label);
	if (extra->batch)
		r |= buf_addf(b, "batch=%llu;", (unsigned long long)extra->batch);
	if (extra->is_concat)
		r |= buf_add(b, STR("draft/multiline-concat;"));
	return r;
}

/* What comes with message-tags. */
static int put_message_tags(
	struct buf *b, const struct sim_client *from, const struct sim_extra *extra)
{
	int r = 0;
	if (extra->msgid)
		r |= buf_addf(b, "msgid=m%llu;", (unsigned long long)extra->msgid);
	if (from && sim_is_bot(from))
		r |= buf_add(b, STR("bot;"));
	return r | put_client_tags(b, extra->client_tags);
}

/* Every tag brings a semicolon; the last one's place is the space's. */
static int put_tags(struct buf *b, const struct sim_client *to, const struct sim_client *from,
	const struct sim_extra *extra)
{
	int r = buf_add(b, STR("@"));
	r |= put_batch(b, extra);
	if (to->caps & SIM_CAP_SERVER_TIME)
		r |= put_time(b, to->net, extra->at_ns);
	if ((to->caps & SIM_CAP_ACCOUNT_TAG) && from && from->account)
		r |= buf_addf(b, "account=%s;", from->account);
	if (to->caps & SIM_CAP_MESSAGE_TAGS)
		r |= put_message_tags(b, from, extra);
	buf_truncate(b, b->n - 1);
	return r | (b->n ? buf_add(b, STR(" ")) : 0);
}

static int put_source(struct buf *b, const struct sim_network *net, const struct sim_client *from,
	const struct sim_extra *extra)
{
	if (extra->source)
		return buf_addf(b, ":%s ", extra->source);
	if (!from)
		return buf_addf(b, ":%s ", net->server);
	return buf_addf(b, ":%s!%s@%s ", from->nick, from->user, from->host);
}

/* InspIRCd puts a colon before every last parameter, ngIRCd before JOIN's. */
static int put_colon(struct buf *b, const struct sim_network *net, size_t start)
{
	struct str line = str_skip(buf_str(b), start);
	const char *last = memrchr(line.p, ' ', line.n);
	struct str after_source = line;
	if (line.n && line.p[0] == ':')
		str_cut(&after_source, ' ');
	bool is_join = str_starts(after_source, STR("JOIN "));
	bool is_asked = net->profile->colons == SIM_COLONS_ALWAYS ||
			(net->profile->colons == SIM_COLONS_JOIN && is_join);
	if (!is_asked || !last || last < after_source.p ||
		memmem(after_source.p, after_source.n, " :", 2))
		return 0;
	char *end = buf_reserve(b, 1);
	if (!end)
		return -1;
	char *at = b->bytes + b->start + start + (last - line.p) + 1;
	memmove(at + 1, at, (size_t)(end - at));
	*at = ':';
	buf_commit(b, 1);
	return 0;
}

/* As the server does that relays: what is too long is cut, a line break never passes. */
static void finish(struct buf *b, const struct sim_network *net, size_t start)
{
	size_t max = start + net->isupport->linelen - 2;
	if (b->n > max) {
		if (net->profile->is_utf8_only)
			while (max > start && (b->bytes[b->start + max] & 0xc0) == 0x80)
				max--;
		buf_truncate(b, max);
	}
	for (char *p = b->bytes + b->start; p < b->bytes + b->start + b->n; p++)
		if (*p == '\r' || *p == '\n' || *p == '\0')
			*p = ' ';
}

static void send_line(struct sim_client *to, size_t start)
{
	struct buf *b = &to->net->line;
	finish(b, to->net, start);
	if (buf_add(b, STR("\r\n")) == 0 && !sim_label_holds(to, buf_str(b)))
		sim_wire_put(to, SIM_WIRE_TO_CLIENT, buf_str(b));
}

static void PRINTF(4, 0) sendv(struct sim_client *to, const struct sim_client *from,
	const struct sim_extra *extra, const char *fmt, va_list ap)
{
	struct buf *b = &to->net->line;
	if (is_unheard(to))
		return;
	buf_reset(b);
	int r = put_tags(b, to, from, extra);
	size_t start = b->n;
	r |= put_source(b, to->net, from, extra);
	r |= buf_addv(b, fmt, ap);
	r |= put_colon(b, to->net, start);
	if (r == 0)
		send_line(to, start);
}

void sim_tell(struct sim_client *to, const struct sim_client *from, const char *fmt, ...)
{
	va_list ap;
	static const struct sim_extra none = {0};
	va_start(ap, fmt);
	sendv(to, from, &none, fmt, ap);
	va_end(ap);
}

void sim_relay(struct sim_client *to, const struct sim_client *from, const struct sim_extra *extra,
	const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	sendv(to, from, extra, fmt, ap);
	va_end(ap);
}

/* Once in a round. */
static void tell_once(
	struct sim_client *to, const struct sim_client *from, unsigned caps, const char *text)
{
	if (to->round == from->net->round || (to->caps & caps) != caps)
		return;
	to->round = from->net->round;
	sim_tell(to, from, "%s", text);
}

static void tell_members(const struct sim_client *c, unsigned caps, const char *text)
{
	list_each (in_client, &c->channels) {
		const struct sim_member *own =
			container_of(in_client, struct sim_member, in_client);
		list_each (in_channel, &own->channel->members)
			tell_once(container_of(in_channel, struct sim_member, in_channel)->client,
				c, caps, text);
	}
}

void sim_tell_neighbours(struct sim_client *c, const char *fmt, ...)
{
	char text[MESSAGE_BYTES * 2];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	sim_overhear(c->net, c, "%s", text);
	c->round = ++c->net->round;
	tell_members(c, 0, text);
}

void sim_notify(struct sim_client *c, unsigned cap, const char *fmt, ...)
{
	char text[MESSAGE_BYTES * 2];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (c->stage != SIM_READY)
		return;
	c->round = ++c->net->round;
	tell_members(c, cap, text);
	list_each (node, &c->net->monitors) {
		const struct sim_monitor *m = container_of(node, struct sim_monitor, in_net);
		if (sim_same(c->net, str_of(m->nick), str_of(c->nick)))
			tell_once(m->owner, c, cap | SIM_CAP_EXTENDED_MONITOR, text);
	}
}

void sim_tell_plain(struct sim_client *to, const char *fmt, ...)
{
	struct buf *b = &to->net->line;
	if (is_unheard(to))
		return;
	va_list ap;
	va_start(ap, fmt);
	buf_reset(b);
	if (buf_addv(b, fmt, ap) == 0)
		send_line(to, 0);
	va_end(ap);
}

void sim_reply(struct sim_client *c, int numeric, const char *fmt, ...)
{
	char text[MESSAGE_BYTES * 2];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	sim_tell(c, NULL, "%03d %s %s", numeric, sim_client_name(c), text);
}

const char *sim_usual_words(int numeric, const char *otherwise)
{
	static const struct {
		int numeric;
		const char *words;
	} rows[] = {
		{403, "No such channel"						   },
		{405, "You have joined too many channels"                                 },
		{432, "Erroneous Nickname"						},
		{433, "Nickname is already in use"                                        },
		{436, "Nickname collision KILL"                                           },
		{437, "Nick/channel is temporarily unavailable"                           },
		{463, "Your host isn't among the privileged"                              },
		{464, "Password incorrect"						},
		{465, "You are banned from this server"                                   },
		{471, "Cannot join channel (+l) - channel is full"                        },
		{473, "Cannot join channel (+i) - you must be invited"                    },
		{474, "Cannot join channel (+b) - you are banned"                         },
		{475, "Cannot join channel (+k) - bad key"                                },
		{477, "Cannot join channel (+r) - you need to be logged into your account"},
		{489, "Cannot join channel; TLS users only (+z is set)"                   },
	};
	for (size_t i = 0; i < COUNTOF(rows); i++)
		if (rows[i].numeric == numeric)
			return rows[i].words;
	return otherwise;
}

void sim_no_such_nick(struct sim_client *c, struct str nick)
{
	sim_reply(c, 401, "%" STR_F " :No such nick/channel", STR_A(nick));
}

void sim_no_such_channel(struct sim_client *c, struct str channel)
{
	sim_reply(c, 403, "%" STR_F " :No such channel", STR_A(channel));
}

void sim_unknown(struct sim_client *c, const char *command)
{
	sim_reply(c, 421, "%s :Unknown command", command);
}

void sim_fail(struct sim_client *c, const char *command, const char *code, const char *context,
	const char *words)
{
	const char *gap = *context ? " " : "";
	sim_tell(c, NULL, "FAIL %s %s%s%s :%s", command, code, gap, context, words);
}

void sim_listing_begin(struct sim_listing *l, struct sim_client *to, int numeric, struct str head)
{
	*l = (struct sim_listing){.to = to, .numeric = numeric, .head = head, .gap = ' '};
	size_t around = strlen(to->net->server) + strlen(sim_client_name(to)) + head.n + 16;
	buf_init(&l->items, around < 400 ? 500 - around : 100);
}

static void send_items(struct sim_listing *l)
{
	struct str items = buf_str(&l->items);
	bool is_padded = l->to->net->profile->is_space_padded && l->gap == ' ';
	const char *pad = is_padded ? " " : "";
	sim_reply(l->to, l->numeric, "%" STR_F ":%" STR_F "%s", STR_A(l->head), STR_A(items), pad);
	buf_reset(&l->items);
	l->was_sent = true;
}

void sim_listing_add(struct sim_listing *l, struct str item)
{
	struct str gap = {&l->gap, l->items.n > 0};
	if (buf_addf(&l->items, "%" STR_F "%" STR_F, STR_A(gap), STR_A(item)) == 0)
		return;
	send_items(l);
	if (buf_add(&l->items, item) < 0)
		buf_reset(&l->items);
}

void sim_listing_end(struct sim_listing *l, bool is_wanted)
{
	if (l->items.n || (is_wanted && !l->was_sent))
		send_items(l);
	buf_fini(&l->items);
}
