#include "irc/scram.h"

#include "base/mem.h"
#include "irc/base64.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

/* "n,,": no channel binding, no authorization identity; and its base64. */
#define GS2_HEADER        "n,,"
#define GS2_HEADER_BASE64 "biws"

enum { WORDS_BYTES = 100 }; /* of the server's, in a reason */

struct digest {
	unsigned char bytes[SCRAM_HASH_MAX_BYTES];
};

/* What server-first says. Borrows it. */
struct offer {
	struct str nonce, salt; /* salt: decoded */
	int iterations;
};

static const EVP_MD *md_of(const struct scram *s)
{
	return s->hash == SCRAM_SHA_512 ? EVP_sha512() : EVP_sha256();
}

static size_t size_of(const struct scram *s)
{
	return s->hash == SCRAM_SHA_512 ? 64 : 32;
}

static void fini_secret(struct buf *b)
{
	mem_wipe(b->bytes, b->capacity);
	buf_fini(b);
}

void scram_fini(struct scram *s)
{
	fini_secret(&s->client_first);
	mem_wipe(s, sizeof(*s));
}

/* Names are between commas and after equals signs, so these two are written otherwise. */
static int add_name(struct buf *out, struct str name)
{
	int r = 0;
	for (size_t i = 0; i < name.n && r == 0; i++)
		if (name.p[i] == ',')
			r = buf_add(out, STR("=2C"));
		else if (name.p[i] == '=')
			r = buf_add(out, STR("=3D"));
		else
			r = buf_add(out, (struct str){name.p + i, 1});
	return r;
}

int scram_begin(struct scram *s, enum scram_hash hash, struct str account, struct str nonce,
	struct buf *out)
{
	scram_fini(s);
	s->hash = hash;
	struct buf *b = &s->client_first;
	buf_init(b, out->max);
	int r = buf_add(b, STR("n="));
	if (r == 0)
		r = add_name(b, account);
	if (r == 0)
		r = buf_addf(b, ",r=%" STR_F, STR_A(nonce));
	if (r == 0)
		r = buf_addf(out, GS2_HEADER "%" STR_F, STR_A(buf_str(b)));
	if (r == 0)
		s->nonce = str_skip(buf_str(b), b->n - nonce.n);
	return r;
}

/* The value of the attribute that must stand at the head of *rest, or absent. */
static struct str take_attribute(struct str *rest, char name)
{
	if (rest->n < 2 || rest->p[0] != name || rest->p[1] != '=')
		return STR_NONE;
	struct str attribute = str_cut(rest, ',');
	return str_skip(attribute, 2);
}

static bool is_printable(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
			return false;
	return s.n > 0;
}

static int refuse_error(struct str words, struct err *err)
{
	if (words.n > WORDS_BYTES || !is_printable(words))
		words = STR("no reason given");
	return err_set(err, ERR_SASL, "the server refuses: %" STR_F, STR_A(words));
}

static int check_nonce(const struct scram *s, struct str nonce, struct err *err)
{
	if (!is_printable(nonce))
		return err_set(err, ERR_INVALID, "the server's first message has no nonce");
	if (!str_starts(nonce, s->nonce) || nonce.n == s->nonce.n)
		return err_set(err, ERR_DENIED,
			"the server answers somebody else: its nonce does not continue ours");
	return 0;
}

static int read_iterations(struct str digits, int *out, struct err *err)
{
	int64_t n;
	if (digits.n == 0 || digits.p[0] < '1' || digits.p[0] > '9' ||
		!str_int(digits, 1, INT64_MAX, &n))
		return err_set(err, ERR_INVALID, "the server gives no iteration count");
	if (n < SCRAM_ITERATIONS_MIN)
		return err_set(err, ERR_LIMIT,
			"the server wants %lld iterations: fewer than %d are not safe",
			(long long)n, SCRAM_ITERATIONS_MIN);
	if (n > SCRAM_ITERATIONS_MAX)
		return err_set(err, ERR_LIMIT,
			"the server wants %lld iterations: more than %d take too long",
			(long long)n, SCRAM_ITERATIONS_MAX);
	*out = (int)n;
	return 0;
}

/* Into salt, which offer then borrows. */
static int read_offer(const struct scram *s, struct str server_first, struct buf *salt,
	struct offer *offer, struct err *err)
{
	struct str rest = server_first;
	struct str words = take_attribute(&rest, 'e');
	if (words.p)
		return refuse_error(words, err);
	if (take_attribute(&rest, 'm').p)
		return err_set(err, ERR_INVALID, "the server wants an unknown extension of SCRAM");
	offer->nonce = take_attribute(&rest, 'r');
	int r = check_nonce(s, offer->nonce, err);
	if (r < 0)
		return r;
	struct str encoded = take_attribute(&rest, 's');
	if (encoded.n == 0 || base64_decode(salt, encoded) < 0)
		return err_set(err, ERR_INVALID, "the server gives no salt");
	offer->salt = buf_str(salt);
	return read_iterations(take_attribute(&rest, 'i'), &offer->iterations, err);
}

static bool hmac(
	const struct scram *s, const struct digest *key, struct str data, struct digest *out)
{
	return HMAC(md_of(s), key->bytes, (int)size_of(s), (const unsigned char *)data.p, data.n,
		       out->bytes, NULL) != NULL;
}

static bool salt_password(
	const struct scram *s, struct str password, const struct offer *offer, struct digest *out)
{
	return PKCS5_PBKDF2_HMAC(password.p, (int)password.n, (const unsigned char *)offer->salt.p,
		       (int)offer->salt.n, offer->iterations, md_of(s), (int)size_of(s),
		       out->bytes) == 1;
}

/* ClientProof: ClientKey, covered by a signature that only who knows H(ClientKey) can make. */
static bool make_proof(const struct scram *s, const struct digest *salted, struct str message,
	struct digest *proof)
{
	struct digest key = {0}, stored = {0}, signature = {0};
	bool is_made = hmac(s, salted, STR("Client Key"), &key) &&
		       EVP_Digest(key.bytes, size_of(s), stored.bytes, NULL, md_of(s), NULL) == 1 &&
		       hmac(s, &stored, message, &signature);
	for (size_t i = 0; i < size_of(s); i++)
		proof->bytes[i] = key.bytes[i] ^ signature.bytes[i];
	mem_wipe(&key, sizeof(key));
	mem_wipe(&stored, sizeof(stored));
	mem_wipe(&signature, sizeof(signature));
	return is_made;
}

static bool expect_signature(struct scram *s, const struct digest *salted, struct str message)
{
	struct digest key = {0}, signature = {0};
	bool is_made =
		hmac(s, salted, STR("Server Key"), &key) && hmac(s, &key, message, &signature);
	memcpy(s->expected, signature.bytes, size_of(s));
	mem_wipe(&key, sizeof(key));
	mem_wipe(&signature, sizeof(signature));
	return is_made;
}

/* All that both sides have said; the proof itself follows it. */
static int add_auth_message(
	const struct scram *s, struct str server_first, struct str client_final, struct buf *out)
{
	const struct str parts[] = {
		buf_str(&s->client_first), STR(","), server_first, STR(","), client_final};
	int r = 0;
	for (size_t i = 0; i < COUNTOF(parts) && r == 0; i++)
		r = buf_add(out, parts[i]);
	return r;
}

static int add_proof(struct scram *s, struct str password, const struct offer *offer,
	struct str auth_message, struct buf *out, struct err *err)
{
	struct digest salted = {0}, proof = {0};
	int r = buf_add(out, STR(",p="));
	if (r == 0 && !(salt_password(s, password, offer, &salted) &&
			      make_proof(s, &salted, auth_message, &proof) &&
			      expect_signature(s, &salted, auth_message)))
		r = err_set(err, ERR_SYSTEM, "libcrypto cannot compute the proof");
	else if (r == 0)
		r = base64_encode(out, (struct str){(const char *)proof.bytes, size_of(s)});
	ERR_clear_error();
	mem_wipe(&salted, sizeof(salted));
	mem_wipe(&proof, sizeof(proof));
	return r;
}

static int add_final(struct scram *s, struct str password, const struct offer *offer,
	struct str server_first, struct buf *out, struct err *err)
{
	size_t before = out->n;
	int r = buf_addf(out, "c=" GS2_HEADER_BASE64 ",r=%" STR_F, STR_A(offer->nonce));
	if (r < 0)
		return r;
	struct buf message;
	buf_init(&message, s->client_first.n + server_first.n + out->n + 2);
	r = add_auth_message(s, server_first, str_skip(buf_str(out), before), &message);
	if (r == 0)
		r = add_proof(s, password, offer, buf_str(&message), out, err);
	fini_secret(&message);
	return r;
}

int scram_prove(struct scram *s, struct str password, struct str server_first, struct buf *out,
	struct err *err)
{
	struct buf salt;
	buf_init(&salt, server_first.n);
	struct offer offer = {0};
	int r = read_offer(s, server_first, &salt, &offer, err);
	if (r == 0) {
		r = add_final(s, password, &offer, server_first, out, err);
		if (r == ERR_LIMIT)
			err_set(err, r, "the server's nonce is too long");
	}
	buf_fini(&salt);
	s->is_proven = r == 0;
	return r;
}

static int check_signature(const struct scram *s, struct str encoded, struct err *err)
{
	struct buf signature;
	buf_init(&signature, SCRAM_HASH_MAX_BYTES + 3);
	int r = 0;
	if (encoded.n == 0)
		r = err_set(err, ERR_DENIED,
			"the server does not prove that it knows the password: no signature");
	else if (base64_decode(&signature, encoded) < 0 || signature.n != size_of(s) ||
		 CRYPTO_memcmp(buf_str(&signature).p, s->expected, size_of(s)) != 0)
		r = err_set(err, ERR_DENIED,
			"the server does not know the password: its signature is wrong");
	buf_fini(&signature);
	return r;
}

int scram_verify(struct scram *s, struct str server_final, struct err *err)
{
	assert(s->is_proven);
	struct str rest = server_final;
	struct str words = take_attribute(&rest, 'e');
	if (words.p)
		return refuse_error(words, err);
	int r = check_signature(s, take_attribute(&rest, 'v'), err);
	s->is_verified = r == 0;
	return r;
}
