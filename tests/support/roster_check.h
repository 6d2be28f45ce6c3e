/*
 * roster_check: whether a roster is whole, and what it says.
 */
#ifndef EBB_TESTS_SUPPORT_ROSTER_CHECK_H
#define EBB_TESTS_SUPPORT_ROSTER_CHECK_H

#include "irc/roster.h"

/* The first of its invariants that does not hold, in words; NULL when all do. */
const char *roster_fault(const struct roster *r);

/* Appends all facts as text, sorted by name: a line for each channel, then for each user.
 *
 *     #c +nt 2: @+alice bob | topic (setter 123)
 *     alice!u@h account=a away(why) bot oper me "Real Name"
 */
void roster_dump(const struct roster *r, struct buf *out);

#endif
