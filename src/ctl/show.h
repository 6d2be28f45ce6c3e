/*
 * show: a reply for people.
 *
 * What has a form of its own is only what JSON tells apart: a list of objects is a table, with a
 * column for each member, in the order in which they first come; an object is a line for each
 * member, with the lists of objects in it as tables below; any other list is a line for each item;
 * a text is printed as it is. What is empty prints nothing.
 *
 * Control characters are written as \xHH, those of ISO 6429 from U+0080 to U+009F among them, so
 * nothing that somebody said on IRC drives the terminal; a text that is printed by itself keeps its
 * newlines and tabs.
 */
#ifndef EBB_CTL_SHOW_H
#define EBB_CTL_SHOW_H

#include "base/str.h"

#include <jansson.h>

void show_value(FILE *to, const json_t *value);

/* As JSON on a line of its own. It has no control characters either. */
void show_json(FILE *to, const json_t *value);

/* A text by itself, and no newline after it. */
void show_text(FILE *to, struct str text);

#endif
