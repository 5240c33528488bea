/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROUTER_APPLY_H
#define ROUTER_APPLY_H

/*
 * A running router gets another configuration, whole or not at all.
 *
 *   load, check          the new file by itself, and as a successor of the one in force
 *   prepare (each part)  whatever can fail: keys from the disk, room; nothing is changed yet
 *   save                 the new startup file is on the disk beside the old one
 *   model_apply()        the only step that changes something and can fail; then nothing has changed
 *   leave (each part)    what the new configuration no longer has goes, peers are told
 *   enter (each part)    what is new or different comes; neither can fail
 *   save                 the startup file changes its name; leases, history
 *
 * What is equal in both is not touched by any step. Parts know nothing of each other; their order is that of the
 * table in apply.c. A new part is a row there.
 */

#include "conf/diff.h"
#include "router/internal.h"

struct apply {
	struct router *r;
	const struct conf *from, *to;
	struct mono now;
	char code[48]; /* why a part refused, as api_fail() has it */
	char text[512];
};
/* Fills them in; returns -EINVAL. */
int apply_refuse(struct apply *a, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

typedef void apply_up_fn(void *ctx, const char *what);

struct apply_part {
	/* Each may be left out. *own is the part's for this change, freed by done(), which is called in any case. */
	/* 0, or apply_refuse(). */
	int (*prepare)(struct apply *a, void **own);
	void (*leave)(struct apply *a, void *own);
	void (*enter)(struct apply *a, void *own);
	void (*done)(struct apply *a, void *own);
	/*
	 * Names what should be up again soon after a change if it was before: "tunnel dc1/1". `up`: what is; otherwise
	 * all that the configuration wants.
	 */
	void (*each)(struct router *r, bool up, apply_up_fn *fn, void *ctx);
};

extern const struct apply_part apply_tunnels;    /* tunnels_apply.c */
extern const struct apply_part apply_neighbours; /* neighbours_apply.c */
extern const struct apply_part apply_steering;   /* steering_apply.c */
extern const struct apply_part apply_health;     /* health.c */
extern const struct apply_part apply_bgp;        /* speaker.c */
extern const struct apply_part apply_meter;      /* meter.c */
extern const struct apply_part apply_bfd;        /* bfd.c */

enum apply_mode {
	APPLY_CHECK, /* errors and warnings */
	APPLY_DIFF,  /* and what would change */
	APPLY_COMMIT,
};

struct apply_order {
	enum apply_mode mode;
	const char *name; /* of the file, for messages */
	const char *text;
	size_t len;
	bool save;          /* it becomes the startup file */
	unsigned confirm_s; /* revert when nobody has confirmed by then; 0: not to be confirmed */
	const char *how;    /* for history and log: "apply" */
	uint32_t uid;       /* who asked */
};

/* What came of it; release with apply_report_fini(). */
struct apply_report {
	struct conf_errors errs; /* of the file */
	struct conf_diff diff;
	bool sound;        /* the file is valid and may follow */
	bool applied;      /* it is in force; with an empty diff nothing was touched */
	bool saved;        /* it is the startup file */
	unsigned revision; /* in the history; 0: none */
	char code[48];     /* why it was not applied */
	char reason[512];
	char trouble[512]; /* what went wrong beside: applied, but not kept */
	int64_t load_ns, commit_ns;
};

void apply_run(struct router *r, const struct apply_order *order, struct apply_report *out);
/* The router runs: the history has its configuration, too. */
void apply_started(struct router *r);
void apply_report_fini(struct apply_report *report);
/* Everything that is up, or that should be, by the parts. */
void apply_each(struct router *r, bool up, apply_up_fn *fn, void *ctx);

#endif
