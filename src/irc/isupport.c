#include "irc/isupport.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct token {
	const char *name;
	bool (*read)(struct isupport *is, const struct token *t, struct str value);
	const char *unset; /* the value that holds while the server gives none; NULL: not known */
	size_t field;      /* of a number, and its range */
	int64_t min, max;
};

static void copy(char *to, struct str s)
{
	if (s.n)
		memcpy(to, s.p, s.n);
	to[s.n] = '\0';
}

static bool is_graphic(char c)
{
	return c > ' ' && c < 0x7f;
}

static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* What stands in front of a name. With a letter here, nicks would lose theirs or be channels. */
static bool are_symbols(struct str s, size_t size)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_graphic(s.p[i]) || is_alphanumeric(s.p[i]) || s.p[i] == ',' ||
			s.p[i] == ':')
			return false;
	return s.n < size;
}

static bool are_modes(struct str s, size_t size)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_graphic(s.p[i]) || s.p[i] == '+' || s.p[i] == '-')
			return false;
	return s.n < size;
}

static bool read_casemapping(struct isupport *is, const struct token *t, struct str value)
{
	(void)t;
	return casemap_parse(value, &is->casemap);
}

static bool read_chantypes(struct isupport *is, const struct token *t, struct str value)
{
	(void)t;
	if (!are_symbols(value, sizeof(is->chantypes)))
		return false;
	copy(is->chantypes, value);
	return true;
}

static bool read_statusmsg(struct isupport *is, const struct token *t, struct str value)
{
	(void)t;
	if (!are_symbols(value, sizeof(is->statusmsg)))
		return false;
	copy(is->statusmsg, value);
	return true;
}

static bool read_prefix(struct isupport *is, const struct token *t, struct str value)
{
	(void)t;
	struct str symbols = value;
	struct str modes = str_cut(&symbols, ')');
	if (value.n && (!symbols.p || modes.n == 0 || modes.p[0] != '('))
		return false;
	modes = str_skip(modes, 1);
	if (modes.n != symbols.n || !are_modes(modes, sizeof(is->prefix_modes)) ||
		!are_symbols(symbols, sizeof(is->prefix_symbols)))
		return false;
	copy(is->prefix_modes, modes);
	copy(is->prefix_symbols, symbols);
	return true;
}

static bool read_chanmodes(struct isupport *is, const struct token *t, struct str value)
{
	(void)t;
	struct str lists[COUNTOF(is->chanmodes)];
	for (size_t i = 0; i < COUNTOF(lists); i++) {
		if (!value.p)
			return false;
		lists[i] = str_cut(&value, ',');
		if (!are_modes(lists[i], sizeof(is->chanmodes[i])))
			return false;
	}
	for (size_t i = 0; i < COUNTOF(lists); i++)
		copy(is->chanmodes[i], lists[i]);
	return true;
}

/* No value makes the number 0: not known. */
static bool read_number(struct isupport *is, const struct token *t, struct str value)
{
	int64_t n = 0;
	if (value.p && !str_int(value, t->min, t->max, &n))
		return false;
	*(unsigned *)(void *)((char *)is + t->field) = (unsigned)n;
	return true;
}

static bool read_utf8only(struct isupport *is, const struct token *t, struct str value)
{
	(void)t;
	is->utf8_only = value.p != NULL;
	return true;
}

/* MODES without a value: no limit. */
static bool read_limit(struct isupport *is, const struct token *t, struct str value)
{
	return read_number(is, t, value.n ? value : STR_NONE);
}

#define FIELD(member) offsetof(struct isupport, member)

static const struct token tokens[] = {
	{"CASEMAPPING", read_casemapping, "rfc1459",        0,                 0,   0   },
	{"CHANTYPES",   read_chantypes,   "#&",             0,                 0,   0   },
	{"PREFIX",      read_prefix,      "(ov)@+",         0,                 0,   0   },
	{"CHANMODES",   read_chanmodes,   "beI,k,l,imnpst", 0,                 0,   0   },
	{"STATUSMSG",   read_statusmsg,   "",               0,                 0,   0   },
	{"NICKLEN",     read_number,      NULL,             FIELD(nicklen),    1,   255 },
	{"CHANNELLEN",  read_number,      NULL,             FIELD(channellen), 1,   500 },
	{"TOPICLEN",    read_number,      NULL,             FIELD(topiclen),   1,   8191},
	{"KICKLEN",     read_number,      NULL,             FIELD(kicklen),    1,   8191},
	{"AWAYLEN",     read_number,      NULL,             FIELD(awaylen),    1,   8191},
	{"USERLEN",     read_number,      "10",             FIELD(userlen),    1,   64  },
	{"HOSTLEN",     read_number,      "63",             FIELD(hostlen),    1,   255 },
	{"NAMELEN",     read_number,      NULL,             FIELD(namelen),    1,   8191},
	{"KEYLEN",      read_number,      NULL,             FIELD(keylen),     1,   255 },
	{"LINELEN",     read_number,      "512",            FIELD(linelen),    512, 8191},
	{"MODES",       read_limit,       "3",              FIELD(modes),      1,   100 },
	{"UTF8ONLY",    read_utf8only,    NULL,             0,                 0,   0   },
};

static const struct token *find_token(struct str name)
{
	for (size_t i = 0; i < COUNTOF(tokens); i++)
		if (str_eq(name, str_of(tokens[i].name)))
			return &tokens[i];
	return NULL;
}

static void unset(struct isupport *is, const struct token *t)
{
	bool is_valid = t->read(is, t, str_of(t->unset));
	assert(is_valid);
	(void)is_valid;
}

struct isupport *isupport_new(void)
{
	struct isupport *is = mem_new(sizeof(*is));
	is->refs = 1;
	for (size_t i = 0; i < COUNTOF(tokens); i++)
		unset(is, &tokens[i]);
	return is;
}

struct isupport *isupport_ref(struct isupport *is)
{
	is->refs++;
	return is;
}

void isupport_unref(struct isupport *is)
{
	if (!is || --is->refs)
		return;
	free(is->tokens);
	free(is);
}

static void unshare(struct isupport **is)
{
	const struct isupport *old = *is;
	if (old->refs == 1)
		return;
	struct isupport *own = mem_new(sizeof(*own));
	*own = *old;
	own->refs = 1;
	own->tokens = mem_resize(NULL, old->tokens_bytes, 1);
	if (old->tokens_bytes)
		memcpy(own->tokens, old->tokens, old->tokens_bytes);
	isupport_unref(*is);
	*is = own;
}

/* The byte that \xHH at the head of s stands for. 0, which no string could hold, for the rest. */
static char escaped_byte(struct str s)
{
	if (s.n < 4 || !str_starts(s, STR("\\x")))
		return '\0';
	int high = str_hex_digit(s.p[2]), low = str_hex_digit(s.p[3]);
	return (char)(high < 0 || low < 0 ? '\0' : high << 4 | low);
}

/* Writes at most s.n bytes and a NUL. */
static void decode(struct str s, char *out)
{
	while (s.n) {
		char c = escaped_byte(s);
		*out++ = c ? c : s.p[0];
		s = str_skip(s, c ? 4 : 1);
	}
	*out = '\0';
}

/* Tokens lie one behind the other, as the lengths of name and value and then both with their NUL:
 * every connection has some forty of them, and seldom asks for one. */
struct lengths {
	uint16_t name, value;
};

static size_t token_size(struct str name, struct str value)
{
	return sizeof(struct lengths) + name.n + 1 + value.n + 1;
}

bool isupport_next(const struct isupport *is, size_t *cursor, struct str *name, struct str *value)
{
	struct lengths n;
	if (*cursor >= is->tokens_bytes)
		return false;
	const char *at = is->tokens + *cursor;
	memcpy(&n, at, sizeof(n));
	*name = (struct str){at + sizeof(n), n.name};
	*value = (struct str){name->p + n.name + 1, n.value};
	*cursor += token_size(*name, *value);
	return true;
}

static void drop_token(struct isupport *is, struct str name)
{
	struct str other, value;
	for (size_t at = 0, next = 0; isupport_next(is, &next, &other, &value); at = next) {
		if (!str_eq(other, name))
			continue;
		memmove(is->tokens + at, is->tokens + next, is->tokens_bytes - next);
		is->tokens_bytes -= (uint32_t)(next - at);
		is->n_tokens--;
		return;
	}
}

static void put_token(struct isupport *is, struct str name, struct str value)
{
	struct lengths n = {(uint16_t)name.n, (uint16_t)value.n};
	size_t size = token_size(name, value);
	is->tokens = mem_resize(is->tokens, is->tokens_bytes + size, 1);
	char *to = is->tokens + is->tokens_bytes;
	memset(to, 0, size);
	memcpy(to, &n, sizeof(n));
	memcpy(to + sizeof(n), name.p, name.n);
	memcpy(to + sizeof(n) + name.n + 1, value.p, value.n);
	is->tokens_bytes += (uint32_t)size;
	is->n_tokens++;
}

static bool keep(struct isupport *is, struct str name, struct str value)
{
	if (is->n_tokens >= ISUPPORT_TOKENS_MAX && !isupport_get(is, name).p)
		return false;
	drop_token(is, name);
	put_token(is, name, value);
	return true;
}

static bool learn(struct isupport *is, struct str name, struct str value)
{
	char decoded[ISUPPORT_VALUE_MAX_BYTES + 1];
	decode(value, decoded);
	bool is_kept = keep(is, name, str_of(decoded));
	const struct token *t = find_token(name);
	return t ? t->read(is, t, str_of(decoded)) : is_kept;
}

static void forget(struct isupport *is, struct str name)
{
	drop_token(is, name);
	const struct token *t = find_token(name);
	if (t)
		unset(is, t);
}

bool isupport_apply(struct isupport **is, struct str token)
{
	bool is_negated = str_starts(token, STR("-"));
	struct str value = str_skip(token, is_negated);
	struct str name = str_cut(&value, '=');
	if (name.n == 0 || token.n > ISUPPORT_VALUE_MAX_BYTES || str_has(token, '\0') ||
		(is_negated && value.p))
		return false;
	unshare(is);
	if (!is_negated)
		return learn(*is, name, value);
	forget(*is, name);
	return true;
}

struct str isupport_get(const struct isupport *is, struct str name)
{
	struct str other, value;
	for (size_t cursor = 0; isupport_next(is, &cursor, &other, &value);)
		if (str_eq(other, name))
			return value;
	return STR_NONE;
}

/* Of "PRIVMSG:4,KICK:,JOIN:": an empty number is no limit. */
static bool find_target_limit(struct str list, struct str command, int64_t *max)
{
	while (list.p) {
		struct str number = str_cut(&list, ',');
		if (!str_ieq(str_cut(&number, ':'), command))
			continue;
		if (!str_int(number, 1, 1000, max))
			*max = 0;
		return true;
	}
	return false;
}

size_t isupport_targets_max(const struct isupport *is, struct str command)
{
	int64_t max = 0;
	if (find_target_limit(isupport_get(is, STR("TARGMAX")), command, &max))
		return (size_t)max;
	if (!str_int(isupport_get(is, STR("MAXTARGETS")), 1, 1000, &max))
		return 0;
	return (size_t)max;
}

/* "*,-draft/react": all but these. */
bool isupport_denies_tag(const struct isupport *is, struct str name)
{
	struct str list = isupport_get(is, STR("CLIENTTAGDENY"));
	bool is_denied = false;
	while (list.p) {
		struct str tag = str_cut(&list, ',');
		if (str_starts(tag, STR("-")) && str_eq(str_skip(tag, 1), name))
			return false;
		is_denied |= str_eq(tag, STR("*")) || str_eq(tag, name);
	}
	return is_denied;
}

bool isupport_is_channel(const struct isupport *is, struct str name)
{
	return name.n && str_has(str_of(is->chantypes), name.p[0]);
}

struct str isupport_channel_of(const struct isupport *is, struct str target, struct str *status)
{
	struct str prefixes = str_of(is->statusmsg);
	struct str ignored;
	if (!status)
		status = &ignored;
	for (size_t n = 0; n < target.n && str_has(prefixes, target.p[n]); n++) {
		struct str channel = str_skip(target, n + 1);
		if (isupport_is_channel(is, channel)) {
			*status = (struct str){target.p, n + 1};
			return channel;
		}
	}
	*status = STR_NONE;
	return isupport_is_channel(is, target) ? target : STR_NONE;
}
