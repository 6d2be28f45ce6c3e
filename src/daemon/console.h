/*
 * console: `ebbd --console`, the bot and a person in a channel of a network inside the process.
 *
 * At a terminal it is a conversation, with a prompt and history, as people in the channel see it.
 * From a pipe it reads lines, prints what the bot says and nothing else to stdout, and at the end
 * of the input ends when every task that a line started has ended, or after CONSOLE_END_NS.
 */
#ifndef EBB_DAEMON_CONSOLE_H
#define EBB_DAEMON_CONSOLE_H

#include "base/attr.h"
#include "base/clock.h"

#define CONSOLE_END_NS (10 * NS_PER_S)

/* Runs with these scripts, paths of Lua files, and reconnect.lua if it is found beside the first or
 * where it is installed. ERR_INVALID: one could not be loaded; the reason is logged. */
NODISCARD int console_run(char *const *scripts, int n_scripts);

#endif
