/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * JSON trees in the shape telemetry can carry: a dictionary of numbers and strings, or a list of
 * names. Members of members get joined names; what telemetry cannot hold (its answers are 16 KiB)
 * it leaves out by itself.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <rte_telemetry.h>

#include "api/internal.h"
#include "base/text.h"

/* "rx-packets" under "port" is "port_rx_packets": names may have letters, digits and '_'. */
static void join(char *buf, size_t capacity, const char *prefix, const char *key)
{
	struct text text = text_of(buf, capacity);

	text_addf(&text, "%s%s%s", prefix, prefix[0] ? "_" : "", key);
	for (; *buf; buf++) {
		bool is_plain = (*buf >= 'a' && *buf <= 'z') || (*buf >= 'A' && *buf <= 'Z') ||
		    (*buf >= '0' && *buf <= '9');

		if (!is_plain)
			*buf = '_';
	}
}

static void scalar_text(const json_t *value, char *buf, size_t capacity)
{
	if (json_is_string(value))
		text_copy(buf, capacity, json_string_value(value));
	else if (json_is_integer(value))
		snprintf(buf, capacity, "%" PRIi64, (int64_t)json_integer_value(value));
	else if (json_is_real(value))
		snprintf(buf, capacity, "%.3f", json_real_value(value));
	else
		snprintf(buf, capacity, "%s", json_is_true(value) ? "true" : "");
}

/* A list of plain values is one string; of a list of objects the number is given. */
static void add_list(struct rte_tel_data *data, const char *name, const json_t *list)
{
	char buf[RTE_TEL_MAX_STRING_LEN], item_text[RTE_TEL_MAX_STRING_LEN];
	struct text text = text_of(buf, sizeof(buf));
	size_t i;
	json_t *item;

	if (json_is_object(json_array_get(list, 0))) {
		rte_tel_data_add_dict_u64(data, name, json_array_size(list));
		return;
	}
	json_array_foreach(list, i, item)
	{
		scalar_text(item, item_text, sizeof(item_text));
		text_addf(&text, "%s%s", i ? " " : "", item_text);
	}
	rte_tel_data_add_dict_string(data, name, buf);
}

static void add_number(struct rte_tel_data *data, const char *name, json_int_t value)
{
	if (value >= 0)
		rte_tel_data_add_dict_u64(data, name, (uint64_t)value);
	else
		rte_tel_data_add_dict_int(data, name, value < INT32_MIN ? INT32_MIN : (int)value);
}

static void add_members(
    struct rte_tel_data *data, const char *prefix, const json_t *object, unsigned depth)
{
	char name[RTE_TEL_MAX_STRING_LEN], text[RTE_TEL_MAX_STRING_LEN];
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value)
	{
		join(name, sizeof(name), prefix, key);
		if (json_is_object(value) && depth < 4) {
			add_members(data, name, value, depth + 1);
		} else if (json_is_array(value)) {
			add_list(data, name, value);
		} else if (json_is_integer(value)) {
			add_number(data, name, json_integer_value(value));
		} else if (json_is_boolean(value)) {
			rte_tel_data_add_dict_int(data, name, json_is_true(value));
		} else if (!json_is_null(value)) {
			scalar_text(value, text, sizeof(text));
			rte_tel_data_add_dict_string(data, name, text);
		}
	}
}

void telemetry_row_name(const json_t *row, char *buf, size_t capacity)
{
	static const char *const keys[] = {"name", "prefix", "id", "index"};
	const json_t *value = NULL;

	for (unsigned i = 0; i < 4 && !value; i++)
		value = json_object_get(row, keys[i]);
	if (!value && json_is_object(row))
		value = json_object_iter_value(json_object_iter((json_t *)row));
	scalar_text(value, buf, capacity);
}

static int fill_names(const json_t *rows, struct rte_tel_data *data)
{
	char name[RTE_TEL_MAX_STRING_LEN];
	size_t i;
	json_t *row;

	rte_tel_data_start_array(data, RTE_TEL_STRING_VAL);
	json_array_foreach(rows, i, row)
	{
		telemetry_row_name(row, name, sizeof(name));
		if (rte_tel_data_add_array_string(data, name) == -ENOSPC)
			break;
	}
	return 0;
}

int telemetry_fill(const json_t *result, const char *wanted, struct rte_tel_data *data)
{
	const json_t *rows = json_object_get(result, "rows");
	char name[RTE_TEL_MAX_STRING_LEN];
	size_t i;
	json_t *row = NULL;

	if (!json_is_array(rows))
		rows = result;
	if (json_is_array(rows) && !wanted)
		return fill_names(rows, data);
	if (json_is_array(rows)) {
		json_array_foreach(rows, i, row)
		{
			telemetry_row_name(row, name, sizeof(name));
			if (!strcmp(name, wanted))
				break;
		}
		if (i == json_array_size(rows))
			return -ENOENT;
		rows = row;
	}
	rte_tel_data_start_dict(data);
	add_members(data, "", rows, 0);
	return 0;
}
