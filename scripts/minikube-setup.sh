#!/bin/sh
# Makes or starts the minikube profile, with 4096 MB, 2 CPUs and the addons ingress and metrics-server.
cd "$(dirname "$0")/.." || exit
exec env TODO_CLUSTER=minikube go tool mage cluster:up
