package source

import (
	"context"
	"strings"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/pins"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/ui"
)

// fromRegistry pulls what others have built.
type fromRegistry struct {
	pins      *pins.Pins
	docker    *engine.Docker
	nodeImage string // kind's default where empty
}

// Name is "registry".
func (*fromRegistry) Name() string { return config.ImagesRegistry }

// Node leaves the pull of the node image to kind, and that of the add-ons to the node.
func (r *fromRegistry) Node(context.Context, *ui.Task) (Node, error) {
	return Node{Image: r.nodeImage, Traefik: r.pins.Registry.Traefik, MetricsServer: r.pins.Registry.MetricsServer}, nil
}

func (r *fromRegistry) refs() []string {
	return []string{r.pins.Registry.Python, r.pins.Registry.Node, r.pins.Registry.Postgres}
}

// Bases pulls the base images that the engine lacks, and names all by digest: a tag may mean another image tomorrow.
func (r *fromRegistry) Bases(ctx context.Context, t *ui.Task) (Bases, error) {
	refs := r.refs()
	found, err := inspect(ctx, r.docker, refs...)
	if err != nil {
		return Bases{}, err
	}
	pulled := false
	for _, ref := range refs {
		if _, ok := found[ref]; ok {
			continue
		}
		pulled = true
		err := t.Do(ref, func(t *ui.Task) error {
			_, err := r.docker.Run(ctx, run.Cmd{Args: []string{"pull", ref}, Line: t.Line})
			if known := engine.Explain(err); known != nil {
				return known
			}
			return fault.Wrap(err, fault.CodeEnvironment, ref+" cannot be pulled",
				"see that the container registry can be reached, or set TODO_IMAGES=source to do without one")
		})
		if err != nil {
			return Bases{}, err
		}
	}
	if pulled {
		if found, err = inspect(ctx, r.docker, refs...); err != nil {
			return Bases{}, err
		}
	} else {
		t.Unchanged("pulled before")
	}
	var named [3]string
	for n, ref := range refs {
		if named[n], err = byDigest(ref, found[ref].digests); err != nil {
			return Bases{}, err
		}
	}
	return Bases{named[0], named[1], named[2]}, nil
}

// byDigest picks the digest reference that belongs to the repository of ref. An image that was loaded or built has none, and is then what a
// person put there under that name: it is used as it is.
func byDigest(ref string, digests []string) (string, error) {
	repo := repository(ref)
	for _, d := range digests {
		if name, _, _ := strings.Cut(d, "@"); repository(name) == repo {
			return d, nil
		}
	}
	if len(digests) > 0 {
		return "", fault.New(fault.CodeEnvironment, ref+" is in the Docker engine under the digest of another repository", "remove it with docker rmi and run again")
	}
	return ref, nil
}

// repository gives a reference without tag and without the parts that Docker leaves out in print.
func repository(ref string) string {
	if slash, colon := strings.LastIndexByte(ref, '/'), strings.LastIndexByte(ref, ':'); colon > slash {
		ref = ref[:colon]
	}
	return strings.TrimPrefix(strings.TrimPrefix(ref, "docker.io/"), "library/")
}
