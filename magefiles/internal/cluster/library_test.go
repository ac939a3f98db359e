package cluster

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/engine/dockertest"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/source"
)

// clientScript is a docker client that records who called it, with what and in which environment, and knows one node of
// this project.
const clientScript = `#!/bin/sh
echo "$*" >>"$RECORDS/calls-$(basename "$(dirname "$0")")"
echo "$JWT_SECRET$DATABASE_URL" >>"$RECORDS/secrets"
case "$*" in
"container inspect "*) [ -e "$RECORDS/absent" ] && { echo "Error: No such container: x-control-plane" >&2; exit 1; }
	echo '[{"State":{"Status":"running"},"Mounts":[{"Destination":"/etc/todo-deploy"}]}]' ;;
"ps "*) [ -e "$RECORDS/absent" ] || echo x-control-plane ;;
"inspect "*kind.role*) echo control-plane ;;
"inspect "*6443*) echo 127.0.0.1:6443 ;;
"exec "*"/etc/kubernetes/admin.conf") echo "{clusters: [{name: x, cluster: {server: x}}], users: [{name: x, user: {}}], contexts: [{name: x, context: {cluster: x, user: x}}]}" ;;
"info "*) echo '{"CgroupVersion":"2"}' ;;
"network ls "*) echo abc kind ;;
"run "*) echo "a hint" ; echo "docker: Error response from daemon: Bind for 127.0.0.1:8080 failed: port is already allocated." >&2
	[ -e "$RECORDS/hang" ] && { echo $$ >"$RECORDS/hanging"; exec sleep 300; }
	exit 125 ;;
esac
`

// newClients gives a kind cluster behind the second of two clients on PATH, with secrets in the environment, and the
// folder of what they record.
func newClients(t *testing.T) (k *Kind, records string) {
	t.Helper()
	dir, records := t.TempDir(), t.TempDir()
	for _, name := range []string{"first", "found"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name, "docker"), []byte(clientScript), 0o755))
	}
	t.Setenv("PATH", filepath.Join(dir, "first")+":"+filepath.Join(dir, "found")+":"+os.Getenv("PATH"))
	t.Setenv("RECORDS", records)
	t.Setenv("JWT_SECRET", "a-secret-of-the-environment")
	t.Setenv("DATABASE_URL", "postgresql://u:hunter2-hunter2@h/d")
	d := dockertest.New(t, run.Exec{Hide: []string{"a-secret-of-the-environment", "postgresql://u:hunter2-hunter2@h/d"}})
	d.CLI = filepath.Join(dir, "found", "docker")
	k = NewKind(d, "x", filepath.Join(dir, "kubeconfig"), dir,
		func(context.Context) (Quirks, error) { return Quirks{}, nil },
		func(context.Context) (Ports, error) { return Ports{8080, 8443}, nil })
	k.Diagnoses = dir
	return k, records
}

func recorded(t *testing.T, records, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(records, name))
	require.NoError(t, err)
	return string(raw)
}

// Whatever kind's library is asked for, it uses the client that was found, and hands no secret down.
func TestKindUsesTheFoundClientWithoutSecrets(t *testing.T) {
	for name, call := range map[string]struct {
		do   func(*testing.T, *Kind, string)
		made string // a call that only the library makes
	}{
		"delete": {func(t *testing.T, k *Kind, _ string) { require.NoError(t, k.Delete(t.Context(), nil)) }, "rm -f -v x-control-plane"},
		"kubeconfig": {func(t *testing.T, k *Kind, _ string) {
			_, err := k.exportKubeconfig(t.Context(), &engine.Container{InspectResponse: container.InspectResponse{Config: &container.Config{}, HostConfig: &container.HostConfig{}}})
			require.NoError(t, err)
			raw, err := os.ReadFile(k.Kubeconfig)
			require.NoError(t, err)
			assert.Contains(t, string(raw), "https://127.0.0.1:6443")
		}, "cat /etc/kubernetes/admin.conf"},
		"create": {func(t *testing.T, k *Kind, records string) {
			require.NoError(t, os.WriteFile(filepath.Join(records, "absent"), nil, 0o644))
			_, err := k.Up(t.Context(), nil, source.Node{Image: "todo-node:1"}, func() {})
			require.ErrorContains(t, err, "127.0.0.1:8080", "what the command said comes along")
		}, "--publish=127.0.0.1:8080:80/TCP"},
	} {
		t.Run(name, func(t *testing.T) {
			k, records := newClients(t)
			call.do(t, k, records)
			assert.NoFileExists(t, filepath.Join(records, "calls-first"))
			assert.Contains(t, recorded(t, records, "calls-found"), call.made)
			assert.Empty(t, strings.TrimSpace(recorded(t, records, "secrets")))
		})
	}
}

// hanging waits until the client hangs, and gives its process.
func hanging(t *testing.T, records string) (pid string) {
	t.Helper()
	require.Eventually(t, func() bool {
		raw, err := os.ReadFile(filepath.Join(records, "hanging"))
		pid = strings.TrimSpace(string(raw))
		return err == nil && pid != ""
	}, 20*time.Second, 10*time.Millisecond)
	return pid
}

func TestTheEndOfARunEndsWhatKindStarted(t *testing.T) {
	k, records := newClients(t)
	for _, name := range []string{"absent", "hang"} {
		require.NoError(t, os.WriteFile(filepath.Join(records, name), nil, 0o644))
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := k.Up(ctx, nil, source.Node{Image: "todo-node:1"}, func() {})
		ended <- err
	}()
	pid := hanging(t, records)
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	require.Eventually(t, func() bool {
		stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
		return err != nil || strings.Contains(string(stat), ") Z ") // gone, or waiting to be collected
	}, 5*time.Second, 10*time.Millisecond, "the client outlived the run")
}

// A creation that went on without anybody would delete, once it fails, the cluster that the next run has made.
func TestTheLibraryEndsWithItsCaller(t *testing.T) {
	k, records := newClients(t)
	for _, name := range []string{"absent", "hang"} {
		require.NoError(t, os.WriteFile(filepath.Join(records, name), nil, 0o644))
	}
	self, err := program()
	require.NoError(t, err)
	in, ask := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		_, err := run.Exec{}.Run(t.Context(), run.Cmd{Name: self, Args: []string{libraryArgument}, Stdin: in})
		ended <- err
	}()
	require.NoError(t, json.NewEncoder(ask).Encode(libraryCall{Name: "x", Create: k.config(source.Node{}, Ports{}, Quirks{})}))
	hanging(t, records)
	_ = ask.Close()
	require.ErrorContains(t, <-ended, "terminated")
}
