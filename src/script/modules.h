/*
 * modules: the libraries of the Lua interface, and what these share.
 *
 * Each library is a file lib_X.c with a list of functions, which become globals of every script
 * and fields of the table `ebb`. What they are for a script's author stands in doc/ebb.lua.
 */
#ifndef EBB_SCRIPT_MODULES_H
#define EBB_SCRIPT_MODULES_H

#include "script/event.h"
#include "script/match.h"
#include "script/net.h"

#include <lauxlib.h>
#include <lua.h>

/* Opens the standard libraries that a script may see, and ebb's. In protected code. */
void modules_open(lua_State *L);

/* Defines a global of that name, which is a field of `ebb` too; takes the value on top. */
void modules_export(lua_State *L, const char *name);
void modules_export_all(lua_State *L, const luaL_Reg *functions);

/* Defines a userdata type: methods are behind its fields, which index(L) gives, with the table of
 * methods as its upvalue 1. */
void modules_define(lua_State *L, const char *type, const luaL_Reg *metamethods,
	lua_CFunction index, const luaL_Reg *methods);

/* lib_event.c. Pushes a copy of e as a read-only object; within one script an event that is being
 * delivered has one. May raise out of memory. */
void lib_push_event(lua_State *L, const struct event *e);
const struct event *lib_check_event(lua_State *L, int index);
void lib_open_event(lua_State *L);

/* lib_irc.c. Pushes the object of a network, nil for a handle of none. */
void lib_push_net(lua_State *L, struct handle net);

/* The network of a call: the task's, or the first argument, which is taken off. */
struct net *lib_take_net(lua_State *L, const char *who);

/* The network of a handle, and of the object at index; raises when it was removed. */
struct net *lib_live_net(lua_State *L, struct handle net);
struct net *lib_check_net(lua_State *L, int index);

/* The words of QUIT at an argument, "" where there are none. */
struct str lib_opt_message(lua_State *L, int index, const char *who);

/* Sends a line, which is copied, as the function that the script knows as who: leaves true, or
 * pauses until the queue takes it, or raises. Returns what a C function must return. */
int lib_send_line(lua_State *L, struct net *n, struct str line, bool is_raw, const char *who);
int lib_reply(lua_State *L);
int lib_connect(lua_State *L);
void lib_open_irc(lua_State *L);

/* lib_make.c. The network that the table on top says, which is made; raises where that does not
 * stand. NULL: there are too many; what connect returns is pushed. */
struct net *lib_make_net(lua_State *L);
int lib_remove(lua_State *L);

/* lib_roster.c: methods of networks, and of events. */
int lib_channel(lua_State *L);
int lib_channels(lua_State *L);
int lib_user(lua_State *L);
int lib_event_channel(lua_State *L);

/* lib_channel.c, lib_user.c */
void lib_open_channel(lua_State *L);
void lib_open_user(lua_State *L);

void lib_open_table(lua_State *L);
/* lib_request.c */
int lib_request(lua_State *L);
/* lib_ask.c */
int lib_ask(lua_State *L);
int lib_confirm(lua_State *L);
/* lib_string.c. Pushes what was captured, all of the match where nothing was; returns how many. */
int lib_push_captures(lua_State *L, const struct match *m);

/* A question of ebb's own, about the texts at two indexes: pushes what the pattern captures in the
 * subject, and returns how many; 0 where it does not match. Raises for what is no pattern, and for
 * one that costs too much. */
int lib_match(lua_State *L, int subject, int pattern);
void lib_open_string(lua_State *L);

void lib_open_listen(lua_State *L);
void lib_open_task(lua_State *L);
void lib_open_sync(lua_State *L);
void lib_open_time(lua_State *L);
void lib_open_log(lua_State *L);
void lib_open_state(lua_State *L);

/* lib_load.c, lib_os.c, lib_io.c and lib_debug.c: more for scripts with trust = full. */
void lib_open_load(lua_State *L);
void lib_open_os(lua_State *L);
void lib_open_io(lua_State *L);
void lib_open_debug(lua_State *L);

/* Pushes the path at index, which begins at the script's folder unless it is absolute. */
const char *lib_push_path(lua_State *L, int index, const char *who);

/* Where nothing may act on the world: pushes what a function that would change the file returns,
 * and gives how many values that are; else 0. */
int lib_refuse_under_check(lua_State *L, const char *path);

/* lib_test.c. Gives a test's own script `require "ebb.test"`. */
void lib_open_test(lua_State *L);

/* The time that is the seconds at an argument from now; -1 where there are none. */
int64_t lib_deadline(lua_State *L, int index, const char *who);

/* A number of seconds at an argument as nanoseconds; raises for what is no time to wait. */
int64_t lib_check_seconds(lua_State *L, int index, const char *who);

#endif
