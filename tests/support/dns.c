#include "support/dns.h"

#include "support/check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { A = 1, AAAA = 28, HEAD_BYTES = 12 };

static size_t question_end(const unsigned char *packet)
{
	size_t at = HEAD_BYTES;
	while (packet[at])
		at += packet[at] + 1u;
	return at + 5;
}

static size_t add_record(unsigned char *packet, size_t n, int type, const void *bytes, size_t len)
{
	const unsigned char head[12] = {
		0xc0, HEAD_BYTES, 0, (unsigned char)type, 0, 1, 0, 0, 0, 60, 0, (unsigned char)len};
	if (n + sizeof(head) + len > DNS_BYTES)
		return n;
	memcpy(packet + n, head, sizeof(head));
	memcpy(packet + n + sizeof(head), bytes, len);
	packet[7]++;
	return n + sizeof(head) + len;
}

static size_t add_records(unsigned char *packet, size_t n, int type, const char *addresses)
{
	char list[2048];
	unsigned char bytes[16];
	snprintf(list, sizeof(list), "%s", addresses ? addresses : "");
	char *rest = list, *word;
	while ((word = strsep(&rest, " ")))
		if (inet_pton(type == A ? AF_INET : AF_INET6, word, bytes) == 1)
			n = add_record(packet, n, type, bytes, type == A ? 4 : 16);
	return n;
}

/* Turns the question in packet into its answer; returns its length. */
static size_t answer(struct dns *dns, unsigned char *packet, int type, bool is_udp)
{
	size_t n = question_end(packet);
	bool is_empty = dns->wants_tcp && is_udp;
	packet[2] = (unsigned char)(0x81 | (is_empty ? 2 : 0));
	packet[3] = (unsigned char)(0x80 | dns->rcode);
	memset(packet + 6, 0, 6);
	if (!is_empty)
		n = add_records(
			packet, n, type, type == A ? dns->a.addresses : dns->aaaa.addresses);
	if (dns->sends_garbage)
		memset(packet + 4, 0xee, n - 4);
	return dns->is_cut ? n - 3 : n;
}

static struct dns_type *type_of(struct dns *dns, const unsigned char *packet, int *number)
{
	*number = packet[question_end(packet) - 3];
	struct dns_type *type = *number == A ? &dns->a : &dns->aaaa;
	type->asked++;
	return type;
}

static void on_late(struct timer *timer)
{
	struct dns_type *t = container_of(timer, struct dns_type, late);
	sendto(t->dns->udp, t->packet, t->n, 0, (struct sockaddr *)&t->to, t->n_to);
}

static void on_udp(struct loop_fd *watch, int revents)
{
	(void)revents;
	struct dns *dns = container_of(watch, struct dns, udp_watch);
	unsigned char packet[DNS_BYTES];
	struct sockaddr_storage from;
	socklen_t n_from = sizeof(from);
	ssize_t got =
		recvfrom(dns->udp, packet, sizeof(packet), 0, (struct sockaddr *)&from, &n_from);
	if (got < HEAD_BYTES + 5)
		return;
	int number;
	struct dns_type *t = type_of(dns, packet, &number);
	if (t->is_swallowed)
		return;
	memcpy(t->packet, packet, sizeof(packet));
	t->n = answer(dns, t->packet, number, true);
	t->to = from;
	t->n_to = n_from;
	timers_after(&dns->loop->timers, &t->late, t->delay_ns);
}

static void hang_up(struct dns *dns)
{
	if (dns->tcp < 0)
		return;
	loop_fd_stop(dns->loop, &dns->tcp_watch);
	close(dns->tcp);
	dns->tcp = -1;
}

/* Questions come whole: loopback. */
static void on_tcp(struct loop_fd *watch, int revents)
{
	(void)revents;
	struct dns *dns = container_of(watch, struct dns, tcp_watch);
	unsigned char packet[2 + DNS_BYTES];
	if (recv(dns->tcp, packet, 2, 0) != 2) {
		hang_up(dns);
		return;
	}
	size_t n = (size_t)(packet[0] << 8 | packet[1]);
	int number;
	assert_true(n <= DNS_BYTES && recv(dns->tcp, packet + 2, n, 0) == (ssize_t)n);
	dns->asked_tcp++;
	type_of(dns, packet + 2, &number);
	n = answer(dns, packet + 2, number, false);
	packet[0] = (unsigned char)(n >> 8);
	packet[1] = (unsigned char)n;
	assert_int_equal(send(dns->tcp, packet, n + 2, MSG_NOSIGNAL), n + 2);
}

static void on_connection(struct loop_fd *watch, int revents)
{
	(void)revents;
	struct dns *dns = container_of(watch, struct dns, listener_watch);
	hang_up(dns);
	dns->tcp = accept4(dns->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (dns->tcp < 0)
		return;
	loop_fd_init(&dns->tcp_watch, dns->tcp, on_tcp);
	loop_fd_start(dns->loop, &dns->tcp_watch, EV_READ);
}

static int open_at(int type, struct address *at)
{
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&at->sa, at->n) == 0)
		return fd;
	close(fd);
	return -1;
}

static void open_both(struct dns *dns, struct address *at)
{
	do {
		assert_true(address_parse("127.0.0.1", 0, at));
		dns->udp = open_at(SOCK_DGRAM, at);
		assert_int_equal(getsockname(dns->udp, (struct sockaddr *)&at->sa, &at->n), 0);
		dns->listener = open_at(SOCK_STREAM, at);
		if (dns->listener < 0)
			close(dns->udp);
	} while (dns->listener < 0);
	assert_int_equal(listen(dns->listener, 4), 0);
}

void dns_init(struct dns *dns, struct loop *loop)
{
	struct address at;
	*dns = (struct dns){.loop = loop, .tcp = -1};
	dns->a.dns = dns->aaaa.dns = dns;
	dns->a.late.fire = dns->aaaa.late.fire = on_late;
	open_both(dns, &at);
	address_format(&at, dns->csv);
	loop_fd_init(&dns->udp_watch, dns->udp, on_udp);
	loop_fd_start(loop, &dns->udp_watch, EV_READ);
	loop_fd_init(&dns->listener_watch, dns->listener, on_connection);
	loop_fd_start(loop, &dns->listener_watch, EV_READ);
}

void dns_fini(struct dns *dns)
{
	hang_up(dns);
	timers_cancel(&dns->loop->timers, &dns->a.late);
	timers_cancel(&dns->loop->timers, &dns->aaaa.late);
	loop_fd_stop(dns->loop, &dns->udp_watch);
	loop_fd_stop(dns->loop, &dns->listener_watch);
	close(dns->udp);
	close(dns->listener);
}
