#include "script/slice.h"

bool slice_may_yield(lua_State *L)
{
	(void)L;
	return false;
}

int slice_yield(lua_State *L, lua_KContext context, lua_KFunction k)
{
	return lua_yieldk(L, 0, context, k);
}
