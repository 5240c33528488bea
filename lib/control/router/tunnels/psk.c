/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Pre-shared keys that the startup file leaves out: made once of 16 printable characters (X5), kept in the state
 * directory with mode 0600, the same from then on (T12). They are state files (base/state.h), and on the disk before
 * the key is used: a crash leaves no key or the one that was used. An operator may put a file with one line there.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/state.h"
#include "base/text.h"
#include "router/internal.h"

#define LOG "keys"

#define PSK_MADE_CHARS 16

/* One line; ours has a closing line behind it, an operator's may stand alone. Cut files are refused. */
static int read_key(const char *state_dir, const char *name, char out[CONF_PSK_MAX + 1])
{
	char path[512], *text = NULL, *newline;
	struct stat st;
	size_t len = 0;

	snprintf(path, sizeof(path), "%s/%s", state_dir, name);
	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		return -ELOOP;
	int rc = state_read(state_dir, name, &text, &len);
	if (rc == -EBADMSG) {
		rc = state_slurp(path, &text, &len);
		newline = rc == 0 ? strchr(text, '\n') : NULL;
		if (rc == 0 && (!newline || newline + 1 != text + len))
			rc = -EINVAL;
		else if (rc == 0)
			*newline = '\0';
	}
	if (rc == 0 && (!*text || !text_copy(out, CONF_PSK_MAX + 1, text)))
		rc = -EINVAL;
	secret_free(text, text ? len + 1 : 0);
	return rc;
}

static void make_key(struct rng *rng, char out[CONF_PSK_MAX + 1])
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

	for (unsigned i = 0; i < PSK_MADE_CHARS; i++)
		out[i] = alphabet[rng_below(rng, sizeof(alphabet) - 1)];
	out[PSK_MADE_CHARS] = '\0';
}

int psk_load_or_make(const char *state_dir, const char *connection, unsigned tunnel,
    struct rng *rng, char out[CONF_PSK_MAX + 1])
{
	char name[300];
	int rc;

	if (mkdir(state_dir, 0700) < 0 && errno != EEXIST)
		return -errno;
	if (snprintf(name, sizeof(name), "psk-%s-%u", connection, tunnel) >= (int)sizeof(name))
		return -ENAMETOOLONG;
	rc = read_key(state_dir, name, out);
	if (rc != -ENOENT)
		return rc;
	make_key(rng, out);
	rc = state_write(state_dir, name, out, strlen(out));
	if (rc == 0)
		log_write(LOG_NOTICE, LOG, connection,
		    "pre-shared key of tunnel %u generated, kept in %s/%s", tunnel, state_dir,
		    name);
	return rc;
}
