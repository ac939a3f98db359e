// Package setup gives a bare machine what a deploy needs of it.
package setup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/host"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/ui"
)

// Run makes this machine able to deploy: the Docker engine installed and running, a client that can build, further
// Debian packages, and kernel limits that a cluster node gets along with. As root on Debian or Ubuntu it does what is
// missing and records it in /var/lib/todo-deploy/setup.json. Elsewhere it changes nothing, and its error's remedy has
// the commands.
func Run(ctx context.Context, s session.Session) error {
	return s.UI.Do("Setup", func(t *ui.Task) error {
		m := &setup{runner: s.Runner, host: host.Local, cfg: s.Config, root: os.Geteuid() == 0, patience: time.Minute}
		m.packages = func(ctx context.Context) []string { return missingTools(ctx, t, s) }
		if err := m.run(ctx, t); err != nil || s.Config.Cluster != config.ClusterMinikube {
			return err
		}
		return provideMinikube(ctx, t, s)
	})
}

// setup is one run of it.
type setup struct {
	runner   run.Runner
	host     host.Host
	cfg      *config.Config
	packages func(context.Context) []string // that this machine lacks besides; asked once the engine answers
	root     bool
	patience time.Duration // how long dockerd may take to answer
	record   record
	updated  bool // apt's package lists are of this run
}

func (s *setup) run(ctx context.Context, t *ui.Task) (err error) {
	if !s.root || !s.host.Distribution().Is("debian", "ubuntu") {
		return s.elsewhere(ctx, t)
	}
	if s.record, err = readRecord(s.host); err != nil {
		return err
	}
	steps := []struct {
		name string
		do   func(context.Context, *ui.Task) error
	}{
		{"Docker's packages", s.installEngine},
		{"Docker engine", s.startEngine},
		{"BuildKit", s.provideBuilder},
		{"Compose", s.provideCompose},
		{"Build tools", s.installTools},
		{"Kernel limits", s.raiseLimits},
	}
	for _, step := range steps {
		if err := t.Do(step.name, func(t *ui.Task) error { return step.do(ctx, t) }); err != nil {
			return err
		}
	}
	if t.Changed() {
		t.Result("ready; what was done is recorded in %s", s.host.Path(recordFile))
	} else {
		t.Unchanged("nothing to do")
	}
	return nil
}

// elsewhere is setup where nothing may be changed.
func (s *setup) elsewhere(ctx context.Context, t *ui.Task) error {
	_, err := engine.FindClient(ctx, s.runner)
	if err == nil {
		if missing := strings.Join(s.packages(ctx), " "); missing != "" {
			t.Note("building everything from package registries takes more packages. On Debian and Ubuntu: sudo apt-get install --no-install-recommends %s", missing)
		}
		if command := s.limitCommand(); command != "" {
			t.Note("the kernel's inotify limits are too low for a cluster node. Until the next boot: %s", command)
		}
		t.Unchanged("Docker works; nothing was changed")
		return nil
	}
	if errors.Is(err, engine.ErrNoPermission) || ctx.Err() != nil {
		return err
	}
	why := "setup changes only Debian and Ubuntu machines"
	if s.host.Distribution().Is("debian", "ubuntu") {
		why = "setup needs to be root"
	}
	commands := s.commands(err)
	if command := s.limitCommand(); command != "" {
		commands = append(commands, command)
	}
	return fault.Wrap(err, fault.CodeEnvironment, why, "run these commands:\n"+strings.Join(commands, "\n"))
}

// limitCommand raises the kernel limits that are too low; it is empty where none is.
func (s *setup) limitCommand() string {
	command := ""
	for _, l := range s.host.Limits() {
		if l.Low() {
			command += fmt.Sprintf(" %s=%d", l.Name, l.Wanted)
		}
	}
	if command == "" {
		return ""
	}
	return "sudo sysctl -w" + command
}

// commands gives what a person types to make this machine ready, given why Docker cannot be used.
func (s *setup) commands(reason error) []string {
	d := s.host.Distribution()
	start := "sudo systemctl enable --now docker"
	join := `sudo usermod -aG docker "$USER"   # takes effect at the next login`
	switch {
	case d.Is("debian", "ubuntu"):
		if !s.host.Systemd() {
			start = "sudo sh -c 'setsid --fork dockerd >>/var/log/dockerd.log 2>&1 </dev/null'"
		}
		var packages []string
		if s.dockerd() == "" {
			packages = add(packages, "docker.io")
		}
		if errors.Is(reason, engine.ErrNoBuilder) {
			packages = add(packages, "docker-buildx") // where the release has it; its absence is apt's to report
		}
		if len(packages) == 0 {
			return []string{start, join}
		}
		return []string{"sudo apt-get update", "sudo apt-get install --yes --no-install-recommends " + strings.Join(packages, " "), start, join}
	case d.Is("fedora"):
		return []string{"sudo dnf install --assumeyes moby-engine docker-buildx", start, join}
	case d.Is("arch"):
		return []string{"sudo pacman --sync --needed docker docker-buildx", start, join}
	case d.Is("suse", "opensuse"):
		return []string{"sudo zypper install docker docker-buildx", start, join}
	case d.Is("alpine"):
		return []string{"sudo apk add docker docker-cli-buildx", "sudo rc-update add docker default", "sudo service docker start", `sudo addgroup "$USER" docker`}
	case d.ID == "": // no os-release: not Linux
		return []string{"brew install colima docker docker-buildx   # or install Docker Desktop", "colima start --cpu 2 --memory 4"}
	}
	return []string{"install Docker Engine 23 or later and its buildx plugin with this system's package manager", start, join}
}

// raiseLimits applies the limits now and for the next boot.
func (s *setup) raiseLimits(_ context.Context, t *ui.Task) error {
	var lines, names []string
	var low []host.Limit
	for _, l := range s.host.Limits() {
		lines = append(lines, fmt.Sprintf("%s = %d", l.Name, max(l.Wanted, l.Value)))
		if l.Low() {
			low, names = append(low, l), append(names, l.Name)
		}
	}
	if len(low) == 0 {
		t.Unchanged("high enough")
		return nil
	}
	const file = "etc/sysctl.d/60-todo-deploy.conf"
	if s.record.Sysctls == nil {
		s.record.Sysctls = map[string]int{}
	}
	for _, l := range low {
		if _, again := s.record.Sysctls[l.Name]; !again {
			s.record.Sysctls[l.Name] = l.Value
		}
	}
	if err := s.recorded(file, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		return err
	}
	for _, l := range low {
		if err := os.WriteFile(s.host.Path(l.File()), []byte(strconv.Itoa(l.Wanted)), 0); err != nil {
			// In a container /proc/sys is read-only. A cluster mostly works all the same.
			t.Note("%s could not be raised to %d (%v): set it on the machine that runs this container", l.Name, l.Wanted, errors.Unwrap(err))
			t.Unchanged("cannot be raised from here")
			return nil
		}
	}
	t.Result("raised %s", strings.Join(names, ", "))
	return nil
}

// recorded writes a file of the machine after putting it on record.
func (s *setup) recorded(rel string, content []byte, mode os.FileMode) error {
	s.record.Files = add(s.record.Files, filepath.Join("/", rel))
	if err := writeRecord(s.host, s.record); err != nil {
		return err
	}
	return s.host.WriteFile(rel, content, mode)
}
