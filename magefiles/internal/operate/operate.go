package operate

import (
	"context"
	"fmt"
	"os"
	"strings"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/kube"
	"todo.local/magefiles/internal/session"
)

// PortForward leads a port of 127.0.0.1 to a pod of a service until it is interrupted. A port of 0 is the service's own.
func PortForward(ctx context.Context, s session.Session, service string, port int) error {
	if err := knownService(service, services); err != nil {
		return err
	}
	if port < 0 || port > 65535 {
		return fault.New(fault.CodeInput, fmt.Sprintf("%d is no port", port), "use 1 to 65535")
	}
	if port == 0 {
		port = ports[service]
	}
	c, pod, err := readyPod(ctx, s, service)
	if err != nil {
		return err
	}
	err = c.Access.Forward(ctx, s.Config.Namespace, pod, port, ports[service], func(local int) {
		s.UI.Printf("127.0.0.1:%d leads to %s, port %d, until Ctrl-C\n", local, pod, ports[service])
	})
	return fault.Wrap(err, fault.CodeCluster, "the way to "+pod+" broke", "if the port is taken, name another: -port=N")
}

// readyPod picks a pod of a service that a person named.
func readyPod(ctx context.Context, s session.Session, service string) (c session.Cluster, pod string, err error) {
	if err := knownService(service, services); err != nil {
		return c, "", err
	}
	if c, err = s.OpenCluster(ctx); err != nil {
		return c, "", err
	}
	pod, err = kube.NewestPod(ctx, c.Client, c.Config.Namespace, service)
	return c, pod, err
}

// Shell runs a shell in a pod of a service, or one command where it is given, with this terminal.
func Shell(ctx context.Context, s session.Session, service, command string) error {
	c, pod, err := readyPod(ctx, s, service)
	if err != nil {
		return err
	}
	p := kube.Process{Namespace: s.Config.Namespace, Pod: pod, Container: service, Command: []string{"sh"}, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	if command != "" {
		p.Command, p.Stdin = []string{"sh", "-c", command}, nil
	}
	err = inTerminal(&p, func() error { return c.Access.Exec(ctx, p) })
	if err != nil && strings.Contains(err.Error(), "command terminated with exit code") {
		return fault.Wrap(err, fault.CodeFailed, "in "+pod, "")
	}
	return err
}
