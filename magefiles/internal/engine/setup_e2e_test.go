//go:build e2e

package engine

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/run"
)

// atSocket sends docker commands to an engine of the test's own.
type atSocket string

func (s atSocket) Run(ctx context.Context, c run.Cmd) (run.Result, error) {
	c.Env = append(c.Env, "DOCKER_HOST=unix://"+string(s))
	return run.Exec{}.Run(ctx, c)
}

// A second dockerd beside the machine's own, with nothing in common: started, found again, told to use the bounded runtime, ended.
func TestADockerdStartedByHandOutlivesSetupAndTakesUpTheBoundedRuntime(t *testing.T) {
	require.Zero(t, os.Geteuid(), "only root can start a dockerd")
	root, err := os.MkdirTemp("", "engine") // t.TempDir is too long for the name of a socket
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(root)) })
	for _, dir := range []string{"run", "var/log", "etc"} {
		require.NoError(t, os.MkdirAll(filepath.Join(root, dir), 0o755))
	}
	for _, link := range []string{"proc", "sys", "usr", "etc/os-release"} {
		require.NoError(t, os.Symlink("/"+link, filepath.Join(root, link)))
	}
	t.Setenv("DOCKER_HOST", "")
	socket := filepath.Join(root, "run/docker.sock")
	config, err := config.Load("../../..")
	require.NoError(t, err)
	newSetup := func() *setup {
		return &setup{
			runner: atSocket(socket), host: Host{Root: root}, cfg: config, root: true, patience: time.Minute,
			daemonArgs: []string{"--host=unix://" + socket, "--data-root=" + filepath.Join(root, "data"), "--exec-root=" + filepath.Join(root, "run/docker"),
				"--pidfile=" + filepath.Join(root, "run/docker.pid"), "--config-file=" + filepath.Join(root, daemonConfig), "--bridge=none", "--iptables=false"},
		}
	}
	require.NoError(t, Host{Root: root}.writeFile(daemonConfig, []byte("{}"), 0o644))
	require.NoError(t, Host{Root: root}.writeFile("run/docker.pid", []byte("1"), 0o644), "a stale pid file: that process is no dockerd")

	s := newSetup()
	pid, err := s.startByHand(t.Context(), nil)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = syscall.Kill(pid, syscall.SIGTERM)
		assert.Eventually(t, func() bool { return !s.host.alive(pid) }, 30*time.Second, 100*time.Millisecond)
	})
	d, err := s.await(t.Context(), nil, pid)
	require.NoError(t, err)
	assert.Equal(t, pid, s.host.EnginePID())
	session := func(pid int) string {
		sid, err := run.Output(t.Context(), run.Exec{}, "ps", "-o", "sid=", "-p", strconv.Itoa(pid))
		require.NoError(t, err)
		return sid
	}
	assert.NotEqual(t, session(os.Getpid()), session(pid), "it would end with this terminal")

	if !s.host.EngineLacksSysResource() {
		return
	}
	require.NoError(t, os.Remove(s.host.path(daemonConfig)))
	again := newSetup()
	again.record, err = again.host.readRecord()
	require.NoError(t, err)
	require.NoError(t, again.checkRuntime(t.Context(), nil, d))
	info, err := d.Info(t.Context())
	require.NoError(t, err)
	assert.Equal(t, BoundedRuntime, info.DefaultRuntime)
	assert.Equal(t, pid, s.host.EnginePID(), "reloaded, not restarted")
}
