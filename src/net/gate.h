/*
 * gate: how many attempts to connect begin together, over all networks.
 *
 * Thousands of networks that start or come back in one turn of the loop would ask for as many names
 * and dial as many addresses at once: answers and SYNs are dropped then, and who is connected
 * already waits. So at most GATE_MAX attempts are young at a time, and the others wait in line,
 * first come, first served.
 *
 * An attempt is young until it leaves, which is when its stream is usable or when it has failed;
 * and for GATE_YOUNG_NS at most, so that hosts that do not answer do not keep the others waiting
 * for long. This bounds what is begun, not how soon one host is dialled again: see guard.h.
 */
#ifndef EBB_NET_GATE_H
#define EBB_NET_GATE_H

#include "base/clock.h"
#include "base/list.h"
#include "base/timers.h"

enum { GATE_MAX = 256 };

#define GATE_YOUNG_NS (2 * NS_PER_S)

struct gate {
	struct timers *timers; /* borrowed, outlives the gate */
	struct list young;     /* struct gate_pass, oldest first */
	struct list waiting;   /* struct gate_pass, in line */
	unsigned n_young;
	struct timer next; /* set while somebody waits */
};

/* One attempt; does not move while it is young or waits. */
struct gate_pass {
	struct list node;
	bool is_young;
	int64_t until_ns;
	void (*open)(struct gate_pass *p); /* its turn has come: it is young now */
};

void gate_init(struct gate *g, struct timers *timers);

/* All have left. */
void gate_fini(struct gate *g);

void gate_pass_init(struct gate_pass *p, void (*open)(struct gate_pass *p));

/* True: p is young, and may begin. False: it waits, and open comes later, never from within a call
 * in here. Who is young or waits already stays so. */
bool gate_enter(struct gate *g, struct gate_pass *p);

/* It is neither any more; does nothing for one that is not. */
void gate_leave(struct gate *g, struct gate_pass *p);

#endif
