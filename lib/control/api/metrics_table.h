/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef API_METRICS_TABLE_H
#define API_METRICS_TABLE_H

/* One row per metric family: which command's rows it comes from, and what becomes of them. */

enum metric_kind {
	METRIC_COUNTER, /* the sample's name gets _total */
	METRIC_GAUGE,   /* a number; true is 1, false and null are left out */
	METRIC_BOOL,    /* 1 when the member is true, else 0 */
	METRIC_IS,      /* 1 when the member is the text `word`, else 0 */
	METRIC_STATE,   /* 1, with the member as the label `word` */
	METRIC_MAP,     /* a counter per member of an object, its name as the label `word` */
	METRIC_COUNT,   /* gauge: how many elements a list has */
	METRIC_INFO,    /* 1, with labels that say what it is */
};

struct metric_row {
	const char *command; /* of the control socket */
	const char *
	    list; /* rows are in this member of the answer; NULL: the answer is the list, or one row */
	const char *member;
	const char *family;
	enum metric_kind kind;
	const char *word;
	const char
	    *labels; /* "name=port,kind": members that become labels, with another name after = */
	const char *help;
};

extern const struct metric_row
    metric_rows[]; /* ends with a NULL command; families stand together */

#endif
