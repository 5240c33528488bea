/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITD_LOCKDOWN_H
#define TRANSITD_LOCKDOWN_H

/*
 * Gives up, for every thread and for good, what only starting needed: running programs, loading modules and BPF
 * programs, mounting, entering namespaces, looking into other processes, setting clocks. Whoever takes over a
 * thread by a flaw of a parser finds these calls refused (EPERM). Logs what could not be given up.
 */
void lockdown(void);

#endif
