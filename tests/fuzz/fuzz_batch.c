/*
 * The input is one conversation. Its first line says what is negotiated: l for labels, n for no
 * names. Of the others ">LINE" is sent and its answer expected, "!" cancels the oldest request, "?"
 * lets ten seconds go by, and the rest comes from the server.
 */
#include "fuzz/fuzz.h"

#include "base/clock.h"
#include "base/err.h"
#include "irc/request.h"

enum { ASKED_MAX = 1024, TIMEOUT_NS = 30 * NS_PER_S };

static struct talk {
	struct requests requests;
	struct batches batches;
	struct isupport *isupport;
	bool has_labels, has_no_names;
	int64_t now_ns;
	struct handle ids[ASKED_MAX];
	bool is_over[ASKED_MAX];
	size_t n_asked;
} talk;

static void require_lines(struct str lines)
{
	while (lines.n) {
		struct message m;
		REQUIRE(message_parse(&m, str_cut(&lines, '\n')) == 0);
	}
}

/* Every request ends once, and is gone then. */
static void on_done(void *owner, const struct request_result *result)
{
	struct talk *t = owner;
	size_t i = (size_t)(intptr_t)result->data;
	REQUIRE(i < t->n_asked && !t->is_over[i]);
	REQUIRE(!handles_get(&t->requests.ids, result->id));
	REQUIRE(result->code == 0 || result->code == ERR_DENIED || result->code == ERR_TIMEOUT ||
		result->code == ERR_LIMIT || result->code == ERR_DISCONNECTED);
	REQUIRE((result->code == ERR_DENIED) == (result->error >= 0));
	REQUIRE(result->error < EVENT_KINDS && result->lines.n <= REQUEST_BYTES_MAX);
	require_lines(result->lines);
	t->is_over[i] = true;
}

static void ask(struct talk *t, struct str line)
{
	struct buf label;
	struct request_ask ask = {.line = line,
		.has_labels = t->has_labels,
		.has_no_names = t->has_no_names,
		.now_ns = t->now_ns,
		.timeout_ns = TIMEOUT_NS,
		.data = (void *)(intptr_t)t->n_asked};
	buf_init(&label, REQUEST_LABEL_MAX_BYTES);
	if (t->n_asked < ASKED_MAX) {
		struct handle *id = &t->ids[t->n_asked];
		int r = requests_add(&t->requests, &ask, t->isupport, id, &label, NULL);
		REQUIRE(r == 0 || r == ERR_INVALID || r == ERR_LIMIT);
		t->n_asked += r == 0;
	}
	buf_fini(&label);
}

static void cancel(struct talk *t)
{
	for (size_t i = 0; i < t->n_asked; i++) {
		if (t->is_over[i])
			continue;
		requests_cancel(&t->requests, t->ids[i]);
		t->is_over[i] = true;
		return;
	}
}

static void wait(struct talk *t)
{
	t->now_ns += 10 * NS_PER_S;
	requests_tick(&t->requests, t->now_ns);
	int64_t next_ns = requests_deadline(&t->requests);
	REQUIRE(next_ns < 0 || next_ns > t->now_ns);
}

static void require_joined(const struct batch *b)
{
	struct message m;
	struct buf out;
	buf_init(&out, BATCH_BYTES_MAX + 16 * 1024);
	int r = batch_join(b, &out, &m);
	REQUIRE(r == 0 || r == ERR_INVALID);
	if (r == 0) {
		REQUIRE(m.n_params == 2 && m.params[0].n);
		REQUIRE(fuzz_is_inside(m.params[1], buf_str(&out)));
		REQUIRE(m.params[1].p + m.params[1].n == out.bytes + out.n);
		REQUIRE(str_ieq(m.command, STR("PRIVMSG")) || str_ieq(m.command, STR("NOTICE")));
	}
	buf_fini(&out);
}

static void require_batch(const struct batch_line *line)
{
	const struct batch *b = line->batch;
	REQUIRE((b != NULL) == (line->event != BATCH_NONE && line->event != BATCH_SKIPPED));
	if (!b)
		return;
	REQUIRE(b->ref.n && b->type.p && b->depth < BATCH_DEPTH_MAX);
	REQUIRE(line->is_replay == b->is_replay && (!line->is_held || b->is_multiline));
	if (line->event == BATCH_CLOSED) {
		require_lines(buf_str(&b->lines));
		require_joined(b);
	}
}

static void require_bounds(const struct talk *t)
{
	size_t n_bytes = 0, n = 0;
	for (struct map_entry *e = map_first(&t->batches.open); e; e = map_next(e), n++) {
		const struct batch *b = map_value(e);
		REQUIRE(!b->parent || map_get(&t->batches.open, b->parent->ref) == b->parent);
		n_bytes += b->lines.n + b->opening.raw.n;
	}
	REQUIRE(n == t->batches.n_open && n <= BATCHES_MAX);
	REQUIRE(n_bytes == t->batches.n_bytes && n_bytes <= BATCHES_BYTES_MAX);
	REQUIRE(t->requests.n <= REQUESTS_MAX && t->requests.n_bytes <= REQUESTS_BYTES_MAX);
}

static void hear(struct talk *t, struct str line)
{
	struct message m;
	struct batch_line bl;
	if (message_parse(&m, line) < 0)
		return;
	int kind = event_kind_of(&m, t->isupport);
	if (kind < 0)
		return;
	batches_hear(&t->batches, &m, kind, &bl);
	require_batch(&bl);
	requests_hear(&t->requests,
		&(struct heard){&m, kind, t->isupport, STR("bot"), &bl, t->now_ns, 0});
	require_bounds(t);
}

static void take(struct talk *t, struct str line)
{
	if (str_starts(line, STR(">")))
		ask(t, str_skip(line, 1));
	else if (str_eq(line, STR("!")))
		cancel(t);
	else if (str_eq(line, STR("?")))
		wait(t);
	else
		hear(t, line);
}

static void end(struct talk *t)
{
	requests_disconnect(&t->requests);
	batches_reset(&t->batches);
	require_bounds(t);
	REQUIRE(t->requests.n == 0 && requests_deadline(&t->requests) == -1);
	for (size_t i = 0; i < t->n_asked; i++)
		REQUIRE(t->is_over[i]);
	requests_fini(&t->requests);
	isupport_unref(t->isupport);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = fuzz_input(data, size), options = str_cut(&rest, '\n');
	struct talk *t = &talk;
	*t = (struct talk){.isupport = isupport_new(),
		.has_labels = str_has(options, 'l'),
		.has_no_names = str_has(options, 'n'),
		.now_ns = NS_PER_S};
	requests_init(&t->requests, on_done, t);
	while (rest.p)
		take(t, str_cut(&rest, '\n'));
	end(t);
	return 0;
}
