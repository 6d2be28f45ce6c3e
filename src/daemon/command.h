/*
 * command: what each control command does.
 *
 * A row for each command of ctl/commands.c, whose parameters are checked when it is run.
 */
#ifndef EBB_DAEMON_COMMAND_H
#define EBB_DAEMON_COMMAND_H

#include "daemon/control.h"
#include "daemon/rehash.h"

/* What commands act on, the data of the control; borrowed, outlives it. */
struct command_parts {
	struct core *core;
	struct programs *programs;
	struct rehash *rehash;
	struct config *const *config;  /* the present one */
	int64_t start_ns;              /* when the daemon began, on the loop's clock */
	void (*shut_down)(void *data); /* begins to end the daemon; returns before it has ended */
	void *data;
};

extern const struct control_command command_table[];

#endif
