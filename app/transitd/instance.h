/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITD_INSTANCE_H
#define TRANSITD_INSTANCE_H

#include "conf/conf.h"
#include "router/change/startup.h"
#include "transitd/args.h"

/*
 * Runs a router by a loaded file until SIGTERM or SIGINT, and takes everything down again. 0 after
 * an orderly end, or -errno after log lines that say what failed. Once in the life of a process.
 */
int instance_run(const struct args *args, struct conf *conf, struct startup *startup);

#endif
