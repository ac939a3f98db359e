package deploy

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/image"
	"todo.local/magefiles/internal/rollout"
	"todo.local/magefiles/internal/ui"
)

// ingressPatience is how long a foreign cluster's ingress controller may take to give the application an address; a cloud makes a load balancer.
const ingressPatience = 3 * time.Minute

// provider is the cluster that TODO_CLUSTER asks for.
func (a *App) provider(ctx context.Context) cluster.Provider {
	kind := cluster.NewKind(a.docker, a.cfg.ClusterName, a.cfg.Kubeconfig(), a.cfg.Cache, a.quirks, a.pickPorts)
	kind.CABundle, kind.Diagnoses = a.cfg.CABundle, filepath.Join(a.cfg.State, "diagnosis")
	minikube := &cluster.Minikube{Runner: a.runner, Docker: a.docker, Profile: a.cfg.ClusterName, Kubeconfig: a.cfg.Kubeconfig(), Cache: a.cfg.Cache}
	switch a.cfg.Cluster {
	case config.ClusterKind:
		return kind
	case config.ClusterMinikube:
		return minikube
	case config.ClusterAuto:
		if minikube.Made() {
			return minikube
		}
		if !minikubeFits() {
			return kind
		}
		// A failure to look is kind's to report.
		if state, err := kind.State(ctx); err != nil || state != cluster.Absent {
			return kind
		}
		if a.source != nil && a.source.Name() == config.ImagesSource {
			a.ui.Printf("kind is used, though minikube is installed: minikube's own images come from container registries alone (TODO_CLUSTER=minikube tries)\n")
			return kind
		}
		return minikube
	}
	return &cluster.Existing{
		ContextName: a.cfg.Context(), Kubeconfig: a.cfg.Kubeconfig(), Namespace: a.cfg.Namespace,
		Registry: &image.Registry{Docker: a.docker, Prefix: a.cfg.Registry},
		Class:    a.cfg.IngressClass,
		Ingress:  cluster.Ports{HTTP: a.cfg.HTTPPort, HTTPS: a.cfg.HTTPSPort},
	}
}

// minikubeFits tells whether minikube is the better choice for a new cluster: a person who installed it expects it. Its docker driver refuses root,
// and only on Linux can its node be reached from the host. In CI, kind.
func minikubeFits() bool {
	if os.Getenv("CI") != "" || runtime.GOOS != "linux" || geteuid() == 0 {
		return false
	}
	_, err := exec.LookPath("minikube")
	return err == nil
}

var geteuid = os.Geteuid // tests run as root too

// awaitIngress waits until the ingress can answer, and gives the access with its address.
func (a *App) awaitIngress(ctx context.Context, t *ui.Task, client kubernetes.Interface, p cluster.Provider, access cluster.Access) (cluster.Access, error) {
	err := t.Do("ingress", func(t *ui.Task) error {
		if p.Addons() {
			return rollout.Wait(ctx, t, client, addonNamespace, "ingress", a.cfg.Timeout)
		}
		t.Unchanged("%s", access.HTTP)
		if access.HTTP != "" {
			return nil
		}
		t.Status("waiting for its address")
		err := wait.PollUntilContextTimeout(ctx, time.Second, ingressPatience, true, func(ctx context.Context) (done bool, err error) {
			access, err = p.Access(ctx)
			return access.HTTP != "", err
		})
		if wait.Interrupted(err) && ctx.Err() == nil {
			return fault.New(fault.CodeRollout, "the ingress controller of "+p.Name()+" gave the application no address within "+ingressPatience.String(),
				"see: go tool mage status; where a port of this machine leads to it, name that with TODO_HTTP_PORT")
		}
		t.Unchanged("%s", access.HTTP)
		return err
	})
	return access, err
}
