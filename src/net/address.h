/* address: where to connect to, and how the operating system puts why it could not. */
#ifndef EBB_NET_ADDRESS_H
#define EBB_NET_ADDRESS_H

#include "base/attr.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct address {
	struct sockaddr_storage sa;
	socklen_t n;
};

enum { ADDRESS_TEXT_BYTES = 64 };

/* "192.0.2.7:6697" or "[2001:db8::7]:6697". */
void address_format(const struct address *a, char text[ADDRESS_TEXT_BYTES]);

/* The same without the port, and without brackets. */
void address_format_host(const struct address *a, char text[ADDRESS_TEXT_BYTES]);

/* Reads an address without port; port is put in. False for anything else, names for instance. */
NODISCARD bool address_parse(const char *text, uint16_t port, struct address *out);

/* Replaces the port of an IPv4 or IPv6 address. */
void address_set_port(struct address *a, uint16_t port);

/* An errno in words, as our lines write them: "connection refused". Borrowed until the next call
 * in this thread. */
const char *errno_text(int error);

/* The same of a library's own words: a sentence's capital is taken off, DNS keeps its own. */
const char *uncapitalized(const char *words);

#endif
