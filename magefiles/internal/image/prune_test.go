package image

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/engine/dockertest"
	"todo.local/magefiles/internal/run"
)

func TestPruneKeepsWhatARollbackMayNeed(t *testing.T) {
	const row = " application/vnd.oci.image.manifest.v1+json "
	fake := &run.Fake{}
	fake.On("docker exec n ctr --namespace k8s.io images list", "REF TYPE DIGEST SIZE\n"+
		"docker.io/library/todo-a:1"+row+"sha256:a1 1 MiB\n"+"sha256:id1"+row+"sha256:a1 1 MiB\n"+
		"docker.io/library/todo-a:2"+row+"sha256:a2 1 MiB\n"+"sha256:id2"+row+"sha256:a2 1 MiB\n"+
		"docker.io/library/todo-a:same"+row+"sha256:a2 1 MiB\n"+
		"docker.io/library/todo-b:1"+row+"sha256:b1 1 MiB\n"+
		"registry.example/pause:1"+row+"sha256:p1 1 MiB\n", nil)
	fake.On("docker exec n ctr --namespace k8s.io images remove", "", nil)
	n := &Node{Docker: dockertest.New(t, fake), Container: "n", Records: t.TempDir()}

	removed, err := n.Prune(t.Context(), []string{"todo-a:2", "todo-c:1", "postgres@sha256:9"})
	require.NoError(t, err)
	assert.Equal(t, []string{"todo-a:1"}, removed, "not the content of a kept image under another name, and nothing of which no version is kept")
	assert.Contains(t, fake.Calls(), "docker exec n ctr --namespace k8s.io images remove docker.io/library/todo-a:1 sha256:id1")

	before := len(fake.Calls())
	removed, err = n.Prune(t.Context(), []string{"todo-a:1", "todo-a:2"})
	require.NoError(t, err)
	assert.Empty(t, removed)
	for _, call := range fake.Calls()[before:] {
		assert.NotContains(t, call, "images remove")
	}
}

func TestPruneForgetsWhatTheEngineGaveLongAgo(t *testing.T) {
	fake := &run.Fake{}
	fake.On("docker exec n ctr --namespace k8s.io images list", "", nil)
	fake.On("docker image inspect", dockertest.Inspected(engine.Image{ID: "sha256:1", Labels: map[string]string{Label: "todo-a"}}), nil)
	fake.On("docker image inspect todo-base:1", dockertest.Inspected(engine.Image{ID: "sha256:2"}), nil)
	fake.On("docker image inspect todo-a:gone", "", errors.New("no such image"))
	fake.On("docker image rm", "", nil)
	fake.On("docker image rm todo-a:used", "", errors.New("a container uses it"))
	n := &Node{Docker: dockertest.New(t, fake), Container: "n", Records: t.TempDir()}
	old := time.Now().Add(-unusedImages - time.Hour)
	for _, ref := range []string{"todo-a:old", "todo-a:kept", "todo-a:used", "todo-a:gone", "todo-a:new", "todo-base:1"} {
		require.NoError(t, n.record(ref, "id", "sha256:1"))
		if ref != "todo-a:new" {
			require.NoError(t, os.Chtimes(n.recordPath(ref), old, old))
		}
	}

	removed, err := n.Prune(t.Context(), []string{"todo-a:kept"})
	require.NoError(t, err)
	assert.Equal(t, []string{"todo-a:old"}, removed)
	for ref, stays := range map[string]bool{"todo-a:old": false, "todo-a:gone": false, "todo-a:kept": true, "todo-a:used": true, "todo-a:new": true, "todo-base:1": true} {
		assert.Equal(t, stays, n.recorded(ref, "id") != "", ref)
	}
}
