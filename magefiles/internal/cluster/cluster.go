// Package cluster makes, starts, stops and removes the Kubernetes cluster that the application runs on.
package cluster

import (
	"context"
	"net"

	"todo.local/magefiles/internal/kube"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/ui"
)

// State is what there is of a cluster.
type State string

// The states of a cluster.
const (
	Absent  State = "absent"
	Stopped State = "stopped" // exists with its data, does not run
	Running State = "running"
)

// Access is how to reach a running cluster.
type Access struct {
	kube.API
	HTTP      string // host:port where the ingress answers HTTP; empty where only the installed application's Ingress will tell
	HTTPS     string // host:port where the ingress answers HTTPS; likewise
	NodeImage string // the image that the node was made from, where that is the project's own
	// IngressClass is what the application's Ingress has to ask for; empty where that is the chart's own choice.
	IngressClass string
}

// Loopback is where the ingress of a cluster in a container is published.
const Loopback = "127.0.0.1"

// URL is where the ingress answers for a host. A port that the scheme implies is left out.
func (a Access) URL(scheme, host string) string {
	at, usual := a.HTTP, "80"
	if scheme == "https" {
		at, usual = a.HTTPS, "443"
	}
	if _, port, err := net.SplitHostPort(at); err == nil && port != usual {
		host = net.JoinHostPort(host, port)
	}
	return scheme + "://" + host
}

// Provider is one way to have a cluster. Every method may be called again after it was interrupted anywhere.
type Provider interface {
	// Name says what kind of cluster it is and what it is called, for messages.
	Name() string
	// Addons tells whether the cluster is made from the project's node image and carries its add-on charts; others
	// bring their own.
	Addons() bool
	// Node gives the image that a new cluster's node is made from, out of src. It is empty where that is not the
	// project's to choose.
	Node(ctx context.Context, t *ui.Task, src source.Source) (source.Node, error)
	// Foreign tells that the cluster is somebody else's: nothing outside the release's namespace concerns this project.
	Foreign() bool
	// Platform is what its nodes run, such as linux/arm64; empty where that is what the Docker engine runs.
	Platform(ctx context.Context) (string, error)
	// State tells what there is, without changing it.
	State(ctx context.Context) (State, error)
	// Up makes the cluster from the node image, or starts it, or finds it running. Where Load works before the cluster
	// is up, it calls takesImages then, from any goroutine and more than once perhaps.
	Up(ctx context.Context, t *ui.Task, node source.Node, takesImages func()) (Access, error)
	// Access tells how to reach the running cluster.
	Access(ctx context.Context) (Access, error)
	// Load brings images of the Docker engine to where the cluster finds them. It gives the name by which the cluster
	// pulls each, or nil where they are on its nodes under their own names.
	Load(ctx context.Context, t *ui.Task, refs []string) (map[string]string, error)
	// Prune removes from the cluster's nodes the images that are other versions of the ones to keep, and gives their
	// names.
	Prune(ctx context.Context, keep []string) ([]string, error)
	// Down stops the cluster and keeps its data.
	Down(ctx context.Context, t *ui.Task) error
	// Delete removes the cluster with its data.
	Delete(ctx context.Context, t *ui.Task) error
}
