// SPDX-License-Identifier: Apache-2.0
// Messages, whole: whatever a producer writes. Longest input: 4096 bytes.
#define TARGET DECODE
#include "tests/fuzz/ingest.h"
