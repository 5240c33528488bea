/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRIVERS_AFXDP_OBJECT_H
#define DRIVERS_AFXDP_OBJECT_H

/* The ELF object of the XDP program as a file in memory: its descriptor, or -errno. */
int steer_object_open(void);

#endif
