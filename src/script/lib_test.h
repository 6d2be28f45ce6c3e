/*
 * lib_test: `require "ebb.test"`, what its files share.
 *
 * Objects of the trial live as long as the state of the test's script, so userdata hold pointers to
 * them. lib_test.c has tests, time and the log; lib_test_options.c reads what t.bot and t.network
 * are given; lib_test_bot.c, lib_test_people.c and lib_test_net.c are what their names say.
 */
#ifndef EBB_SCRIPT_LIB_TEST_H
#define EBB_SCRIPT_LIB_TEST_H

#include "script/modules.h"
#include "script/trial.h"

extern const char test_bot_type[], test_net_type[], test_person_type[];

struct trial *test_trial(lua_State *L);

int64_t test_now(lua_State *L);

/* Pushes the userdata of a bot or a network. */
void test_push(lua_State *L, void *object, const char *type);

/* Pauses until nothing else can run; k calls test_settled first, and has the stack as it was. */
int test_settle(lua_State *L, const char *who, lua_KFunction k);
void test_settled(lua_State *L);

struct str test_check_str(lua_State *L, int index);

/* Text for one line: a server would cut what is longer, or drop it without a word. */
struct str test_check_line(lua_State *L, int index);

/* lib_test_options.c. */

/* Pushes the field of the table at index, read raw; returns its type. */
int test_raw_field(lua_State *L, int table, const char *key);

/* Raises for a key of the table at index that is not among the known, NULL-terminated. */
void test_check_keys(lua_State *L, int index, const char *const *known, const char *who);

/* The table at index 1 as the options of a bot, which live as long as what is left on the stack. */
void test_read_bot(lua_State *L, struct trial_bot_options *o);

/* Makes the network that the table at index 1 describes, or a standard one where it is absent, and
 * pushes it. */
void test_make_net(lua_State *L);

/* lib_test_people.c. (bot or network, nick, [channel | options]); bot may be NULL. Pauses. */
struct test_person {
	struct person *person;
	struct trial_net *net;
	struct trial_bot *bot; /* NULL: made for a network */
};
int test_make_person(lua_State *L, struct trial_net *n, struct trial_bot *bot);
void test_open_people(lua_State *L);

/* lib_test_bot.c. t.bot: makes the bot that the table at index 1 describes. Pauses. */
int test_make_bot(lua_State *L);
void test_open_bots(lua_State *L);

/* What a bot's core knows of a network it is on, and its nick there; NULL for one that was
 * stopped. */
struct net *test_net_of(const struct trial_bot *b, const struct trial_net *n);
const char *test_nick_of(const struct trial_bot *b, const struct trial_net *n);

/* lib_test_net.c. */
struct trial_net *test_check_net(lua_State *L, int index);
void test_open_nets(lua_State *L);

#endif
