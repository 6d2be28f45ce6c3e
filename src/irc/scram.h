/*
 * scram: the arithmetic of SCRAM-SHA-256 and SCRAM-SHA-512 (RFC 5802 and 7677), a client's side.
 *
 *     scram_begin   -> client-first    n,,n=user,r=ours
 *     server-first  r=oursTheirs,s=salt,i=4096   -> scram_prove  -> client-final c=biws,r=…,p=proof
 *     server-final  v=signature                  -> scram_verify
 *
 * No authorization identity and no channel binding. Account and password go as the bytes they are:
 * for ASCII that is what SASLprep (RFC 4013) makes of them; what else it would normalize has to be
 * configured in its normal form (NFKC), which keyboards and editors produce nearly always.
 *
 * The reasons given never hold a secret. Everything kept is wiped by scram_fini.
 */
#ifndef EBB_IRC_SCRAM_H
#define EBB_IRC_SCRAM_H

#include "base/buf.h"
#include "base/err.h"

enum {
	/* Fewer are refused: a proof would be too cheap to try passwords against (RFC 7677). */
	SCRAM_ITERATIONS_MIN = 4096,
	/* More are refused: the loop stands still meanwhile, 30 to 70 ms at this count. */
	SCRAM_ITERATIONS_MAX = 100000,
	SCRAM_HASH_MAX_BYTES = 64
};

enum scram_hash { SCRAM_SHA_256, SCRAM_SHA_512 };

/* One exchange. Zeroed memory is one that has not begun. */
struct scram {
	enum scram_hash hash;
	struct buf client_first;                      /* without "n,,": part of what is signed */
	struct str nonce;                             /* ours, within client_first */
	unsigned char expected[SCRAM_HASH_MAX_BYTES]; /* the server's signature, once proven */
	bool is_proven, is_verified;
};

/* Appends client-first to out. nonce has printable ASCII without commas. ERR_LIMIT when out has no
 * room. */
NODISCARD int scram_begin(struct scram *s, enum scram_hash hash, struct str account,
	struct str nonce, struct buf *out);

/*
 * Takes server-first and appends client-final to out. Computes as many hashes as the server wants,
 * within the bounds above. ERR_DENIED: the nonce is not a continuation of ours, so this answers
 * somebody else; ERR_SASL: the server reports an error (e=); ERR_INVALID: not SCRAM, or an
 * extension that is mandatory; ERR_LIMIT: the iteration count, or out has no room; ERR_SYSTEM.
 */
NODISCARD int scram_prove(struct scram *s, struct str password, struct str server_first,
	struct buf *out, struct err *err);

/* Takes server-final, after scram_prove. ERR_DENIED: the server does not show that it knows the
 * password; ERR_SASL: it reports an error, as for a wrong proof. */
NODISCARD int scram_verify(struct scram *s, struct str server_final, struct err *err);

/* Wipes, and makes s fresh. */
void scram_fini(struct scram *s);

#endif
