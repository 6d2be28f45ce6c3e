#include "base/hash.h"

#include <endian.h>
#include <string.h>

struct sip {
	uint64_t v[4];
};

static inline uint64_t rotated(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void sip_round(struct sip *s)
{
	uint64_t *v = s->v;
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotated(v[1], 13) ^ v[0];
	v[3] = rotated(v[3], 16) ^ v[2];
	v[0] = rotated(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotated(v[1], 17) ^ v[2];
	v[3] = rotated(v[3], 21) ^ v[0];
	v[2] = rotated(v[2], 32);
}

static void sip_begin(struct sip *s, const struct hash_key *key)
{
	*s = (struct sip){
		{0x736f6d6570736575 ^ key->k[0], 0x646f72616e646f6d ^ key->k[1],
                 0x6c7967656e657261 ^ key->k[0], 0x7465646279746573 ^ key->k[1]}
        };
}

static void sip_word(struct sip *s, uint64_t word)
{
	s->v[3] ^= word;
	sip_round(s);
	s->v[0] ^= word;
}

static uint64_t sip_end(struct sip *s)
{
	s->v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(s);
	return s->v[0] ^ s->v[1] ^ s->v[2] ^ s->v[3];
}

/* Eight bytes, the first the lowest. */
static uint64_t read_word(const char *p)
{
	uint64_t word;
	memcpy(&word, p, sizeof(word));
	return le64toh(word);
}

/* The same of fewer than eight. */
static uint64_t read_rest(struct str s)
{
	uint64_t word = 0;
	for (size_t i = s.n; i > 0; i--)
		word = word << 8 | (unsigned char)s.p[i - 1];
	return word;
}

uint64_t hash_str(const struct hash_key *key, struct str s)
{
	struct sip sip;
	uint64_t n = s.n;
	sip_begin(&sip, key);
	for (; s.n >= 8; s = str_skip(s, 8))
		sip_word(&sip, read_word(s.p));
	sip_word(&sip, read_rest(s) | n << 56);
	return sip_end(&sip);
}

uint64_t hash_number(const struct hash_key *key, uint64_t n)
{
	struct sip sip;
	sip_begin(&sip, key);
	sip_word(&sip, n);
	sip_word(&sip, (uint64_t)8 << 56);
	return sip_end(&sip);
}
