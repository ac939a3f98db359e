package scratch

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/engine/dockertest"
	"todo.local/magefiles/internal/run"
)

// dockerWith fakes an engine that has the images whose references are keys. Tests add to them.
func dockerWith(t *testing.T, images map[string]string) (*engine.Docker, *run.Fake) {
	f := &run.Fake{}
	hasImages(f, images)
	return dockertest.New(t, f), f
}

// hasImages has a fake answer like an engine with the images whose references are keys.
func hasImages(f *run.Fake, images map[string]string) {
	f.OnFunc("docker image inspect", func(c run.Cmd) (string, error) {
		ref := c.Args[2]
		if _, ok := images[ref]; !ok {
			return "", errors.New("Error: No such image: " + ref)
		}
		return dockertest.Inspected(engine.Image{ID: "sha256:" + strings.Repeat("e", 64), Tags: []string{ref}}), nil
	})
}

func count(f *run.Fake, prefix string) (n int) {
	for _, c := range f.Calls() {
		if strings.HasPrefix(c, prefix) {
			n++
		}
	}
	return n
}

func TestWhatIsThereCostsOneQuestion(t *testing.T) {
	engineHas := map[string]string{}
	for _, ref := range New(&config.Config{}, &engine.Docker{}).Needs() {
		engineHas[ref] = ""
	}
	d, f := dockerWith(t, engineHas)
	require.Len(t, engineHas, 4)
	s := New(&config.Config{Cache: t.TempDir()}, d)
	assert.True(t, s.Built(t.Context()))
	node, err := s.Node(t.Context(), nil)
	require.NoError(t, err)
	assert.True(t, node.StaticNetwork)
	assert.Regexp(t, `^todo-node:v1\.\d+\.\d+-[0-9a-f]{12}$`, node.Image)
	bases, err := s.Bases(t.Context(), nil)
	require.NoError(t, err)
	assert.Regexp(t, `^todo-base-python:3\.11-[0-9a-f]{12}$`, bases.Python)
	assert.Equal(t, len(f.Calls()), count(f, "docker image inspect"), "it is only looked at")

	delete(engineHas, node.Image)
	assert.False(t, s.Built(t.Context()))
}
