//go:build engines

package e2e

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/engine/enginetest"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/source/scratch"
)

// TestShortLife goes through the short life of a deployment on the Docker engine that the environment chooses.
func TestShortLife(t *testing.T) {
	project := here(t)
	require.Zero(t, project.mage(t, nil, "cluster:delete").code)
	t.Logf("Docker engine %s", docker(t).EngineVersion)
	life := &short{project: project, alice: &user{}}
	for _, step := range []step{
		life.begin(),
		life.unchanged(),
		life.changed("BUILDX_NO_DEFAULT_ATTESTATIONS=false"),
		{"the change came with an attestation", attested},
		life.resumed(),
		life.deleted(),
	} {
		if !t.Run(step.name, step.test) {
			t.FailNow() // what follows starts from here
		}
	}
}

// attested is whether an engine that keeps images as they were built has of the backend's an index: its image, and how
// that was built. Docker builds so unless it is told otherwise, as deploy does. Other engines keep no such thing.
func attested(t *testing.T) {
	info, err := docker(t).Output(t.Context(), "info", "--format", "{{json .DriverStatus}}")
	require.NoError(t, err)
	if !strings.Contains(info, "io.containerd.snapshotter") {
		t.Log("not on this engine, which takes images apart")
		return
	}
	kind, err := docker(t).Output(t.Context(), "image", "inspect", "--format", "{{.Descriptor.MediaType}}", running(t).image(t, "todo-backend"))
	require.NoError(t, err)
	assert.Equal(t, ocispec.MediaTypeImageIndex, kind)
}

// TestCurrentEngine has TestShortLife run on a current Docker engine: in a process inside that engine's network, where
// its ports are.
func TestCurrentEngine(t *testing.T) {
	own := docker(t)
	if why := enginetest.Unfit(own, runtime.GOOS, os.Geteuid() == 0); why != "" {
		t.Skip("there is no second engine: " + why)
	}
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM) // or the engine would stay
	defer stop()
	cfg := settings(t)
	programs, err := scratch.BuildCurrentDocker(ctx, nil, cfg, run.Exec{})
	require.NoError(t, err)
	src, _, err := source.Pick(ctx, nil, cfg, own, scratch.New(cfg, own))
	require.NoError(t, err)
	bases, err := src.Bases(ctx, nil)
	require.NoError(t, err)
	e, err := enginetest.Start(ctx, cfg, own, programs, bases.Python, enginetest.Options{})
	require.NoError(t, err)
	defer e.Stop(t.Context())

	self, err := os.Executable()
	require.NoError(t, err)
	inside := e.Inside(self, "-test.v", "-test.run=^TestShortLife$", "-test.timeout=30m")
	inside.Env = append(inside.Env, "TODO_CLUSTER_NAME="+cfg.ClusterName+"-current")
	inside.Line = func(line string) { fmt.Println(line) }
	inside.Grace = 30 * time.Second
	_, err = run.Exec{}.Run(ctx, inside)
	require.NoError(t, err)
}
