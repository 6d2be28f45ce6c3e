#include "net/lines.h"

void lines_reset(struct lines *l)
{
	*l = (struct lines){.dropped = l->dropped};
}

static void skip(struct lines *l, struct buf *in, size_t n, bool is_end)
{
	if (!l->is_skipping)
		l->dropped++;
	l->is_skipping = !is_end;
	l->searched = 0;
	buf_consume(in, n);
}

static struct str without_cr(struct str line)
{
	while (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

bool lines_next(struct lines *l, struct buf *in, struct str *line)
{
	buf_consume(in, l->taken);
	l->taken = 0;
	for (;;) {
		struct str rest = buf_str(in);
		size_t at = l->searched + str_find(str_skip(rest, l->searched), '\n');
		bool is_complete = at < rest.n;
		*line = (struct str){rest.p, at};
		if (is_complete)
			*line = without_cr(*line);
		size_t most = is_complete ? LINES_MAX : LINES_MAX + 1; /* it may be the CR */
		if (l->is_skipping || line->n > most) {
			skip(l, in, is_complete ? at + 1 : at, is_complete);
		} else if (is_complete && line->n) {
			l->taken = at + 1;
			l->searched = 0;
			return true;
		} else if (is_complete) {
			l->searched = 0;
			buf_consume(in, at + 1);
		} else {
			l->searched = at;
		}
		if (!is_complete)
			return false;
	}
}
