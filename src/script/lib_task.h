/*
 * lib_task: the object of a task, which spawn, after, every and cron return.
 */
#ifndef EBB_SCRIPT_LIB_TASK_H
#define EBB_SCRIPT_LIB_TASK_H

#include "script/sync.h"

struct task_object {
	struct promise promise; /* of the task's end; an alarm's last task's */
	struct handle handle;   /* of the task or the alarm */
	bool is_alarm;
	const char *name;
};

/* Pushes an object that is bound to nothing yet. what and site are interned. */
struct task_object *task_object_push(lua_State *L, const char *what, const char *site);

/* What task_object_bind needs: before task_new, so that nothing fails between that and
 * task_enqueue.
 */
void task_object_reserve(lua_State *L);

/* Makes the object at index that of t: told of its end, and the way to cancel it. Never raises,
 * after task_object_reserve. */
void task_object_bind(lua_State *L, int index, struct task *t);

#endif
