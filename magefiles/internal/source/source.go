// Package source gives the images that a deployment starts from: the base images of the application's own, and the image that a cluster node
// runs. They come from container registries, or, where none can be reached, from package registries alone: the cluster's programs are built
// from Go modules, the rest is made of Debian's packages.
package source

import (
	"context"
	"errors"
	"slices"
	"strings"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/ui"
)

// Bases are the base images of the application's own images. All are in the Docker engine, named by what they contain.
type Bases struct {
	Python   string // Debian with Python 3.11 and its venv module
	Node     string // Debian with Node.js 24 and npm, and an apt that works
	Postgres string // PostgreSQL 15, configured by the POSTGRES_* variables of the official image
	// PostgresElsewhere names PostgreSQL by its digest in a container registry, which has it for other platforms than
	// the engine's. It is empty where the images are of this machine alone; then Python and Node are too.
	PostgresElsewhere string
}

// Node is the image a cluster node runs, and what it carries.
type Node struct {
	Image         string // reference in the Docker engine; empty means kind's default, which kind pulls
	StaticNetwork bool   // the image has a network of its own for one node, so that kind's must be off
	Traefik       string // image of the ingress controller
	MetricsServer string // image of metrics-server
	AddonsApart   bool   // the images of these two are in the Docker engine, and not in the node image
}

// Source makes or finds images. Both methods are idempotent, and cheap where everything is there.
type Source interface {
	// Name is "registry" or "source".
	Name() string
	// Node gives the node image.
	Node(ctx context.Context, t *ui.Task) (Node, error)
	// Bases gives the base images.
	Bases(ctx context.Context, t *ui.Task) (Bases, error)
}

// imageInfo is what the engine knows of one image.
type imageInfo struct {
	id      string
	tags    []string
	digests []string // name@sha256:…, for images that came from a registry
}

// imageFormat has the names of the client's own fields. With the engine's, such as Id, clients before version 29 turn
// to what the engine sent, in which their join finds no strings.
const imageFormat = `{{.ID}} {{join .RepoTags ","}} {{join .RepoDigests ","}}`

// inspect asks the engine for several images at once and gives those that it has, by the name asked for.
func inspect(ctx context.Context, d *engine.Docker, asked ...string) (map[string]imageInfo, error) {
	args := []string{"image", "inspect", "--format", imageFormat}
	out, err := d.Output(ctx, append(args, asked...)...)
	var failed *run.Error
	if err != nil && !(errors.As(err, &failed) && strings.Contains(strings.ToLower(failed.Output+failed.Err.Error()), "no such image")) {
		if known := engine.Explain(err); known != nil {
			return nil, known
		}
		return nil, fault.Wrap(err, fault.CodeEnvironment, "Docker does not answer", "run the target doctor")
	}
	found := map[string]imageInfo{}
	for line := range strings.Lines(out) {
		id, names, _ := strings.Cut(strings.TrimRight(line, "\n"), " ")
		tags, digests, _ := strings.Cut(names, " ")
		info := imageInfo{id: id, tags: splitList(tags), digests: splitList(digests)}
		for _, ref := range asked {
			if slices.ContainsFunc(info.tags, func(tag string) bool { return familiar(tag) == familiar(ref) }) {
				found[ref] = info
			}
		}
	}
	return found, nil
}

// familiar is a reference without the parts that Docker leaves out in print.
func familiar(ref string) string {
	return strings.TrimPrefix(strings.TrimPrefix(ref, "docker.io/"), "library/")
}

func splitList(s string) []string {
	return strings.FieldsFunc(strings.TrimSpace(s), func(r rune) bool { return r == ',' })
}
