#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Are the objects on standard input what Kubernetes, KEDA and the Prometheus operator take? For tests/package/chart.sh.

    helm template ... | chart_objects.py [--kubernetes 1.31.0]

Prints a line a fault and, at the end, "N objects". A field that the type does not have is a fault, too. The interpreter has
kubernetes-validate, cloudcoil-models-keda and cloudcoil-models-prometheus-operator (deploy/install-deps --chart).
"""
import sys

import kubernetes_validate
import yaml
from cloudcoil.models.keda.v1alpha1 import ScaledObject
from cloudcoil.models.prometheus_operator.v1 import PrometheusRule, ServiceMonitor

FOREIGN = {("keda.sh/v1alpha1", "ScaledObject"): ScaledObject, ("monitoring.coreos.com/v1", "ServiceMonitor"): ServiceMonitor,
           ("monitoring.coreos.com/v1", "PrometheusRule"): PrometheusRule}


def lost(given, kept, path=""):
    """Paths of what a model has not kept."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            if key in kept:
                yield from lost(value, kept[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}"
    elif isinstance(given, list) and isinstance(kept, list):
        for i, value in enumerate(given):
            yield from lost(value, kept[i], f"{path}[{i}]")


def faults(o, version):
    model = FOREIGN.get((o["apiVersion"], o["kind"]))
    try:
        if not model:
            kubernetes_validate.validate(o, version, strict=True)
            return
        kept = model.model_validate(o).model_dump(by_alias=True, exclude_unset=True, mode="json")
    except Exception as e:  # each library has kinds of its own
        yield str(e).replace("\n", " ")[:300]
        return
    for path in lost(o, kept):
        yield f"no field {path}"


wanted = sys.argv[sys.argv.index("--kubernetes") + 1] if "--kubernetes" in sys.argv else "1.31.0"
objects = [o for o in yaml.safe_load_all(sys.stdin) if o]
names = [(o["kind"], o["metadata"]["name"]) for o in objects]
for o in objects:
    for fault in faults(o, wanted):
        print(f"{o['kind']} {o['metadata']['name']}: {fault}")
for name in sorted(set(n for n in names if names.count(n) > 1)):
    print(f"{name[0]} {name[1]}: there are two of them")
print(f"{len(objects)} objects")
