package source

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/pins"
	"todo.local/magefiles/internal/run"
)

// dockerWith fakes an engine that has the given images: reference → digest reference, or nothing for one that was built here.
func dockerWith(images map[string]string) (*engine.Docker, *run.Fake) {
	f := &run.Fake{}
	f.OnFunc("docker image inspect", func(c run.Cmd) (string, error) {
		var out strings.Builder
		var err error
		for _, ref := range c.Args[4:] {
			digest, ok := images[ref]
			if !ok {
				err = errors.New("Error: No such image: " + ref)
				continue
			}
			out.WriteString(ref + " " + digest + "\n")
		}
		return out.String(), err
	})
	f.OnFunc("docker pull ", func(c run.Cmd) (string, error) {
		repo, _, _ := strings.Cut(c.Args[1], ":")
		images[c.Args[1]] = repo + "@sha256:" + strings.Repeat("a", 64)
		return "", nil
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

func TestRegistryBasesArePulledOnceAndNamedByDigest(t *testing.T) {
	d, f := dockerWith(map[string]string{})
	r := &fromRegistry{pins: pins.Load(), docker: d}
	bases, err := r.Bases(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, "python@sha256:"+strings.Repeat("a", 64), bases.Python)
	assert.True(t, strings.HasPrefix(bases.Node, "node@sha256:"))
	assert.True(t, strings.HasPrefix(bases.Postgres, "postgres@sha256:"))
	assert.Equal(t, 3, count(f, "docker pull"))

	again, err := r.Bases(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, bases, again)
	assert.Equal(t, 3, count(f, "docker pull"), "nothing is pulled twice")
}

func TestAFailedPullSaysWhatToDo(t *testing.T) {
	d, f := dockerWith(map[string]string{})
	f.On("docker pull node", "", errors.New("toomanyrequests"))
	_, err := (&fromRegistry{pins: pins.Load(), docker: d}).Bases(t.Context(), nil)
	require.ErrorContains(t, err, pins.Load().Registry.Node+" cannot be pulled")
	assert.Equal(t, fault.CodeEnvironment, fault.Code(err))
	assert.Contains(t, fault.Remedy(err), "TODO_IMAGES=source")

	f.On("docker pull node", "failed to register layer: write /usr/bin/node: no space left on device", errors.New("exit status 1"))
	_, err = (&fromRegistry{pins: pins.Load(), docker: d}).Bases(t.Context(), nil)
	require.EqualError(t, err, "the disk is full: failed to register layer: write /usr/bin/node: no space left on device")
}

func TestDigestOfTheRightRepository(t *testing.T) {
	got, err := byDigest("docker.io/library/python:3.11", []string{"mirror.example.com:5000/python@sha256:1", "python@sha256:2"})
	require.NoError(t, err)
	assert.Equal(t, "python@sha256:2", got)
	got, err = byDigest("python:3.11", nil)
	require.NoError(t, err)
	assert.Equal(t, "python:3.11", got, "an image that was loaded has no digest")
	_, err = byDigest("python:3.11", []string{"other@sha256:1"})
	require.Error(t, err)
}

func TestRegistryNodeIsKindsDefaultOrTheOneAskedFor(t *testing.T) {
	n, err := (&fromRegistry{pins: pins.Load()}).Node(t.Context(), nil)
	require.NoError(t, err)
	assert.Empty(t, n.Image)
	assert.False(t, n.StaticNetwork)
	assert.Equal(t, pins.Load().Registry.Traefik, n.Traefik)
	n, err = (&fromRegistry{pins: pins.Load(), nodeImage: "kindest/node:v1.36.4"}).Node(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, "kindest/node:v1.36.4", n.Image)
}

func TestPick(t *testing.T) {
	cfg := func(images string) *config.Config { return &config.Config{Images: images, Cache: t.TempDir()} }
	built := map[string]string{}
	for _, ref := range newFromSource(cfg(""), &engine.Docker{}).refs() {
		built[ref] = ""
	}
	require.Len(t, built, 4)
	pulled := map[string]string{}
	for _, ref := range (&fromRegistry{pins: pins.Load()}).refs() {
		pulled[ref] = "x@sha256:1"
	}
	almost := map[string]string{}
	for _, ref := range newFromSource(cfg(""), &engine.Docker{}).refs()[1:] {
		almost[ref] = ""
	}
	cases := []struct {
		name    string
		images  string
		engine  map[string]string
		answers error
		want    string
		why     string
		probes  int
	}{
		{"told to build", config.ImagesSource, nil, nil, "source", "TODO_IMAGES=source", 0},
		{"told to pull", config.ImagesRegistry, nil, errors.New("down"), "registry", "TODO_IMAGES=registry", 0},
		{"built before", config.ImagesAuto, built, nil, "source", "built on this machine before", 0},
		{"pulled before", config.ImagesAuto, pulled, errors.New("down"), "registry", "pulled before", 0},
		{"nothing, registry up", config.ImagesAuto, nil, nil, "registry", "the container registry answers", 1},
		{"nothing, registry down", config.ImagesAuto, nil, errors.New("no such host"), "source", "no container registry answers", 1},
		{"half built, registry up again", config.ImagesAuto, almost, nil, "registry", "the container registry answers", 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.engine == nil {
				c.engine = map[string]string{}
			}
			d, f := dockerWith(c.engine)
			f.On("docker manifest inspect", "{}", c.answers)
			s, why, err := Pick(t.Context(), cfg(c.images), d)
			require.NoError(t, err)
			assert.Equal(t, c.want, s.Name())
			assert.Contains(t, why, c.why)
			assert.Equal(t, c.probes, count(f, "docker manifest"))
			assert.LessOrEqual(t, len(f.Calls()), 2)
			assert.Equal(t, c.why == "built on this machine before", Built(t.Context(), cfg(c.images), d))
		})
	}
}

func TestPickWithoutDocker(t *testing.T) {
	f := (&run.Fake{}).On("docker image inspect", "", errors.New("Cannot connect to the Docker daemon"))
	_, _, err := Pick(t.Context(), &config.Config{Images: config.ImagesAuto, Cache: t.TempDir()}, &engine.Docker{Runner: f, CLI: "docker"})
	require.ErrorIs(t, err, engine.ErrNotRunning)
	assert.Equal(t, fault.CodeEnvironment, fault.Code(err))

	f.On("docker image inspect", "", errors.New("error during connect: EOF"))
	_, _, err = Pick(t.Context(), &config.Config{Images: config.ImagesAuto, Cache: t.TempDir()}, &engine.Docker{Runner: f, CLI: "docker"})
	require.ErrorContains(t, err, "Docker does not answer")
	assert.NotEmpty(t, fault.Remedy(err))
}

func TestWhatIsThereCostsOneQuestion(t *testing.T) {
	engineHas := map[string]string{}
	for _, ref := range newFromSource(&config.Config{}, &engine.Docker{}).refs() {
		engineHas[ref] = ""
	}
	d, f := dockerWith(engineHas)
	s := newFromSource(&config.Config{Cache: t.TempDir()}, d)
	node, err := s.Node(t.Context(), nil)
	require.NoError(t, err)
	assert.True(t, node.StaticNetwork)
	assert.Regexp(t, `^todo-node:v1\.\d+\.\d+-[0-9a-f]{12}$`, node.Image)
	bases, err := s.Bases(t.Context(), nil)
	require.NoError(t, err)
	assert.Regexp(t, `^todo-base-python:3\.11-[0-9a-f]{12}$`, bases.Python)
	assert.Len(t, f.Calls(), 2, "one for each")
}
