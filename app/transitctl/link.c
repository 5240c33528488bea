/* SPDX-License-Identifier: BSD-3-Clause */

/* One line there, one line back. */

#include "transitctl/link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

#define PATIENCE_S 60

static int explain(const char *path, int error)
{
	const char *hint = "";

	if (error == ENOENT || error == ECONNREFUSED)
		hint = ": transitd does not run, or its system.run-dir is another one (-s SOCKET)";
	else if (error == EACCES || error == EPERM)
		hint = ": ask as root, or as a member of the socket's group";
	fprintf(stderr, "transitctl: %s: %s%s\n", path, strerror(error), hint);
	return -error;
}

int link_open(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct timeval patience = {PATIENCE_S, 0};
	int fd;

	if (!text_copy(addr.sun_path, sizeof(addr.sun_path), path))
		return explain(path, ENAMETOOLONG);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return explain(path, errno);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int error = errno;

		close(fd);
		return explain(path, error);
	}
	return fd;
}

static json_t *lost(const char *what)
{
	fprintf(stderr, "transitctl: %s\n", what);
	return NULL;
}

static int send_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Up to the newline; NULL when the other side hung up or kept silent. */
static char *read_line(int fd)
{
	size_t len = 0, capacity = 64 * 1024;
	char *line = xmalloc(capacity);

	for (;;) {
		ssize_t n = recv(fd, line + len, capacity - len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			free(line);
			return NULL;
		}
		char *end = memchr(line + len, '\n', (size_t)n);
		if (end) {
			*end = '\0';
			return line;
		}
		len += (size_t)n;
		if (len == capacity)
			line = xrealloc(line, capacity *= 2);
	}
}

json_t *link_ask(int fd, const json_t *request)
{
	char *line = json_dumps(request, JSON_COMPACT);
	json_t *answer;
	int rc;

	if (!line)
		return lost("the request is no UTF-8 text");
	rc = send_all(fd, line, strlen(line));
	if (rc == 0)
		rc = send_all(fd, "\n", 1);
	free(line);
	if (rc < 0)
		return lost("transitd hung up");
	line = read_line(fd);
	if (!line)
		return lost("transitd gave no answer");
	answer = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	free(line);
	if (!json_is_object(answer)) {
		json_decref(answer);
		return lost("transitd answered something else than JSON");
	}
	return answer;
}
