package scratch

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine/dockertest"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
)

// fromHere is the source of this checkout, with a cache of its own.
func fromHere(t *testing.T, r run.Runner) *Source {
	t.Helper()
	root, err := filepath.Abs("../../../..")
	require.NoError(t, err)
	return New(&config.Config{Root: root, Cache: t.TempDir()}, dockertest.New(t, r))
}

func TestMinikubeIsBuiltOnceFromItsLockedModules(t *testing.T) {
	module := t.TempDir()
	driver := filepath.Join("pkg", "minikube", "registry", "drvs", "kvm2", "kvm2.go")
	require.NoError(t, writeFile(filepath.Join(module, driver), []byte("package kvm2\n\nimport \"C\"\n"), 0o644))
	f := compiler(t).On("go mod download -json k8s.io/minikube", `{"Dir": "`+module+`"}`, nil)
	s := fromHere(t, f)
	sums, err := os.ReadFile(filepath.Join(s.root, minikubeTool, "go.sum"))
	require.NoError(t, err)
	f.OnFunc("go build", func(c run.Cmd) (string, error) {
		assert.Subset(t, c.Env, []string{"GOFLAGS=-mod=readonly", "CGO_ENABLED=0"})
		locked, err := os.ReadFile(filepath.Join(c.Dir, "go.sum"))
		require.NoError(t, err)
		assert.Equal(t, string(sums), string(locked))
		mod, err := os.ReadFile(filepath.Join(c.Dir, "go.mod"))
		require.NoError(t, err)
		assert.Contains(t, string(mod), "\tk8s.io/minikube "+s.pins.Minikube+" ", "the version in pins.yaml is the one that tools/minikube locks")
		assert.Contains(t, string(mod), "\nreplace k8s.io/minikube => ./minikube\n")
		stub, err := os.ReadFile(filepath.Join(c.Dir, "minikube", driver))
		require.NoError(t, err)
		assert.NotContains(t, string(stub), `"C"`)
		return "", os.WriteFile(c.Args[len(c.Args)-2], []byte("program"), 0o755)
	})
	assert.Empty(t, s.BuiltMinikube())
	path, err := s.MinikubeProgram(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, path, s.BuiltMinikube())
	assert.FileExists(t, path)
	again, err := s.MinikubeProgram(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, path, again)
	assert.Len(t, builds(f), 1)
}

func TestAChangedLockIsAnotherMinikube(t *testing.T) {
	p, err := fromHere(t, &run.Fake{}).minikube()
	require.NoError(t, err)
	before := p.key()
	p.lock.sum += "example.com/x v1.0.0 h1:x=\n"
	assert.NotEqual(t, before, p.key())
}

func TestACheckoutWithoutTheLockIsNamed(t *testing.T) {
	s := fromHere(t, &run.Fake{})
	s.root = t.TempDir()
	_, err := s.MinikubeProgram(t.Context(), nil)
	require.ErrorContains(t, err, "the versions of minikube's modules cannot be read")
	assert.Equal(t, fault.CodeBuild, fault.Code(err))
}

func TestTheMinikubeNodeIsTheNodeImageWithMore(t *testing.T) {
	f := compiler(t)
	s := fromHere(t, f)
	base := s.minikubeImage()
	engineHas := map[string]string{s.nodeImageName().String(): "", s.debianImage().String(): ""}
	hasImages(f, engineHas)
	f.OnFunc("docker build", func(c run.Cmd) (string, error) {
		assert.Contains(t, c.Args, base.String())
		dir := c.Args[len(c.Args)-1]
		text, err := os.ReadFile(filepath.Join(dir, "Dockerfile"))
		require.NoError(t, err)
		assert.Contains(t, string(text), "FROM "+s.nodeImageName().String()+"\n")
		assert.Contains(t, string(text), "/var/lib/minikube/binaries/"+s.pins.Kubernetes+"/\n")
		assert.NotContains(t, string(text), "@", "every place is filled")
		assert.FileExists(t, filepath.Join(dir, "crictl"))
		engineHas[base.String()] = ""
		return "", nil
	})
	for range 2 {
		node, err := s.Minikube(t.Context(), nil)
		require.NoError(t, err)
		assert.Equal(t, base.String(), node.Image)
		assert.True(t, node.StaticNetwork)
		assert.Equal(t, s.pins.Kubernetes, node.Minikube.Kubernetes)
		assert.Contains(t, node.Minikube.Storage, "storageclass.kubernetes.io/is-default-class")
		assert.NotContains(t, node.Minikube.Storage, "@")
	}
	built := 0
	for _, c := range f.Calls() {
		if strings.HasPrefix(c, "docker build") {
			built++
		}
	}
	assert.Equal(t, 1, built)
}
