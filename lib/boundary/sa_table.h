/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_SA_TABLE_H
#define BOUNDARY_SA_TABLE_H

/* Private to boundary: the table SPI -> struct sa_in behind struct sa_table. Control writes, workers look up. */

#include "boundary/sa.h"

struct spi_slots { /* a power of two of them; linear probing */
	uint32_t mask;
	_Atomic(struct sa_in *) at[];
};

#define SA_FEW 64 /* their records stay near the core by themselves: sa_many_in() */

#define SA_RESERVED_BITS 10 /* of a hash: buckets */
#define SA_RESERVED_WAYS 8

struct sa_table {
	_Atomic(struct spi_slots *) slots; /* replaced whole when it is rebuilt */
	uint32_t capacity;                 /* most SAs */
	_Atomic uint32_t live;             /* control */
	uint32_t filled;                   /* control: slots that are not empty */
	unsigned workers;
	struct crypto *crypto;
	struct epoch *epoch;
	struct list outbound; /* control: struct sa_cold.all */
	_Atomic uint32_t reserved[1u << SA_RESERVED_BITS][SA_RESERVED_WAYS]; /* 0: free */
	struct sa_head *busy; /* control: grace period over, packets in flight */
};

/* 0, -EEXIST, -ENOSPC, -ENOMEM. Workers find it on return. */
int sa_table_insert(struct sa_table *t, struct sa_in *sa);
void sa_table_delete(struct sa_table *t, struct sa_in *sa);
/* In sa.c. Frees at once: nobody may see it. */
void sa_in_free(struct sa_in *sa);
/* Frees those that are busy no more. */
void sa_free_idle(struct sa_table *t);
/* Frees those that are busy, and all outbound ones. */
void sa_free_rest(struct sa_table *t);

#endif
