#include "base/rand.h"

uint64_t rand_next(struct rand *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

uint64_t rand_below(struct rand *r, uint64_t n)
{
	return rand_next(r) % n;
}
