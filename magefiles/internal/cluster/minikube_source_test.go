package cluster

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/ui"
)

func TestMinikubeThatIsNotInstalledIsBuilt(t *testing.T) {
	w, m := newMinikube(t)
	onPath, err := exec.LookPath("minikube")
	require.NoError(t, err)
	t.Setenv("PATH", "/usr/bin:/bin")
	built := ""
	m.Built = func() string { return built }
	builds := 0
	m.Build = func(context.Context, *ui.Task) (string, error) {
		builds++
		built = onPath
		return built, nil
	}
	state, err := m.State(t.Context())
	require.NoError(t, err)
	assert.Equal(t, Absent, state, "nothing is built for a question")
	require.NoError(t, m.Delete(t.Context(), nil))
	assert.Zero(t, builds)
	minikubeUp(t, m)
	assert.Equal(t, 1, builds)
	assert.Equal(t, making, w.calls(t))

	m.Build = func(context.Context, *ui.Task) (string, error) { return "", errors.New("it does not build") }
	built, m.program = "", ""
	_, err = m.State(t.Context())
	require.EqualError(t, err, "minikube profile x cannot be looked at: it does not build", "a profile that was made is there")
}

// fromSource is a profile's world without a container registry.
func fromSource(t *testing.T) (*minikubeWorld, *Minikube, source.Node) {
	w, m := newMinikube(t)
	m.FromSource = true
	w.docker.OnFunc("docker run --rm --network none --entrypoint cat todo-minikube:1 /usr/bin/kubeadm", func(c run.Cmd) (string, error) {
		_, err := c.Stdout.Write([]byte("kubeadm"))
		return "", err
	})
	w.docker.On("docker exec x sh -c until ctr", "", nil)
	return w, m, source.Node{Image: "todo-minikube:1", Traefik: "t", Minikube: &source.MinikubeParts{Kubernetes: "v1.2.3", Storage: "kind: List"}}
}

func TestMinikubeWithoutARegistryFetchesNothing(t *testing.T) {
	w, m, node := fromSource(t)
	assert.True(t, m.Addons())
	taken := false
	a, err := m.Up(t.Context(), nil, node, func() { taken = true })
	require.NoError(t, err)
	assert.Equal(t, "todo-minikube:1", a.NodeImage)
	assert.True(t, taken, "images are brought while the control plane starts")
	storage := filepath.Join(m.Cache, "minikube", "x-storage.yaml")
	assert.Equal(t, []string{
		"status --output json",
		firstCall + " --force --preload=false --cache-images=false --wait=apiserver,node_ready,system_pods" +
			" --base-image=todo-minikube:1 --kubernetes-version=v1.2.3 --install-addons=false --cni=" + storage + " --apiserver-port=6443",
	}, w.calls(t))
	assert.FileExists(t, storage)
	seeded, err := os.ReadFile(filepath.Join(m.Cache, "minikube", ".minikube", "cache", "linux", runtime.GOARCH, "v1.2.3", "kubeadm"))
	require.NoError(t, err)
	assert.Equal(t, "kubeadm", string(seeded))
	home, err := os.ReadFile(filepath.Join(w.state, "home"))
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(m.Cache, "minikube"), string(home), "not the person's own")

	w.write(t, "host", "Stopped")
	_, err = m.Up(t.Context(), nil, node, func() {})
	require.NoError(t, err)
	assert.Equal(t, []string{
		"status --output json",
		startCall + " --force --preload=false --cache-images=false --wait=apiserver,node_ready,system_pods",
	}, w.calls(t))

	m.FromSource = false // a registry answers by now
	assert.True(t, m.Addons(), "the profile stays what it is")
}
