/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITD_PRIVILEGES_H
#define TRANSITD_PRIVILEGES_H

/* Capabilities: what starting needed and a running router does not, is given up by every thread, for good. */

#include <stdbool.h>
#include <stdint.h>

/*
 * Of `held`, bits of CAP_...: what is kept. `physical`: memory that is added later has to be given to devices by its
 * physical address. `last`: the last capability this kernel knows.
 */
uint64_t privileges_kept(uint64_t held, bool physical, unsigned last);
/* Logs what could not be given up. Before lockdown(), which refuses the call for it. */
void privileges_drop(bool physical);

#endif
