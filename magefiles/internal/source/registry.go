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
// them to every new node, by the names that a node could pull them by.
func (r *fromRegistry) Node(ctx context.Context, t *ui.Task) (Node, error) {
	addons := []string{r.pins.Registry.Traefik, r.pins.Registry.MetricsServer}
	n := Node{Image: r.nodeImage, Traefik: tagged(addons[0]), MetricsServer: tagged(addons[1]), AddonsApart: true}
	found, err := r.have(ctx, t, addons...)
	if err != nil {
		return Node{}, err
	}
	for _, ref := range addons {
		if err := r.name(ctx, found[ref], tagged(ref)); err != nil {
			return Node{}, err
		}
	}
	return n, nil
}

// Minikube leaves everything to minikube.
func (*fromRegistry) Minikube(context.Context, *ui.Task) (Node, error) { return Node{}, nil }

// Needs are the base images.
func (r *fromRegistry) Needs() []string {
	return []string{r.pins.Registry.Python, r.pins.Registry.Node, r.pins.Registry.Postgres}
}

// local is an image in the engine.
type local struct {
	engine.Image
	ref    string // by which the engine knows it: that of the pin, or its tag alone
	pinned bool   // it is the one that is meant, or was put there under that name by a person
}

// find gives those of the pinned images that the engine has, or others of their tags. Of these, one without a digest
// was loaded or built: it is what a person put there. (Engines with containerd's store give every image a digest.)
func (r *fromRegistry) find(ctx context.Context, refs ...string) (map[string]local, error) {
	names := slices.Clone(refs)
	for _, ref := range refs {
		names = append(names, tagged(ref))
	}
	images, err := r.docker.Images(ctx, names...)
	if err != nil {
		return nil, err
	}
	found := map[string]local{}
	for _, ref := range refs {
		if image, ok := images[ref]; ok {
			found[ref] = local{image, ref, true}
		} else if image, ok := images[tagged(ref)]; ok {
			found[ref] = local{image, tagged(ref), len(image.Digests) == 0}
		}
	}
	return found, nil
}

// have pulls the images that the engine lacks, and gives what it knows of all. Where one cannot be pulled, another of
// its tag serves: it may have been loaded where no registry answers.
func (r *fromRegistry) have(ctx context.Context, t *ui.Task, refs ...string) (map[string]local, error) {
	before, err := r.find(ctx, refs...)
	if err != nil {
		return nil, err
	}
	if next(before, refs) == "" {
		t.Unchanged("pulled before")
		return before, nil
	}
	g, gctx := errgroup.WithContext(ctx)
	for _, ref := range refs {
		if before[ref].pinned {
			continue
		}
		g.Go(func() error {
			return t.Do(tagged(ref), func(t *ui.Task) error {
				err := Pull(gctx, t, r.docker, ref)
				if _, ok := before[ref]; ok && err != nil && gctx.Err() == nil {
					t.Note("%s; the image of that tag that is in the Docker engine is used", err)
					return nil
				}
				return err
			})
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	found, err := r.find(ctx, refs...)
	if err != nil {
		return nil, err
	}
	for _, ref := range refs {
		if _, ok := found[ref]; !ok {
			return nil, fault.New(fault.CodeEnvironment, ref+" is not in the Docker engine after it was pulled", "run the target again")
		}
	}
	return found, nil
}

// next is the first of several images that is yet to be pulled, if any.
func next(found map[string]local, refs []string) string {
	for _, ref := range refs {
		if !found[ref].pinned {
			return ref
		}
	}
	return ""
}

// Bases pulls the base images that the engine lacks. Those of builds are named by digest. PostgreSQL, which goes to the
// nodes from the engine, gets a name of its own there, by its content too.
func (r *fromRegistry) Bases(ctx context.Context, t *ui.Task) (Bases, error) {
	refs := r.Needs()
	found, err := r.have(ctx, t, refs...)
	if err != nil {
		return Bases{}, err
	}
	postgres := found[refs[2]]
	b := Bases{Python: found[refs[0]].ref, Node: found[refs[1]].ref, Postgres: ownName("todo-base-postgres", postgres)}
	if strings.Contains(postgres.ref, "@") {
		b.PostgresElsewhere = postgres.ref
	}
	return b, r.name(ctx, postgres, b.Postgres)
}

// contentDigits is how much of its content an image's own name tells.
const contentDigits = 12

// ownName is a name of this project's for an image, by its content: that is what it is called where it was brought to
// and not pulled.
func ownName(repo string, image local) string {
	tag := tagged(image.ref)
	_, content, _ := strings.Cut(image.ID, ":")
	return repo + ":" + tag[strings.LastIndexByte(tag, ':')+1:] + "-" + content[:min(contentDigits, len(content))]
}

// name gives an image a further name, where it does not have it yet.
func (r *fromRegistry) name(ctx context.Context, image local, name string) error {
	if slices.ContainsFunc(image.Tags, func(tag string) bool { return fullName(tag) == fullName(name) }) {
		return nil
	}
	err := r.docker.Tag(ctx, image.ref, name)
	return fault.Wrap(err, fault.CodeEnvironment, image.ref+" cannot be named "+name+" in the Docker engine", "run the target doctor")
}

// tagged is a pinned reference without its digest.
func tagged(ref string) string {
	name, _, _ := strings.Cut(ref, "@")
	return name
}

// fullName is a reference with its registry and tag.
func fullName(ref string) string {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return ref
	}
	return reference.TagNameOnly(named).String()
}
