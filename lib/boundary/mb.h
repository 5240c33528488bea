/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_MB_H
#define BOUNDARY_MB_H

/*
 * intel-ipsec-mb, called directly: the crypto of the software path, without a crypto device in between.
 *
 * A manager holds the library's functions, chosen for this CPU, and the lanes of its multi-buffer ciphers. Lanes
 * belong to one thread, so each worker has a manager, and control one more to expand keys.
 */

#include <intel-ipsec-mb.h>

struct mb;

/* NULL with errno. */
struct mb *mb_open(unsigned workers);
void mb_close(struct mb *mb);
IMB_MGR *mb_of_control(const struct mb *mb);
IMB_MGR *mb_of_worker(const struct mb *mb, unsigned worker);
/* For `show system`: "ipsec-mb 1.3.0, AVX512". */
const char *mb_describe(const struct mb *mb);

#endif
