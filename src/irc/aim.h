/*
 * aim: whom a line that we send is about.
 *
 * The sendq lets targets take turns and keeps the lines about one in order, and knows no commands.
 * Here is which parameter of a command names targets.
 */
#ifndef EBB_IRC_AIM_H
#define EBB_IRC_AIM_H

#include "irc/isupport.h"
#include "irc/message.h"

enum { AIM_MAX_BYTES = 8192 }; /* as long as the longest line that a server may allow */

/* The channels and nicks that m names, for sendq_push: with commas between, folded by the server's
 * casemapping, and "@#c", the ops of a channel, as "#c". Written to out, which has AIM_MAX_BYTES;
 * names that do not fit are left out. Absent for a command that is about nobody. */
struct str aim_of(const struct isupport *is, const struct message *m, char *out);

#endif
