package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"

	"todo.local/magefiles/internal/engine/dockertest"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/source"
)

// world is a Docker engine with at most one node container, and an API server behind it.
type world struct {
	fake     *run.Fake
	status   string // of the container; empty where there is none
	marked   bool   // made by this project
	complete bool   // its creation was completed
	started  int    // how often it was started
	ready    bool   // its API server answers
	created  int
	deleted  int
	// made ahead, and said to be available
	volumes, available int
}

// asked is how the question begins whether the creation of the node was completed.
const asked = "docker exec x-control-plane sh -c " + completion

func newWorld(t *testing.T) (*world, *Kind) {
	t.Helper()
	w := &world{fake: &run.Fake{}}
	api := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !w.ready {
			rw.WriteHeader(http.StatusServiceUnavailable)
		}
		switch r.Method + " " + r.URL.Path {
		case "POST /api/v1/persistentvolumes":
			w.volumes++
		case "PUT /api/v1/persistentvolumes/" + volumeAhead + "/status":
			w.available++
		default:
			return
		}
		rw.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		_, _ = io.Copy(rw, r.Body)
	}))
	t.Cleanup(api.Close)

	w.fake.OnFunc("docker container inspect", func(run.Cmd) (string, error) {
		if w.status == "" {
			return "Error: No such container: x-control-plane", errors.New("exit status 1")
		}
		mount := "/var"
		if w.marked {
			mount = markMount
		}
		return fmt.Sprintf(`[{"Id":"1234","State":{"Status":%q,"StartedAt":"2026-01-01T00:00:0%dZ"},"Config":{"Image":"todo-node:1"},"Mounts":[{"Destination":%q}],
			"HostConfig":{"PortBindings":{"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"8080"}]}}}]`, w.status, w.started, mount), nil
	})
	w.fake.OnFunc("docker exec --env", func(run.Cmd) (string, error) { // how it does
		if w.status != "running" {
			return "", run.Failed(1, "Error response from daemon: Container 1234 is not running\n")
		}
		return "", nil
	})
	w.fake.OnFunc(asked, func(run.Cmd) (string, error) {
		if w.complete {
			return "complete\n", nil
		}
		return "incomplete\n", nil
	})
	w.fake.OnFunc("docker exec x-control-plane sh -c mkdir -p -m 0777 "+volumeDir+" && touch", func(run.Cmd) (string, error) { w.complete = true; return "", nil })
	w.fake.OnFunc("docker start", func(run.Cmd) (string, error) {
		w.status, w.ready = "running", true
		w.started++
		return "", nil
	})
	w.fake.OnFunc("docker restart", func(run.Cmd) (string, error) { w.ready = true; return "", nil })
	w.fake.OnFunc("docker stop", func(run.Cmd) (string, error) { w.status = "exited"; return "", nil })

	dir := t.TempDir()
	k := &Kind{
		Docker: dockertest.New(t, w.fake), ClusterName: "x",
		Kubeconfig: filepath.Join(dir, "kubeconfig"), Cache: dir,
		Quirks:    func(context.Context) (Quirks, error) { return Quirks{}, nil },
		Ports:     func(context.Context) (Ports, error) { return Ports{8080, 8443}, nil },
		Diagnoses: filepath.Join(dir, "diagnosis"), pulse: time.Hour,
	}
	kubeconfig := fmt.Sprintf("apiVersion: v1\nkind: Config\nclusters: [{name: kind-x, cluster: {server: %q}}]\n"+
		"contexts: [{name: kind-x, context: {cluster: kind-x, user: u}}]\nusers: [{name: u, user: {}}]\n", api.URL)
	k.kubeconfig = func(context.Context) (string, error) { return kubeconfig, nil }
	k.create = func(context.Context, *v1alpha4.Cluster, func(string)) error {
		w.created++
		w.status, w.marked, w.ready = "running", true, true
		return os.WriteFile(k.Kubeconfig, []byte(kubeconfig), 0o600)
	}
	k.remove = func(context.Context) error {
		w.deleted++
		w.status, w.complete = "", false
		return nil
	}
	return w, k
}

func up(t *testing.T, k *Kind) (Access, error) {
	t.Helper()
	return k.Up(t.Context(), nil, source.Node{Image: "todo-node:1"}, func() {})
}

func TestUpMakesOnceAndThenFindsIt(t *testing.T) {
	w, k := newWorld(t)
	first, err := up(t, k)
	require.NoError(t, err)
	second, err := up(t, k)
	require.NoError(t, err)
	assert.Equal(t, 1, w.created)
	assert.Equal(t, []int{1, 1}, []int{w.volumes, w.available})
	assert.FileExists(t, filepath.Join(k.markDir(), coreDNSFile), "kubeadm finds it in the folder that is mounted")
	assert.Equal(t, first, second)
	assert.Equal(t, "127.0.0.1:8080", first.HTTP)
	assert.Equal(t, "todo-node:1", first.NodeImage)
}

func TestImagesAreTakenBeforeTheControlPlaneRuns(t *testing.T) {
	w, k := newWorld(t)
	told := make(chan string, 3)
	w.fake.OnFunc("docker exec x-control-plane sh -c until ctr version", func(run.Cmd) (string, error) { told <- "containerd answers"; return "", nil })
	create := k.create
	k.create = func(ctx context.Context, config *v1alpha4.Cluster, line func(string)) error {
		line(" • Writing configuration 📜  ...")
		assert.Empty(t, told)
		line(" • Starting control-plane 🕹️  ...")
		assert.Equal(t, "containerd answers", <-told)
		assert.Equal(t, "takes images", <-told)
		return create(ctx, config, line)
	}
	_, err := k.Up(t.Context(), nil, source.Node{}, func() { told <- "takes images" })
	require.NoError(t, err)
}

func TestAnotherCheckoutFindsTheRunningCluster(t *testing.T) {
	w, k := newWorld(t)
	_, err := up(t, k)
	require.NoError(t, err)
	require.NoError(t, os.Remove(k.Kubeconfig))
	before := len(w.fake.Calls())
	_, err = up(t, k)
	require.NoError(t, err)
	assert.FileExists(t, k.Kubeconfig)
	for _, call := range w.fake.Calls()[before:] {
		assert.NotContains(t, call, "start", "it runs already")
	}
}

func TestStoppedClusterIsStartedNotMade(t *testing.T) {
	w, k := newWorld(t)
	w.status, w.marked, w.complete = "exited", true, true
	_, err := up(t, k)
	require.NoError(t, err)
	assert.Zero(t, w.created)
	assert.Contains(t, w.fake.Calls(), "docker start x-control-plane")
}

func TestInterruptedCreationIsBegunAgain(t *testing.T) {
	w, k := newWorld(t)
	w.status, w.marked, w.complete = "running", true, false
	_, err := up(t, k)
	require.NoError(t, err)
	assert.Equal(t, 1, w.deleted)
	assert.Equal(t, 1, w.created)
	assert.True(t, w.complete)
}

func TestSomebodyElsesClusterIsLeftAlone(t *testing.T) {
	w, k := newWorld(t)
	w.status, w.marked = "running", false
	_, err := up(t, k)
	require.ErrorContains(t, err, "did not make")
	assert.Contains(t, fault.Remedy(err), "TODO_CLUSTER_NAME")
	require.Error(t, k.Delete(t.Context(), nil))
	require.Error(t, k.Down(t.Context(), nil))
	assert.Zero(t, w.deleted)
	assert.NotContains(t, w.fake.Calls(), "docker stop x-control-plane")
}

func TestDownAndDeleteTwice(t *testing.T) {
	w, k := newWorld(t)
	_, err := up(t, k)
	require.NoError(t, err)
	require.NoError(t, k.Down(t.Context(), nil))
	require.NoError(t, k.Down(t.Context(), nil))
	state, err := k.State(t.Context())
	require.NoError(t, err)
	assert.Equal(t, Stopped, state)
	require.NoError(t, k.Delete(t.Context(), nil))
	require.NoError(t, k.Delete(t.Context(), nil))
	assert.Equal(t, 1, w.deleted)
	assert.NoFileExists(t, k.Kubeconfig)
}

func TestConfigBindsLoopbackAndPatchesOnlyQuirks(t *testing.T) {
	_, k := newWorld(t)
	plain := k.config(source.Node{}, Ports{80, 443}, Quirks{})
	assert.Equal(t, []string{controlPlane}, plain.KubeadmConfigPatches)
	assert.Empty(t, plain.ContainerdConfigPatches)
	assert.False(t, plain.Networking.DisableDefaultCNI)
	assert.Equal(t, "127.0.0.1", plain.Networking.APIServerAddress)
	for _, m := range plain.Nodes[0].ExtraPortMappings {
		assert.Equal(t, "127.0.0.1", m.ListenAddress)
	}
	odd := k.config(source.Node{StaticNetwork: true}, Ports{80, 443}, Quirks{CgroupV1: true, NoSysResource: true})
	assert.Len(t, odd.KubeadmConfigPatches, 2)
	assert.Len(t, odd.ContainerdConfigPatches, 2)
	assert.True(t, odd.Networking.DisableDefaultCNI)
}

func TestInterruptedWait(t *testing.T) {
	_, k := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	k.create = func(ctx context.Context, _ *v1alpha4.Cluster, _ func(string)) error { cancel(); return ctx.Err() }
	_, err := k.Up(ctx, nil, source.Node{}, func() {})
	require.ErrorIs(t, err, context.Canceled)
}
