#include "net/watch.h"

#include "base/log.h"
#include "base/mem.h"
#include "net/address.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

/* Links are made by IN_CREATE alone: no IN_CLOSE_WRITE follows. */
enum {
	NAMES_CHANGED = IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE,
	FOLDER_MASK = IN_CLOSE_WRITE | NAMES_CHANGED | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR
};

enum { READ_BYTES = 16 * 1024 };

struct folder {
	int wd; /* inotify's watch descriptor; or an errno, negative */
};

/* A watch descriptor and a name. The empty name is the folder itself: events without a name are
 * about that, and count too. */
struct spot {
	char bytes[sizeof(int) + NAME_MAX];
};

static struct str spot_key(struct spot *s, int wd, struct str name)
{
	if (name.n > NAME_MAX)
		return STR_NONE;
	memcpy(s->bytes, &wd, sizeof(wd));
	if (name.n)
		memcpy(s->bytes + sizeof(wd), name.p, name.n);
	return (struct str){s->bytes, sizeof(wd) + name.n};
}

static void add_spot(struct watch *w, int wd, struct str name)
{
	struct spot s;
	struct str key = spot_key(&s, wd, name);
	if (key.p)
		map_put(&w->spots, key, w);
}

static bool has_spot(const struct watch *w, int wd, struct str name)
{
	struct spot s;
	struct str key = spot_key(&s, wd, name);
	return key.p && map_get(&w->spots, key);
}

static void on_readable(struct loop_fd *inotify, int revents);

static int open_inotify(struct watch *w)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (fd < 0)
		return -errno;
	loop_fd_init(&w->inotify, fd, on_readable);
	loop_fd_start(w->loop, &w->inotify, EV_READ);
	return 0;
}

/* A folder that is followed already keeps its watch descriptor. */
static int add_folder(struct watch *w, struct str path)
{
	int r = w->inotify.io.fd < 0 ? open_inotify(w) : 0;
	if (r < 0)
		return r;
	char *text = str_dup(path);
	r = inotify_add_watch(w->inotify.io.fd, text, FOLDER_MASK);
	if (r < 0)
		r = -errno;
	free(text);
	return r;
}

static void log_failure(struct str path, int error)
{
	switch (error) {
	case EACCES:
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
	case ENAMETOOLONG:
		log_debug("watch: %" STR_F ": %s", STR_A(path), errno_text(error));
		return;
	default:
		log_warn("watch: %" STR_F ": %s: changes there are not seen", STR_A(path),
			errno_text(error));
	}
}

static void log_full(struct str path)
{
	log_warn("watch: %" STR_F ": more than %d folders: changes there are not seen", STR_A(path),
		WATCH_FOLDERS_MAX);
}

/* Looking the paths up: the folders that were followed so far are `before`. */

static int follow_folder(struct watch *w, const struct map *before, struct str path)
{
	struct folder *folder = map_get(&w->folders, path);
	if (folder)
		return folder->wd;
	if (map_count(&w->folders) >= WATCH_FOLDERS_MAX) {
		if (!w->is_full)
			log_full(path);
		w->is_full = true;
		return -ENOSPC;
	}
	folder = mem_new(sizeof(*folder));
	folder->wd = add_folder(w, path);
	map_put(&w->folders, path, folder);
	const struct folder *was = map_get(before, path);
	if (folder->wd >= 0)
		add_spot(w, folder->wd, STR(""));
	else if (!was || was->wd != folder->wd)
		log_failure(path, -folder->wd);
	return folder->wd;
}

static void follow_name(
	struct watch *w, const struct map *before, struct str folder, struct str name)
{
	int wd = name.n ? follow_folder(w, before, folder) : -1;
	if (wd >= 0)
		add_spot(w, wd, name);
}

static struct str trim_slashes(struct str path)
{
	while (path.n > 1 && path.p[path.n - 1] == '/')
		path.n--;
	return path;
}

/* Takes the last name off path: "/a/b" becomes "/a" and "b". The root has none. */
static struct str cut_name(struct str *path)
{
	struct str whole = trim_slashes(*path);
	size_t at = whole.n;
	while (at > 0 && whole.p[at - 1] != '/')
		at--;
	*path = at ? trim_slashes((struct str){whole.p, at}) : STR(".");
	return str_skip(whole, at);
}

/* The parent comes first: a folder that appears in between has its event there. */
static void follow_path(struct watch *w, const struct map *before, const char *path)
{
	struct str folder = str_of(path);
	struct str name = cut_name(&folder);
	struct str parent = folder;
	struct str folder_name = cut_name(&parent);
	follow_name(w, before, parent, folder_name);
	follow_name(w, before, folder, name);
}

/* Of a path that does not exist, realpath leaves the part up to the first name that is missing. */
static void follow(struct watch *w, const struct map *before, const char *path)
{
	char real[PATH_MAX] = "";
	follow_path(w, before, path);
	if (realpath(path, real) || real[0] == '/')
		follow_path(w, before, real);
}

static void drop_folders(struct watch *w, struct map *folders)
{
	while (map_first(folders)) {
		struct folder *folder = map_remove(folders, map_key(map_first(folders)));
		if (folder->wd >= 0 && !has_spot(w, folder->wd, STR("")))
			inotify_rm_watch(w->inotify.io.fd, folder->wd);
		free(folder);
	}
}

static void look_up(struct watch *w)
{
	struct map before = w->folders;
	w->folders = (struct map){0};
	map_fini(&w->spots);
	for (size_t i = 0; i < w->n; i++)
		follow(w, &before, w->paths[i]);
	if (map_count(&w->folders) < WATCH_FOLDERS_MAX)
		w->is_full = false;
	drop_folders(w, &before);
}

/* What happens. */

static void on_time(struct timer *timer)
{
	struct watch *w = container_of(timer, struct watch, timer);
	/* What took its place just while the paths were looked up was missed. */
	look_up(w);
	w->changed(w->data);
}

void watch_note(struct watch *w)
{
	int64_t now_ns = w->loop->timers.now_ns;
	if (!timer_is_set(&w->timer))
		w->first_ns = now_ns;
	int64_t quiet_ns = now_ns + WATCH_QUIET_NS, most_ns = w->first_ns + WATCH_MOST_NS;
	timers_set(&w->loop->timers, &w->timer, quiet_ns < most_ns ? quiet_ns : most_ns);
}

static void take_events(struct watch *w, struct str events)
{
	uint32_t seen = 0;
	while (events.n >= sizeof(struct inotify_event)) {
		struct inotify_event e;
		memcpy(&e, events.p, sizeof(e));
		events = str_skip(events, sizeof(e));
		struct str name = {events.p, strnlen(events.p, e.len)};
		events = str_skip(events, e.len);
		if ((e.mask & IN_Q_OVERFLOW) || has_spot(w, e.wd, name))
			seen |= e.mask;
	}
	if (seen & ~(uint32_t)IN_CLOSE_WRITE)
		look_up(w);
	if (seen)
		watch_note(w);
}

static void on_readable(struct loop_fd *inotify, int revents)
{
	(void)revents;
	struct watch *w = container_of(inotify, struct watch, inotify);
	char bytes[READ_BYTES];
	ssize_t n = read(inotify->io.fd, bytes, sizeof(bytes));
	if (n > 0)
		take_events(w, (struct str){bytes, (size_t)n});
}

void watch_init(struct watch *w, struct loop *loop, watch_changed *changed, void *data)
{
	*w = (struct watch){.loop = loop, .changed = changed, .data = data, .timer.fire = on_time};
	loop_fd_init(&w->inotify, -1, on_readable);
}

static void forget_paths(struct watch *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->paths[i]);
	free(w->paths);
	w->paths = NULL;
	w->n = 0;
}

void watch_fini(struct watch *w)
{
	if (!w->loop)
		return;
	timers_cancel(&w->loop->timers, &w->timer);
	forget_paths(w);
	look_up(w);
	map_fini(&w->spots);
	loop_fd_stop(w->loop, &w->inotify);
	if (w->inotify.io.fd >= 0)
		close(w->inotify.io.fd);
	*w = (struct watch){0};
}

void watch_set(struct watch *w, const char *const *paths, size_t n)
{
	forget_paths(w);
	w->paths = mem_resize(NULL, n, sizeof(*w->paths));
	for (size_t i = 0; i < n; i++)
		w->paths[w->n++] = mem_strdup(paths[i]);
	look_up(w);
}
