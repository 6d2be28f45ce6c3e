#include "script/carry.h"

#include "base/attr.h"
#include "base/mem.h"
#include "script/lib_state.h"

enum {
	SAVED_A_STEP = 20000,    /* values */
	RESTORED_A_STEP = 8000,  /* each takes thrice as long */
	MORE_BYTES = 1024 * 1024 /* that a script may use while it is saved */
};

static int push(lua_State *L)
{
	state_push(L);
	return 0;
}

int saving_begin(struct saving *c, struct script *s, struct err *err)
{
	buf_init(&c->bytes, CARRY_MAX_BYTES);
	s->vm.arena.max_bytes += MORE_BYTES;
	if (!vm_call(s->vm.L, push, NULL, 0)) {
		s->vm.arena.max_bytes -= MORE_BYTES;
		return vm_take_error(s->vm.L, err);
	}
	size_t expected = s->vm.arena.used_bytes;
	(void)buf_reserve(&c->bytes, expected < CARRY_MAX_BYTES ? expected : CARRY_MAX_BYTES);
	c->script = s;
	c->writer = persist_writer_new(s->carrier, &c->bytes, "state");
	return 0;
}

int saving_step(struct saving *c, struct err *err)
{
	int r = persist_writer_step(c->writer, SAVED_A_STEP, err);
	if (r <= 0)
		saving_end(c);
	return r;
}

void saving_end(struct saving *c)
{
	if (!c->script)
		return;
	persist_writer_free(c->writer);
	lua_settop(c->script->carrier, 0);
	c->script->vm.arena.max_bytes -= MORE_BYTES;
	c->writer = NULL;
	c->script = NULL;
}

void saving_fini(struct saving *c)
{
	saving_end(c);
	buf_fini(&c->bytes);
}

void restoring_begin(struct restoring *c, struct script *s, struct str bytes)
{
	*c = (struct restoring){.script = s};
	script_stop_gc(s);
	persist_reader_init(&c->reader, bytes);
}

static int restore(lua_State *L)
{
	struct restoring *c = lua_touserdata(L, 1);
	bool is_done = persist_reader_step(&c->reader, L, RESTORED_A_STEP);
	if (is_done)
		state_put(L);
	lua_pushboolean(L, is_done);
	return 1;
}

static int read_some(struct restoring *c, struct err *err)
{
	lua_State *L = c->script->vm.L;
	if (!vm_call(L, restore, c, 1))
		return vm_take_error(L, err);
	bool is_done = lua_toboolean(L, -1);
	lua_pop(L, 1);
	c->is_large = c->is_large || !is_done;
	return is_done ? 0 : 1;
}

static int collect(struct restoring *c, struct err *err)
{
	(void)err;
	script_restart_gc(c->script);
	return 0;
}

/* 0: the next one's turn. */
static int (*const stages[])(struct restoring *c, struct err *err) = {read_some, collect};

int restoring_step(struct restoring *c, struct err *err)
{
	while (c->stage < COUNTOF(stages)) {
		int r = stages[c->stage](c, err);
		if (r != 0)
			return r;
		c->stage++;
		if (c->is_large)
			return 1;
	}
	c->script->has_inherited = true;
	c->script = NULL;
	return 0;
}
