// SPDX-License-Identifier: Apache-2.0
#define TARGET DECODE
#include "tests/fuzz/ingest.h"
