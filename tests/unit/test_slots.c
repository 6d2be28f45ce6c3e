#include "base/slots.h"

#include "base/hash.h"
#include "base/rand.h"
#include "support/check.h"

struct thing {
	struct slot slot;
	uint32_t value;
};

static uint32_t find_thing(const struct slots *s, uint32_t value)
{
	uint32_t i = slots_first(s, value * 2654435761u);
	while (i != SLOTS_NONE && ((struct thing *)slots_at(s, i))->value != value)
		i = slots_next(s, i);
	return i;
}

static void add_thing(struct slots *s, uint32_t value)
{
	uint32_t index;
	struct thing *thing = slots_add(s, &index);
	assert_int_equal(thing->value, 0);
	thing->value = value;
	slots_link(s, index, value * 2654435761u);
}

static void drop_thing(struct slots *s, uint32_t value)
{
	uint32_t index = find_thing(s, value);
	slots_unlink(s, index);
	slots_drop(s, index);
}

static void slots_find_what_is_there_and_nothing_else(void **state)
{
	(void)state;
	enum { N = 3000 };
	static bool is_there[N];
	struct slots s;
	struct rand random = {5};
	slots_init(&s, sizeof(struct thing), 3);
	for (int i = 0; i < 200000; i++) {
		bool grows = i / 20000 % 2 == 0;
		uint32_t value = (uint32_t)rand_below(&random, N);
		if (is_there[value] && (!grows || i % 3 == 0))
			drop_thing(&s, value);
		else if (!is_there[value] && (grows || i % 3 == 0))
			add_thing(&s, value);
		else
			continue;
		is_there[value] = !is_there[value];
		uint32_t other = (uint32_t)rand_below(&random, N);
		assert_int_equal(find_thing(&s, other) != SLOTS_NONE, is_there[other]);
	}
	for (uint32_t i = 0; i < N; i++) {
		assert_int_equal(find_thing(&s, i) != SLOTS_NONE, is_there[i]);
		if (is_there[i])
			drop_thing(&s, i);
	}
	assert_null(s.pages);
	assert_null(s.buckets);
	slots_fini(&s);
}

static void slots_do_not_move(void **state)
{
	(void)state;
	enum { N = 1000 };
	static const struct thing *at[N];
	static uint32_t index[N];
	struct slots s;
	slots_init(&s, sizeof(struct thing), 4);
	for (uint32_t i = 0; i < N; i++) {
		struct thing *thing = slots_add(&s, &index[i]);
		thing->value = i + 1;
		at[i] = thing;
	}

	for (uint32_t i = 0; i < N; i += 3)
		slots_drop(&s, index[i]);

	for (uint32_t i = 0; i < N; i++) {
		if (i % 3 == 0)
			continue;
		assert_ptr_equal(slots_at(&s, index[i]), at[i]);
		assert_ptr_equal(slots_peek(&s, index[i]), at[i]);
		assert_int_equal(at[i]->value, i + 1);
	}
	slots_fini(&s);
}

static void slots_use_places_again_and_give_pages_back(void **state)
{
	(void)state;
	struct slots s;
	uint32_t index[16], again;
	slots_init(&s, sizeof(struct thing), 2);
	for (int i = 0; i < 16; i++)
		slots_add(&s, &index[i]);
	assert_int_equal(slots_end(&s), 16);

	for (int i = 4; i < 8; i++)
		slots_drop(&s, index[i]);
	assert_null(slots_peek(&s, index[4]));
	assert_int_equal(s.n, 12);
	for (int i = 4; i < 8; i++) {
		const struct thing *thing = slots_add(&s, &again);
		assert_in_range(again, 4, 7);
		assert_int_equal(thing->value, 0);
	}

	assert_int_equal(slots_end(&s), 16);
	slots_fini(&s);
	slots_fini(&s);
}

static void slots_begin_with_small_pages(void **state)
{
	static const uint32_t ends[] = {1, 2, 4, 4, 8, 8, 8, 8, 16, 16, 16, 16, 16, 16, 16, 16, 32};
	(void)state;
	struct slots s;
	uint32_t index;
	slots_init(&s, sizeof(struct thing), 4);

	for (uint32_t i = 0; i < COUNTOF(ends); i++) {
		slots_add(&s, &index);
		assert_int_equal(index, i);
		assert_int_equal(slots_end(&s), ends[i]);
	}

	slots_fini(&s);
}

/* SipHash-1-3 of the bytes 0 to n - 1 under the key 00 01 … 0f. */
static void hash_is_siphash(void **state)
{
	(void)state;
	const struct hash_key key = {
		{0x0706050403020100, 0x0f0e0d0c0b0a0908}
        };
	char bytes[16];
	for (int i = 0; i < 16; i++)
		bytes[i] = (char)i;

	assert_int_equal(hash_str(&key, (struct str){bytes, 0}), 0xabac0158050fc4dc);
	uint64_t of_eight = hash_str(&key, (struct str){bytes, 8});
	assert_int_equal(hash_number(&key, 0x0706050403020100), of_eight);
	assert_int_not_equal(hash_str(&key, (struct str){bytes, 9}), of_eight);
}

int main(void)
{
	struct check c = {0};
	check_test(&c, slots_find_what_is_there_and_nothing_else);
	check_test(&c, slots_do_not_move);
	check_test(&c, slots_begin_with_small_pages);
	check_test(&c, slots_use_places_again_and_give_pages_back);
	check_test(&c, hash_is_siphash);
	return check_run(&c, "slots");
}
