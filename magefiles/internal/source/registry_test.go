package source

import (
	"bytes"
	"errors"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/distribution/reference"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/engine/dockertest"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/pins"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/ui"
)

// dockerWith fakes an engine that has the given images: reference → digest reference, or nothing for one that was
// loaded or built here. What is pulled by its digest gets no tag.
func dockerWith(t *testing.T, images map[string]string) (*engine.Docker, *run.Fake) {
	f := &run.Fake{}
	tags := map[string][]string{} // that an image got besides
	for ref, digest := range maps.Clone(images) {
		images[familiar(t, ref)] = digest
	}
	var mu sync.Mutex
	f.OnFunc("docker image inspect", func(c run.Cmd) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		ref := familiar(t, c.Args[2])
		digest, ok := images[ref]
		if !ok {
			return "", errors.New("Error: No such image: " + ref)
		}
		i := engine.Image{ID: "sha256:" + strings.Repeat("e", 64), Tags: tags[ref]}
		if !strings.Contains(ref, "@") {
			i.Tags = append(i.Tags, ref)
		}
		if digest != "" {
			i.Digests = []string{digest}
		}
		return dockertest.Inspected(i), nil
	})
	f.OnFunc("docker pull ", func(c run.Cmd) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		ref := familiar(t, c.Args[1])
		images[ref] = ref
		return "", nil
	})
	f.OnFunc("docker tag ", func(c run.Cmd) (string, error) {
		ref := familiar(t, c.Args[1])
		tags[ref] = append(tags[ref], familiar(t, c.Args[2]))
		return "", nil
	})
	return dockertest.New(t, f), f
}

// familiar is a reference as docker takes it: the tag beside a digest says nothing.
func familiar(t *testing.T, ref string) string {
	t.Helper()
	named, err := reference.ParseNormalizedNamed(ref)
	require.NoError(t, err)
	if digested, ok := named.(reference.Digested); ok {
		return reference.FamiliarName(named) + "@" + digested.Digest().String()
	}
	return reference.FamiliarString(named)
}

func count(f *run.Fake, prefix string) (n int) {
	for _, c := range f.Calls() {
		if strings.HasPrefix(c, prefix) {
			n++
		}
	}
	return n
}

func TestRegistryBasesArePulledOnceByTheirDigests(t *testing.T) {
	d, f := dockerWith(t, map[string]string{})
	p := pins.Load().Registry
	r := &fromRegistry{pins: pins.Load(), docker: d}
	bases, err := r.Bases(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, Bases{
		Python: p.Python, Node: p.Node, Postgres: "todo-base-postgres:15-bookworm-eeeeeeeeeeee", PostgresElsewhere: p.Postgres,
	}, bases)
	for _, ref := range []string{p.Python, p.Node, p.Postgres} {
		assert.Regexp(t, `:[^@:]+@sha256:[0-9a-f]{64}$`, ref)
		assert.Equal(t, 1, count(f, "docker pull "+familiar(t, ref)))
	}

	again, err := r.Bases(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, bases, again)
	assert.Equal(t, 3, count(f, "docker pull"), "nothing is pulled twice")
	assert.Equal(t, 1, count(f, "docker tag"), "or named twice")
}

// otherwise is an engine that has other images under the tags of the base images, as one with containerd's store tells
// of images that were loaded.
func otherwise(t *testing.T) map[string]string {
	t.Helper()
	images := map[string]string{}
	for _, ref := range (&fromRegistry{pins: pins.Load()}).Needs() {
		name, _, _ := strings.Cut(familiar(t, ref), "@")
		images[tagged(ref)] = name + "@sha256:" + strings.Repeat("0", 64)
	}
	return images
}

func TestATagThatMeansAnotherImageIsTakenWhereNoRegistryAnswersAlone(t *testing.T) {
	p := pins.Load().Registry
	d, f := dockerWith(t, otherwise(t))
	r := &fromRegistry{pins: pins.Load(), docker: d}
	f.On("docker pull node", noSuchHost, errors.New("exit status 1"))
	var screen bytes.Buffer
	var bases Bases
	require.NoError(t, ui.Plain(&screen).Do("Images", func(task *ui.Task) (err error) {
		bases, err = r.Bases(t.Context(), task)
		return err
	}))
	assert.Equal(t, p.Python, bases.Python)
	assert.Equal(t, tagged(p.Node), bases.Node)
	assert.Equal(t, p.Postgres, bases.PostgresElsewhere)
	assert.Equal(t, 3, count(f, "docker pull"))
	assert.Contains(t, screen.String(), "the image of that tag that is in the Docker engine is used")
}

func TestWhatAPersonLoadedIsUsedAndThereForThisMachineAlone(t *testing.T) {
	p := pins.Load().Registry
	d, f := dockerWith(t, map[string]string{tagged(p.Python): "", p.Node: "node@sha256:1", tagged(p.Postgres): ""})
	bases, err := (&fromRegistry{pins: pins.Load(), docker: d}).Bases(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, Bases{Python: tagged(p.Python), Node: p.Node, Postgres: "todo-base-postgres:15-bookworm-eeeeeeeeeeee"}, bases)
	assert.Zero(t, count(f, "docker pull"))
}

func TestAFullDiskIsNoFaultOfTheRegistry(t *testing.T) {
	d, f := dockerWith(t, map[string]string{pins.Load().Registry.Python: "python@sha256:1"})
	f.On("docker pull node", "failed to register layer: write /usr/bin/node: no space left on device", errors.New("exit status 1"))
	_, err := (&fromRegistry{pins: pins.Load(), docker: d}).Bases(t.Context(), nil)
	const full = "the disk is full: failed to register layer: write /usr/bin/node: no space left on device"
	require.EqualError(t, err, full)
	_, _, err = Pick(t.Context(), nil, &config.Config{Images: config.ImagesAuto, Cache: t.TempDir()}, d, here{})
	require.EqualError(t, err, full, "nor a reason to build everything on it")
}

func TestRegistryNodeIsKindsDefaultOrTheOneAskedFor(t *testing.T) {
	d, f := dockerWith(t, map[string]string{})
	n, err := (&fromRegistry{pins: pins.Load(), docker: d}).Node(t.Context(), nil)
	require.NoError(t, err)
	assert.Empty(t, n.Image)
	assert.False(t, n.StaticNetwork)
	n, err = (&fromRegistry{pins: pins.Load(), docker: d, nodeImage: "kindest/node:v1.36.4"}).Node(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, "kindest/node:v1.36.4", n.Image)

	p := pins.Load().Registry
	assert.Equal(t, tagged(p.Traefik), n.Traefik, "the name by which a node could pull it")
	assert.Equal(t, tagged(p.MetricsServer), n.MetricsServer)
	assert.Equal(t, 1, count(f, "docker tag "+p.Traefik+" "+familiar(t, n.Traefik)))
	assert.True(t, n.AddonsApart)
	assert.Equal(t, 2, count(f, "docker pull"), "the engine gets the add-ons' images, once for all nodes")
}

// here stands in for the source that needs no registry.
type here struct{ Source }

func (here) Name() string { return config.ImagesSource }
func (here) Needs() []string {
	return []string{"todo-node:1", "todo-base-python:1", "todo-base-node:1", "todo-base-postgres:1"}
}

func TestPick(t *testing.T) {
	cfg := func(images string) *config.Config { return &config.Config{Images: images, Cache: t.TempDir()} }
	built := map[string]string{}
	for _, ref := range (here{}).Needs() {
		built[ref] = ""
	}
	pulled := map[string]string{}
	for _, ref := range (&fromRegistry{pins: pins.Load()}).Needs() {
		pulled[ref] = "x@sha256:1"
	}
	almost := map[string]string{}
	for _, ref := range (here{}).Needs()[1:] {
		almost[ref] = ""
	}
	for _, c := range []struct {
		name   string
		images string
		engine map[string]string
		says   string // of the engine, where it gets nothing
		want   string
		why    string
		pulls  int
	}{
		{"told to build", config.ImagesSource, nil, "", "source", "TODO_IMAGES=source", 0},
		{"told to pull", config.ImagesRegistry, nil, noSuchHost, "registry", "TODO_IMAGES=registry", 0},
		{"built before", config.ImagesAuto, built, "", "source", "built on this machine before", 0},
		{"pulled before", config.ImagesAuto, pulled, noSuchHost, "registry", "pulled before", 0},
		{"registry or mirror up", config.ImagesAuto, nil, "", "registry", "the container registry answers", 1},
		{"half built, registry up again", config.ImagesAuto, almost, "", "registry", "the container registry answers", 1},
		{"loaded", config.ImagesAuto, otherwise(t), noSuchHost, "registry", "the engine has images of the base images' tags", 1},
		{"nothing there", config.ImagesAuto, nil, noSuchHost, "source", "no container registry can be reached", 1},
		{"a login is missing", config.ImagesAuto, nil, denial, "source", "refuses this machine", 1},
		{"limited", config.ImagesAuto, nil, limited, "source", "gives nothing (asked again for 30s, last: toomanyrequests", 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, f := dockerWith(t, maps.Clone(c.engine))
				if c.engine == nil {
					d, f = dockerWith(t, map[string]string{})
				}
				if c.says != "" {
					f.On("docker pull", c.says, errors.New("exit status 1"))
				}
				var screen bytes.Buffer
				cfg := cfg(c.images)
				pick := func() {
					require.NoError(t, ui.Plain(&screen).Do("Machine", func(task *ui.Task) error {
						s, why, err := Pick(t.Context(), task, cfg, d, here{})
						require.NoError(t, err)
						assert.Equal(t, c.want, s.Name())
						assert.Contains(t, why, c.why)
						return nil
					}))
				}
				pick()
				assert.Equal(t, c.pulls, count(f, "docker pull"))
				compiles := c.want == "source" && c.images == config.ImagesAuto && c.pulls > 0
				assert.Equal(t, compiles, strings.Contains(screen.String(), "about 20 minutes"), screen.String())
				assert.Equal(t, compiles, strings.Contains(screen.String(), "TODO_IMAGES=registry\n"), "how to choose otherwise")
				if c.says == limited {
					pick()
					assert.Equal(t, c.pulls, count(f, "docker pull"), "a run soon after does not wait for it again")
					assert.Equal(t, 2, strings.Count(screen.String(), "about 20 minutes"))
				}
			})
		})
	}
}

func TestPickWithoutDocker(t *testing.T) {
	f := (&run.Fake{}).On("docker image inspect", "", errors.New("Cannot connect to the Docker daemon"))
	_, _, err := Pick(t.Context(), nil, &config.Config{Images: config.ImagesAuto, Cache: t.TempDir()}, dockertest.New(t, f), here{})
	require.ErrorIs(t, err, engine.ErrNotRunning)
	assert.Equal(t, fault.CodeEnvironment, fault.Code(err))

	f.On("docker image inspect", "", errors.New("error during connect: EOF"))
	_, _, err = Pick(t.Context(), nil, &config.Config{Images: config.ImagesAuto, Cache: t.TempDir()}, dockertest.New(t, f), here{})
	require.ErrorContains(t, err, "Docker does not answer")
	assert.NotEmpty(t, fault.Remedy(err))
}
