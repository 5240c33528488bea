/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BGP_EDIT_H
#define BGP_EDIT_H

/* Edits of attribute lists: what policies ask for, and the parts of export that are edits too. */

#include "bgp/set.h"

/* Values that an edit makes. One list at a time. */
struct bgp_edit_room {
	uint8_t origin, med[4], local_pref[4], otc[4], originator[4], next_hop[16];
	uint8_t path[2][BGP_SET_MAX]; /* in turn: an edit may follow another */
	unsigned path_turn;
	uint8_t community[BGP_SET_MAX];
	uint8_t large[BGP_SET_MAX];
	uint8_t cluster[BGP_SET_MAX];
	uint8_t ext[2][BGP_SET_MAX]; /* extended communities, and those of IPv6 */
};

/* False when a value grows too long. Values of the list then point into `room`. */
bool bgp_list_edit(struct bgp_list *list, const struct bgp_edit *edit, struct bgp_edit_room *room);
bool bgp_list_prepend(
    struct bgp_list *list, uint32_t as, unsigned times, struct bgp_edit_room *room);
/* A four-octet attribute with those flags, its value kept in `value`. */
void bgp_list_put_u32(
    struct bgp_list *list, uint8_t code, uint8_t flags, uint32_t number, uint8_t value[4]);

#endif
