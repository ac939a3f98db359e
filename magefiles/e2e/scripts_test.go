//go:build bench

package e2e

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/kube"
	"todo.local/magefiles/internal/release/helmcli"
	"todo.local/magefiles/internal/rollout"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/source/scratch"
)

// scripts do what a setup and a deploy script do: everything, in order, every time, with images tagged "latest".
type scripts struct {
	checkout
	docker, kind, helm string // programs
	cluster            string
	kubeconfig         string
	node               source.Node
	bases              source.Bases
	loads              []time.Duration // of the backend's image
	installed          bool
}

// scriptsCluster is kind's configuration with the ports that the targets publish, and what a host with cgroup v1 or
// without CAP_SYS_RESOURCE needs.
const scriptsCluster = `kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
networking: {apiServerAddress: 127.0.0.1, disableDefaultCNI: %t}
nodes:
- role: control-plane
  extraPortMappings:
  - {containerPort: 80, hostPort: %s, listenAddress: 127.0.0.1}
  - {containerPort: 443, hostPort: %s, listenAddress: 127.0.0.1}
kubeadmConfigPatches:
- '{kind: KubeletConfiguration, apiVersion: kubelet.config.k8s.io/v1beta1, failCgroupV1: false, cgroupDriver: cgroupfs}'
containerdConfigPatches:
- |
  [plugins."io.containerd.grpc.v1.cri"]
    restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
    SystemdCgroup = false
`

func newScripts(t *testing.T, c checkout) *scripts {
	t.Helper()
	s := &scripts{checkout: c, cluster: settings(t).ClusterName + "-scripts", docker: docker(t).CLI, kind: filepath.Join(t.TempDir(), "kind")}
	_, err := run.Exec{}.Run(t.Context(), run.Cmd{Name: "go", Args: []string{"build", "-o", s.kind, "sigs.k8s.io/kind"}, Dir: here(t).dir})
	require.NoError(t, err)
	s.helm, err = helmcli.Program(t.Context(), here(t).dir)
	require.NoError(t, err)
	src, _, err := source.Pick(t.Context(), nil, settings(t), docker(t), scratch.New(settings(t), docker(t)))
	require.NoError(t, err)
	s.bases, err = src.Bases(t.Context(), nil)
	require.NoError(t, err)
	s.node, err = src.Node(t.Context(), nil)
	require.NoError(t, err)
	s.kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	t.Cleanup(func() {
		_, err := run.Exec{}.Run(context.WithoutCancel(t.Context()), s.command(s.kind, "delete", "cluster", "--name", s.cluster))
		require.NoError(t, err)
	})
	return s
}

// setup makes the cluster with what would be minikube's add-ons, and gives how long it took.
func (s *scripts) setup(t *testing.T, access cluster.Access) time.Duration {
	t.Helper()
	_, http, err := net.SplitHostPort(access.HTTP)
	require.NoError(t, err)
	_, https, err := net.SplitHostPort(access.HTTPS)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "cluster.yaml")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, scriptsCluster, s.node.StaticNetwork, http, https), 0o644))
	start := time.Now()
	s.do(t, s.kind, "create", "cluster", "--name", s.cluster, "--image", s.node.Image, "--config", file, "--wait", "2m")
	s.install(t, "ingress", "todo-system", "image", s.node.Traefik, "--wait")
	s.install(t, "metrics-server", "todo-system", "image", s.node.MetricsServer, "--wait")
	return time.Since(start)
}

// install has helm install a chart with one image of this machine's.
func (s *scripts) install(t *testing.T, chart, namespace, value, image string, flags ...string) {
	t.Helper()
	repository, tag, _ := strings.Cut(image, ":")
	s.do(t, s.helm, append([]string{"upgrade", "--install", chart, "charts/" + chart, "--namespace", namespace, "--create-namespace",
		"--set", value + ".repository=" + repository, "--set", value + ".tag=" + tag}, flags...)...)
}

// deploy runs what a script would, and gives how long it took.
func (s *scripts) deploy(t *testing.T) time.Duration {
	t.Helper()
	start := time.Now()
	s.do(t, s.docker, "build", "--tag", "todo-backend:latest", "--target", "runtime", "--build-arg", "PYTHON_IMAGE="+s.bases.Python, "backend")
	s.do(t, s.docker, "build", "--tag", "todo-frontend:latest", "--target", "runtime", "--build-arg", "NODE_IMAGE="+s.bases.Node, "frontend")
	load := time.Now()
	s.do(t, s.kind, "load", "docker-image", "--name", s.cluster, "todo-backend:latest")
	s.loads = append(s.loads, time.Since(load))
	s.do(t, s.kind, "load", "docker-image", "--name", s.cluster, "todo-frontend:latest")
	s.do(t, s.kind, "load", "docker-image", "--name", s.cluster, s.bases.Postgres)
	s.install(t, config.ReleaseName, "todo", "postgres.image", s.bases.Postgres)
	client, err := kube.API{Kubeconfig: s.kubeconfig, Context: "kind-" + s.cluster}.Client()
	require.NoError(t, err)
	if s.installed { // an image of the same name starts no rollout: scripts have to ask for one
		for _, deployment := range []string{"backend", "frontend"} {
			patch := fmt.Appendf(nil, `{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":%q}}}}}`, time.Now().Format(time.RFC3339Nano))
			_, err := client.AppsV1().Deployments("todo").Patch(t.Context(), deployment, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
			require.NoError(t, err)
		}
	}
	require.NoError(t, rollout.Wait(t.Context(), nil, client, "todo", config.ReleaseName, 5*time.Minute))
	s.installed = true
	return time.Since(start)
}

func (s *scripts) do(t *testing.T, program string, args ...string) {
	t.Helper()
	_, err := run.Exec{}.Run(t.Context(), s.command(program, args...))
	require.NoError(t, err)
}

func (s *scripts) command(program string, args ...string) run.Cmd {
	env := []string{"DOCKER_BUILDKIT=1", "KUBECONFIG=" + s.kubeconfig, "PATH=" + filepath.Dir(s.docker) + ":" + os.Getenv("PATH")}
	return run.Cmd{Name: program, Args: args, Dir: s.dir, Env: env}
}
