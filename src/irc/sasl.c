#include "irc/sasl.h"

#include "base/mem.h"
#include "irc/base64.h"
#include "irc/scram.h"
#include "irc/text.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <stdlib.h>

enum { CHALLENGE_BYTES = 32, NONCE_BYTES = 24 };

struct sasl_login {
	enum sasl_mechanism mechanisms[SASL_MECHANISMS], current;
	size_t n_mechanisms;
	char *account, *password, *ecdsa_key, *nonce; /* owned, wiped */
	bool allows_plain;
	char *offered;                   /* owned; NULL: not told */
	char *failures[SASL_MECHANISMS]; /* owned; not NULL: tried, in vain */
	unsigned turn;                   /* how many challenges of the current one are answered */
	bool is_aborting;                /* "*" is sent: what comes next is the answer to it */
	struct buf challenge;            /* base64, as far as it has come */
	struct scram scram;
};

static void wipe_buf(struct buf *b)
{
	mem_wipe(b->bytes, b->capacity);
	buf_fini(b);
}

static struct str cut(struct str s, size_t max)
{
	return s.n > max ? (struct str){s.p, max} : s;
}

/* The mechanisms. Each answers one challenge: 0, and the response is to be sent; ERR_AGAIN: there
 * is nothing to say, the server will; ERR_DENIED: the server lies; anything else: this mechanism
 * has failed. */

static int answer_external(
	struct sasl_login *l, struct str challenge, struct buf *response, struct err *why)
{
	/* Who we want to be could be named here, but servers that take the name from the
	 * certificate refuse any that is written otherwise. */
	(void)l, (void)challenge, (void)response, (void)why;
	return 0;
}

static int answer_plain(
	struct sasl_login *l, struct str challenge, struct buf *response, struct err *why)
{
	(void)challenge;
	const struct str nul = {"\0", 1}, account = str_of(l->account),
			 password = str_of(l->password);
	const struct str parts[] = {nul, account, nul, password};
	int r = 0;
	for (size_t i = 0; i < COUNTOF(parts) && r == 0; i++)
		r = buf_add(response, parts[i]);
	return r < 0 ? err_set(why, r, "account and password are too long") : 0;
}

/* Appends so many random bytes in base64. */
static int add_nonce(struct buf *out, struct err *why)
{
	unsigned char bytes[NONCE_BYTES];
	bool is_random = RAND_bytes(bytes, sizeof(bytes)) == 1;
	ERR_clear_error();
	if (!is_random)
		return err_set(why, ERR_SYSTEM, "no randomness to be had");
	return base64_encode(out, (struct str){(const char *)bytes, sizeof(bytes)});
}

static int begin_scram(struct sasl_login *l, struct buf *response, struct err *why)
{
	enum scram_hash hash = l->current == SASL_SCRAM_SHA_512 ? SCRAM_SHA_512 : SCRAM_SHA_256;
	struct str account = str_of(l->account), given = str_of(l->nonce);
	struct buf nonce;
	buf_init(&nonce, BASE64_BYTES(NONCE_BYTES));
	int r = given.p ? 0 : add_nonce(&nonce, why);
	if (r == 0) {
		struct str ours = given.p ? given : buf_str(&nonce);
		r = scram_begin(&l->scram, hash, account, ours, response);
		if (r < 0)
			err_set(why, r, "the account is too long");
	}
	buf_fini(&nonce);
	return r;
}

static void note_failure(struct sasl_login *l, const char *words);

static int answer_scram(
	struct sasl_login *l, struct str challenge, struct buf *response, struct err *why)
{
	if (l->turn == 0)
		return begin_scram(l, response, why);
	int r = l->turn == 1 ? scram_prove(&l->scram, str_of(l->password), challenge, response, why)
			     : scram_verify(&l->scram, challenge, why);
	if (r != ERR_SASL)
		return r;
	note_failure(l, why->text);
	return ERR_AGAIN;
}

/* libcrypto's own would ask at the terminal. */
static int note_lock(char *phrase, int size, int writes, void *is_locked)
{
	(void)phrase, (void)size, (void)writes;
	*(bool *)is_locked = true;
	return -1;
}

static EVP_PKEY *read_key(struct str pem, bool *is_locked)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, note_lock, is_locked) : NULL;
	BIO_free(bio);
	ERR_clear_error();
	return key;
}

static bool is_p256(const EVP_PKEY *key)
{
	char group[32];
	bool is = EVP_PKEY_is_a(key, "EC") &&
		  EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
		  strcmp(group, "prime256v1") == 0;
	ERR_clear_error();
	return is;
}

static EVP_PKEY *load_key(struct str pem, struct err *err)
{
	bool is_locked = false;
	EVP_PKEY *key = read_key(pem, &is_locked);
	if (key && is_p256(key))
		return key;
	if (is_locked)
		err_set(err, ERR_CONFIG, "is locked with a passphrase; store it without");
	else
		err_set(err, ERR_CONFIG, "holds %s",
			key ? "a key that is not of the curve NIST P-256"
			    : "no private key in PEM");
	EVP_PKEY_free(key);
	return NULL;
}

int sasl_check_ecdsa_key(struct str pem, struct err *err)
{
	EVP_PKEY *key = load_key(pem, err);
	EVP_PKEY_free(key);
	return key ? 0 : ERR_CONFIG;
}

/* The challenge stands in the place of a digest. */
static bool sign(EVP_PKEY *key, struct str challenge, struct buf *response)
{
	size_t n = (size_t)EVP_PKEY_get_size(key);
	char *end = buf_reserve(response, n);
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(key, NULL);
	bool is_signed = c && end && EVP_PKEY_sign_init(c) == 1 &&
			 EVP_PKEY_sign(c, (unsigned char *)end, &n,
				 (const unsigned char *)challenge.p, challenge.n) == 1;
	EVP_PKEY_CTX_free(c);
	ERR_clear_error();
	if (is_signed)
		buf_commit(response, n);
	return is_signed;
}

static int answer_ecdsa(
	struct sasl_login *l, struct str challenge, struct buf *response, struct err *why)
{
	if (l->turn == 0) {
		int r = buf_add(response, str_of(l->account));
		return r < 0 ? err_set(why, r, "the account is too long") : 0;
	}
	if (challenge.n != CHALLENGE_BYTES)
		return err_set(why, ERR_INVALID, "the challenge has %zu bytes, not %d", challenge.n,
			CHALLENGE_BYTES);
	struct err reason;
	EVP_PKEY *key = load_key(str_of(l->ecdsa_key), &reason);
	if (!key)
		return err_set(why, ERR_CONFIG, "ecdsa_key %s", reason.text);
	bool is_signed = sign(key, challenge, response);
	EVP_PKEY_free(key);
	return is_signed ? 0 : err_set(why, ERR_SYSTEM, "libcrypto cannot sign");
}

/* What a mechanism needs. */
enum { ACCOUNT = 1, PASSWORD = 2, KEY = 4, TLS = 8 };

/* In the order of enum sasl_mechanism. */
static const struct mechanism {
	const char *wire, *name;
	unsigned needs;
	unsigned turns; /* how many challenges there are */
	int (*answer)(
		struct sasl_login *l, struct str challenge, struct buf *response, struct err *why);
} mechanisms[] = {
	{"EXTERNAL",                 "external",                 0,                        1, answer_external},
	{"SCRAM-SHA-512",            "scram-sha-512",            ACCOUNT | PASSWORD,       3, answer_scram   },
	{"SCRAM-SHA-256",            "scram-sha-256",            ACCOUNT | PASSWORD,       3, answer_scram   },
	{"ECDSA-NIST256P-CHALLENGE", "ecdsa-nist256p-challenge", ACCOUNT | KEY,            2, answer_ecdsa   },
	{"PLAIN",		    "plain",                    ACCOUNT | PASSWORD | TLS, 1, answer_plain   },
};

_Static_assert(COUNTOF(mechanisms) == SASL_MECHANISMS, "a row for each");

bool sasl_parse(struct str name, enum sasl_mechanism *out)
{
	for (unsigned i = 0; i < SASL_MECHANISMS; i++)
		if (str_ieq(name, str_of(mechanisms[i].name))) {
			*out = (enum sasl_mechanism)i;
			return true;
		}
	return false;
}

const char *sasl_name(enum sasl_mechanism mechanism)
{
	return mechanisms[mechanism].name;
}

bool sasl_is_under_way(const struct sasl *s)
{
	return s->login != NULL;
}

static void free_login(struct sasl_login *l)
{
	mem_wipe_free(l->account);
	mem_wipe_free(l->password);
	mem_wipe_free(l->ecdsa_key);
	mem_wipe_free(l->nonce);
	free(l->offered);
	for (size_t i = 0; i < SASL_MECHANISMS; i++)
		free(l->failures[i]);
	wipe_buf(&l->challenge);
	scram_fini(&l->scram);
	mem_wipe(l, sizeof(*l));
	free(l);
}

void sasl_fini(struct sasl *s)
{
	if (!s || !s->login)
		return;
	free_login(s->login);
	s->login = NULL;
}

static enum sasl_result end(struct sasl *s, enum sasl_result result)
{
	sasl_fini(s);
	return result;
}

/* Lines. */

static void put_line(struct buf *out, struct str payload)
{
	int r = buf_addf(out, "AUTHENTICATE %" STR_F "\r\n", STR_A(payload));
	assert(r == 0);
	(void)r;
}

/* After a full chunk another one is expected, if only an empty one. */
static void put_chunks(struct buf *out, struct str text)
{
	struct str chunk;
	do {
		chunk = cut(text, SASL_CHUNK_BYTES);
		put_line(out, chunk.n ? chunk : STR("+"));
		text = str_skip(text, chunk.n);
	} while (chunk.n == SASL_CHUNK_BYTES);
}

static void put_response(struct buf *out, struct str response)
{
	struct buf text;
	buf_init(&text, BASE64_BYTES(SASL_DATA_MAX_BYTES));
	int r = base64_encode(&text, response);
	assert(r == 0);
	(void)r;
	put_chunks(out, buf_str(&text));
	wipe_buf(&text);
}

static void put_abort(struct sasl_login *l, struct buf *out)
{
	if (!l->is_aborting)
		put_line(out, STR("*"));
	l->is_aborting = true;
}

void sasl_abort(struct sasl *s, struct buf *out)
{
	if (!s->login)
		return;
	put_abort(s->login, out);
	sasl_fini(s);
}

/* Which mechanism comes next, and why none. */

static bool is_listed(const struct sasl_login *l, const struct mechanism *m)
{
	struct str list = str_of(l->offered), word;
	if (!l->offered)
		return true;
	while ((word = str_word(&list, ", ")).n)
		if (str_ieq(word, str_of(m->wire)))
			return true;
	return false;
}

/* What stands against a mechanism; NULL: nothing. */
static const char *obstacle_of(const struct sasl_login *l, const struct mechanism *m)
{
	if (m->needs & ACCOUNT && str_of(l->account).n == 0)
		return "has no account";
	if (m->needs & PASSWORD && !l->password)
		return "has no password";
	if (m->needs & KEY && !l->ecdsa_key)
		return "has no key";
	if (m->needs & TLS && !l->allows_plain)
		return "needs TLS";
	return is_listed(l, m) ? NULL : "is not offered";
}

/* What the server says replaces what it has said before. */
static void note_offered(struct sasl_login *l, struct str offered)
{
	if (offered.n == 0)
		return;
	free(l->offered);
	l->offered = str_dup(cut(offered, SASL_OFFERED_MAX_BYTES));
}

/* The first reason is the true one: the server's answer to it comes later. */
static void note_failure(struct sasl_login *l, const char *words)
{
	char **failure = &l->failures[l->current];
	struct text_cut c;
	struct str carried, first;
	text_cut_begin(&c, str_of(words), SASL_WORDS_MAX_BYTES);
	if (!*failure && text_cut_next(&c, &carried, &first))
		*failure = str_dup(first);
}

static void explain_one(const struct sasl_login *l, enum sasl_mechanism mechanism, struct buf *text)
{
	const struct mechanism *m = &mechanisms[mechanism];
	const char *failure = l->failures[mechanism];
	const char *separator = text->n ? "; " : "";
	const char *obstacle = failure ? NULL : obstacle_of(l, m);
	int r = failure ? buf_addf(text, "%s%s: %s", separator, m->name, failure)
			: buf_addf(text, "%s%s %s", separator, m->name, obstacle);
	assert(r == 0);
	(void)r;
}

static bool was_tried(const struct sasl_login *l)
{
	for (size_t i = 0; i < l->n_mechanisms; i++)
		if (l->failures[l->mechanisms[i]])
			return true;
	return false;
}

/* None is left. */
static void explain(const struct sasl_login *l, struct err *why)
{
	struct buf text;
	buf_init(&text, 4096);
	for (size_t i = 0; i < l->n_mechanisms; i++)
		explain_one(l, l->mechanisms[i], &text);
	bool tells_offer = l->offered && !was_tried(l);
	err_set(why, ERR_SASL, "%s%s%s", text.n ? buf_str(&text).p : "no mechanism is configured",
		tells_offer ? "; the server offers " : "", tells_offer ? l->offered : "");
	buf_fini(&text);
}

static void ask(struct sasl_login *l, enum sasl_mechanism mechanism, struct buf *out)
{
	l->current = mechanism;
	l->turn = 0;
	l->is_aborting = false;
	buf_reset(&l->challenge);
	scram_fini(&l->scram);
	put_line(out, str_of(mechanisms[mechanism].wire));
}

static enum sasl_result try_next(struct sasl *s, struct buf *out, struct err *why)
{
	struct sasl_login *l = s->login;
	if (l->failures[l->current])
		err_set(why, ERR_SASL, "%s: %s", sasl_name(l->current), l->failures[l->current]);
	for (size_t i = 0; i < l->n_mechanisms; i++) {
		enum sasl_mechanism mechanism = l->mechanisms[i];
		if (l->failures[mechanism] || obstacle_of(l, &mechanisms[mechanism]))
			continue;
		ask(l, mechanism, out);
		return SASL_GOES_ON;
	}
	explain(l, why);
	return end(s, SASL_FAILED);
}

enum sasl_result sasl_begin(struct sasl *s, const struct sasl_options *options, struct str offered,
	struct buf *out, struct err *why)
{
	assert(options->n_mechanisms <= SASL_MECHANISMS);
	sasl_fini(s);
	struct sasl_login *l = s->login = mem_new(sizeof(*l));
	memcpy(l->mechanisms, options->mechanisms, sizeof(l->mechanisms));
	l->n_mechanisms = options->n_mechanisms;
	l->account = mem_strdup(options->account);
	l->password = mem_strdup(options->password);
	l->ecdsa_key = mem_strdup(options->ecdsa_key);
	l->nonce = mem_strdup(options->nonce);
	l->allows_plain = options->allows_plain;
	buf_init(&l->challenge, BASE64_BYTES(SASL_DATA_MAX_BYTES));
	note_offered(l, offered);
	return try_next(s, out, why);
}

/* What the server says. */

static enum sasl_result fail_whole(struct sasl *s, const char *words, struct err *why)
{
	err_set(why, ERR_SASL, "%s: %s", sasl_name(s->login->current), words);
	return end(s, SASL_FAILED);
}

static enum sasl_result refuse_lie(
	struct sasl *s, const char *words, struct buf *out, struct err *why)
{
	put_abort(s->login, out);
	return fail_whole(s, words, why);
}

/* The next mechanism has to wait for the answer to the abort, or would take it for its own. */
static enum sasl_result give_up_mechanism(struct sasl *s, const char *words, struct buf *out)
{
	note_failure(s->login, words);
	put_abort(s->login, out);
	return SASL_GOES_ON;
}

static int answer(struct sasl_login *l, struct str challenge, struct buf *out, struct err *why)
{
	const struct mechanism *m = &mechanisms[l->current];
	if (l->turn >= m->turns)
		return err_set(why, ERR_INVALID, "the server asks for more than there is");
	struct buf response;
	buf_init(&response, SASL_DATA_MAX_BYTES);
	/* Never moved, so that no copy is left. */
	(void)buf_reserve(&response, SASL_DATA_MAX_BYTES);
	int r = m->answer(l, challenge, &response, why);
	if (r == 0)
		put_response(out, buf_str(&response));
	wipe_buf(&response);
	l->turn = r == 0 ? l->turn + 1 : m->turns;
	return r;
}

/* The challenge is complete. */
static enum sasl_result on_challenge(struct sasl *s, struct buf *out, struct err *why)
{
	struct sasl_login *l = s->login;
	struct buf challenge;
	struct err reason = {0};
	buf_init(&challenge, BASE64_BYTES(SASL_DATA_MAX_BYTES));
	int r = base64_decode(&challenge, buf_str(&l->challenge));
	buf_reset(&l->challenge);
	if (r < 0)
		err_set(&reason, r, "what the server sends is no base64");
	else
		r = answer(l, buf_str(&challenge), out, &reason);
	wipe_buf(&challenge);
	if (r == 0 || r == ERR_AGAIN)
		return SASL_GOES_ON;
	if (r == ERR_DENIED)
		return refuse_lie(s, reason.text, out, why);
	return give_up_mechanism(s, reason.text, out);
}

static enum sasl_result on_authenticate(
	struct sasl *s, const struct message *m, struct buf *out, struct err *why)
{
	struct sasl_login *l = s->login;
	struct str chunk = message_param(m, 0);
	if (l->is_aborting || chunk.n == 0)
		return SASL_GOES_ON;
	if (chunk.n > SASL_CHUNK_BYTES)
		return give_up_mechanism(s, "a line of the server's is too long", out);
	if (!str_eq(chunk, STR("+")) && buf_add(&l->challenge, chunk) < 0)
		return give_up_mechanism(s, "the server sends too much", out);
	if (chunk.n == SASL_CHUNK_BYTES)
		return SASL_GOES_ON;
	return on_challenge(s, out, why);
}

/* The last parameter, where it is more than our nick. */
static struct err words_of(const struct message *m)
{
	struct err words;
	if (m->n_params < 2 || message_last(m).n == 0)
		err_set(&words, ERR_SASL, "the server says %d", m->numeric);
	else
		err_set(&words, ERR_SASL, "%" STR_F, STR_A(message_last(m)));
	return words;
}

static enum sasl_result on_locked(
	struct sasl *s, const struct message *m, struct buf *out, struct err *why)
{
	(void)out;
	return fail_whole(s, words_of(m).text, why);
}

static bool is_scram(const struct sasl_login *l)
{
	return mechanisms[l->current].answer == answer_scram;
}

static enum sasl_result on_success(
	struct sasl *s, const struct message *m, struct buf *out, struct err *why)
{
	(void)m;
	if (is_scram(s->login) && !s->login->scram.is_verified)
		return refuse_lie(s,
			"the server lets us in without having shown that it knows the password",
			out, why);
	return end(s, SASL_LOGGED_IN);
}

/* In the midst of an exchange it would be another way to say 903. */
static enum sasl_result on_already(
	struct sasl *s, const struct message *m, struct buf *out, struct err *why)
{
	if (s->login->turn > 0)
		return on_success(s, m, out, why);
	return end(s, SASL_LOGGED_IN);
}

static enum sasl_result on_failure(
	struct sasl *s, const struct message *m, struct buf *out, struct err *why)
{
	note_failure(s->login, words_of(m).text);
	return try_next(s, out, why);
}

/* 904 follows, or has come before. */
static enum sasl_result on_mechanisms(
	struct sasl *s, const struct message *m, struct buf *out, struct err *why)
{
	(void)out, (void)why;
	if (m->n_params >= 2)
		note_offered(s->login, message_param(m, 1));
	return SASL_GOES_ON;
}

static const struct handler {
	int numeric;
	enum sasl_result (*run)(
		struct sasl *s, const struct message *m, struct buf *out, struct err *why);
} handlers[] = {
	{902, on_locked    },
	{903, on_success   },
	{904, on_failure   },
	{905, on_failure   },
	{906, on_failure   },
	{907, on_already   },
	{908, on_mechanisms},
};

enum sasl_result sasl_hear(
	struct sasl *s, const struct message *m, struct buf *out, struct err *why)
{
	if (!s->login)
		return SASL_GOES_ON;
	if (str_ieq(m->command, STR("AUTHENTICATE")))
		return on_authenticate(s, m, out, why);
	for (size_t i = 0; i < COUNTOF(handlers); i++)
		if (m->numeric == handlers[i].numeric)
			return handlers[i].run(s, m, out, why);
	return SASL_GOES_ON;
}
