/*
 * hash: hashes of what strangers choose.
 *
 * SipHash-1-3 (Aumasson, Bernstein: SipHash: a fast short-input PRF, 2012). With a key that nobody
 * else knows, nobody can find names that all fall into one place of a table.
 */
#ifndef EBB_BASE_HASH_H
#define EBB_BASE_HASH_H

#include "base/str.h"

struct hash_key {
	uint64_t k[2];
};

uint64_t hash_str(const struct hash_key *key, struct str s);

/* The same of one number. */
uint64_t hash_number(const struct hash_key *key, uint64_t n);

#endif
