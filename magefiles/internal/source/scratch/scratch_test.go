package scratch

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/run"
)

// dockerWith fakes an engine that has the images whose references are keys. Tests add to them.
func dockerWith(images map[string]string) (*engine.Docker, *run.Fake) {
	f := &run.Fake{}
	f.OnFunc("docker image inspect", func(c run.Cmd) (string, error) {
		var out strings.Builder
		var err error
		for _, ref := range c.Args[4:] {
			if _, ok := images[ref]; !ok {
				err = errors.New("Error: No such image: " + ref)
				continue
			}
			fmt.Fprintf(&out, "sha256:%s %s \n", strings.Repeat("e", 64), ref)
		}
		return out.String(), err
	})
	return &engine.Docker{Runner: f, CLI: "docker"}, f
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
	d, f := dockerWith(engineHas)
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
	assert.Len(t, f.Calls(), 3, "one for each")

	delete(engineHas, node.Image)
	assert.False(t, s.Built(t.Context()))
}
