#!/bin/sh
# Puts the images beside this script into containerd's store. Only the content store is needed, so this needs no privileges; the node unpacks
# an image when it first runs it.
set -eu
cat >/tmp/config.toml <<'TOML'
version = 3
disabled_plugins = ["io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime", "io.containerd.grpc.v1.cri", "io.containerd.nri.v1.nri"]
TOML
containerd --config /tmp/config.toml --log-level warn 2>/tmp/containerd.log &
daemon=$!
tries=0
until ctr version >/dev/null 2>&1; do
  tries=$((tries + 1))
  if [ "$tries" -gt 150 ] || ! kill -0 "$daemon" 2>/dev/null; then
    echo "containerd did not start:" >&2
    cat /tmp/containerd.log >&2
    exit 1
  fi
  sleep 0.1
done
tar -C /images/layout -c . | ctr --namespace k8s.io images import --no-unpack -
ctr --namespace k8s.io images list --quiet
kill "$daemon"
wait "$daemon" || true
