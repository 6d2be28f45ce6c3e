#include "sim/label.h"

#include "sim/client.h"
#include "sim/wire.h"

#include <stdio.h>
#include <string.h>

void sim_label_begin(struct sim_client *c, struct str label)
{
	struct sim_label *l = &c->net->label;
	unsigned needed = SIM_CAP_LABELED_RESPONSE | SIM_CAP_BATCH;
	if (!label.n || label.n > SIM_LABEL_MAX_BYTES || (c->caps & needed) != needed)
		return;
	l->client = c;
	l->n_lines = 0;
	memcpy(l->text, label.p, label.n);
	l->text[label.n] = '\0';
	buf_fini(&l->lines);
	buf_init(&l->lines, SIM_QUEUED_MAX_BYTES);
}

/* What does not fit would not fit the queue either. */
bool sim_label_holds(const struct sim_client *to, struct str line)
{
	struct sim_label *l = &to->net->label;
	if (l->client != to)
		return false;
	if (buf_add(&l->lines, line) == 0)
		l->n_lines++;
	return true;
}

struct str sim_label_take(struct sim_client *c)
{
	struct sim_label *l = &c->net->label;
	if (l->client != c)
		return STR_NONE;
	l->client = NULL;
	return str_of(l->text);
}

static bool is_in_batch(struct str line)
{
	struct message m;
	line.n -= 2;
	return message_parse(&m, line) == 0 && message_tag(&m, STR("batch")).n;
}

/* Puts a line on the wire with one more tag. */
static void put_tagged(struct sim_client *c, const char *tag, struct str line)
{
	struct buf *b = &c->net->line;
	bool has_tags = line.p[0] == '@';
	buf_reset(b);
	if (buf_addf(b, "@%s%c%" STR_F, tag, has_tags ? ';' : ' ',
		    STR_A(str_skip(line, has_tags))) == 0)
		sim_wire_put(c, SIM_WIRE_TO_CLIENT, buf_str(b));
}

static struct str take_line(struct str *rest)
{
	const char *start = rest->p;
	struct str line = str_cut(rest, '\n');
	return (struct str){start, line.n + 1};
}

static void put_one(struct sim_client *c, struct str line)
{
	char tag[sizeof("label=") + SIM_LABEL_MAX_BYTES];
	snprintf(tag, sizeof(tag), "label=%s", c->net->label.text);
	put_tagged(c, tag, line);
}

/* A line of a batch within stays in that. */
static void put_all(struct sim_client *c, struct str lines)
{
	char tag[32];
	unsigned long long ref = ++c->net->next_batch;
	snprintf(tag, sizeof(tag), "batch=%llu", ref);
	sim_relay(c, NULL, &(struct sim_extra){.label = c->net->label.text},
		"BATCH +%llu labeled-response", ref);
	while (lines.n) {
		struct str line = take_line(&lines);
		if (is_in_batch(line))
			sim_wire_put(c, SIM_WIRE_TO_CLIENT, line);
		else
			put_tagged(c, tag, line);
	}
	sim_tell(c, NULL, "BATCH -%llu", ref);
}

void sim_label_end(struct sim_client *c)
{
	struct sim_label *l = &c->net->label;
	if (l->client != c)
		return;
	l->client = NULL;
	if (c->is_ended)
		return;
	if (l->n_lines == 0)
		sim_relay(c, NULL, &(struct sim_extra){.label = l->text}, "ACK");
	else if (l->n_lines == 1)
		put_one(c, buf_str(&l->lines));
	else
		put_all(c, buf_str(&l->lines));
}
