package doctor

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/host"
	"todo.local/magefiles/internal/words"
)

// checkPort tells which port of 127.0.0.1 reaches a port of the cluster's node: the one that the configuration names,
// else the same one, else the fallback.
func (c *checker) checkPort(ctx context.Context, nodePort, configured, fallback int) Result {
	if c.cfg.Context() != "" {
		return Result{Detail: "not needed: TODO_CLUSTER=" + c.cfg.Cluster + " has an address of its own"}
	}
	port, runs := c.publishedPort(ctx, nodePort)
	switch {
	case runs:
		return Result{Detail: fmt.Sprintf("%d, published by this project's cluster", port)}
	case port != 0: // it is part of the stopped cluster, which cannot change it
		if !host.PortTaken(ctx, port) {
			return Result{Detail: fmt.Sprintf("%d is free for this project's cluster, which is stopped", port)}
		}
		return Result{
			Level:  Failure,
			Detail: fmt.Sprintf("%d is taken by %s, and this project's cluster, which is stopped, needs it", port, c.holder(ctx, port)),
			Remedy: "end it, or run `go tool mage cluster:delete deploy`, which takes free ports and starts with an empty database",
		}
	}
	wanted := nodePort
	if configured != 0 {
		wanted, fallback = configured, configured
	}
	lowest := c.host.LowestPort(c.info.Rootless())
	port, _, err := host.PickPort(ctx, wanted, fallback, lowest)
	if err != nil {
		return Result{Level: Failure, Detail: words.OneLine(err.Error()), Remedy: fault.Remedy(err)}
	}
	if wanted < lowest {
		r := Result{
			Level:  Warning,
			Detail: fmt.Sprintf("a rootless engine may not use %d", wanted),
			Remedy: "where URLs without a port matter, allow it before the cluster is made: sudo sysctl -w net.ipv4.ip_unprivileged_port_start=80",
		}
		if port != wanted {
			r.Detail += fmt.Sprintf(", %d is used instead", port)
		}
		return r
	}
	if port == wanted {
		return Result{Detail: fmt.Sprintf("%d is free", port)}
	}
	return Result{
		Level:  Warning,
		Detail: fmt.Sprintf("%d is taken by %s, %d is used instead", wanted, c.holder(ctx, wanted), port),
		Remedy: "nothing to do, unless URLs without a port matter: then end it before the cluster is made",
	}
}

// publishedPort is the port of 127.0.0.1 that this project's cluster publishes for one of its node, and whether it does
// so now; 0 where there is no such cluster.
func (c *checker) publishedPort(ctx context.Context, nodePort int) (port int, runs bool) {
	if c.docker == nil {
		return 0, false
	}
	node, err := c.docker.Container(ctx, c.node())
	if err != nil || node == nil {
		return 0, false
	}
	if _, published, err := net.SplitHostPort(node.Published(uint16(nodePort))); err == nil {
		port, _ = strconv.Atoi(published)
	}
	return port, port != 0 && node.State.Running
}

// node is the name of the cluster's node in the engine. Where the cluster is chosen by itself, that is a minikube
// profile if this project has begun one.
func (c *checker) node() string {
	begun := func() bool {
		_, err := os.Stat(filepath.Join(c.cfg.Cache, "clusters", c.cfg.ClusterName+".minikube.json"))
		return err == nil
	}
	if c.cfg.Cluster == config.ClusterMinikube || c.cfg.Cluster == config.ClusterAuto && begun() {
		return c.cfg.ClusterName
	}
	return c.cfg.ClusterName + "-control-plane"
}

// holder names who has a port.
func (c *checker) holder(ctx context.Context, port int) string {
	if c.docker != nil {
		if names, _ := c.docker.Publishing(ctx, port); len(names) > 0 {
			return "the container " + strings.Join(names, ", ")
		}
	}
	if process := host.Local.PortHolder(port); process != "" {
		return process
	}
	return "another process"
}
