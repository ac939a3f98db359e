package source

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/pins"
	"todo.local/magefiles/internal/ui"
)

const (
	// probeLimit is how long the first base image, 50 MB, may take. At a lower rate the pull of all images takes longer
	// than to build them.
	probeLimit = 3 * time.Minute
	// silenceKept is how long a registry that gave nothing, though it was asked again and again, is not asked for by
	// further runs.
	silenceKept = 10 * time.Minute
)

// Pick chooses where images come from, and says why in one line. With TODO_IMAGES=auto that is wherever this machine
// has everything from already; else a container registry, if the engine gets the first base image that it lacks from
// one; else here, the source that needs none. The pull is what has to be done anyway, and the only question that the
// engine's mirrors and logins count in.
func Pick(ctx context.Context, t *ui.Task, cfg *config.Config, d *engine.Docker, here Source) (src Source, why string, err error) {
	there := &fromRegistry{pins: pins.Load(), docker: d, nodeImage: cfg.NodeImage}
	switch cfg.Images {
	case config.ImagesSource:
		return here, "TODO_IMAGES=source", nil
	case config.ImagesRegistry:
		return there, "TODO_IMAGES=registry", nil
	}

	built, err := d.Images(ctx, here.Needs()...)
	if err != nil {
		return nil, "", err
	}
	pulled, err := there.find(ctx, there.Needs()...)
	if err != nil {
		return nil, "", err
	}
	lacks := next(pulled, there.Needs())
	switch {
	case len(built) == len(here.Needs()):
		return here, "everything was built on this machine before", nil
	case lacks == "":
		return there, "the base images were pulled before", nil
	}

	memory := filepath.Join(cfg.Cache, "no-registry")
	why, known := recall(memory)
	if !known {
		r := pull(ctx, t, d, lacks, probeLimit)
		switch {
		case r == nil:
			_ = os.Remove(memory)
			return there, "the container registry answers", nil
		case r.said == "":
			return nil, "", r.cause
		}
		why = r.String()
		if r.kind == later || r.kind == slow {
			keep(memory, why)
		}
	}
	if len(pulled) == len(there.Needs()) {
		return there, why + ", and the engine has images of the base images' tags", nil
	}
	t.Note("%s: everything is built from package registries instead. The first time takes about 20 minutes on two cores; "+
		"to wait for a registry instead, set TODO_IMAGES=registry", why)
	return here, why, nil
}

// recall gives why no registry served a short while ago. What was found out at once is not kept.
func recall(path string) (why string, ok bool) {
	info, err := os.Stat(path)
	if err != nil || time.Since(info.ModTime()) > silenceKept {
		return "", false
	}
	raw, err := os.ReadFile(path)
	return string(raw), err == nil && len(raw) > 0
}

// keep remembers why no registry serves. Losing it costs the next run a minute.
func keep(path, why string) {
	if os.MkdirAll(filepath.Dir(path), 0o755) == nil {
		_ = os.WriteFile(path, []byte(why), 0o644)
	}
}
