package doctor

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
)

// kindClusterLabel is on the containers of a kind cluster's nodes.
const kindClusterLabel = "io.x-k8s.kind.cluster"

// checkPort tells which port of 127.0.0.1 reaches a port of the cluster's node: the one that the configuration names, else the same one, else the
// fallback.
func (c *checker) checkPort(ctx context.Context, nodePort, configured, fallback int) Result {
	if port := c.publishedPort(ctx, nodePort); port != 0 {
		return Result{Detail: fmt.Sprintf("%d, published by this project's cluster", port)}
	}
	wanted := nodePort
	if configured != 0 {
		wanted, fallback = configured, configured
	}
	port, holder, err := engine.PickPort(wanted, fallback)
	if err != nil {
		return Result{Level: Failure, Detail: oneLine(err), Remedy: fault.Remedy(err)}
	}
	if port == wanted {
		return Result{Detail: fmt.Sprintf("%d is free", port)}
	}
	if container := c.container(ctx, wanted); container != "" {
		holder = "the container " + container
	}
	if holder == "" {
		holder = "another process"
	}
	return Result{
		Level:  Warning,
		Detail: fmt.Sprintf("%d is taken by %s, %d is used instead", wanted, holder, port),
		Remedy: "nothing to do, unless URLs without a port matter: then end it before the cluster is made",
	}
}

// publishedPort is the port of 127.0.0.1 that this project's kind cluster publishes for one of its node; 0 where it does not run.
func (c *checker) publishedPort(ctx context.Context, nodePort int) int {
	ports := c.dockerPs(ctx, "label="+kindClusterLabel+"="+c.cfg.ClusterName, "{{.Ports}}")
	m := regexp.MustCompile(fmt.Sprintf(`127\.0\.0\.1:(\d+)->%d/tcp`, nodePort)).FindStringSubmatch(ports)
	if m == nil {
		return 0
	}
	port, _ := strconv.Atoi(m[1])
	return port
}

// container names who publishes a port, or nothing.
func (c *checker) container(ctx context.Context, port int) string {
	return strings.Join(strings.Fields(c.dockerPs(ctx, "publish="+strconv.Itoa(port), "{{.Names}}")), ", ")
}

// dockerPs is empty where Docker cannot tell.
func (c *checker) dockerPs(ctx context.Context, filter, format string) string {
	if c.docker == nil {
		return ""
	}
	out, _ := c.docker.Output(ctx, "ps", "--filter", filter, "--format", format)
	return out
}
