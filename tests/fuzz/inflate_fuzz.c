// SPDX-License-Identifier: Apache-2.0
#define TARGET INFLATE
#include "tests/fuzz/ingest.h"
