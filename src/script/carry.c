#include "script/carry.h"

#include "base/mem.h"
#include "script/lib_state.h"

enum {
	VALUES_A_STEP = 20000,
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
	int r = persist_writer_step(c->writer, VALUES_A_STEP, err);
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
	c->script = s;
	lua_gc(s->vm.L, LUA_GCSTOP); /* it would walk what is only being made, again and again */
	persist_reader_init(&c->reader, bytes);
}

static int restore(lua_State *L)
{
	struct restoring *c = lua_touserdata(L, 1);
	bool is_done = persist_reader_step(&c->reader, L, VALUES_A_STEP);
	if (is_done)
		state_put(L);
	lua_pushboolean(L, is_done);
	return 1;
}

int restoring_step(struct restoring *c, struct err *err)
{
	struct script *s = c->script;
	lua_State *L = s->vm.L;
	if (!vm_call(L, restore, c, 1))
		return vm_take_error(L, err);
	bool is_done = lua_toboolean(L, -1);
	lua_pop(L, 1);
	if (!is_done)
		return 1;
	lua_gc(L, LUA_GCRESTART);
	s->has_inherited = true;
	c->script = NULL;
	return 0;
}
