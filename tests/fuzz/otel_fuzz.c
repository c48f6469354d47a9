// SPDX-License-Identifier: Apache-2.0
#define TARGET OTEL
#include "tests/fuzz/ingest.h"
