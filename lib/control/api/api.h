/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef API_API_H
#define API_API_H

/*
 * What operators and programs ask of a running transitd: a control socket and, for what only
 * reads, DPDK telemetry. Both end in the same handlers, which run on the control lcore and nowhere
 * else.
 *
 * Control socket: AF_UNIX, stream, mode 0660. One line of JSON asks, one line answers, in order:
 *
 *   {"command": "show routes default"}      words: the name of a command, then its arguments
 *   {"command": "show", "what": "routes", "table": "default"}                     the same by name
 *   {"ok": true, "result": [...]}
 *   {"ok": false, "error": {"code": "NoSuchTable", "text": "there is no table \"defualt\""}}
 *
 * "command" may also be a list of words, for arguments with blanks.
 *
 * Every client is bounded in what it may send, in time, and in what waits for it; one that breaks a
 * bound is dropped and no other notices. When all places are taken, the client that has been silent
 * longest makes room.
 *
 * Telemetry: a command "show tunnels" is also /transit/tunnels: the names of its rows, and
 * /transit/tunnels,NAME one row as a flat dictionary. Telemetry's threads only queue the question
 * and wait for the control lcore.
 */

#include <jansson.h>

#include "base/clock.h"

struct event_base;
struct api;

#define API_CLIENTS_MAX 256
/* Bytes of one request, and of one answer; what is longer comes in pages, see "next" below. */
#define API_REQUEST_MAX (64 * 1024)
#define API_REPLY_MAX   (16 * 1024 * 1024)
/* A client may be silent between requests for so long, and stop half-way in one, or in reading an
 * answer, for so long. */
#define API_SILENCE_MAX DUR_S(300)
#define API_STALL_MAX   DUR_S(10)
/* Telemetry waits so long for the control lcore. */
#define API_DEADLINE_MAX DUR_S(2)

enum api_access {
	API_SHOW,   /* only reads; telemetry has it too */
	API_ACTION, /* changes something: logged with the user that asked */
	API_INPUT, /* hands bytes over that a later command takes; neither logged nor in telemetry */
	API_SECRET, /* shows secrets: for root and the user of the process alone; logged */
};

/* Why a handler gives no result. `code` is one stable word, in the way of T27. */
struct api_error {
	char code[48];
	char text[512];
};
/* Fills it in; returns NULL, so that a handler can `return api_fail(...)`. */
json_t *api_fail(struct api_error *error, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Answers a request with a new tree that nothing else refers to, or NULL and *error. Arguments are
 * members of `request`, which also has whatever further members the client sent, and the user and process that ask:
 * "caller-uid" and "caller-pid".
 *
 * A list is an array of objects of which one member names the row: "name", else "prefix", "id",
 * "index", else the first. A long list may be given in pages: {"rows": [...], "next": ANY}; the
 * client asks again with "from": ANY.
 */
/*
 * The member "privileged" of a request says whether root, or the user of the process, asks; nobody
 * else can set it.
 */
typedef json_t *api_handler(void *ctx, const json_t *request, struct api_error *error);

struct api_command {
	const char *name; /* "show routes": one or two words */
	/*
	 * "[table]", "name scope": members that further words become; in brackets those that may be
	 * left out. "--from=WHAT": an option of that name and what is behind it, a word or `=`, wherever it stands;
	 * "--with-secrets": one without a word, the member is true. NULL: none
	 */
	const char *args;
	enum api_access access;
	api_handler *handler;
	const char *help; /* one line, below 100 characters */
};

/* Listens on a socket of that path: a stale one is replaced, a live one is EADDRINUSE. NULL with
 * errno. SIGPIPE is ignored from then on. */
struct api *api_create(struct event_base *base, const char *path);
/* Drops all clients, answers waiting telemetry with an error, removes the socket. NULL is fine. */
void api_free(struct api *api);
/* *command and ctx must outlive api. 0, -EEXIST, -EINVAL. "help" is there from the start. */
int api_register(struct api *api, const struct api_command *command, void *ctx);

/* The string member of a request, or NULL. */
const char *api_text(const json_t *request, const char *name);

#endif
