/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Steps remove paths from path[0..alive-1]; what is removed moves behind, and says why. Up to step e
 * equals may all stay, and are the candidates of multipath; the steps behind it are an order of their
 * own, total because no two paths come from one peer.
 */

#include "bgp/decide.h"

#include <string.h>

const char *bgp_step_text(enum bgp_step step)
{
	switch (step) {
	case BGP_STEP_BEST:
		return "best";
	case BGP_STEP_MULTIPATH:
		return "used beside the best";
	case BGP_STEP_MULTIPATH_PATH:
		return "equal to the best, but of another AS path";
	case BGP_STEP_MULTIPATH_LIMIT:
		return "equal to the best, but one path too many";
	case BGP_STEP_PREFERENCE:
		return "lower local preference";
	case BGP_STEP_AS_PATH:
		return "longer AS path";
	case BGP_STEP_ORIGIN:
		return "worse origin";
	case BGP_STEP_MED:
		return "higher MED";
	case BGP_STEP_EXTERNAL:
		return "internal, and there is an external path";
	case BGP_STEP_METRIC:
		return "farther next hop";
	case BGP_STEP_AGE:
		return "younger";
	case BGP_STEP_ROUTER_ID:
		return "higher router ID";
	case BGP_STEP_CLUSTER:
		return "longer cluster list";
	case BGP_STEP_ADDRESS:
		return "higher peer address";
	}
	return "unknown";
}

static uint32_t med_of(const struct bgp_path *p, const struct bgp_decide_options *o)
{
	if (p->attrs->has_med)
		return p->attrs->med;
	return o->missing_med_is_worst ? UINT32_MAX : 0;
}

/* The value of a step by which the smallest wins. */
static uint64_t value_of(const struct bgp_path *p, enum bgp_step step)
{
	switch (step) {
	case BGP_STEP_PREFERENCE:
		return UINT32_MAX - bgp_attrs_preference(p->attrs);
	case BGP_STEP_AS_PATH:
		return p->attrs->path_len;
	case BGP_STEP_ORIGIN:
		return p->attrs->origin;
	case BGP_STEP_EXTERNAL:
		return !p->external;
	default:
		return p->metric;
	}
}

/* path[i] goes behind the alive ones, in front of those removed earlier. Callers count i down. */
static void remove_path(struct bgp_path *path, unsigned *alive, unsigned i, enum bgp_step step)
{
	struct bgp_path lost = path[i];

	lost.lost = (uint8_t)step;
	path[i] = path[--*alive];
	path[*alive] = lost;
}

static void keep_smallest(struct bgp_path *path, unsigned *alive, enum bgp_step step)
{
	uint64_t best = UINT64_MAX;

	for (unsigned i = 0; i < *alive; i++)
		if (value_of(&path[i], step) < best)
			best = value_of(&path[i], step);
	for (unsigned i = *alive; i-- > 0;)
		if (value_of(&path[i], step) != best)
			remove_path(path, alive, i, step);
}

/* Step c: of the paths through one neighbour AS, those with the lowest MED. */
static void keep_lowest_med(
    struct bgp_path *path, unsigned *alive, const struct bgp_decide_options *o)
{
	for (unsigned i = *alive; i-- > 0;) {
		for (unsigned k = 0; k < *alive; k++) {
			if (!o->compare_med_always &&
			    path[k].attrs->neighbour_as != path[i].attrs->neighbour_as)
				continue;
			if (med_of(&path[k], o) < med_of(&path[i], o)) {
				remove_path(path, alive, i, BGP_STEP_MED);
				break;
			}
		}
	}
}

static uint32_t originator(const struct bgp_path *p)
{
	size_t len;
	const uint8_t *id = bgp_attrs_value(p->attrs, BGP_ATTR_ORIGINATOR_ID, &len);

	if (!id)
		return p->router_id;
	return (uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | id[3];
}

static size_t cluster_len(const struct bgp_path *p)
{
	size_t len;

	bgp_attrs_value(p->attrs, BGP_ATTR_CLUSTER_LIST, &len);
	return len;
}

/* The step at which b loses against a, among equals up to e; BGP_STEP_BEST: a does not win. */
static enum bgp_step beats(
    const struct bgp_path *a, const struct bgp_path *b, const struct bgp_decide_options *o)
{
	int order;

	if (o->prefer_oldest && a->external && a->learned_s != b->learned_s)
		return a->learned_s < b->learned_s ? BGP_STEP_AGE : BGP_STEP_BEST;
	if (originator(a) != originator(b))
		return originator(a) < originator(b) ? BGP_STEP_ROUTER_ID : BGP_STEP_BEST;
	if (cluster_len(a) != cluster_len(b))
		return cluster_len(a) < cluster_len(b) ? BGP_STEP_CLUSTER : BGP_STEP_BEST;
	order = ip_cmp(&a->addr, &b->addr);
	if (order == 0) /* two peers at one address: the numbers decide */
		return a->peer < b->peer ? BGP_STEP_ADDRESS : BGP_STEP_BEST;
	return order < 0 ? BGP_STEP_ADDRESS : BGP_STEP_BEST;
}

static void sort(struct bgp_path *path, unsigned count, const struct bgp_decide_options *o)
{
	for (unsigned i = 1; i < count; i++) {
		struct bgp_path p = path[i];
		unsigned at = i;

		for (; at > 0 && beats(&p, &path[at - 1], o); at--)
			path[at] = path[at - 1];
		path[at] = p;
	}
}

static bool same_as_path(const struct bgp_attrs *a, const struct bgp_attrs *b)
{
	size_t len_a, len_b;
	const uint8_t *path_a = bgp_attrs_value(a, BGP_ATTR_AS_PATH, &len_a);
	const uint8_t *path_b = bgp_attrs_value(b, BGP_ATTR_AS_PATH, &len_b);

	return len_a == len_b && (len_a == 0 || memcmp(path_a, path_b, len_a) == 0);
}

/* Of the equals behind the best: who is used too. */
static unsigned choose_multipath(
    struct bgp_path *path, unsigned count, const struct bgp_decide_options *o)
{
	unsigned used = 1;

	path[0].lost = BGP_STEP_BEST;
	for (unsigned i = 1; i < count; i++) {
		if (o->max_paths <= 1)
			path[i].lost = (uint8_t)beats(&path[0], &path[i], o);
		else if (!o->relax_as_path && !same_as_path(path[0].attrs, path[i].attrs))
			path[i].lost = BGP_STEP_MULTIPATH_PATH;
		else if (used == o->max_paths)
			path[i].lost = BGP_STEP_MULTIPATH_LIMIT;
		else {
			struct bgp_path p = path[i];

			p.lost = BGP_STEP_MULTIPATH;
			memmove(&path[used + 1], &path[used], (i - used) * sizeof(path[0]));
			path[used++] = p;
		}
	}
	return used;
}

unsigned bgp_decide(struct bgp_path *path, unsigned count, const struct bgp_decide_options *options)
{
	unsigned alive = count;

	if (count == 0)
		return 0;
	keep_smallest(path, &alive, BGP_STEP_PREFERENCE);
	keep_smallest(path, &alive, BGP_STEP_AS_PATH);
	keep_smallest(path, &alive, BGP_STEP_ORIGIN);
	keep_lowest_med(path, &alive, options);
	keep_smallest(path, &alive, BGP_STEP_EXTERNAL);
	keep_smallest(path, &alive, BGP_STEP_METRIC);
	sort(path, alive, options);
	return choose_multipath(path, alive, options);
}
