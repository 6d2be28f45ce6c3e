#include "base/mem.h"
#include "net/tls_inside.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A server that puts our chain into its ticket needs some kilobytes. */
enum { SESSION_MAX = 8 * 1024, PEER_TAG = 3 };

/* RFC 8446, section 4.6.1. */
#define LIFETIME_MAX_S (7L * 24 * 3600)

static int64_t wall_ns(const struct tls *t)
{
	return clock_wall_ns(t->stream.loop->clock);
}

/* a session as bytes */

static void forget_session(struct tls_memory *m)
{
	mem_wipe(m->session, m->n_session);
	free(m->session);
	m->session = NULL;
	m->n_session = 0;
}

void tls_memory_fini(struct tls_memory *m)
{
	forget_session(m);
	*m = (struct tls_memory){0};
}

void tls_memory_doubt(struct tls_memory *m)
{
	if (!m->is_tried)
		return;
	m->shuns_sessions = true;
	forget_session(m);
}

/* Moves the elements of a session together without the server's certificate. Returns what is left
 * of the n bytes. */
static size_t drop_certificate(unsigned char *body, size_t n)
{
	unsigned char *to = body, *at = body, *end = body + n;
	while (at < end) {
		const unsigned char *content = at;
		long length;
		int tag, class;
		if (ASN1_get_object(&content, &length, &tag, &class, end - at) & 0x80)
			return 0;
		size_t whole = (size_t)(content - at) + (size_t)length;
		if (tag != PEER_TAG || class != V_ASN1_CONTEXT_SPECIFIC) {
			memmove(to, at, whole);
			to += whole;
		}
		at += whole;
	}
	return (size_t)(to - body);
}

/* Without the certificate, the SEQUENCE that i2d_SSL_SESSION writes: it is the most of it, and
 * optional. The header of what is left is never longer than that of all. */
static size_t reduce(unsigned char *der, size_t n)
{
	const unsigned char *content = der;
	long length;
	int tag, class;
	if (ASN1_get_object(&content, &length, &tag, &class, (long)n) & 0x80)
		return 0;
	unsigned char *body = der + (content - der);
	size_t kept = drop_certificate(body, (size_t)length);
	size_t whole = (size_t)ASN1_object_size(1, (int)kept, V_ASN1_SEQUENCE);
	unsigned char *start = body - (whole - kept), *at = start;
	ASN1_put_object(&at, 1, (int)kept, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
	memmove(der, start, whole);
	return kept ? whole : 0;
}

/* Returns owned; NULL: it cannot be written. */
static unsigned char *write_session(SSL_SESSION *session, size_t *n)
{
	int size = i2d_SSL_SESSION(session, NULL);
	if (size <= 0)
		return NULL;
	unsigned char *der = mem_new((size_t)size), *at = der;
	i2d_SSL_SESSION(session, &at);
	*n = reduce(der, (size_t)size);
	mem_wipe(der + *n, (size_t)size - *n);
	if (*n)
		return mem_resize(der, *n, 1);
	free(der);
	return NULL;
}

/* What it may be used for. */

static void add(EVP_MD_CTX *digest, const void *bytes, size_t n)
{
	EVP_DigestUpdate(digest, &n, sizeof(n));
	EVP_DigestUpdate(digest, bytes, n);
}

/* All that a full handshake would be judged by. The generation stands for CAs and our own
 * certificate, by which the server knows us. */
static bool digest_terms(
	const struct tls *t, const struct tls_options *o, unsigned char digest[static 32])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	if (!md || !EVP_DigestInit_ex(md, EVP_sha256(), NULL)) {
		EVP_MD_CTX_free(md);
		return false;
	}
	add(md, t->terms->host, strlen(t->terms->host));
	add(md, &o->port, sizeof(o->port));
	add(md, &o->verify, sizeof(o->verify));
	for (size_t i = 0; i < o->n_pins; i++) {
		add(md, &o->pins[i].is_key, sizeof(o->pins[i].is_key));
		add(md, o->pins[i].sha256, sizeof(o->pins[i].sha256));
	}
	add(md, t->context->generation, sizeof(t->context->generation));
	bool ok = EVP_DigestFinal_ex(md, digest, NULL) == 1;
	EVP_MD_CTX_free(md);
	return ok;
}

static bool is_good_now(const struct tls *t)
{
	const struct tls_memory *m = t->memory;
	int64_t now_ns = wall_ns(t);
	return m->session && !m->shuns_sessions && now_ns >= m->from_ns && now_ns <= m->until_ns &&
	       now_ns < m->session_until_ns;
}

static void set_session(struct tls *t)
{
	const unsigned char *at = t->memory->session;
	SSL_SESSION *session = d2i_SSL_SESSION(NULL, &at, (long)t->memory->n_session);
	if (session && SSL_set_session(t->ssl, session) == 1) {
		t->memory->is_tried = true;
		t->server = t->memory->server;
	}
	SSL_SESSION_free(session);
}

void tls_memory_offer(struct tls *t, const struct tls_options *options)
{
	unsigned char terms[32];
	struct tls_memory *m = t->memory = options->memory;
	if (!m)
		return;
	if (!digest_terms(t, options, terms)) {
		t->memory = NULL;
		return;
	}
	if (memcmp(m->terms, terms, sizeof(terms)) != 0) {
		tls_memory_fini(m);
		memcpy(m->terms, terms, sizeof(terms));
	}
	m->is_tried = false;
	if (is_good_now(t))
		set_session(t);
	forget_session(m);
}

/* what is learnt */

static int64_t date_ns(const ASN1_TIME *date, int64_t otherwise)
{
	struct tm tm;
	if (!ASN1_TIME_to_tm(date, &tm))
		return otherwise;
	time_t seconds = timegm(&tm);
	bool fits = seconds > INT64_MIN / NS_PER_S && seconds < INT64_MAX / NS_PER_S;
	return fits ? seconds * NS_PER_S : otherwise;
}

void tls_memory_trust(struct tls *t, const STACK_OF(X509) * chain)
{
	struct tls_memory *m = t->memory;
	if (!m)
		return;
	m->server = t->server;
	m->from_ns = INT64_MIN;
	m->until_ns = INT64_MAX;
	for (int i = 0; chain && i < sk_X509_num(chain); i++) {
		const X509 *at = sk_X509_value(chain, i);
		int64_t from_ns = date_ns(X509_get0_notBefore(at), INT64_MIN);
		int64_t until_ns = date_ns(X509_get0_notAfter(at), INT64_MAX);
		m->from_ns = from_ns > m->from_ns ? from_ns : m->from_ns;
		m->until_ns = until_ns < m->until_ns ? until_ns : m->until_ns;
	}
}

/* Of TLS 1.2, a ticket need not say how long it may be used. */
static int64_t lifetime_ns(const SSL_SESSION *session)
{
	long seconds = (long)SSL_SESSION_get_ticket_lifetime_hint(session);
	if (!seconds && SSL_SESSION_get_protocol_version(session) < TLS1_3_VERSION)
		seconds = (long)SSL_SESSION_get_timeout(session);
	return (seconds < LIFETIME_MAX_S ? seconds : LIFETIME_MAX_S) * NS_PER_S;
}

static void keep(struct tls *t, SSL_SESSION *session)
{
	struct tls_memory *m = t->memory;
	size_t n;
	if (!m || m->shuns_sessions || !SSL_SESSION_is_resumable(session))
		return;
	unsigned char *bytes = write_session(session, &n);
	forget_session(m);
	m->session = bytes;
	m->n_session = bytes ? n : 0;
	m->session_until_ns = wall_ns(t) + lifetime_ns(session);
	if (m->n_session > SESSION_MAX)
		forget_session(m);
}

/* Before TLS 1.3 that is within the handshake: the session is kept when it is over. */
int tls_memory_keep(SSL *ssl, SSL_SESSION *session)
{
	if (SSL_version(ssl) >= TLS1_3_VERSION)
		keep(tls_of_ssl(ssl), session);
	return 0;
}

/* The session that is in use, read from its own bytes again: they hold no certificate. The chain
 * is not in them; it stays, and is emptied. */
static void let_go_of_certificates(SSL *ssl)
{
	size_t n;
	SSL_SESSION *session = SSL_get_session(ssl);
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
	unsigned char *bytes = session ? write_session(session, &n) : NULL;
	const unsigned char *at = bytes;
	if (!bytes)
		return;
	if (d2i_SSL_SESSION(&session, &at, (long)n))
		while (sk_X509_num(chain) > 0)
			X509_free(sk_X509_pop(chain));
	mem_wipe(bytes, n);
	free(bytes);
}

/* A session of TLS 1.2 without the extended master secret is not to be resumed: RFC 7627, section
 * 5.3. */
void tls_memory_opened(struct tls *t)
{
	if (t->memory && !SSL_session_reused(t->ssl))
		t->memory->is_tried = false;
	if (SSL_version(t->ssl) < TLS1_3_VERSION && SSL_get_extms_support(t->ssl) == 1)
		keep(t, SSL_get_session(t->ssl));
	let_go_of_certificates(t->ssl);
	ERR_clear_error();
}

void tls_memory_failed(struct tls *t)
{
	struct tls_memory *m = t->memory;
	if (!m)
		return;
	m->shuns_alpn |= t->refuses_alpn;
	m->is_tried &= !t->terms->refusal && !t->refuses_alpn;
	tls_memory_doubt(m);
	forget_session(m);
}
