#include "base/log.h"
#include "base/mem.h"
#include "net/tls_inside.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void on_trim(struct timer *timer)
{
	(void)timer;
	mem_trim();
}

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

static void set_up(SSL_CTX *ssl)
{
	SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
	SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
	/* else tickets and key updates without an end would hold the loop */
	SSL_CTX_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ssl, tls_memory_keep);
	SSL_CTX_set_read_ahead(ssl, 1); /* a record costs one recv instead of two */
	SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ssl, tls_judge, NULL);
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ssl), X509_V_FLAG_PARTIAL_CHAIN);
	X509_VERIFY_PARAM_set_hostflags(
		SSL_CTX_get0_param(ssl), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
}

static int load_files(SSL_CTX *ssl, char *const paths[FILES], struct err *err)
{
	struct err why;
	int r = load_cas(ssl, paths[CA_FILE], err);
	if (r < 0 || !paths[CERT_FILE])
		return r;
	r = load_cert(ssl, paths[CERT_FILE], &why);
	if (r == 0)
		r = load_key(ssl, paths[CERT_FILE], paths[KEY_FILE], &why);
	return r < 0 ? err_set(err, r, "tls: %s", why.text) : 0;
}

/* Files that change */

static struct stamp stamp_of(const char *path)
{
	struct stat st;
	if (!path || stat(path, &st) < 0)
		return (struct stamp){0};
	return (struct stamp){
		.device = st.st_dev,
		.inode = st.st_ino,
		.size = (uint64_t)st.st_size,
		.modified_ns = st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec,
		.changed_ns = st.st_ctim.tv_sec * NS_PER_S + st.st_ctim.tv_nsec,
	};
}

static bool is_same(const struct stamp *a, const struct stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->modified_ns == b->modified_ns && a->changed_ns == b->changed_ns;
}

/* Before they are read: what changes meanwhile is seen the next time. Returns whether any has
 * changed. */
static bool take_stamps(struct tls_context *context)
{
	bool has_changed = false;
	for (int i = 0; i < FILES; i++) {
		struct stamp now = stamp_of(context->paths[i]);
		has_changed |= !is_same(&now, &context->stamps[i]);
		context->stamps[i] = now;
	}
	return has_changed;
}

/* Nothing is different where this fails. */
static int read_files(struct tls_context *context, struct err *err)
{
	unsigned char generation[GENERATION_BYTES];
	int r;
	SSL_CTX *ssl = SSL_CTX_new(TLS_client_method());
	if (ssl && RAND_bytes(generation, sizeof(generation)) == 1) {
		set_up(ssl);
		r = load_files(ssl, context->paths, err);
	} else {
		r = err_set(err, ERR_TLS, "tls: OpenSSL does not start");
	}
	ERR_clear_error();
	if (r < 0) {
		SSL_CTX_free(ssl);
		return r;
	}
	SSL_CTX_free(context->ssl);
	context->ssl = ssl;
	memcpy(context->generation, generation, sizeof(generation));
	return 0;
}

/* What failed is tried again each time, for it may be for want of descriptors, and told once. */
void tls_context_refresh(struct tls_context *context)
{
	struct err err;
	const char *ca = context->paths[CA_FILE], *cert = context->paths[CERT_FILE];
	bool has_changed = take_stamps(context);
	if (!has_changed && !context->is_stale)
		return;
	context->is_stale = read_files(context, &err) < 0;
	if (!context->is_stale)
		log_info("tls: read anew: %s%s%s", ca ? ca : "", ca && cert ? ", " : "",
			cert ? cert : "");
	else if (has_changed)
		log_warn("%s; stays with what was read before", err.text);
}

void tls_context_unref(struct tls_context *context)
{
	if (--context->refs)
		return;
	if (context->loop)
		timers_cancel(&context->loop->timers, &context->trim);
	for (int i = 0; i < FILES; i++)
		free(context->paths[i]);
	SSL_CTX_free(context->ssl);
	BIO_meth_free(context->bio);
	free(context);
}

int tls_context_new(const struct tls_files *files, struct tls_context **out, struct err *err)
{
	struct tls_context *context = mem_new(sizeof(*context));
	context->refs = 1;
	context->trim.fire = on_trim;
	context->paths[CA_FILE] = mem_strdup(files->ca);
	context->paths[CERT_FILE] = mem_strdup(files->cert);
	context->paths[KEY_FILE] = mem_strdup(files->key);
	context->bio = tls_bio_method();
	take_stamps(context);
	int r = context->bio ? read_files(context, err)
			     : err_set(err, ERR_TLS, "tls: OpenSSL does not start");
	if (r < 0) {
		tls_context_unref(context);
		return r;
	}
	*out = context;
	return 0;
}

void tls_context_free(struct tls_context *context)
{
	if (context)
		tls_context_unref(context);
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
