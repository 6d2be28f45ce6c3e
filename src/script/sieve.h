/*
 * sieve: functions of scripts through which lines pass: filter_in and filter_out.
 *
 * What a network receives passes those of one way before scripts hear of it, what scripts send
 * those of the other before the session gets it. A function passes on what it likes: the line,
 * another one, several, or none. They stand in the order of the scripts, as configured, and of one
 * script in the order in which they were made; what one passes on is what the next is given. All
 * that one passes on is collected before the next runs, so that no script runs within another.
 *
 * A message that came in several lines passes as one line, with line feeds in its text. So lines
 * stand one behind the other with a NUL between, which no line holds.
 *
 * A line waits for nobody: the functions run at once, also while their script is held (host.h) or
 * frozen for a reload, until the new code takes its place. One that fails or is stopped for taking
 * too long might as well not be there: the line goes on as it came. Who was stopped is over: the
 * loop waits while it runs. What a function itself sends passes no other.
 */
#ifndef EBB_SCRIPT_SIEVE_H
#define EBB_SCRIPT_SIEVE_H

#include "base/buf.h"

#include <lua.h>

enum sieve_way { SIEVE_IN, SIEVE_OUT, SIEVE_WAYS };

enum {
	SIEVES_MAX = 64,              /* of a script, for a network and a way */
	SIEVE_LINES_MAX = 64,         /* what may become of a line */
	SIEVE_MAX_BYTES = 1024 * 1024 /* the same */
};

struct net;
struct sieve;

/* What a script has in hand: a userdata, whose user values are the function and `next`. */
struct sieve_object {
	struct sieve *sieve; /* NULL: it is over */
};

/* Begins the sieve of the object, which the script of L keeps at ref in its registry. NULL: it has
 * SIEVES_MAX already. Does not raise. */
struct sieve *sieve_begin(
	lua_State *L, struct net *n, enum sieve_way way, struct sieve_object *object, int ref);

/* Ends it; one that runs is free to pass lines on until it returns. */
void sieve_end(struct sieve *sv);

/* Those of a network that goes. */
void sieve_end_all(struct net *n);

/* Passes the line on, from within the function; returns what is wrong with it, or NULL. */
const char *sieve_next(struct sieve *sv, struct str line);

/* Writes what becomes of line, which is one, to out: lines for sieve_cut, or nothing. False, and
 * nothing is written, where it passes no function. */
bool sieve_pass(struct net *n, enum sieve_way way, struct str line, struct buf *out);

/* Takes the first line off. */
static inline struct str sieve_cut(struct str *lines)
{
	return str_cut(lines, '\0');
}

/* lib_sieve.c: the two methods of networks. */
int lib_filter_in(lua_State *L);
int lib_filter_out(lua_State *L);
void lib_open_sieve(lua_State *L);

#endif
