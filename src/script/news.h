/*
 * news: what scripts hear of scripts: script_load, script_unload and script_error.
 */
#ifndef EBB_SCRIPT_NEWS_H
#define EBB_SCRIPT_NEWS_H

#include "script/script.h"

void news_loaded(const struct script *s, bool is_reload);

/* It does not run any more: "unload", "shutdown", "failed". */
void news_unloaded(const struct script *s, const char *reason);

/* What it was doing: "run", "load", "reload", "end"; and the error, with its traceback where it has
 * one. */
void news_error(const struct script *s, const char *doing, const char *text);

#endif
