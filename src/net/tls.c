#include "net/tls.h"

#include "base/mem.h"
#include "net/address.h"
#include "net/tls_inside.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TRIM_AFTER_NS (2 * NS_PER_S)

static struct tls *tls_of(struct stream *s)
{
	return container_of(s, struct tls, stream);
}

struct tls *tls_of_ssl(const SSL *ssl)
{
	return BIO_get_data(SSL_get_rbio(ssl));
}

/* The way to the descriptor. OpenSSL's own socket BIO would raise SIGPIPE. */

static int bio_result(BIO *bio, struct tls *t, ssize_t n, void (*set_retry)(BIO *bio))
{
	if (n >= 0)
		return (int)n;
	if (errno == EAGAIN || errno == EINTR)
		set_retry(bio);
	else
		t->io_errno = errno;
	return -1;
}

static void retry_read(BIO *bio)
{
	BIO_set_retry_read(bio);
}

static void retry_write(BIO *bio)
{
	BIO_set_retry_write(bio);
}

static int bio_read(BIO *bio, char *to, int n)
{
	struct tls *t = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	ssize_t got = recv(t->stream.fd, to, (size_t)n, 0);
	if (got == 0)
		t->is_cut = true;
	return bio_result(bio, t, got, retry_read);
}

static int bio_write(BIO *bio, const char *bytes, int n)
{
	struct tls *t = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	ssize_t sent = send(t->stream.fd, bytes, (size_t)n, MSG_NOSIGNAL);
	return bio_result(bio, t, sent, retry_write);
}

static long bio_ctrl(BIO *bio, int command, long number, void *p)
{
	(void)number;
	(void)p;
	const struct tls *t = BIO_get_data(bio);
	switch (command) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_EOF:
		return t && t->is_cut;
	default:
		return 0;
	}
}

BIO_METHOD *tls_bio_method(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "stream");
	if (!method)
		return NULL;
	BIO_meth_set_read(method, bio_read);
	BIO_meth_set_write(method, bio_write);
	BIO_meth_set_ctrl(method, bio_ctrl);
	return method;
}

/* the stream */

static int failure(struct tls *t, int result, int *waits, struct err *why)
{
	int r;
	switch (SSL_get_error(t->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		*waits = EV_READ;
		return ERR_AGAIN;
	case SSL_ERROR_WANT_WRITE:
		*waits = EV_WRITE;
		return ERR_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return err_set(why, ERR_CLOSED, "closed by the server");
	default:
		r = tls_explain(t, why);
		ERR_clear_error();
		return r;
	}
}

/* A handshake takes some ten kilobytes for a moment: in between lies what stays, so that malloc
 * itself gives little of it back. */
static void trim_later(struct tls *t)
{
	struct tls_context *context = t->context;
	if (timer_is_set(&context->trim))
		return;
	context->loop = t->stream.loop;
	timers_after(&context->loop->timers, &context->trim, TRIM_AFTER_NS);
}

static int tls_open(struct stream *s, int *waits, struct err *why)
{
	struct tls *t = tls_of(s);
	ERR_clear_error();
	int r = SSL_connect(t->ssl);
	if (r != 1) {
		r = failure(t, r, waits, why);
		if (r != ERR_AGAIN)
			tls_memory_failed(t);
		return r;
	}
	tls_memory_opened(t);
	terms_free(t->terms);
	t->terms = NULL;
	trim_later(t);
	return 0;
}

/* A session ticket leaves OpenSSL with a write buffer of 16 KB until the next write. Within a
 * record ("RB") older versions would free what they still read into (CVE-2024-4741). */
static void give_buffers_back(SSL *ssl)
{
	if (strcmp(SSL_rstate_string(ssl), "RH") == 0)
		SSL_free_buffers(ssl);
}

static ssize_t tls_read(struct stream *s, char *to, size_t n, int *waits, struct err *why)
{
	struct tls *t = tls_of(s);
	size_t got = 0;
	ERR_clear_error();
	int r = SSL_read_ex(t->ssl, to, n, &got);
	if (r == 1)
		return (ssize_t)got;
	r = failure(t, r, waits, why);
	if (r == ERR_AGAIN)
		give_buffers_back(t->ssl);
	return r;
}

static ssize_t tls_write(struct stream *s, struct str bytes, int *waits, struct err *why)
{
	struct tls *t = tls_of(s);
	size_t sent = 0;
	ERR_clear_error();
	int r = SSL_write_ex(t->ssl, bytes.p, bytes.n, &sent);
	return r == 1 ? (ssize_t)sent : failure(t, r, waits, why);
}

static int tls_shut(struct stream *s, int *waits, struct err *why)
{
	struct tls *t = tls_of(s);
	ERR_clear_error();
	int r = SSL_shutdown(t->ssl);
	if (r < 0) {
		r = failure(t, r, waits, why);
		if (r == ERR_AGAIN && *waits == EV_WRITE)
			return r;
	}
	shutdown(s->fd, SHUT_WR);
	return 0;
}

static void tls_free(struct stream *s)
{
	struct tls *t = tls_of(s);
	SSL_free(t->ssl);
	terms_free(t->terms);
	tls_context_unref(t->context);
	free(t);
}

static const struct stream_ops tls_ops = {
	.open = tls_open,
	.read = tls_read,
	.write = tls_write,
	.shut = tls_shut,
	.free = tls_free,
	.holds_bytes = true,
};

/* the start */

static bool set_host(SSL *ssl, const char *host)
{
	struct address literal;
	if (address_parse(host, 0, &literal))
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
	return host[0] && SSL_set_tlsext_host_name(ssl, host) == 1 && SSL_set1_host(ssl, host) == 1;
}

static int connect_bio(struct tls *t)
{
	BIO *bio = BIO_new(t->context->bio);
	if (!bio)
		return 0;
	BIO_set_data(bio, t);
	BIO_set_init(bio, 1);
	SSL_set_bio(t->ssl, bio, bio);
	return 1;
}

static int name_protocol(struct tls *t, struct err *err)
{
	static const unsigned char irc[] = "\3irc";
	if (t->memory && t->memory->shuns_alpn)
		return 0;
	if (SSL_set_alpn_protos(t->ssl, irc, sizeof(irc) - 1) != 0)
		return err_set(err, ERR_TLS, "tls: OpenSSL does not start");
	return 0;
}

int tls_stream_new(struct loop *loop, struct tls_context *context, int fd,
	const struct tls_options *options, const struct stream_events *events, void *owner,
	struct stream **out, struct err *err)
{
	struct tls *t = mem_new(sizeof(*t));
	int r = 0;
	stream_init(&t->stream, &tls_ops, loop, fd, events, owner);
	tls_context_refresh(context);
	t->context = context;
	context->refs++;
	t->terms = terms_new(options);
	t->ssl = SSL_new(context->ssl);
	if (!t->ssl || !connect_bio(t))
		r = err_set(err, ERR_TLS, "tls: OpenSSL does not start");
	else if (!set_host(t->ssl, t->terms->host))
		r = err_set(err, ERR_INVALID, "tls: %s cannot be a host name", options->host);
	if (r == 0) {
		tls_memory_offer(t, options);
		r = name_protocol(t, err);
	}
	if (r < 0) {
		ERR_clear_error();
		stream_free(&t->stream);
		return r;
	}
	*out = &t->stream;
	return 0;
}

void tls_describe(const struct stream *s, struct tls_facts *facts)
{
	const struct tls *t = container_of(s, const struct tls, stream);
	*facts = (struct tls_facts){SSL_get_version(t->ssl), SSL_get_cipher_name(t->ssl), t->server,
		SSL_session_reused(t->ssl)};
}
