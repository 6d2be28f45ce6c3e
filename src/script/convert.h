/*
 * convert: messages and values between C and Lua.
 */
#ifndef EBB_SCRIPT_CONVERT_H
#define EBB_SCRIPT_CONVERT_H

#include "script/event.h"

#include <lua.h>

/* Pushes the text, or nil for an absent slice. */
void convert_push_str(lua_State *L, struct str s);

/* Pushes a field's value, nil for VALUE_NONE; lists and tags as fresh tables. */
void convert_push_value(lua_State *L, const struct value *v, const struct event *e);

/*
 * Lines, separated by line feeds, that came with the line `like`, as events. convert_begin_lines
 * makes e like that, but for what is a line's own; each convert_next_line cuts a line off and makes
 * e its event, which borrows it and is ours where me, our nick, sent it. What is no message is
 * passed over; false at the end.
 */
void convert_begin_lines(struct event *e, const struct event *like);
bool convert_next_line(lua_State *L, struct str *lines, struct str me, struct event *e);

/* The line, without CR LF, that a command with the table of parameters at index makes, in the
 * host's scratch buffer. Raises for what cannot be sent, with who in front. `tags` in the table
 * are client tags: those are sent that the server with this isupport lets pass, none where that is
 * NULL. Absent for a TAGMSG without any: there is nothing to send. */
struct str convert_line(
	lua_State *L, struct str command, int index, const struct isupport *is, const char *who);

#endif
