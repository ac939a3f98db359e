package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"

	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/ui"
)

// Quirks are properties of the host that a cluster has to be told of. They are patched only where present.
type Quirks struct {
	CgroupV1      bool // kubelet refuses cgroup v1 from 1.35 on, unless told; runc handles it badly under systemd
	NoSysResource bool // without CAP_SYS_RESOURCE nobody may lower an oom_score_adj
}

// controlPlane makes the only node's control plane quicker. Without an election its controllers work at once: after a
// restart they would wait up to 15 s for the lease of the time before to run out. A controller manager that may ask its
// API server 20 times a second spends its first 5 seconds on getting its controllers' accounts. The dozen keys of a
// cluster are made in no time where they are not RSA's. Kubernetes before 1.36 is configured in another form, and goes
// without.
const controlPlane = `kind: ClusterConfiguration
apiVersion: kubeadm.k8s.io/v1beta4
encryptionAlgorithm: ECDSA-P256
controllerManager:
  extraArgs: [{name: leader-elect, value: "false"}, {name: kube-api-qps, value: "200"}, {name: kube-api-burst, value: "400"}]
scheduler: {extraArgs: [{name: leader-elect, value: "false"}]}
---
kind: InitConfiguration
apiVersion: kubeadm.k8s.io/v1beta4
patches: {directory: ` + markMount + `}
`

// coreDNS is changed before it is installed: one pod on one node, asked every second whether it answers. Everything in
// a new cluster waits for it.
const (
	coreDNSFile = "corednsdeployment+strategic.yaml"
	coreDNS     = "spec: {replicas: 1, template: {spec: {containers: [{name: coredns, readinessProbe: {periodSeconds: 1}}]}}}\n"
)

// make creates the cluster. Where that is interrupted, the next Up finds the node without its ready mark and begins
// again. Where it fails, the node tells why before it goes.
func (k *Kind) make(ctx context.Context, t *ui.Task, n source.Node, takesImages func()) (Access, error) {
	start := time.Now()
	ports, err := k.Ports(ctx)
	if err != nil {
		return Access{}, err
	}
	quirks, err := k.Quirks(ctx)
	if err != nil {
		return Access{}, err
	}
	// Here too, as what an interrupted creation left was removed with its folders.
	if err := errors.Join(k.prepareFolders(), os.MkdirAll(filepath.Dir(k.Kubeconfig), 0o755)); err != nil {
		return Access{}, err
	}
	if err := os.WriteFile(filepath.Join(k.markDir(), coreDNSFile), []byte(coreDNS), 0o644); err != nil {
		return Access{}, err
	}
	a, err := k.build(ctx, t, k.config(n, ports, quirks), takesImages)
	switch {
	case err == nil:
		t.Result("%s made in %.1f s", k.Name(), time.Since(start).Seconds())
		return a, nil
	case ctx.Err() != nil:
		return Access{}, ctx.Err()
	}
	explained := k.keeper().explain(ctx, t, k.Name()+" could not be made", err)
	if err := k.clear(ctx, err); err != nil {
		t.Note("the node %s is still there: %v", k.node(), err)
	}
	return Access{}, explained
}

// build has kind make the node and its control plane, and completes it.
func (k *Kind) build(ctx context.Context, t *ui.Task, config *v1alpha4.Cluster, takesImages func()) (Access, error) {
	if err := k.createWith(ctx, t, config, takesImages); err != nil {
		return Access{}, err
	}
	made, err := k.inspect(ctx)
	if err != nil {
		return Access{}, err
	}
	if made == nil {
		return Access{}, errors.New("its node disappeared")
	}
	a := k.access(made)
	if err := a.WaitReady(ctx, 2*time.Minute); err != nil {
		return Access{}, err
	}
	if err := a.prepareVolume(ctx, k.node()); err != nil {
		return Access{}, fmt.Errorf("it takes no volume: %w", err)
	}
	_, err = k.Docker.Exec(ctx, k.node(), "sh", "-c", "mkdir -p -m 0777 "+volumeDir+" && touch "+layerDir+readyMark+" "+readyDir+readyMark)
	return a, err
}

// clear removes the node of a creation that just failed. There was none before, so it is this creation's, unless the
// failure is that somebody else made one meanwhile.
func (k *Kind) clear(ctx context.Context, failure error) error {
	if text := strings.ToLower(failure.Error()); strings.Contains(text, "node(s) already exist") || strings.Contains(text, "is already in use by container") {
		return nil
	}
	if complete, _ := k.keeper().complete(ctx); complete {
		return nil
	}
	return k.Delete(ctx, nil)
}

// createWith lets kind make the cluster and shows what it says. Once kind has configured the node and turns to the
// control plane, the node's containerd can take images, and most of a creation is still to come.
func (k *Kind) createWith(ctx context.Context, t *ui.Task, config *v1alpha4.Cluster, takesImages func()) error {
	waiting, stop := context.WithCancel(ctx)
	var early sync.WaitGroup
	defer early.Wait()
	defer stop()
	return k.create(ctx, config, func(line string) {
		t.Line(line)
		if strings.Contains(line, "Starting control-plane") {
			early.Go(func() {
				// kind waits for kubeadm, which would wait for minutes; what it printed so far is evidence.
				k.keeper().watch(waiting, t, func(error) { _, _ = k.Docker.Exec(waiting, k.node(), "pkill", "kubeadm") })
			})
			early.Go(func() {
				if k.keeper().awaitContainerd(waiting) == nil {
					takesImages()
				}
			})
		}
	})
}

// config is kind's description of the cluster: one node, every port on loopback only.
func (k *Kind) config(n source.Node, ports Ports, quirks Quirks) *v1alpha4.Cluster {
	mapping := func(container, host int) v1alpha4.PortMapping {
		return v1alpha4.PortMapping{ContainerPort: int32(container), HostPort: int32(host), ListenAddress: "127.0.0.1"}
	}
	c := &v1alpha4.Cluster{
		Name: k.ClusterName,
		Networking: v1alpha4.Networking{
			APIServerAddress:  "127.0.0.1",
			DisableDefaultCNI: n.StaticNetwork,
		},
		Nodes: []v1alpha4.Node{{
			Role:              v1alpha4.ControlPlaneRole,
			Image:             n.Image,
			ExtraPortMappings: []v1alpha4.PortMapping{mapping(80, ports.HTTP), mapping(443, ports.HTTPS)},
			ExtraMounts: []v1alpha4.Mount{
				{HostPath: k.markDir(), ContainerPath: markMount, Readonly: true},
				{HostPath: k.trustDir(), ContainerPath: trustMount, Readonly: true},
			},
		}},
	}
	c.KubeadmConfigPatches = append(c.KubeadmConfigPatches, controlPlane)
	if quirks.CgroupV1 {
		// With systemd as its cgroup driver, runc freezes a container of cgroup v1 at its start, which fails on a busy
		// machine ("unable to freeze").
		c.KubeadmConfigPatches = append(c.KubeadmConfigPatches,
			"kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\nfailCgroupV1: false\ncgroupDriver: cgroupfs\n")
		c.ContainerdConfigPatches = append(c.ContainerdConfigPatches,
			"[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc.options]\n  SystemdCgroup = false\n")
	}
	if quirks.NoSysResource {
		c.ContainerdConfigPatches = append(c.ContainerdConfigPatches,
			"[plugins.\"io.containerd.grpc.v1.cri\"]\n  restrict_oom_score_adj = true\n")
	}
	v1alpha4.SetDefaultsCluster(c)
	return c
}
