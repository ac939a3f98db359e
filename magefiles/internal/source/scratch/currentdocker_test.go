package scratch

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/pins"
	"todo.local/magefiles/internal/run"
)

func TestACurrentDockerIsBuiltOnceWithTheNodesOwnContainerdAndRunc(t *testing.T) {
	fake := compiler(t).On("go mod download", `{"Dir": "`+t.TempDir()+`"}`, nil)
	s := New(&config.Config{Cache: t.TempDir()}, &engine.Docker{Runner: fake})
	node := map[string]program{}
	for _, p := range programs(pins.Load()) {
		node[p.name] = p
	}
	for range 2 {
		c, err := s.currentDocker(t.Context(), nil, builder{run: fake, store: s.store}, currentDocker(s.pins))
		require.NoError(t, err)
		for _, name := range []string{"dockerd", "docker-proxy", "docker", "docker-buildx", "containerd", "containerd-shim-runc-v2", "runc"} {
			assert.FileExists(t, c.Programs[name], name)
		}
		assert.DirExists(t, c.Data)
		for _, name := range []string{"containerd", "runc"} {
			assert.Equal(t, filepath.Join(s.store.path(name, node[name].key()), name), c.Programs[name])
		}
	}
	assert.Len(t, builds(fake), 4)
}

func TestTheCurrentEngineSaysWhichVersionItIs(t *testing.T) {
	all := currentDocker(pins.Load())
	assert.Regexp(t, `dockerversion\.Version=29\.\d`, all[0].ldflags)
	assert.Regexp(t, `cli/version\.Version=29\.\d`, all[1].ldflags)
}

func TestTheDockerClientIsCompiledAsTheGoOfToday(t *testing.T) {
	module, dir := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(module, "vendor.mod"), nil, 0o444))
	fake := (&run.Fake{}).On("go mod download -json github.com/docker/cli@v29.", `{"Dir": "`+module+`"}`, nil)
	require.NoError(t, builder{run: fake, store: store{t.TempDir()}}.prepare(t.Context(), currentDocker(pins.Load())[1], dir))
	assert.FileExists(t, filepath.Join(dir, "cli", "vendor.mod"))
	assert.FileExists(t, filepath.Join(dir, "rosetta", "rosetta.go"))
	raw, err := os.ReadFile(filepath.Join(dir, "cli", "go.mod"))
	require.NoError(t, err)
	assert.Contains(t, string(raw), "go 1.26")
}
