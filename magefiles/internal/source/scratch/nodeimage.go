package scratch

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/ui"
)

// nodeRecipe is part of the node image's key: raise it when images.go or this file change what is in the image.
const nodeRecipe = 1

func (s *Source) proxyImage() image {
	return image{"todo-base-kube-proxy", s.pins.Kubernetes, hash(s.debianImage().key, recipe("kube-proxy.Dockerfile"))}
}

func (s *Source) nodeImageName() image {
	inputs := []any{nodeRecipe, s.proxyImage(), s.pins.Kind}
	for _, p := range programs(s.pins) {
		inputs = append(inputs, p.key())
	}
	for _, name := range []string{"node-image.Dockerfile", "preload.sh", "default-storage.yaml", "10-ptp.conflist"} {
		inputs = append(inputs, recipe(name))
	}
	return image{"todo-node", s.pins.Kubernetes, hash(inputs...)}
}

// node is a node image with what it carries.
func (s *Source) node(i image) source.Node {
	return source.Node{
		Image: i.String(), StaticNetwork: true,
		Traefik: addon("traefik", s.pins.Traefik), MetricsServer: addon("metrics-server", s.pins.MetricsServer),
	}
}

// Node builds the node image unless the engine has it: the programs first, then their images, then the node around
// them.
func (s *Source) Node(ctx context.Context, t *ui.Task) (source.Node, error) {
	i := s.nodeImageName()
	node := s.node(i)
	found, err := s.docker.Images(ctx, i.String())
	if err != nil {
		return source.Node{}, err
	}
	all := programs(s.pins)
	s.touchPrograms(all...)
	if len(found) == 1 {
		t.Unchanged("built before")
		return node, nil
	}
	if err := s.ready(ctx); err != nil {
		return source.Node{}, err
	}
	b := s.builder()
	s.dropDamaged(t, all)
	var dirs map[string]string
	err = t.Do("programs", func(t *ui.Task) (err error) {
		dirs, err = b.all(ctx, t, all)
		return err
	})
	if err != nil {
		return source.Node{}, err
	}
	if removed := s.store.prune(programsKind); len(removed) > 0 {
		t.Note("removed from the cache, as unused for a month: %s", strings.Join(removed, ", "))
	}
	proxy := s.proxyImage()
	if err := t.Do(proxy.short(), func(t *ui.Task) error {
		return s.build(ctx, t, proxy, s.contextOf("kube-proxy.Dockerfile"))
	}); err != nil {
		return source.Node{}, err
	}
	err = t.Do(i.short(), func(t *ui.Task) error {
		start := time.Now()
		err := s.build(ctx, t, i, func(ctx context.Context, t *ui.Task, dir string) error { return s.nodeContext(ctx, t, b, dirs, dir) })
		if err == nil {
			t.Result("%s, packed in %s", i, time.Since(start).Round(time.Second))
		}
		return err
	})
	return node, err
}

// helper is the image that makes and removes the folders of volumes.
func (s *Source) helper() string { return addon("debian", s.pins.Debian.Suite) }

func (s *Source) provisioner() string { return addon("local-path-provisioner", s.pins.LocalPath) }

// storageManifest is the cluster's default StorageClass, with what provides it.
func (s *Source) storageManifest() string {
	return strings.NewReplacer("@HELPER@", s.helper(), "@PROVISIONER@", s.provisioner()).Replace(string(recipe("default-storage.yaml")))
}

// dropDamaged compares every cached program with what was built, byte by byte: a node image lives long, and a flipped
// bit in it would be looked for elsewhere.
func (s *Source) dropDamaged(t *ui.Task, all []program) {
	for _, p := range all {
		dir := s.store.path(p.name, p.key())
		if _, err := os.Stat(dir); err != nil {
			continue
		}
		t.Status("checking %s", p.name)
		if err := verify(dir, true); err != nil {
			t.Note("the cached %s is damaged (%v); it is built again", p.name, err)
			_ = os.RemoveAll(dir)
		}
	}
}

// pauseImage is the one of kubeadm's images that every pod's sandbox runs, or nothing.
func pauseImage(listed string) string {
	for ref := range strings.Lines(listed) {
		if strings.Contains(ref, "/pause:") {
			return strings.TrimSpace(ref)
		}
	}
	return ""
}

// nodeContext writes the build context of the node image: root/ is what goes over Debian, images/ what goes into
// containerd.
func (s *Source) nodeContext(ctx context.Context, t *ui.Task, b builder, dirs map[string]string, dir string) error {
	pause := filepath.Join(dir, "pause")
	kubeadm := filepath.Join(dirs["kubernetes"], "kubeadm")
	listed, err := run.Output(ctx, s.run, kubeadm, "config", "images", "list", "--kubernetes-version", s.pins.Kubernetes)
	if err != nil {
		return buildFault(err, "kubeadm does not name its images", "remove "+dirs["kubernetes"]+" and run again")
	}
	sandbox := pauseImage(listed)
	binaries := map[string]string{"pause": pause}
	for _, p := range programs(s.pins) {
		for _, name := range p.binaries() {
			binaries[name] = filepath.Join(dirs[p.name], name)
		}
	}
	if sandbox == "" {
		return fault.New(fault.CodeBuild, "kubeadm names no pause image", "correct the versions in pins.yaml")
	}
	if err := b.pause(ctx, s.pins.Kubernetes, sandbox[strings.LastIndexByte(sandbox, ':')+1:], pause); err != nil {
		return buildFault(err, "the pause program did not build", "see that gcc and libc6-dev are installed")
	}

	t.Status("packing the images of the control plane and the add-ons")
	images, err := controlPlane(listed, binaries, s.proxyImage().String())
	if err != nil {
		return err
	}
	images = append(images,
		nodeImage{ref: addon("traefik", s.pins.Traefik), binary: binaries["traefik"]},
		nodeImage{ref: addon("metrics-server", s.pins.MetricsServer), binary: binaries["metrics-server"]},
		nodeImage{ref: s.provisioner(), binary: binaries["local-path-provisioner"]},
		nodeImage{ref: s.helper(), base: s.debianImage().String()}, // a shell is all it has to have, and this one's layer is there for kube-proxy
	)
	if err := s.writeLayout(ctx, filepath.Join(dir, "images", "layout"), images); err != nil {
		return err
	}

	t.Status("laying out the node's files")
	kind, err := b.moduleDir(ctx, "sigs.k8s.io/kind", s.pins.Kind)
	if err != nil {
		return buildFault(err, "kind's module cannot be fetched", "see that the Go module proxy can be reached")
	}
	root := filepath.Join(dir, "root")
	if err := kindFiles(filepath.Join(kind, "images", "base", "files"), root, sandbox); err != nil {
		return buildFault(err, "kind's node files cannot be used", "see that the version of kind in pins.yaml is the one in go.mod")
	}
	files := []struct {
		path string
		text []byte
	}{
		{"Dockerfile", recipe("node-image.Dockerfile")},
		{"images/preload.sh", recipe("preload.sh")},
		{"root/kind/version", []byte(s.pins.Kubernetes)},
		{"root/kind/manifests/default-storage.yaml", []byte(s.storageManifest())},
		{"root/etc/cni/net.d/10-ptp.conflist", recipe("10-ptp.conflist")},
	}
	for _, f := range files {
		if err := writeFile(filepath.Join(dir, f.path), f.text, 0o644); err != nil {
			return cacheFault(err)
		}
	}
	for folder, names := range map[string][]string{
		"usr/bin":        {"kubeadm", "kubelet", "kubectl"},
		"usr/local/bin":  {"containerd", "containerd-shim-runc-v2", "ctr"},
		"usr/local/sbin": {"runc"},
		"opt/cni/bin":    {"host-local", "loopback", "ptp", "portmap"},
	} {
		for _, name := range names {
			if err := link(binaries[name], filepath.Join(root, folder, name)); err != nil {
				return cacheFault(err)
			}
		}
	}
	return cacheFault(openFolders(root))
}
