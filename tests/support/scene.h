/*
 * scene: people, connections and a network in memory, played as lines of text.
 *
 *     alice JOIN #c      a person, made at the first mention, sends that line
 *     1 NICK bob         a connection, made at the first mention, sends that line
 *     1. so              the connection is closed by its client
 *     + 3                so many seconds pass
 *     grant alice #c o   the server gives modes
 *     login alice acct   services log alice in
 *     kill alice spam    an operator kills
 *     lag 2, drop, close words, silent how, half, whole, down, up, flood n, split alice bob,
 *     rejoin, refuse count numeric text, throttle 5, bar #c count numeric to, sasl how words,
 *     services how, account nick acct, rename nick other, host nick host
 *
 * and then all that anybody got: "alice> line", "1> line", "1! closed", "1! reset".
 * "watch" has somebody listen in, "w> who line", where who is the number of a client.
 * "hear who" switches on what that one gets: until then nobody is listened to.
 */
#ifndef EBB_TESTS_SUPPORT_SCENE_H
#define EBB_TESTS_SUPPORT_SCENE_H

#include "base/buf.h"
#include "base/clock.h"
#include "sim/fault.h"
#include "sim/person.h"
#include "sim/watch.h"

enum { SCENE_PEOPLE_MAX = 8, SCENE_CONNS_MAX = 8 };

struct scene {
	struct timers timers;
	struct sim_network *net;
	struct somebody {
		struct scene *scene;
		char name[16];
		bool is_heard;
		struct person *person;
		struct sim_conn *conn;
	} people[SCENE_PEOPLE_MAX], conns[SCENE_CONNS_MAX];
	struct buf out;
	int n_names;
};

/* Events of connections whose owners are struct somebody. */
extern const struct sim_conn_events scene_events;

/* The server is called s, and connections come from h. */
void scene_begin(struct scene *s, struct sim_options o);
void scene_end(struct scene *s);

/* Does what the script says, and asserts what it expects. */
void scene_run(struct scene *s, const char *script);

/* One line of what is done, NUL-terminated. */
void scene_act(struct scene *s, struct str line);

/* The connection of that digit, made at the first mention. */
struct somebody *scene_conn(struct scene *s, struct str name);

void scene_pass(struct scene *s, int64_t ns);

/* For the owner of a connection. */
void scene_on_closed(void *owner, enum sim_end how);
void scene_on_heard(void *data, const struct message *m);

/* A registration, and its welcome but for what every welcome has; the network is called Net. */
#define USER1 "1 NICK bot\n1 USER u 0 * :r\n"
#define READY1 \
	"1> :s 001 bot :Welcome to the Net IRC Network bot!~u@h\n1> :s 422 bot :MOTD File is missing\n"
#define REG1 USER1 READY1

/* A row of a table: one scene on a network called Net. */
struct life {
	const char *name;
	const char *script;
	struct sim_options options;
};
void life_of_a_connection(void **state);

#endif
