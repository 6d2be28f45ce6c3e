#include "support/eager.h"

int eager_turns;

bool eager_is_due(lua_State *L)
{
	return lua_isyieldable(L);
}

int eager_yield(lua_State *L, lua_KContext context, lua_KFunction k)
{
	eager_turns++;
	return lua_yieldk(L, 0, context, k);
}
