package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/words"
)

const (
	gib = 1 << 30

	wantedCPUs = 2
	// Below the least, a cluster of one node does not come up, or dies under its first load.
	wantedMemory, leastMemory = 4 * gib, 2 * gib
	wantedDisk, leastDisk     = 10 * gib, 3 * gib
	// What building everything from package registries takes: modules and compiled packages, programs, images.
	sourceDisk = 15 * gib
)

const asRoot = "run `go tool mage setup` as root"

func (c *checker) checkDocker(context.Context) Result {
	if c.dockerErr != nil {
		return Result{Level: Failure, Detail: words.OneLine(c.dockerErr.Error()), Remedy: fault.Remedy(c.dockerErr)}
	}
	if c.info.OSType != "linux" {
		return Result{Level: Failure, Detail: "the engine runs " + c.info.OSType + " containers", Remedy: "switch it to Linux containers"}
	}
	return Result{Detail: fmt.Sprintf("engine %s; %s %s builds with BuildKit", c.docker.EngineVersion, c.docker.CLI, c.docker.ClientVersion)}
}

func (c *checker) checkMachine(context.Context) Result {
	if c.docker == nil {
		return unknown()
	}
	// The engine's own figures: with Docker Desktop they are those of its virtual machine.
	r := Result{Detail: fmt.Sprintf("%d cores, %.1f GiB", c.info.NCPU, float64(c.info.MemTotal)/gib)}
	switch {
	case c.info.MemTotal < leastMemory:
		r.Level, r.Remedy = Failure, fmt.Sprintf("give Docker at least %d GiB of memory", leastMemory/gib)
	case c.info.MemTotal < wantedMemory || c.info.NCPU < wantedCPUs:
		r.Level, r.Remedy = Warning, fmt.Sprintf("with %d cores and %d GiB it would be quicker and safer", wantedCPUs, wantedMemory/gib)
	}
	return r
}

func (c *checker) checkDisk(ctx context.Context) Result {
	places := []struct{ what, path string }{{"the cache", c.cfg.Cache}}
	if c.docker != nil && c.host.EnginePID() != 0 {
		places = append(places, struct{ what, path string }{"Docker", c.info.DockerRootDir})
	}
	var details []string
	r := Result{}
	wanted := uint64(wantedDisk)
	for _, p := range places {
		free, err := c.free(p.path)
		if err != nil {
			return Result{Level: Warning, Detail: err.Error()}
		}
		details = append(details, fmt.Sprintf("%.1f GiB for %s (%s)", float64(free)/gib, p.what, p.path))
		if free < sourceDisk && c.cfg.Images != config.ImagesRegistry && !c.built(ctx) {
			wanted = sourceDisk
		}
		switch {
		case free < leastDisk:
			r.Level = Failure
		case free < wanted:
			r.Level = max(r.Level, Warning)
		}
	}
	if len(places) == 1 {
		details = append(details, "what Docker has cannot be seen from here")
	}
	r.Detail = strings.Join(details, ", ")
	if r.Level != OK {
		r.Remedy = fmt.Sprintf("free at least %d GiB: `docker system df` shows what Docker holds, `docker system prune` removes what nothing uses", wanted/gib)
		if wanted == sourceDisk {
			r.Remedy += "\nthe first run without a container registry needs that much, most of it for Go's caches in the home folder"
		}
	}
	return r
}

// freeBytes looks at the first folder on the way up from path that exists.
func freeBytes(path string) (uint64, error) {
	var s syscall.Statfs_t
	err := syscall.Statfs(path, &s)
	for errors.Is(err, fs.ErrNotExist) && path != filepath.Dir(path) {
		path = filepath.Dir(path)
		err = syscall.Statfs(path, &s)
	}
	if err != nil {
		return 0, &os.PathError{Op: "statfs", Path: path, Err: err}
	}
	return s.Bavail * uint64(s.Bsize), nil
}

func (c *checker) checkCapabilities(context.Context) Result {
	if c.docker == nil {
		return unknown()
	}
	switch {
	case c.cfg.Context() != "":
		return Result{Detail: "not needed: no cluster is made here"}
	case !c.host.EngineLacksSysResource():
		return Result{Detail: "all that a cluster node needs"}
	case c.info.DefaultRuntime == engine.BoundedRuntime:
		return Result{Detail: "CAP_SYS_RESOURCE is missing; the bounded runtime does without"}
	}
	return Result{Level: Failure, Detail: "CAP_SYS_RESOURCE is missing, so that no cluster node can start", Remedy: asRoot + ", which registers a container runtime that does without"}
}

func (c *checker) checkCgroups(context.Context) Result {
	if c.docker == nil {
		return unknown()
	}
	if c.info.CgroupVersion == "2" {
		return Result{Detail: "version 2"}
	}
	return Result{Detail: "version 1: the cluster's kubelet is told to accept it"}
}

func (c *checker) checkLimits(context.Context) Result {
	var low, fine []string
	for _, l := range c.host.Limits() {
		switch {
		case l.Low():
			low = append(low, fmt.Sprintf("%s is %d, below %d", l.Name, l.Value, l.Wanted))
		case l.Value >= 0:
			fine = append(fine, fmt.Sprintf("%s %d", l.Name, l.Value))
		}
	}
	switch {
	case len(low) > 0:
		return Result{Level: Warning, Detail: strings.Join(low, ", "), Remedy: asRoot + "; too low, and pods fail with \"too many open files\""}
	case len(fine) == 0:
		return Result{Detail: "the engine's own: they cannot be seen from here"}
	}
	return Result{Detail: strings.Join(fine, ", ")}
}
