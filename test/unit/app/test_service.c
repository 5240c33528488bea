/* SPDX-License-Identifier: BSD-3-Clause */

/* What a service manager and a journal get to read, and that neither can hold us up. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "testing.h"
#include "transitd/service.h"

static char dir[] = "/tmp/test-service-XXXXXX";
static char path[sizeof(dir) + 16];
static int fd;

static int listener(void **state)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	strcpy(dir, "/tmp/test-service-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/socket", dir);
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	return bind(fd, (struct sockaddr *)&addr, sizeof(addr));
}

static int gone(void **state)
{
	log_set_sink(NULL, NULL);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("JOURNAL_STREAM");
	close(fd);
	unlink(path);
	return rmdir(dir);
}

static void assert_datagram(const char *text)
{
	char have[4096];
	ssize_t n = recv(fd, have, sizeof(have) - 1, 0);

	assert_true(n >= 0);
	have[n] = '\0';
	assert_string_equal(have, text);
}

static void assert_silence(void)
{
	char byte;

	assert_int_equal(recv(fd, &byte, 1, 0), -1);
	assert_int_equal(errno, EAGAIN);
}

static void the_manager_is_told(void **state)
{
	service_alive(); /* nobody asked */
	assert_silence();
	setenv("NOTIFY_SOCKET", path, 1);
	service_ready("running");
	assert_datagram("READY=1\nSTATUS=running\n");
	service_alive();
	assert_datagram("WATCHDOG=1\n");
	service_stopping();
	assert_datagram("STOPPING=1\nSTATUS=telling peers\n");
}

/* stderr is what JOURNAL_STREAM says. */
static void connect_journal(void)
{
	struct stat st;
	char stream[64];

	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
	    (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	service_log(path);
}

static void lines_have_fields(void **state)
{
	connect_journal();
	log_write(LOG_WARNING, "ike", "dc1/2", "PeerIdMismatch: remote-id, here: a, peer: b");
	assert_datagram(
	    "MESSAGE=ike dc1/2: PeerIdMismatch: remote-id, here: a, peer: b\nPRIORITY=4\n"
	    "SYSLOG_IDENTIFIER=transitd\nTRANSITD_SUBSYSTEM=ike\nTRANSITD_OBJECT=dc1/2\n"
	    "TRANSITD_TUNNEL=dc1/2\nTRANSITD_CONNECTION=dc1\nTRANSITD_CODE=PeerIdMismatch\n");
	log_write(LOG_NOTICE, "port", "wan0", "link up");
	assert_datagram("MESSAGE=port wan0: link up\nPRIORITY=5\nSYSLOG_IDENTIFIER=transitd\n"
			"TRANSITD_SUBSYSTEM=port\nTRANSITD_OBJECT=wan0\n");
	log_write(LOG_ERROR, "eal", NULL, "DPDK: no");
	assert_datagram("MESSAGE=eal: DPDK: no\nPRIORITY=3\nSYSLOG_IDENTIFIER=transitd\n"
			"TRANSITD_SUBSYSTEM=eal\nTRANSITD_CODE=DPDK\n");
}

static void no_line_forges_a_field(void **state)
{
	connect_journal();
	log_write(LOG_INFO, "ike", NULL, "peer says\nPRIORITY=0\n");
	assert_datagram(
	    "MESSAGE=ike: peer says?PRIORITY=0?\nPRIORITY=6\nSYSLOG_IDENTIFIER=transitd\n"
	    "TRANSITD_SUBSYSTEM=ike\n");
}

/* A terminal or a file goes on to get plain lines. */
static void another_stream_stays(void **state)
{
	setenv("JOURNAL_STREAM", "1:2", 1);
	service_log(path);
	log_write(LOG_INFO, "test", NULL, "this line is for stderr");
	assert_silence();
}

static void a_journal_that_does_not_read_holds_nobody_up(void **state)
{
	connect_journal();
	for (int i = 0; i < 5000; i++)
		log_write(LOG_INFO, "test", NULL, "line %d", i);
	assert_datagram("MESSAGE=test: line 0\nPRIORITY=6\nSYSLOG_IDENTIFIER=transitd\n"
			"TRANSITD_SUBSYSTEM=test\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_manager_is_told, listener, gone),
	    cmocka_unit_test_setup_teardown(lines_have_fields, listener, gone),
	    cmocka_unit_test_setup_teardown(no_line_forges_a_field, listener, gone),
	    cmocka_unit_test_setup_teardown(another_stream_stays, listener, gone),
	    cmocka_unit_test_setup_teardown(
		a_journal_that_does_not_read_holds_nobody_up, listener, gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
