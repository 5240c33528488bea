/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITD_CPUS_H
#define TRANSITD_CPUS_H

#include <sched.h>

#include "conf/conf.h"

/* Whether the CPUs of the startup file can be had from `allowed`. 0, or -EINVAL after log lines. */
int cpus_check(const struct conf_system *system, const cpu_set_t *allowed);

#endif
