#include "net/resolve.h"

#include "base/mem.h"

#include <ares.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { TIMEOUT_MS = 2000, TRIES = 2 };

/* What tells one resolv.conf from the next. */
struct stamp {
	ino_t inode;
	struct timespec changed;
};

/* One reading of resolv.conf. A channel that was replaced stays until its last answer came. */
struct resolver_channel {
	struct list node;
	struct resolver *resolver;
	ares_channel ares;
	struct stamp stamp;
	unsigned asked; /* questions without answer */
	bool is_retired;
	struct list sockets;
	struct timer timer;
	struct job release;
};

struct socket {
	struct list node;
	struct resolver_channel *channel;
	struct loop_fd watch;
};

struct lookup {
	struct resolve *resolve;
	bool is_asked, is_done;
	int status;
	struct ares_addrinfo *found; /* owned */
};

/* c-ares gives a pointer back for each question whatever happens, so a resolve that is over stays
 * until both lookups are done; its `done` is NULL then. */
struct resolve {
	struct list node;
	struct resolver *resolver;
	struct resolver_channel *channel; /* NULL for an address as text */
	char *host;
	uint16_t port;
	resolve_done *done;
	void *data;
	struct address literal;
	struct err why;
	struct lookup both; /* IPv6 and IPv4, sorted */
	struct lookup ipv4; /* in case that the former takes too long */
	struct timer grace;
	struct job job;
};

/* the channel */

static void set_timer(struct resolver_channel *channel)
{
	struct timers *timers = &channel->resolver->loop->timers;
	struct timeval room;
	const struct timeval *left = ares_timeout(channel->ares, NULL, &room);
	if (left)
		timers_after(timers, &channel->timer,
			left->tv_sec * NS_PER_S + left->tv_usec * (NS_PER_S / 1000000));
	else
		timers_cancel(timers, &channel->timer);
}

static void process(struct resolver_channel *channel, int readable_fd, int writable_fd)
{
	ares_process_fd(channel->ares, readable_fd, writable_fd);
	set_timer(channel);
}

static void on_timer(struct timer *timer)
{
	process(container_of(timer, struct resolver_channel, timer), ARES_SOCKET_BAD,
		ARES_SOCKET_BAD);
}

static void on_socket(struct loop_fd *watch, int revents)
{
	struct resolver_channel *channel = container_of(watch, struct socket, watch)->channel;
	int fd = watch->io.fd;
	process(channel, revents & EV_READ ? fd : ARES_SOCKET_BAD,
		revents & EV_WRITE ? fd : ARES_SOCKET_BAD);
}

static struct socket *find_socket(struct resolver_channel *channel, int fd)
{
	list_each (node, &channel->sockets) {
		struct socket *socket = container_of(node, struct socket, node);
		if (socket->watch.io.fd == fd)
			return socket;
	}
	return NULL;
}

static struct socket *add_socket(struct resolver_channel *channel, int fd)
{
	struct socket *socket = mem_new(sizeof(*socket));
	socket->channel = channel;
	loop_fd_init(&socket->watch, fd, on_socket);
	list_append(&channel->sockets, &socket->node);
	return socket;
}

static void drop_socket(struct socket *socket)
{
	loop_fd_stop(socket->channel->resolver->loop, &socket->watch);
	list_remove(&socket->node);
	free(socket);
}

static void on_socket_state(void *data, ares_socket_t fd, int reads, int writes)
{
	struct resolver_channel *channel = data;
	struct socket *socket = find_socket(channel, fd);
	if (!reads && !writes) {
		if (socket)
			drop_socket(socket);
		return;
	}
	if (!socket)
		socket = add_socket(channel, fd);
	loop_fd_start(channel->resolver->loop, &socket->watch,
		(reads ? EV_READ : 0) | (writes ? EV_WRITE : 0));
}

static struct stamp read_stamp(const struct resolver *resolver)
{
	const char *path = resolver->options.resolv_conf;
	struct stat st;
	if (stat(path ? path : "/etc/resolv.conf", &st) < 0)
		return (struct stamp){0};
	return (struct stamp){st.st_ino, st.st_mtim};
}

static bool is_stale(const struct resolver_channel *channel)
{
	struct stamp now = read_stamp(channel->resolver);
	return now.inode != channel->stamp.inode ||
	       now.changed.tv_sec != channel->stamp.changed.tv_sec ||
	       now.changed.tv_nsec != channel->stamp.changed.tv_nsec;
}

static void channel_free(struct resolver_channel *channel)
{
	struct loop *loop = channel->resolver->loop;
	if (channel->ares)
		ares_destroy(channel->ares);
	list_each_safe (node, &channel->sockets)
		drop_socket(container_of(node, struct socket, node));
	timers_cancel(&loop->timers, &channel->timer);
	job_cancel(&channel->release);
	list_remove(&channel->node);
	free(channel);
}

static void on_release(struct job *job)
{
	channel_free(container_of(job, struct resolver_channel, release));
}

static void release_if_done(struct resolver_channel *channel)
{
	if (channel->is_retired && channel->asked == 0)
		loop_defer(channel->resolver->loop, &channel->release);
}

static int set_up(struct resolver_channel *channel, const struct resolver_options *options)
{
	int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
	struct ares_options o = {
		.timeout = options->timeout_ms ? options->timeout_ms : TIMEOUT_MS,
		.tries = TRIES,
		.sock_state_cb = on_socket_state,
		.sock_state_cb_data = channel,
	};
	if (options->resolv_conf) {
		o.resolvconf_path = (char *)(uintptr_t)options->resolv_conf; /* is copied */
		mask |= ARES_OPT_RESOLVCONF;
	}
	int status = ares_init_options(&channel->ares, &o, mask);
	if (status == ARES_SUCCESS && options->servers)
		status = ares_set_servers_ports_csv(channel->ares, options->servers);
	return status;
}

static int channel_new(struct resolver *resolver, struct resolver_channel **out)
{
	struct resolver_channel *channel = mem_new(sizeof(*channel));
	channel->resolver = resolver;
	channel->stamp = read_stamp(resolver);
	channel->timer.fire = on_timer;
	list_init(&channel->sockets);
	list_init(&channel->node);
	job_init(&channel->release, on_release);
	int status = set_up(channel, &resolver->options);
	if (status != ARES_SUCCESS) {
		channel_free(channel);
		return status;
	}
	list_append(&resolver->channels, &channel->node);
	*out = channel;
	return ARES_SUCCESS;
}

static int present_channel(struct resolver *resolver, struct resolver_channel **out)
{
	struct resolver_channel *channel = resolver->channel;
	if (channel && is_stale(channel)) {
		resolver->channel = NULL;
		channel->is_retired = true;
		release_if_done(channel);
	}
	int status = ARES_SUCCESS;
	if (!resolver->channel)
		status = channel_new(resolver, &resolver->channel);
	*out = resolver->channel;
	return status;
}

void resolver_init(
	struct resolver *resolver, struct loop *loop, const struct resolver_options *options)
{
	*resolver = (struct resolver){.loop = loop};
	if (options)
		resolver->options = *options;
	list_init(&resolver->channels);
	list_init(&resolver->resolves);
}

void resolver_fini(struct resolver *resolver)
{
	if (!resolver->loop)
		return;
	list_each_safe (node, &resolver->resolves)
		resolve_cancel(container_of(node, struct resolve, node));
	list_each_safe (node, &resolver->channels)
		channel_free(container_of(node, struct resolver_channel, node));
	*resolver = (struct resolver){0};
}

/* one question */

static bool is_waiting(const struct lookup *lookup)
{
	return lookup->is_asked && !lookup->is_done;
}

static bool has_found(const struct lookup *lookup)
{
	return lookup->is_done && lookup->status == ARES_SUCCESS && lookup->found &&
	       lookup->found->nodes;
}

static void free_if_over(struct resolve *r)
{
	if (r->done || is_waiting(&r->both) || is_waiting(&r->ipv4))
		return;
	ares_freeaddrinfo(r->both.found);
	ares_freeaddrinfo(r->ipv4.found);
	free(r->host);
	free(r);
}

static void detach(struct resolve *r)
{
	clock_release(r->resolver->loop->clock);
	r->done = NULL;
	list_remove(&r->node);
	timers_cancel(&r->resolver->loop->timers, &r->grace);
	job_cancel(&r->job);
}

static size_t count(const struct ares_addrinfo *found)
{
	size_t n = 0;
	for (const struct ares_addrinfo_node *node = found->nodes; node; node = node->ai_next)
		n++;
	return n;
}

static size_t copy_addresses(const struct ares_addrinfo *found, uint16_t port, struct address **out)
{
	struct address *addresses = mem_new(count(found) * sizeof(*addresses));
	size_t n = 0;
	for (const struct ares_addrinfo_node *node = found->nodes; node; node = node->ai_next) {
		if (node->ai_family != AF_INET && node->ai_family != AF_INET6)
			continue;
		struct address *a = &addresses[n++];
		a->n = node->ai_addrlen;
		memcpy(&a->sa, node->ai_addr, node->ai_addrlen);
		address_set_port(a, port);
	}
	*out = addresses;
	return n;
}

static const struct lookup *chosen(const struct resolve *r)
{
	if (has_found(&r->both))
		return &r->both;
	return has_found(&r->ipv4) ? &r->ipv4 : NULL;
}

static void fail(struct resolve *r, int status)
{
	if (status == ARES_SUCCESS)
		status = ARES_ENODATA;
	err_set(&r->why, ERR_DNS, "cannot resolve %s: %s", r->host,
		uncapitalized(ares_strerror(status)));
}

static void deliver(struct resolve *r)
{
	resolve_done *done = r->done;
	const struct lookup *lookup = chosen(r);
	struct address *addresses = NULL;
	size_t n = 0;
	if (lookup)
		n = copy_addresses(lookup->found, r->port, &addresses);
	else if (r->both.is_done)
		fail(r, r->both.status);
	detach(r);
	if (r->literal.n)
		done(r->data, &r->literal, 1, NULL);
	else
		done(r->data, addresses, n, n ? NULL : &r->why);
	free(addresses);
	free_if_over(r);
}

static void on_job(struct job *job)
{
	deliver(container_of(job, struct resolve, job));
}

static void on_grace_over(struct timer *timer)
{
	deliver(container_of(timer, struct resolve, grace));
}

static void decide(struct resolve *r)
{
	struct loop *loop = r->resolver->loop;
	if (has_found(&r->both) || (r->both.is_done && !is_waiting(&r->ipv4)))
		loop_defer(loop, &r->job);
	else if (has_found(&r->ipv4) && !timer_is_set(&r->grace))
		timers_after(&loop->timers, &r->grace, RESOLVE_GRACE_NS);
}

/* May come inside ares_getaddrinfo, and inside ares_destroy for what was never answered. */
static void on_answer(void *data, int status, int timeouts, struct ares_addrinfo *found)
{
	(void)timeouts;
	struct lookup *lookup = data;
	struct resolve *r = lookup->resolve;
	lookup->is_done = true;
	lookup->status = status;
	lookup->found = found;
	r->channel->asked--;
	release_if_done(r->channel);
	if (r->done)
		decide(r);
	else
		free_if_over(r);
}

static void ask(struct resolve *r, struct lookup *lookup, int family)
{
	const struct ares_addrinfo_hints hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
	lookup->resolve = r;
	lookup->is_asked = true;
	r->channel->asked++;
	ares_getaddrinfo(r->channel->ares, r->host, NULL, &hints, on_answer, lookup);
}

static void ask_servers(struct resolve *r)
{
	int status = present_channel(r->resolver, &r->channel);
	if (status != ARES_SUCCESS) {
		fail(r, status);
		loop_defer(r->resolver->loop, &r->job);
		return;
	}
	ask(r, &r->both, AF_UNSPEC);
	if (is_waiting(&r->both))
		ask(r, &r->ipv4, AF_INET);
	set_timer(r->channel);
}

struct resolve *resolve_start(
	struct resolver *resolver, const char *host, uint16_t port, resolve_done *done, void *data)
{
	struct resolve *r = mem_new(sizeof(*r));
	r->resolver = resolver;
	r->host = mem_strdup(host);
	r->port = port;
	r->done = done;
	r->data = data;
	r->grace.fire = on_grace_over;
	job_init(&r->job, on_job);
	list_append(&resolver->resolves, &r->node);
	clock_hold(resolver->loop->clock);
	if (address_parse(host, port, &r->literal))
		loop_defer(resolver->loop, &r->job);
	else
		ask_servers(r);
	return r;
}

void resolve_cancel(struct resolve *r)
{
	if (!r || !r->done)
		return;
	detach(r);
	free_if_over(r);
}
