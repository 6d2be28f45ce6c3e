#include "daemon/policies.h"

#include "base/log.h"
#include "base/mem.h"
#include "daemon/statefile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t wall_of(const struct policies *p)
{
	return clock_wall_ns(p->loop->clock);
}

static void warn(struct policies *p, const struct err *why)
{
	if (!p->is_told)
		log_warn("sts policies are not kept: %s", why->text);
	p->is_told = true;
}

static void write_all(struct policies *p)
{
	struct buf text;
	struct err why;
	buf_init(&text, STS_TEXT_MAX_BYTES);
	p->written_ns = p->loop->timers.now_ns;
	int r = sts_write(&p->sts, wall_of(p), &text);
	if (r < 0)
		err_set(&why, r, "%s: there is no room for them", p->path);
	else
		r = statefile_write(p->path, buf_str(&text), &why);
	buf_fini(&text);
	if (r < 0)
		warn(p, &why);
	else
		p->is_told = false;
}

static void on_due(struct timer *t)
{
	write_all(container_of(t, struct policies, due));
}

static void set_due(struct policies *p)
{
	int64_t at_ns = p->loop->timers.now_ns;
	if (!p->path) {
		if (!p->is_told)
			log_info("sts policies are not kept: no state_dir");
		p->is_told = true;
		return;
	}
	if (p->written_ns >= 0 && at_ns < p->written_ns + POLICIES_PACE_NS)
		at_ns = p->written_ns + POLICIES_PACE_NS;
	if (!timer_is_set(&p->due))
		timers_set(&p->loop->timers, &p->due, at_ns);
}

void policies_init(struct policies *p, struct loop *loop)
{
	*p = (struct policies){.loop = loop, .due.fire = on_due, .written_ns = -1};
}

static char *path_in(const char *folder)
{
	size_t n = strlen(folder) + sizeof("/sts");
	char *path = mem_resize(NULL, n, 1);
	snprintf(path, n, "%s/sts", folder);
	return path;
}

static int read_all(struct policies *p)
{
	struct buf text;
	struct err why;
	buf_init(&text, STATEFILE_MAX_BYTES);
	int r = statefile_read(p->path, &text, &why);
	int n_bad = r < 0 || buf_str(&text).n == 0 ? 0 : sts_read(&p->sts, buf_str(&text), &why);
	if (n_bad)
		log_warn("%s: %d lines are no policies: %s", p->path, n_bad, why.text);
	if (r < 0)
		warn(p, &why);
	buf_fini(&text);
	return r;
}

void policies_open(struct policies *p, const char *folder)
{
	if (!folder)
		return;
	p->path = path_in(folder);
	if (read_all(p) == 0)
		return;
	free(p->path);
	p->path = NULL;
}

void policies_fini(struct policies *p)
{
	if (timer_is_set(&p->due)) {
		timers_cancel(&p->loop->timers, &p->due);
		write_all(p);
	}
	policies_refresh(p);
	sts_fini(&p->sts);
	free(p->path);
	p->path = NULL;
}

uint16_t policies_port(const struct policies *p, struct str host)
{
	return sts_get(&p->sts, host, wall_of(p));
}

void policies_learn(struct policies *p, struct str host, uint16_t port, int64_t duration_ns)
{
	uint16_t before = policies_port(p, host);
	if (!sts_set(&p->sts, host, port, duration_ns, wall_of(p)))
		return;
	log_debug("%" STR_F ": sts policy: port %u, %lld s", STR_A(host), port,
		(long long)(duration_ns / NS_PER_S));
	if (before || duration_ns)
		set_due(p);
}

void policies_touch(struct policies *p, struct str host)
{
	sts_touch(&p->sts, host, wall_of(p));
	if (policies_port(p, host))
		set_due(p);
}

struct tls_context *policies_context(struct policies *p, struct err *err)
{
	static const struct tls_files files;
	if (!p->context && tls_context_new(&files, &p->context, err) < 0)
		p->context = NULL;
	return p->context;
}

void policies_refresh(struct policies *p)
{
	tls_context_free(p->context);
	p->context = NULL;
}
