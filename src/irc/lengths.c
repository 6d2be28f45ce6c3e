#include "irc/lengths.h"

#include "irc/text.h"

static const struct length {
	struct str command;
	unsigned text; /* the parameter, which is the last */
	size_t max;    /* the field of struct isupport; 0 there: not known */
} lengths[] = {
	{STR_CONST("AWAY"),    0, offsetof(struct isupport, awaylen) },
	{STR_CONST("KICK"),    2, offsetof(struct isupport, kicklen) },
	{STR_CONST("SETNAME"), 0, offsetof(struct isupport, namelen) },
	{STR_CONST("TOPIC"),   1, offsetof(struct isupport, topiclen)},
};

static const struct length *find(const struct message *m)
{
	for (size_t i = 0; i < COUNTOF(lengths); i++)
		if (m->n_params == lengths[i].text + 1 && str_ieq(m->command, lengths[i].command))
			return &lengths[i];
	return NULL;
}

size_t lengths_cut(const struct isupport *is, struct message *m)
{
	const struct length *l = find(m);
	size_t max = l ? *(const unsigned *)(const void *)((const char *)is + l->max) : 0;
	struct text_cut c;
	struct str carried, first;
	if (max < TEXT_PART_MIN_BYTES || m->params[l->text].n <= max)
		return 0;
	text_cut_begin(&c, m->params[l->text], max);
	if (!text_cut_next(&c, &carried, &first))
		return 0;
	m->raw.n = (size_t)(first.p + first.n - m->raw.p);
	m->params[l->text].n = (size_t)(first.p + first.n - m->params[l->text].p);
	return max;
}
