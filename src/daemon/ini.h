/*
 * ini: a configuration file as sections of keys and values, and the faults found in it.
 *
 * inih parses; what it would do to a file without a word is found here. Its fgets-like reader is
 * ours: it counts lines, notes every section header, strips comments (a line that begins with ";"
 * or "#", and from " ;" on) and refuses what inih would cut, drop or misread. A line with a fault
 * is left out and the reading goes on, so one pass finds them all.
 *
 * An indented line continues the value above, and is a comment only if it begins with ";" or with
 * "#" and a space: "#ebb" is a channel.
 */
#ifndef EBB_DAEMON_INI_H
#define EBB_DAEMON_INI_H

#include "base/buf.h"

struct ini_entry {
	char *key, *value; /* a continued value has a newline between its lines */
	int line;
};

struct ini_section {
	char *title; /* "network libera"; empty: keys before the first header, a fault already */
	int line;
	struct ini_entry *entries;
	size_t n_entries;
};

/* Zeroed memory is a file without sections. */
struct ini {
	struct ini_section *sections;
	size_t n_sections;
	struct ini_fault {
		int line; /* 0: the file as a whole */
		char *text;
	} * faults;
	size_t n_faults;
};

/* Whether sections so titled have that key; asked with an absent key, whether there are such
 * sections. Tells a key or header that was indented by mistake from a value that goes on. */
typedef bool ini_known(struct str title, struct str key);

/* Reads the file at path into zeroed memory. What is wrong becomes faults, also a file that
 * cannot be read. A value that is empty is a fault, and stands among the entries. */
void ini_load(struct ini *ini, const char *path, ini_known *known);

/* Wipes the values, for some are secrets. */
void ini_fini(struct ini *ini);

/* Adds a fault at a line; section may be NULL, else the text begins with its title. */
void ini_fault(struct ini *ini, const struct ini_section *section, int line, const char *fmt, ...)
	PRINTF(4, 5);

/* Appends the faults to errors by line, each as "PATH:LINE: TEXT\n"; stops when errors is full. */
void ini_report(struct ini *ini, const char *path, struct buf *errors);

#endif
