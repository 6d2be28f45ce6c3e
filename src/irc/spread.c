#include "irc/spread.h"

#include <string.h>

enum {
	USERHOST_MAX = 5,
	MODE_PARAMS_MAX = MESSAGE_PARAMS_MAX - 2, /* beside the channel and the letters */
};

/* What follows parameter i, with the space before it; absent where nothing does. */
static struct str after(const struct message *m, size_t i)
{
	const char *end = m->params[i].p + m->params[i].n;
	size_t n = (size_t)(m->raw.p + m->raw.n - end);
	return n ? (struct str){end, n} : STR_NONE;
}

/* The names are parameter i. */
static void set_names(struct spread *sp, const struct message *m, size_t i)
{
	sp->head = (struct str){m->raw.p, (size_t)(m->params[i].p - m->raw.p)};
	sp->all.names = m->params[i];
	sp->tail = after(m, i);
}

static size_t count_names(struct str list)
{
	size_t n = 0;
	for (; list.p; n++)
		(void)str_cut(&list, ',');
	return n;
}

static bool is_list(struct str list)
{
	while (list.p) {
		struct str name = str_cut(&list, ',');
		if (name.n == 0 || name.p[0] == ':')
			return false;
	}
	return true;
}

static bool begin_list(struct spread *sp, const struct message *m, size_t i)
{
	struct str list = message_param(m, i);
	if (!str_has(list, ',') || !is_list(list))
		return false;
	set_names(sp, m, i);
	sp->names_max = isupport_targets_max(sp->all.modes.is, m->command);
	return true;
}

/* Parameters i and i + 1 belong together, name by name. */
static bool begin_pairs(struct spread *sp, const struct message *m, size_t i)
{
	struct str partners = message_param(m, i + 1);
	if (!is_list(partners) || str_has(partners, ' ') || !begin_list(sp, m, i))
		return false;
	sp->all.partners = partners;
	sp->tail = after(m, i + 1);
	return true;
}

static bool begin_first(struct spread *sp, const struct message *m)
{
	return begin_list(sp, m, 0);
}

/* WHOIS may have the server to ask before the nicks. */
static bool begin_whois(struct spread *sp, const struct message *m)
{
	return begin_list(sp, m, m->n_params == 2);
}

static bool begin_join(struct spread *sp, const struct message *m)
{
	if (m->n_params < 2)
		return begin_list(sp, m, 0);
	return m->n_params == 2 && count_names(m->params[1]) <= count_names(m->params[0]) &&
	       begin_pairs(sp, m, 0);
}

static bool begin_kick(struct spread *sp, const struct message *m)
{
	if (m->n_params < 2)
		return false;
	if (!str_has(m->params[0], ','))
		return begin_list(sp, m, 1);
	return count_names(m->params[1]) == count_names(m->params[0]) && begin_pairs(sp, m, 0);
}

/* Conditions (ELIST) hold together. */
static bool begin_channels(struct spread *sp, const struct message *m)
{
	struct str rest = message_param(m, 0);
	while (rest.p)
		if (!isupport_is_channel(sp->all.modes.is, str_cut(&rest, ',')))
			return false;
	return begin_first(sp, m);
}

static bool begin_monitor(struct spread *sp, const struct message *m)
{
	struct str what = message_param(m, 0);
	if ((!str_eq(what, STR("+")) && !str_eq(what, STR("-"))) || !begin_list(sp, m, 1))
		return false;
	sp->names_max = 0; /* a limit would be one of the whole list */
	return true;
}

/* Words, of which the last parameter may hold several. */
static bool begin_words(struct spread *sp, const struct message *m)
{
	if (m->n_params == 0)
		return false;
	set_names(sp, m, 0);
	struct str *words = &sp->all.names;
	words->n = (size_t)(m->raw.p + m->raw.n - words->p);
	sp->tail = STR_NONE;
	sp->separator = ' ';
	sp->names_max = str_ieq(m->command, STR("USERHOST")) ? USERHOST_MAX : 0;
	return !memmem(words->p, words->n, " :", 2);
}

/* The parameters from rest on: there may be more than a message can have. False for too many. */
static bool read_params(struct spread *sp, struct str rest, size_t *n)
{
	struct str param;
	*n = 0;
	for (;;) {
		while (str_starts(rest, STR(" ")))
			rest = str_skip(rest, 1);
		if (rest.n == 0)
			return true;
		if (*n == SPREAD_PARAMS_MAX)
			return false;
		bool is_last = rest.p[0] == ':';
		param = is_last ? str_skip(rest, 1) : str_cut(&rest, ' ');
		sp->params[(*n)++] = param;
		if (is_last)
			return true;
	}
}

static bool begin_modes(struct spread *sp, const struct message *m)
{
	const struct isupport *is = sp->all.modes.is;
	struct mode_change c;
	size_t n;
	if (m->n_params < 3 || !isupport_is_channel(is, m->params[0]) ||
		!read_params(sp, after(m, 1), &n))
		return false;
	set_names(sp, m, 1);
	sp->tail = STR_NONE;
	sp->is_modes = true;
	sp->names_max =
		is->modes && is->modes < MODE_PARAMS_MAX ? (size_t)is->modes : MODE_PARAMS_MAX;
	modes_begin(&sp->all.modes, is, m->params[1], sp->params, n);
	struct mode_reader all = sp->all.modes;
	while (modes_next(&all, &c))
		;
	return all.n_params == 0;
}

static const struct row {
	const char *command;
	bool (*begin)(struct spread *sp, const struct message *m);
} rows[] = {
	{"ACCEPT",   begin_first   },
	{"ISON",     begin_words   },
	{"JOIN",     begin_join    },
	{"KICK",     begin_kick    },
	{"LIST",     begin_channels},
	{"MODE",     begin_modes   },
	{"MONITOR",  begin_monitor },
	{"NAMES",    begin_first   },
	{"NOTICE",   begin_first   },
	{"PART",     begin_first   },
	{"PRIVMSG",  begin_first   },
	{"TAGMSG",   begin_first   },
	{"USERHOST", begin_words   },
	{"WHOIS",    begin_whois   },
	{"WHOWAS",   begin_first   },
};

static const struct row *find_row(struct str command)
{
	for (size_t i = 0; i < COUNTOF(rows); i++)
		if (str_ieq(str_of(rows[i].command), command))
			return &rows[i];
	return NULL;
}

/* Whether the tail is a text that may be cut: not so CTCP, but for ACTION. */
static bool has_text(const struct message *m)
{
	static const struct str action = STR_CONST("\x01"
						   "ACTION ");
	struct str text = message_param(m, 1);
	return m->n_params == 2 && message_is_text(m) &&
	       (!str_starts(text, STR("\x01")) || str_starts(text, action));
}

/* The bytes that stand on each line, without tags. */
static size_t count_around(const struct spread *sp, const struct message *m)
{
	struct str head = sp->head;
	size_t n_tail = sp->tail.n;
	if (str_starts(head, STR("@")))
		(void)str_cut(&head, ' ');
	if (has_text(m) && n_tail > sp->bytes_max / 2)
		n_tail = sp->bytes_max / 2;
	return head.n + n_tail;
}

static struct str next_name(const struct spread *sp, struct str *rest)
{
	return sp->separator == ' ' ? str_word(rest, " ") : str_cut(rest, ',');
}

/* From the first byte of a piece of a list to the last of another. */
static struct str join_pieces(struct str first, struct str last)
{
	return first.p ? (struct str){first.p, (size_t)(last.p + last.n - first.p)} : last;
}

/* The names of a line, and what belongs to them. */
struct piece {
	struct str names, partners;
};

static struct piece take_piece(struct spread *sp)
{
	struct piece piece = {STR_NONE, STR_NONE};
	struct spread_names next = sp->rest;
	for (size_t n = 0;; n++) {
		struct str name = next_name(sp, &next.names);
		struct str partner = str_cut(&next.partners, ',');
		if (!name.p)
			return piece;
		struct piece more = {join_pieces(piece.names, name), piece.partners};
		if (partner.p)
			more.partners = join_pieces(piece.partners, partner);
		size_t n_bytes =
			sp->n_around + more.names.n + more.partners.n + (more.partners.p != NULL);
		if (n && (n == sp->names_max || n_bytes > sp->bytes_max))
			return piece;
		piece = more;
		sp->rest = next;
	}
}

/* Whether a parameter can only be the last. */
static bool needs_colon(struct str param)
{
	return param.n == 0 || param.p[0] == ':' || str_has(param, ' ');
}

static size_t change_bytes(const struct mode_change *c, const struct mode_change *before)
{
	size_t n = 1 + (!before || before->set != c->set);
	return c->param.p ? n + 1 + needs_colon(c->param) + c->param.n : n;
}

/* How many changes fit the next line, and in *rest what follows them. */
static size_t count_changes(const struct spread *sp, struct mode_reader *rest)
{
	struct mode_change c, before = {0};
	size_t n = 0, n_params = 0, n_bytes = sp->n_around;
	struct mode_reader next = *rest = sp->rest.modes;
	while (modes_next(&next, &c)) {
		n_params += c.param.p != NULL;
		n_bytes += change_bytes(&c, n ? &before : NULL);
		if (n && (n_params > sp->names_max || n_bytes > sp->bytes_max))
			break;
		n++;
		before = c;
		*rest = next;
	}
	return n;
}

static int put_letters(struct buf *out, struct mode_reader r, size_t n)
{
	struct mode_change c;
	char sign = '\0';
	int result = 0;
	for (; result == 0 && n && modes_next(&r, &c); n--) {
		if (sign != (c.set ? '+' : '-')) {
			sign = c.set ? '+' : '-';
			result = buf_add(out, (struct str){&sign, 1});
		}
		if (result == 0)
			result = buf_add(out, (struct str){&c.mode, 1});
	}
	return result;
}

static int put_params(struct buf *out, struct mode_reader r, size_t n)
{
	struct mode_change c;
	int result = 0;
	for (; result == 0 && n && modes_next(&r, &c); n--)
		if (c.param.p)
			result = buf_addf(
				out, " %s%" STR_F, needs_colon(c.param) ? ":" : "", STR_A(c.param));
	return result;
}

static int put_modes(struct spread *sp, struct buf *out)
{
	struct mode_reader rest;
	size_t n = count_changes(sp, &rest);
	if (n == 0)
		return 0;
	int r = buf_add(out, sp->head);
	if (r == 0)
		r = put_letters(out, sp->rest.modes, n);
	if (r == 0)
		r = put_params(out, sp->rest.modes, n);
	sp->rest.modes = rest;
	return r < 0 ? r : 1;
}

static int put_names(struct spread *sp, struct buf *out)
{
	struct piece piece = take_piece(sp);
	if (!piece.names.p)
		return 0;
	int r = buf_add(out, sp->head);
	if (r == 0)
		r = buf_add(out, piece.names);
	if (r == 0 && piece.partners.p)
		r = buf_add(out, STR(" "));
	if (r == 0)
		r = buf_add(out, piece.partners);
	if (r == 0)
		r = buf_add(out, sp->tail);
	return r < 0 ? r : 1;
}

void spread_rewind(struct spread *sp)
{
	sp->rest = sp->all;
}

/* Whether all is on one line. */
static bool is_whole(struct spread *sp)
{
	struct mode_reader rest;
	struct mode_change c;
	spread_rewind(sp);
	if (sp->is_modes) {
		(void)count_changes(sp, &rest);
		return !modes_next(&rest, &c);
	}
	(void)take_piece(sp);
	return !next_name(sp, &sp->rest.names).p;
}

bool spread_begin(
	struct spread *sp, const struct isupport *is, const struct message *m, size_t bytes_max)
{
	const struct row *row = find_row(m->command);
	if (!row)
		return false;
	sp->all = (struct spread_names){.modes.is = is};
	sp->separator = ',';
	sp->is_modes = false;
	sp->bytes_max = bytes_max;
	if (!row->begin(sp, m))
		return false;
	sp->n_around = count_around(sp, m);
	bool is_one_line = is_whole(sp);
	spread_rewind(sp);
	return !is_one_line;
}

int spread_next(struct spread *sp, struct buf *out)
{
	buf_reset(out);
	return sp->is_modes ? put_modes(sp, out) : put_names(sp, out);
}
