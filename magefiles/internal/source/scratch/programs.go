package scratch

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"todo.local/magefiles/internal/pins"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/ui"
)

// recipeVersion is part of every key: raise it when the way of building changes in a manner that the other inputs do
// not show.
const recipeVersion = 1

// program is one Go module and the commands that are built from it.
type program struct {
	name     string
	module   string
	version  string
	packages []string // import paths; a single one is named after the program, several after their last element
	tags     string
	ldflags  string
	cgo      bool
	require  map[string]string // module → version, besides the program's own
	replace  map[string]string // module → "module version", or a folder that forks makes
	exclude  []string          // "module version" lines
	forks    []fork            // modules to be patched beside the build
	lock     lock              // the versions of all modules, where they are not the program's own
	host     bool              // runs on this machine, and not in a node
}

// binaries are the file names that the program's folder will have.
func (p program) binaries() []string {
	if len(p.packages) == 1 {
		return []string{p.name}
	}
	var out []string
	for _, pkg := range p.packages {
		out = append(out, path.Base(pkg))
	}
	return out
}

// key changes with everything that changes the result, except the Go compiler: a new one is no reason to build for a
// quarter of an hour.
func (p program) key() string {
	inputs := []any{recipeVersion, arch, p.goMod(), p.packages, p.tags, p.ldflags, p.cgo}
	if p.lock.sum != "" {
		inputs = append(inputs, p.lock.sum)
	}
	for _, f := range p.forks {
		for _, name := range slices.Sorted(maps.Keys(f.files)) {
			inputs = append(inputs, name, f.files[name])
		}
	}
	return hash(inputs...)
}

const strip = "-s -w"

// programs are all that a one-node cluster runs, the long ones first, so that the estimate in people's heads falls
// quickly.
func programs(p *pins.Pins) []program {
	const containerd = "github.com/containerd/containerd/v2"
	const cni = "github.com/containernetworking/plugins"
	return []program{
		kubernetes(p.Kubernetes),
		traefik(p.Traefik, p.Kubernetes),
		{
			name: "coredns", module: "github.com/coredns/coredns", version: p.CoreDNS,
			packages: []string{"github.com/coredns/coredns"}, ldflags: strip,
			require: libraries(p.Kubernetes),
		},
		{
			name: "metrics-server", module: "sigs.k8s.io/metrics-server", version: p.MetricsServer,
			packages: []string{"sigs.k8s.io/metrics-server/cmd/metrics-server"},
			ldflags:  strip + " -X k8s.io/client-go/pkg/version.gitVersion=" + p.MetricsServer,
		},
		{
			name: "containerd", module: containerd, version: p.Containerd,
			packages: []string{containerd + "/cmd/containerd", containerd + "/cmd/containerd-shim-runc-v2", containerd + "/cmd/ctr"},
			tags:     "no_btrfs,no_zfs,no_devmapper,no_aufs", ldflags: strip + " -X " + containerd + "/version.Version=" + p.Containerd,
		},
		{
			name: "local-path-provisioner", module: "github.com/rancher/local-path-provisioner", version: p.LocalPath,
			packages: []string{"github.com/rancher/local-path-provisioner"}, ldflags: strip + " -X main.VERSION=" + p.LocalPath,
			require: libraries(p.Kubernetes),
		},
		{
			name: "etcd", module: "go.etcd.io/etcd/server/v3", version: p.Etcd,
			packages: []string{"go.etcd.io/etcd/server/v3"}, ldflags: strip,
		},
		{
			// Linked statically: this machine's C library may be newer than the node's.
			name: "runc", module: "github.com/opencontainers/runc", version: p.Runc,
			packages: []string{"github.com/opencontainers/runc"}, cgo: true,
			tags: "seccomp,netgo,osusergo", ldflags: strip + " -linkmode external -extldflags -static",
		},
		{
			name: "cni", module: cni, version: p.CNI,
			packages: []string{
				cni + "/plugins/ipam/host-local", cni + "/plugins/main/loopback", cni + "/plugins/main/ptp", cni + "/plugins/meta/portmap",
			},
			ldflags: strip + " -X " + cni + "/pkg/utils/buildversion.BuildVersion=" + p.CNI,
		},
	}
}

// lock is a go.mod with its go.sum.
type lock struct{ mod, sum string }

// builder builds programs into the store.
type builder struct {
	run   run.Runner
	store store
	env   []string // such as the certificate bundle of a TLS-inspecting proxy
}

// all gives the folder of every program by name, building what is missing. One is compiled at a time, since the
// compiler uses every core by itself; meanwhile the modules of the next are fetched.
func (b builder) all(ctx context.Context, t *ui.Task, programs []program) (map[string]string, error) {
	dirs := map[string]string{}
	for i, p := range programs {
		err := t.Do(p.name+" "+p.version, func(t *ui.Task) error {
			start := time.Now()
			warm, stop := context.WithCancel(ctx)
			var fetching sync.WaitGroup
			defer fetching.Wait() // or it would write into the cache after whoever asked has gone
			defer stop()
			dir, built, err := b.store.get(ctx, t, p.name, p.key(), func(dir string) error {
				t.Status("program %d of %d", i+1, len(programs))
				if next := b.firstMissing(programs[i+1:]); next != nil {
					fetching.Go(func() { b.fetch(warm, *next) })
				}
				return b.build(ctx, t, p, dir)
			})
			if err != nil {
				return err
			}
			dirs[p.name] = dir
			if !built {
				t.Unchanged("built before")
				return nil
			}
			t.Result("built in %s (%d of %d)", time.Since(start).Round(time.Second), i+1, len(programs))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return dirs, nil
}

func (b builder) firstMissing(programs []program) *program {
	for _, p := range programs {
		if verify(b.store.path(p.name, p.key()), false) != nil {
			return &p
		}
	}
	return nil
}

// fetch fills Go's module cache for a program. Only time is lost where it fails: the build asks again, and reports.
func (b builder) fetch(ctx context.Context, p program) {
	dir, remove, err := b.store.temp("fetch-" + p.name)
	if err != nil {
		return
	}
	defer remove()
	if b.prepare(ctx, p, dir) == nil {
		_, _ = b.run.Run(ctx, b.goCmd(p, dir, append([]string{"list", "-deps", "-tags", p.tags}, p.packages...)...))
	}
}

// build compiles a program into dir. What the compiler has done stays in Go's build cache, so that an interrupted build
// goes on from there.
func (b builder) build(ctx context.Context, t *ui.Task, p program, dir string) (err error) {
	module, remove, err := b.store.temp("build-" + p.name)
	if err != nil {
		return err
	}
	defer remove()
	log, err := b.store.log(p.name)
	if err != nil {
		return err
	}
	defer func() { err = log.close(err) }()

	fail := func(err error) error {
		return buildFault(err, fmt.Sprintf("%s %s did not build", p.name, p.version), log.remedy())
	}
	if err := b.prepare(ctx, p, module); err != nil {
		return fail(err)
	}
	out := dir
	if len(p.packages) == 1 {
		out = filepath.Join(dir, p.name)
	}
	args := []string{"build", "-v", "-trimpath", "-buildvcs=false", "-tags", p.tags, "-ldflags", p.ldflags, "-o", out + suffix(p)}
	cmd := b.goCmd(p, module, append(args, p.packages...)...)
	// What the compiler leaves half done is gigabytes: here it is removed even after a kill, and it needs no room in
	// /tmp, which may be in memory.
	cmd.Env = append(cmd.Env, "GOTMPDIR="+module)
	log.line(cmd.String())
	compiled := 0
	cmd.Line = func(line string) {
		log.line(line)
		if strings.HasPrefix(line, "go: ") || strings.HasPrefix(line, "#") {
			t.Line(line)
			return
		}
		compiled++
		t.Status("%d packages compiled, now %s", compiled, line)
	}
	if _, err := b.run.Run(ctx, cmd); err != nil {
		return fail(err)
	}
	for _, name := range p.binaries() {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			return fail(fmt.Errorf("the compiler left no %s", name))
		}
	}
	return nil
}

// suffix tells go build that several commands go into a folder.
func suffix(p program) string {
	if len(p.packages) > 1 {
		return string(filepath.Separator)
	}
	return ""
}

// goCmd runs the go command for a build module of its own: nothing of this checkout's module or of the user's flags
// reaches it, while the user's choice of module proxy and checksum database does.
func (b builder) goCmd(p program, dir string, args ...string) run.Cmd {
	cgo := "CGO_ENABLED=0"
	if p.cgo {
		cgo = "CGO_ENABLED=1"
	}
	// The compiler and the linker collect garbage less often: a sixth of their time, for a tenth of memory more at the
	// peak, which is the linker's.
	system, modules := "linux", "mod"
	if p.host {
		system = runtime.GOOS
	}
	if p.lock.sum != "" {
		modules = "readonly"
	}
	env := append([]string{"GOGC=400", "GOFLAGS=-mod=" + modules, "GOWORK=off", "GO111MODULE=on", "GOOS=" + system, "GOARCH=" + arch, cgo}, b.env...)
	return run.Cmd{Name: "go", Args: args, Dir: dir, Env: env}
}
