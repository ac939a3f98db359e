package deploy

import (
	"context"

	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/doctor"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/source/scratch"
	"todo.local/magefiles/internal/ui"
)

// Setup brings the machine to where deploy works.
func (a *App) Setup(ctx context.Context) error {
	return a.ui.Do("Setup", func(t *ui.Task) error {
		return engine.Setup(ctx, t, a.runner, a.cfg, func(ctx context.Context) []string { return a.missingTools(ctx, t) })
	})
}

// missingTools are the packages that this machine lacks for building images' bases itself. Where a container registry gives them, it needs none.
// Without Docker nothing is known about that yet.
func (a *App) missingTools(ctx context.Context, t *ui.Task) []string {
	docker, err := engine.Find(ctx, a.runner)
	if err != nil {
		return nil
	}
	src, _, err := source.Pick(ctx, t, a.cfg, docker, scratch.New(a.cfg, docker))
	if err != nil || src.Name() != config.ImagesSource {
		return nil
	}
	return scratch.Missing(ctx, a.runner)
}

// Doctor checks the machine.
func (a *App) Doctor(ctx context.Context) error {
	results := doctor.Run(ctx, a.runner, a.cfg)
	doctor.Print(a.ui, results)
	return doctor.Err(results)
}

// quirks are what a new cluster has to be told of the engine's host.
func (a *App) quirks(ctx context.Context) (cluster.Quirks, error) {
	version, err := a.docker.Output(ctx, "info", "--format", "{{.CgroupVersion}}")
	return cluster.Quirks{CgroupV1: version == "1", NoSysResource: engine.LocalHost.EngineLacksSysResource()}, err
}

// pickPorts are the ports of a new cluster: those of the settings, else the usual ones, else those above 8000.
func (a *App) pickPorts(ctx context.Context) (p cluster.Ports, err error) {
	info, err := a.docker.Info(ctx)
	if err != nil {
		return p, err
	}
	lowest := engine.LocalHost.LowestPort(info)
	pick := func(given, wanted, fallback int) (int, error) {
		if given != 0 {
			wanted, fallback = given, given
		}
		port, _, err := engine.PickPort(wanted, fallback, lowest)
		return port, err
	}
	if p.HTTP, err = pick(a.cfg.HTTPPort, 80, 8080); err != nil {
		return p, err
	}
	p.HTTPS, err = pick(a.cfg.HTTPSPort, 443, 8443)
	return p, err
}
