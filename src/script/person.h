/*
 * person: somebody on a network, to be known again when they say more.
 *
 * A person is who caused an event, in its channel or in private. What makes somebody the same is
 * the account, where the server tells it with each line; else the nick. The nick is followed
 * through changes of nick, and is theirs no more once they quit or somebody else has it: from then
 * on only the account counts. So nobody is mistaken for who had the nick before.
 *
 * It is a filter of privmsg, nick and quit, which has to see all of these to follow. It lives as a
 * userdata, whole, and owns nothing else.
 */
#ifndef EBB_SCRIPT_PERSON_H
#define EBB_SCRIPT_PERSON_H

#include "script/trail.h"

#include <lua.h>

struct person;

/* Pushes who caused e, under the nick that they have by the trail of its network; NULL and nothing
 * where nobody did. */
struct person *person_push(lua_State *L, const struct event *e, const struct trail *t);

/* The person at index, which is valid; NULL for any other value. */
struct person *person_test(lua_State *L, int index);

/* The network they are on, borrowed from p. */
struct str person_network(const struct person *p);

/* From now on they answer with what `takes` says yes to; before, they are only followed. */
void person_ask(struct person *p, bool (*takes)(struct str message));

/* Whether e is their answer: a PRIVMSG, in the same place. Follows them in other events. */
bool person_answers(struct person *p, const struct event *e);

#endif
