/* SPDX-License-Identifier: BSD-3-Clause */

/* The grid of profiles and their names. */

#include "transitbench/profile.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const direction_names[] = {
    [DIR_OUT] = "out", [DIR_IN] = "in", [DIR_RELAY] = "relay", [DIR_PLAIN] = "plain"};

static const struct suite {
	const char *name;
	enum alg_encr encr;
	enum alg_auth auth;
} suites[] = {
    {"aes128gcm16", ENCR_AES128GCM16, AUTH_NONE}, {"aes256gcm16", ENCR_AES256GCM16, AUTH_NONE},
    {"aes128-sha1", ENCR_AES128, AUTH_SHA1}, {"aes128-sha256", ENCR_AES128, AUTH_SHA256},
    {"3des-sha1", ENCR_3DES, AUTH_SHA1}, {"none", ENCR_NONE, AUTH_NONE}, /* of DIR_PLAIN */
};

static const unsigned sizes[] = {64, 256, 576, 1424, 0};
static const struct {
	unsigned tunnels;
	bool ecmp;
} spreads[] = {{1, false}, {16, true}, {1000, false}, {10000, false}};
static const unsigned routes[] = {1, 10000, 1000000};

static const char *suite_name(const struct profile *p)
{
	for (unsigned i = 0; i < COUNT(suites); i++) {
		if (suites[i].encr == p->encr && suites[i].auth == p->auth)
			return suites[i].name;
	}
	return "?";
}

const char *profile_name(const struct profile *p, char name[PROFILE_NAME_MAX])
{
	char size[16] = "imix";

	if (p->bytes)
		snprintf(size, sizeof(size), "%u", p->bytes);
	snprintf(name, PROFILE_NAME_MAX, "%s/%s/%s/%u%s/%u", direction_names[p->direction],
	    suite_name(p), size, p->tunnels, p->ecmp ? "ecmp" : "", p->routes);
	return name;
}

bool profile_next(unsigned *at, struct profile *p)
{
	for (;;) {
		unsigned i = (*at)++;
		unsigned route = i % COUNT(routes);
		unsigned spread = i / COUNT(routes) % COUNT(spreads);
		unsigned size = i / COUNT(routes) / COUNT(spreads) % COUNT(sizes);
		unsigned suite = i / COUNT(routes) / COUNT(spreads) / COUNT(sizes) % COUNT(suites);
		unsigned direction =
		    i / COUNT(routes) / COUNT(spreads) / COUNT(sizes) / COUNT(suites);
		bool plain = direction == DIR_PLAIN;

		if (direction >= COUNT(direction_names))
			return false;
		if (plain != (suites[suite].encr == ENCR_NONE) ||
		    (plain && spreads[spread].tunnels > 1))
			continue;
		*p = (struct profile){.direction = (enum direction)direction,
		    .encr = suites[suite].encr,
		    .auth = suites[suite].auth,
		    .bytes = sizes[size],
		    .tunnels = spreads[spread].tunnels,
		    .ecmp = spreads[spread].ecmp,
		    .routes = routes[route]};
		return true;
	}
}

bool profile_is_default(const struct profile *p)
{
	bool usual =
	    p->encr == ENCR_AES128GCM16 || (p->encr == ENCR_AES128 && p->auth == AUTH_SHA1);
	bool sized = p->bytes == 64 || p->bytes == 256 || p->bytes == 1424;

	if (p->direction == DIR_PLAIN)
		return p->bytes == 64;
	if (p->tunnels == 1 && p->routes == 1)
		return usual && sized && p->direction != DIR_RELAY;
	if (p->bytes != 64 || !usual || p->direction == DIR_RELAY)
		return false;
	if (p->routes == 1)
		return p->tunnels <= 1000;
	return p->tunnels == 1 && p->direction == DIR_OUT && p->encr == ENCR_AES128GCM16;
}

/* Part by part. */
bool profile_matches(const struct profile *p, const char *word)
{
	char name[PROFILE_NAME_MAX];
	const char *at = profile_name(p, name);

	while (*word) {
		size_t part = strcspn(at, "/"), wanted = strcspn(word, "/");

		if (!(wanted == 1 && *word == '*') &&
		    (part != wanted || strncmp(at, word, part) != 0))
			return false;
		at += part + (at[part] != '\0');
		word += wanted + (word[wanted] != '\0');
	}
	return true;
}
