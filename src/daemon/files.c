#include "daemon/files.h"

#include "base/log.h"
#include "net/gate.h"

#include <stdint.h>
#include <sys/resource.h>

enum { FILES_BESIDE = 64 }; /* what is open without any network, with room for scripts */

static uintmax_t needed_by(size_t n_networks)
{
	size_t n_racing = n_networks < GATE_MAX ? n_networks : GATE_MAX;
	return FILES_BESIDE + n_networks + n_racing;
}

int files_provide(size_t n_networks, struct err *err)
{
	uintmax_t needed = needed_by(n_networks);
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= needed)
		return 0;
	const struct rlimit raised = {limit.rlim_max, limit.rlim_max};
	if (limit.rlim_max < needed || setrlimit(RLIMIT_NOFILE, &raised) < 0)
		return err_set(err, ERR_CONFIG,
			"%zu networks need %ju open files, and the limit is %ju (hard: %ju): set "
			"LimitNOFILE=%ju in the unit, or ulimit -n %ju",
			n_networks, needed, (uintmax_t)limit.rlim_cur, (uintmax_t)limit.rlim_max,
			needed, needed);
	log_info("ebbd: %zu networks: the limit of open files is raised from %ju to %ju",
		n_networks, (uintmax_t)limit.rlim_cur, (uintmax_t)limit.rlim_max);
	return 0;
}
