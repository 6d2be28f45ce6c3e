#include "sim/multiline.h"

#include "base/mem.h"
#include "sim/client.h"
#include "sim/label.h"
#include "sim/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sim_batch_free(struct sim_batch *b)
{
	if (!b)
		return;
	list_each_safe (node, &b->lines) {
		list_remove(node);
		free(container_of(node, struct sim_line, node));
	}
	free(b->ref);
	free(b->target);
	free(b->label);
	free(b->tags);
	free(b);
}

/* The number that stands behind `key=` in what the capability is offered with. */
static size_t limit(const struct sim_network *net, const char *key)
{
	struct str rest = sim_profile_cap_value(net->profile, STR("draft/multiline"));
	while (rest.n) {
		struct str value = str_cut(&rest, ',');
		int64_t max;
		if (str_eq(str_cut(&value, '='), str_of(key)) && str_int(value, 1, 1000000, &max))
			return (size_t)max;
	}
	return 0;
}

static void refuse(struct sim_client *c, const char *code, const char *context, const char *words)
{
	sim_fail(c, "BATCH", code, context, words);
	c->batch->is_broken = true;
}

static void begin(struct sim_client *c, const struct message *m)
{
	struct str type = message_param(m, 1), target = message_param(m, 2);
	if (c->batch || !str_eq(type, STR("draft/multiline")) || !target.n) {
		sim_fail(c, "BATCH", "INVALID_PARAMS", "", "That batch cannot be opened");
		return;
	}
	struct sim_batch *b = mem_new(sizeof(*b));
	struct str label = sim_label_take(c);
	b->ref = str_dup(str_skip(m->params[0], 1));
	b->target = str_dup(target);
	b->label = label.n ? str_dup(label) : NULL;
	b->tags = m->tags.n ? str_dup(m->tags) : NULL;
	list_init(&b->lines);
	c->batch = b;
}

static void add_line(struct sim_client *c, struct str text, bool is_concat)
{
	struct sim_batch *b = c->batch;
	struct sim_line *l = mem_new(sizeof(*l) + text.n + 1);
	memcpy(l->text, text.n ? text.p : "", text.n);
	l->is_concat = is_concat;
	list_append(&b->lines, &l->node);
	b->n_bytes += text.n + (b->n_lines && !is_concat);
	b->n_lines++;
}

static void check_limits(struct sim_client *c)
{
	char max[32];
	const struct sim_batch *b = c->batch;
	size_t max_bytes = limit(c->net, "max-bytes"), max_lines = limit(c->net, "max-lines");
	if (b->n_bytes > max_bytes) {
		snprintf(max, sizeof(max), "%zu", max_bytes);
		refuse(c, "MULTILINE_MAX_BYTES", max, "Too many bytes");
	} else if (b->n_lines > max_lines) {
		snprintf(max, sizeof(max), "%zu", max_lines);
		refuse(c, "MULTILINE_MAX_LINES", max, "Too many lines");
	}
}

bool sim_batch_takes(struct sim_client *c, const struct message *m)
{
	struct sim_batch *b = c->batch;
	if (!b || !str_eq(message_tag(m, STR("batch")), str_of(b->ref)))
		return false;
	bool is_notice = str_ieq(m->command, STR("NOTICE"));
	bool is_talk = is_notice || str_ieq(m->command, STR("PRIVMSG"));
	bool is_alike = b->n_lines == 0 || is_notice == b->is_notice;
	b->is_notice = is_notice;
	if (b->is_broken)
		return true;
	if (!is_talk || !is_alike || !sim_same(c->net, message_param(m, 0), str_of(b->target))) {
		refuse(c, "MULTILINE_INVALID", "", "The lines do not belong together");
		return true;
	}
	add_line(c, message_param(m, 1), message_has_tag(m, STR("draft/multiline-concat")));
	check_limits(c);
	return true;
}

static void finish(struct sim_client *c, struct str ref)
{
	struct sim_batch *b = c->batch;
	if (!b || !str_eq(str_of(b->ref), ref)) {
		sim_fail(c, "BATCH", "INVALID_PARAMS", "", "There is no such batch");
		return;
	}
	c->batch = NULL;
	sim_label_begin(c, str_of(b->label));
	if (!b->is_broken && b->n_lines)
		sim_say_batch(c, b);
	sim_batch_free(b);
}

void sim_on_batch(struct sim_client *c, const struct message *m)
{
	struct str ref = m->params[0];
	unsigned needed = SIM_CAP_MULTILINE | SIM_CAP_BATCH;
	if ((c->caps & needed) != needed)
		sim_unknown(c, "BATCH");
	else if (ref.n > 1 && ref.p[0] == '+')
		begin(c, m);
	else
		finish(c, str_skip(ref, 1));
}
