#include "daemon/settings.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdlib.h>

enum { SENDQ_MAX_BYTES = 1024 * 1024 };

#define WHO_PACE_NS (2 * NS_PER_S)

static void add_caps(struct settings *settings, const struct config_names *caps)
{
	struct caps_options *o = &settings->options.caps;
	settings->more = mem_resize(NULL, caps->n, sizeof(*settings->more));
	settings->refused = mem_resize(NULL, caps->n, sizeof(*settings->refused));
	o->more = settings->more;
	o->refused = settings->refused;
	for (size_t i = 0; i < caps->n; i++) {
		const char *name = caps->names[i];
		if (name[0] == '-')
			settings->refused[o->n_refused++] = name + 1;
		else
			settings->more[o->n_more++] = name;
	}
}

static void add_login(struct session_options *o, const struct config_network *c)
{
	o->sasl.n_mechanisms = c->sasl.n;
	for (size_t i = 0; i < c->sasl.n; i++)
		o->sasl.mechanisms[i] = (enum sasl_mechanism)c->sasl.mechanisms[i];
	o->sasl.account = c->account ? c->account : c->nick;
	o->sasl.password = c->password;
	o->sasl.ecdsa_key = c->ecdsa_key;
	o->sasl.allows_plain = true; /* there is TLS, or tls = no was chosen */
	o->sasl_required = c->sasl_required;
	o->caps.wants_sasl = c->sasl.n > 0;
}

struct settings *settings_new(const struct config_network *c, bool has_policies)
{
	struct settings *made = mem_new(sizeof(*made));
	int64_t line_ns = c->flood_rate > 0 ? clock_from_seconds(1 / c->flood_rate) : 0;
	made->channels = mem_resize(NULL, c->channels.n, sizeof(*made->channels));
	for (size_t i = 0; i < c->channels.n; i++)
		made->channels[i] = (struct session_channel){
			c->channels.channels[i].name, c->channels.channels[i].key};
	made->options = (struct session_options){
		.network = c->name,
		.nick = c->nick,
		.alt_nicks = (const char *const *)c->alt_nicks.names,
		.n_alt_nicks = c->alt_nicks.n,
		.user = c->user ? c->user : c->nick,
		.realname = c->realname ? c->realname : c->nick,
		.password = c->server_password,
		.channels = made->channels,
		.n_channels = c->channels.n,
		.umodes = c->umodes,
		.sts = c->sts && has_policies,
		.who_ns = WHO_PACE_NS,
		.is_manual = c->registration == CONFIG_REGISTER_MANUAL,
		.register_timeout_ns = c->register_timeout_ns,
		.ping_interval_ns = c->ping_interval_ns,
		.ping_timeout_ns = c->ping_timeout_ns,
		.limits = {line_ns, (c->flood_burst - 1) * line_ns, (size_t)c->queue_max,
			   SENDQ_MAX_BYTES},
	};
	add_login(&made->options, c);
	add_caps(made, &c->caps);
	return made;
}

void settings_free(struct settings *settings)
{
	free(settings->channels);
	free(settings->more);
	free(settings->refused);
	free(settings);
}
