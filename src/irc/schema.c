#include "irc/schema.h"

#include <string.h>

/* name, forms */
#define COMMAND_TABLE(X)                                                                           \
	X("pass", "PASS {password}")                                                               \
	X("nick", "NICK {nick}")                                                                   \
	X("user", "USER {nick} {mode} * :{realname}", "USER {nick} 0 * :{realname}")               \
	X("oper", "OPER {nick} {password}")                                                        \
	X("usermode", "MODE {nick} {modes}", "MODE {nick}")                                        \
	X("service", "SERVICE {nick} * {distribution} {type} 0 :{info}")                           \
	X("quit", "QUIT :{message}", "QUIT")                                                       \
	X("squit", "SQUIT {server} :{message}", "SQUIT {server}")                                  \
	X("join", "JOIN {channel:comma} {key:comma}", "JOIN {channel:comma}")                      \
	X("part", "PART {channel:comma} :{message}", "PART {channel:comma}")                       \
	X("channelmode", "MODE {channel} {modes} {params:space}", "MODE {channel} {modes}",        \
		"MODE {channel} {params:space}", "MODE {channel}")                                 \
	X("topic", "TOPIC {channel} :{message}", "TOPIC {channel}")                                \
	X("names", "NAMES {channel:comma} {target}", "NAMES {channel:comma}", "NAMES")             \
	X("list", "LIST {channel:comma} {target}", "LIST {channel:comma}", "LIST")                 \
	X("invite", "INVITE {nick} {channel}")                                                     \
	X("kick", "KICK {channel:comma} {nick:comma} :{message}",                                  \
		"KICK {channel:comma} {nick:comma}")                                               \
	X("privmsg", "PRIVMSG {target} :{message}")                                                \
	X("notice", "NOTICE {target} :{message}")                                                  \
	X("motd", "MOTD {target}", "MOTD")                                                         \
	X("lusers", "LUSERS {mask} {target}", "LUSERS {mask}", "LUSERS")                           \
	X("version", "VERSION {target}", "VERSION")                                                \
	X("stats", "STATS {query} {target}", "STATS {query}", "STATS")                             \
	X("links", "LINKS {remote} {mask}", "LINKS {mask}", "LINKS")                               \
	X("time", "TIME {target}", "TIME")                                                         \
	X("connect", "CONNECT {target} {port} {remote}", "CONNECT {target} {port}")                \
	X("trace", "TRACE {target}", "TRACE")                                                      \
	X("admin", "ADMIN {target}", "ADMIN")                                                      \
	X("info", "INFO {target}", "INFO")                                                         \
	X("servlist", "SERVLIST {mask} {type}", "SERVLIST {mask}", "SERVLIST")                     \
	X("squery", "SQUERY {target} :{message}")                                                  \
	X("who", "WHO {mask} {o:bool}", "WHO {mask}", "WHO")                                       \
	X("whois", "WHOIS {target} {mask:comma}", "WHOIS {mask:comma}")                            \
	X("whowas", "WHOWAS {nick:comma} {count} {target}", "WHOWAS {nick:comma} {count}",         \
		"WHOWAS {nick:comma}")                                                             \
	X("kill", "KILL {nick} :{message}")                                                        \
	X("ping", "PING {message:nospace} {target}", "PING {message:nospace}")                     \
	X("pong", "PONG :{message}", "PONG")                                                       \
	X("away", "AWAY :{message}", "AWAY")                                                       \
	X("rehash", "REHASH")                                                                      \
	X("die", "DIE")                                                                            \
	X("restart", "RESTART")                                                                    \
	X("summon", "SUMMON {nick} {target} {channel}", "SUMMON {nick} {target}", "SUMMON {nick}") \
	X("users", "USERS {target}", "USERS")                                                      \
	X("wallops", "WALLOPS :{message}")                                                         \
	X("userhost", "USERHOST {nick:space}")                                                     \
	X("ison", "ISON {nick:space}")                                                             \
	/* beyond RFC 2812 */                                                                      \
	X("accept", "ACCEPT {nick:comma}")                                                         \
	X("action", "PRIVMSG {target} :\1ACTION {message}\1")                                      \
	X("authenticate", "AUTHENTICATE {data}")                                                   \
	X("cap", "CAP {subcommand} :{caps:space}", "CAP {subcommand} {version}",                   \
		"CAP {subcommand}")                                                                \
	X("chathistory", "CHATHISTORY {subcommand} {target} {from} {to} {limit}",                  \
		"CHATHISTORY {subcommand} {target} {from} {limit}",                                \
		"CHATHISTORY {subcommand} {from} {to} {limit}") /* the last: TARGETS */            \
	X("ctcp", "PRIVMSG {target} :\1{command:nospace} {message}\1",                             \
		"PRIVMSG {target} :\1{command:nospace}\1")                                         \
	X("ctcp_reply", "NOTICE {target} :\1{command:nospace} {message}\1",                        \
		"NOTICE {target} :\1{command:nospace}\1")                                          \
	X("help", "HELP :{subject}", "HELP")                                                       \
	X("knock", "KNOCK {channel} :{message}", "KNOCK {channel}")                                \
	X("mode", "MODE {target} {modes} {params:space}", "MODE {target} {modes}",                 \
		"MODE {target}")                                                                   \
	X("monitor", "MONITOR {modifier} {target:comma}", "MONITOR {modifier}")                    \
	X("redact", "REDACT {target} {target_msgid} :{message}", "REDACT {target} {target_msgid}") \
	X("rename", "RENAME {channel} {new_channel} :{message}", "RENAME {channel} {new_channel}") \
	X("setname", "SETNAME :{realname}",                                                        \
		"SETNAME :{real_name}") /* as in user; as in its event */                          \
	X("silence", "SILENCE {mask:comma} {flags}", "SILENCE {mask:comma}", "SILENCE")            \
	X("tagmsg", "TAGMSG {target}")                                                             \
	X("webirc", "WEBIRC {password} {gateway} {hostname} {ip} :{options:space}",                \
		"WEBIRC {password} {gateway} {hostname} {ip}")                                     \
	X("whox", "WHO {mask} {fields}")

#define FORMS(...)         ((const char *const[]){__VA_ARGS__, NULL})
#define COMMAND(name, ...) (struct schema_command){name, FORMS(__VA_ARGS__)},

static const struct schema_command commands[] = {COMMAND_TABLE(COMMAND)};

enum hole_kind { HOLE_ONE, HOLE_COMMA, HOLE_SPACE, HOLE_BOOL, HOLE_NOSPACE };

static const char *const hole_kinds[] = {
	[HOLE_ONE] = "",
	[HOLE_COMMA] = "comma",
	[HOLE_SPACE] = "space",
	[HOLE_BOOL] = "bool",
	[HOLE_NOSPACE] = "nospace",
};

enum {
	HOLES_MAX = 8, /* of a form */
	FORMS_MAX = 2 * SCHEMA_FORMS_MAX,
};

struct hole {
	struct str name;
	enum hole_kind kind;
	bool is_free; /* the last parameter's end: may be empty and hold spaces */
};

/* A form taken apart: before each hole, and after the last, stands a literal. */
struct form {
	struct {
		struct str literal;
		struct hole hole;
	} parts[HOLES_MAX];
	size_t n;
	struct str end;
	bool is_ctcp;
};

static bool parse_kind(struct str text, enum hole_kind *kind)
{
	for (size_t i = 0; i < COUNTOF(hole_kinds); i++) {
		if (str_eq(text, str_of(hole_kinds[i]))) {
			*kind = (enum hole_kind)i;
			return true;
		}
	}
	return false;
}

static bool begins_last(struct str literal)
{
	return literal.n >= 2 && memmem(literal.p, literal.n, " :", 2);
}

static void form_parse(struct form *f, const char *text)
{
	struct str rest = str_of(text);
	bool in_last = false;
	f->n = 0;
	f->is_ctcp = str_has(rest, '\1');
	for (;;) {
		struct str literal = str_cut(&rest, '{');
		if (!rest.p || f->n == HOLES_MAX) {
			f->end = literal;
			return;
		}
		in_last |= begins_last(literal);
		struct str inside = str_cut(&rest, '}');
		struct hole *h = &f->parts[f->n].hole;
		f->parts[f->n++].literal = literal;
		h->name = str_cut(&inside, ':');
		if (!inside.p || !parse_kind(inside, &h->kind))
			h->kind = HOLE_ONE;
		h->is_free = in_last && !str_has(rest, '{') && h->kind != HOLE_NOSPACE;
	}
}

static const struct hole *form_find(const struct form *f, struct str name)
{
	for (size_t i = 0; i < f->n; i++)
		if (str_eq(f->parts[i].hole.name, name))
			return &f->parts[i].hole;
	return NULL;
}

struct call {
	const struct schema_command *command;
	struct form forms[FORMS_MAX];
	size_t n_forms;
	const struct schema_arg *args;
	size_t n_args;
	struct err *err;
};

static void call_begin(struct call *c)
{
	c->n_forms = 0;
	for (const char *const *form = c->command->forms; *form && c->n_forms < FORMS_MAX; form++)
		form_parse(&c->forms[c->n_forms++], *form);
}

static const struct schema_arg *arg_of(const struct call *c, struct str name)
{
	for (size_t i = 0; i < c->n_args; i++) {
		if (str_eq(c->args[i].name, name))
			return &c->args[i];
	}
	return NULL;
}

static bool is_false(const struct schema_arg *a)
{
	return !a->is_true && !a->is_list && a->n_values == 0;
}

static bool is_given(const struct call *c, struct str name)
{
	const struct schema_arg *a = arg_of(c, name);
	return a && !is_false(a);
}

static bool fits(const struct call *c, const struct form *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (!is_given(c, f->parts[i].hole.name))
			return false;
	return true;
}

/* The form with the most holes for which all are given. */
static const struct form *choose(const struct call *c)
{
	const struct form *best = NULL;
	for (size_t i = 0; i < c->n_forms; i++)
		if ((!best || c->forms[i].n > best->n) && fits(c, &c->forms[i]))
			best = &c->forms[i];
	return best;
}

struct text {
	char bytes[400];
	size_t n;
};

static void text_add(struct text *t, const char *s)
{
	for (; *s && t->n + 5 < sizeof(t->bytes); s++) {
		if (*s == '\1') {
			memcpy(t->bytes + t->n, "\\x01", 4);
			t->n += 4;
		} else {
			t->bytes[t->n++] = *s;
		}
	}
	t->bytes[t->n] = '\0';
}

static struct text list_forms(const struct schema_command *command)
{
	struct text t = {.n = 0};
	for (const char *const *form = command->forms; *form; form++) {
		text_add(&t, form == command->forms ? "" : " | ");
		text_add(&t, *form);
	}
	return t;
}

static int refuse_forms(const struct call *c, const char *what, struct str name)
{
	struct text forms = list_forms(c->command);
	return err_set(c->err, ERR_INVALID, "%s: %s%" STR_F "%s; forms: %s", c->command->name, what,
		STR_A(name), name.p ? "'" : "", forms.bytes);
}

/* Whether any form has this parameter, and any as {name:bool}. */
static bool is_known(const struct call *c, struct str name, bool *is_bool)
{
	bool known = false;
	*is_bool = false;
	for (size_t i = 0; i < c->n_forms; i++) {
		const struct hole *h = form_find(&c->forms[i], name);
		known |= h != NULL;
		*is_bool |= h && h->kind == HOLE_BOOL;
	}
	return known;
}

static int refuse_value(const struct call *c, struct str name, const char *fault)
{
	struct text forms = list_forms(c->command);
	return err_set(c->err, ERR_INVALID, "%s: %" STR_F " %s; forms: %s", c->command->name,
		STR_A(name), fault, forms.bytes);
}

static int check_names(const struct call *c)
{
	for (size_t i = 0; i < c->n_args; i++) {
		const struct schema_arg *a = &c->args[i];
		bool is_bool;
		if (!is_known(c, a->name, &is_bool))
			return refuse_forms(c, "no parameter '", a->name);
		if ((a->is_true || is_false(a)) && !is_bool)
			return refuse_value(c, a->name, "is a boolean");
	}
	return 0;
}

static int check_all_used(const struct call *c, const struct form *form)
{
	for (size_t i = 0; i < c->n_args; i++) {
		if (!is_false(&c->args[i]) && !form_find(form, c->args[i].name))
			return refuse_forms(c, "no form fits with '", c->args[i].name);
	}
	return 0;
}

static bool has_line_break(struct str s)
{
	return str_has(s, '\r') || str_has(s, '\n');
}

static bool names_one_target(const struct hole *h)
{
	static const char *const names[] = {"target", "nick", "channel", "new_channel", "server"};
	for (size_t i = 0; i < COUNTOF(names); i++)
		if (str_eq(h->name, str_of(names[i])))
			return true;
	return false;
}

/* What is wrong with a value anywhere in a line, or NULL. */
static const char *line_fault(struct str value)
{
	if (has_line_break(value))
		return "has a line break";
	if (str_has(value, '\0'))
		return "has a NUL";
	return NULL;
}

/* The same for a value that must be one word. */
static const char *word_fault(struct str value)
{
	if (value.n == 0)
		return "is empty";
	if (str_has(value, ' '))
		return "has a space";
	if (value.p[0] == ':')
		return "begins with a colon";
	return NULL;
}

static const char *value_fault(const struct hole *h, const struct schema_arg *a, struct str value)
{
	const char *fault = line_fault(value);
	if (!fault && (!h->is_free || a->is_list))
		fault = word_fault(value);
	if (!fault && h->kind == HOLE_COMMA && a->is_list && str_has(value, ','))
		fault = "has a comma within a list";
	if (!fault && h->kind == HOLE_ONE && names_one_target(h) && str_has(value, ','))
		fault = "takes one name, and has a comma";
	return fault;
}

static const char *arg_fault(const struct form *f, const struct hole *h, const struct schema_arg *a)
{
	if (h->kind == HOLE_BOOL)
		return a->is_true ? NULL : "takes true or false";
	bool takes_list = h->kind == HOLE_COMMA || h->kind == HOLE_SPACE;
	if (a->is_list && !takes_list)
		return "takes one value, not a list";
	if (a->n_values == 0)
		return "is an empty list";
	if (a->n_values > SCHEMA_LIST_MAX)
		return "has too many values";
	for (size_t i = 0; i < a->n_values; i++) {
		const char *fault = value_fault(h, a, a->values[i]);
		if (!fault && f->is_ctcp && str_has(a->values[i], '\1'))
			fault = "has a \\x01";
		if (fault)
			return fault;
	}
	return NULL;
}

static int check_values(const struct call *c, const struct form *f)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct hole *h = &f->parts[i].hole;
		const char *fault = arg_fault(f, h, arg_of(c, h->name));
		if (fault)
			return refuse_value(c, h->name, fault);
	}
	return 0;
}

struct writer {
	char *at; /* NULL: only counts */
	size_t n;
};

static void put(struct writer *w, struct str s)
{
	if (w->at && s.n)
		memcpy(w->at + w->n, s.p, s.n);
	w->n += s.n;
}

static void put_arg(struct writer *w, const struct hole *h, const struct schema_arg *a)
{
	if (h->kind == HOLE_BOOL)
		put(w, h->name);
	for (size_t i = 0; i < a->n_values; i++) {
		if (i > 0)
			put(w, h->kind == HOLE_COMMA ? STR(",") : STR(" "));
		put(w, a->values[i]);
	}
}

static void put_form(struct writer *w, const struct call *c, const struct form *f)
{
	for (size_t i = 0; i < f->n; i++) {
		put(w, f->parts[i].literal);
		put_arg(w, &f->parts[i].hole, arg_of(c, f->parts[i].hole.name));
	}
	put(w, f->end);
}

/* Measured first, so that a full buffer stays as it was. */
static int append(struct buf *out, const struct call *c, const struct form *f)
{
	struct writer w = {NULL, 0};
	put_form(&w, c, f);
	w.at = buf_reserve(out, w.n);
	if (!w.at)
		return err_set(c->err, ERR_LIMIT, "%s: the line is too long", c->command->name);
	w.n = 0;
	put_form(&w, c, f);
	buf_commit(out, w.n);
	return 0;
}

static const char *hole_fault(struct str inside)
{
	enum hole_kind kind;
	if (str_cut(&inside, ':').n == 0)
		return "a hole has no name";
	return parse_kind(inside, &kind) ? NULL : "a hole is of no known kind";
}

static const char *form_fault(struct str rest)
{
	if (rest.n == 0 || rest.p[0] == '{' || rest.p[0] == ' ')
		return "no command";
	if (has_line_break(rest))
		return "a line break";
	for (int n = 0;; n++) {
		struct str literal = str_cut(&rest, '{');
		if (str_has(literal, '}'))
			return "a } without {";
		if (!rest.p)
			return NULL;
		if (n == HOLES_MAX)
			return "too many holes";
		if (!str_has(rest, '}'))
			return "a { without }";
		const char *fault = hole_fault(str_cut(&rest, '}'));
		if (fault)
			return fault;
	}
}

int schema_check_form(const char *form, struct err *err)
{
	const char *fault = form_fault(str_of(form));
	return fault ? err_set(err, ERR_INVALID, "form '%s': %s", form, fault) : 0;
}

int schema_build_from(struct buf *out, const struct schema_command *command,
	const struct schema_arg *args, size_t n_args, struct err *err)
{
	struct call c;
	c.command = command;
	c.args = args;
	c.n_args = n_args;
	c.err = err;
	call_begin(&c);
	int r = check_names(&c);
	if (r < 0)
		return r;
	const struct form *form = choose(&c);
	if (!form)
		return refuse_forms(&c, "no form fits", STR_NONE);
	r = check_all_used(&c, form);
	if (r >= 0)
		r = check_values(&c, form);
	if (r >= 0)
		r = append(out, &c, form);
	return r;
}

static struct text list_names(void)
{
	struct text t = {0};
	for (size_t i = 0; i < COUNTOF(commands); i++) {
		text_add(&t, i == 0 ? "" : " ");
		text_add(&t, commands[i].name);
	}
	return t;
}

int schema_build(struct buf *out, struct str command, const struct schema_arg *args, size_t n_args,
	struct err *err)
{
	const struct schema_command *c = schema_find(command);
	if (!c) {
		struct text names = list_names();
		return err_set(err, ERR_INVALID, "no command '%" STR_F "'; there are: %s",
			STR_A(command), names.bytes);
	}
	return schema_build_from(out, c, args, n_args, err);
}

const struct schema_command *schema_command(size_t i)
{
	return i < COUNTOF(commands) ? &commands[i] : NULL;
}

const struct schema_command *schema_find(struct str name)
{
	for (size_t i = 0; i < COUNTOF(commands); i++) {
		if (str_ieq(str_of(commands[i].name), name))
			return &commands[i];
	}
	return NULL;
}
