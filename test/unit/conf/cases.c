/* SPDX-License-Identifier: BSD-3-Clause */
#include "cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/conf.h"

/* Lines that most cases share. They stand in one line so that line numbers are those of the case. */
static const struct {
	const char *word;
	const char *line;
} site[] = {
    {"@ports",
	"ports: {wan0: {device: '0000:03:00.0', address: 203.0.113.10/24, gateway: 203.0.113.1}, "
	"lan0: {device: '0000:04:00.0'}}\n"},
    {"@zones",
	"ports: {wan0: {device: '0000:03:00.0', address: 203.0.113.10/24, gateway: 203.0.113.1, "
	"zone: east}, wan1: {device: '0000:03:00.1', address: 198.51.100.10/24, gateway: 198.51.100.1, "
	"zone: west}, lan0: {device: '0000:04:00.0'}}\n"},
    {"@router", "transit-router: {name: tr-1, cidr: 203.0.113.32/28, owner: netops}\n"},
    {"@gateways",
	"customer-gateways: {gw-a: {address: 192.0.2.1, asn: 65010}, gw-b: {address: 192.0.2.2, "
	"asn: 65011}, bare: {address: 192.0.2.3}, anywhere: {address: 0.0.0.0, asn: 65012}, "
	"gw-six: {address: '2001:db8::1'}}\n"},
    {"@connection",
	"vpn-connections: {dc1: {tunnels: [{customer-gateway: gw-a, ike: {dh-group: 14}, ipsec: "
	"{dh-group: 14}}, {customer-gateway: gw-b, ike: {dh-group: 14}, ipsec: {dh-group: 14}}]}}\n"},
    {"@attach", "attachments: {dc1: {kind: vpn, connection: dc1}}\n"},
    {"@strong", "       ike: {dh-group: 14}, ipsec: {dh-group: 14}}\n"},
    {"@second", "      - {customer-gateway: gw-b, ike: {dh-group: 14}, ipsec: {dh-group: 14}}\n"},
};

struct buffer {
	char *text;
	size_t len;
};

static void append(struct buffer *b, const char *s)
{
	size_t len = strlen(s);

	b->text = xrealloc(b->text, b->len + len + 1);
	memcpy(b->text + b->len, s, len + 1);
	b->len += len;
}

static const char *expand(const char *line)
{
	for (size_t i = 0; i < sizeof(site) / sizeof(site[0]); i++) {
		size_t len = strlen(site[i].word);

		if (strncmp(line, site[i].word, len) == 0 && line[len] == '\n')
			return site[i].line;
	}
	if (line[0] == '@') {
		fprintf(stderr, "unknown line %s", line);
		exit(2);
	}
	return line;
}

static void begin_case(struct conf_case *c, char *line)
{
	line[strcspn(line, "\n")] = '\0';
	c->title = xstrdup(line + 3);
	c->id = xstrdup(line + 3);
	c->id[strcspn(c->id, " ")] = '\0';
	c->yaml = xstrdup("");
	c->expected = xstrdup("");
}

static void extend(char **text, const char *line)
{
	struct buffer b = {*text, strlen(*text)};

	append(&b, line);
	*text = b.text;
}

struct conf_case *cases_read(const char *path, size_t *count)
{
	FILE *f = fopen(path, "re");
	struct conf_case *cases = NULL;
	bool expecting = false;
	char line[8192];

	*count = 0;
	if (!f) {
		perror(path);
		exit(2);
	}
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, "== ", 3) == 0) {
			cases = xrealloc(cases, (*count + 1) * sizeof(*cases));
			begin_case(&cases[(*count)++], line);
			expecting = false;
		} else if (strcmp(line, "--\n") == 0) {
			expecting = true;
		} else if (*count && expecting) {
			extend(&cases[*count - 1].expected, line);
		} else if (*count) {
			extend(&cases[*count - 1].yaml, expand(line));
		}
	}
	fclose(f);
	return cases;
}

void cases_free(struct conf_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(cases[i].title);
		free(cases[i].id);
		free(cases[i].yaml);
		free(cases[i].expected);
	}
	free(cases);
}

char *conf_says(const char *yaml, size_t len)
{
	struct buffer said = {0};
	struct conf_errors errs;
	struct conf *conf;
	char line[1024];
	int err;

	conf_errors_init(&errs);
	err = conf_load_buffer("", yaml, len, NULL, &conf, &errs);
	append(&said, "");
	if ((err == 0) != (errs.errors == 0) || (err == 0) != (conf != NULL))
		append(&said, "the result does not agree with the errors\n");
	for (unsigned i = 0; i < errs.items_count; i++) {
		append(&said, conf_error_text(&errs, &errs.items[i], line, sizeof(line)) + 1);
		append(&said, "\n");
	}
	conf_free(conf);
	conf_errors_fini(&errs);
	return said.text;
}
