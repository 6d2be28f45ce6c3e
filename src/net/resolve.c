#include "net/resolve.h"

#include "base/mem.h"
#include "net/dnssocket.h"

#include <ares.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
	ares_channel files; /* looks into /etc/hosts only, and answers at once */
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
 * until all lookups are done; its `told` is NULL then. */
struct resolve {
	struct list node;
	struct resolver *resolver;
	struct resolver_channel *channel; /* NULL for an address as text */
	char *host;
	uint16_t port;
	int family;
	resolve_told *told;
	void *data;
	struct address literal;
	struct err why;
	struct lookup files;      /* first, alone, and answered at once */
	struct lookup ipv6, ipv4; /* where there is nothing in files */
	bool has_told;            /* an address */
	struct timer delay;
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
	if (channel->files)
		ares_destroy(channel->files);
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

static int set_up_files(struct resolver_channel *channel)
{
	char lookups[] = "f";
	struct ares_options o = {.lookups = lookups};
	return ares_init_options(&channel->files, &o, ARES_OPT_LOOKUPS);
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
	if (status == ARES_SUCCESS)
		ares_set_socket_functions(channel->ares, &dnssocket_functions, NULL);
	if (status == ARES_SUCCESS && options->servers)
		status = ares_set_servers_ports_csv(channel->ares, options->servers);
	if (status == ARES_SUCCESS)
		status = set_up_files(channel);
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
	return lookup->found && lookup->found->nodes;
}

static bool is_complete(const struct resolve *r)
{
	return !is_waiting(&r->files) && !is_waiting(&r->ipv6) && !is_waiting(&r->ipv4);
}

static void free_if_over(struct resolve *r)
{
	if (r->told || !is_complete(r))
		return;
	ares_freeaddrinfo(r->files.found);
	ares_freeaddrinfo(r->ipv6.found);
	ares_freeaddrinfo(r->ipv4.found);
	free(r->host);
	free(r);
}

static void detach(struct resolve *r)
{
	clock_release(r->resolver->loop->clock);
	r->told = NULL;
	list_remove(&r->node);
	timers_cancel(&r->resolver->loop->timers, &r->delay);
	job_cancel(&r->job);
}

struct found {
	struct address addresses[2 * RESOLVE_MAX];
	size_t n;
};

/* Moves what a lookup has found, RESOLVE_MAX of each family at most. */
static void take(struct resolve *r, struct lookup *lookup, struct found *to)
{
	size_t n4 = 0, n6 = 0;
	if (!lookup->found)
		return;
	for (struct ares_addrinfo_node *node = lookup->found->nodes; node; node = node->ai_next) {
		bool is_ipv4 = node->ai_family == AF_INET, is_ipv6 = node->ai_family == AF_INET6;
		if ((!is_ipv4 && !is_ipv6) || (is_ipv4 ? n4++ : n6++) >= RESOLVE_MAX)
			continue;
		struct address *a = &to->addresses[to->n++];
		a->n = node->ai_addrlen;
		memcpy(&a->sa, node->ai_addr, node->ai_addrlen);
		address_set_port(a, r->port);
	}
	ares_freeaddrinfo(lookup->found);
	lookup->found = NULL;
}

static void take_ready(struct resolve *r, struct found *to)
{
	to->n = 0;
	if (r->literal.n)
		to->addresses[to->n++] = r->literal;
	take(r, &r->files, to);
	take(r, &r->ipv6, to);
	take(r, &r->ipv4, to);
}

static const char *family_words(int family)
{
	return family == AF_INET ? "IPv4 " : family == AF_INET6 ? "IPv6 " : "";
}

/* That there is no such name, or no answer, tells more than that a family has no address. */
static int status_of(const struct resolve *r)
{
	if (!r->ipv4.is_asked)
		return r->ipv6.status;
	if (r->ipv6.is_asked && (r->ipv4.status == ARES_SUCCESS || r->ipv4.status == ARES_ENODATA))
		return r->ipv6.status;
	return r->ipv4.status;
}

/* c-ares does not tell why it could not ask anybody. */
static bool has_descriptor(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno != EMFILE && errno != ENFILE;
	close(fd);
	return true;
}

static void explain(struct resolve *r, int status)
{
	if (status == ARES_SUCCESS || status == ARES_ENODATA)
		err_set(&r->why, ERR_DNS, "cannot resolve %s: it has no %saddress", r->host,
			family_words(r->family));
	else if (!has_descriptor())
		err_set(&r->why, ERR_LIMIT, "cannot resolve %s: %s", r->host, errno_text(errno));
	else
		err_set(&r->why, ERR_DNS, "cannot resolve %s: %s", r->host,
			uncapitalized(ares_strerror(status)));
}

static void tell_last(struct resolve *r, const struct found *found)
{
	resolve_told *told = r->told;
	bool has_any = found->n > 0 || r->has_told;
	if (!has_any && r->why.code == 0)
		explain(r, status_of(r));
	detach(r);
	told(r->data, found->addresses, found->n, true, has_any ? NULL : &r->why);
	free_if_over(r);
}

/* After a call of told that is not the last, the resolve may be gone. */
static void tell(struct resolve *r)
{
	struct found found;
	take_ready(r, &found);
	if (is_complete(r)) {
		tell_last(r, &found);
	} else if (found.n > 0) {
		r->has_told = true;
		r->told(r->data, found.addresses, found.n, false, NULL);
	}
}

static void on_job(struct job *job)
{
	tell(container_of(job, struct resolve, job));
}

static void on_delay_over(struct timer *timer)
{
	tell(container_of(timer, struct resolve, delay));
}

/* May come inside ares_getaddrinfo, and inside ares_destroy for what was never answered. */
static void on_answer(void *data, int status, int timeouts, struct ares_addrinfo *found)
{
	(void)timeouts;
	struct lookup *lookup = data;
	struct resolve *r = lookup->resolve;
	struct loop *loop = r->resolver->loop;
	lookup->is_done = true;
	lookup->status = status;
	lookup->found = found;
	r->channel->asked--;
	release_if_done(r->channel);
	if (!r->told)
		free_if_over(r);
	else if (has_found(&r->ipv4) && is_waiting(&r->ipv6)) /* it waits for that a little */
		timers_after(&loop->timers, &r->delay, RESOLVE_DELAY_NS);
	else
		loop_defer(loop, &r->job);
}

static void ask(struct resolve *r, ares_channel channel, struct lookup *lookup, int family)
{
	const struct ares_addrinfo_hints hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
	lookup->resolve = r;
	lookup->is_asked = true;
	r->channel->asked++;
	ares_getaddrinfo(channel, r->host, NULL, &hints, on_answer, lookup);
}

/* Who writes a name into /etc/hosts, for one family as well, means these addresses and no others.
 */
static void look_up(struct resolve *r)
{
	int status = present_channel(r->resolver, &r->channel);
	if (status != ARES_SUCCESS) {
		explain(r, status);
		loop_defer(r->resolver->loop, &r->job);
		return;
	}
	ask(r, r->channel->files, &r->files, r->family);
	if (has_found(&r->files))
		return;
	if (r->family != AF_INET)
		ask(r, r->channel->ares, &r->ipv6, AF_INET6);
	if (r->family != AF_INET6)
		ask(r, r->channel->ares, &r->ipv4, AF_INET);
	set_timer(r->channel);
}

static void take_literal(struct resolve *r)
{
	int family = r->literal.sa.ss_family;
	if (r->family != AF_UNSPEC && r->family != family) {
		r->literal.n = 0;
		err_set(&r->why, ERR_DNS, "%s is no %saddress, and no other may be used", r->host,
			family_words(r->family));
	}
	loop_defer(r->resolver->loop, &r->job);
}

struct resolve *resolve_start(struct resolver *resolver, const char *host, uint16_t port,
	int family, resolve_told *told, void *data)
{
	struct resolve *r = mem_new(sizeof(*r));
	r->resolver = resolver;
	r->host = mem_strdup(host);
	r->port = port;
	r->family = family;
	r->told = told;
	r->data = data;
	r->delay.fire = on_delay_over;
	job_init(&r->job, on_job);
	list_append(&resolver->resolves, &r->node);
	clock_hold(resolver->loop->clock);
	if (address_parse(host, port, &r->literal))
		take_literal(r);
	else
		look_up(r);
	return r;
}

void resolve_cancel(struct resolve *r)
{
	if (!r || !r->told)
		return;
	detach(r);
	free_if_over(r);
}
