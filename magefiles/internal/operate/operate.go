package operate

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"todo.local/magefiles/internal/app"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/kube"
	"todo.local/magefiles/internal/session"
)

// PortForward leads a port of 127.0.0.1 to a pod of a service until it is interrupted. A port of 0 is the service's
// own.
func PortForward(ctx context.Context, s session.Session, name string, port int) error {
	service, err := named(name, slices.DeleteFunc(app.All(), func(s app.Service) bool { return s.Port == 0 }))
	if err != nil {
		return err
	}
	if port < 0 || port > 65535 {
		return fault.New(fault.CodeInput, fmt.Sprintf("%d is no port", port), "use 1 to 65535")
	}
	if port == 0 {
		port = service.Port
	}
	c, pod, err := readyPod(ctx, s, service)
	if err != nil {
		return err
	}
	err = c.Access.Forward(ctx, s.Config.Namespace, pod, port, service.Port, func(local int) {
		s.UI.Printf("127.0.0.1:%d leads to %s, port %d, until Ctrl-C\n", local, pod, service.Port)
	})
	return fault.Wrap(err, fault.CodeCluster, "the way to "+pod+" broke", "if the port is taken, name another: -port=N")
}

// readyPod picks a pod of a service.
func readyPod(ctx context.Context, s session.Session, service app.Service) (c session.Cluster, pod string, err error) {
	if c, err = s.OpenCluster(ctx); err != nil {
		return c, "", err
	}
	pod, err = kube.NewestPod(ctx, c.Client, c.Config.Namespace, service)
	return c, pod, err
}

// Shell runs a shell in a pod of a service, or one command where it is given, with this terminal.
func Shell(ctx context.Context, s session.Session, name, command string) error {
	service, err := named(name, app.All())
	if err != nil {
		return err
	}
	c, pod, err := readyPod(ctx, s, service)
	if err != nil {
		return err
	}
	p := kube.Process{Namespace: s.Config.Namespace, Pod: pod, Container: service.Name, Command: []string{"sh"}, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	if command != "" {
		p.Command, p.Stdin = []string{"sh", "-c", command}, nil
	}
	err = inTerminal(&p, func() error { return c.Access.Exec(ctx, p) })
	if err != nil && strings.Contains(err.Error(), "command terminated with exit code") {
		return fault.Wrap(err, fault.CodeFailed, "in "+pod, "")
	}
	return err
}
