/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITD_WORKERS_H
#define TRANSITD_WORKERS_H

/* Workers on their lcores: worker i on lcore 1 + i. */

#include "datapath/worker.h"
#include "transitd/numa.h"
#include "transitd/ports.h"

/* Deals the rx queues of all ports to workers, and warns of those that are far away. 0, or -errno after a log line. */
int workers_deal(struct worker *all, const struct conf *conf, const struct numa *numa,
    const struct ports *ports);
/* 0, or -errno after a log line, with none left running. */
int workers_launch(struct boundary *b, struct worker *all);
/* Tells them to end and waits for it. */
void workers_join(struct boundary *b);

#endif
