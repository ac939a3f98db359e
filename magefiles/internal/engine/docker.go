// Package engine is the Docker engine of this machine: finding it, asking it, and telling what keeps it from being
// used.
package engine

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/moby/client"

	"todo.local/magefiles/internal/run"
)

// Docker is a Docker engine: its interface, and the command line client for what only that can do.
type Docker struct {
	API           *client.Client
	Runner        run.Runner
	CLI           string // path of a client that can build with BuildKit
	ClientVersion string // as the client gives it, such as 20.10.24+dfsg1
	EngineVersion string
	Platform      string // what the engine runs, such as linux/amd64
}

// BoundedRuntime is the name of the container runtime that does without CAP_SYS_RESOURCE.
const BoundedRuntime = "bounded"

// noAttestations keeps current clients from adding to an image when and how it was built: the same content built again
// would be another image to an engine that keeps that, and to a registry. Who sets it has the last word.
const noAttestations = "BUILDX_NO_DEFAULT_ATTESTATIONS"

// Run runs a docker command; c.Name is set here.
func (d *Docker) Run(ctx context.Context, c run.Cmd) (run.Result, error) {
	c.Name = d.CLI
	env := []string{"DOCKER_BUILDKIT=1"}
	if _, set := os.LookupEnv(noAttestations); !set {
		env = append(env, noAttestations+"=1")
	}
	c.Env = append(env, c.Env...)
	return d.Runner.Run(ctx, c)
}

// Path gives PATH, as a line of an environment, on which this client is the first: for programs that run docker by
// themselves.
func (d *Docker) Path() string {
	return "PATH=" + filepath.Dir(d.CLI) + string(os.PathListSeparator) + os.Getenv("PATH")
}

// Output runs a docker command that does not take long, and gives its standard output without the white space around
// it.
func (d *Docker) Output(ctx context.Context, args ...string) (string, error) {
	bounded, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	res, err := d.Run(bounded, run.Cmd{Args: args})
	if err != nil && ctx.Err() == nil && bounded.Err() != nil {
		err = hangs(answerLimit)
	}
	return strings.TrimSpace(res.Stdout), err
}
