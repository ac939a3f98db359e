package enginetest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/source/scratch"
)

func TestWhereNoSecondEngineRunsTheReasonIsSaid(t *testing.T) {
	bin := t.TempDir()
	for _, program := range []string{"nsenter", "unshare", "iptables"} {
		require.NoError(t, os.WriteFile(filepath.Join(bin, program), nil, 0o755))
	}
	old, current := &engine.Docker{EngineVersion: "20.10.24+dfsg1"}, &engine.Docker{EngineVersion: "29.1.3"}
	for _, c := range []struct {
		own  *engine.Docker
		goos string
		root bool
		path string
		want string
	}{
		{old, "linux", true, bin, ""},
		{old, "darwin", true, bin, "Linux"},
		{old, "linux", false, bin, "root"},
		{current, "linux", true, bin, "29.1.3"},
		{old, "linux", true, t.TempDir(), "nsenter is not installed"},
	} {
		t.Setenv("PATH", c.path)
		got := Unfit(c.own, c.goos, c.root)
		assert.Contains(t, got, c.want)
		assert.Equal(t, c.want == "", got == "")
	}
}

func TestTheEnginesFolder(t *testing.T) {
	dir, programs := t.TempDir(), t.TempDir()
	c := scratch.CurrentDocker{Data: "/cache/engines/moby-1", Programs: map[string]string{}}
	for _, name := range []string{"dockerd", "docker-proxy", "docker", "docker-buildx", "containerd", "containerd-shim-runc-v2", "runc"} {
		c.Programs[name] = filepath.Join(programs, name)
		require.NoError(t, os.WriteFile(c.Programs[name], nil, 0o755))
	}
	require.NoError(t, layOut(dir, &config.Config{Root: "/checkout"}, c))
	for _, path := range []string{"bin/docker", "config/cli-plugins/docker-buildx", "sbin/dockerd", "sbin/docker-proxy", "sbin/containerd", "sbin/runc"} {
		assert.FileExists(t, filepath.Join(dir, path))
	}
	assert.NoFileExists(t, filepath.Join(dir, "bin", "runc"), "targets use the machine's own programs, but for docker")

	raw, err := os.ReadFile(filepath.Join(dir, "daemon.json"))
	require.NoError(t, err)
	var daemon map[string]any
	require.NoError(t, json.Unmarshal(raw, &daemon))
	assert.Equal(t, map[string]any{"containerd-snapshotter": true}, daemon["features"])
	for key, value := range daemon {
		if path, ok := value.(string); ok && strings.HasPrefix(path, "/") {
			assert.True(t, strings.HasPrefix(path, dir) || strings.HasPrefix(path, c.Data), "%s is the machine's own: %s", key, path)
		}
	}
	raw, err = os.ReadFile(filepath.Join(dir, "containerd.toml"))
	require.NoError(t, err)
	assert.Contains(t, string(raw), `root = "/cache/engines/moby-1/containerd"`)
	assert.Contains(t, string(raw), `address = "`+daemon["containerd"].(string)+`"`)
}

func TestOnlyAnEngineIsTakenForOneThatWasLeft(t *testing.T) {
	dir, proc := t.TempDir(), t.TempDir()
	assert.Zero(t, left(dir, proc), "there was none")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pid"), []byte("4711\n"), 0o600))
	assert.Zero(t, left(dir, proc), "it has ended")
	require.NoError(t, os.Mkdir(filepath.Join(proc, "4711"), 0o755))
	cmdline := filepath.Join(proc, "4711", "cmdline")
	require.NoError(t, os.WriteFile(cmdline, []byte("sleep\x00100\x00"), 0o600))
	assert.Zero(t, left(dir, proc), "its number is another process's now")
	require.NoError(t, os.WriteFile(cmdline, []byte("unshare\x00sh\x00"+dir+"\x00"), 0o600))
	assert.Equal(t, 4711, left(dir, proc))
}
