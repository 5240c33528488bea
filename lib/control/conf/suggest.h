/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONF_SUGGEST_H
#define CONF_SUGGEST_H

/* "Did you mean": the known word nearest to one that is not known. */

struct suggest {
	const char *word;
	const char *best; /* NULL: nothing is near enough */
	unsigned distance;
};

/* Accepts candidates within a third of the word's length, three edits at most, or that begin with it. */
struct suggest suggest_for(const char *word);
void suggest_try(struct suggest *s, const char *candidate);
/* What strongSwan and Libreswan call by another name; the word itself when nothing is known of it. */
const char *suggest_own_name(const char *word);

#endif
