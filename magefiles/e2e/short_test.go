//go:build e2e || engines

package e2e

import (
	"crypto/sha256"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// step is one part of the life of a deployment. It starts from where the one before left the cluster.
type step struct {
	name string
	test func(t *testing.T)
}

// short is the part of a deployment's life that hangs on the Docker engine, a method for each step. TestShortLife goes
// through it, and so does TestLifecycle, with much in between.
type short struct {
	project checkout
	alice   *user   // somebody once the first step has passed
	whole   float64 // megabytes of the backend's image that the first deploy moved
}

func (s *short) begin() step {
	return step{"deploy from nothing", func(t *testing.T) {
		r := s.project.mage(t, nil, "deploy")
		require.Zero(t, r.code)
		assert.Contains(t, r.output, "http://todo.localhost")
		d := running(t)
		for name, p := range d.pods(t) {
			for _, c := range p.Status.ContainerStatuses {
				assert.True(t, c.Ready, name)
				assert.Zero(t, c.RestartCount, name)
			}
		}
		assert.Len(t, d.names(t, "todo-backend"), 2)
		assert.Len(t, d.names(t, "todo-frontend"), 2)
		s.whole = movedOfBackend(t, r)
		*s.alice = *d.register(t, "alice@example.com")
		s.alice.add(t, "written on the first day")
	}}
}

func (s *short) unchanged() step {
	return step{"a second deploy changes nothing", func(t *testing.T) {
		d := running(t)
		pods, revision := slices.Sorted(maps.Keys(d.pods(t))), d.revision(t)
		r := s.project.mage(t, nil, "deploy")
		require.Zero(t, r.code)
		assert.Contains(t, r.output, "Nothing changed")
		assert.Equal(t, pods, slices.Sorted(maps.Keys(d.pods(t))))
		assert.Equal(t, revision, d.revision(t))
	}}
}

// wholeOverChange is how much less than the whole image a one-line change has to move, at least. It is a hundredth
// mostly.
const wholeOverChange = 20

// changed deploys with one line more, built with the given settings.
func (s *short) changed(settings ...string) step {
	return step{"a one-line change of the backend moves and rolls out only that, and no request fails", func(t *testing.T) {
		d := running(t)
		backend, frontend := d.names(t, "todo-backend"), d.names(t, "todo-frontend")
		changed := copyOf(t, s.project)
		appendTo(t, changed, "backend/src/main.py", "\n# one line more\n")
		failed := watch(t, s.alice)
		r := changed.mage(t, settings, "deploy")
		require.Zero(t, r.code)
		assert.Empty(t, failed())
		assert.Equal(t, frontend, d.names(t, "todo-frontend"))
		for _, name := range d.names(t, "todo-backend") {
			assert.NotContains(t, backend, name)
		}
		moved := movedOfBackend(t, r)
		t.Logf("%.1f MB of the backend's image moved at first, %.1f MB of the change", s.whole, moved)
		assert.LessOrEqual(t, moved*wholeOverChange, s.whole, "megabytes moved")
	}}
}

func (s *short) resumed() step {
	return step{"teardown keeps the data, twice is fine, and deploy brings it back", func(t *testing.T) {
		require.Zero(t, s.project.mage(t, nil, "teardown").code)
		require.Zero(t, s.project.mage(t, nil, "teardown").code)
		assert.Equal(t, "exited", nodeStatus(t))
		require.Zero(t, s.project.mage(t, nil, "deploy").code)
		running(t).login(t, s.alice)
		assert.Equal(t, []string{"written on the first day"}, s.alice.titles(t))
	}}
}

func (s *short) deleted() step {
	return step{"deletion leaves nothing behind", func(t *testing.T) {
		r := s.project.mage(t, nil, "cluster:delete")
		require.Zero(t, r.code)
		assert.Contains(t, r.output, "data-postgres-0", "it says what data goes")
		require.Zero(t, s.project.mage(t, nil, "cluster:delete").code)
		cfg := settings(t)
		assert.NoFileExists(t, cfg.Kubeconfig())
		out, err := docker(t).Output(t.Context(), "ps", "--all", "--quiet", "--filter", "label=io.x-k8s.kind.cluster="+cfg.ClusterName)
		require.NoError(t, err)
		assert.Empty(t, out)
	}}
}

var megabytesOfBackend = regexp.MustCompile(`transport of todo-backend: .* (\d+\.\d+) MB moved`)

// movedOfBackend is what a deploy says of the backend image's way to the node.
func movedOfBackend(t *testing.T, r result) float64 {
	t.Helper()
	found := megabytesOfBackend.FindStringSubmatch(r.output)
	require.NotNil(t, found, "the backend's image was not moved")
	megabytes, err := strconv.ParseFloat(found[1], 64)
	require.NoError(t, err)
	return megabytes
}

func nodeStatus(t *testing.T) string {
	t.Helper()
	out, err := docker(t).Output(t.Context(), "container", "inspect", "--format", "{{.State.Status}}", settings(t).ClusterName+"-control-plane")
	require.NoError(t, err)
	return out
}

// userKubeconfig is a fingerprint of the kubeconfig that kubectl uses by itself, which no target may touch.
func userKubeconfig(t *testing.T) [sha256.Size]byte {
	t.Helper()
	home, err := os.UserHomeDir()
	require.NoError(t, err)
	raw, _ := os.ReadFile(filepath.Join(home, ".kube", "config"))
	return sha256.Sum256(raw)
}
