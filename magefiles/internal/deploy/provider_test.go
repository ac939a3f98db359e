package deploy

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/run"
)

func TestProviderIsWhatTheSettingSays(t *testing.T) {
	t.Setenv("CI", "true") // auto makes nothing but kind there
	for setting, want := range map[string]string{
		"kind": "kind cluster todo", "minikube": "minikube profile todo", "context:work": "context work", "auto": "kind cluster todo",
	} {
		cache := t.TempDir()
		none := (&run.Fake{}).On("docker container inspect", "Error: No such container", errors.New("exit status 1"))
		a := &App{cfg: &config.Config{Cluster: setting, ClusterName: "todo", Cache: cache}, runner: none, docker: &engine.Docker{Runner: none, CLI: "docker"}}
		p := a.provider(t.Context())
		assert.Equal(t, want, p.Name(), setting)
		assert.Equal(t, want == "kind cluster todo", p.Addons(), setting)
		assert.Equal(t, want == "context work", p.Foreign(), setting)

		// A minikube profile that was made before is what auto goes on with, and nothing else.
		require.NoError(t, os.MkdirAll(filepath.Join(cache, "clusters"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(cache, "clusters", "todo.minikube.json"), []byte(`{"Container":"c1"}`), 0o600))
		if setting == "auto" {
			want = "minikube profile todo"
		}
		assert.Equal(t, want, a.provider(t.Context()).Name(), setting)
	}
}
