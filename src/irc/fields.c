#include "irc/fields.h"

#include "irc/field_table.h"
#include "irc/numeric.h"

#include <assert.h>
#include <string.h>

enum { NUMERICS = 1000 };

struct reading {
	const struct field *field;
	const struct message *m;
	const struct isupport *is;
};

struct field {
	struct str name;
	void (*read)(
		const struct reading *r, struct value *out); /* NULL: the event's owner fills it */
	size_t at; /* a parameter's index, unless the reader says otherwise */
};

static void set_str(struct value *out, struct str s)
{
	out->type = s.p ? VALUE_STR : VALUE_NONE;
	out->str = s;
}

static void set_int(struct value *out, struct str s)
{
	if (str_int(s, INT64_MIN, INT64_MAX, &out->integer))
		out->type = VALUE_INT;
}

static void set_words(struct value *out, enum value_type type, struct str s)
{
	out->type = s.p ? type : VALUE_NONE;
	out->str = s;
}

static void set_list(struct value *out, const struct message *m, size_t from, size_t end)
{
	out->type = VALUE_LIST;
	out->list = m->params + from;
	out->n = from < end ? end - from : 0;
}

static struct str param_of(const struct reading *r)
{
	return message_param(r->m, r->field->at);
}

static void read_param(const struct reading *r, struct value *out)
{
	set_str(out, param_of(r));
}

static void read_param_or_empty(const struct reading *r, struct value *out)
{
	struct str s = param_of(r);
	set_str(out, s.p ? s : STR(""));
}

/* "*" says that there is none. */
static void read_param_unless_star(const struct reading *r, struct value *out)
{
	struct str s = param_of(r);
	set_str(out, str_eq(s, STR("*")) ? STR_NONE : s);
}

/* An empty one is as none. */
static void read_param_unless_empty(const struct reading *r, struct value *out)
{
	struct str s = param_of(r);
	set_str(out, s.n ? s : STR_NONE);
}

static void read_int(const struct reading *r, struct value *out)
{
	set_int(out, param_of(r));
}

static void read_words(const struct reading *r, struct value *out)
{
	set_words(out, VALUE_WORDS, param_of(r));
}

static void read_commas(const struct reading *r, struct value *out)
{
	set_words(out, VALUE_COMMAS, param_of(r));
}

static void read_last(const struct reading *r, struct value *out)
{
	set_str(out, message_last(r->m));
}

static void read_last_words(const struct reading *r, struct value *out)
{
	set_words(out, VALUE_WORDS, message_last(r->m));
}

/* `at` counts from the end; the first parameter is the target. */
static void read_from_end(const struct reading *r, struct value *out)
{
	if (r->m->n_params > r->field->at)
		set_str(out, r->m->params[r->m->n_params - r->field->at]);
}

/* From index `at` on. */
static void read_before_last(const struct reading *r, struct value *out)
{
	if (r->m->n_params >= r->field->at + 2)
		set_str(out, r->m->params[r->m->n_params - 2]);
}

static void read_rest(const struct reading *r, struct value *out)
{
	set_list(out, r->m, r->field->at, r->m->n_params);
}

/* The line that closes a batch has none, not even an empty list. */
static void read_batch_params(const struct reading *r, struct value *out)
{
	if (r->m->n_params >= r->field->at)
		read_rest(r, out);
}

static void read_middle(const struct reading *r, struct value *out)
{
	set_list(out, r->m, r->field->at, r->m->n_params ? r->m->n_params - 1 : 0);
}

/* `at` is the member's offset. */
static void read_member(const struct reading *r, struct value *out)
{
	const char *m = (const char *)r->m;
	set_str(out, *(const struct str *)(const void *)(m + r->field->at));
}

static void read_tags(const struct reading *r, struct value *out)
{
	out->type = VALUE_TAGS;
	out->str = r->m->tags;
}

/* The tag has the field's name. */
static void read_tag(const struct reading *r, struct value *out)
{
	out->str = message_tag(r->m, r->field->name);
	out->type = out->str.p ? VALUE_ESCAPED : VALUE_NONE;
}

/* The same for a tag without value. */
static void read_flag(const struct reading *r, struct value *out)
{
	struct str rest = r->m->tags, key, value;
	out->type = VALUE_BOOL;
	while (message_next_tag(&rest, &key, &value))
		out->integer |= str_eq(key, r->field->name);
}

static void read_channel(const struct reading *r, struct value *out)
{
	struct str target = param_of(r);
	if (target.n)
		set_str(out, isupport_channel_of(r->is, target, NULL));
}

static void read_statusmsg(const struct reading *r, struct value *out)
{
	struct str target = param_of(r), status = STR_NONE;
	if (target.n && isupport_channel_of(r->is, target, &status).p && status.n)
		set_str(out, status);
}

static void read_nick(const struct reading *r, struct value *out)
{
	struct str name = param_of(r);
	if (name.n && !isupport_is_channel(r->is, name))
		set_str(out, name);
}

/* extended-join adds the account; without it the tag may be there. */
static void read_join_account(const struct reading *r, struct value *out)
{
	if (param_of(r).p)
		read_param_unless_star(r, out);
	else
		read_tag(r, out);
}

static void read_changes(const struct reading *r, struct value *out)
{
	set_list(out, r->m, r->field->at + 1, r->m->n_params);
	out->type = VALUE_CHANGES;
	out->str = param_of(r);
}

/* The + or - before it says whether the batch opens or closes. */
static void read_reference(const struct reading *r, struct value *out)
{
	set_str(out, str_skip(param_of(r), 1));
}

/* "0 Real Name", of RPL_WHOREPLY */
static void read_hopcount(const struct reading *r, struct value *out)
{
	struct str rest = param_of(r);
	set_int(out, str_cut(&rest, ' '));
}

static void read_after_hopcount(const struct reading *r, struct value *out)
{
	struct str rest = param_of(r);
	str_cut(&rest, ' ');
	set_str(out, rest);
}

struct ctcp {
	struct str command, text;
};

/* The \x01 at the end may be missing. */
static bool parse_ctcp(struct str s, struct ctcp *c)
{
	if (s.n == 0 || s.p[0] != '\1')
		return false;
	s = str_skip(s, 1);
	if (s.n && s.p[s.n - 1] == '\1')
		s.n--;
	c->command = str_cut(&s, ' ');
	c->text = s;
	return c->command.n > 0;
}

static const char *const ctcp_commands[] = {
	"ACTION", "CLIENTINFO", "DCC", "FINGER", "PING", "SOURCE", "TIME", "USERINFO", "VERSION"};

static void read_ctcp(const struct reading *r, struct value *out)
{
	struct ctcp c;
	if (!parse_ctcp(param_of(r), &c))
		return;
	for (size_t i = 0; i < COUNTOF(ctcp_commands); i++) {
		if (str_ieq(c.command, str_of(ctcp_commands[i])))
			c.command = str_of(ctcp_commands[i]);
	}
	set_str(out, c.command);
}

static void read_ctcp_text(const struct reading *r, struct value *out)
{
	struct ctcp c;
	if (parse_ctcp(param_of(r), &c))
		set_str(out, c.text);
}

#define FIELD(name, reader, at)                         \
	{                                               \
		{"" name, sizeof(name) - 1}, reader, at \
	}
#define NO_FIELDS                  \
	{                          \
		{NULL, 0}, NULL, 0 \
	}
#define FIELDS(...)      ((const struct field[]){__VA_ARGS__, NO_FIELDS})
#define PARAM(name, i)   FIELD(name, read_param, i)
#define INT(name, i)     FIELD(name, read_int, i)
#define WORDS(name, i)   FIELD(name, read_words, i)
#define COMMAS(name, i)  FIELD(name, read_commas, i)
#define LAST(name)       FIELD(name, read_last, 0)
#define LAST_WORDS(name) FIELD(name, read_last_words, 0)
#define MEMBER(name)     FIELD(#name, read_member, offsetof(struct message, name))
#define TAG(name)        FIELD(name, read_tag, 0)
#define OWNER(name)      FIELD(name, NULL, 0)
#define TARGET           PARAM("target", 0)

static const struct field *const common_fields =
	FIELDS(MEMBER(command), FIELD("params", read_rest, 0), FIELD("tags", read_tags, 0),
		MEMBER(source), MEMBER(nick), MEMBER(user), MEMBER(host), TAG("account"),
		TAG("msgid"), TAG("batch"), FIELD("bot", read_flag, 0), MEMBER(raw));

static const struct field *const numeric_fields = FIELDS(TARGET, LAST("message"));

static const struct field *const no_fields = ((const struct field[]){NO_FIELDS});

struct kind {
	const char *name; /* NULL for a numeric */
	unsigned min_params;
	bool needs_source;
	const struct field *fields; /* NULL for a numeric without its own */
};

#define KIND(k, name, min_params, needs_source, ...) \
	[k] = (struct kind){name, min_params, needs_source, FIELDS(__VA_ARGS__)},
#define NUMERIC_KIND(number, ...) [number] = (struct kind){NULL, 1, false, FIELDS(__VA_ARGS__)},

static const struct kind kinds[EVENT_KINDS] = {KIND_TABLE(KIND) NUMERIC_FIELDS_TABLE(NUMERIC_KIND)};

static bool is_numeric(int kind)
{
	return kind >= 0 && kind < NUMERICS;
}

/* The tables that a kind's fields are in, the first to name one hiding the others. */
struct chain {
	const struct field *tables[3];
};

static struct chain chain_of(int kind)
{
	assert(kind >= 0 && kind < EVENT_KINDS);
	struct chain c;
	c.tables[0] = kinds[kind].fields ? kinds[kind].fields : no_fields;
	c.tables[1] = is_numeric(kind) ? numeric_fields : no_fields;
	c.tables[2] = common_fields;
	return c;
}

static bool is_name(const struct field *f, struct str name)
{
	return f->name.n == name.n && memcmp(f->name.p, name.p, name.n) == 0;
}

const struct field *field_find(int kind, struct str name)
{
	const struct chain c = chain_of(kind);
	for (size_t i = 0; i < COUNTOF(c.tables); i++) {
		for (const struct field *f = c.tables[i]; f->name.p; f++) {
			if (is_name(f, name))
				return f;
		}
	}
	return NULL;
}

const struct field *field_at(int kind, size_t i)
{
	const struct chain c = chain_of(kind);
	for (size_t t = 0; t < COUNTOF(c.tables); t++) {
		for (const struct field *f = c.tables[t]; f->name.p; f++) {
			bool is_hidden = field_find(kind, f->name) != f;
			if (!is_hidden && i-- == 0)
				return f;
		}
	}
	return NULL;
}

const char *field_name(const struct field *f)
{
	return f->name.p;
}

void field_read(const struct field *f, const struct message *m, const struct isupport *is,
	struct value *out)
{
	*out = (struct value){.type = VALUE_NONE};
	if (f->read && m)
		f->read(&(struct reading){f, m, is}, out);
}

static const struct numeric {
	int number;
	const char *name;
} numerics[] = {
#define NUMERIC(number, name, source) {number, #name},
	NUMERIC_TABLE(NUMERIC)
#undef NUMERIC
};

#define TEN(d) d "0", d "1", d "2", d "3", d "4", d "5", d "6", d "7", d "8", d "9"
#define HUNDRED(d)                                                                          \
	TEN(d "0"), TEN(d "1"), TEN(d "2"), TEN(d "3"), TEN(d "4"), TEN(d "5"), TEN(d "6"), \
		TEN(d "7"), TEN(d "8"), TEN(d "9")

static const char digits[NUMERICS][4] = {HUNDRED("0"), HUNDRED("1"), HUNDRED("2"), HUNDRED("3"),
	HUNDRED("4"), HUNDRED("5"), HUNDRED("6"), HUNDRED("7"), HUNDRED("8"), HUNDRED("9")};

static const char *numeric_name(int number)
{
	size_t low = 0, high = COUNTOF(numerics);
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (numerics[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	bool is_named = low < COUNTOF(numerics) && numerics[low].number == number;
	return is_named ? numerics[low].name : digits[number];
}

const char *event_name(int kind)
{
	assert(kind >= 0 && kind < EVENT_KINDS);
	return is_numeric(kind) ? numeric_name(kind) : kinds[kind].name;
}

static size_t numerics_named(struct str name, int found[EVENT_NAME_KINDS_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < COUNTOF(numerics) && n < EVENT_NAME_KINDS_MAX; i++) {
		if (str_ieq(str_of(numerics[i].name), name))
			found[n++] = numerics[i].number;
	}
	return n;
}

/* -1 for what is not three digits */
static int read_digits(struct str s)
{
	int64_t number;
	bool is_number = s.n == 3 && s.p[0] != '-' && str_int(s, 0, NUMERICS - 1, &number);
	return is_number ? (int)number : -1;
}

size_t event_kinds(struct str name, int found[EVENT_NAME_KINDS_MAX])
{
	int number = read_digits(name);
	if (number >= 0) {
		found[0] = number;
		return 1;
	}
	if (str_ieq(name, STR("mode"))) {
		found[0] = EVENT_CHANNELMODE;
		found[1] = EVENT_USERMODE;
		return 2;
	}
	for (int kind = EVENT_ANY; kind < EVENT_KINDS; kind++) {
		if (kind != EVENT_UNKNOWN && str_ieq(str_of(kinds[kind].name), name)) {
			found[0] = kind;
			return 1;
		}
	}
	return numerics_named(name, found);
}

/* sorted, as names compare */
static const struct command {
	struct str name;
	int kind;
} commands[] = {
	{STR_CONST("ACCOUNT"),      EVENT_ACCOUNT     },
	{STR_CONST("ACK"),          EVENT_ACK         },
	{STR_CONST("AUTHENTICATE"), EVENT_AUTHENTICATE},
	{STR_CONST("AWAY"),         EVENT_AWAY        },
	{STR_CONST("BATCH"),        EVENT_BATCH       },
	{STR_CONST("CAP"),          EVENT_CAP         },
	{STR_CONST("CHGHOST"),      EVENT_CHGHOST     },
	{STR_CONST("ERROR"),        EVENT_ERROR       },
	{STR_CONST("FAIL"),         EVENT_FAIL        },
	{STR_CONST("INVITE"),       EVENT_INVITE      },
	{STR_CONST("JOIN"),         EVENT_JOIN        },
	{STR_CONST("KICK"),         EVENT_KICK        },
	{STR_CONST("KILL"),         EVENT_KILL        },
	{STR_CONST("MODE"),         EVENT_CHANNELMODE }, /* or a user's */
	{STR_CONST("NICK"),         EVENT_NICK        },
	{STR_CONST("NOTE"),         EVENT_NOTE        },
	{STR_CONST("NOTICE"),       EVENT_NOTICE      }, /* or a CTCP reply */
	{STR_CONST("PART"),         EVENT_PART        },
	{STR_CONST("PING"),         EVENT_PING        },
	{STR_CONST("PONG"),         EVENT_PONG        },
	{STR_CONST("PRIVMSG"),      EVENT_PRIVMSG     }, /* or CTCP, or an ACTION */
	{STR_CONST("QUIT"),         EVENT_QUIT        },
	{STR_CONST("REDACT"),       EVENT_REDACT      },
	{STR_CONST("RENAME"),       EVENT_RENAME      },
	{STR_CONST("SETNAME"),      EVENT_SETNAME     },
	{STR_CONST("TAGMSG"),       EVENT_TAGMSG      },
	{STR_CONST("TOPIC"),        EVENT_TOPIC       },
	{STR_CONST("WALLOPS"),      EVENT_WALLOPS     },
	{STR_CONST("WARN"),         EVENT_WARN        },
};

static int kind_of_command(struct str command)
{
	size_t low = 0, high = COUNTOF(commands);
	char first = command.p[0] >= 'a' ? (char)(command.p[0] - ('a' - 'A')) : command.p[0];
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = commands[middle].name.p[0] - first;
		if (order == 0)
			order = str_icmp(commands[middle].name, command);
		if (order == 0)
			return commands[middle].kind;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return EVENT_UNKNOWN;
}

static int kind_of_privmsg(const struct message *m)
{
	struct ctcp c;
	if (!parse_ctcp(m->params[1], &c))
		return EVENT_PRIVMSG;
	return str_ieq(c.command, STR("ACTION")) ? EVENT_ACTION : EVENT_CTCP;
}

static int kind_of_notice(const struct message *m)
{
	struct ctcp c;
	return parse_ctcp(m->params[1], &c) ? EVENT_CTCP_REPLY : EVENT_NOTICE;
}

/* One command may mean several kinds; they need the same parameters. */
static int refine(int kind, const struct message *m, const struct isupport *is)
{
	if (kind == EVENT_PRIVMSG)
		return kind_of_privmsg(m);
	if (kind == EVENT_NOTICE)
		return kind_of_notice(m);
	if (kind == EVENT_CHANNELMODE && !isupport_is_channel(is, m->params[0]))
		return EVENT_USERMODE;
	return kind;
}

int event_kind_of(const struct message *m, const struct isupport *is)
{
	if (m->numeric >= 0)
		return m->n_params > 0 ? m->numeric : -1;
	int kind = kind_of_command(m->command);
	if (m->n_params < kinds[kind].min_params || (kinds[kind].needs_source && !m->source.p))
		return -1;
	return refine(kind, m, is);
}
