package engine

import (
	"context"
	"slices"

	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"
)

// Info is what an engine says of itself and of the machine that it runs on, which need not be this one.
type Info struct{ system.Info }

// Rootless tells whether the engine runs without root's rights.
func (i Info) Rootless() bool { return slices.Contains(i.SecurityOptions, "name=rootless") }

// Mirrors are those of Docker Hub, as URLs, in the order that the engine asks them in.
func (i Info) Mirrors() []string {
	if i.RegistryConfig == nil {
		return nil
	}
	return i.RegistryConfig.Mirrors
}

// Info asks the engine.
func (d *Docker) Info(ctx context.Context) (Info, error) {
	var info Info
	err := d.ask(ctx, "info", func(ctx context.Context) error {
		got, err := d.API.Info(ctx, client.InfoOptions{})
		info.Info = got.Info
		return err
	})
	return info, err
}
