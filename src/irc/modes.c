#include "irc/modes.h"

enum { TYPE_A, TYPE_B, TYPE_C, TYPE_D };

void modes_begin(struct mode_reader *r, const struct isupport *is, struct str modes,
	const struct str *params, size_t n_params)
{
	*r = (struct mode_reader){is, modes, params, n_params, true};
}

static bool is_in(const char *modes, char mode)
{
	return str_has(str_of(modes), mode);
}

static bool takes_param(const struct isupport *is, char mode, bool set)
{
	return is_in(is->prefix_modes, mode) || is_in(is->chanmodes[TYPE_A], mode) ||
	       is_in(is->chanmodes[TYPE_B], mode) || (set && is_in(is->chanmodes[TYPE_C], mode));
}

static struct str take_param(struct mode_reader *r)
{
	if (r->n_params == 0)
		return STR_NONE;
	r->n_params--;
	return *r->params++;
}

bool modes_next(struct mode_reader *r, struct mode_change *out)
{
	while (r->modes.n) {
		char c = r->modes.p[0];
		r->modes = str_skip(r->modes, 1);
		if (c == '+' || c == '-') {
			r->set = c == '+';
			continue;
		}
		*out = (struct mode_change){r->set, c, STR_NONE};
		if (takes_param(r->is, c, r->set))
			out->param = take_param(r);
		return true;
	}
	return false;
}
