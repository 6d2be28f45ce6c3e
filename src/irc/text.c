#include "irc/text.h"

#include "base/utf8.h"

#include <assert.h>
#include <unigbrk.h>

enum { WINDOW_BYTES = 16 };

static const char reset = '\x0f', palette_colour = '\x03', hex_colour = '\x04';

/* Bold, italic, underline, strikethrough, monospace, reverse. */
static const struct str toggles = STR_CONST("\x02\x1d\x1f\x1e\x11\x16");

bool text_is_utf8(struct str s)
{
	while (s.n) {
		size_t n = utf8_size(s);
		if (n == 0)
			return false;
		s = str_skip(s, n);
	}
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

static bool is_colour(char c)
{
	return c == palette_colour || c == hex_colour;
}

/* The digits of a colour that s begins with: one or two, or six hexadecimal ones. */
static struct str colour_digits(char code, struct str s)
{
	bool with_hex = code == hex_colour;
	size_t n = 0, max = with_hex ? 6 : 2;
	while (n < s.n && n < max && (with_hex ? is_hex(s.p[n]) : is_digit(s.p[n])))
		n++;
	return (struct str){s.p, with_hex && n < max ? 0 : n};
}

/* A formatting code. */
struct code {
	size_t n; /* its bytes; 0: there is none */
	struct str fg, bg;
};

static struct code code_at(struct str s)
{
	struct code code = {.n = 1};
	char c = s.p[0];
	if (!is_colour(c)) {
		code.n = c == reset || str_has(toggles, c);
		return code;
	}
	code.fg = colour_digits(c, str_skip(s, 1));
	code.n += code.fg.n;
	struct str rest = str_skip(s, code.n);
	if (code.fg.n && rest.n && rest.p[0] == ',') {
		code.bg = colour_digits(c, str_skip(rest, 1));
		code.n += code.bg.n ? 1 + code.bg.n : 0;
	}
	return code;
}

static void apply_code(struct text_format *f, char c, const struct code *code)
{
	if (c == reset)
		*f = (struct text_format){0};
	else if (!is_colour(c))
		f->toggles ^= 1U << str_find(toggles, c);
	else if (!code->fg.n)
		f->fg = f->bg = (struct text_colour){0};
	if (code->fg.n)
		f->fg = (struct text_colour){c, code->fg};
	if (code->bg.n)
		f->bg = (struct text_colour){c, code->bg};
}

/* The longest run of whole characters that s begins with, of at most max bytes. */
static size_t valid_size(struct str s, size_t max)
{
	size_t n = 0;
	while (n < s.n) {
		size_t size = utf8_size(str_skip(s, n));
		if (size == 0 || n + size > max)
			break;
		n += size;
	}
	return n;
}

/* The size of the cluster that s begins with, or more than max. u8_grapheme_next would be shorter,
 * but looks at pairs of characters only, so takes flags and families for one each. */
static size_t cluster_size(struct str s, size_t max)
{
	char breaks[TEXT_CLUSTER_MAX_BYTES];
	for (size_t window = WINDOW_BYTES;; window *= 2) {
		size_t n = valid_size(s, window);
		u8_grapheme_breaks((const uint8_t *)s.p, n, breaks);
		for (size_t i = 1; i < n; i++)
			if (breaks[i])
				return i;
		bool is_all = n == s.n || utf8_size(str_skip(s, n)) == 0;
		if (is_all || n > max || window == TEXT_CLUSTER_MAX_BYTES)
			return n;
	}
}

static bool is_ascii(char c)
{
	return (unsigned char)c < 0x80;
}

enum token_kind { TOKEN_CODE, TOKEN_SPACE, TOKEN_GLYPH };

struct token {
	enum token_kind kind;
	size_t n;
};

/* A glyph of more than max bytes may be longer than told. */
static struct token token_at(struct str s, size_t max)
{
	size_t n = code_at(s).n;
	if (n)
		return (struct token){TOKEN_CODE, n};
	if ((s.n == 1 || is_ascii(s.p[1])) && is_ascii(s.p[0]) && s.p[0] != '\r')
		n = 1; /* of these only CR LF is a cluster of two */
	else
		n = utf8_size(s) ? cluster_size(s, max) : 1;
	return (struct token){n == 1 && s.p[0] == ' ' ? TOKEN_SPACE : TOKEN_GLYPH, n};
}

/* Whether a word ends where s begins, codes aside. */
static bool is_word_end(struct str s)
{
	while (s.n) {
		struct token t = token_at(s, 0);
		if (t.kind != TOKEN_CODE)
			return t.kind == TOKEN_SPACE;
		s = str_skip(s, t.n);
	}
	return true;
}

/* What fits of a text. */
struct fit {
	size_t n;       /* all whole tokens */
	size_t visible; /* the same without the codes behind */
	size_t words;   /* whole words, without the spaces behind */
	bool in_word;
};

static void measure(struct fit *f, struct str s, size_t max)
{
	*f = (struct fit){0};
	while (f->n < s.n) {
		struct token t = token_at(str_skip(s, f->n), max - f->n);
		if (t.n > max - f->n)
			return;
		f->n += t.n;
		if (t.kind == TOKEN_CODE)
			continue;
		if (t.kind == TOKEN_SPACE && f->in_word)
			f->words = f->visible;
		f->in_word = t.kind == TOKEN_GLYPH;
		f->visible = f->n;
	}
}

/* How much of s, which is longer, makes a part; 0 where it begins with a code that is too long. */
static size_t part_size(struct str s, size_t max, bool *at_word)
{
	struct fit f;
	measure(&f, s, max);
	if (f.in_word && is_word_end(str_skip(s, f.n)))
		f.words = f.visible;
	*at_word = f.words > 0;
	if (f.words)
		return f.words;
	if (f.visible)
		return f.visible;
	return f.n || code_at(s).n ? f.n : valid_size(s, max);
}

static void skip_token(struct text_cut *c, size_t n)
{
	struct code code = code_at(c->rest);
	if (code.n)
		apply_code(&c->format, c->rest.p[0], &code);
	c->rest = str_skip(c->rest, n);
}

/* Passes over a part: only codes matter. */
static void skip_part(struct text_cut *c, size_t n)
{
	const char *end = c->rest.p + n;
	while (c->rest.p < end) {
		size_t size = code_at(c->rest).n;
		skip_token(c, size ? size : 1);
	}
}

/* Passes over what no part needs where a text was cut. */
static void skip_cut(struct text_cut *c, bool with_spaces)
{
	while (c->rest.n) {
		struct token t = token_at(c->rest, 0);
		if (t.kind == TOKEN_GLYPH || (t.kind == TOKEN_SPACE && !with_spaces))
			return;
		skip_token(c, t.n);
	}
	c->rest = STR_NONE;
}

static size_t put(struct text_cut *c, size_t n, struct str s)
{
	assert(s.n <= sizeof(c->carried) - n);
	memcpy(c->carried + n, s.p, s.n);
	return n + s.n;
}

static size_t put_digits(struct text_cut *c, size_t n, struct str digits)
{
	if (digits.n == 1)
		n = put(c, n, STR("0"));
	return put(c, n, digits);
}

static size_t put_code(struct text_cut *c, size_t n, char code, struct str fg)
{
	n = put(c, n, (struct str){&code, 1});
	return put_digits(c, n, fg);
}

/* A background needs a foreground before it, which may be of the other kind. */
static size_t put_colours(struct text_cut *c)
{
	const struct text_colour *fg = &c->format.fg, *bg = &c->format.bg;
	bool is_together = fg->code == bg->code;
	struct str other = bg->code == hex_colour ? STR("000000") : STR("99");
	size_t n = 0;
	if (bg->code) {
		n = put_code(c, n, bg->code, is_together ? fg->digits : other);
		n = put_digits(c, put(c, n, STR(",")), bg->digits);
	}
	if (fg->code && !is_together)
		n = put_code(c, n, fg->code, fg->digits);
	return n;
}

static struct str carry(struct text_cut *c)
{
	size_t n = put_colours(c), n_colours = n;
	for (size_t i = 0; i < toggles.n; i++)
		if (c->format.toggles & 1U << i)
			n = put(c, n, (struct str){toggles.p + i, 1});
	/* ",5" of the text must not be read as a background */
	bool is_open = n && n == n_colours && c->format.fg.code != c->format.bg.code;
	if (is_open && c->rest.n && c->rest.p[0] == ',')
		n = put(c, n, STR("\x02\x02"));
	if (n + TEXT_PART_MIN_BYTES > c->max_bytes)
		n = 0;
	return (struct str){c->carried, n};
}

void text_cut_begin(struct text_cut *c, struct str text, size_t max_bytes)
{
	assert(max_bytes >= TEXT_PART_MIN_BYTES);
	*c = (struct text_cut){.rest = text, .max_bytes = max_bytes};
}

bool text_cut_next(struct text_cut *c, struct str *carried, struct str *part)
{
	if (!c->rest.p)
		return false;
	*carried = carry(c);
	*part = c->rest;
	if (c->rest.n <= c->max_bytes - carried->n) {
		c->rest = STR_NONE;
		return true;
	}
	bool at_word;
	part->n = part_size(c->rest, c->max_bytes - carried->n, &at_word);
	skip_part(c, part->n);
	skip_cut(c, at_word);
	return part->n > 0 || text_cut_next(c, carried, part);
}

static int scrub_some(struct buf *out, struct str text)
{
	int r = 0;
	while (r == 0 && text.n) {
		size_t n = valid_size(text, text.n);
		r = buf_add(out, n ? (struct str){text.p, n} : STR("\xef\xbf\xbd"));
		text = str_skip(text, n ? n : 1);
	}
	return r;
}

int text_scrub(struct buf *out, struct str text)
{
	size_t n = buf_str(out).n;
	int r = scrub_some(out, text);
	if (r < 0)
		buf_truncate(out, n);
	return r;
}
