#include "daemon/ini.h"

#include "base/mem.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* inih cuts a line and a name where they would pass its arrays of 200 and 50 bytes. */
enum {
	LINE_BYTES = 198,
	NAME_BYTES = 49,
	FILE_BYTES = 16 << 20 /* tens of thousands of networks */
};

struct reader {
	struct ini *ini;
	ini_known *known;
	struct str rest; /* of the file; absent at its end */
	int line;
	bool has_key;    /* an indented line continues a value */
	bool is_kept;    /* that value is the last section's last; else its line had a fault */
	bool continues;  /* the line handed out goes on with it */
	bool is_guarded; /* and has a comma in front */
};

/* What inih gets to see of a line. */
struct handed {
	const char *before;
	struct str text;
};

static const struct handed nothing = {
	"", {"", 0}
};

static struct ini_section *last_section(const struct ini *ini)
{
	return ini->n_sections ? &ini->sections[ini->n_sections - 1] : NULL;
}

void ini_fault(struct ini *ini, const struct ini_section *section, int line, const char *fmt, ...)
{
	struct buf text;
	buf_init(&text, 16384);
	int r = section && *section->title ? buf_addf(&text, "[%s] ", section->title) : 0;
	if (r >= 0) {
		va_list ap;
		va_start(ap, fmt);
		r = buf_addv(&text, fmt, ap);
		va_end(ap);
	}
	if (r < 0 && buf_add(&text, STR("is too long to be told")) < 0)
		buf_reset(&text);
	ini->faults = mem_resize(ini->faults, ini->n_faults + 1, sizeof(*ini->faults));
	ini->faults[ini->n_faults++] = (struct ini_fault){line, buf_detach(&text)};
}

#define fault_here(r, ...) ini_fault((r)->ini, last_section((r)->ini), (r)->line, __VA_ARGS__)

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* To inih a form feed and a vertical tab are blanks, too. */
static bool is_text(struct str s)
{
	return !str_has(s, '\0') && !str_has(s, '\r') && !str_has(s, '\f') && !str_has(s, '\v');
}

static bool is_key_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.';
}

static bool is_key(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!is_key_byte(s.p[i]))
			return false;
	}
	return s.n > 0;
}

static struct str without_return(struct str s)
{
	if (s.n && s.p[s.n - 1] == '\r')
		s.n--;
	return s;
}

static struct str without_comment(struct str s)
{
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == ';' && is_blank(s.p[i - 1]))
			s.n = i;
	}
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* "#ebb" below a key is a channel, "# ebb" a comment. */
static bool is_comment(const struct reader *r, struct str s, bool is_indented)
{
	if (s.n == 0 || s.p[0] == ';')
		return true;
	if (s.p[0] != '#' || !is_indented || !r->has_key)
		return s.p[0] == '#';
	while (s.n && s.p[0] == '#')
		s = str_skip(s, 1);
	return s.n == 0 || is_blank(s.p[0]);
}

static void add_section(struct reader *r, struct str title)
{
	struct ini *ini = r->ini;
	struct buf text;
	buf_init(&text, title.n);
	struct str word;
	while ((word = str_word(&title, " \t")).p) {
		if (buf_addf(&text, "%s%" STR_F, text.n ? " " : "", STR_A(word)) < 0)
			break;
	}
	ini->sections = mem_resize(ini->sections, ini->n_sections + 1, sizeof(*ini->sections));
	ini->sections[ini->n_sections++] =
		(struct ini_section){.title = buf_detach(&text), .line = r->line};
	r->has_key = false;
}

/* Hands inih a header for each section, so that it ends the value above, whatever its title. */
static struct handed read_header(struct reader *r, struct str s, bool is_indented)
{
	struct str rest = str_skip(s, 1);
	size_t close = str_find(rest, ']');
	add_section(r, (struct str){rest.p, close});
	if (!*last_section(r->ini)->title)
		fault_here(r, "the section header is empty");
	if (is_indented)
		fault_here(r, "the section header is indented; begin it in the first column");
	if (close == rest.n)
		fault_here(r, "the section header has no closing ]");
	else if (str_trim(str_skip(rest, close + 1)).n)
		fault_here(r, "something follows the section header; give it a line of its own");
	if (close > NAME_BYTES)
		fault_here(r, "the section name is longer than %d bytes", NAME_BYTES);
	return (struct handed){"", STR("[]")};
}

static bool is_known_header(const struct reader *r, struct str s)
{
	struct str rest = str_skip(s, 1);
	return r->known(str_trim(str_cut(&rest, ']')), STR_NONE);
}

static bool is_known_key(const struct reader *r, struct str s)
{
	const struct ini_section *section = last_section(r->ini);
	while (s.n && s.p[0] == '#')
		s = str_skip(s, 1);
	struct str key = str_trim(str_cut(&s, '='));
	return s.p && section && r->known(str_of(section->title), key);
}

/* inih drops a continuation that begins with "#": a comma shields it. Commented lines and keys
 * that were indented by mistake must not end up in the value above. */
static struct handed read_continuation(struct reader *r, struct str s)
{
	if (!r->has_key || is_known_key(r, s)) {
		fault_here(r,
			"the line is indented, as one that continues the value above%s; begin it "
			"in the first column",
			r->has_key ? "" : ", and there is none");
		return nothing;
	}
	if (!r->is_kept)
		return nothing;
	r->continues = true;
	r->is_guarded = s.p[0] == '#';
	return (struct handed){r->is_guarded ? " ," : " ", s};
}

/* A pair with a fault takes the lines that continue it along. */
static struct handed read_pair(struct reader *r, struct str s)
{
	struct str rest = s, key = str_trim(str_cut(&rest, '='));
	r->has_key = true;
	r->is_kept = false;
	if (!rest.p) {
		fault_here(r, "the line has no \"=\"; write KEY = VALUE");
		return nothing;
	}
	if (!is_key(key) || key.n > NAME_BYTES) {
		fault_here(r,
			"what stands before \"=\" is no key: 1 to %d of the letters, the digits "
			"and _ - .",
			NAME_BYTES);
		return nothing;
	}
	if (!last_section(r->ini)) {
		add_section(r, STR_NONE);
		fault_here(r, "%" STR_F ": stands before the first section header", STR_A(key));
		r->has_key = true;
	}
	return (struct handed){"", s};
}

static struct handed read_too_long(struct reader *r, bool is_indented)
{
	fault_here(r, "the line is longer than %d bytes", LINE_BYTES);
	if (!is_indented) {
		r->has_key = true;
		r->is_kept = false;
	}
	return nothing;
}

static struct handed read_line(struct reader *r, struct str s)
{
	if (!is_text(s)) {
		fault_here(r, "the line holds a NUL, a carriage return or a form feed; the file "
			      "must be text");
		return nothing;
	}
	s = without_comment(s);
	bool is_indented = s.n && is_blank(s.p[0]);
	struct str text = str_trim(s);
	if (is_comment(r, text, is_indented))
		return nothing;
	if (text.p[0] == '[' && (!is_indented || !r->has_key || is_known_header(r, text)))
		return read_header(r, text, is_indented);
	if (s.n > LINE_BYTES)
		return read_too_long(r, is_indented);
	return is_indented ? read_continuation(r, text) : read_pair(r, text);
}

static bool next_raw(struct reader *r, struct str *line)
{
	if (r->rest.n == 0)
		return false;
	*line = without_return(str_cut(&r->rest, '\n'));
	r->line++;
	if (r->line == 1 && str_starts(*line, STR("\xef\xbb\xbf")))
		*line = str_skip(*line, 3);
	return true;
}

/* The reader of ini_parse_stream: one line for each of the file's, empty for what is left out. */
static char *hand_out(char *out, int size, void *data)
{
	struct reader *r = data;
	struct str line;
	r->continues = false;
	if (!next_raw(r, &line)) {
		mem_wipe(out, (size_t)size);
		return NULL;
	}
	struct handed h = read_line(r, line);
	snprintf(out, (size_t)size, "%s%" STR_F, h.before, STR_A(h.text));
	return out;
}

static const struct ini_entry *find_entry(const struct ini_section *section, const char *key)
{
	for (size_t i = 0; i < section->n_entries; i++) {
		if (strcmp(section->entries[i].key, key) == 0)
			return &section->entries[i];
	}
	return NULL;
}

static void add_entry(struct reader *r, const char *key, const char *value)
{
	struct ini_section *section = last_section(r->ini);
	const struct ini_entry *other = find_entry(section, key);
	r->is_kept = !other;
	if (other) {
		fault_here(
			r, "%s: stands in line %d already; keep one of the two", key, other->line);
		return;
	}
	section->entries =
		mem_resize(section->entries, section->n_entries + 1, sizeof(*section->entries));
	section->entries[section->n_entries++] =
		(struct ini_entry){mem_strdup(key), mem_strdup(value), r->line};
}

static void extend_entry(struct reader *r, const char *more)
{
	struct ini_section *section = last_section(r->ini);
	struct ini_entry *e = &section->entries[section->n_entries - 1];
	size_t n = strlen(e->value) + strlen(more) + 2;
	char *value = mem_new(n);
	snprintf(value, n, "%s%s%s", e->value, *e->value ? "\n" : "", more);
	mem_wipe_free(e->value);
	e->value = value;
}

/* The handler of ini_parse_stream, called while the line handed out last is the current one. */
static int on_pair(void *data, const char *title, const char *key, const char *value)
{
	struct reader *r = data;
	(void)title;
	if (!r->continues)
		add_entry(r, key, value);
	else
		extend_entry(r, value + r->is_guarded);
	return 1;
}

static void refuse_empty_values(struct ini *ini)
{
	for (size_t i = 0; i < ini->n_sections; i++) {
		const struct ini_section *section = &ini->sections[i];
		for (size_t k = 0; k < section->n_entries; k++) {
			const struct ini_entry *e = &section->entries[k];
			if (!*e->value)
				ini_fault(ini, section, e->line,
					"%s: is empty; give it a value or remove the line", e->key);
		}
	}
}

static void parse(struct ini *ini, struct str bytes, ini_known *known)
{
	struct reader r = {.ini = ini, .known = known, .rest = bytes};
	int line = ini_parse_stream(hand_out, &r, on_pair, &r);
	if (line != 0)
		ini_fault(ini, NULL, line > 0 ? line : 0, "the line cannot be read");
	refuse_empty_values(ini);
}

/* How many bytes were read, or an errno as a negative. */
static ssize_t read_bytes(const char *path, char *bytes, size_t size)
{
	FILE *f = fopen(path, "re");
	if (!f)
		return -errno;
	setvbuf(f, NULL, _IONBF, 0); /* no copy of a secret stays behind */
	size_t n = fread(bytes, 1, size, f);
	ssize_t r = ferror(f) ? -errno : (ssize_t)n;
	fclose(f);
	return r;
}

void ini_load(struct ini *ini, const char *path, ini_known *known)
{
	char *bytes = mem_new(FILE_BYTES + 1);
	ssize_t n = read_bytes(path, bytes, FILE_BYTES + 1);
	if (n < 0)
		ini_fault(ini, NULL, 0, "%s", strerror((int)-n));
	else if (n > FILE_BYTES)
		ini_fault(ini, NULL, 0, "is larger than %d bytes", FILE_BYTES);
	else
		parse(ini, (struct str){bytes, (size_t)n}, known);
	mem_wipe(bytes, n < 0 ? FILE_BYTES + 1 : (size_t)n);
	free(bytes);
}

static void section_fini(struct ini_section *section)
{
	for (size_t i = 0; i < section->n_entries; i++) {
		free(section->entries[i].key);
		mem_wipe_free(section->entries[i].value);
	}
	free(section->entries);
	free(section->title);
}

void ini_fini(struct ini *ini)
{
	for (size_t i = 0; i < ini->n_sections; i++)
		section_fini(&ini->sections[i]);
	for (size_t i = 0; i < ini->n_faults; i++)
		free(ini->faults[i].text);
	free(ini->sections);
	free(ini->faults);
	*ini = (struct ini){0};
}

/* Insertion, for it keeps the order of what stands in one line. */
static void sort_faults(struct ini_fault *faults, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct ini_fault f = faults[i];
		size_t k = i;
		for (; k > 0 && faults[k - 1].line > f.line; k--)
			faults[k] = faults[k - 1];
		faults[k] = f;
	}
}

void ini_report(struct ini *ini, const char *path, struct buf *errors)
{
	sort_faults(ini->faults, ini->n_faults);
	int r = 0;
	for (size_t i = 0; i < ini->n_faults && r >= 0; i++) {
		const struct ini_fault *f = &ini->faults[i];
		r = f->line ? buf_addf(errors, "%s:%d: %s\n", path, f->line, f->text)
			    : buf_addf(errors, "%s: %s\n", path, f->text);
	}
}
