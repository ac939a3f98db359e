//go:build bench

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/rollout"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/source"
)

// scripts deploy as shell scripts do: everything, in order, every time, with images tagged "latest".
type scripts struct {
	checkout
	kind, helm string // programs
	cluster    string
	bases      source.Bases
	loads      []time.Duration // of the backend's image
}

func newScripts(t *testing.T, c checkout) *scripts {
	t.Helper()
	s := &scripts{checkout: c, cluster: settings(t).ClusterName, kind: filepath.Join(t.TempDir(), "kind")}
	_, err := run.Exec{}.Run(t.Context(), run.Cmd{Name: "go", Args: []string{"build", "-o", s.kind, "sigs.k8s.io/kind"}, Dir: here(t).dir})
	require.NoError(t, err)
	s.helm, err = helmProgram(t.Context(), here(t))
	require.NoError(t, err)
	src, _, err := source.Pick(t.Context(), settings(t), docker(t))
	require.NoError(t, err)
	s.bases, err = src.Bases(t.Context(), nil)
	require.NoError(t, err)
	return s
}

// deploy runs what a script would, and gives how long it took.
func (s *scripts) deploy(t *testing.T) time.Duration {
	t.Helper()
	start := time.Now()
	s.do(t, docker(t).CLI, "build", "--tag", "todo-backend:latest", "--target", "runtime", "--build-arg", "PYTHON_IMAGE="+s.bases.Python, "backend")
	s.do(t, docker(t).CLI, "build", "--tag", "todo-frontend:latest", "--target", "runtime", "--build-arg", "NODE_IMAGE="+s.bases.Node, "frontend")
	load := time.Now()
	s.do(t, s.kind, "load", "docker-image", "--name", s.cluster, "todo-backend:latest")
	s.loads = append(s.loads, time.Since(load))
	s.do(t, s.kind, "load", "docker-image", "--name", s.cluster, "todo-frontend:latest")
	s.do(t, s.kind, "load", "docker-image", "--name", s.cluster, s.bases.Postgres)
	name, tag, _ := strings.Cut(s.bases.Postgres, ":")
	s.do(t, s.helm, "upgrade", "--install", config.ReleaseName, "charts/todo-app", "--namespace", "todo", "--create-namespace",
		"--set", "postgres.image.repository="+name, "--set", "postgres.image.tag="+tag)
	d := running(t)
	// An image of the same name starts no rollout: scripts have to ask for one.
	for _, deployment := range []string{"backend", "frontend"} {
		patch := fmt.Appendf(nil, `{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":%q}}}}}`, time.Now().Format(time.RFC3339Nano))
		_, err := d.client.AppsV1().Deployments("todo").Patch(t.Context(), deployment, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
		require.NoError(t, err)
	}
	require.NoError(t, rollout.Wait(t.Context(), nil, d.client, "todo", config.ReleaseName, 5*time.Minute))
	return time.Since(start)
}

func (s *scripts) do(t *testing.T, program string, args ...string) {
	t.Helper()
	env := []string{"DOCKER_BUILDKIT=1", "KUBECONFIG=" + settings(t).Kubeconfig(), "PATH=" + filepath.Dir(docker(t).CLI) + ":" + os.Getenv("PATH")}
	_, err := run.Exec{}.Run(t.Context(), run.Cmd{Name: program, Args: args, Dir: s.dir, Env: env})
	require.NoError(t, err)
}
