//go:build e2e

package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/image"
	"todo.local/magefiles/internal/source"
)

// publish puts an index with one image for each architecture into the registry, and gives its name there.
func (r *testRegistry) publish(t *testing.T, images map[string]v1.Image) string {
	t.Helper()
	index := v1.ImageIndex(empty.Index)
	for arch, img := range images {
		cfg, err := img.ConfigFile()
		require.NoError(t, err)
		cfg = cfg.DeepCopy()
		cfg.OS, cfg.Architecture = "linux", arch
		img, err = mutate.ConfigFile(img, cfg)
		require.NoError(t, err)
		platform := &v1.Platform{OS: "linux", Architecture: arch}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: platform}})
	}
	ref := r.addr + "/todo-pull-test:" + uniqueTag()
	parsed, err := name.ParseReference(ref, name.Insecure)
	require.NoError(t, err)
	require.NoError(t, remote.WriteIndex(parsed, index, remote.WithContext(t.Context())))
	removeAtEnd(t, ref)
	return ref
}

// TestPullFromARegistryThatIsNotAtItsBest has the real engine pull from registries that limit, fail, are slow or are
// not there.
func TestPullFromARegistryThatIsNotAtItsBest(t *testing.T) {
	content, err := random.Image(1<<20, 2)
	require.NoError(t, err)
	trouble := func(status int, when func(n int64) bool) func(http.ResponseWriter, *http.Request) bool {
		var asked atomic.Int64
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/v2/" || !when(asked.Add(1)) {
				return false
			}
			w.Header().Set("Retry-After", "1")
			http.Error(w, http.StatusText(status), status)
			return true
		}
	}
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request) bool // in the registry's place
		gone   bool
		fails  string
		least  time.Duration
		most   time.Duration
	}{
		"limits at first": {answer: trouble(429, func(n int64) bool { return n <= 3 }), least: 2 * time.Second, most: time.Minute},
		"fails at first":  {answer: trouble(503, func(n int64) bool { return n <= 2 }), least: 2 * time.Second, most: time.Minute},
		"takes three seconds": {answer: func(_ http.ResponseWriter, r *http.Request) bool {
			if strings.Contains(r.URL.Path, "/manifests/") {
				select {
				case <-time.After(3 * time.Second):
				case <-r.Context().Done():
				}
			}
			return false
		}, least: 3 * time.Second, most: time.Minute},
		"wants a login": {answer: trouble(401, func(int64) bool { return true }), fails: "docker login", most: 2 * time.Second},
		"is not there":  {gone: true, fails: "can be reached", most: 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reg := newRegistry(t)
			ref := reg.publish(t, map[string]v1.Image{"amd64": content, "arm64": content})
			reg.answer.Store(&c.answer)
			if c.gone {
				ref = freeAddr(t) + "/todo-pull-test:1"
			}
			start := time.Now()
			err := source.Pull(t.Context(), nil, docker(t), ref)
			took := time.Since(start)
			t.Logf("%.1f s", took.Seconds())
			assert.GreaterOrEqual(t, took, c.least)
			assert.Less(t, took, c.most)
			if c.fails == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, ref+" cannot be pulled")
			assert.Contains(t, fault.Remedy(err), c.fails)
		})
	}
}

// TestImagesForAnotherPlatform builds for nodes that are not of this machine's kind.
func TestImagesForAnotherPlatform(t *testing.T) {
	other := "arm64"
	if strings.HasSuffix(docker(t).Platform, "/arm64") {
		other = "amd64"
	}
	reg := newRegistry(t)
	shell, err := mutate.AppendLayers(empty.Image, foreignShell(t, other))
	require.NoError(t, err)
	base := reg.publish(t, map[string]v1.Image{other: shell})
	dir := t.TempDir()
	b := &image.Builder{Docker: docker(t), LogDir: t.TempDir()}
	build := func(dockerfile string) (string, error) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(dockerfile), 0o644))
		spec := image.Spec{Name: "todo-platform-test", Dir: dir, Args: map[string]string{"BASE": base}, Platform: "linux/" + other}
		return b.Build(t.Context(), nil, spec)
	}
	removeAtEnd(t, "todo-platform-test")

	ref, err := build("ARG BASE\nFROM ${BASE}\nCOPY Dockerfile /copied\n")
	require.NoError(t, err)
	got, err := docker(t).Output(t.Context(), "image", "inspect", "--format", "{{.Os}}/{{.Architecture}}", ref)
	require.NoError(t, err)
	assert.Equal(t, "linux/"+other, got)

	if emulated(other) {
		t.Skipf("this machine runs programs for %s", other)
	}
	_, err = build("ARG BASE\nFROM ${BASE}\nRUN true\n")
	require.ErrorContains(t, err, "this Docker engine runs no programs for linux/"+other)
	assert.Equal(t, fault.CodeEnvironment, fault.Code(err))
	assert.NotContains(t, err.Error(), "\n")
}

// foreignShell is a layer whose /bin/sh is a program for another architecture.
// programLayer is a layer of one program.
// emulated tells whether this machine runs programs of another architecture, as far as it says so.
func emulated(arch string) bool {
	name := map[string]string{"arm64": "qemu-aarch64", "amd64": "qemu-x86_64"}[arch]
	_, err := os.Stat("/proc/sys/fs/binfmt_misc/" + name)
	return err == nil
}
