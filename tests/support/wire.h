/*
 * wire: the bytes of one connection, plain or TLS, for the programs that measure.
 *
 * As thin as it can be, since what it costs is in every figure: reads go into one buffer that all
 * wires share, and a wire owns only the line that has begun and what waits to be sent. It knows
 * nothing of the daemon's streams, which are what is measured.
 */
#ifndef EBB_TESTS_SUPPORT_WIRE_H
#define EBB_TESTS_SUPPORT_WIRE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

struct wire {
	int fd;   /* owned; -1: closed */
	SSL *ssl; /* owned; NULL: plain */
	int epoll;
	void *owner;      /* what epoll reports for it */
	uint32_t watched; /* the events that epoll was told of */
	char *rest;       /* of a line that has begun */
	size_t n_rest, rest_size;
	char *out;
	size_t n_out, out_size;
};

/* A line without its CR LF; it may be changed, and is gone after the call. */
typedef void wire_line(void *owner, char *line, size_t n);

/* Takes fd, which becomes non-blocking, and ssl, whose handshake is done by reading. The wire does
 * not move: epoll is told of its owner, not of it. */
void wire_open(struct wire *w, int fd, SSL *ssl, int epoll, void *owner);
void wire_close(struct wire *w);

/* Hands on the lines that are there, a share of them where there are many. False at the end of the
 * connection. */
bool wire_read(struct wire *w, wire_line *take);

/* Appends to what is to be sent; wire_reserve gives room for n bytes, to be filled and counted by
 * wire_commit. */
void wire_put(struct wire *w, const char *bytes, size_t n);
char *wire_reserve(struct wire *w, size_t n);
void wire_commit(struct wire *w, size_t n);

/* Sends what can be sent; epoll tells when the rest can. False when the connection broke. */
bool wire_flush(struct wire *w);

#endif
