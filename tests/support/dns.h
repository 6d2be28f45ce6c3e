/*
 * dns: a name server for one name, whatever it is, on the same loop as what asks it.
 */
#ifndef EBB_TESTS_SUPPORT_DNS_H
#define EBB_TESTS_SUPPORT_DNS_H

#include "net/address.h"
#include "net/loop.h"

enum { DNS_BYTES = 2048 };

/* How questions for one type are answered. */
struct dns_type {
	const char *addresses; /* with spaces between them; NULL: none */
	bool is_swallowed;
	int64_t delay_ns;
	int asked;

	struct timer late; /* an answer that waits */
	unsigned char packet[DNS_BYTES];
	size_t n;
	struct sockaddr_storage to;
	socklen_t n_to;
	struct dns *dns;
};

struct dns {
	struct loop *loop;
	int udp, listener, tcp; /* tcp: the connection; -1: none */
	struct loop_fd udp_watch, listener_watch, tcp_watch;
	char csv[ADDRESS_TEXT_BYTES]; /* its address, as resolver_options wants it */
	struct dns_type a, aaaa;
	int rcode;
	bool wants_tcp;     /* answers over UDP are marked as truncated, and empty */
	bool sends_garbage; /* behind the head */
	bool is_cut;        /* answers end in the middle of a record */
	int asked_tcp;
};

/* On a port of 127.0.0.1 that the system chose. Does not move. */
void dns_init(struct dns *dns, struct loop *loop);
void dns_fini(struct dns *dns);

#endif
