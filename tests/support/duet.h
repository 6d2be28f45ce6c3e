/*
 * duet: a client over TLS, which is what is tested, and its server, on one loop.
 *
 * A test starts a server, then a client, runs the loop until what it waits for, and ends both.
 */
#ifndef EBB_TESTS_SUPPORT_DUET_H
#define EBB_TESTS_SUPPORT_DUET_H

#include "net/tls.h"
#include "support/peer.h"

struct duet {
	struct certs certs; /* the test's main makes and frees them */
	struct loop loop;
	struct peer peer;
	struct probe probe;
	struct tls_context *context; /* trusts the CA of certs */
	struct err err;
	int ours; /* where the next client starts */
};

/* max_version: 0 for any. */
void duet_serve(struct duet *d, const struct cert *cert, int max_version);

/* With a context that serves several connections, one after the other. Borrows it. */
void duet_serve_again(struct duet *d, SSL_CTX *context);

/* A server that speaks no TLS. */
void duet_serve_plain(struct duet *d);

/* The client has other files than the CA's. */
void duet_set_files(struct duet *d, const struct tls_files *files);

void duet_dial(struct duet *d, const struct tls_options *options);

/* To localhost, which is to verify. */
void duet_dial_verified(struct duet *d);

/* A verified connection with a good server, which is open. */
void duet_open(struct duet *d, int max_version);

void duet_say(struct duet *d, const char *bytes);

/* Ends both sides, for another connection over the same context. */
void duet_hang_up(struct duet *d);

void duet_end(struct duet *d);

#endif
