/*
 * account: who is logged in to services, and how one logs in (SASL PLAIN).
 *
 * A network knows the accounts it was given, or takes any name and password.
 */
#ifndef EBB_SIM_ACCOUNT_H
#define EBB_SIM_ACCOUNT_H

#include "sim/inside.h"

/* Copies accounts, the last of which has no name; NULL: any will do. */
void sim_accounts_init(struct sim_network *net, const struct sim_account *accounts);
void sim_accounts_fini(struct sim_network *net);

/* c has that account from now on, or none for NULL; those who asked to be told are. */
void sim_account_set(struct sim_client *c, const char *account);

/* A login that is under way comes to nothing: the registration goes on without. */
void sim_account_abort(struct sim_client *c);

/* Whether a CAP LS lists the capability now. */
bool sim_is_offered(const struct sim_network *net, struct str cap);

#endif
