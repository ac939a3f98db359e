package engine

import (
	"context"
	"testing"

	"github.com/moby/moby/api/types/system"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/run"
)

// environment keeps what a command is given.
type environment []string

func (e *environment) Run(_ context.Context, c run.Cmd) (run.Result, error) {
	*e = c.Env
	return run.Result{}, nil
}

func TestBuildsAddNoAttestationUnlessAskedTo(t *testing.T) {
	var env environment
	d := &Docker{Runner: &env, CLI: "docker"}
	_, err := d.Run(t.Context(), run.Cmd{Args: []string{"build"}, Env: []string{"A=b"}})
	require.NoError(t, err)
	assert.Equal(t, environment{"DOCKER_BUILDKIT=1", "BUILDX_NO_DEFAULT_ATTESTATIONS=1", "A=b"}, env)

	t.Setenv(noAttestations, "0")
	_, err = d.Run(t.Context(), run.Cmd{Args: []string{"build"}})
	require.NoError(t, err)
	assert.Equal(t, environment{"DOCKER_BUILDKIT=1"}, env)
}

func TestRootless(t *testing.T) {
	assert.True(t, Info{system.Info{SecurityOptions: []string{"name=seccomp,profile=builtin", "name=rootless", "name=cgroupns"}}}.Rootless())
	assert.False(t, Info{system.Info{SecurityOptions: []string{"name=seccomp,profile=default"}}}.Rootless())
}
