#include "support/duet.h"

static int start(struct duet *d)
{
	int fds[2];
	if (!d->loop.ev)
		test_loop_init(&d->loop);
	tcp_pair(fds);
	d->ours = fds[0];
	probe_init(&d->probe);
	if (!d->context) {
		const struct tls_files files = {.ca = d->certs.ca_file};
		assert_int_equal(tls_context_new(&files, &d->context, &d->err), 0);
	}
	return fds[1];
}

void duet_serve(struct duet *d, const struct cert *cert, int max_version)
{
	int fd = start(d);
	peer_init_tls(&d->peer, &d->loop, fd, cert, max_version);
}

void duet_serve_again(struct duet *d, SSL_CTX *context)
{
	int fd = start(d);
	SSL_CTX_up_ref(context);
	peer_init_context(&d->peer, &d->loop, fd, context);
}

void duet_serve_plain(struct duet *d)
{
	int fd = start(d);
	peer_init(&d->peer, &d->loop, fd);
}

void duet_set_files(struct duet *d, const struct tls_files *files)
{
	tls_context_free(d->context);
	d->context = NULL;
	assert_int_equal(tls_context_new(files, &d->context, &d->err), 0);
}

void duet_dial(struct duet *d, const struct tls_options *options)
{
	assert_int_equal(tls_stream_new(&d->loop, d->context, d->ours, options, &probe_events,
				 &d->probe, &d->probe.s, &d->err),
		0);
}

void duet_dial_verified(struct duet *d)
{
	const struct tls_options options = {.host = "localhost", .verify = true};
	duet_dial(d, &options);
}

void duet_open(struct duet *d, int max_version)
{
	duet_serve(d, &d->certs.good, max_version);
	duet_dial_verified(d);
	run_until(&d->loop, d->probe.opened && d->peer.is_accepted);
}

void duet_say(struct duet *d, const char *bytes)
{
	assert_int_equal(stream_write(d->probe.s, str_of(bytes)), 0);
}

void duet_hang_up(struct duet *d)
{
	probe_fini(&d->probe);
	d->probe.s = NULL;
	if (d->peer.loop)
		peer_fini(&d->peer);
	d->peer.loop = NULL;
	run_idle(&d->loop);
}

void duet_end(struct duet *d)
{
	duet_hang_up(d);
	tls_context_free(d->context);
	d->context = NULL;
	test_loop_fini(&d->loop);
	d->loop.ev = NULL;
}
