package image

import (
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
)

// fakeNode is a node whose containerd takes what is imported, or pretends to.
func fakeNode(t *testing.T, takes bool) (*Node, *run.Fake) {
	t.Helper()
	save := oldLayout(t).String()
	a, err := readArchive(oldLayout(t), t.TempDir())
	require.NoError(t, err)
	l, err := a.layout(fullName)
	require.NoError(t, err)

	listing := "REF TYPE DIGEST SIZE\n"
	fake := &run.Fake{}
	fake.On("docker image inspect", "sha256:a\nsha256:b\n", nil)
	fake.On("docker save", save, nil)
	fake.On("docker exec n ctr --namespace k8s.io content list", "sha256:0\n", nil)
	fake.OnFunc("docker exec n ctr --namespace k8s.io images list", func(run.Cmd) (string, error) { return listing, nil })
	fake.OnFunc("docker exec -i n sh -c ctr --namespace k8s.io images import", func(c run.Cmd) (string, error) {
		if takes {
			for ref, d := range l.digests {
				listing += fullName(ref) + " application/vnd.oci.image.manifest.v1+json " + d.String() + " 1 MiB\n"
			}
		}
		_, err := io.Copy(io.Discard, c.Stdin)
		return listing, err
	})
	return &Node{Docker: &engine.Docker{Runner: fake, CLI: "docker"}, Container: "n", Records: t.TempDir()}, fake
}

func TestLoadMovesOnceAndThenKnows(t *testing.T) {
	node, fake := fakeNode(t, true)
	refs := []string{"todo-a:1", "todo-b:2"}
	require.NoError(t, node.Load(t.Context(), nil, refs))
	before := len(fake.Calls())
	require.NoError(t, node.Load(t.Context(), nil, refs))
	for _, call := range fake.Calls()[before:] {
		assert.NotContains(t, call, "save", "nothing moves the second time")
	}
}

func TestAnImageThatDidNotArriveIsAnError(t *testing.T) {
	node, _ := fakeNode(t, false)
	err := node.Load(t.Context(), nil, []string{"todo-a:1", "todo-b:2"})
	require.Error(t, err)
	assert.Equal(t, fault.CodeCluster, fault.Code(err))
	assert.Contains(t, err.Error(), "todo-a:1")
}

func TestADamagedRecordCostsOneTransfer(t *testing.T) {
	node, fake := fakeNode(t, true)
	refs := []string{"todo-a:1", "todo-b:2"}
	require.NoError(t, node.Load(t.Context(), nil, refs))
	require.NoError(t, os.WriteFile(node.recordPath("todo-a:1"), []byte("{trunc"), 0o644))
	before := len(fake.Calls())
	require.NoError(t, node.Load(t.Context(), nil, refs))
	assert.Contains(t, fake.Calls()[before:], "docker save todo-a:1")
}
