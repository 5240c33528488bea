/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * systemd's side of the process. The library for it would block when the journal does; a lost log line is better
 * than a control loop that stands still.
 */

#include "transitd/service.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

/* ---- datagrams ---- */

/* A path, or with '@' first a name that is in no directory. */
static void send_to(const char *where, const char *bytes, size_t len)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	size_t n = strlen(where);
	int fd;

	if (n == 0 || n >= sizeof(addr.sun_path))
		return;
	memcpy(addr.sun_path, where, n);
	if (where[0] == '@')
		addr.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&addr,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	close(fd);
}

static void notify(const char *text)
{
	const char *where = getenv("NOTIFY_SOCKET");

	if (where)
		send_to(where, text, strlen(text));
}

void service_ready(const char *status)
{
	char line[256];
	struct text text = text_of(line, sizeof(line));

	text_addf(&text, "READY=1\nSTATUS=%s\n", status);
	notify(line);
}

void service_alive(void)
{
	notify("WATCHDOG=1\n");
}

void service_stopping(void)
{
	notify("STOPPING=1\nSTATUS=telling peers\n");
}

/* ---- the journal ---- */

static int priority_of(enum log_level level)
{
	static const int priority[] = {
	    [LOG_ERROR] = 3, [LOG_WARNING] = 4, [LOG_NOTICE] = 5, [LOG_INFO] = 6, [LOG_DEBUG] = 7};

	return priority[level];
}

/* "PeerIdMismatch: ..." has a code of T27: one word of letters and digits that begins with a capital. */
static size_t code_length(const char *line)
{
	size_t n = 0;

	if (!isupper((unsigned char)line[0]))
		return 0;
	while (isalnum((unsigned char)line[n]))
		n++;
	return n > 3 && line[n] == ':' ? n : 0;
}

/* "dc1/2" is a tunnel: a connection and a number. */
static const char *tunnel_number(const char *object)
{
	const char *slash = object ? strrchr(object, '/') : NULL;

	return slash && slash[1] && strspn(slash + 1, "0123456789") == strlen(slash + 1) ? slash
											 : NULL;
}

static void to_journal(
    void *ctx, enum log_level level, const char *subsystem, const char *object, const char *line)
{
	char bytes[4096];
	struct text out = text_of(bytes, sizeof(bytes));
	const char *slash = tunnel_number(object);
	size_t code = code_length(line);

	text_addf(&out, "MESSAGE=%s%s%s: %s\nPRIORITY=%d\nSYSLOG_IDENTIFIER=transitd\n", subsystem,
	    object ? " " : "", object ? object : "", line, priority_of(level));
	text_addf(&out, "TRANSITD_SUBSYSTEM=%s\n", subsystem);
	if (object)
		text_addf(&out, "TRANSITD_OBJECT=%s\n", object);
	if (slash)
		text_addf(&out, "TRANSITD_TUNNEL=%s\nTRANSITD_CONNECTION=%.*s\n", object,
		    (int)(slash - object), object);
	if (code)
		text_addf(&out, "TRANSITD_CODE=%.*s\n", (int)code, line);
	send_to(ctx, bytes, out.len);
}

/* Whether stderr is the stream that the manager connected to the journal: "DEVICE:INODE". */
static int is_journal_stream(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	    fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void service_log(const char *journal)
{
	if (is_journal_stream() && access(journal, W_OK) == 0)
		log_set_sink(to_journal, (void *)(size_t)journal);
}
