/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITD_DPDK_LOG_H
#define TRANSITD_DPDK_LOG_H

/* From now on what DPDK logs goes to our log, under "dpdk". Before EAL starts. */
void dpdk_log_start(void);

#endif
