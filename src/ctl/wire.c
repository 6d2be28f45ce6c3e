#include "ctl/wire.h"

#include "base/utf8.h"

#include <stdlib.h>

/* Enough for any figure that is shown, and 0.007 stays 0.007. */
#define DUMP_FLAGS (JSON_COMPACT | JSON_REAL_PRECISION(15))

static json_t *repaired(struct str s)
{
	struct buf b;
	buf_init(&b, SIZE_MAX / 8);
	int r = 0;
	while (s.n && r == 0) {
		size_t n = utf8_size(s);
		r = buf_add(&b, n ? (struct str){s.p, n} : STR("\xef\xbf\xbd"));
		s = str_skip(s, n ? n : 1);
	}
	json_t *text = json_stringn(buf_str(&b).p, b.n);
	buf_fini(&b);
	return text;
}

json_t *wire_text(struct str s)
{
	if (!s.p)
		return json_null();
	json_t *text = json_stringn(s.p, s.n);
	return text ? text : repaired(s);
}

static int load(struct str line, size_t flags, json_t **out, struct err *err)
{
	json_error_t why;
	*out = json_loadb(line.p, line.n, flags | JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
	if (!*out)
		return err_set(err, ERR_INVALID, "not JSON: column %d: %s", why.column, why.text);
	if (!json_is_object(*out))
		return err_set(err, ERR_INVALID, "not a JSON object");
	return 0;
}

int wire_read_request(struct str line, struct wire_request *out, struct err *err)
{
	*out = (struct wire_request){0};
	int r = load(line, 0, &out->members, err);
	if (r < 0)
		return r;
	json_t *id = json_object_get(out->members, "id");
	json_t *command = json_object_get(out->members, "command");
	if (!id)
		return err_set(err, ERR_INVALID, "id: is missing");
	if (!json_is_integer(id) && !json_is_string(id))
		return err_set(err, ERR_INVALID, "id: is neither an integer nor a string");
	out->id = id;
	if (!command)
		return err_set(err, ERR_INVALID, "command: is missing");
	if (!json_is_string(command))
		return err_set(err, ERR_INVALID, "command: is not a string");
	out->command = json_string_value(command);
	return 0;
}

void wire_request_fini(struct wire_request *r)
{
	json_decref(r->members);
	*r = (struct wire_request){0};
}

const char *wire_argument(const struct wire_request *r, const char *name)
{
	return json_string_value(json_object_get(r->members, name));
}

/* A result may hold a NUL; a request never does. */
int wire_read_reply(struct str line, struct wire_reply *out, struct err *err)
{
	*out = (struct wire_reply){0};
	int r = load(line, JSON_ALLOW_NUL, &out->members, err);
	if (r < 0)
		return r;
	out->is_ok = json_is_true(json_object_get(out->members, "ok"));
	json_t *result = json_object_get(out->members, "result");
	const char *error = json_string_value(json_object_get(out->members, "error"));
	if (out->is_ok ? !result : !error)
		return err_set(err, ERR_INVALID, "neither a result nor an error");
	if (out->is_ok)
		out->result = result;
	else
		out->error = error;
	out->kind = json_string_value(json_object_get(out->members, "kind"));
	return 0;
}

void wire_reply_fini(struct wire_reply *r)
{
	json_decref(r->members);
	*r = (struct wire_reply){0};
}

static int add_piece(const char *bytes, size_t n, void *data)
{
	return buf_add(data, (struct str){bytes, n});
}

static int put(struct buf *out, const json_t *line)
{
	size_t before = out->n;
	int r = line ? 0 : ERR_INVALID;
	if (r == 0 && json_dump_callback(line, add_piece, out, DUMP_FLAGS) < 0)
		r = ERR_LIMIT;
	if (r == 0)
		r = buf_add(out, STR("\n"));
	if (r < 0)
		buf_truncate(out, before);
	return r;
}

/* The id is first where there is one. */
static json_t *line_with(json_t *id)
{
	json_t *line = json_object();
	if (id)
		json_object_set(line, "id", id);
	return line;
}

int wire_put_request(struct buf *out, json_t *id, const char *command, json_t *arguments)
{
	json_t *line = line_with(id);
	json_object_set_new(line, "command", wire_text(str_of(command)));
	json_object_update_new(line, arguments);
	int r = put(out, line);
	json_decref(line);
	return r;
}

int wire_put_result(struct buf *out, json_t *id, json_t *result)
{
	json_t *line = line_with(id);
	json_object_set_new(line, "ok", json_true());
	json_object_set_new(line, "result", result ? result : json_object());
	int r = put(out, line);
	json_decref(line);
	return r;
}

int wire_put_error(struct buf *out, json_t *id, const struct err *why)
{
	json_t *line = line_with(id);
	json_object_set_new(line, "ok", json_false());
	json_object_set_new(line, "error", wire_text(str_of(why->text)));
	json_object_set_new(line, "kind", wire_text(str_of(err_name(why->code))));
	int r = put(out, line);
	json_decref(line);
	return r;
}
