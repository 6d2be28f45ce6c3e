/*
 * option: the text of one value into its field.
 *
 * For each type of the option table there is one way to read a value, one to compare two, one to
 * free it, and one name. A value that does not fit is a fault at its line that says what it should
 * have been; a list tells all its bad items. Secrets are never told.
 */
#ifndef EBB_DAEMON_OPTION_H
#define EBB_DAEMON_OPTION_H

#include "daemon/config.h"
#include "daemon/ini.h"

/* Where a value stands. */
struct option_place {
	struct ini *ini;
	const struct ini_section *section;
	const struct ini_entry *entry; /* NULL: a default, which has no faults */
	const char *folder;            /* what relative paths begin at; "" or ends in "/" */
};

/* A fault at the place, after the section's title and the key. */
void option_fault(const struct option_place *at, const char *fmt, ...) PRINTF(2, 3);

/* Reads text into the option's field of base, which is zeroed. After a fault the field may hold a
 * part, and is freed as always. */
void option_read(
	const struct config_option *o, const struct option_place *at, struct str text, void *base);

/* Reads a secret from the file called text: a credential of the service manager so called, or so
 * with "secret_" before it, else a path. One newline at its end is dropped. */
void option_read_file(
	const struct config_option *o, const struct option_place *at, struct str text, void *base);

/* Whether the field is the same in a and b; a secret is compared as any text. */
bool option_equal(const struct config_option *o, const void *a, const void *b);

/* Frees the field of base; wipes it, where it is secret. */
void option_fini(const struct config_option *o, void *base);

/* Reads NAME, NAME:PORT, [ADDRESS], [ADDRESS]:PORT or an IPv6 address; without a port leaves *port
 * alone. False for anything else; a port may be any number. */
bool option_cut_host(struct str text, struct str *name, int64_t *port);

/* Such a name or address as DNS knows it (net/idn.h), owned in *out. ERR_CONFIG: *out is NULL. */
NODISCARD int option_host_ascii(struct str name, char **out, struct err *err);

/* Text as a path: as it is, or below folder. Returns owned. */
char *option_path(const char *folder, struct str text);

/* 0 when path is a file that can be read, else an errno. */
int option_check_file(const char *path);

#endif
