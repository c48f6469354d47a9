#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the bill of materials of a container's root as CycloneDX 1.5, out of dpkg's own list.

    sbom.py NAME VERSION STATUS EXTRA... <nothing >NAME.cdx.json

STATUS is the file /var/lib/dpkg/status of the root. EXTRA is purl=VERSION of what is in it without being a package: the chart
library in the program, and DuckDB. The same root gives the same bytes: no time and no random serial number.
"""
import json
import sys
from urllib.parse import quote


def paragraphs(text):
    for block in text.split("\n\n"):
        fields = {}
        for line in block.split("\n"):
            if line[:1] not in ("", " ") and ": " in line:
                key, value = line.split(": ", 1)
                fields[key] = value
        if fields.get("Status", "").endswith(" installed"):
            yield fields


def of_debian(p):
    purl = f"pkg:deb/debian/{quote(p['Package'])}@{quote(p['Version'])}?arch={p['Architecture']}"
    return {"type": "library", "bom-ref": purl, "name": p["Package"], "version": p["Version"], "purl": purl,
            "supplier": {"name": p.get("Maintainer", "").split(" <")[0]}}


def of_extra(purl):
    name, _, version = purl.rpartition("@")
    return {"type": "library", "bom-ref": purl, "name": name.rsplit("/", 1)[1], "version": version, "purl": purl}


name, version, status, extra = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
with open(status, encoding="utf-8") as f:
    parts = [of_debian(p) for p in paragraphs(f.read())] + [of_extra(purl) for purl in extra]
assert any(p["name"] == "nowcast" for p in parts), f"{status} does not list nowcast"
json.dump({"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
           "metadata": {"component": {"type": "container", "bom-ref": name, "name": name, "version": version}},
           "components": sorted(parts, key=lambda p: p["bom-ref"])}, sys.stdout, indent=1)
print()
