/* SPDX-License-Identifier: BSD-3-Clause */

/* "unconfirmed": a line with the hash of the edited startup file, then the bytes that come back in its place. */

#include "router/change/startup.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/state.h"
#include "router/tunnels/leases.h"

#define LOG "startup"

#define GUARD      "unconfirmed"
#define HASH_CHARS 17 /* with its newline */

void startup_free(struct startup *s)
{
	secret_free(s->text, s->text ? s->len + 1 : 0);
	free(s->file);
	*s = (struct startup){0};
}

void startup_set_text(struct startup *s, const char *text, size_t len)
{
	char *copy = xmalloc(len + 1);

	memcpy(copy, text, len);
	copy[len] = '\0';
	secret_free(s->text, s->text ? s->len + 1 : 0);
	s->text = copy;
	s->len = len;
}

/* ---- what was not confirmed ---- */

int startup_guard(const char *state_dir, const char *before, size_t before_len, const char *edited,
    size_t edited_len)
{
	size_t len = HASH_CHARS + before_len;
	char *whole = xmalloc(len + 1);

	snprintf(whole, HASH_CHARS + 1, "%016" PRIx64 "\n", state_hash(edited, edited_len));
	memcpy(whole + HASH_CHARS, before, before_len);
	int rc = state_write(state_dir, GUARD, whole, len);
	secret_free(whole, len + 1);
	return rc;
}

int startup_unguard(const char *state_dir)
{
	return state_remove(state_dir, GUARD);
}

static int put_back(const char *file, const char *text, size_t len)
{
	int rc;
	struct state_change *c = state_change_begin(file, text, len, 0600, &rc);

	return c ? state_change_commit(c) : rc;
}

/* Takes the bytes of before in place of the edited ones, if there is something to take back. */
static void take_back(const char *state_dir, struct startup *s)
{
	char *guard, hash[HASH_CHARS + 1];
	size_t len;
	int rc = state_read(state_dir, GUARD, &guard, &len);

	if (rc == -EBADMSG)
		log_write(
		    LOG_WARNING, LOG, NULL, "%s/" GUARD " is damaged and left alone", state_dir);
	if (rc < 0)
		return;
	snprintf(hash, sizeof(hash), "%016" PRIx64 "\n", state_hash(s->text, s->len));
	if (len < HASH_CHARS || strncmp(guard, hash, HASH_CHARS) != 0) {
		startup_unguard(state_dir); /* the file was edited since, or never written */
		secret_free(guard, len + 1);
		return;
	}
	startup_set_text(s, guard + HASH_CHARS, len - HASH_CHARS);
	secret_free(guard, len + 1);
	rc = put_back(s->file, s->text, s->len);
	if (rc == 0)
		startup_unguard(state_dir);
	log_write(LOG_WARNING, LOG, NULL,
	    "the last change was not confirmed: the configuration before it is in force%s%s",
	    rc < 0 ? ", but the startup file cannot be put back: " : " and in the startup file",
	    rc < 0 ? strerror(-rc) : "");
}

/* ---- loading ---- */

static int load_with(const struct startup *s, const struct leases *leases, struct conf **conf,
    struct conf_errors *errs)
{
	struct conf_options options = {leases->lease, leases->count};

	conf_errors_fini(errs);
	int rc = conf_load_buffer(s->file, s->text, s->len, &options, conf, errs);
	if (rc == 0)
		conf_warn_readable(s->file, *conf, errs);
	return rc;
}

int startup_load(const char *file, bool look_only, struct startup *out, struct conf **conf,
    struct conf_errors *errs)
{
	struct leases leases = {0};
	int rc;

	*out = (struct startup){.file = xstrdup(file)};
	rc = state_slurp(file, &out->text, &out->len);
	if (rc < 0) /* says why */
		return conf_load(file, NULL, conf, errs);
	/* Once to learn where the state directory is, and again with what is there. */
	rc = load_with(out, &leases, conf, errs);
	if (rc < 0)
		return rc;
	char *state_dir = xstrdup((*conf)->system.state_dir);
	if (!look_only)
		take_back(state_dir, out);
	leases_read(state_dir, &leases);
	conf_free(*conf);
	rc = load_with(out, &leases, conf, errs);
	leases_free(&leases);
	free(state_dir);
	return rc;
}
