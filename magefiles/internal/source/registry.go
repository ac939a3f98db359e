package source

import (
	"context"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"golang.org/x/sync/errgroup"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/pins"
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

// Node leaves the pull of the node image to kind. It fetches the images of the add-ons into the engine, which gives
// them to every new node.
func (r *fromRegistry) Node(ctx context.Context, t *ui.Task) (Node, error) {
	n := Node{Image: r.nodeImage, Traefik: r.pins.Registry.Traefik, MetricsServer: r.pins.Registry.MetricsServer, AddonsApart: true}
	_, err := r.have(ctx, t, n.Traefik, n.MetricsServer)
	return n, err
}

// Minikube leaves everything to minikube.
func (*fromRegistry) Minikube(context.Context, *ui.Task) (Node, error) { return Node{}, nil }

// Needs are the base images.
func (r *fromRegistry) Needs() []string {
	return []string{r.pins.Registry.Python, r.pins.Registry.Node, r.pins.Registry.Postgres}
}

// have pulls the images that the engine lacks, and gives what it knows of all.
func (r *fromRegistry) have(ctx context.Context, t *ui.Task, refs ...string) (map[string]engine.Image, error) {
	found, err := r.docker.Images(ctx, refs...)
	if err != nil {
		return nil, err
	}
	if len(found) == len(refs) {
		t.Unchanged("pulled before")
		return found, nil
	}
	g, gctx := errgroup.WithContext(ctx)
	for _, ref := range refs {
		if _, ok := found[ref]; !ok {
			g.Go(func() error { return t.Do(ref, func(t *ui.Task) error { return Pull(gctx, t, r.docker, ref) }) })
		}
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return r.docker.Images(ctx, refs...)
}

// Bases pulls the base images that the engine lacks. Those of builds are named by digest, as a tag may mean another
// image tomorrow. PostgreSQL, which goes to the nodes from the engine, gets a name of its own there, by its content
// too.
func (r *fromRegistry) Bases(ctx context.Context, t *ui.Task) (Bases, error) {
	refs := r.Needs()
	found, err := r.have(ctx, t, refs...)
	if err != nil {
		return Bases{}, err
	}
	var named [3]string
	for n, ref := range refs {
		if named[n], err = byDigest(ref, found[ref].Digests); err != nil {
			return Bases{}, err
		}
	}
	b := Bases{Python: named[0], Node: named[1]}
	if strings.Contains(named[2], "@") {
		b.PostgresElsewhere = named[2]
	}
	b.Postgres, err = r.own(ctx, "todo-base-postgres", refs[2], found[refs[2]])
	return b, err
}

// contentDigits is how much of its content an image's own name tells.
const contentDigits = 12

// own gives an image a name of this project's, by its content: that is what it is called where it was brought to and
// not pulled.
func (r *fromRegistry) own(ctx context.Context, repo, ref string, info engine.Image) (string, error) {
	_, content, _ := strings.Cut(info.ID, ":")
	if len(content) < contentDigits {
		return "", fault.New(fault.CodeEnvironment, ref+" is not in the Docker engine after it was pulled", "run the target again")
	}
	name := repo + ":" + ref[strings.LastIndexByte(ref, ':')+1:] + "-" + content[:contentDigits]
	if slices.Contains(info.Tags, name) {
		return name, nil
	}
	err := r.docker.Tag(ctx, ref, name)
	return name, fault.Wrap(err, fault.CodeEnvironment, ref+" cannot be named "+name+" in the Docker engine", "run the target doctor")
}

// byDigest picks the digest reference that belongs to the repository of ref. An image that was loaded or built has
// none, and is then what a person put there under that name: it is used as it is.
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

// repository is the full name of a reference without its tag.
func repository(ref string) string {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return ref
	}
	return named.Name()
}
