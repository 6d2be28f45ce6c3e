#include "irc/request.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdlib.h>

enum { LINGER_NS = NS_PER_S /* for the next line, which mostly is here already */ };

struct request {
	struct list node;
	struct handle id;
	void *data;
	int64_t deadline_ns, timeout_ns;
	uint64_t number;  /* counts up */
	uint64_t held_as; /* its line in the queue */
	bool is_held;
	char *line; /* owned: what the question is parsed from */
	struct reply_question question;
	struct buf lines; /* the answer */
	size_t n_lines, n_parts;
	int error;       /* a kind, or -1 */
	size_t error_at; /* the line of it in lines */
};

void requests_init(struct requests *rs, request_done *done, void *owner)
{
	*rs = (struct requests){.done = done, .owner = owner, .next_ns = -1};
	list_init(&rs->pending);
}

static struct request *request_of(struct list *node)
{
	return container_of(node, struct request, node);
}

static void count_all(struct requests *rs)
{
	rs->wanted = mem_new(EVENT_KINDS * sizeof(*rs->wanted));
	list_each (node, &rs->pending)
		if (!request_of(node)->question.is_labeled)
			question_count(&request_of(node)->question, rs->wanted, 1);
}

/* r, which is among those that are pending where there is one more. */
static void count(struct requests *rs, const struct request *r, int by)
{
	rs->n += (size_t)by;
	if (r->question.is_labeled) {
		rs->n_labeled += (size_t)by;
		return;
	}
	size_t n = rs->n - rs->n_labeled;
	if (rs->wanted)
		question_count(&r->question, rs->wanted, by);
	else if (n > REQUESTS_FEW)
		count_all(rs);
	if (n == 0) {
		free(rs->wanted);
		rs->wanted = NULL;
	}
}

/* Whether a request without label may look for it. */
static bool is_wanted(const struct requests *rs, int kind)
{
	return rs->n > rs->n_labeled && (!rs->wanted || rs->wanted[kind]);
}

static void find_next(struct requests *rs)
{
	rs->next_ns = -1;
	list_each (node, &rs->pending) {
		const struct request *r = request_of(node);
		if (r->is_held)
			continue;
		if (rs->next_ns < 0 || r->deadline_ns < rs->next_ns)
			rs->next_ns = r->deadline_ns;
	}
}

static void set_deadline(struct requests *rs, struct request *r, int64_t deadline_ns)
{
	r->deadline_ns = deadline_ns;
	if (rs->next_ns < 0 || deadline_ns < rs->next_ns)
		rs->next_ns = deadline_ns;
}

/* After this nothing here knows r. */
static void detach(struct requests *rs, struct request *r)
{
	list_remove(&r->node);
	handles_remove(&rs->ids, r->id);
	count(rs, r, -1);
	rs->n_bytes -= r->lines.n;
	rs->n_held -= r->is_held;
	if (rs->lingering == r)
		rs->lingering = NULL;
	if (r->deadline_ns <= rs->next_ns)
		find_next(rs);
}

static void request_free(struct request *r)
{
	question_fini(&r->question);
	buf_fini(&r->lines);
	free(r->line);
	free(r);
}

void requests_fini(struct requests *rs)
{
	if (!rs || !rs->done)
		return;
	list_each_safe (node, &rs->pending) {
		list_remove(node);
		request_free(request_of(node));
	}
	handles_fini(&rs->ids);
	free(rs->wanted);
	*rs = (struct requests){0};
}

static void tell_error(const struct request *r, struct request_result *result)
{
	struct str rest = str_skip(buf_str(&r->lines), r->error_at);
	struct message m;
	if (message_parse(&m, str_cut(&rest, '\n')) < 0)
		return;
	result->error = r->error;
	result->words = message_last(&m);
	if (r->error == EVENT_FAIL)
		result->error_code = message_param(&m, 1);
}

static void finish(struct requests *rs, struct request *r, int code)
{
	struct request_result result = {.id = r->id,
		.data = r->data,
		.row = r->question.row,
		.code = code,
		.error = -1,
		.lines = buf_str(&r->lines)};
	detach(rs, r);
	if (code == ERR_DENIED)
		tell_error(r, &result);
	rs->done(rs->owner, &result);
	request_free(r);
}

/* Of several that were asked for, those that there are count more than one that there is not. */
static void complete(struct requests *rs, struct request *r)
{
	finish(rs, r, r->error >= 0 && r->n_parts == 0 ? ERR_DENIED : 0);
}

static int check(const struct requests *rs, const struct request_ask *ask, struct message *m,
	struct err *err)
{
	if (message_parse(m, ask->line) < 0)
		return err_set(err, ERR_INVALID, "request: not a line");
	if (message_tag(m, STR("label")).p)
		return err_set(err, ERR_INVALID, "request: the tag label is ebb's own");
	if (rs->n >= REQUESTS_MAX)
		return err_set(err, ERR_LIMIT, "request: %d are waiting for answers", REQUESTS_MAX);
	return 0;
}

static void start_clock(struct requests *rs, struct request *r, int64_t now_ns)
{
	bool is_never = r->timeout_ns > INT64_MAX - now_ns;
	set_deadline(rs, r, is_never ? INT64_MAX : now_ns + r->timeout_ns);
}

static struct request *request_new(
	struct requests *rs, const struct request_ask *ask, const struct reply_row *row)
{
	struct request *r = mem_new(sizeof(*r));
	*r = (struct request){.data = ask->data, .timeout_ns = ask->timeout_ns, .error = -1};
	r->line = str_dup(ask->line);
	buf_init(&r->lines, REQUEST_BYTES_MAX);
	question_init(&r->question, (struct str){r->line, ask->line.n}, row);
	r->question.is_labeled = ask->has_labels;
	r->id = handles_add(&rs->ids, r);
	r->number = ++rs->n_added;
	list_init(&r->node);
	list_append(&rs->pending, &r->node);
	count(rs, r, 1);
	start_clock(rs, r, ask->now_ns);
	return r;
}

int requests_add(struct requests *rs, const struct request_ask *ask, const struct isupport *is,
	struct handle *id, struct buf *label, struct err *err)
{
	struct message m;
	int r = check(rs, ask, &m, err);
	if (r < 0)
		return r;
	const struct reply_row *row = reply_row(&(struct asked){&m, is, ask->has_no_names});
	if (!row && !ask->has_labels)
		return err_set(err, ERR_INVALID,
			"request: %" STR_F
			" has no known answer, and the server has no labeled-response",
			STR_A(m.command));
	if (label)
		buf_reset(label);
	*id = request_new(rs, ask, row)->id;
	if (ask->has_labels)
		r = buf_addf(label, "%u.%u", id->index, id->generation);
	if (r < 0)
		requests_cancel(rs, *id);
	return r;
}

void requests_hold(struct requests *rs, struct handle id, uint64_t number)
{
	struct request *r = handles_get(&rs->ids, id);
	if (!r || r->is_held)
		return;
	r->is_held = true;
	r->held_as = number;
	r->deadline_ns = INT64_MAX;
	rs->n_held++;
	find_next(rs);
}

void requests_sent(struct requests *rs, uint64_t number, int64_t now_ns)
{
	if (!rs->n_held)
		return;
	list_each (node, &rs->pending) {
		struct request *r = request_of(node);
		if (!r->is_held || r->held_as != number)
			continue;
		r->is_held = false;
		rs->n_held--;
		start_clock(rs, r, now_ns);
		return;
	}
}

void requests_cancel(struct requests *rs, struct handle id)
{
	struct request *r = handles_get(&rs->ids, id);
	if (!r)
		return;
	detach(rs, r);
	request_free(r);
}

static bool has_room(const struct requests *rs, const struct request *r, size_t n)
{
	return r->n_lines < REQUEST_LINES_MAX && n <= REQUESTS_BYTES_MAX - rs->n_bytes &&
	       n <= REQUEST_BYTES_MAX - r->lines.n;
}

/* False, and r has ended, when that is too much. */
static bool keep(struct requests *rs, struct request *r, struct str line)
{
	size_t n = line.n + (r->n_lines > 0);
	int kept = has_room(rs, r, n) ? 0 : ERR_LIMIT;
	if (kept >= 0 && r->n_lines)
		kept = buf_add(&r->lines, STR("\n"));
	if (kept >= 0)
		kept = buf_add(&r->lines, line);
	if (kept < 0) {
		finish(rs, r, ERR_LIMIT);
		return false;
	}
	r->n_lines++;
	rs->n_bytes += n;
	return true;
}

static bool is_error(int kind)
{
	return strncmp(event_name(kind), "err_", 4) == 0 || kind == 263 || kind == EVENT_FAIL;
}

/* A line of the answer. The first error is told of. */
static void note(struct request *r, const struct heard *h, const struct reply_answer *a)
{
	bool is_no = a ? a->role == ROLE_ERROR || a->role == ROLE_NOTED : is_error(h->kind);
	if (is_no && r->error < 0) {
		r->error = h->kind;
		r->error_at = r->lines.n - h->m->raw.n;
	}
	r->n_parts += !is_no && !(a && a->role == ROLE_CLOSE);
}

static void linger(struct requests *rs, struct request *r, const struct heard *h)
{
	int64_t until_ns = h->now_ns + LINGER_NS;
	rs->lingering = r;
	if (until_ns < r->deadline_ns)
		set_deadline(rs, r, until_ns);
}

static void take(
	struct requests *rs, struct request *r, const struct heard *h, const struct reply_answer *a)
{
	if (a->role == ROLE_OPEN) {
		h->batch->batch->request = r->id;
		h->batch->batch->is_answer = true;
		return;
	}
	if (!keep(rs, r, h->m->raw))
		return;
	note(r, h, a);
	if (a->role == ROLE_LINGER)
		linger(rs, r, h);
	else if (a->role != ROLE_PART && a->role != ROLE_NOTED && question_ends(&r->question, h, a))
		complete(rs, r);
}

static void take_batched(struct requests *rs, struct request *r, const struct heard *h)
{
	const struct batch_line *bl = h->batch;
	if (bl->event == BATCH_CLOSED) {
		if (bl->batch->is_answer)
			complete(rs, r);
		return;
	}
	if (keep(rs, r, h->m->raw) && h->kind != EVENT_BATCH)
		note(r, h, question_hear(&r->question, h));
}

/* A batch that was refused cannot be followed: there is more than is kept. */
static void take_labeled(struct requests *rs, struct request *r, const struct heard *h)
{
	const struct batch_line *bl = h->batch;
	if (bl->event == BATCH_OPENED) {
		bl->batch->request = r->id;
		bl->batch->is_answer = true;
	} else if (h->kind == EVENT_BATCH) {
		finish(rs, r, ERR_LIMIT);
	} else if (h->kind == EVENT_ACK) {
		complete(rs, r);
	} else if (keep(rs, r, h->m->raw)) {
		note(r, h, question_hear(&r->question, h));
		complete(rs, r);
	}
}

static struct request *find_labeled(const struct requests *rs, const struct heard *h)
{
	bool is_marked = rs->n_labeled && h->m->tags.p;
	struct str rest = is_marked ? message_tag(h->m, STR("label")) : STR_NONE;
	struct str index = str_cut(&rest, '.');
	int64_t i, generation;
	if (!str_int(index, 0, UINT32_MAX, &i) || !str_int(rest, 1, UINT32_MAX, &generation))
		return NULL;
	struct request *r =
		handles_get(&rs->ids, (struct handle){(uint32_t)i, (uint32_t)generation});
	return r && r->question.is_labeled ? r : NULL;
}

static struct request *find_batched(const struct requests *rs, const struct heard *h)
{
	const struct batch *b = h->batch->batch;
	return b ? handles_get(&rs->ids, b->request) : NULL;
}

/* The first that the line fits. */
static struct request *find_wanted(
	const struct requests *rs, const struct heard *h, const struct reply_answer **a)
{
	bool is_old = h->batch->is_replay && h->batch->event != BATCH_OPENED;
	if (is_old || !is_wanted(rs, h->kind))
		return NULL;
	list_each (node, &rs->pending) {
		struct request *r = request_of(node);
		bool is_late = h->since && r->number >= h->since;
		bool is_asked = !r->question.is_labeled && !r->is_held && !is_late;
		*a = is_asked ? question_hear(&r->question, h) : NULL;
		if (*a)
			return r;
	}
	return NULL;
}

/* The next line has come: what lingers goes on with it, or is complete. */
static void settle(struct requests *rs, const struct heard *h)
{
	struct request *r = rs->lingering;
	const struct reply_answer *a = NULL;
	if (r && find_wanted(rs, h, &a) != r)
		complete(rs, r);
}

/* A batch within the answer may be the answer to something else. */
static void hear(struct requests *rs, const struct heard *h)
{
	const struct reply_answer *a = NULL;
	struct request *batched = find_batched(rs, h), *labeled = find_labeled(rs, h);
	if (batched && !(labeled && h->batch->event == BATCH_OPENED)) {
		take_batched(rs, batched, h);
	} else if (labeled) {
		take_labeled(rs, labeled, h);
	} else {
		struct request *r = find_wanted(rs, h, &a);
		if (r)
			take(rs, r, h, a);
	}
}

void requests_hear(struct requests *rs, const struct heard *h)
{
	if (rs->n == 0 || h->kind < 0)
		return;
	settle(rs, h);
	hear(rs, h);
}

/* The first that is due and not newer than last; any is due at INT64_MAX. */
static struct request *find_due(const struct requests *rs, int64_t now_ns, uint64_t last)
{
	list_each (node, &rs->pending) {
		struct request *r = request_of(node);
		if (r->number <= last && r->deadline_ns <= now_ns)
			return r;
	}
	return NULL;
}

void requests_disconnect(struct requests *rs)
{
	const uint64_t last = rs->n_added;
	struct request *r;
	while ((r = find_due(rs, INT64_MAX, last)))
		finish(rs, r, ERR_DISCONNECTED);
}

int64_t requests_deadline(const struct requests *rs)
{
	return rs->next_ns;
}

static void expire(struct requests *rs, struct request *r)
{
	bool is_answered = rs->lingering == r || (r->error >= 0 && r->n_parts == 0);
	if (is_answered)
		complete(rs, r);
	else
		finish(rs, r, ERR_TIMEOUT);
}

void requests_tick(struct requests *rs, int64_t now_ns)
{
	const uint64_t last = rs->n_added;
	struct request *r;
	if (rs->next_ns < 0 || rs->next_ns > now_ns)
		return;
	while ((r = find_due(rs, now_ns, last)))
		expire(rs, r);
}
