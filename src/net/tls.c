#include "net/tls.h"

#include "base/mem.h"
#include "net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { HEX_BYTES = 2 * TLS_PIN_BYTES + 1, DATE_BYTES = 32, NAMES_BYTES = 200 };

#define TRIM_AFTER_NS (2 * NS_PER_S)

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

static struct tls *tls_of(struct stream *s)
{
	return container_of(s, struct tls, stream);
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

/* the certificate in words */

static void fingerprint(const X509 *certificate, char hex[HEX_BYTES])
{
	unsigned char digest[TLS_PIN_BYTES] = {0};
	X509_digest(certificate, EVP_sha256(), digest, NULL);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

static void format_date(const ASN1_TIME *time, char text[DATE_BYTES])
{
	struct tm tm;
	if (!ASN1_TIME_to_tm(time, &tm) || !strftime(text, DATE_BYTES, "%Y-%m-%d %H:%M UTC", &tm))
		snprintf(text, DATE_BYTES, "an unreadable date");
}

static void add_name(struct buf *names, struct str name)
{
	int r = buf_addf(names, "%s%" STR_F, names->n ? ", " : "", STR_A(name));
	(void)r; /* a list that is too long is cut */
}

static void add_general_name(struct buf *names, const GENERAL_NAME *name)
{
	char ip[INET6_ADDRSTRLEN];
	if (name->type == GEN_DNS) {
		const ASN1_IA5STRING *dns = name->d.dNSName;
		add_name(names, (struct str){(const char *)dns->data, (size_t)dns->length});
	} else if (name->type == GEN_IPADD) {
		const ASN1_OCTET_STRING *bytes = name->d.iPAddress;
		int family = bytes->length == 4 ? AF_INET : AF_INET6;
		if ((bytes->length == 4 || bytes->length == 16) &&
			inet_ntop(family, bytes->data, ip, sizeof(ip)))
			add_name(names, str_of(ip));
	}
}

static void add_common_name(struct buf *names, const X509 *certificate)
{
	char name[128];
	if (X509_NAME_get_text_by_NID(
		    X509_get_subject_name(certificate), NID_commonName, name, sizeof(name)) > 0)
		add_name(names, str_of(name));
}

static void list_names(struct buf *names, const X509 *certificate)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++)
		add_general_name(names, sk_GENERAL_NAME_value(all, i));
	GENERAL_NAMES_free(all);
	if (!names->n)
		add_common_name(names, certificate);
	if (!names->n)
		add_name(names, STR("nobody"));
}

/* the judgement */

static void refuse(struct terms *terms, const char *fmt, ...) PRINTF(2, 3);

static void refuse(struct terms *terms, const char *fmt, ...)
{
	struct buf text;
	va_list ap;
	buf_init(&text, sizeof(((struct err *)NULL)->text));
	va_start(ap, fmt);
	if (buf_addv(&text, fmt, ap) < 0)
		buf_reset(&text);
	va_end(ap);
	free(terms->refusal);
	terms->refusal = buf_detach(&text);
}

static bool is_pinned(struct terms *terms, const X509 *certificate)
{
	char hex[HEX_BYTES];
	unsigned char digest[TLS_PIN_BYTES];
	if (X509_digest(certificate, EVP_sha256(), digest, NULL)) {
		for (size_t i = 0; i < terms->n_pins; i++) {
			if (memcmp(digest, terms->pins[i], sizeof(digest)) == 0)
				return true;
		}
	}
	fingerprint(certificate, hex);
	refuse(terms,
		"the certificate is not the pinned one (if it was renewed, set tls_fingerprint to %s)",
		hex);
	return false;
}

/* OpenSSL's reason, what is known beyond it, and what can be set. */
static void refuse_certificate(
	struct terms *terms, X509_STORE_CTX *store, const char *more, const char *advice)
{
	char hex[HEX_BYTES];
	fingerprint(X509_STORE_CTX_get0_cert(store), hex);
	refuse(terms, "certificate does not verify: %s%s (%s tls_fingerprint to %s)",
		X509_verify_cert_error_string(X509_STORE_CTX_get_error(store)), more, advice, hex);
}

static void refuse_name(struct terms *terms, X509_STORE_CTX *store)
{
	struct buf more;
	buf_init(&more, NAMES_BYTES + 2 * HEX_BYTES);
	struct buf names;
	buf_init(&names, NAMES_BYTES);
	list_names(&names, X509_STORE_CTX_get0_cert(store));
	if (buf_addf(&more, ": it is for %" STR_F ", not for %s", STR_A(buf_str(&names)),
		    terms->host) < 0)
		buf_reset(&more);
	refuse_certificate(terms, store, buf_str(&more).p, "set host to a name that it is for, or");
	buf_fini(&names);
	buf_fini(&more);
}

static void refuse_date(
	struct terms *terms, X509_STORE_CTX *store, const ASN1_TIME *time, const char *words)
{
	char date[DATE_BYTES], more[DATE_BYTES + 64];
	const X509 *at = X509_STORE_CTX_get_current_cert(store);
	format_date(time, date);
	snprintf(more, sizeof(more), ": %s%s %s",
		at == X509_STORE_CTX_get0_cert(store) ? "" : "its issuer's, ", words, date);
	refuse_certificate(
		terms, store, more, "look at this machine's clock; to trust it all the same, set");
}

static void explain_refusal(struct terms *terms, X509_STORE_CTX *store)
{
	const X509 *at = X509_STORE_CTX_get_current_cert(store);
	if (!at)
		at = X509_STORE_CTX_get0_cert(store);
	switch (X509_STORE_CTX_get_error(store)) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		refuse_name(terms, store);
		break;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		refuse_date(terms, store, X509_get0_notAfter(at), "on");
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		refuse_date(terms, store, X509_get0_notBefore(at), "before");
		break;
	default:
		refuse_certificate(terms, store, "", "set tls_ca to the CA's file, or");
	}
}

/* In the place of OpenSSL's own verification; in the middle of the handshake. */
static int judge(X509_STORE_CTX *store, void *data)
{
	(void)data;
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	const struct tls *t = BIO_get_data(SSL_get_rbio(ssl));
	struct terms *terms = t->terms;
	if (!terms)
		return 0;
	if (terms->n_pins && !is_pinned(terms, X509_STORE_CTX_get0_cert(store))) {
		X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_UNTRUSTED);
		return 0;
	}
	if (terms->n_pins || !terms->verify) {
		X509_STORE_CTX_set_error(store, X509_V_OK);
		return 1;
	}
	int ok = X509_verify_cert(store);
	if (ok <= 0)
		explain_refusal(terms, store);
	return ok > 0;
}

static void terms_free(struct terms *terms)
{
	if (!terms)
		return;
	free(terms->host);
	free(terms->pins);
	free(terms->refusal);
	free(terms);
}

/* why an operation failed */

static const struct {
	int reason;
	const char *text;
} handshake_reasons[] = {
	{SSL_R_WRONG_VERSION_NUMBER,         "the server does not speak TLS on this port"      },
	{SSL_R_PACKET_LENGTH_TOO_LONG,       "the server does not speak TLS on this port"      },
	{SSL_R_UNSUPPORTED_PROTOCOL,         "the server offers no TLS 1.2 or newer"           },
	{SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "the server offers no TLS 1.2 or newer"           },
	{SSL_R_TLSV1_UNRECOGNIZED_NAME,      "the server has no certificate for this host name"},
};

static const char *known_reason(const struct tls *t, unsigned long error)
{
	for (size_t i = 0; t->terms && i < COUNTOF(handshake_reasons); i++) {
		if (ERR_GET_REASON(error) == handshake_reasons[i].reason)
			return handshake_reasons[i].text;
	}
	return NULL;
}

static int describe(const struct tls *t, unsigned long error, struct err *why)
{
	int alert = ERR_GET_REASON(error) - SSL_AD_REASON_OFFSET;
	const char *known = known_reason(t, error);
	const char *text = ERR_reason_error_string(error);
	if (known)
		return err_set(why, ERR_TLS, "%s", known);
	if (alert >= 0 && ERR_GET_LIB(error) == ERR_LIB_SSL)
		return err_set(
			why, ERR_TLS, "the server says: %s", SSL_alert_desc_string_long(alert));
	return err_set(why, ERR_TLS, "%s", text ? text : "unknown error");
}

static bool is_about_tls(unsigned long error)
{
	return error && ERR_GET_REASON(error) != SSL_R_UNEXPECTED_EOF_WHILE_READING;
}

static int explain(const struct tls *t, struct err *why)
{
	const char *where = t->terms ? "tls handshake: " : "";
	unsigned long error = ERR_peek_error();
	if (t->terms && t->terms->refusal)
		return err_set(why, ERR_TLS, "%s", t->terms->refusal);
	if (is_about_tls(error))
		return describe(t, error, why);
	if (t->io_errno) {
		struct err io;
		int code = stream_errno(&io, t->io_errno);
		return err_set(why, code, "%s%s", where, io.text);
	}
	if (t->terms)
		return err_set(why, ERR_CLOSED, "tls handshake: closed by the server");
	return err_set(why, ERR_CLOSED, "closed without a TLS close");
}

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
		r = explain(t, why);
		ERR_clear_error();
		return r;
	}
}

/* the stream */

static void on_trim(struct timer *timer)
{
	(void)timer;
	mem_trim();
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
	if (r != 1)
		return failure(t, r, waits, why);
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

static void context_unref(struct tls_context *context)
{
	if (--context->refs)
		return;
	if (context->loop)
		timers_cancel(&context->loop->timers, &context->trim);
	SSL_CTX_free(context->ssl);
	BIO_meth_free(context->bio);
	free(context);
}

static void tls_free(struct stream *s)
{
	struct tls *t = tls_of(s);
	SSL_free(t->ssl);
	terms_free(t->terms);
	context_unref(t->context);
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

/* the context */

static const char *reason_of(unsigned long error)
{
	const char *reason = ERR_SYSTEM_ERROR(error) ? strerror(ERR_GET_REASON(error))
						     : ERR_reason_error_string(error);
	return reason ? reason : "unknown error";
}

static int load_cas(SSL_CTX *ssl, const char *ca_file, struct err *err)
{
	ERR_clear_error();
	int ok = ca_file ? SSL_CTX_load_verify_file(ssl, ca_file)
			 : SSL_CTX_set_default_verify_paths(ssl);
	if (ok == 1)
		return 0;
	int r = err_set(err, ERR_CONFIG, "tls: cannot use the CAs in %s: %s",
		ca_file ? ca_file : "the system's store", reason_of(ERR_peek_error()));
	ERR_clear_error();
	return r;
}

/* "x.pem: cannot use the certificate: ee key too small" */
static int refuse_file(const char *path, const char *what, struct err *err)
{
	unsigned long error = ERR_peek_error();
	bool is_absent = ERR_GET_REASON(error) == PEM_R_NO_START_LINE ||
			 ERR_GET_REASON(error) == ERR_R_UNSUPPORTED;
	int r = is_absent ? err_set(err, ERR_CONFIG, "%s: holds no %s in PEM", path, what)
			  : err_set(err, ERR_CONFIG, "%s: cannot use the %s: %s", path, what,
				    reason_of(error));
	ERR_clear_error();
	return r;
}

static int load_cert(SSL_CTX *ssl, const char *cert, struct err *err)
{
	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(ssl, cert) == 1)
		return 0;
	return refuse_file(cert, "certificate", err);
}

/* OpenSSL's own would ask at the terminal. */
static int note_lock(char *phrase, int size, int writes, void *data)
{
	(void)phrase;
	(void)size;
	(void)writes;
	*(bool *)data = true;
	return -1;
}

static bool is_mismatch(void)
{
	unsigned long error = ERR_peek_error();
	return ERR_GET_LIB(error) == ERR_LIB_X509 &&
	       (ERR_GET_REASON(error) == X509_R_KEY_VALUES_MISMATCH ||
		       ERR_GET_REASON(error) == X509_R_KEY_TYPE_MISMATCH);
}

/* A key of another type than the certificate's is taken, and does not fit. */
static int load_key(SSL_CTX *ssl, const char *cert, const char *key, struct err *err)
{
	const char *path = key ? key : cert;
	bool is_locked = false;
	ERR_clear_error();
	SSL_CTX_set_default_passwd_cb(ssl, note_lock);
	SSL_CTX_set_default_passwd_cb_userdata(ssl, &is_locked);
	bool is_taken = SSL_CTX_use_PrivateKey_file(ssl, path, SSL_FILETYPE_PEM) == 1;
	SSL_CTX_set_default_passwd_cb_userdata(ssl, NULL);
	if (is_taken && SSL_CTX_check_private_key(ssl) == 1)
		return 0;
	if (!is_locked && !is_taken && !is_mismatch())
		return refuse_file(path, "private key", err);
	ERR_clear_error();
	if (is_locked)
		return err_set(err, ERR_CONFIG,
			"%s: the key is locked with a passphrase; store it without", path);
	return err_set(err, ERR_CONFIG, "%s: is not the key of %s", path, cert);
}

static BIO_METHOD *bio_method(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "stream");
	if (!method)
		return NULL;
	BIO_meth_set_read(method, bio_read);
	BIO_meth_set_write(method, bio_write);
	BIO_meth_set_ctrl(method, bio_ctrl);
	return method;
}

static void set_up(SSL_CTX *ssl)
{
	SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
	SSL_CTX_set_options(
		ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
	SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_read_ahead(ssl, 1); /* a record costs one recv instead of two */
	SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ssl, judge, NULL);
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ssl), X509_V_FLAG_PARTIAL_CHAIN);
	X509_VERIFY_PARAM_set_hostflags(
		SSL_CTX_get0_param(ssl), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
}

static int load_files(SSL_CTX *ssl, const struct tls_files *files, struct err *err)
{
	struct err why;
	int r = load_cas(ssl, files->ca, err);
	if (r < 0 || !files->cert)
		return r;
	r = load_cert(ssl, files->cert, &why);
	if (r == 0)
		r = load_key(ssl, files->cert, files->key, &why);
	return r < 0 ? err_set(err, r, "tls: %s", why.text) : 0;
}

int tls_context_new(const struct tls_files *files, struct tls_context **out, struct err *err)
{
	struct tls_context *context = mem_new(sizeof(*context));
	context->refs = 1;
	context->trim.fire = on_trim;
	context->ssl = SSL_CTX_new(TLS_client_method());
	context->bio = bio_method();
	int r;
	if (context->ssl && context->bio) {
		set_up(context->ssl);
		r = load_files(context->ssl, files, err);
	} else {
		r = err_set(err, ERR_TLS, "tls: OpenSSL does not start");
		ERR_clear_error();
	}
	if (r < 0) {
		context_unref(context);
		return r;
	}
	*out = context;
	return 0;
}

void tls_context_free(struct tls_context *context)
{
	if (context)
		context_unref(context);
}

/* As a context would: what OpenSSL's level of security refuses, it refuses here. */
static int check_files(const char *cert, const char *key, bool has_key, struct err *err)
{
	SSL_CTX *ssl = SSL_CTX_new(TLS_client_method());
	int r = ssl ? load_cert(ssl, cert, err)
		    : err_set(err, ERR_CONFIG, "%s: OpenSSL does not start", cert);
	if (r == 0 && has_key)
		r = load_key(ssl, cert, key, err);
	SSL_CTX_free(ssl);
	ERR_clear_error();
	return r;
}

int tls_check_cert(const char *cert, struct err *err)
{
	return check_files(cert, NULL, false, err);
}

int tls_check_key(const char *cert, const char *key, struct err *err)
{
	return check_files(cert, key, true, err);
}

/* the start */

static struct terms *copy_terms(const struct tls_options *options)
{
	struct terms *terms = mem_new(sizeof(*terms));
	struct str host = str_of(options->host);
	if (host.n && host.p[host.n - 1] == '.')
		host.n--;
	terms->host = str_dup(host);
	terms->verify = options->verify;
	terms->n_pins = options->n_pins;
	if (options->n_pins) {
		terms->pins = mem_resize(NULL, options->n_pins, sizeof(*terms->pins));
		memcpy(terms->pins, options->pins, options->n_pins * sizeof(*terms->pins));
	}
	return terms;
}

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

int tls_stream_new(struct loop *loop, struct tls_context *context, int fd,
	const struct tls_options *options, const struct stream_events *events, void *owner,
	struct stream **out, struct err *err)
{
	struct tls *t = mem_new(sizeof(*t));
	int r = 0;
	stream_init(&t->stream, &tls_ops, loop, fd, events, owner);
	t->context = context;
	context->refs++;
	t->terms = copy_terms(options);
	t->ssl = SSL_new(context->ssl);
	if (!t->ssl || !connect_bio(t))
		r = err_set(err, ERR_TLS, "tls: OpenSSL does not start");
	else if (!set_host(t->ssl, t->terms->host))
		r = err_set(err, ERR_INVALID, "tls: %s cannot be a host name", options->host);
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
	X509 *certificate = SSL_get0_peer_certificate(t->ssl);
	*facts = (struct tls_facts){SSL_get_version(t->ssl), SSL_get_cipher_name(t->ssl), ""};
	if (certificate)
		fingerprint(certificate, facts->fingerprint);
}
