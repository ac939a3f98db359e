// Package source gives the images that a deployment starts from: the base images of the application's own, and the
// image that a cluster node runs. They come from container registries, or, where none can be reached, from package
// registries alone, which is package scratch.
package source

import (
	"context"

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
	Image         string         // reference in the Docker engine; empty means kind's default, which kind pulls
	StaticNetwork bool           // the image has a network of its own for one node, so that kind's must be off
	Traefik       string         // image of the ingress controller
	MetricsServer string         // image of metrics-server
	AddonsApart   bool           // the images of these two are in the Docker engine, and not in the node image
	Minikube      *MinikubeParts // where the image is for a minikube profile
}

// MinikubeParts are what minikube would download, or bring by itself.
type MinikubeParts struct {
	Kubernetes string // the version of the programs in the node image, which starts with a v
	Storage    string // manifest of the default StorageClass, whose images the node image has
}

// Source makes or finds images. Node, Minikube and Bases are idempotent, and cheap where everything is there.
type Source interface {
	// Name is "registry" or "source".
	Name() string
	// Needs are the images that a deployment waits for where the engine lacks them.
	Needs() []string
	// Node gives the node image.
	Node(ctx context.Context, t *ui.Task) (Node, error)
	// Minikube gives the node image for a minikube profile. It is empty where minikube gets everything by itself.
	Minikube(ctx context.Context, t *ui.Task) (Node, error)
	// Bases gives the base images.
	Bases(ctx context.Context, t *ui.Task) (Bases, error)
}
