#include "base/mem.h"
#include "base/rand.h"
#include "script/eval.h"
#include "script/program.h"
#include "script/slice.h"
#include "support/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Programs that are loaded, reloaded, unloaded, removed and failing while events come and time
 * passes, in any order: what was asked is answered once, and nothing stays frozen or left over.
 * SEED=N begins with another seed, which is printed.
 */

enum { PROGRAMS = 3, DEEDS = 60, SEEDS = 60, SEEDS_SLOW = 8 };

static const char *const names[PROGRAMS] = {"a", "b", "c"};

static const char endless[] = "while true do end";

static const char *const sources[] = {
	"on('privmsg', function() state.n = (state.n or 0) + 1 sleep(math.random(5))\n"
	"  state.n = state.n + 1 end)\n"
	"on_unload(function() sleep(1) end)\n",
	"sleep(1) on('privmsg', function() spawn(function() sleep(2) end):join() end)\n"
	"every(1, function() sleep(3) end)\n",
	"local x = nil x.y = 1",
	"on(",
	endless,
	"for i = 1, 200000 do local x = i end error('late')",
	"for i = 1, 60000 do state[i] = { i } end on('privmsg', function() state.k = 1 end)",
	"for i = 1, 200000 do local x = i end\n"
	"on('notice', function() for i = 1, 300000 do local x = i end end)\n",
	"local t = {} while true do t = { t, ('x'):rep(1000) } end",
	"on('privmsg', function() leak = {} while true do leak[#leak + 1] = ('x'):rep(9999) .. #leak\n"
	"  end end) state.z = 1\n",
	"on_reload(function() sleep(1) end) on_unload(function() error('u') end)\n"
	"on('privmsg', function() wait('notice', 3) end)\n",
	"on_reload(function() error('r') end)\n"
	"for i = 1, 400 do after(math.random(3), function() end) end\n",
	"spawn(function() for e in events('privmsg') do sleep(1) end end) sleep(0.5)\n"
	"spawn(function() while true do sleep(0.3) end end)\n",
	"on('privmsg', function() shield(sleep, 100) end)\n"
	"local c <close> = setmetatable({}, { __close = function() state.c = 1 end })\n",
	"on('privmsg', function() state.f = print end) on('script_error', function() error('!') end)",
	"local t = {} for i = 1, 40 do t[i] = spawn(sleep, 100) end\n"
	"on('privmsg', function() for i = 1, 40 do t[i]:cancel() end\n"
	"  all(function() sleep(2) end, function() for i = 1, 1e5 do end end) end)\n",
	"connect() on('privmsg', function() for i = 1, 300 do spawn(sleep, 0) end end)",
	"trigger('own', { a = 1 }) on('own', function() sleep(0.2) trigger('own') end)",
};

static const char *const evaluated[] = {
	"sleep(2)", "return state", "state.q = 1", "error('x')", endless};

static struct stage st;
static struct rand dice;
static bool is_sliced; /* at any instruction; then no budget ends what is endless */
static size_t n_asked, n_told;

static unsigned any(size_t n)
{
	return (unsigned)rand_below(&dice, n);
}

static const char *any_of(const char *const *texts, size_t n)
{
	const char *text = texts[any(n)];
	while (is_sliced && text == endless)
		text = texts[any(n)];
	return text;
}

static const char *write_any(const char *name)
{
	static char path[200];
	snprintf(path, sizeof(path), "%s/%s.lua", st.folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(any_of(sources, COUNTOF(sources)), f);
	fclose(f);
	return path;
}

/* What is done to a program. */

static void on_told(struct program_asker *asker, const struct err *why)
{
	(void)why;
	n_told++;
	free(asker);
}

static void reload(struct program *p)
{
	struct program_asker *asker = mem_new(sizeof(*asker));
	asker->told = on_told;
	write_any(p->options.name);
	n_asked++;
	program_reload(p, NULL, asker);
}

static void unload(struct program *p)
{
	program_unload(p, "unload");
}

static void break_it(struct program *p)
{
	if (p->script && !p->script->is_loading && any(3) == 0)
		program_fail(p->script, "as the dice have it");
}

static void on_evaluated(struct eval_asker *asker, struct str text, const struct err *why)
{
	(void)text;
	(void)why;
	n_told++;
	free(asker);
}

static void evaluate(struct program *p)
{
	struct eval_asker *asker = mem_new(sizeof(*asker));
	asker->told = on_evaluated;
	n_asked++;
	if (eval_start(p, str_of(any_of(evaluated, COUNTOF(evaluated))), asker, NULL) < 0)
		on_evaluated(asker, STR_NONE, NULL);
}

static void hear(struct program *p)
{
	(void)p;
	stage_feed(&st, 0, any(2) ? ":a!u@h PRIVMSG #t :x" : ":a!u@h NOTICE #t :x");
}

static void take_a_turn(struct program *p)
{
	(void)p;
	stage_turn(&st);
}

static void grow_older(struct program *p)
{
	(void)p;
	stage_pass(&st, any(30) / 10.0);
}

/* The loop was away: deadlines come before scripts have their turn. */
static void be_late(struct program *p)
{
	(void)p;
	timers_run(&st.timers, st.timers.now_ns + any(2000) * NS_PER_MS);
}

static void (*const deeds[])(struct program *p) = {reload, reload, reload, reload, reload, unload,
	program_remove, break_it, evaluate, hear, hear, take_a_turn, grow_older, grow_older,
	be_late};

static void do_any(void)
{
	const char *name = names[any(PROGRAMS)];
	struct program *p = program_find(&st.host, str_of(name));
	if (!p) {
		struct script_options options = {
			.name = name, .path = write_any(name), .limits = st.limits};
		p = program_new(&st.host, &options);
		if (any(2) && program_start(p) < 0)
			return;
	}
	deeds[any(COUNTOF(deeds))](p);
}

static void nothing_is_stuck(void)
{
	list_each (node, &st.host.programs) {
		const struct program *p = container_of(node, struct program, node);
		const struct script *s = p->script;
		assert_null(p->reload);
		assert_true(list_is_empty(&p->retired));
		assert_false(s && (s->is_frozen || s->is_to_freeze || s->is_over));
	}
	assert_int_equal(n_told, n_asked);
}

static void run(uint64_t seed)
{
	struct rand slices = {seed * 7 + 1};
	dice = (struct rand){seed};
	is_sliced = seed % 2;
	st.limits = (struct script_limits){0};
	stage_begin(&st, 1);
	st.limits = (struct script_limits){
		.cpu_max_ns = 20 * NS_PER_MS, .memory_max_bytes = 6L * 1024 * 1024};
	if (is_sliced)
		slice_force(&slices, 3000);
	for (int i = 0; i < DEEDS; i++)
		do_any();
	slice_force(NULL, 0);
	stage_pass(&st, 40);
	stage_run(&st);
	nothing_is_stuck();
	for (size_t i = 0; i < PROGRAMS; i++) {
		char path[200];
		snprintf(path, sizeof(path), "%s/%s.lua", st.folder, names[i]);
		remove(path);
	}
	stage_end(&st);
}

static void what_is_asked_is_answered_and_nothing_is_stuck(void **state)
{
	const char *given = getenv("SEED");
	int64_t seed = 1;
	(void)state;
	if (given)
		assert_true(str_int(str_of(given), 0, INT64_MAX, &seed));
	for (int i = 0; i < (getenv("VALGRIND") ? SEEDS_SLOW : SEEDS); i++) {
		if (given)
			print_message("# SEED=%lld\n", (long long)seed + i);
		run((uint64_t)(seed + i));
	}
	print_message("# %zu questions\n", n_asked);
}

int main(void)
{
	struct check c = {0};
	check_test(&c, what_is_asked_is_answered_and_nothing_is_stuck);
	return check_run(&c, "turmoil");
}
