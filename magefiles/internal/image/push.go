package image

import (
	"context"
	"fmt"
	"path"
	"strings"
	"sync/atomic"

	"github.com/distribution/reference"
	"golang.org/x/sync/errgroup"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/ui"
)

// Registry is a container registry that a cluster pulls from. The Docker engine pushes to it, with the credentials of
// `docker login`.
type Registry struct {
	Docker *engine.Docker
	Prefix string // host[:port][/path], without a scheme
}

// Push brings the images to the registry, which takes only the layers that it lacks, and gives for each the name that
// pins its content there: prefix/name@digest, the digest being the one under which the registry stored it.
func (r *Registry) Push(ctx context.Context, t *ui.Task, refs []string) (map[string]string, error) {
	var layers atomic.Int64
	pinned := make([]string, len(refs))
	g, gctx := errgroup.WithContext(ctx)
	for i, ref := range refs {
		g.Go(func() error {
			digest, pushed, err := r.push(gctx, t, ref)
			layers.Add(int64(pushed))
			pinned[i] = digest
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	names := make(map[string]string, len(refs))
	for i, ref := range refs {
		names[ref] = pinned[i]
	}
	if layers.Load() == 0 {
		t.Unchanged("%s in %s", strings.Join(refs, ", "), r.Prefix)
	} else {
		t.Result("%s in %s: %d layers moved", strings.Join(refs, ", "), r.Prefix, layers.Load())
	}
	return names, nil
}

// push gives one image its name in the registry and pushes it.
func (r *Registry) push(ctx context.Context, t *ui.Task, ref string) (pinned string, layers int, err error) {
	target, err := r.target(ref)
	if err != nil {
		return "", 0, err
	}
	if err := r.Docker.Tag(ctx, ref, target); err != nil {
		return "", 0, fault.Wrap(err, fault.CodeBuild, "the image "+ref+" to push is not in the Docker engine", "run: go tool mage image:build")
	}
	t.Status("pushing %s", target)
	pushed, err := dockerPush(ctx, r.Docker, t, target)
	if err != nil {
		return "", 0, err
	}
	return target[:strings.LastIndexByte(target, ':')] + "@" + pushed.Digest.String(), pushed.Layers, nil
}

// dockerPush has the engine push an image to the registry that its name begins with.
func dockerPush(ctx context.Context, d *engine.Docker, t *ui.Task, target string) (engine.Pushed, error) {
	pushed, err := d.Push(ctx, target, t.Line)
	switch {
	case err != nil:
		return pushed, pushFault(ctx, target, err)
	case pushed.Digest == "":
		return pushed, fault.New(fault.CodeEnvironment, "docker push "+target+" named no digest", "see what it prints")
	}
	return pushed, nil
}

// target is the name of an image in the registry: the last part of its own, with its tag, or the head of its digest
// where it has no tag.
func (r *Registry) target(ref string) (string, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return "", fmt.Errorf("%s is no name of an image: %w", ref, err)
	}
	tag := "latest"
	if t, ok := named.(reference.Tagged); ok {
		tag = t.Tag()
	} else if d, ok := named.(reference.Digested); ok {
		tag = d.Digest().Encoded()[:tagLength]
	}
	return r.Prefix + "/" + path.Base(reference.Path(named)) + ":" + tag, nil
}

// pushRemedies are tried in order on what a failed push printed, in lower case.
var pushRemedies = []struct{ sign, remedy string }{
	{"server gave http response to https client", "serve it with TLS, or list it under insecure-registries in Docker's daemon.json"},
	{"x509: ", "give the Docker engine its certificate authority, in /etc/docker/certs.d/HOST/ca.crt"},
	{"no basic auth credentials", "log in: docker login HOST"},
	{"unauthorized", "log in: docker login HOST"},
	{"denied", "log in with an account that may push there: docker login HOST"},
}

func pushFault(ctx context.Context, target string, err error) error {
	if ctx.Err() != nil {
		return err
	}
	if known := engine.Explain(err); known != nil {
		return known
	}
	host, _, _ := strings.Cut(target, "/")
	remedy := "see that TODO_REGISTRY is right and its host can be reached"
	for _, r := range pushRemedies {
		if strings.Contains(strings.ToLower(err.Error()), r.sign) {
			remedy = strings.ReplaceAll(r.remedy, "HOST", host)
			break
		}
	}
	return fault.Wrap(err, fault.CodeEnvironment, target+" cannot be pushed", remedy)
}
