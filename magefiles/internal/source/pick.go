package source

import (
	"context"
	"time"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/pins"
	"todo.local/magefiles/internal/run"
)

// probeTime is how long a container registry may take to name one image. One that takes longer would make a poor deployment.
const probeTime = 3 * time.Second

// Pick chooses where images come from, and says why in one line. With TODO_IMAGES=auto that is wherever this machine has everything from
// already; else a container registry, if one answers; else this machine.
func Pick(ctx context.Context, cfg *config.Config, d *engine.Docker) (src Source, why string, err error) {
	here, there := newFromSource(cfg, d), &fromRegistry{pins: pins.Load(), docker: d, nodeImage: cfg.NodeImage}
	switch cfg.Images {
	case config.ImagesSource:
		return here, "TODO_IMAGES=source", nil
	case config.ImagesRegistry:
		return there, "TODO_IMAGES=registry", nil
	}

	built, pulled := here.refs(), there.refs()
	found, err := inspect(ctx, d, append(append([]string{}, built...), pulled...)...)
	if err != nil {
		return nil, "", err
	}
	has := func(refs []string) bool {
		for _, ref := range refs {
			if _, ok := found[ref]; !ok {
				return false
			}
		}
		return true
	}
	switch {
	case has(built):
		return here, "everything was built on this machine before", nil
	case has(pulled):
		return there, "the base images were pulled before", nil
	case answers(ctx, d, there.pins.Registry.Python):
		return there, "the container registry answers", nil
	case ctx.Err() != nil:
		return nil, "", ctx.Err()
	}
	return here, "no container registry answers, so everything is built from package registries", nil
}

// Built tells whether the engine has every image that a deployment from source needs.
func Built(ctx context.Context, cfg *config.Config, d *engine.Docker) bool {
	refs := newFromSource(cfg, d).refs()
	found, err := inspect(ctx, d, refs...)
	return err == nil && len(found) == len(refs)
}

// refs are the images that a deployment from source needs.
func (s *fromSource) refs() []string {
	python, node, postgres := s.baseImages()
	return []string{s.nodeImageName().String(), python.String(), node.String(), postgres.String()}
}

// answers asks the registry of an image for its manifest. Nothing is pulled.
func answers(ctx context.Context, d *engine.Docker, ref string) bool {
	ctx, stop := context.WithTimeout(ctx, probeTime)
	defer stop()
	_, err := d.Run(ctx, run.Cmd{Args: []string{"manifest", "inspect", ref}, Grace: 100 * time.Millisecond})
	return err == nil
}
