/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITD_DPDK_LOG_H
#define TRANSITD_DPDK_LOG_H

/*
 * What DPDK logs goes to our log, under "dpdk". Its drivers complain of much that is no failure
 * while they look what they can do, so until dpdk_log_run() lines are held back, and the last ones
 * are told by dpdk_log_tell() when something did fail.
 */

/* Before EAL starts. */
void dpdk_log_start(void);
/* The last lines that were held back, at most a handful. */
void dpdk_log_tell(void);
/* From now on lines are told at once, within a rate. */
void dpdk_log_run(void);

#endif
