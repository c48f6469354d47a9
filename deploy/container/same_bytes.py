#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes an archive of a container image again, so that the same contents are the same bytes: deploy/make-image runs it.

    same_bytes.py SECONDS ARCHIVE...      archives of docker and of OCI, in place

buildah leaves random numbers and the time in them: the id and host name of the container that it built in, the tags of the images
on the way, and the times of the files of the archive, which become SECONDS. Layers stay as they are. What `docker load` does not
need any more (docker 1.10) is left out.
"""
import hashlib
import io
import json
import os
import sys
import tarfile


def dump(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def digest(data):
    return hashlib.sha256(data).hexdigest()


def without_chance(config):
    """The configuration of an image, with nothing of the container that it was made in."""
    config.pop("container", None)
    for part in ("config", "container_config"):
        if "Hostname" in config.get(part, {}):
            config[part]["Hostname"] = ""
    for step in config.get("history", []):
        if step.get("comment", "").startswith("FROM "):
            del step["comment"]
    return dump(config)


def of_docker(files):
    (image,) = json.loads(files["manifest.json"])
    config = without_chance(json.loads(files[image["Config"]]))
    image["Config"] = digest(config) + ".json"
    image["RepoTags"] = [t for t in image["RepoTags"] if not t.startswith("localhost/")]
    return {image["Config"]: config, "manifest.json": dump([image]), **{name: files[name] for name in image["Layers"]}}


def of_oci(files):
    index = json.loads(files["index.json"])
    (entry,) = index["manifests"]
    manifest = json.loads(files[blob(entry)])
    config = without_chance(json.loads(files[blob(manifest["config"])]))
    ret = {blob(layer): files[blob(layer)] for layer in manifest["layers"]}
    for place, data in ((manifest["config"], config), (entry, None)):
        data = data or dump(manifest) # which has the digest of the configuration by then
        place["digest"], place["size"] = "sha256:" + digest(data), len(data)
        ret[blob(place)] = data
    return {**ret, "index.json": dump(index), "oci-layout": files["oci-layout"]}


def blob(descriptor):
    return "blobs/" + descriptor["digest"].replace(":", "/")


seconds = int(sys.argv[1])
for path in sys.argv[2:]:
    with tarfile.open(path) as tar:
        files = {m.name: tar.extractfile(m).read() for m in tar if m.isreg()}
    files = of_docker(files) if "manifest.json" in files else of_oci(files)
    with tarfile.open(path + ".new", "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = len(data), seconds, 0o644
            tar.addfile(entry, io.BytesIO(data))
    os.replace(path + ".new", path)
