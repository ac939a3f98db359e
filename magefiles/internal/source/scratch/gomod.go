package scratch

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"todo.local/magefiles/internal/run"
)

//go:embed shims
var shims embed.FS

// fork is a module that is built from a copy with files added to it.
type fork struct {
	module  string // nothing is copied where it is empty
	version string
	dir     string            // folder of the copy, beside go.mod
	files   map[string]string // what is added, by file name
}

// goMod gives the go.mod of a program's build module.
func (p program) goMod() string {
	var b strings.Builder
	if p.lock.mod != "" {
		b.WriteString(p.lock.mod)
	} else {
		fmt.Fprintf(&b, "module build\n\ngo 1.26.0\n\nrequire %s %s\n", p.module, p.version)
	}
	for _, m := range slices.Sorted(maps.Keys(p.require)) {
		fmt.Fprintf(&b, "\nrequire %s %s\n", m, p.require[m])
	}
	for _, old := range slices.Sorted(maps.Keys(p.replace)) {
		fmt.Fprintf(&b, "\nreplace %s => %s\n", old, p.replace[old])
	}
	for _, x := range p.exclude {
		fmt.Fprintf(&b, "\nexclude %s\n", x)
	}
	return b.String()
}

// prepare writes a program's build module into an empty folder.
func (b builder) prepare(ctx context.Context, p program, dir string) error {
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(p.goMod()), 0o644); err != nil {
		return cacheFault(err)
	}
	if p.lock.sum != "" {
		if err := os.WriteFile(filepath.Join(dir, "go.sum"), []byte(p.lock.sum), 0o644); err != nil {
			return cacheFault(err)
		}
	}
	for _, f := range p.forks {
		to := filepath.Join(dir, f.dir)
		if f.module != "" {
			from, err := b.moduleDir(ctx, f.module, f.version)
			if err != nil {
				return err
			}
			if err := os.CopyFS(to, os.DirFS(from)); err != nil {
				return cacheFault(err)
			}
		}
		for name, text := range f.files {
			if err := writeFile(filepath.Join(to, name), []byte(text), 0o644); err != nil {
				return cacheFault(err)
			}
		}
	}
	return nil
}

// moduleDir gives the folder of a module in Go's cache, fetching it where needed.
func (b builder) moduleDir(ctx context.Context, module, version string) (string, error) {
	cmd := b.goCmd(program{}, os.TempDir(), "mod", "download", "-json", module+"@"+version)
	res, err := b.run.Run(ctx, cmd)
	var got struct{ Dir, Error string }
	if jsonErr := json.Unmarshal([]byte(res.Stdout), &got); err == nil && jsonErr != nil {
		err = jsonErr
	}
	if got.Error != "" {
		err = fmt.Errorf("%s", got.Error)
	}
	return got.Dir, err
}

// staging are the modules that Kubernetes develops inside its own repository. Its go.mod points to folders there, which
// the released module does not have; each is released as a module by itself.
var staging = strings.Fields(`
	api apiextensions-apiserver apimachinery apiserver cli-runtime client-go cloud-provider cluster-bootstrap code-generator component-base
	component-helpers controller-manager cri-api cri-client cri-streaming csi-translation-lib dynamic-resource-allocation endpointslice
	externaljwt kms kube-aggregator kube-controller-manager kube-proxy kube-scheduler kubectl kubelet metrics mount-utils
	pod-security-admission sample-apiserver streaming`)

func kubernetes(version string) program {
	p := program{name: "kubernetes", module: "k8s.io/kubernetes", version: version}
	p.require, p.replace = map[string]string{}, map[string]string{}
	parts := strings.Split(strings.TrimPrefix(version, "v"), ".") // 1, 37, 2
	for _, m := range staging {
		release := fmt.Sprintf("v0.%s.%s", parts[1], parts[2])
		p.require["k8s.io/"+m] = release // so that the programs' own build information names it
		p.replace["k8s.io/"+m] = "k8s.io/" + m + " " + release
	}
	for _, c := range []string{"kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler", "kubeadm", "kubectl", "kubelet"} {
		p.packages = append(p.packages, "k8s.io/kubernetes/cmd/"+c)
	}
	const v = " -X k8s.io/component-base/version."
	p.ldflags = strip + v + "gitVersion=" + version + v + "gitMajor=" + parts[0] + v + "gitMinor=" + parts[1] + v + "gitTreeState=clean" +
		" -X k8s.io/client-go/pkg/version.gitVersion=" + version
	return p
}

// libraries are Kubernetes' modules for its clients, in the release of the cluster, for the requirements of another
// program: they are compiled already, and no program is left with those of years ago.
func libraries(kubernetes string) map[string]string {
	release := "v0" + strings.TrimPrefix(kubernetes, "v1")
	return map[string]string{"k8s.io/api": release, "k8s.io/apimachinery": release, "k8s.io/client-go": release}
}

// traefik depends on two modules in versions that only its authors' copies have. The originals do for what a cluster's
// ingress needs, each with a file added for the names that the copies add. A third is a folder of its repository that
// is no part of the released module: it holds what a build may add to the configuration, here nothing. Of a fourth, the
// clients of DNS services are left out: they are a third of all that it compiles.
func traefik(version, kubernetes string) program {
	const pkg = "github.com/traefik/traefik/v3"
	return program{
		name: "traefik", module: pkg, version: version, packages: []string{pkg + "/cmd/traefik"},
		ldflags: strip + " -X " + pkg + "/pkg/version.Version=" + strings.TrimPrefix(version, "v"),
		require: libraries(kubernetes),
		replace: map[string]string{
			"github.com/gorilla/mux": "./mux", "github.com/abbot/go-http-auth": "./httpauth", "github.com/go-acme/lego/v5": "./lego",
			"github.com/traefik/traefik/dynamic/ext": "./ext",
		},
		// A pre-module version of a cloud's kit that holds packages of a newer module too, which makes the import
		// ambiguous.
		exclude: []string{"github.com/tencentcloud/tencentcloud-sdk-go v3.0.83+incompatible"},
		forks: []fork{
			{module: "github.com/gorilla/mux", version: "v1.8.1", dir: "mux", files: map[string]string{
				"routing_path.go": shim("mux_routing_path.go.txt"),
			}},
			{module: "github.com/abbot/go-http-auth", version: "v0.4.0", dir: "httpauth", files: map[string]string{
				"go.mod":   "module github.com/abbot/go-http-auth\n\ngo 1.20\n",
				"added.go": shim("httpauth_added.go.txt"),
			}},
			{dir: "ext", files: map[string]string{
				"go.mod": "module github.com/traefik/traefik/dynamic/ext\n\ngo 1.26\n",
				"ext.go": shim("traefik_ext.go.txt"),
			}},
			{module: "github.com/go-acme/lego/v5", version: "v5.4.1", dir: "lego", files: map[string]string{ // the version that Traefik requires
				"providers/dns/zz_gen_dns_providers.go": shim("lego_dns_providers.go.txt"),
			}},
		},
	}
}

// shim reads an embedded file, which is there or the program would not have compiled with it.
func shim(name string) string {
	raw, err := shims.ReadFile("shims/" + name)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// pause builds the program that holds a pod's namespaces: one C file in Kubernetes' module.
func (b builder) pause(ctx context.Context, kubernetes, version, out string) error {
	dir, err := b.moduleDir(ctx, "k8s.io/kubernetes", kubernetes)
	if err != nil {
		return err
	}
	src := filepath.Join(dir, "build", "pause", "linux", "pause.c")
	_, err = b.run.Run(ctx, run.Cmd{Name: "gcc", Args: []string{"-Os", "-Wall", "-static", "-DVERSION=" + version, "-o", out, src}})
	return err
}
