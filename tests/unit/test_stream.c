#include "support/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct loop loop;
static struct peer peer;
static struct probe probe;

static void start_on(int ours, int theirs)
{
	test_loop_init(&loop);
	peer_init(&peer, &loop, theirs);
	probe_init(&probe);
	probe.s = stream_plain_new(&loop, ours, &probe_events, &probe);
}

static void start_tcp(void)
{
	int fds[2];
	tcp_pair(fds);
	start_on(fds[0], fds[1]);
}

/* Each send is one record, so the peer's reads are our writes. */
static void start_records(void)
{
	int fds[2];
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	start_on(fds[0], fds[1]);
}

static void end(void)
{
	probe_fini(&probe);
	peer_fini(&peer);
	test_loop_fini(&loop);
}

static void say(const char *bytes)
{
	assert_int_equal(stream_write(probe.s, str_of(bytes)), 0);
}

static char *many(size_t n)
{
	char *bytes = malloc(n);
	assert_non_null(bytes);
	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)('a' + i % 23);
	return bytes;
}

static void it_opens_after_the_start_returned(void **state)
{
	(void)state;
	start_tcp();
	assert_int_equal(probe.opened, 0);

	run_until(&loop, probe.opened);

	assert_int_equal(probe.opened, 1);
	end();
}

static void bytes_go_both_ways(void **state)
{
	(void)state;
	start_tcp();
	run_until(&loop, probe.opened);

	say("to the peer");
	peer_send(&peer, STR("to us"));
	run_until(&loop, peer.got.n == 11 && probe.got.n == 5);

	assert_slice(buf_str(&peer.got), "to the peer");
	assert_slice(buf_str(&probe.got), "to us");
	end();
}

static void what_is_written_early_waits_for_on_open(void **state)
{
	(void)state;
	start_tcp();

	say("early");
	run_until(&loop, peer.got.n);

	assert_int_equal(probe.opened, 1);
	assert_slice(buf_str(&peer.got), "early");
	end();
}

static void writes_of_one_turn_leave_in_one(void **state)
{
	(void)state;
	start_records();
	run_until(&loop, probe.opened);

	for (int i = 0; i < 100; i++)
		say("line\r\n");
	run_until(&loop, peer.got.n == 600);

	assert_int_equal(peer.reads, 1);
	end();
}

static void bytes_that_come_one_by_one_are_told_one_by_one(void **state)
{
	(void)state;
	start_tcp();
	peer.is_dripping = true;

	peer_send(&peer, STR("drop by drop"));
	run_until(&loop, probe.got.n == 12);

	assert_slice(buf_str(&probe.got), "drop by drop");
	assert_true(probe.datas > 1);
	end();
}

static void what_the_owner_leaves_stays(void **state)
{
	(void)state;
	start_tcp();
	probe.leaves_data = true;

	peer_send(&peer, STR("one"));
	run_until(&loop, probe.datas == 1);
	peer_send(&peer, STR("two"));
	run_until(&loop, probe.datas == 2);

	assert_slice(buf_str(&probe.s->in), "onetwo");
	end();
}

static void empty_buffers_hold_no_memory(void **state)
{
	(void)state;
	start_tcp();
	run_until(&loop, probe.opened);

	say("x");
	peer_send(&peer, STR("y"));
	run_until(&loop, peer.got.n && probe.got.n);

	assert_null(probe.s->in.bytes);
	assert_null(probe.s->out.bytes);
	end();
}

static void the_peers_end_is_told_after_its_last_bytes(void **state)
{
	(void)state;
	start_tcp();
	run_until(&loop, probe.opened);

	peer_send(&peer, STR("last words"));
	peer_close(&peer);
	run_until(&loop, probe.closed);

	assert_slice(buf_str(&probe.got), "last words");
	assert_int_equal(probe.why.code, ERR_CLOSED);
	assert_string_equal(probe.why.text, "closed by the server");
	run_idle(&loop);
	assert_int_equal(probe.closed, 1);
	assert_int_equal(stream_write(probe.s, STR("x")), ERR_DISCONNECTED);
	end();
}

static void a_reset_is_told_as_such(void **state)
{
	(void)state;
	start_tcp();
	run_until(&loop, probe.opened);

	peer_reset(&peer);
	run_until(&loop, probe.closed);

	assert_int_equal(probe.why.code, ERR_CLOSED);
	assert_string_equal(probe.why.text, "connection reset by peer");
	end();
}

static void writing_into_a_reset_connection_raises_no_signal(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_DFL);
	start_tcp();
	run_until(&loop, probe.opened);
	loop_fd_stop(&loop, &probe.s->watch); /* so that the writes find out */

	peer_reset(&peer);
	for (int i = 0; i < 3 && !probe.closed; i++) {
		say("x");
		run_idle(&loop);
	}

	assert_int_equal(probe.closed, 1);
	assert_int_equal(probe.why.code, ERR_CLOSED);
	end();
}

static void what_came_before_the_reset_is_read_when_a_write_fails(void **state)
{
	(void)state;
	start_tcp();
	run_until(&loop, probe.opened);
	loop_fd_stop(&loop, &probe.s->watch);

	peer_send(&peer, STR("ERROR :banned"));
	peer_reset(&peer);
	for (int i = 0; i < 3 && !probe.closed; i++) {
		say("x");
		run_idle(&loop);
	}

	assert_int_equal(probe.closed, 1);
	assert_slice(buf_str(&probe.got), "ERROR :banned");
	end();
}

static void output_waits_for_a_slow_peer_and_low_is_told_once(void **state)
{
	(void)state;
	enum { PIECE = 64 * 1024 };
	char *bytes = many(PIECE);
	const int small = 16 * 1024;
	size_t n = 0;
	start_tcp();
	setsockopt(probe.s->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	peer_listen(&peer, false);
	run_until(&loop, probe.opened);

	while (probe.s->out.n < STREAM_OUT_MAX / 2) {
		assert_int_equal(stream_write(probe.s, (struct str){bytes, PIECE}), 0);
		n += PIECE;
		run_idle(&loop);
	}
	int lows = probe.lows;
	peer_listen(&peer, true);
	run_until(&loop, peer.got.n == n);

	assert_int_equal(probe.lows, lows + 1);
	for (size_t i = 0; i < n; i += PIECE)
		assert_memory_equal(buf_str(&peer.got).p + i, bytes, PIECE);
	free(bytes);
	end();
}

static void output_over_the_maximum_is_refused_as_a_whole(void **state)
{
	(void)state;
	char *bytes = many(STREAM_OUT_MAX);
	start_tcp();

	assert_int_equal(stream_write(probe.s, (struct str){bytes, STREAM_OUT_MAX}), 0);
	assert_int_equal(stream_write(probe.s, STR("x")), ERR_LIMIT);
	run_until(&loop, peer.got.n == STREAM_OUT_MAX);

	assert_int_equal(probe.lows, 1);
	run_idle(&loop);
	assert_int_equal(peer.got.n, STREAM_OUT_MAX);
	free(bytes);
	end();
}

static void one_turn_reads_a_share_of_a_flood(void **state)
{
	(void)state;
	enum { FLOOD = 1024 * 1024 };
	char *bytes = many(FLOOD);
	size_t most = 0;
	start_tcp();
	run_until(&loop, probe.opened);

	peer_send(&peer, (struct str){bytes, FLOOD});
	for (size_t had = 0; probe.got.n < FLOOD; had = probe.got.n) {
		run_until(&loop, probe.got.n > had);
		most = probe.got.n - had > most ? probe.got.n - had : most;
	}

	assert_true(most <= STREAM_TURN);
	assert_memory_equal(buf_str(&probe.got).p, bytes, FLOOD);
	free(bytes);
	end();
}

static void a_paused_stream_reads_nothing(void **state)
{
	(void)state;
	start_tcp();
	run_until(&loop, probe.opened);

	stream_pause(probe.s);
	peer_send(&peer, STR("later"));
	run_until(&loop, peer.wire.n == 0);
	run_idle(&loop);
	assert_int_equal(probe.datas, 0);
	stream_resume(probe.s);
	run_until(&loop, probe.datas);

	assert_slice(buf_str(&probe.got), "later");
	end();
}

static void a_full_input_pauses_until_it_is_resumed(void **state)
{
	(void)state;
	char *bytes = many((size_t)2 * STREAM_IN_MAX);
	start_tcp();
	probe.leaves_data = true;
	run_until(&loop, probe.opened);

	peer_send(&peer, (struct str){bytes, (size_t)2 * STREAM_IN_MAX});
	run_until(&loop, probe.s->is_paused);
	run_idle(&loop);
	assert_true(probe.s->in.n <= STREAM_IN_MAX);
	probe.leaves_data = false;
	stream_resume(probe.s);
	run_until(&loop, !probe.s || probe.got.n || probe.s->is_paused);
	if (probe.s->is_paused) {
		buf_consume(&probe.s->in, probe.s->in.n);
		stream_resume(probe.s);
	}
	run_until(&loop, probe.got.n);

	assert_int_equal(probe.closed, 0);
	free(bytes);
	end();
}

static void a_close_sends_what_is_queued_and_waits_for_the_peer(void **state)
{
	(void)state;
	start_tcp();
	run_until(&loop, probe.opened);

	say("QUIT");
	stream_close(probe.s);
	stream_close(probe.s);
	assert_int_equal(stream_write(probe.s, STR("x")), ERR_DISCONNECTED);
	assert_int_equal(probe.closed, 0);
	run_until(&loop, peer.is_eof);
	assert_slice(buf_str(&peer.got), "QUIT");
	peer_send(&peer, STR("ERROR :bye"));
	run_idle(&loop);
	assert_int_equal(probe.closed, 0);
	peer_close(&peer);
	run_until(&loop, probe.closed);

	assert_int_equal(probe.why.code, ERR_REQUESTED);
	assert_int_equal(probe.datas, 0);
	end();
}

static void a_close_flushes_more_than_the_socket_takes(void **state)
{
	(void)state;
	char *bytes = many(STREAM_OUT_MAX);
	start_tcp();
	run_until(&loop, probe.opened);

	assert_int_equal(stream_write(probe.s, (struct str){bytes, STREAM_OUT_MAX}), 0);
	stream_close(probe.s);
	run_until(&loop, peer.is_eof);

	assert_int_equal(peer.got.n, STREAM_OUT_MAX);
	assert_int_equal(probe.lows, 0);
	free(bytes);
	end();
}

static void a_close_before_open_ends_without_a_word(void **state)
{
	(void)state;
	start_tcp();

	say("never sent");
	stream_close(probe.s);
	assert_int_equal(probe.closed, 0);
	run_until(&loop, probe.closed && peer.is_eof);

	assert_int_equal(probe.opened, 0);
	assert_int_equal(probe.why.code, ERR_REQUESTED);
	assert_int_equal(peer.got.n, 0);
	end();
}

static const struct row {
	const char *name, *free_in;
} free_rows[] = {
	{"freed in on_open",  "open" },
	{"freed in on_data",  "data" },
	{"freed in on_low",   "low"  },
	{"freed in on_close", "close"},
};

static void it_may_be_freed_in_an_event(void **state)
{
	const struct row *row = *state;
	char *bytes = many(STREAM_HIGH);
	start_tcp();
	probe.free_in = row->free_in;

	assert_int_equal(stream_write(probe.s, (struct str){bytes, STREAM_HIGH}), 0);
	peer_send(&peer, STR("x"));
	peer_close(&peer);
	run_until(&loop, !probe.s);
	run_idle(&loop);

	int closed = strcmp(row->free_in, "close") == 0;
	assert_int_equal(probe.closed, closed);
	free(bytes);
	end();
}

static void freeing_closes_the_descriptor_at_once(void **state)
{
	(void)state;
	start_tcp();
	run_until(&loop, probe.opened);
	size_t before = count_fds();

	say("never sent");
	stream_free(probe.s);
	probe.s = NULL;

	assert_int_equal(count_fds(), before - 1);
	run_until(&loop, peer.is_eof);
	assert_int_equal(peer.got.n, 0);
	assert_int_equal(probe.closed, 0);
	end();
}

static void freeing_nothing_is_allowed(void **state)
{
	(void)state;
	stream_free(NULL);
}

static void errors_of_the_network_are_a_closed_connection(void **state)
{
	(void)state;
	struct err why;
	assert_int_equal(stream_errno(&why, EPIPE), ERR_CLOSED);
	assert_string_equal(why.text, "connection reset by peer");
	assert_int_equal(stream_errno(&why, ETIMEDOUT), ERR_CLOSED);
	assert_string_equal(why.text, "connection lost: connection timed out");
	assert_int_equal(stream_errno(&why, EBADF), ERR_SYSTEM);
}

int main(void)
{
	struct check c = {0};
	check_test(&c, it_opens_after_the_start_returned);
	check_test(&c, bytes_go_both_ways);
	check_test(&c, what_is_written_early_waits_for_on_open);
	check_test(&c, writes_of_one_turn_leave_in_one);
	check_test(&c, bytes_that_come_one_by_one_are_told_one_by_one);
	check_test(&c, what_the_owner_leaves_stays);
	check_test(&c, empty_buffers_hold_no_memory);
	check_test(&c, the_peers_end_is_told_after_its_last_bytes);
	check_test(&c, a_reset_is_told_as_such);
	check_test(&c, writing_into_a_reset_connection_raises_no_signal);
	check_test(&c, what_came_before_the_reset_is_read_when_a_write_fails);
	check_test(&c, output_waits_for_a_slow_peer_and_low_is_told_once);
	check_test(&c, output_over_the_maximum_is_refused_as_a_whole);
	check_test(&c, one_turn_reads_a_share_of_a_flood);
	check_test(&c, a_paused_stream_reads_nothing);
	check_test(&c, a_full_input_pauses_until_it_is_resumed);
	check_test(&c, a_close_sends_what_is_queued_and_waits_for_the_peer);
	check_test(&c, a_close_flushes_more_than_the_socket_takes);
	check_test(&c, a_close_before_open_ends_without_a_word);
	check_rows(&c, free_rows, it_may_be_freed_in_an_event);
	check_test(&c, freeing_closes_the_descriptor_at_once);
	check_test(&c, freeing_nothing_is_allowed);
	check_test(&c, errors_of_the_network_are_a_closed_connection);
	return check_run(&c, "stream");
}
