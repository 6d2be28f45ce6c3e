/*
 * tls: a stream over OpenSSL, as a client.
 *
 * TLS 1.2 or newer. The certificate is judged inside the handshake, before a byte of the
 * application is sent: on_open means that it was accepted. One of three rules holds:
 *
 *     pins       the certificate's SHA-256 is one of them. Nothing else is looked at: neither
 *                chain, name nor dates
 *     verify     the chain leads to a CA of the context, the dates are good, and the name (or
 *                address) is the host's
 *     neither    anything is accepted; the caller warns
 *
 * A refusal is on_close with ERR_TLS and a text a person can act on: it says what the server
 * showed and which setting would accept it. The end of a connection is ERR_CLOSED, and its text
 * tells whether the server said so (close_notify) or the connection was cut.
 *
 * Resumption, renegotiation and compression are off. OpenSSL's own memory is the greatest part of
 * an idle connection; its buffers are given back when empty.
 */
#ifndef EBB_NET_TLS_H
#define EBB_NET_TLS_H

#include "net/stream.h"

enum { TLS_PIN_BYTES = 32 };

/* What connections share: the trusted CAs, our certificate and OpenSSL's settings. Made once for
 * all that have the same files. */
struct tls_context;

/* Paths of files in PEM. */
struct tls_files {
	const char *ca; /* NULL: the system's */
	const char
		*cert;   /* to show to a server that asks for one, the chain below it; NULL: none */
	const char *key; /* of cert, without a passphrase; NULL: it is in cert's file */
};

/* Reads the files now. Returns owned. ERR_CONFIG when one of them cannot be used. */
NODISCARD int tls_context_new(
	const struct tls_files *files, struct tls_context **out, struct err *err);

/* Whether a context could use these files: the certificate; and, once that is so, its key.
 * ERR_CONFIG: err begins with the path of the file that is at fault. */
NODISCARD int tls_check_cert(const char *cert, struct err *err);
NODISCARD int tls_check_key(const char *cert, const char *key, struct err *err);

/* Streams that use it keep what they need. NULL is accepted. */
void tls_context_free(struct tls_context *context);

struct tls_options {
	const char *host; /* to verify, and to send as SNI unless it is an address */
	bool verify;
	const unsigned char (*pins)[TLS_PIN_BYTES];
	size_t n_pins;
};

/* Starts the handshake over a connected, non-blocking descriptor. Takes fd, also on failure;
 * borrows context and options for the call; loop, events and owner until stream_free. Returns
 * owned. The owner sets the handshake's deadline. ERR_INVALID for a host that can be no name. */
NODISCARD int tls_stream_new(struct loop *loop, struct tls_context *context, int fd,
	const struct tls_options *options, const struct stream_events *events, void *owner,
	struct stream **out, struct err *err);

/* For the log, once open: version, cipher, and the certificate's fingerprint as a pin is written
 * (64 hex digits). */
struct tls_facts {
	const char *version, *cipher; /* borrowed from OpenSSL; do not go away with the stream */
	char fingerprint[2 * TLS_PIN_BYTES + 1];
};

/* s came from tls_stream_new and is open. */
void tls_describe(const struct stream *s, struct tls_facts *facts);

#endif
