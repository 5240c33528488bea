/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITD_SERVICE_H
#define TRANSITD_SERVICE_H

/*
 * What a service manager wants to hear, where there is one: that we are ready, alive and stopping
 * (sd_notify(3)), and log lines with fields (the journal's native protocol). Both are one datagram each
 * to a documented address; a manager or journal that does not read never holds us up.
 */

#define SERVICE_JOURNAL "/run/systemd/journal/socket"

/* Log lines go to that journal from here on, if stderr does (JOURNAL_STREAM says so). */
void service_log(const char *journal);
/* "running" and the like: for `systemctl status`. */
void service_ready(const char *status);
/* At least every few seconds, from the control loop; WatchdogSec= of the unit counts. */
void service_alive(void);
void service_stopping(void);

#endif
