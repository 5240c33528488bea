/* SPDX-License-Identifier: BSD-3-Clause */

/* The grid of profiles and their names. */

#include "transitbench/profile.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const direction_names[] = {
    [DIR_OUT] = "out", [DIR_IN] = "in", [DIR_RELAY] = "relay", [DIR_PLAIN] = "plain"};

static const char *const direction_titles[] = {[DIR_OUT] = "clear to ESP",
    [DIR_IN] = "ESP to clear",
    [DIR_RELAY] = "ESP to ESP",
    [DIR_PLAIN] = "clear to clear"};

static const struct suite {
	const char *name, *title;
	enum alg_encr encr;
	enum alg_auth auth;
} suites[] = {
    {"aes128gcm16", "AES-128-GCM", ENCR_AES128GCM16, AUTH_NONE},
    {"aes256gcm16", "AES-256-GCM", ENCR_AES256GCM16, AUTH_NONE},
    {"aes128-sha1", "AES-128-CBC and SHA1", ENCR_AES128, AUTH_SHA1},
    {"aes128-sha256", "AES-128-CBC and SHA-256", ENCR_AES128, AUTH_SHA256},
    {"3des-sha1", "3DES and SHA1", ENCR_3DES, AUTH_SHA1},
    {"none", NULL, ENCR_NONE, AUTH_NONE}, /* of DIR_PLAIN */
};

static const unsigned sizes[] = {64, 256, 576, 1424, 0};
static const struct {
	unsigned tunnels;
	bool ecmp;
} spreads[] = {{1, false}, {16, true}, {1000, false}, {10000, false}};
static const unsigned routes[] = {1, 10000, 1000000};

static const struct suite *suite_of(const struct profile *p)
{
	unsigned i = 0;

	while (suites[i].encr != p->encr || suites[i].auth != p->auth)
		i++;
	return &suites[i];
}

const char *profile_name(const struct profile *p, char name[PROFILE_NAME_MAX])
{
	char size[16] = "imix";

	if (p->bytes)
		snprintf(size, sizeof(size), "%u", p->bytes);
	snprintf(name, PROFILE_NAME_MAX, "%s/%s/%s/%u%s/%u", direction_names[p->direction],
	    suite_of(p)->name, size, p->tunnels, p->ecmp ? "ecmp" : "", p->routes);
	return name;
}

const char *profile_group(const struct profile *p, char text[PROFILE_NAME_MAX])
{
	const char *suite = suite_of(p)->title;

	snprintf(text, PROFILE_NAME_MAX, "%s%s%s", direction_titles[p->direction],
	    suite ? ", " : "", suite ? suite : "");
	return text;
}

const char *profile_case(const struct profile *p, char text[PROFILE_NAME_MAX])
{
	char size[16] = "IMIX", tunnels[32] = "";

	if (p->bytes)
		snprintf(size, sizeof(size), "%u B", p->bytes);
	if (p->direction != DIR_PLAIN)
		snprintf(tunnels, sizeof(tunnels), ", %u tunnel%s%s", p->tunnels,
		    p->tunnels > 1 ? "s" : "", p->ecmp ? " (ECMP)" : "");
	snprintf(text, PROFILE_NAME_MAX, "%s%s, %u route%s", size, tunnels, p->routes,
	    p->routes > 1 ? "s" : "");
	return text;
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

/* What is wrong with a word */

/* The part of a text between slashes; "" behind the last one. Returns its length. */
static size_t part_of(const char *text, unsigned part, const char **at)
{
	for (; part > 0 && *text; part--) {
		text += strcspn(text, "/");
		text += *text == '/';
	}
	*at = text;
	return strcspn(text, "/");
}

/* The next profile that begins with the first `parts` of the word. */
static bool next_like(const char *word, unsigned parts, unsigned *at, struct profile *p)
{
	char start[PROFILE_NAME_MAX];
	const char *end;

	part_of(word, parts, &end);
	if ((size_t)(end - word) >= sizeof(start))
		return false;
	snprintf(start, sizeof(start), "%.*s", (int)(end - word), word);
	while (profile_next(at, p)) {
		if (profile_matches(p, start))
			return true;
	}
	return false;
}

static bool any_like(const char *word, unsigned parts)
{
	struct profile p;
	unsigned at = 0;

	return next_like(word, parts, &at, &p);
}

/* What may follow the first `parts` of the word, each once. */
static void list_next(const char *word, unsigned parts, char *why, size_t size)
{
	char seen[256] = " ", name[PROFILE_NAME_MAX], value[PROFILE_NAME_MAX + 2];
	struct profile p;
	unsigned at = 0;

	while (next_like(word, parts, &at, &p)) {
		const char *text;
		size_t bytes = part_of(profile_name(&p, name), parts, &text);

		snprintf(value, sizeof(value), " %.*s ", (int)bytes, text);
		if (!strstr(seen, value))
			strncat(seen, value + 1, sizeof(seen) - strlen(seen) - 1);
	}
	seen[strlen(seen) - 1] = '\0';
	strncat(why, seen, size - strlen(why) - 1);
}

bool profile_check(const char *word, char *why, size_t size)
{
	static const char *const parts[] = {
	    "direction", "algorithm", "size", "number of tunnels", "number of routes"};

	for (unsigned i = 0; i < COUNT(parts); i++) {
		const char *at;
		size_t bytes = part_of(word, i, &at);

		if (any_like(word, i + 1))
			continue;
		snprintf(why, size, "'%s': no profile has the %s '%.*s'%s; there are:", word,
		    parts[i], (int)bytes, at, i > 0 ? " here" : "");
		list_next(word, i, why, size);
		return false;
	}
	snprintf(why, size, "'%s': a profile is DIRECTION/ALGORITHM/SIZE/TUNNELS/ROUTES", word);
	return *word != '\0' && any_like(word, COUNT(parts) + 1);
}
