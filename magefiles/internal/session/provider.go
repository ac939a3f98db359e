package session

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/host"
	"todo.local/magefiles/internal/image"
	"todo.local/magefiles/internal/source/scratch"
)

// ChooseProvider gives the cluster that TODO_CLUSTER asks for.
func (e Engine) ChooseProvider(ctx context.Context) cluster.Provider { return e.provider(ctx, "") }

// ChooseProvider gives the cluster that TODO_CLUSTER asks for. One that is yet to be made has to get along with the
// source of images.
func (s Source) ChooseProvider(ctx context.Context) cluster.Provider {
	return s.provider(ctx, s.Images.Name())
}

func (e Engine) provider(ctx context.Context, images string) cluster.Provider {
	kind := cluster.NewKind(e.Docker, e.Config.ClusterName, e.Config.Kubeconfig(), e.Config.Cache, e.quirks, e.pickPorts)
	kind.CABundle, kind.Diagnoses = e.Config.CABundle, filepath.Join(e.Config.State, "diagnosis")
	builder := scratch.New(e.Config, e.Docker)
	minikube := &cluster.Minikube{
		Runner: e.Runner, Docker: e.Docker, Profile: e.Config.ClusterName, Kubeconfig: e.Config.Kubeconfig(), Cache: e.Config.Cache,
		FromSource: images == config.ImagesSource, Root: geteuid() == 0, Ports: e.pickPorts, Diagnoses: kind.Diagnoses,
		Built: builder.BuiltMinikube, Build: builder.MinikubeProgram,
	}
	switch e.Config.Cluster {
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
		if images == config.ImagesSource {
			e.UI.Printf("kind is used, though minikube is installed: without a container registry it is the quicker one (TODO_CLUSTER=minikube chooses)\n")
			return kind
		}
		return minikube
	}
	return &cluster.Existing{
		ContextName: e.Config.Context(), Kubeconfig: e.Config.Kubeconfig(), Namespace: e.Config.Namespace,
		Registry: &image.Registry{Docker: e.Docker, Prefix: e.Config.Registry},
		Class:    e.Config.IngressClass,
		Ingress:  cluster.Ports{HTTP: e.Config.HTTPPort, HTTPS: e.Config.HTTPSPort},
	}
}

// minikubeFits tells whether minikube is the better choice for a new cluster: a person who installed it expects it. Its
// docker driver refuses root, and it is tried on Linux alone. In CI, kind.
func minikubeFits() bool {
	if os.Getenv("CI") != "" || runtime.GOOS != "linux" || geteuid() == 0 {
		return false
	}
	_, err := exec.LookPath("minikube")
	return err == nil
}

var geteuid = os.Geteuid // tests run as root too

// quirks are what a new cluster has to be told of the engine's host.
func (e Engine) quirks(ctx context.Context) (cluster.Quirks, error) {
	info, err := e.Docker.Info(ctx)
	return cluster.Quirks{CgroupV1: info.CgroupVersion == "1", NoSysResource: host.Local.EngineLacksSysResource()}, err
}

// pickPorts are the ports of a new cluster: those of the settings, else the usual ones, else those above 8000.
func (e Engine) pickPorts(ctx context.Context) (p cluster.Ports, err error) {
	info, err := e.Docker.Info(ctx)
	if err != nil {
		return p, err
	}
	lowest := host.Local.LowestPort(info.Rootless())
	pick := func(given, wanted, fallback int) (int, error) {
		if given != 0 {
			wanted, fallback = given, given
		}
		port, _, err := host.PickPort(ctx, wanted, fallback, lowest)
		return port, err
	}
	if p.HTTP, err = pick(e.Config.HTTPPort, 80, 8080); err != nil {
		return p, err
	}
	p.HTTPS, err = pick(e.Config.HTTPSPort, 443, 8443)
	return p, err
}
