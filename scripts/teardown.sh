#!/bin/sh
# Uninstalls the release and stops the cluster. Accounts and tasks stay.
cd "$(dirname "$0")/.." || exit
exec go tool mage teardown
