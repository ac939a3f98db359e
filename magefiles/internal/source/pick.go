package source

import (
	"context"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine"
)

func Pick(ctx context.Context, cfg *config.Config, d *engine.Docker) (Source, string, error) {
	return newFromSource(cfg, d), "", nil
}
