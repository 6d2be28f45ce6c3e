/*
 * expect: what a test of scripts expects of a value, and how it is told that it is not so.
 *
 * A failure is an error object of kind "expectation", whose message has the line of the test,
 * what was expected and what there was.
 */
#ifndef EBB_SCRIPT_EXPECT_H
#define EBB_SCRIPT_EXPECT_H

#include <lua.h>

/* Defines the type. In protected code. */
void expect_open(lua_State *L);

/* Takes the value at index 1, any or none, and pushes its expectation. */
int expect_value(lua_State *L);

#endif
