#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# embed.sh OBJECT: its bytes as the elements of an array of C, on standard output.
od -An -v -tx1 "$1" | sed 's/ \(..\)/0x\1,/g'
