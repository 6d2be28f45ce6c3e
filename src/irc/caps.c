#include "irc/caps.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

/* The names in a line of requests: the ACK has to repeat them behind the server's name and our
 * nick, and what does not fit is cut off. */
enum { REQUEST_BYTES = 400 };

static_assert(CAPS_MAX <= 64, "a set has 64 bits");
static_assert(CAPS_OUT_MAX_BYTES >= CAPS_MAX * (CAPS_NAME_MAX_BYTES + sizeof("CAP REQ :\r\n")),
	"each in a line of its own fits");

enum wish { WISH_ALWAYS, WISH_NAMED, WISH_NEVER };

static const struct row {
	const char *name;
	enum wish wish;
} rows[CAP_COUNT] = {
#define CAP_ROW(code, name, wish) {name, WISH_##wish},
	CAP_TABLE(CAP_ROW)
#undef CAP_ROW
};

/* What no configuration can ask for: traps, and STARTTLS. */
static const char *const banned[] = {"ergo.chat/nope", "inspircd.org/poison", "tls"};

const char *caps_name(enum cap cap)
{
	return rows[cap].name;
}

bool caps_has(const struct caps *c, enum cap cap)
{
	return c->enabled & CAP_BIT(cap);
}

static struct str value_of(const struct caps *c, unsigned i)
{
	return c->texts ? str_of(c->texts->values[i]) : STR_NONE;
}

struct str caps_value(const struct caps *c, enum cap cap)
{
	return value_of(c, cap);
}

static const char *name_of(const struct caps *c, unsigned i)
{
	if (i < CAP_COUNT)
		return rows[i].name;
	return c->texts ? c->texts->extras[i - CAP_COUNT] : NULL;
}

const char *caps_next(const struct caps *c, uint64_t *set, struct str *value)
{
	for (unsigned i = 0; i < CAPS_MAX; i++) {
		if (!(*set & CAP_BIT(i)))
			continue;
		*set &= ~CAP_BIT(i);
		if (value)
			*value = value_of(c, i);
		return name_of(c, i);
	}
	return NULL;
}

static void put(struct buf *out, const char *text)
{
	int r = buf_add(out, str_of(text));
	assert(r == 0);
	(void)r;
}

void caps_begin(struct caps *c, const struct caps_options *options, struct buf *out)
{
	caps_fini(c);
	c->options = options;
	c->state = CAPS_LISTING;
	put(out, "CAP LS 302\r\n");
}

void caps_configure(struct caps *c, const struct caps_options *options)
{
	c->options = options;
}

void caps_fini(struct caps *c)
{
	if (!c)
		return;
	for (size_t i = 0; c->texts && i < CAPS_EXTRA_MAX; i++)
		free(c->texts->extras[i]);
	for (size_t i = 0; c->texts && i < CAPS_MAX; i++)
		free(c->texts->values[i]);
	free(c->texts);
	*c = (struct caps){0};
}

static bool is_among(const char *const *names, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(str_of(names[i]), name))
			return true;
	return false;
}

static bool is_named(const struct caps *c, struct str name)
{
	return c->options && is_among(c->options->more, c->options->n_more, name);
}

static bool is_refused(const struct caps *c, struct str name)
{
	return c->options && is_among(c->options->refused, c->options->n_refused, name);
}

static bool is_wanted(const struct caps *c, unsigned i)
{
	struct str name = str_of(name_of(c, i));
	enum wish wish = i < CAP_COUNT ? rows[i].wish : WISH_NAMED;
	if (wish == WISH_NEVER || is_refused(c, name))
		return false;
	if (i == CAP_SASL && c->options && c->options->wants_sasl)
		return true;
	return wish == WISH_ALWAYS || is_named(c, name);
}

/* Of what is offered. */
static uint64_t wanted_of(const struct caps *c, uint64_t offered)
{
	uint64_t set = 0;
	offered &= ~(c->enabled | c->asked);
	for (unsigned i = 0; i < CAPS_MAX; i++)
		if ((offered & CAP_BIT(i)) && is_wanted(c, i))
			set |= CAP_BIT(i);
	return set;
}

/* CAPS_MAX: not known. */
static unsigned find(const struct caps *c, struct str name)
{
	unsigned i = 0;
	while (i < CAPS_MAX && (!name_of(c, i) || !str_eq(str_of(name_of(c, i)), name)))
		i++;
	return i;
}

static struct caps_texts *need_texts(struct caps *c)
{
	if (!c->texts)
		c->texts = mem_new(sizeof(*c->texts));
	return c->texts;
}

static void set_value(struct caps *c, unsigned i, struct str value)
{
	bool is_kept = value.n && value.n <= CAPS_VALUE_MAX_BYTES;
	if (!c->texts && !is_kept)
		return;
	char **place = &need_texts(c)->values[i];
	free(*place);
	*place = is_kept ? str_dup(value) : NULL;
}

/* Names that mean nothing any more make room. CAPS_MAX: there is none. */
static unsigned find_free(const struct caps *c)
{
	uint64_t used = c->offered | c->asked | c->enabled;
	unsigned i = CAP_COUNT;
	while (i < CAPS_MAX && (used & CAP_BIT(i)))
		i++;
	return i;
}

/* Keeps a name that is not in the table but is configured. CAPS_MAX: it is not kept. */
static unsigned adopt(struct caps *c, struct str name)
{
	if (name.n > CAPS_NAME_MAX_BYTES || !is_named(c, name) ||
		is_among(banned, COUNTOF(banned), name))
		return CAPS_MAX;
	unsigned i = find_free(c);
	if (i == CAPS_MAX)
		return i;
	char **place = &need_texts(c)->extras[i - CAP_COUNT];
	free(*place);
	*place = str_dup(name);
	return i;
}

/* LS or NEW. */
static uint64_t take_offers(struct caps *c, struct str list)
{
	struct str value;
	uint64_t set = 0;
	while ((value = str_word(&list, " ")).n) {
		struct str name = str_cut(&value, '=');
		if (!name.n || name.p[0] == '-')
			continue;
		unsigned i = find(c, name);
		if (i == CAPS_MAX)
			i = adopt(c, name);
		if (i == CAPS_MAX)
			continue;
		set_value(c, i, value);
		set |= CAP_BIT(i);
		c->offered |= CAP_BIT(i);
	}
	c->news.offered = set;
	return set;
}

/* "-" in front of a name tells that it was taken away. */
static uint64_t read_names(const struct caps *c, struct str list, uint64_t *taken)
{
	struct str word;
	uint64_t given = 0;
	*taken = 0;
	while ((word = str_word(&list, " ")).n) {
		bool is_minus = word.p[0] == '-';
		struct str name = str_skip(word, is_minus);
		unsigned i = find(c, str_cut(&name, '='));
		if (i < CAPS_MAX)
			*(is_minus ? taken : &given) |= CAP_BIT(i);
	}
	return given;
}

static bool is_one(uint64_t set)
{
	return set && (set & (set - 1)) == 0;
}

/* A line of requests being made. */
struct line {
	bool is_open;
	size_t room;
};

static void add_name(struct caps *c, unsigned i, bool is_alone, struct line *l, struct buf *out)
{
	size_t n = strlen(name_of(c, i)) + strlen(" ");
	if (!l->is_open || is_alone || n > l->room) {
		put(out, l->is_open ? "\r\nCAP REQ :" : "CAP REQ :");
		*l = (struct line){.is_open = true, .room = REQUEST_BYTES};
		c->n_requests++;
	} else {
		put(out, " ");
	}
	put(out, name_of(c, i));
	l->room -= n;
	c->requests[i] = c->n_requests;
}

static void request(struct caps *c, uint64_t set, bool is_alone, struct buf *out)
{
	struct line l = {0};
	is_alone = is_alone || is_one(set);
	for (unsigned i = 0; i < CAPS_MAX; i++)
		if (set & CAP_BIT(i))
			add_name(c, i, is_alone, &l, out);
	if (l.is_open)
		put(out, "\r\n");
	c->asked |= set;
	c->alone = is_alone ? c->alone | set : c->alone & ~set;
}

static void lose(struct caps *c, uint64_t set)
{
	c->asked &= ~set;
	c->news.lost = c->enabled & set;
	c->enabled &= ~set;
}

/* A LS that comes later is the answer to a script's. */
static void on_ls(struct caps *c, struct str list, bool has_more, struct buf *out)
{
	take_offers(c, list);
	if (c->state != CAPS_LISTING || (has_more && ++c->n_ls_lines < CAPS_LS_LINES_MAX))
		return;
	c->state = CAPS_ASKING;
	request(c, wanted_of(c, c->offered), false, out);
}

/* What LIST does not name is gone. It adds nothing: that was not asked for. */
static void on_list(struct caps *c, struct str list, bool has_more, struct buf *out)
{
	(void)out;
	uint64_t taken;
	c->listed |= read_names(c, list, &taken);
	if (has_more)
		return;
	uint64_t missing = c->enabled & ~c->listed;
	lose(c, missing & ~CAP_BIT(CAP_CAP_NOTIFY)); /* implied ones need not be named */
	c->listed = 0;
}

static void on_ack(struct caps *c, struct str list, bool has_more, struct buf *out)
{
	(void)has_more; /* a line of several is as good as the last */
	(void)out;
	uint64_t taken, given = read_names(c, list, &taken);
	given &= c->asked & ~taken;
	c->asked &= ~given;
	c->news.gained = given & ~c->enabled;
	c->enabled |= given;
	lose(c, taken);
}

/* All that is still asked for by the line that asked for i. */
static uint64_t with(const struct caps *c, unsigned i)
{
	uint64_t set = 0;
	for (unsigned k = 0; k < CAPS_MAX; k++)
		if ((c->asked & CAP_BIT(k)) && c->requests[k] == c->requests[i])
			set |= CAP_BIT(k);
	return set;
}

/* Servers are to repeat the whole set, and do not always. */
static void on_nak(struct caps *c, struct str list, bool has_more, struct buf *out)
{
	(void)has_more;
	uint64_t taken, again = 0, named = read_names(c, list, &taken);
	for (unsigned i = 0; i < CAPS_MAX; i++) {
		if (!(named & c->asked & CAP_BIT(i)))
			continue;
		uint64_t set = with(c, i);
		c->asked &= ~set;
		c->news.refused |= set & c->alone;
		again |= set & ~c->alone;
	}
	request(c, again, true, out);
}

static void on_new(struct caps *c, struct str list, bool has_more, struct buf *out)
{
	(void)has_more;
	request(c, wanted_of(c, take_offers(c, list)), false, out);
}

static void on_del(struct caps *c, struct str list, bool has_more, struct buf *out)
{
	(void)has_more;
	(void)out;
	uint64_t taken, set = read_names(c, list, &taken);
	set &= ~CAP_BIT(CAP_STS); /* a policy ends by its duration only */
	lose(c, set);
	c->offered &= ~set;
	for (unsigned i = 0; i < CAPS_MAX; i++)
		if (set & CAP_BIT(i))
			set_value(c, i, STR_NONE);
}

static const struct {
	const char *name;
	void (*run)(struct caps *c, struct str list, bool has_more, struct buf *out);
} verbs[] = {
	{"ACK",  on_ack },
	{"DEL",  on_del },
	{"LIST", on_list},
	{"LS",   on_ls  },
	{"NAK",  on_nak },
	{"NEW",  on_new },
};

enum caps_result caps_hear(struct caps *c, const struct message *m, struct buf *out)
{
	struct str verb = message_param(m, 1);
	struct str list = m->n_params > 2 ? message_last(m) : STR_NONE;
	bool has_more = m->n_params > 3 && str_eq(m->params[2], STR("*"));
	c->news = (struct caps_news){0};
	for (size_t i = 0; i < COUNTOF(verbs); i++)
		if (str_ieq(verb, str_of(verbs[i].name)))
			verbs[i].run(c, list, has_more, out);
	if (c->state != CAPS_ASKING || c->asked)
		return CAPS_NOTHING;
	c->state = CAPS_DONE;
	return CAPS_SETTLED;
}
