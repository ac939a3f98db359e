// Package engine is the Docker engine of this machine: finding it, checking it, and installing and starting it where it is missing.
package engine

import (
	"context"
	"strings"

	"todo.local/magefiles/internal/run"
)

// Docker is a Docker engine, reached through its command line client.
type Docker struct {
	Runner run.Runner
	CLI    string   // path of a client that can build with BuildKit
	Env    []string // KEY=value pairs that the client needs, such as DOCKER_CONFIG with a buildx plugin
}

// Run runs a docker command; c.Name is set here.
func (d *Docker) Run(ctx context.Context, c run.Cmd) (run.Result, error) {
	c.Name = d.CLI
	c.Env = append(append([]string{"DOCKER_BUILDKIT=1"}, d.Env...), c.Env...)
	return d.Runner.Run(ctx, c)
}

// Output runs a docker command and gives its standard output without the white space around it.
func (d *Docker) Output(ctx context.Context, args ...string) (string, error) {
	res, err := d.Run(ctx, run.Cmd{Args: args})
	return strings.TrimSpace(res.Stdout), err
}
