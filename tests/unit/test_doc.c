#include "irc/batch.h"
#include "irc/caps.h"
#include "irc/ctcp.h"
#include "irc/isupport.h"
#include "irc/joins.h"
#include "irc/reply.h"
#include "irc/request.h"
#include "irc/roster.h"
#include "irc/sasl.h"
#include "irc/schema.h"
#include "irc/scram.h"
#include "irc/session.h"
#include "irc/sts.h"
#include "net/lines.h"
#include "script/modules.h"
#include "support/stage.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* doc/ebb.lua against the code: what is there is documented, what is documented is there. */

static struct stage st;
static struct buf doc;

/* The script with trust = full, which sees all that there is. */
static lua_State *lua(void)
{
	return container_of(st.host.scripts.next, struct script, node)->vm.L;
}

static lua_State *restricted(void)
{
	return container_of(st.host.scripts.prev, struct script, node)->vm.L;
}

/* What scripts have in a test; the table is left as a global for it to be looked at. */
static void open_test(lua_State *L)
{
	lib_open_test(L);
	assert_int_equal(luaL_dostring(L, "require_result = require 'ebb.test'"), LUA_OK);
	lua_getglobal(L, "require_result");
	lua_setfield(L, LUA_REGISTRYINDEX, "test.t");
	lua_pushnil(L);
	lua_setglobal(L, "require_result");
}

/* So much that no field is nil. */
static void fill_roster(void)
{
	static const char *const lines[] = {":ebb!u@h JOIN #c", ":s 353 ebb = #c :ebb @alice",
		":s 324 ebb #c +tk key", ":s 329 ebb #c 1700000000", ":s 332 ebb #c :topic",
		":s 333 ebb #c bob 1700000000", ":s 354 ebb 861 #c u h alice H@ acc :Alice"};
	for (size_t i = 0; i < COUNTOF(lines); i++)
		stage_line(&st, 0, lines[i]);
	st.nets[0].account = "ebb";
}

static bool begin(void)
{
	char bytes[4096];
	size_t n;
	FILE *f = fopen("doc/ebb.lua", "r");
	if (!f)
		return false;
	buf_init(&doc, 256L * 1024);
	while ((n = fread(bytes, 1, sizeof(bytes), f)))
		assert_int_equal(buf_add(&doc, (struct str){bytes, n}), 0);
	fclose(f);
	stage_begin(&st, 1);
	st.limits.trust = TRUST_FULL;
	if (!stage_load(&st, "doc", ""))
		return false;
	st.limits.trust = TRUST_RESTRICTED;
	if (!stage_load(&st, "restricted", ""))
		return false;
	open_test(lua());
	open_test(restricted());
	fill_roster();
	return true;
}

/* Reading the documentation. */

/* What follows the first line that begins so: the rest of the line, and the rest of the file. */
static struct str after(const char *beginning, struct str *rest)
{
	*rest = buf_str(&doc);
	while (rest->n) {
		struct str line = str_cut(rest, '\n');
		if (str_starts(line, str_of(beginning)))
			return str_skip(line, strlen(beginning));
	}
	return STR_NONE;
}

static bool has_function(const char *prefix, const char *name)
{
	char line[200];
	struct str rest;
	snprintf(line, sizeof(line), "function %s%s(", prefix, name);
	return after(line, &rest).p;
}

static bool has_value(const char *name)
{
	char line[200];
	struct str rest;
	snprintf(line, sizeof(line), "%s = {}", name);
	return after(line, &rest).p;
}

/* The lines of a class or alias, which an empty line ends. */
static struct str block_of(const char *head)
{
	struct str rest;
	if (!after(head, &rest).p)
		fail_msg("%s: is not there", head);
	const char *blank = strstr(rest.p, "\n\n");
	return (struct str){rest.p, (size_t)(blank - rest.p)};
}

/* The name of the next field in a class; absent at its end. */
static struct str next_field(struct str *class)
{
	while (class->n) {
		struct str line = str_cut(class, '\n'), mark = STR("---@field ");
		if (!str_starts(line, mark) || str_starts(line, STR("---@field [")))
			continue;
		line = str_skip(line, mark.n);
		return str_word(&line, " ?");
	}
	return STR_NONE;
}

static bool has_field(const char *class, const char *name)
{
	struct str rest = block_of(class), field;
	while ((field = next_field(&rest)).p)
		if (str_eq(field, str_of(name)))
			return true;
	return false;
}

/* The next entry of an alias, `---| "name" # text`; the name is absent at its end. */
static struct str next_entry(struct str *alias, struct str *text)
{
	while (alias->n) {
		struct str line = str_cut(alias, '\n'), mark = STR("---| \"");
		if (!str_starts(line, mark))
			continue;
		line = str_skip(line, mark.n);
		struct str name = str_cut(&line, '"');
		*text = str_skip(line, strlen(" # "));
		return name;
	}
	return STR_NONE;
}

static struct str entry_of(const char *alias, const char *name)
{
	struct str rest = block_of(alias), found, text;
	while ((found = next_entry(&rest, &text)).p)
		if (str_eq(found, str_of(name)))
			return text;
	fail_msg("%s of %s: is not documented", name, alias);
	return STR_NONE;
}

static size_t count_entries(const char *alias)
{
	struct str rest = block_of(alias), text;
	size_t n = 0;
	while (next_entry(&rest, &text).p)
		n++;
	return n;
}

/* Functions and values. */

static bool is_standard(const char *global)
{
	lua_State *L = luaL_newstate();
	luaL_openlibs(L);
	bool is = lua_getglobal(L, global) != LUA_TNIL;
	lua_close(L);
	return is;
}

static void every_global_is_documented(void **state)
{
	lua_State *L = lua();
	(void)state;
	lua_pushglobaltable(L);
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		const char *name = lua_tostring(L, -2);
		bool is_documented =
			lua_isfunction(L, -1) ? has_function("", name) : has_value(name);
		if (!is_documented && !is_standard(name))
			fail_msg("%s: is not documented", name);
	}
	lua_pop(L, 1);
	assert_true(has_function("", "print")); /* not the standard one */
}

static void the_table_ebb_holds_globals(void **state)
{
	lua_State *L = lua();
	(void)state;
	lua_getglobal(L, "ebb");
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		const char *name = lua_tostring(L, -2);
		lua_getglobal(L, name);
		if (!lua_rawequal(L, -1, -2))
			fail_msg("ebb.%s: is not the global of that name", name);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}

/* The tables that hold functions, and how the documentation calls them. */
static const struct holder {
	const char *name;
	const char *global, *type; /* one of them; the latter is a name in the registry */
	const char *prefix;
	bool is_trusted; /* there with trust = full only */
} holders[] = {
	{"log",               "log",   NULL,                   "log.",    false},
	{"os",		"os",    NULL,                   "os.",     false},
	{"io",		"io",    NULL,                   "io.",     true },
	{"debug",             "debug", NULL,                   "debug.",  false},
	{"files",             NULL,    LUA_FILEHANDLE,         "file:",   true },
	{"subscriptions",     NULL,    "ebb.listener",         "sub:",    false},
	{"events",            NULL,    "ebb.event",            "ev:",     false},
	{"networks",          NULL,    "ebb.network",          "net:",    false},
	{"channels",          NULL,    "ebb.channel",          "ch:",     false},
	{"line filters",      NULL,    "ebb.sieve",            "filter:", false},
	{"tasks",             NULL,    "ebb.task",             "task:",   false},
	{"futures",           NULL,    "ebb.future",           "fut:",    false},
	{"queues",            NULL,    "ebb.queue",            "q:",      false},
	{"locks",             NULL,    "ebb.lock",             "l:",      false},
	{"tests",             NULL,    "test.t",               "t.",      false},
	{"bots",              NULL,    "ebb.test.bot",         "bot:",    false},
	{"people",            NULL,    "ebb.test.person",      "person:", false},
	{"networks of tests", NULL,    "ebb.test.network",     "sim:",    false},
	{"expectations",      NULL,    "ebb.test.expectation", "that:",   false},
};

/* Pushes the table; a type's methods are its __index, or what that has as its upvalue. */
static void push_holder(lua_State *L, const struct holder *h)
{
	if (h->global) {
		lua_getglobal(L, h->global);
		return;
	}
	luaL_getmetatable(L, h->type);
	if (lua_getfield(L, -1, "__index") == LUA_TNIL) {
		lua_pop(L, 1); /* a table as it is */
		return;
	}
	if (lua_isfunction(L, -1))
		lua_getupvalue(L, -1, 1);
}

static void functions_are_documented(void **state)
{
	const struct holder *h = *state;
	lua_State *L = lua();
	push_holder(L, h);
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		const char *name = lua_tostring(L, -2);
		if (!has_function(h->prefix, name))
			fail_msg("%s%s: is not documented", h->prefix, name);
	}
	lua_settop(L, 0);
}

static const struct holder *holder_of(struct str name)
{
	for (size_t i = 0; i < COUNTOF(holders); i++)
		if (str_starts(name, str_of(holders[i].prefix)))
			return &holders[i];
	return NULL;
}

/* What "on", "log.debug", "sub:off" names. */
static bool is_there(lua_State *L, struct str name)
{
	const struct holder *h = holder_of(name);
	if (h) {
		push_holder(L, h);
		name = str_skip(name, strlen(h->prefix));
	} else {
		lua_pushglobaltable(L);
	}
	lua_pushlstring(L, name.p, name.n);
	lua_gettable(L, -2);
	bool is = !lua_isnil(L, -1);
	lua_settop(L, 0);
	return is;
}

/* The name that a line declares, absent in any other. */
static struct str declared_name(struct str line)
{
	struct str name = str_word(&line, " ");
	line = str_trim(line);
	if (str_eq(name, STR("function")))
		return str_cut(&line, '(');
	return str_eq(line, STR("= {}")) ? name : STR_NONE;
}

static bool is_marked_trusted(struct str comment)
{
	char *text = str_dup(comment);
	bool is = strstr(text, "`trust = full` only");
	free(text);
	return is;
}

static void check_declared(struct str name, struct str comment)
{
	const struct holder *h = holder_of(name);
	bool is_trusted = is_marked_trusted(comment) || (h && h->is_trusted);
	if (!is_there(lua(), name))
		fail_msg("%" STR_F ": is not there", STR_A(name));
	if (!(h && h->is_trusted) && is_there(restricted(), name) == is_trusted)
		fail_msg("%" STR_F ": is %s without trust, against its documentation", STR_A(name),
			is_trusted ? "there" : "not there");
}

static void every_documented_function_and_value_is_there(void **state)
{
	struct str rest = buf_str(&doc), comment = rest;
	(void)state;
	while (rest.n) {
		struct str line = str_cut(&rest, '\n'), name = declared_name(line);
		if (name.p)
			check_declared(name, (struct str){comment.p, (size_t)(line.p - comment.p)});
		if (line.n == 0)
			comment = rest;
	}
}

static void trusted_holders_are_for_trusted_scripts(void **state)
{
	lua_State *L = restricted();
	(void)state;
	for (size_t i = 0; i < COUNTOF(holders); i++) {
		const struct holder *h = &holders[i];
		if (!h->is_trusted)
			continue;
		if (h->global)
			lua_getglobal(L, h->global);
		else
			luaL_getmetatable(L, h->type);
		assert_true(lua_isnil(L, -1));
		lua_settop(L, 0);
	}
}

/* Events, networks, channels and users. */

static const char *const own_fields[] = {"event", "network", "net", "mine", "replayed", "time"};

static void the_fields_of_every_event_are_documented(void **state)
{
	const struct field *f;
	(void)state;
	for (size_t i = 0; (f = field_at(EVENT_UNKNOWN, i)); i++)
		if (!has_field("---@class ebb.Event", field_name(f)))
			fail_msg("%s: is not documented", field_name(f));
	for (size_t i = 0; i < COUNTOF(own_fields); i++)
		if (!has_field("---@class ebb.Event", own_fields[i]))
			fail_msg("%s: is not documented", own_fields[i]);
}

static bool is_event_field(struct str name)
{
	for (size_t i = 0; i < COUNTOF(own_fields); i++)
		if (str_eq(name, str_of(own_fields[i])))
			return true;
	return str_eq(name, STR("script")) || field_find(EVENT_PRIVMSG, name);
}

static void every_documented_field_of_events_is_there(void **state)
{
	struct str rest = block_of("---@class ebb.Event"), name;
	(void)state;
	while ((name = next_field(&rest)).p)
		if (!is_event_field(name))
			fail_msg("%" STR_F ": is not there", STR_A(name));
}

static const struct object {
	const char *name, *class, *code;
} objects[] = {
	{"a network", "---@class ebb.Network", "return networks()()"                          },
	{"a channel", "---@class ebb.Channel", "return networks()():channel('#c')"            },
	{"a user",    "---@class ebb.User",    "return networks()():user('alice')"            },
	{"a member",  "---@class ebb.Member",  "return networks()():channel('#c').users.alice"},
};

static void every_documented_field_is_there(void **state)
{
	const struct object *o = *state;
	struct str rest = block_of(o->class), name;
	lua_State *L = lua();
	while ((name = next_field(&rest)).p) {
		assert_int_equal(luaL_dostring(L, o->code), LUA_OK);
		lua_pushlstring(L, name.p, name.n);
		bool is_nil = lua_gettable(L, -2) == LUA_TNIL;
		bool is_absent = str_eq(name, STR("lag")) || str_eq(name, STR("dial_in"));
		if (is_nil && !is_absent) /* on this stage */
			fail_msg("%" STR_F ": is not there", STR_A(name));
		lua_settop(L, 0);
	}
}

static bool has_word(struct str text, const char *wanted)
{
	struct str word;
	while ((word = str_word(&text, " ,;:()")).n)
		if (str_eq(word, str_of(wanted)))
			return true;
	return false;
}

/* Field i of a kind where it is one of its own, which come first. */
static const char *own_field(int kind, size_t i, const char *first_common)
{
	const struct field *f = field_at(kind, i);
	return f && strcmp(field_name(f), first_common) != 0 ? field_name(f) : NULL;
}

/* A TAGMSG never has the text that it has room for. */
static bool can_have(int kind, const char *field)
{
	return kind != EVENT_TAGMSG || strcmp(field, "message") != 0;
}

static void events_are_documented_with_their_fields(void **state)
{
	size_t n = 1; /* mode, which stands for two */
	const char *field;
	(void)state;
	for (int kind = EVENT_ANY; kind < EVENT_KINDS; kind++) {
		if (kind == EVENT_UNKNOWN)
			continue;
		struct str text = entry_of("---@alias ebb.EventName", event_name(kind));
		for (size_t i = 0; (field = own_field(kind, i, "command")); i++)
			if (can_have(kind, field) && !has_word(text, field))
				fail_msg("%s of %s: is not documented", field, event_name(kind));
		n++;
	}
	assert_int_equal(count_entries("---@alias ebb.EventName"), n);
}

/* "004: info", or "" for a numeric without fields of its own. */
static void describe_numeric(int number, char *out, size_t size)
{
	const char *field;
	size_t n = 0;
	out[0] = '\0';
	for (size_t i = 0; (field = own_field(number, i, "target")); i++) {
		if (i == 0)
			n = (size_t)snprintf(out, size, "%03d:", number);
		n += (size_t)snprintf(out + n, size - n, " %s", field);
	}
}

static void numerics_are_documented_with_their_fields(void **state)
{
	char expected[200];
	size_t n = 0;
	(void)state;
	for (int number = 0; number < EVENT_ANY; number++) {
		describe_numeric(number, expected, sizeof(expected));
		if (expected[0] == '\0')
			continue;
		assert_slice(entry_of("---@alias ebb.Numeric", event_name(number)), expected);
		n++;
	}
	assert_int_equal(count_entries("---@alias ebb.Numeric"), n);
}

/* "NAMES {channel:comma} | NAMES" */
static void describe_command(const struct schema_command *c, char *out, size_t size)
{
	size_t n = 0;
	for (const char *const *form = c->forms; *form; form++) {
		n += (size_t)snprintf(out + n, size - n, "%s", form == c->forms ? "" : " | ");
		for (const char *p = *form; *p; p++)
			n += (size_t)snprintf(out + n, size - n, *p == '\1' ? "\\x01" : "%c", *p);
	}
}

static void commands_are_documented_with_their_forms(void **state)
{
	const struct schema_command *c;
	char expected[400];
	size_t n = 0;
	(void)state;
	for (; (c = schema_command(n)); n++) {
		describe_command(c, expected, sizeof(expected));
		assert_slice(entry_of("---@alias ebb.Command", c->name), expected);
	}
	assert_int_equal(count_entries("---@alias ebb.Command"), n);
}

/* The manual of the daemon against the headers that have the limits. */

static struct str page_of(const char *path, struct buf *out)
{
	char bytes[4096];
	size_t n;
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	buf_init(out, 256L * 1024);
	while ((n = fread(bytes, 1, sizeof(bytes), f)))
		assert_int_equal(buf_add(out, (struct str){bytes, n}), 0);
	fclose(f);
	return buf_str(out);
}

/* The next row of a table, ".It NAME Ta NUMBER Ta WORDS"; its name is absent at the end. */
static struct str next_row(struct str *page, struct str *number)
{
	while (page->n) {
		struct str line = str_cut(page, '\n');
		if (str_eq(line, STR(".El")))
			break;
		if (!str_starts(line, STR(".It ")) || str_starts(line, STR(".It Sy")))
			continue;
		const char *end = strstr(line.p, " Ta ");
		struct str name = {line.p + 4, (size_t)(end - line.p) - 4};
		struct str rest = {end + 4, line.n - name.n - 8};
		*number = str_word(&rest, " ");
		return name;
	}
	return STR_NONE;
}

/* The table that follows these words. */
static struct str table_after(struct str page, const char *words)
{
	const char *at = strstr(page.p, words);
	assert_non_null(at);
	struct str rest = {at, page.n - (size_t)(at - page.p)};
	while (rest.n && !str_starts(rest, STR(".Bl -column")))
		str_cut(&rest, '\n');
	return rest;
}

/* In the order of the manual. */
static const struct limit {
	const char *name;
	long value;
} limits[] = {
	{"bytes of a line received",         LINES_MAX               },
	{"bytes of its tags",                MESSAGE_TAGS_BYTES      },
	{"parameters of a line",             MESSAGE_PARAMS_MAX      },
	{"bytes of a line sent",             MESSAGE_BYTES           },
	{"bytes of the tags sent",           MESSAGE_SENT_TAGS_BYTES },
	{"bytes of a text to be split",      SESSION_TEXT_MAX_BYTES  },
	{"values of a parameter sent",       SCHEMA_LIST_MAX         },
	{"ISUPPORT tokens",                  ISUPPORT_TOKENS_MAX     },
	{"bytes of such a token",            ISUPPORT_VALUE_MAX_BYTES},
	{"lines of CAP LS",                  CAPS_LS_LINES_MAX       },
	{"bytes of a capability's value",    CAPS_VALUE_MAX_BYTES    },
	{"capabilities in caps",             CAPS_EXTRA_MAX          },
	{"bytes of a SASL challenge",        SASL_DATA_MAX_BYTES     },
	{"SCRAM iterations",                 SCRAM_ITERATIONS_MAX    },
	{"hosts with an STS policy",         STS_HOSTS_MAX           },
	{"bytes of such a host's name",      STS_HOST_MAX_BYTES      },
	{"batches open",                     BATCHES_MAX             },
	{"batches within each other",        BATCH_DEPTH_MAX         },
	{"bytes of a batch's lines",         BATCH_BYTES_MAX         },
	{"bytes of all batches",             BATCHES_BYTES_MAX       },
	{"requests under way",               REQUESTS_MAX            },
	{"lines of an answer",               REQUEST_LINES_MAX       },
	{"bytes of an answer",               REQUEST_BYTES_MAX       },
	{"bytes of all answers",             REQUESTS_BYTES_MAX      },
	{"channels to be in",                SESSION_CHANNELS_MAX    },
	{"kicks in a row",                   JOINS_KICKS_MAX         },
	{"channels known",                   ROSTER_CHANNELS_MAX     },
	{"users known",                      ROSTER_USERS_MAX        },
	{"members of all channels",          ROSTER_MEMBERS_MAX      },
	{"modes of a channel",               ROSTER_MODES_MAX        },
	{"bytes of a nick, host or account", ROSTER_NAME_MAX_BYTES   },
	{"bytes of a channel's name",        ROSTER_CHANNEL_MAX_BYTES},
	{"bytes of a real name",             ROSTER_WORDS_MAX_BYTES  },
	{"bytes of a topic",                 ROSTER_TOPIC_MAX_BYTES  },
	{"bytes of all users",               ROSTER_TEXT_MAX_BYTES   },
	{"answers to CTCP at once",          CTCP_BURST              },
};

static void the_limits_are_documented(void **state)
{
	struct buf b;
	struct str page = page_of("doc/ebbd.8", &b), number, name;
	struct str rest = table_after(page, ".Ss Limits");
	char expected[32];
	(void)state;
	for (size_t i = 0; i < COUNTOF(limits); i++) {
		assert_slice(next_row(&rest, &number), limits[i].name);
		snprintf(expected, sizeof(expected), "%ld", limits[i].value);
		assert_slice(number, expected);
	}
	name = next_row(&rest, &number);
	assert_null(name.p);
	buf_fini(&b);
}

/* The rows {NUMERIC, SECONDS} of the source against the manual's. */
static void the_delays_of_joins_are_documented(void **state)
{
	struct buf b, source;
	struct str page = page_of("doc/ebbd.8", &b), number, name;
	struct str rest = table_after(page, ".Ss Channels");
	const char *row = strstr(page_of("src/irc/joins.c", &source).p, "refusals[] = {");
	size_t n = 0;
	(void)state;
	while ((name = next_row(&rest, &number)).p) {
		char expected[32];
		bool is_never = str_eq(number, STR("never"));
		row = row ? strstr(row, "\n\t{") : NULL;
		snprintf(expected, sizeof(expected), "\n\t{%.*s, %.*s", (int)name.n, name.p,
			is_never ? 1 : (int)number.n, is_never ? "0" : number.p);
		if (!row || strncmp(row, expected, strlen(expected)) != 0)
			fail_msg("%" STR_F ": is not in joins.c as in the manual", STR_A(name));
		row++;
		n++;
	}
	assert_true(n > 0);
	assert_null(strstr(row, "\n\t{4"));
	buf_fini(&b);
	buf_fini(&source);
}

/* Kinds of ends. */

static struct str part_of(struct str text, const char *begin, const char *end)
{
	const char *from = strstr(text.p, begin), *to = from ? strstr(from, end) : NULL;
	if (!to)
		fail_msg("'%s' to '%s': is not there", begin, end);
	return (struct str){from, (size_t)(to - from)};
}

static void expect_kind(int code, struct str manual, struct str policy)
{
	struct str word;
	bool is_documented = false, is_minded = false;
	while (!is_documented && (word = str_word(&manual, " ,:`\n")).n)
		is_documented = str_eq(word, str_of(err_name(code)));
	while (!is_minded && (word = str_word(&policy, " ,;=\n")).n)
		is_minded = str_eq(word, str_of(err_name(code)));
	if (!is_documented || !is_minded)
		fail_msg("%s: is not among the kinds of connect, or of reconnect.lua",
			err_name(code));
}

static void the_kinds_of_ends_are_documented_and_have_a_pace(void **state)
{
	struct buf b;
	struct str manual = part_of(buf_str(&doc), "--- The kinds:", "\n---\n");
	struct str policy =
		part_of(page_of("scripts/reconnect.lua", &b), "`other` are", "local stable");
	(void)state;
	for (int code = ERR_DNS; code >= ERR_REQUESTED; code--)
		expect_kind(code, manual, policy);
	expect_kind(ERR_DENIED, manual, policy);
	expect_kind(ERR_LIMIT, manual, policy);
	expect_kind(ERR_SYSTEM, manual, policy);
	buf_fini(&b);
}

/* Replies. */

#define REPLY "---@class ebb.Reply"

static bool is_fact(struct str name)
{
	for (int kind = 0; kind < EVENT_KINDS; kind++) {
		size_t n;
		const struct fact *f = reply_facts(kind, &n);
		for (size_t i = 0; i < n; i++)
			if (str_eq(name, str_of(f[i].fact)))
				return true;
	}
	return str_eq(name, STR("ok")) || str_eq(name, STR("events"));
}

static void every_fact_of_replies_is_documented(void **state)
{
	(void)state;
	for (int kind = 0; kind < EVENT_KINDS; kind++) {
		size_t n;
		const struct fact *f = reply_facts(kind, &n);
		for (size_t i = 0; i < n; i++)
			if (!has_field(REPLY, f[i].fact))
				fail_msg("%s: is not documented", f[i].fact);
	}
}

static void every_documented_fact_of_replies_is_there(void **state)
{
	struct str rest = block_of(REPLY), name;
	(void)state;
	while ((name = next_field(&rest)).p)
		if (!is_fact(name))
			fail_msg("%" STR_F ": is not there", STR_A(name));
}

int main(void)
{
	struct check c = {0};
	if (!begin())
		return 1;
	check_test(&c, every_global_is_documented);
	check_test(&c, the_table_ebb_holds_globals);
	check_rows(&c, holders, functions_are_documented);
	check_test(&c, every_documented_function_and_value_is_there);
	check_test(&c, trusted_holders_are_for_trusted_scripts);
	check_test(&c, the_fields_of_every_event_are_documented);
	check_test(&c, every_documented_field_of_events_is_there);
	check_rows(&c, objects, every_documented_field_is_there);
	check_test(&c, events_are_documented_with_their_fields);
	check_test(&c, numerics_are_documented_with_their_fields);
	check_test(&c, commands_are_documented_with_their_forms);
	check_test(&c, the_limits_are_documented);
	check_test(&c, the_delays_of_joins_are_documented);
	check_test(&c, the_kinds_of_ends_are_documented_and_have_a_pace);
	check_test(&c, every_fact_of_replies_is_documented);
	check_test(&c, every_documented_fact_of_replies_is_there);
	int status = check_run(&c, "doc");
	stage_end(&st);
	buf_fini(&doc);
	return status;
}
