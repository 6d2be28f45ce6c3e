/*
 * tls: a stream over OpenSSL, as a client.
 *
 * TLS 1.2 or newer. The certificate is judged inside the handshake, before a byte of the
 * application is sent: on_open means that it was accepted. One of three rules holds:
 *
 *     pins       the certificate's SHA-256, or its key's, is one of them. Nothing else is looked
 *                at: neither chain, name nor dates
 *     verify     the chain leads to a CA of the context, the dates are good, and the name (or
 *                address) is the host's
 *     neither    anything is accepted; the caller warns
 *
 * A refusal is on_close with ERR_TLS and a text a person can act on: it says what the server
 * showed and which setting would accept it. The end of a connection is ERR_CLOSED, and its text
 * tells whether the server said so (close_notify) or the connection was cut.
 *
 * Sessions are resumed (RFC 8446, section 2.2; RFC 5077) where there is a struct tls_memory. A
 * resumed handshake shows no certificate, so a session is taken up only for the same host and port,
 * the same pins and the same rule, under files that were not read anew since, and while all
 * certificates of the chain that was verified are good: what a full handshake would refuse is not
 * let in by the back door.
 *
 * The protocol is named as "irc" (ALPN, RFC 7301). A server need not know ALPN.
 *
 * Renegotiation and compression are off. OpenSSL's own memory is the greatest part of an idle
 * connection: its buffers are given back when empty, and the server's certificates once judged.
 */
#ifndef EBB_NET_TLS_H
#define EBB_NET_TLS_H

#include "net/pin.h"
#include "net/stream.h"

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

/*
 * Reads the files now; copies their paths. Returns owned. ERR_CONFIG when one of them cannot be
 * used.
 *
 * Files that have changed are read again when the next stream begins, so that a renewed
 * certificate is shown from then on. Where they cannot be used then, or do not fit together, which
 * is logged once, what was read before stays in use.
 */
NODISCARD int tls_context_new(
	const struct tls_files *files, struct tls_context **out, struct err *err);

/* Whether a context could use these files: the certificate; and, once that is so, its key.
 * ERR_CONFIG: err begins with the path of the file that is at fault. */
NODISCARD int tls_check_cert(const char *cert, struct err *err);
NODISCARD int tls_check_key(const char *cert, const char *key, struct err *err);

/* Streams that use it keep what they need. NULL is accepted. */
void tls_context_free(struct tls_context *context);

/* The pins of a server, by either of which it would be known. */
struct tls_server {
	struct pin certificate, key;
};

/*
 * What is known of a server from one connection to the next: the session to resume, of which there
 * is one, the newest. Its fields are tls's own. Zeroed memory knows nothing. It empties itself when
 * it is used for another server or under other terms.
 *
 * A session is offered once (RFC 8446, section C.4); one of TLS 1.2 that was resumed stays. A
 * server that fails when it is offered one, or is of no use then, is offered none from then on; one
 * that refuses ALPN is spared that.
 */
struct tls_memory {
	unsigned char terms[32]; /* a digest of all that decides about trust */
	struct tls_server server;
	int64_t from_ns, until_ns; /* wall: when all of its certificates are good */
	unsigned char *session;    /* owned, a secret; NULL: none */
	size_t n_session;
	int64_t session_until_ns; /* wall */
	bool is_tried;            /* the latest stream has taken a session up, or may still */
	bool shuns_sessions, shuns_alpn;
};

void tls_memory_fini(struct tls_memory *memory);

/* The latest stream has led to nothing. If that may be because a session was resumed, by which a
 * server may not know us again though it took it up, none is offered any more. */
void tls_memory_doubt(struct tls_memory *memory);

struct tls_options {
	const char *host; /* to verify, and to send as SNI unless it is an address */
	uint16_t port;    /* tells one server of a host from another */
	bool verify;
	const struct pin *pins;
	size_t n_pins;
	struct tls_memory *memory; /* of one stream at a time; NULL: nothing is remembered */
};

/* Starts the handshake over a connected, non-blocking descriptor. Takes fd, also on failure;
 * borrows context and options for the call; loop, events, owner and options->memory until
 * stream_free. Returns owned. The owner sets the handshake's deadline. ERR_INVALID for a host that
 * can be no name. */
NODISCARD int tls_stream_new(struct loop *loop, struct tls_context *context, int fd,
	const struct tls_options *options, const struct stream_events *events, void *owner,
	struct stream **out, struct err *err);

/* For the log, once open. */
struct tls_facts {
	const char *version, *cipher; /* borrowed from OpenSSL; do not go away with the stream */
	struct tls_server server;     /* of a resumed session: as it was when that began */
	bool is_resumed;
};

/* s came from tls_stream_new and is open. */
void tls_describe(const struct stream *s, struct tls_facts *facts);

#endif
