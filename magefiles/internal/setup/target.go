// Package setup gives a bare machine what a deploy needs of it.
package setup

import (
	"context"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/source/scratch"
	"todo.local/magefiles/internal/ui"
)

// Setup brings the machine to where deploy works.
func Setup(ctx context.Context, s session.Session) error {
	return s.UI.Do("Setup", func(t *ui.Task) error {
		return engine.Setup(ctx, t, s.Runner, s.Config, func(ctx context.Context) []string { return missingTools(ctx, t, s) })
	})
}

// missingTools are the packages that this machine lacks for building images' bases itself. Where a container registry gives them, it needs none.
// Without Docker nothing is known about that yet.
func missingTools(ctx context.Context, t *ui.Task, s session.Session) []string {
	docker, err := engine.Find(ctx, s.Runner)
	if err != nil {
		return nil
	}
	src, _, err := source.Pick(ctx, t, s.Config, docker, scratch.New(s.Config, docker))
	if err != nil || src.Name() != config.ImagesSource {
		return nil
	}
	return scratch.Missing(ctx, s.Runner)
}
