package scratch

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/pins"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/ui"
)

// CurrentDocker is a current Docker engine with its client, which tests run beside the engine of the machine.
type CurrentDocker struct {
	Programs map[string]string // paths of dockerd and docker-proxy, docker and docker-buildx, containerd's and runc, by name
	Data     string            // folder of what the engine keeps: base images are as dear as programs
}

// BuildCurrentDocker builds it where the cache lacks it, in the way of the node's programs, of which containerd and
// runc are two.
func BuildCurrentDocker(ctx context.Context, t *ui.Task, cfg *config.Config, r run.Runner) (CurrentDocker, error) {
	s := New(cfg, &engine.Docker{Runner: r})
	all := currentDocker(s.pins)
	b := s.builder()
	if b.firstMissing(all) != nil {
		if err := s.ready(ctx); err != nil {
			return CurrentDocker{}, err
		}
	}
	return s.currentDocker(ctx, t, b, all)
}

func (s *Source) currentDocker(ctx context.Context, t *ui.Task, b builder, all []program) (CurrentDocker, error) {
	s.touchPrograms(all...)
	dirs, err := b.all(ctx, t, all)
	if err != nil {
		return CurrentDocker{}, err
	}
	c := CurrentDocker{Programs: map[string]string{}, Data: filepath.Join(s.store.dir, "engines", "moby-"+s.pins.Moby)}
	for _, p := range all {
		for _, name := range p.binaries() {
			c.Programs[name] = filepath.Join(dirs[p.name], name)
		}
	}
	c.Programs["docker-buildx"] = c.Programs["buildx"] // as a plugin is called
	delete(c.Programs, "buildx")
	if err := os.MkdirAll(c.Data, 0o755); err != nil {
		return CurrentDocker{}, cacheFault(err)
	}
	s.store.touch("engines", "moby", s.pins.Moby)
	s.store.prune("engines")
	return c, nil
}

// currentDocker are the programs of a current Docker.
func currentDocker(p *pins.Pins) []program {
	const moby, cli, buildx = "github.com/moby/moby/v2", "github.com/docker/cli", "github.com/docker/buildx"
	daemon := program{
		name: "dockerd", module: moby, version: p.Moby, packages: []string{moby + "/cmd/dockerd", moby + "/cmd/docker-proxy"},
		// Without a version it takes itself for a library. The module's own says nothing of Docker's, which is that of
		// the client.
		ldflags: strip + " -X " + moby + "/dockerversion.Version=" + dockerVersion(p),
	}
	client := program{
		name: "docker", module: cli, version: p.DockerCommand + "+incompatible", packages: []string{cli + "/cmd/docker", buildx + "/cmd/buildx"},
		ldflags: strip + " -X " + cli + "/cli/version.Version=" + strings.TrimPrefix(p.DockerCommand, "v") + " -X " + buildx + "/version.Version=" + p.Buildx,
		// The client's module names no requirements. These are the ones of its vendor.mod that buildx does not bring.
		require: map[string]string{
			buildx:                                    p.Buildx,
			"dario.cat/mergo":                         "v1.0.2",
			"github.com/docker/go-connections":        "v0.8.2",
			"github.com/go-jose/go-jose/v4":           "v4.1.7",
			"github.com/moby/moby/api":                "v1.56.1",
			"github.com/moby/moby/client":             "v0.6.2",
			"github.com/moby/swarmkit/v2":             "v2.0.0", // the newest release; unused here
			"github.com/moby/sys/capability":          "v0.4.0",
			"github.com/moby/sys/symlink":             "v0.3.0",
			"github.com/moby/sys/user":                "v0.4.1",
			"github.com/moby/sys/userns":              "v0.2.1",
			"github.com/tonistiigi/go-rosetta":        "v0.0.0-20220804170347-3f4430f2d346",
			"google.golang.org/genproto":              "v0.0.0-20260825221802-da73d73af1c5", // swarmkit's is too old
			"tags.cncf.io/container-device-interface": "v1.1.1",
		},
		replace: map[string]string{cli: "./cli", "github.com/tonistiigi/go-rosetta": "./rosetta"},
		forks: []fork{
			{module: cli, version: p.DockerCommand + "+incompatible", dir: "cli", files: map[string]string{
				// Without one, its code is taken for that of Go 1.16.
				"go.mod": "module " + cli + "\n\ngo 1.26\n",
			}},
			{dir: "rosetta", files: map[string]string{ // of macOS, and never released
				"go.mod": "module github.com/tonistiigi/go-rosetta\n\ngo 1.26\n", "rosetta.go": shim("rosetta.go.txt"),
			}},
		},
	}
	of := func(name string) program {
		all := programs(p)
		return all[slices.IndexFunc(all, func(p program) bool { return p.name == name })]
	}
	return []program{daemon, client, of("containerd"), of("runc")}
}

// dockerVersion is what the engine calls itself, such as 29.0.0-beta.24.
func dockerVersion(p *pins.Pins) string {
	major, _, _ := strings.Cut(strings.TrimPrefix(p.DockerCommand, "v"), ".")
	return major + "." + strings.TrimPrefix(p.Moby, "v2.")
}
