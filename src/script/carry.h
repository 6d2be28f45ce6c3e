/*
 * carry: a script's `state` as bytes, on its way from one generation to the next.
 *
 * Both ways go in steps of a few milliseconds, between which the loop has its turn: a state may be
 * large. Nothing else of the script runs meanwhile.
 */
#ifndef EBB_SCRIPT_CARRY_H
#define EBB_SCRIPT_CARRY_H

#include "base/buf.h"
#include "script/persist.h"
#include "script/script.h"

enum { CARRY_MAX_BYTES = 64 * 1024 * 1024 };

/* Zeroed memory is one that has not begun. */
struct saving {
	struct script *script; /* borrowed until saving_end; NULL: it has ended */
	struct persist_writer *writer;
	struct buf bytes; /* owned */
};

/* Begins; also on a script that has used up its memory. */
NODISCARD int saving_begin(struct saving *c, struct script *s, struct err *err);

/* 1: there is more to do; 0: the bytes are there. */
NODISCARD int saving_step(struct saving *c, struct err *err);

/* Lets go of the script; the bytes stay. */
void saving_end(struct saving *c);
void saving_fini(struct saving *c);

/* The same; of a script whose main chunk has not begun. */
struct restoring {
	struct script *script; /* borrowed until it ends; NULL: it has ended */
	struct persist_reader reader;
	unsigned stage; /* carry.c's */
	bool is_large;  /* one step was not enough: each stage has a step of its own */
};

/* Borrows bytes, which saving_step made, until the end. */
void restoring_begin(struct restoring *c, struct script *s, struct str bytes);

/* 1: there is more to do; 0: the script has its state. */
NODISCARD int restoring_step(struct restoring *c, struct err *err);

#endif
