/*
 * tls_inside: what the parts of tls share; nobody else includes it.
 *
 *     tls.c          the stream
 *     tls_context.c  files and settings, which streams share
 *     tls_judge.c    whether the server's certificate is accepted
 *     tls_words.c    and why it is not
 *     tls_memory.c   sessions, from one connection to the next
 *     tls_reason.c   why an operation failed
 */
#ifndef EBB_NET_TLS_INSIDE_H
#define EBB_NET_TLS_INSIDE_H

#include "net/tls.h"

#include <openssl/ssl.h>

enum { GENERATION_BYTES = 16 };

/* What tells one state of a file from the next; zeroed for one that is not there. */
struct stamp {
	uint64_t device, inode, size;
	int64_t modified_ns, changed_ns;
};

enum { CA_FILE, CERT_FILE, KEY_FILE, FILES };

struct tls_context {
	unsigned refs;      /* the owner's, and one for each stream */
	char *paths[FILES]; /* owned; NULL as in struct tls_files */
	struct stamp stamps[FILES];
	bool is_stale; /* the files that those are of could not be read */
	unsigned char generation[GENERATION_BYTES]; /* another one whenever files were read */
	SSL_CTX *ssl;
	BIO_METHOD *bio;
	struct loop *loop; /* borrowed, once there was a stream */
	struct timer trim;
};

/* What decides about the certificate; needed until the handshake is over. */
struct terms {
	char *host;
	bool verify;
	struct pin *pins;
	size_t n_pins;
	char *refusal; /* owned; why the certificate was not accepted */
};

struct tls {
	struct stream stream;
	struct tls_context *context;
	SSL *ssl;
	struct terms *terms;       /* NULL once open */
	struct tls_memory *memory; /* borrowed; NULL: none */
	struct tls_server server;
	int io_errno;      /* of the last recv or send that failed */
	bool is_cut;       /* the descriptor is at its end */
	bool refuses_alpn; /* the server */
};

/* The stream of ssl. */
struct tls *tls_of_ssl(const SSL *ssl);

/* The way to the descriptor of the struct tls that is its data. NULL: no memory. */
BIO_METHOD *tls_bio_method(void);

/* Reads again the files that have changed. */
void tls_context_refresh(struct tls_context *context);

void tls_context_unref(struct tls_context *context);

/* Returns owned. */
struct terms *terms_new(const struct tls_options *options);

/* NULL is accepted. */
void terms_free(struct terms *terms);

/* For SSL_CTX_set_cert_verify_callback: in the place of OpenSSL's own verification, in the middle
 * of the handshake. */
int tls_judge(X509_STORE_CTX *store, void *data);

/* Why store, which has judged, did not accept: sets terms->refusal. */
void tls_refuse_pinned(struct terms *terms, const struct tls_server *server);
void tls_refuse_verified(
	struct terms *terms, const struct tls_server *server, X509_STORE_CTX *store);

/* Before the handshake: offers the session of t->memory, if it may be resumed. */
void tls_memory_offer(struct tls *t, const struct tls_options *options);

/* The certificates of chain, all of which are good, were accepted; NULL: whatever they are. */
void tls_memory_trust(struct tls *t, const STACK_OF(X509) * chain);

/* For SSL_CTX_sess_set_new_cb. */
int tls_memory_keep(SSL *ssl, SSL_SESSION *session);

/* The handshake is over: lets go of the certificates; or it has failed. */
void tls_memory_opened(struct tls *t);
void tls_memory_failed(struct tls *t);

/* Why what OpenSSL was asked for has failed: its error queue is read, and not emptied. */
int tls_explain(struct tls *t, struct err *why);

#endif
