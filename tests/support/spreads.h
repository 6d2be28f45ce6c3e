/*
 * spreads: what must hold of the lines that a line is spread over, for tests and the fuzzer.
 */
#ifndef EBB_TESTS_SUPPORT_SPREADS_H
#define EBB_TESTS_SUPPORT_SPREADS_H

#include "irc/spread.h"

enum { SPREADS_BYTES = 64 * 1024 };

static inline struct str spreads_untagged(struct str line)
{
	if (str_starts(line, STR("@")))
		(void)str_cut(&line, ' ');
	return line;
}

static inline bool spreads_is_one(struct str line, struct str command)
{
	return str_ieq(line, command);
}

/* All that stands behind the command. */
static inline struct str spreads_rest(const struct message *m)
{
	const char *end = m->command.p + m->command.n;
	return (struct str){end, (size_t)(m->raw.p + m->raw.n - end)};
}

/* The same without the colon of a parameter that begins there. */
static inline struct str spreads_words(const struct message *m)
{
	struct str rest = spreads_rest(m);
	while (str_starts(rest, STR(" ")))
		rest = str_skip(rest, 1);
	return str_skip(rest, str_starts(rest, STR(":")));
}

/* How many names line has of those that m has more of. */
static inline size_t spreads_count(const struct message *line, const struct message *m)
{
	struct str words = spreads_words(line), list;
	size_t n = 0, most = 0;
	if (spreads_is_one(m->command, STR("ISON")) ||
		spreads_is_one(m->command, STR("USERHOST"))) {
		while (str_word(&words, " ").p)
			n++;
		return n;
	}
	for (size_t i = 0; i < line->n_params; i++) {
		if (str_eq(line->params[i], m->params[i]))
			continue;
		for (n = 0, list = line->params[i]; list.p; n++)
			(void)str_cut(&list, ',');
		most = n > most ? n : most;
	}
	return most;
}

/* Takes the words of part from the front of *whole. */
static inline bool spreads_take_words(struct str *whole, struct str part)
{
	struct str word;
	while ((word = str_word(&part, " ")).p)
		if (!str_eq(word, str_word(whole, " ")))
			return false;
	return true;
}

/* Takes the names of part from the front of *whole. */
static inline bool spreads_take_names(struct str *whole, struct str part)
{
	while (part.p)
		if (!whole->p || !str_eq(str_cut(&part, ','), str_cut(whole, ',')))
			return false;
	return true;
}

/* Reads the changes of line from the front of *whole. */
static inline bool spreads_take_changes(
	struct mode_reader *whole, const struct isupport *is, const struct message *line)
{
	struct mode_reader r;
	struct mode_change a, b;
	modes_begin(&r, is, message_param(line, 1), line->params + 2,
		line->n_params > 2 ? line->n_params - 2 : 0);
	while (modes_next(&r, &a)) {
		if (!modes_next(whole, &b) || a.set != b.set || a.mode != b.mode ||
			!a.param.p != !b.param.p || !str_eq(a.param, b.param))
			return false;
	}
	return r.n_params == 0;
}

/* What is left of the line that is spread. */
struct spreads {
	const struct isupport *is;
	const struct message *m;
	struct str params[MESSAGE_PARAMS_MAX], words;
	struct str mode_params[SPREAD_PARAMS_MAX];
	struct mode_reader modes;
};

/* The parameters behind the modes, of which a message may have more than it shows. */
static inline void spreads_begin_modes(struct spreads *s)
{
	const struct message *m = s->m;
	struct str rest = spreads_rest(m);
	size_t n = 0;
	(void)str_word(&rest, " ");
	(void)str_word(&rest, " ");
	while (n < SPREAD_PARAMS_MAX) {
		while (str_starts(rest, STR(" ")))
			rest = str_skip(rest, 1);
		if (rest.n == 0)
			break;
		bool is_last = rest.p[0] == ':';
		struct str word = is_last ? str_skip(rest, 1) : str_word(&rest, " ");
		s->mode_params[n++] = word;
		if (is_last)
			break;
	}
	modes_begin(&s->modes, s->is, message_param(m, 1), s->mode_params, n);
}

static inline const char *spreads_line_fault(struct spreads *s, const struct message *line)
{
	const struct message *m = s->m;
	if (!str_eq(line->command, m->command) || !str_eq(line->tags, m->tags) ||
		!str_eq(line->source, m->source))
		return "another command, or other tags";
	if (spreads_is_one(m->command, STR("MODE"))) {
		if (!str_eq(line->params[0], m->params[0]))
			return "another channel";
		return spreads_take_changes(&s->modes, s->is, line) ? NULL : "another change";
	}
	if (spreads_is_one(m->command, STR("ISON")) || spreads_is_one(m->command, STR("USERHOST")))
		return spreads_take_words(&s->words, spreads_words(line)) ? NULL : "another word";
	for (size_t i = 0; i < line->n_params; i++)
		if (!str_eq(line->params[i], m->params[i]) &&
			!spreads_take_names(&s->params[i], line->params[i]))
			return "another name";
	return NULL;
}

static inline const char *spreads_end_fault(struct spreads *s)
{
	struct mode_change c;
	if (spreads_is_one(s->m->command, STR("MODE")))
		return modes_next(&s->modes, &c) ? "a change is missing" : NULL;
	if (spreads_is_one(s->m->command, STR("ISON")) ||
		spreads_is_one(s->m->command, STR("USERHOST")))
		return str_word(&s->words, " ").p ? "a word is missing" : NULL;
	for (size_t i = 0; i < s->m->n_params; i++)
		if (s->params[i].p && !str_eq(s->params[i], s->m->params[i]))
			return "a name is missing";
	return NULL;
}

/* The text of a PRIVMSG or NOTICE may be cut, so it may be longer. */
static inline bool spreads_is_too_long(const struct message *line, size_t bytes_max)
{
	bool is_text = spreads_is_one(line->command, STR("PRIVMSG")) ||
		       spreads_is_one(line->command, STR("NOTICE"));
	size_t n = spreads_untagged(line->raw).n;
	if (is_text && line->n_params == 2)
		n -= line->params[1].n;
	return n > bytes_max;
}

/* What is wrong with the lines that m becomes, or NULL; *n_lines: how many they are, 0 if m stays
 * as it is. */
static inline const char *spreads_fault(
	const struct isupport *is, const struct message *m, size_t bytes_max, size_t *n_lines)
{
	struct spread sp;
	struct spreads s = {.is = is, .m = m, .words = spreads_words(m)};
	struct buf out;
	const char *fault = NULL;
	*n_lines = 0;
	if (!spread_begin(&sp, is, m, bytes_max))
		return NULL;
	memcpy(s.params, m->params, m->n_params * sizeof(*m->params));
	spreads_begin_modes(&s);
	buf_init(&out, SPREADS_BYTES);
	for (; !fault && spread_next(&sp, &out) > 0; ++*n_lines) {
		struct message line;
		fault = message_parse(&line, buf_str(&out)) < 0 ? "no message"
								: spreads_line_fault(&s, &line);
		bool is_modes = spreads_is_one(m->command, STR("MODE"));
		size_t n = is_modes ? line.n_params : spreads_count(&line, m);
		if (!fault && n > (is_modes ? 3U : 1U) && spreads_is_too_long(&line, bytes_max))
			fault = "too long";
	}
	buf_fini(&out);
	if (!fault && *n_lines < 2)
		fault = "a line for itself";
	return fault ? fault : spreads_end_fault(&s);
}

#endif
