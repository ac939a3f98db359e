package deploy

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/kubectl/pkg/util/podutils"

	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/release"
	"todo.local/magefiles/internal/ui"
)

// ports are those of the services' pods.
var ports = map[string]int{"backend": 8000, "frontend": 3000, "postgres": 5432}

// maxReplicas keeps a slip of the finger from flooding the cluster.
const maxReplicas = 20

// Scale runs a service on that many pods until the next deploy, and waits for them. With 0 it is taken out of service.
func (a *App) Scale(ctx context.Context, service string, replicas int) error {
	if err := knownService(service, services[:2]); err != nil {
		return err
	}
	if replicas < 0 || replicas > maxReplicas {
		return fault.New(fault.CodeInput, fmt.Sprintf("%d is no number of pods", replicas), fmt.Sprintf("use 0 to %d", maxReplicas))
	}
	return a.operate(ctx, "Scale", func(ctx context.Context, t *ui.Task, client kubernetes.Interface, _ *release.Held) error {
		patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, replicas)
		_, err := client.AppsV1().Deployments(a.cfg.Namespace).Patch(ctx, service, types.MergePatchType, patch, metav1.PatchOptions{}, "scale")
		if apierrors.IsNotFound(err) {
			return notInstalled()
		}
		if err != nil {
			return err
		}
		if err := a.awaitRollout(ctx, t, client); err != nil {
			return err
		}
		t.Result("%s runs on %d pods; the next deploy goes back to the chart's number", service, replicas)
		return nil
	})
}

// PortForward leads a port of 127.0.0.1 to a pod of a service until it is interrupted. A port of 0 is the service's own.
func (a *App) PortForward(ctx context.Context, service string, port int) error {
	if err := knownService(service, services); err != nil {
		return err
	}
	if port < 0 || port > 65535 {
		return fault.New(fault.CodeInput, fmt.Sprintf("%d is no port", port), "use 1 to 65535")
	}
	if port == 0 {
		port = ports[service]
	}
	access, pod, err := a.readyPod(ctx, service)
	if err != nil {
		return err
	}
	err = access.Forward(ctx, a.cfg.Namespace, pod, port, ports[service], func(local int) {
		a.ui.Printf("127.0.0.1:%d leads to %s, port %d, until Ctrl-C\n", local, pod, ports[service])
	})
	return fault.Wrap(err, fault.CodeCluster, "the way to "+pod+" broke", "if the port is taken, name another: -port=N")
}

// readyPod picks a pod of a service that a person named.
func (a *App) readyPod(ctx context.Context, service string) (access cluster.Access, pod string, err error) {
	if err := knownService(service, services); err != nil {
		return access, "", err
	}
	access, client, err := a.connect(ctx)
	if err != nil {
		return access, "", err
	}
	pod, err = a.newestPod(ctx, client, service)
	return access, pod, err
}

// newestPod is the pod of a service that was made last of those that are ready and stay, and so of the version that was released last.
func (a *App) newestPod(ctx context.Context, client kubernetes.Interface, service string) (string, error) {
	pods, err := client.CoreV1().Pods(a.cfg.Namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=todo-" + service})
	if err != nil {
		return "", err
	}
	serving := slices.DeleteFunc(pods.Items, func(p corev1.Pod) bool { return !serves(&p) })
	if len(serving) == 0 {
		return "", fault.New(fault.CodeRollout, "no pod of "+service+" is ready", "run: go tool mage status")
	}
	return slices.MaxFunc(serving, func(a, b corev1.Pod) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) }).Name, nil
}

// serves tells whether a pod is ready and stays.
func serves(p *corev1.Pod) bool { return p.DeletionTimestamp == nil && podutils.IsPodReady(p) }

// Shell runs a shell in a pod of a service, or one command where it is given, with this terminal.
func (a *App) Shell(ctx context.Context, service, command string) error {
	access, pod, err := a.readyPod(ctx, service)
	if err != nil {
		return err
	}
	p := cluster.Process{Namespace: a.cfg.Namespace, Pod: pod, Container: service, Command: []string{"sh"}, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	if command != "" {
		p.Command, p.Stdin = []string{"sh", "-c", command}, nil
	}
	err = a.inTerminal(&p, func() error { return access.Exec(ctx, p) })
	if err != nil && strings.Contains(err.Error(), "command terminated with exit code") {
		return fault.Wrap(err, fault.CodeFailed, "in "+pod, "")
	}
	return err
}
