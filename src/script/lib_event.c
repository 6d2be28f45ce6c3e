#include "base/mem.h"
#include "script/convert.h"
#include "script/host.h"
#include "script/modules.h"
#include "script/persist.h"
#include "script/resource.h"

#include <stdlib.h>

/* The object that handlers and waits are given. Its fields are read when they are asked for. */

static const char event_type[] = "ebb.event";

/* An isupport, counted for the events of a script that were read by it: it outlives them as their
 * user value. */
static const char isupport_type[] = "ebb.isupport";

struct counted {
	struct resource owned;
	struct isupport *isupport;
};

static void release(struct resource *owned)
{
	struct counted *c = container_of(owned, struct counted, owned);
	isupport_unref(c->isupport);
	free(c);
}

static void push_isupport(lua_State *L, struct script *s, struct isupport *is)
{
	if (s->last_isupport == is) {
		lua_rawgeti(L, LUA_REGISTRYINDEX, s->isupport_ref);
		return;
	}
	struct counted **box = lua_newuserdatauv(L, sizeof(struct counted *), 0);
	*box = NULL;
	luaL_setmetatable(L, isupport_type);
	struct counted *c = *box = mem_new(sizeof(*c));
	isupport_ref(is);
	c->isupport = is;
	resource_add(&s->resources, &c->owned, release);
	lua_pushvalue(L, -1);
	lua_rawseti(L, LUA_REGISTRYINDEX, s->isupport_ref);
	s->last_isupport = is;
}

static int isupport_gc(lua_State *L)
{
	struct counted **box = lua_touserdata(L, 1);
	if (*box)
		resource_release(&(*box)->owned);
	*box = NULL;
	return 0;
}

/* The copy is the userdata itself, so there is nothing to finalize. */
void lib_push_event(lua_State *L, const struct event *e)
{
	struct script *s = script_of(L);
	if (s->last_event == e->number) {
		lua_rawgeti(L, LUA_REGISTRYINDEX, s->event_ref);
		return;
	}
	event_copy(e, lua_newuserdatauv(L, event_size(e), e->isupport ? 1 : 0));
	lua_rawgeti(L, LUA_REGISTRYINDEX, s->event_meta_ref);
	lua_setmetatable(L, -2);
	if (e->isupport) {
		push_isupport(L, s, e->isupport);
		lua_setiuservalue(L, -2, 1);
	}
	lua_pushvalue(L, -1);
	lua_rawseti(L, LUA_REGISTRYINDEX, s->event_ref);
	s->last_event = e->number;
}

const struct event *lib_check_event(lua_State *L, int index)
{
	return luaL_checkudata(L, index, event_type);
}

/* A field whose value is a table, of an event that a script made. */
static void push_own_value(lua_State *L, const struct event *e, int key)
{
	persist_decode(L, e->values);
	lua_pushvalue(L, key);
	lua_rawget(L, -2);
	lua_remove(L, -2);
}

/* Pushes the field that the text at index key names. False, and nothing, when there is none. */
static bool push_field(lua_State *L, const struct event *e, int key)
{
	size_t n;
	struct value v;
	const char *p = lua_tolstring(L, key, &n);
	struct str name = {p, n};
	if (event_field(e, name, &v)) {
		if (!e->is_line && v.type == VALUE_NONE)
			push_own_value(L, e, key);
		else
			convert_push_value(L, &v, e);
	} else if (str_eq(name, STR("net"))) {
		lib_push_net(L, e->net);
	} else if (str_eq(name, STR("time"))) {
		lua_pushnumber(L, (lua_Number)event_wall_ns(e) / NS_PER_S);
	} else {
		return false;
	}
	return true;
}

/* Scripts do not get at the metatable: Lua calls this with nothing but an event. */
static int event_index(lua_State *L)
{
	const struct event *e = lua_touserdata(L, 1);
	if (lua_type(L, 2) != LUA_TSTRING)
		return 0;
	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TNIL) /* no method */
		return push_field(L, e, 2);
	return 1;
}

static int event_newindex(lua_State *L)
{
	return luaL_error(L, "an event is read-only (ev:copy() gives a table)");
}

static void copy_field(lua_State *L, const struct event *e, const char *name)
{
	lua_pushstring(L, name);
	if (push_field(L, e, lua_gettop(L)))
		lua_rawset(L, -3);
	else
		lua_pop(L, 1);
}

static int event_table(lua_State *L)
{
	static const char *const own[] = {"event", "network", "mine", "replayed", "time"};
	const struct event *e = lib_check_event(L, 1);
	if (e->is_line)
		lua_newtable(L);
	else
		persist_decode(L, e->values);
	for (size_t i = 0; i < COUNTOF(own); i++)
		copy_field(L, e, own[i]);
	int kind = e->kind < EVENT_KINDS ? e->kind : EVENT_UNKNOWN;
	const struct field *f;
	for (size_t i = 0; e->is_line && (f = field_at(kind, i)); i++)
		copy_field(L, e, field_name(f));
	return 1;
}

static int event_pairs(lua_State *L)
{
	lua_getfield(L, LUA_REGISTRYINDEX, "ebb.next");
	event_table(L);
	return 2;
}

static int event_tostring(lua_State *L)
{
	const struct event *e = lib_check_event(L, 1);
	lua_pushstring(L, "event ");
	lua_pushstring(L, e->name);
	if (e->is_line) {
		lua_pushstring(L, ": ");
		convert_push_str(L, e->m.raw);
	}
	lua_concat(L, lua_gettop(L) - 1);
	return 1;
}

static int event_eq(lua_State *L)
{
	const struct event *a = luaL_testudata(L, 1, event_type);
	const struct event *b = luaL_testudata(L, 2, event_type);
	lua_pushboolean(L, a && b && a->number == b->number);
	return 1;
}

void lib_open_event(lua_State *L)
{
	static const luaL_Reg metamethods[] = {
		{"__newindex", event_newindex},
                {"__pairs",    event_pairs   },
		{"__tostring", event_tostring},
                {"__eq",       event_eq      },
                {NULL,         NULL          }
        };
	static const luaL_Reg methods[] = {
		{"copy",    event_table      },
                {"chan",    lib_event_channel},
                {"reply",   lib_reply        },
		{"ask",     lib_ask          },
                {"confirm", lib_confirm      },
                {NULL,      NULL             }
        };
	struct script *s = script_of(L);
	lua_getglobal(L, "next");
	lua_setfield(L, LUA_REGISTRYINDEX, "ebb.next");
	modules_define(L, event_type, metamethods, event_index, methods);
	luaL_getmetatable(L, event_type);
	s->event_meta_ref = luaL_ref(L, LUA_REGISTRYINDEX);
	lua_pushboolean(L, 0);
	s->event_ref = luaL_ref(L, LUA_REGISTRYINDEX);
	lua_pushboolean(L, 0);
	s->isupport_ref = luaL_ref(L, LUA_REGISTRYINDEX);
	luaL_newmetatable(L, isupport_type);
	lua_pushcfunction(L, isupport_gc);
	lua_setfield(L, -2, "__gc");
	lua_pop(L, 1);
}
