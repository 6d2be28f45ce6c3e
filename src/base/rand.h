/*
 * rand: randomness that a seed repeats, for what is shuffled or spread.
 *
 * splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). Not for
 * secrets.
 */
#ifndef EBB_BASE_RAND_H
#define EBB_BASE_RAND_H

#include <stdint.h>

/* Any seed will do, 0 too. */
struct rand {
	uint64_t state;
};

uint64_t rand_next(struct rand *r);

/* 0 to n - 1; n is not 0. */
uint64_t rand_below(struct rand *r, uint64_t n);

#endif
