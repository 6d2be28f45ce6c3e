/*
 * tls_inside: what the parts of tls share; nobody else includes it.
 *
 *     tls.c          the stream
 *     tls_context.c  files and settings, which streams share
 *     tls_judge.c    whether the server's certificate is accepted, and why it is not
 *     tls_reason.c   why an operation failed
 */
#ifndef EBB_NET_TLS_INSIDE_H
#define EBB_NET_TLS_INSIDE_H

#include "net/tls.h"

#include <openssl/ssl.h>

enum { HEX_BYTES = 2 * TLS_PIN_BYTES + 1 };

struct tls_context {
	unsigned refs; /* the owner's, and one for each stream */
	SSL_CTX *ssl;
	BIO_METHOD *bio;
	struct loop *loop; /* borrowed, once there was a stream */
	struct timer trim;
};

/* What decides about the certificate; needed until the handshake is over. */
struct terms {
	char *host;
	bool verify;
	unsigned char (*pins)[TLS_PIN_BYTES];
	size_t n_pins;
	char *refusal; /* owned; why the certificate was not accepted */
};

struct tls {
	struct stream stream;
	struct tls_context *context;
	SSL *ssl;
	struct terms *terms; /* NULL once open */
	int io_errno;        /* of the last recv or send that failed */
	bool is_cut;         /* the descriptor is at its end */
};

/* The way to the descriptor of the struct tls that is its data. NULL: no memory. */
BIO_METHOD *tls_bio_method(void);

void tls_context_unref(struct tls_context *context);

/* Returns owned. */
struct terms *terms_new(const struct tls_options *options);

/* NULL is accepted. */
void terms_free(struct terms *terms);

/* For SSL_CTX_set_cert_verify_callback: in the place of OpenSSL's own verification, in the middle
 * of the handshake. */
int tls_judge(X509_STORE_CTX *store, void *data);

void tls_fingerprint(const X509 *certificate, char hex[HEX_BYTES]);

/* Why what OpenSSL was asked for has failed: its error queue is read, and not emptied. */
int tls_explain(const struct tls *t, struct err *why);

#endif
