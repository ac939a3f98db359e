package session

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine/dockertest"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/source/scratch"
	"todo.local/magefiles/internal/ui"
)

func TestProviderIsWhatTheSettingSays(t *testing.T) {
	t.Setenv("CI", "true") // auto makes nothing but kind there
	for setting, want := range map[string]string{
		"kind": "kind cluster todo", "minikube": "minikube profile todo", "context:work": "context work", "auto": "kind cluster todo",
	} {
		cache := t.TempDir()
		none := (&run.Fake{}).On("docker container inspect", "Error: No such container", errors.New("exit status 1"))
		e := Engine{Session: Session{Config: &config.Config{Cluster: setting, ClusterName: "todo", Cache: cache}, Runner: none}, Docker: dockertest.New(t, none)}
		p := e.ChooseProvider(t.Context())
		assert.Equal(t, want, p.Name(), setting)
		assert.Equal(t, want == "kind cluster todo", p.Addons(), setting)
		assert.Equal(t, want == "context work", p.Foreign(), setting)

		// A minikube profile that was made before is what auto goes on with, and nothing else.
		require.NoError(t, os.MkdirAll(filepath.Join(cache, "clusters"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(cache, "clusters", "todo.minikube.json"), []byte(`{"Container":"c1"}`), 0o600))
		if setting == "auto" {
			want = "minikube profile todo"
		}
		assert.Equal(t, want, e.ChooseProvider(t.Context()).Name(), setting)
	}
}

func TestWithoutARegistryAutoMakesNoMinikube(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("minikube is chosen on Linux alone")
	}
	bin := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(bin, "minikube"), []byte("#!/bin/sh\n"), 0o755))
	t.Setenv("PATH", bin)
	t.Setenv("CI", "")
	geteuid = func() int { return 1000 }
	t.Cleanup(func() { geteuid = os.Geteuid })
	for images, want := range map[string]string{config.ImagesRegistry: "minikube profile todo", config.ImagesSource: "kind cluster todo"} {
		var out bytes.Buffer
		none := (&run.Fake{}).On("docker container inspect", "Error: No such container", errors.New("exit status 1"))
		docker := dockertest.New(t, none)
		cfg := &config.Config{Cluster: "auto", ClusterName: "todo", Cache: t.TempDir(), Images: images}
		src, _, err := source.Pick(t.Context(), nil, cfg, docker, scratch.New(cfg, docker))
		require.NoError(t, err)
		s := Source{Engine: Engine{Session: Session{Config: cfg, UI: ui.Plain(&out), Runner: none}, Docker: docker}, Images: src}
		assert.Equal(t, want, s.ChooseProvider(t.Context()).Name(), images)
		assert.Equal(t, images == config.ImagesSource, strings.Contains(out.String(), "though minikube is installed"), "and says why: %s", out.String())
	}
}
