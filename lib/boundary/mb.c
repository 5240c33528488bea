/* SPDX-License-Identifier: BSD-3-Clause */

/* Managers of intel-ipsec-mb, one per thread. */

#include "boundary/mb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "boundary/epoch.h"
#include "boundary/near.h"

struct mb {
	unsigned workers;
	IMB_MGR *control;
	IMB_MGR *of_worker[WORKERS_MAX];
	char text[48];
};

static const char *const arch_names[IMB_ARCH_NUM] = {
    [IMB_ARCH_NONE] = "plain C",
    [IMB_ARCH_NOAESNI] = "SSE without AES-NI",
    [IMB_ARCH_SSE] = "SSE",
    [IMB_ARCH_AVX] = "AVX",
    [IMB_ARCH_AVX2] = "AVX2",
    [IMB_ARCH_AVX512] = "AVX512",
};

/* NULL when memory is short or the library's self test fails. */
static IMB_MGR *manager_create(IMB_ARCH *arch)
{
	IMB_MGR *m = alloc_mb_mgr(0);

	if (!m)
		return NULL;
	init_mb_mgr_auto(m, arch);
	if (imb_get_errno(m) == 0)
		return m;
	free_mb_mgr(m);
	return NULL;
}

struct mb *mb_open(unsigned workers)
{
	struct mb *mb = xcalloc(1, sizeof(*mb));
	IMB_ARCH arch = IMB_ARCH_NONE;
	bool all;

	mb->workers = workers;
	mb->control = manager_create(&arch);
	all = mb->control != NULL;
	for (unsigned i = 0; i < workers && all; i++) {
		near_begin(i);
		mb->of_worker[i] = manager_create(&arch);
		near_anywhere();
		all = mb->of_worker[i] != NULL;
	}
	if (!all) {
		mb_close(mb);
		errno = ENOMEM;
		return NULL;
	}
	snprintf(mb->text, sizeof(mb->text), "ipsec-mb %s, %s", imb_get_version_str(),
	    arch < IMB_ARCH_NUM ? arch_names[arch] : "?");
	return mb;
}

void mb_close(struct mb *mb)
{
	if (!mb)
		return;
	if (mb->control)
		free_mb_mgr(mb->control);
	for (unsigned i = 0; i < mb->workers && mb->of_worker[i]; i++)
		free_mb_mgr(mb->of_worker[i]);
	free(mb);
}

IMB_MGR *mb_of_control(const struct mb *mb)
{
	return mb->control;
}

IMB_MGR *mb_of_worker(const struct mb *mb, unsigned worker)
{
	return mb->of_worker[worker];
}

const char *mb_describe(const struct mb *mb)
{
	return mb->text;
}
