package engine

import (
	"bytes"
	"context"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
)

// Container is what the engine tells of a container.
type Container struct{ container.InspectResponse }

// Container asks for a container by its name or ID. It gives nil where there is none.
func (d *Docker) Container(ctx context.Context, name string) (*Container, error) {
	var c *Container
	err := d.ask(ctx, "container inspect "+name, func(ctx context.Context) error {
		got, err := d.API.ContainerInspect(ctx, name, client.ContainerInspectOptions{})
		if errdefs.IsNotFound(err) {
			return nil
		}
		if err == nil {
			c = &Container{got.Container}
			c.complete()
		}
		return err
	})
	return c, err
}

// complete puts empty parts where the answer has none.
func (c *Container) complete() {
	if c.State == nil {
		c.State = &container.State{}
	}
	if c.Config == nil {
		c.Config = &container.Config{}
	}
	if c.HostConfig == nil {
		c.HostConfig = &container.HostConfig{}
	}
}

// Runs tells whether the container's process runs, and is not paused.
func (c *Container) Runs() bool { return c.State.Status == container.StateRunning }

// Started is when the container's process began the last time; zero where it never did.
func (c *Container) Started() time.Time {
	at, err := time.Parse(time.RFC3339Nano, c.State.StartedAt)
	if err != nil {
		return time.Time{}
	}
	return at
}

// HasMount tells whether something is mounted at a path in the container.
func (c *Container) HasMount(path string) bool {
	return slices.ContainsFunc(c.Mounts, func(m container.MountPoint) bool { return m.Destination == path })
}

// Published gives the address of this machine at which a TCP port of the container is published while it runs, as
// host:port; nothing where it is not.
func (c *Container) Published(port uint16) string {
	inside, _ := network.PortFrom(port, network.TCP)
	bound := c.HostConfig.PortBindings[inside]
	if len(bound) == 0 {
		return ""
	}
	address := ""
	if ip := bound[0].HostIP; ip.IsValid() {
		address = ip.String()
	}
	return net.JoinHostPort(address, bound[0].HostPort)
}

// Publishing names the running containers that publish a port of this machine.
func (d *Docker) Publishing(ctx context.Context, port int) (names []string, err error) {
	filter := client.Filters{}.Add("publish", strconv.Itoa(port))
	err = d.ask(ctx, "ps", func(ctx context.Context) error {
		list, err := d.API.ContainerList(ctx, client.ContainerListOptions{Filters: filter})
		for _, c := range list.Items {
			for _, name := range c.Names {
				names = append(names, strings.TrimPrefix(name, "/"))
			}
		}
		return err
	})
	return names, err
}

// Start starts a container.
func (d *Docker) Start(ctx context.Context, name string) error {
	return d.ask(ctx, "start "+name, func(ctx context.Context) error {
		_, err := d.API.ContainerStart(ctx, name, client.ContainerStartOptions{})
		return err
	})
}

// Stop ends a container, which may take the given time for that.
func (d *Docker) Stop(ctx context.Context, name string, grace time.Duration) error {
	seconds := int(grace.Seconds())
	return d.ask(ctx, "stop "+name, func(ctx context.Context) error {
		_, err := d.API.ContainerStop(ctx, name, client.ContainerStopOptions{Timeout: &seconds})
		return err
	})
}

// Restart ends a container and starts it again.
func (d *Docker) Restart(ctx context.Context, name string) error {
	return d.ask(ctx, "restart "+name, func(ctx context.Context) error {
		_, err := d.API.ContainerRestart(ctx, name, client.ContainerRestartOptions{})
		return err
	})
}

// Unpause lets a paused container go on.
func (d *Docker) Unpause(ctx context.Context, name string) error {
	return d.ask(ctx, "unpause "+name, func(ctx context.Context) error {
		_, err := d.API.ContainerUnpause(ctx, name, client.ContainerUnpauseOptions{})
		return err
	})
}

// Logs gives the last lines that a container printed, to both of its outputs.
func (d *Docker) Logs(ctx context.Context, name string, lines int) (string, error) {
	var text bytes.Buffer
	err := d.ask(ctx, "logs "+name, func(ctx context.Context) error {
		c, err := d.API.ContainerInspect(ctx, name, client.ContainerInspectOptions{})
		if err != nil {
			return err
		}
		logs, err := d.API.ContainerLogs(ctx, name, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Tail: strconv.Itoa(lines)})
		if err != nil {
			return err
		}
		defer func() { _ = logs.Close() }()
		if c.Container.Config != nil && c.Container.Config.Tty { // whose outputs are one
			_, err = io.Copy(&text, logs)
		} else {
			_, err = stdcopy.StdCopy(&text, &text, logs)
		}
		return err
	})
	return strings.ReplaceAll(text.String(), "\r\n", "\n"), err
}
