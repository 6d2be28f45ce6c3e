#include "support/peer.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <string.h>
#include <unistd.h>

enum { MUCH = 64 * 1024 * 1024 };

void test_loop_init(struct loop *loop)
{
	struct ev_loop *ev = ev_loop_new(EVFLAG_AUTO);
	assert_non_null(ev);
	loop_init(loop, ev, &clock_system);
}

void test_loop_fini(struct loop *loop)
{
	struct ev_loop *ev = loop->ev;
	loop_fini(loop);
	ev_loop_destroy(ev);
}

static void ignore(struct timer *timer)
{
	(void)timer;
}

void run_turn(struct loop *loop, int64_t end_ns, const char *what, const char *file, int line)
{
	struct timer look_again = {.fire = ignore}; /* what jobs bring about wakes nobody */
	int64_t now_ns = clock_mono_ns(&clock_system);
	if (now_ns > end_ns) {
		print_error("%s:%d: waited too long for %s\n", file, line, what);
		_fail(file, line);
	}
	timers_set(&loop->timers, &look_again, now_ns + 5 * NS_PER_MS);
	ev_run(loop->ev, EVRUN_ONCE);
	timers_cancel(&loop->timers, &look_again);
}

void run_idle(struct loop *loop)
{
	for (int i = 0; i < 20; i++)
		ev_run(loop->ev, EVRUN_NOWAIT);
}

size_t count_fds(void)
{
	size_t n = 0;
	DIR *d = opendir("/proc/self/fd");
	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

int listen_tcp(struct address *a)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(address_parse("127.0.0.1", 0, a));
	assert_int_equal(bind(fd, (struct sockaddr *)&a->sa, a->n), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a->sa, &a->n), 0);
	return fd;
}

void tcp_pair(int fds[2])
{
	struct address a;
	int listener = listen_tcp(&a);
	fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fds[0], (struct sockaddr *)&a.sa, a.n), 0);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	fds[1] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(fds[1] >= 0);
	close(listener);
}

static void watch(struct peer *p)
{
	if (p->fd < 0)
		return;
	int reads = p->is_deaf || p->is_eof || p->is_reset ? 0 : EV_READ;
	loop_fd_start(p->loop, &p->watch, reads | (p->wire.n && !p->is_dripping ? EV_WRITE : 0));
	if (p->wire.n && p->is_dripping && !timer_is_set(&p->drip))
		timers_after(&p->loop->timers, &p->drip, 0);
}

static void send_wire(struct peer *p, size_t most)
{
	struct str bytes = buf_str(&p->wire);
	if (bytes.n > most)
		bytes.n = most;
	ssize_t n = bytes.n ? send(p->fd, bytes.p, bytes.n, MSG_NOSIGNAL) : 0;
	if (n > 0)
		buf_consume(&p->wire, (size_t)n);
	else if (n < 0 && errno != EAGAIN)
		buf_reset(&p->wire);
	watch(p);
}

static void on_drip(struct timer *timer)
{
	struct peer *p = container_of(timer, struct peer, drip);
	if (p->fd >= 0)
		send_wire(p, 1);
}

static void pull_from_tls(struct peer *p)
{
	char *from;
	BIO *bio = SSL_get_wbio(p->ssl);
	long n = BIO_get_mem_data(bio, &from);
	if (n > 0)
		assert_int_equal(buf_add(&p->wire, (struct str){from, (size_t)n}), 0);
	(void)BIO_reset(bio);
}

static void advance_tls(struct peer *p)
{
	char bytes[32 * 1024];
	int n;
	ERR_clear_error();
	if (!p->is_accepted)
		p->is_accepted = SSL_accept(p->ssl) == 1;
	while (p->is_accepted) {
		n = SSL_read(p->ssl, bytes, sizeof(bytes));
		if (n <= 0)
			break;
		p->reads++;
		assert_int_equal(buf_add(&p->got, (struct str){bytes, (size_t)n}), 0);
	}
	p->is_notified = SSL_get_shutdown(p->ssl) & SSL_RECEIVED_SHUTDOWN;
	pull_from_tls(p);
}

static void take(struct peer *p, struct str bytes)
{
	if (!p->ssl) {
		p->reads++;
		assert_int_equal(buf_add(&p->got, bytes), 0);
		return;
	}
	BIO_write(SSL_get_rbio(p->ssl), bytes.p, (int)bytes.n);
	advance_tls(p);
}

static void on_ready(struct loop_fd *w, int revents)
{
	struct peer *p = container_of(w, struct peer, watch);
	char bytes[32 * 1024];
	if (revents & EV_READ) {
		ssize_t n = recv(p->fd, bytes, sizeof(bytes), 0);
		if (n > 0)
			take(p, (struct str){bytes, (size_t)n});
		p->is_eof = n == 0;
		p->is_reset = n < 0 && errno == ECONNRESET;
	}
	if (!p->is_dripping)
		send_wire(p, SIZE_MAX);
	watch(p);
}

void peer_init(struct peer *p, struct loop *loop, int fd)
{
	*p = (struct peer){.loop = loop, .fd = fd, .drip.fire = on_drip};
	buf_init(&p->got, MUCH);
	buf_init(&p->wire, MUCH);
	loop_fd_init(&p->watch, fd, on_ready);
	watch(p);
}

SSL_CTX *peer_context(const struct cert *cert, int max_version)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	assert_non_null(context);
	SSL_CTX_set_security_level(context, 0);
	if (max_version) {
		SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
		SSL_CTX_set_max_proto_version(context, max_version);
	}
	assert_int_equal(SSL_CTX_use_certificate(context, cert->x509), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(context, cert->key), 1);
	return context;
}

void peer_init_context(struct peer *p, struct loop *loop, int fd, SSL_CTX *context)
{
	peer_init(p, loop, fd);
	p->context = context;
	p->ssl = SSL_new(p->context);
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	BIO_set_mem_eof_return(in, -1);
	SSL_set_bio(p->ssl, in, out);
}

void peer_init_tls(
	struct peer *p, struct loop *loop, int fd, const struct cert *cert, int max_version)
{
	peer_init_context(p, loop, fd, peer_context(cert, max_version));
}

static void drop(struct peer *p)
{
	if (p->fd < 0)
		return;
	loop_fd_stop(p->loop, &p->watch);
	close(p->fd);
	p->fd = -1;
}

void peer_fini(struct peer *p)
{
	drop(p);
	timers_cancel(&p->loop->timers, &p->drip);
	SSL_free(p->ssl);
	SSL_CTX_free(p->context);
	buf_fini(&p->got);
	buf_fini(&p->wire);
}

void peer_send(struct peer *p, struct str bytes)
{
	if (!p->ssl) {
		peer_send_raw(p, bytes);
		return;
	}
	assert_int_equal(SSL_write(p->ssl, bytes.p, (int)bytes.n), bytes.n);
	peer_flush(p);
}

void peer_send_raw(struct peer *p, struct str bytes)
{
	assert_int_equal(buf_add(&p->wire, bytes), 0);
	watch(p);
}

void peer_flush(struct peer *p)
{
	pull_from_tls(p);
	watch(p);
}

void peer_listen(struct peer *p, bool listens)
{
	p->is_deaf = !listens;
	watch(p);
}

static void send_all(struct peer *p)
{
	run_until(p->loop, !p->wire.n);
}

void peer_close(struct peer *p)
{
	if (p->ssl) {
		SSL_shutdown(p->ssl);
		peer_flush(p);
	}
	peer_cut(p);
}

void peer_cut(struct peer *p)
{
	send_all(p);
	shutdown(p->fd, SHUT_WR);
}

void peer_reset(struct peer *p)
{
	const struct linger at_once = {1, 0};
	send_all(p);
	setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	drop(p);
}

/* the probe */

static void free_if(struct probe *p, const char *where)
{
	if (!p->free_in || strcmp(p->free_in, where) != 0)
		return;
	stream_free(p->s);
	p->s = NULL;
}

static void on_open(void *owner)
{
	struct probe *p = owner;
	p->opened++;
	if (p->says)
		assert_int_equal(stream_write(p->s, str_of(p->says)), 0);
	free_if(p, "open");
}

static void on_data(void *owner)
{
	struct probe *p = owner;
	p->datas++;
	assert_int_equal(p->opened, 1);
	if (!p->leaves_data) {
		struct str bytes = buf_str(&p->s->in);
		assert_int_equal(buf_add(&p->got, bytes), 0);
		buf_consume(&p->s->in, bytes.n);
	}
	free_if(p, "data");
}

static void on_low(void *owner)
{
	struct probe *p = owner;
	p->lows++;
	free_if(p, "low");
}

static void on_close(void *owner, const struct err *why)
{
	struct probe *p = owner;
	p->closed++;
	p->why = *why;
	free_if(p, "close");
}

const struct stream_events probe_events = {on_open, on_data, on_low, on_close};

void probe_init(struct probe *p)
{
	*p = (struct probe){0};
	buf_init(&p->got, MUCH);
}

void probe_fini(struct probe *p)
{
	stream_free(p->s);
	buf_fini(&p->got);
}
