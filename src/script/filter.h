/*
 * filter: which events of a kind a script wants.
 *
 * A table names fields and the values wanted, or a function decides, or it is what a person
 * answers. Tables are compiled when the subscription is made and evaluated on the C event, before a
 * task or a Lua object exists for it; only functions enter the script.
 */
#ifndef EBB_SCRIPT_FILTER_H
#define EBB_SCRIPT_FILTER_H

#include "script/event.h"

#include <lua.h>

struct filter;

/* The network that a filter names. */
enum filter_net { FILTER_NET_UNSAID, FILTER_NET_ALL, FILTER_NET_NAMED };

/* Compiles the table, function or person at index (nil or none: no filter) and pushes the filter as
 * a userdata, or nil; returns it or NULL. Raises with who in front for what makes no sense: a field
 * that none of these kinds has, a value that is no text, number or boolean. */
struct filter *filter_new(
	lua_State *L, int index, const int *kinds, size_t n_kinds, const char *who);

enum filter_net filter_net(const struct filter *f, struct str *name);

/* The key `buffer`, for events(); 0 where it is not given. */
size_t filter_buffer(const struct filter *f);

/* Whether *e passes; f may be NULL. L is the script's main thread: an error in a function is
 * logged, with what in front, and is no match; so is a pattern that costs too much, but it is
 * logged only once. *e may be replaced by its copy on the heap. */
bool filter_matches(struct filter *f, lua_State *L, struct event **e, const char *what);

/* Pushes what `match` captures in e, nothing without one; returns how many. Only for an event that
 * matched. */
int filter_push_captures(lua_State *L, const struct filter *f, const struct event *e);

#endif
