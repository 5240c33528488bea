/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITD_RESIDENT_H
#define TRANSITD_RESIDENT_H

/*
 * Brings the code and constants of all that is loaded into memory, and keeps them there. Otherwise the first packet of
 * an algorithm makes its worker wait for the disk, and every packet behind it as well. Logs what could not be kept.
 */
void resident_code(void);

#endif
