/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_STATE_H
#define BASE_STATE_H

/*
 * Files that outlive the process: whatever happens while one is written, it is afterwards what it was or what it
 * should become, never a part of either. New bytes are written beside it, are on the disk before the name changes
 * hands, and the name is on the disk before the call returns. A state file ends in a line with its length and a
 * hash: one that was cut or changed behind our back is found out.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define STATE_BYTES_MAX (64u << 20)

/* Replaces DIR/NAME by these bytes and the closing line; mode 0600. 0 or -errno, then the old file is untouched. */
int state_write(const char *dir, const char *name, const void *bytes, size_t len);
/*
 * All of it without the closing line, with a NUL behind, to be released with secret_free(*bytes, *len + 1).
 * 0, -ENOENT, -EBADMSG when it is not whole, or another -errno.
 */
int state_read(const char *dir, const char *name, char **bytes, size_t *len);
/* 0 also when there is none. */
int state_remove(const char *dir, const char *name);

/* Tells bytes from others; no protection against those who mean it. */
uint64_t state_hash(const void *bytes, size_t len);

/* The bytes of any file, without a closing line; otherwise as state_read(). */
int state_slurp(const char *path, char **bytes, size_t *len);

/*
 * A replacement in two steps, for a file of somebody else: begin() does all that can lack space, commit() only
 * changes names. Between them nothing has happened to PATH. The owner and mode of PATH are kept; a new file gets
 * `mode`. A symbolic link stays one: what it leads to is replaced.
 */
struct state_change;
struct state_change *state_change_begin(
    const char *path, const void *bytes, size_t len, mode_t mode, int *err);
/* Both release it; NULL is fine. commit: 0 or -errno, then PATH is what it was. */
int state_change_commit(struct state_change *c);
void state_change_abandon(struct state_change *c);

#endif
