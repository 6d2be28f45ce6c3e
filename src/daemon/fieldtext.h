/*
 * fieldtext: the fields of an event as text, for programs that embed ebb (ebb.h says the form).
 */
#ifndef EBB_DAEMON_FIELDTEXT_H
#define EBB_DAEMON_FIELDTEXT_H

#include "script/event.h"

enum { FIELDTEXT_MAX_BYTES = 4 * 1024 * 1024 };

/* Makes the text of a field and keeps it in the list until fieldtext_free_all; *n, where n is not
 * NULL, is its length. NULL: the event does not have it, or it is larger than that. */
const char *fieldtext_add(struct list *texts, const struct event *e, struct str name, size_t *n);

void fieldtext_free_all(struct list *texts);

#endif
