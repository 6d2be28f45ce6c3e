#include "support/wire.h"

#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024, LONGEST = 16 * 1024, TURN = 4 };

static char shared[LONGEST + CHUNK];

static void watch(struct wire *w)
{
	bool is_shaking = w->ssl && !SSL_is_init_finished(w->ssl); /* it waits to read */
	uint32_t wanted = EPOLLIN;
	if (w->n_out && !is_shaking)
		wanted |= EPOLLOUT;
	struct epoll_event event = {.events = wanted, .data.ptr = w->owner};
	if (wanted == w->watched)
		return;
	int r = epoll_ctl(w->epoll, w->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, w->fd, &event);
	assert(r == 0);
	(void)r;
	w->watched = wanted;
}

void wire_open(struct wire *w, int fd, SSL *ssl, int epoll, void *owner)
{
	int on = 1;
	*w = (struct wire){.fd = fd, .ssl = ssl, .epoll = epoll, .owner = owner};
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (ssl) {
		SSL_set_fd(ssl, fd);
		SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					  SSL_MODE_RELEASE_BUFFERS);
	}
	watch(w);
}

void wire_close(struct wire *w)
{
	SSL_free(w->ssl);
	if (w->fd >= 0)
		close(w->fd);
	free(w->rest);
	free(w->out);
	*w = (struct wire){.fd = -1};
}

/* What an operation of OpenSSL that moved nothing means: 0 later, -1 the end. */
static int explain(struct wire *w, int r)
{
	int error = SSL_get_error(w->ssl, r);
	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		return 0;
	ERR_clear_error();
	return -1;
}

static int explain_errno(void)
{
	return errno == EAGAIN || errno == EINTR ? 0 : -1;
}

/* The bytes moved, 0 for none now, -1 for the end. */
static ssize_t pull(struct wire *w, char *to, size_t n)
{
	if (w->ssl) {
		int r = SSL_read(w->ssl, to, (int)n);
		return r > 0 ? r : explain(w, r);
	}
	ssize_t got = recv(w->fd, to, n, 0);
	if (got == 0)
		return -1;
	return got > 0 ? got : explain_errno();
}

static ssize_t push(struct wire *w, const char *from, size_t n)
{
	if (w->ssl) {
		int r = SSL_write(w->ssl, from, (int)n);
		return r > 0 ? r : explain(w, r);
	}
	ssize_t sent = send(w->fd, from, n, MSG_NOSIGNAL);
	return sent >= 0 ? sent : explain_errno();
}

/* Hands on the whole lines of n bytes, moves what is left to the front, returns its length. */
static size_t split(struct wire *w, size_t n, wire_line *take)
{
	char *at = shared, *end = shared + n;
	for (;;) {
		char *lf = memchr(at, '\n', (size_t)(end - at));
		if (!lf)
			break;
		size_t length = (size_t)(lf - at);
		if (length && at[length - 1] == '\r')
			length--;
		take(w->owner, at, length);
		at = lf + 1;
	}
	memmove(shared, at, (size_t)(end - at));
	return (size_t)(end - at);
}

static void keep_rest(struct wire *w, size_t n)
{
	if (n > w->rest_size) {
		w->rest = mem_resize(w->rest, n, 1);
		w->rest_size = n;
	}
	if (n)
		memcpy(w->rest, shared, n);
	w->n_rest = n;
}

bool wire_read(struct wire *w, wire_line *take)
{
	size_t had = w->n_rest;
	ssize_t n = 0;
	if (had)
		memcpy(shared, w->rest, had);
	for (int i = 0; i < TURN && had < LONGEST; i++) {
		size_t room = sizeof(shared) - had;
		n = pull(w, shared + had, room);
		if (n <= 0)
			break;
		bool is_all = !w->ssl && (size_t)n < room;
		had = split(w, had + (size_t)n, take);
		if (is_all)
			break;
	}
	keep_rest(w, had);
	return n >= 0 && had < LONGEST;
}

char *wire_reserve(struct wire *w, size_t n)
{
	if (w->n_out + n > w->out_size) {
		w->out_size = (w->n_out + n) * 2;
		w->out = mem_resize(w->out, w->out_size, 1);
	}
	return w->out + w->n_out;
}

void wire_commit(struct wire *w, size_t n)
{
	w->n_out += n;
}

void wire_put(struct wire *w, const char *bytes, size_t n)
{
	memcpy(wire_reserve(w, n), bytes, n);
	wire_commit(w, n);
}

bool wire_flush(struct wire *w)
{
	ssize_t n = 0;
	size_t at = 0;
	while (at < w->n_out) {
		n = push(w, w->out + at, w->n_out - at);
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	w->n_out -= at;
	if (at && w->n_out)
		memmove(w->out, w->out + at, w->n_out);
	watch(w);
	return n >= 0;
}
