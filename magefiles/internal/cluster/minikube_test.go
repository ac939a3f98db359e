package cluster

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/engine/dockertest"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/kube"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/ui"
)

func TestMinikubeIsMadeOnceAndThenFound(t *testing.T) {
	w, m := newMinikube(t)
	state, err := m.State(t.Context())
	require.NoError(t, err)
	assert.Equal(t, Absent, state)
	assert.False(t, m.Made())
	w.calls(t)

	a := minikubeUp(t, m)
	assert.Equal(t, Access{API: kube.API{Kubeconfig: m.Kubeconfig, Context: "x"}, HTTP: "127.0.0.1:8080", HTTPS: "127.0.0.1:8443"}, a)
	assert.Equal(t, making, w.calls(t))
	assert.True(t, m.Made())

	assert.Equal(t, a, minikubeUp(t, m))
	assert.Equal(t, []string{"status --output json"}, w.calls(t))
	used, err := os.ReadFile(filepath.Join(w.state, "kubeconfigs"))
	require.NoError(t, err)
	for line := range strings.Lines(string(used)) {
		assert.Equal(t, m.Kubeconfig, strings.TrimSpace(line), "minikube must not see the user's kubeconfig")
	}
}

func TestMinikubeThatDoesNotServeIsStarted(t *testing.T) {
	for host, want := range map[string]State{"Stopped": Stopped, "Paused": Running, "Removed": Stopped} {
		t.Run(host, func(t *testing.T) {
			w, m := newMinikube(t)
			minikubeUp(t, m)
			w.write(t, "host", host)
			if host == "Removed" {
				require.NoError(t, os.Remove(filepath.Join(w.state, "container")))
			}
			state, err := m.State(t.Context())
			require.NoError(t, err)
			assert.Equal(t, want, state)
			w.calls(t)
			minikubeUp(t, m)
			assert.Equal(t, []string{"status --output json", startCall}, w.calls(t), "its addons are kept by minikube")
			assert.Equal(t, host != "Paused", w.asked.Load() > 0, "a node that was started is asked whether it tells of now")
			minikubeUp(t, m)
			assert.Equal(t, []string{"status --output json"}, w.calls(t))
		})
	}
}

func TestMinikubeThatForgotAProfileDoesNotMakeItAnew(t *testing.T) {
	w, m := newMinikube(t)
	minikubeUp(t, m)
	require.NoError(t, os.Remove(filepath.Join(w.state, "host"))) // another MINIKUBE_HOME
	w.calls(t)
	_, err := m.Up(t.Context(), nil, source.Node{}, func() {})
	require.ErrorContains(t, err, "minikube does not know minikube profile x, whose node is in the Docker engine")
	assert.Contains(t, fault.Remedy(err), "MINIKUBE_HOME")
	assert.Equal(t, []string{"status --output json"}, w.calls(t))
	w.write(t, "host", "Stopped")
	minikubeUp(t, m)
}

func TestMinikubeProfileOfSomebodyElseIsLeftAlone(t *testing.T) {
	for name, meet := range map[string]func(*testing.T, *minikubeWorld, *Minikube){
		"never made here": func(t *testing.T, w *minikubeWorld, _ *Minikube) { w.write(t, "host", "Running") },
		"made anew by somebody": func(t *testing.T, w *minikubeWorld, m *Minikube) {
			minikubeUp(t, m)
			w.write(t, "container", "another")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, m := newMinikube(t)
			meet(t, w, m)
			w.calls(t)
			_, err := m.Up(t.Context(), nil, source.Node{}, func() {})
			require.ErrorContains(t, err, "did not make")
			assert.Contains(t, fault.Remedy(err), "TODO_CLUSTER_NAME")
			require.Error(t, m.Down(t.Context(), nil))
			require.Error(t, m.Delete(t.Context(), nil))
			_, err = m.Access(t.Context())
			require.Error(t, err)
			for _, call := range w.calls(t) {
				assert.Equal(t, "status --output json", call)
			}
		})
	}
}

func TestMinikubeWithoutAnAddonIsNotComplete(t *testing.T) {
	w, m := newMinikube(t)
	w.write(t, "fail-addons", "\nX Exiting due to MK_ADDON_ENABLE: enable failed: run callbacks: no such host\n* \n╭────╮\n│ a box │\n╰────╯\n")
	_, err := m.Up(t.Context(), nil, source.Node{}, func() {})
	require.EqualError(t, err, "minikube profile x does not get its addon ingress: enable failed: run callbacks: no such host")
	assert.Equal(t, fault.CodeCluster, fault.Code(err))
	w.calls(t)
	minikubeUp(t, m)
	assert.Equal(t, making, w.calls(t))
}

func TestMinikubeDownAndDeleteTwice(t *testing.T) {
	w, m := newMinikube(t)
	minikubeUp(t, m)
	w.calls(t)
	require.NoError(t, m.Down(t.Context(), nil))
	require.NoError(t, m.Down(t.Context(), nil))
	_, err := m.Access(t.Context())
	require.ErrorContains(t, err, "does not run")
	require.NoError(t, m.Delete(t.Context(), nil))
	require.NoError(t, m.Delete(t.Context(), nil))
	const status = "status --output json"
	assert.Equal(t, []string{status, "stop", status, status, status, "delete", status}, w.calls(t))
	assert.False(t, m.Made())
	assert.NoFileExists(t, m.Kubeconfig)
}

func TestMinikubeRenewsTheKubeconfig(t *testing.T) {
	w, m := newMinikube(t)
	minikubeUp(t, m)
	require.NoError(t, os.RemoveAll(filepath.Dir(m.Kubeconfig))) // a fresh checkout
	w.calls(t)
	_, err := m.Access(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"status --output json", "update-context"}, w.calls(t))
}

func TestMinikubeUsesTheFoundClient(t *testing.T) {
	w, m := newMinikube(t)
	m.Docker.CLI = "/found/docker"
	_, err := m.output(t.Context(), time.Minute, "ip")
	require.NoError(t, err)
	path, err := os.ReadFile(filepath.Join(w.state, "path"))
	require.NoError(t, err)
	assert.Equal(t, "/found:"+os.Getenv("PATH"), string(path))
}

func TestMinikubeOfRootIsForcedAndSaysSo(t *testing.T) {
	w, m := newMinikube(t)
	m.Root = true
	var out bytes.Buffer
	require.NoError(t, ui.Plain(&out).Do("node", func(task *ui.Task) error {
		_, err := m.Up(t.Context(), task, source.Node{}, func() {})
		return err
	}))
	assert.Contains(t, out.String(), "refuses root, and is forced")
	assert.Equal(t, firstCall+" --force", w.calls(t)[1])
}

func TestMinikubeNodeThatOnlyTheEngineKnowsIsLeftAlone(t *testing.T) {
	w, m := newMinikube(t)
	w.write(t, "container", "somebody's")
	_, err := m.Up(t.Context(), nil, source.Node{}, func() {})
	require.ErrorContains(t, err, "a container x exists, and minikube has no such profile")
	assert.Contains(t, fault.Remedy(err), "TODO_CLUSTER_NAME")
	assert.Equal(t, []string{"status --output json"}, w.calls(t), "minikube would remove it")
}

func TestMinikubeOfBeforeItsPortsWerePublished(t *testing.T) {
	w, m := newMinikube(t)
	w.unpublished = true
	a := minikubeUp(t, m)
	assert.Equal(t, "192.168.49.2:80", a.HTTP)
	assert.Equal(t, "192.168.49.2:443", a.HTTPS)
}

func TestMinikubeLoadsIntoItsNode(t *testing.T) {
	_, m := newMinikube(t)
	minikubeUp(t, m)
	node := &run.Fake{}
	m.Docker = dockertest.New(t, node)
	node.On("docker image inspect", dockertest.Inspected(engine.Image{ID: "sha256:a"}), nil)
	node.On("docker exec x ctr --namespace k8s.io content list", "sha256:0\n", nil)
	node.On("docker exec x containerd config dump", "version = 3\n[plugins.'io.containerd.cri.v1.images']\nsnapshotter = 'overlayfs'\n", nil)
	node.On("docker save", "", errors.New("the engine went away"))
	_, err := m.Load(t.Context(), nil, []string{"todo-a:1"})
	require.ErrorContains(t, err, "the engine went away", "it begins with asking the node what it lacks, and saves that")
}

func TestMinikubeEndsWithWhoeverStartedIt(t *testing.T) {
	in, open, err := os.Pipe()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), "sh", "-c", leash, "sh", "sleep", "300")
	cmd.Stdin = in
	require.NoError(t, cmd.Start())
	require.NoError(t, in.Close())
	require.NoError(t, open.Close()) // as the system does for a process that was killed
	var exit *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &exit)
	assert.Equal(t, 128+int(syscall.SIGTERM), exit.ExitCode())

	in, open, err = os.Pipe()
	require.NoError(t, err)
	defer func() { _ = in.Close() }()
	defer func() { _ = open.Close() }()
	cmd = exec.CommandContext(t.Context(), "sh", "-c", leash, "sh", "sh", "-c", `echo "$1"; exit 7`, "sh", "two words")
	cmd.Stdin = in
	out, err := cmd.Output()
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, 7, exit.ExitCode(), "its exit code is the command's")
	assert.Equal(t, "two words\n", string(out))
}
