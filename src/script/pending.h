/*
 * pending: what scripts have under way, in words for a person.
 */
#ifndef EBB_SCRIPT_PENDING_H
#define EBB_SCRIPT_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host;
struct task;

enum { PENDING_TEXT_BYTES = 1024 };

/* One task, alarm or subscription: "script quiz: on privmsg from quiz.lua:3: in sleep at
 * quiz.lua:7, for another 12.000 s". */
typedef void pending_tell(void *data, const char *text);

/* The host's count now. */
uint64_t pending_now(const struct host *h);

/* Tells of all tasks and alarms made since, and not over; of subscriptions too, if
 * with_subs. Returns how many there are. */
unsigned pending_each(
	const struct host *h, uint64_t since, bool with_subs, pending_tell *tell, void *data);

/* The same text of one task. */
void pending_describe(const struct task *t, char *out, size_t size);

#endif
