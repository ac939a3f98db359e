#!/bin/sh
# Builds both images, brings them into the cluster, installs the release and checks it. Settings: README.md.
cd "$(dirname "$0")/.." || exit
exec go tool mage deploy
