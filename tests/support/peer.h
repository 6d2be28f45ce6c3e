/*
 * peer: the other end of a connection, on the same loop as what is tested; and what goes with it.
 */
#ifndef EBB_TESTS_SUPPORT_PEER_H
#define EBB_TESTS_SUPPORT_PEER_H

#include "net/address.h"
#include "net/stream.h"
#include "support/certs.h"
#include "support/check.h"

#include <openssl/ssl.h>

/* A loop of its own, on the system's clock. */
void test_loop_init(struct loop *loop);
void test_loop_fini(struct loop *loop);

/* Turns the loop until the condition holds; a test fails when that takes ten seconds. The first
 * turn does not wait: jobs that are pending may be all it takes. */
#define run_until(loop, condition)                                                       \
	do {                                                                             \
		int64_t run_until_end = clock_mono_ns(&clock_system) + 10 * NS_PER_S;    \
		while (!(condition)) {                                                   \
			ev_run((loop)->ev, EVRUN_NOWAIT);                                \
			if (condition)                                                   \
				break;                                                   \
			run_turn((loop), run_until_end, #condition, __FILE__, __LINE__); \
		}                                                                        \
	} while (0)
void run_turn(struct loop *loop, int64_t end_ns, const char *what, const char *file, int line);

/* A number of turns, none of which waits, in which anything could happen that should not. */
void run_idle(struct loop *loop);

size_t count_fds(void);

/* A listening socket on 127.0.0.1; its address in a. */
int listen_tcp(struct address *a);

/* Two ends of one TCP connection, both non-blocking. */
void tcp_pair(int fds[2]);

struct peer {
	struct loop *loop;
	int fd; /* owned */
	struct loop_fd watch;
	struct timer drip;
	SSL_CTX *context; /* NULL: plain */
	SSL *ssl;         /* on memory; its bytes go through wire and fd */
	struct buf got;   /* what the application sent to us */
	struct buf wire;  /* what waits to be sent */
	size_t reads;     /* times that bytes came: recv calls, or TLS records */
	bool is_dripping; /* one byte a turn */
	bool is_deaf;     /* reads nothing */
	bool is_accepted; /* the handshake is done */
	bool is_notified; /* close_notify came */
	bool is_eof, is_reset;
};

/* Takes fd. */
void peer_init(struct peer *p, struct loop *loop, int fd);

/* A server's. max_version: 0 for any. Returns owned. */
SSL_CTX *peer_context(const struct cert *cert, int max_version);

/* Takes context: one of several peers has the sessions of all. */
void peer_init_context(struct peer *p, struct loop *loop, int fd, SSL_CTX *context);

/* With a context of its own. */
void peer_init_tls(
	struct peer *p, struct loop *loop, int fd, const struct cert *cert, int max_version);

void peer_fini(struct peer *p);

/* Sends through TLS, where there is TLS. */
void peer_send(struct peer *p, struct str bytes);

/* Sends as it is. */
void peer_send_raw(struct peer *p, struct str bytes);

/* Sends what was done to p->ssl from outside. */
void peer_flush(struct peer *p);

void peer_listen(struct peer *p, bool listens);

/* Ends in good order; cuts without a word of TLS; resets. */
void peer_close(struct peer *p);
void peer_cut(struct peer *p);
void peer_reset(struct peer *p);

/* An owner of a stream that writes down what happens. */
struct probe {
	struct stream *s;
	struct buf got;
	int opened, datas, lows, closed;
	struct err why;
	const char *free_in; /* "open", "data", "low", "close": frees the stream there */
	bool leaves_data;
	const char *says; /* is written in on_open */
};

extern const struct stream_events probe_events;

void probe_init(struct probe *p);
void probe_fini(struct probe *p);

#endif
