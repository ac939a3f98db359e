// Package engine is the Docker engine of this machine: finding it, asking it, and telling what keeps it from being used.
package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"todo.local/magefiles/internal/run"
)

// Docker is a Docker engine, reached through its command line client.
type Docker struct {
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

// outputTimeout is how long a command may take whose answer is short. The longest stops a container in half a minute.
const outputTimeout = 2 * time.Minute

// Output runs a docker command that does not take long, and gives its standard output without the white space around it.
func (d *Docker) Output(ctx context.Context, args ...string) (string, error) {
	bounded, cancel := context.WithTimeout(ctx, outputTimeout)
	defer cancel()
	res, err := d.Run(bounded, run.Cmd{Args: args})
	if err != nil && ctx.Err() == nil && bounded.Err() != nil {
		err = hangs(outputTimeout)
	}
	return strings.TrimSpace(res.Stdout), err
}

// Info is what an engine says of itself and of the machine that it runs on, which need not be this one.
type Info struct {
	OSType         string
	KernelVersion  string
	NCPU           int
	MemTotal       int64  // bytes
	CgroupVersion  string // "1" or "2"
	DockerRootDir  string // where images and volumes are, on the engine's machine
	DefaultRuntime string
	HTTPProxy      string // that the engine itself uses
	HTTPSProxy     string
	RegistryConfig struct {
		Mirrors []string // of Docker Hub, as URLs, in the order that they are asked in
	}
	Name            string // the host name of its machine
	OperatingSystem string
	SecurityOptions []string // such as name=rootless
	ServerErrors    []string
}

// Rootless tells whether the engine runs without root's rights.
func (i Info) Rootless() bool { return slices.Contains(i.SecurityOptions, "name=rootless") }

// Info asks the engine.
func (d *Docker) Info(ctx context.Context) (Info, error) {
	var info Info
	out, err := d.Output(ctx, "info", "--format", "{{json .}}")
	if err != nil {
		return info, err
	}
	if err := json.Unmarshal([]byte(out), &info); err != nil {
		return info, fmt.Errorf("docker info: %w", err)
	}
	if len(info.ServerErrors) > 0 { // some clients report these and still exit with 0
		return info, fmt.Errorf("docker info: %s", info.ServerErrors[0])
	}
	return info, nil
}
