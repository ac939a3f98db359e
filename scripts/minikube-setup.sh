#!/bin/sh
# Makes or starts the minikube profile, with 4096 MB, 2 CPUs and the addons ingress and metrics-server.
cd "$(dirname "$0")/.." || exit
TODO_CLUSTER=minikube exec go tool mage cluster:up
