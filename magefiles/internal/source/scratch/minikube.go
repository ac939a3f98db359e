package scratch

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/pins"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/ui"
)

// minikubeRecipe is the base image that a minikube profile's node is made from.
const minikubeRecipe = "minikube.Dockerfile"

// minikubeTool is the module in which minikube's own dependencies are locked, in the checkout.
const minikubeTool = "tools/minikube"

func (s *Source) minikubeImage() image {
	return image{"todo-minikube", s.pins.Kubernetes,
		hash(s.nodeImageName(), crictl(s.pins).key(), recipe(minikubeRecipe), s.pins.Minikube)}
}

// Minikube gives what a minikube profile is made from: the node image, with what minikube expects of a node besides.
func (s *Source) Minikube(ctx context.Context, t *ui.Task) (source.Node, error) {
	i, tool := s.minikubeImage(), crictl(s.pins)
	node := s.node(i)
	node.Minikube = &source.MinikubeParts{Kubernetes: s.pins.Kubernetes, Storage: s.storageManifest()}
	s.touchPrograms(tool)
	if found, err := s.docker.Images(ctx, i.String()); err != nil || len(found) == 1 {
		t.Unchanged("built before")
		return node, err
	}
	inner, err := s.Node(ctx, t)
	if err != nil {
		return source.Node{}, err
	}
	dirs, err := s.builder().all(ctx, t, []program{tool})
	if err != nil {
		return source.Node{}, err
	}
	err = t.Do(i.short(), func(t *ui.Task) error {
		return s.build(ctx, t, i, func(_ context.Context, _ *ui.Task, dir string) error {
			text := strings.NewReplacer("@NODE@", inner.Image, "@MINIKUBE@", s.pins.Minikube, "@KUBERNETES@", s.pins.Kubernetes).
				Replace(string(recipe(minikubeRecipe)))
			if err := writeFile(filepath.Join(dir, "Dockerfile"), []byte(text), 0o644); err != nil {
				return cacheFault(err)
			}
			return cacheFault(link(filepath.Join(dirs[tool.name], tool.name), filepath.Join(dir, tool.name)))
		})
	})
	return node, err
}

// crictl is how minikube asks a node's containerd.
func crictl(p *pins.Pins) program {
	const module = "sigs.k8s.io/cri-tools"
	return program{
		name: "crictl", module: module, version: p.CRITools, packages: []string{module + "/cmd/crictl"},
		ldflags: strip + " -X " + module + "/pkg/version.Version=" + strings.TrimPrefix(p.CRITools, "v"),
	}
}

// MinikubeProgram gives the path of a minikube for this machine, which is built where the cache lacks it. It takes Go
// alone.
func (s *Source) MinikubeProgram(ctx context.Context, t *ui.Task) (string, error) {
	p, err := s.minikube()
	if err != nil {
		return "", err
	}
	s.touchPrograms(p)
	dirs, err := s.builder().all(ctx, t, []program{p})
	return filepath.Join(dirs[p.name], p.name), err
}

// BuiltMinikube is the path of the minikube that was built before, or empty.
func (s *Source) BuiltMinikube() string {
	p, err := s.minikube()
	if err != nil || s.builder().firstMissing([]program{p}) != nil {
		return ""
	}
	return filepath.Join(s.store.path(p.name, p.key()), p.name)
}

// minikube is the program, of the versions that tools/minikube locks. Its driver for KVM, which takes libvirt's C
// library, is left out. The last two versions name images and files of minikube's own, and are those of its Makefile.
func (s *Source) minikube() (program, error) {
	const module, version = "k8s.io/minikube", "k8s.io/minikube/pkg/version."
	p := program{
		name: "minikube", module: module, version: s.pins.Minikube, packages: []string{module + "/cmd/minikube"}, host: true,
		ldflags: strip + " -X " + version + "version=" + s.pins.Minikube + " -X " + version + "storageProvisionerVersion=v5" +
			" -X " + version + "isoVersion=v1.38.0",
		replace: map[string]string{module: "./minikube"},
		forks: []fork{{module: module, version: s.pins.Minikube, dir: "minikube", files: map[string]string{
			"pkg/minikube/registry/drvs/kvm2/kvm2.go": "package kvm2\n",
		}}},
	}
	for file, to := range map[string]*string{"go.mod": &p.lock.mod, "go.sum": &p.lock.sum} {
		raw, err := os.ReadFile(filepath.Join(s.root, minikubeTool, file))
		if err != nil {
			return p, fault.Wrap(err, fault.CodeBuild, "the versions of minikube's modules cannot be read", "see that the checkout is whole: git status")
		}
		*to = string(raw)
	}
	return p, nil
}
